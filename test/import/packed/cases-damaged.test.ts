// The damaged and hostile files of test/fixtures/cases, and variants of each fault.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { textOf } from '../../../src/base/bytes.ts';
import { viewEvent } from '../../../src/query/events.ts';
import { traceInfo } from '../../../src/query/info.ts';
import { pathValue } from '../../../src/query/state.ts';
import { irqtraceBytes } from '../../../src/trace/irqtrace.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { importBytes } from '../../helpers/fixtures.ts';

const cases = resolve(import.meta.dirname, '../../fixtures/cases');
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(join(cases, name)));

describe('packed files that are damaged', () => {
  // `zcat FILE | grep -vc '^#'` prints 152 and 127; RFC 1952 2.3: the checksum begins 8 bytes before the end.
  it('packed-wrong-checksum.irqtrace.gz: all of it is read, the place of the checksum is told', () => {
    const packed = bytesOf('packed-wrong-checksum.irqtrace.gz');
    const { first, length } = importBytes(packed);
    assert.equal(length, 152);
    assert.equal(
      first.problem,
      `the gzip data is damaged at byte ${packed.length - 8}: the checksum is not that of the data`,
    );
  });

  it('packed-cut-off.irqtrace.gz: what stands in front of the cut is read', () => {
    const packed = bytesOf('packed-cut-off.irqtrace.gz');
    const { first, length } = importBytes(packed);
    assert.equal(length, 127);
    assert.equal(first.problem, `the gzip data is cut off at byte ${packed.length}`);
  });

  const lines = Array.from(
    { length: 200 },
    (_, i) => `0.${String(i * 7919).padStart(9, '0')} cpu${i % 4} - mark cpu/${i % 4} text="${(i * i * 7919) % 10007}"`,
  );
  const text = Buffer.from(`#irqtrace 1\n#clock seconds digits=9 "model time"\n${lines.join('\n')}\n`);
  for (const [packing, packed] of [
    ['gzip', gzipSync(text)],
    ['zstd', zstdCompressSync(text)],
  ] as const) {
    it(`${packing}: bytes behind the data are told, the data is read`, () => {
      const { first, length } = importBytes(Buffer.concat([packed, Buffer.from('\0\0and more')]));
      assert.equal(length, 200);
      assert.equal(
        first.problem,
        `the ${packing} data ends at byte ${packed.length + 2}; the 8 bytes behind it are something else`,
      );
    });

    it(`${packing}: zeros behind the data are no damage`, () => {
      const { first, length } = importBytes(Buffer.concat([packed, Buffer.alloc(1000)]));
      assert.deepEqual([length, first.problem], [200, undefined]);
    });

    it(`${packing}: a second part that is cut off leaves the first`, () => {
      const both = Buffer.concat([packed, packed.subarray(0, 9)]);
      const { first, length } = importBytes(both);
      assert.deepEqual([length, first.problem], [200, `the ${packing} data is cut off at byte ${both.length}`]);
    });
  }

  it('a file that is cut in its header is told as such', () => {
    assert.throws(() => importBytes(gzipSync(text).subarray(0, 7)), /the gzip data is cut off at byte 7/);
  });

  it('a wrong checksum of one part does not hide the parts behind it', () => {
    const first = gzipSync(text);
    first[first.length - 8]! ^= 0x10;
    const trace = importBytes(Buffer.concat([first, gzipSync(`${lines.join('\n')}\n`)]));
    assert.equal(traceInfo(trace).records, 400);
    assert.match(trace.first.problem!, new RegExp(`at byte ${first.length - 8}: the checksum`));
  });
});

describe('arguments of a newer version', () => {
  const fieldsOf = (trace: Trace): unknown[] =>
    Array.from({ length: trace.length }, (_, step) => viewEvent(trace, step).fields);
  const saved = (trace: Trace): string => [...irqtraceBytes(trace)].map((chunk) => textOf(chunk)).join('');

  it('unknown-argument.irqtrace: one event a line, with all its arguments', () => {
    const trace = importBytes(bytesOf('unknown-argument.irqtrace'));
    const rest = { offset: '0x8', size: 4 };
    assert.deepEqual(fieldsOf(trace), [
      { ...rest, value: '0x21', newfield: '7' },
      { ...rest, value: '0x22', note: 'two words' },
      { ...rest, value: '0x22', note: 'two words' },
      {
        ...rest,
        value: '0x23',
        note: 'x\n9.000000000 - - tbl.write device/0000:00:04.0/msix/1 offset=0x8 size=4 value=0xbad',
      },
      { ...rest, value: '0x24', ['__proto__']: '5' },
      { ...rest, value: '0x25' },
    ]);
    const { records, understood, skipped } = traceInfo(trace);
    assert.deepEqual([records, understood, skipped], [7, 6, { 'CPU number beyond 32767': 1 }]);
    assert.equal(pathValue(trace.head, 'device/0000:00:04.0/msix/1/writes'), 6);
    const text = saved(trace);
    const again = importBytes(Buffer.from(text));
    assert.deepEqual(fieldsOf(again), fieldsOf(trace));
    assert.equal(saved(again), text);
  });

  for (const [what, argument, value] of [
    ['a quoted line feed and header', '"\\n#irqtrace 2\\n"', '\n#irqtrace 2\n'],
    ['an escape sequence', '"\\u001b[2J"', '\u001b[2J'],
    ['quotes in quotes', '"say \\"x=1\\""', 'say "x=1"'],
    ['an equals sign', 'a=b=c', 'a=b=c'],
    ['nothing', '', ''],
  ] as const)
    it(`with ${what} are kept on a known and on an unknown kind`, () => {
      for (const name of ['hasOwnProperty', '__proto__', 'newfield']) {
        const head = '#irqtrace 1\n#clock seconds digits=6 x\n';
        const lines = `1.000000 - - mark cpu/0 text=a ${name}=${argument}\n1.000001 - - quantum.flip cpu/0 ${name}=${argument}\n`;
        const trace = importBytes(Buffer.from(head + lines));
        assert.deepEqual(fieldsOf(trace), [
          { text: 'a', [name]: value },
          { name: 'quantum.flip', text: `${name}=${argument}` },
        ]);
        assert.deepEqual(traceInfo(trace).unknown, { 'quantum.flip': 1 });
        assert.equal(saved(trace), head + lines);
      }
    });
});
