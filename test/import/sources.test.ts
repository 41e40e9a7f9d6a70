// Where bytes come from does not matter: chunk by chunk in any sizes, packed or not, cut off or not, or not a trace at all.
import assert from 'node:assert/strict';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { ImportError, ImportRun } from '../../src/import/run.ts';
import { viewEvent } from '../../src/query/events.ts';
import { traceInfo } from '../../src/query/info.ts';
import { stateTree } from '../../src/query/state.ts';
import { checkIntegrity } from '../../src/trace/integrity.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { fixtureBytes, fixtureTrace, importBytes, importText } from '../helpers/fixtures.ts';
import { randomWords } from '../model/random.ts';

/** Everything that can be asked of a trace, as one text. */
function dump(trace: Trace): string {
  const { variant: _variant, ...info } = traceInfo(trace);
  const events = Array.from({ length: trace.length }, (_, step) => viewEvent(trace, step));
  return JSON.stringify([info, events, stateTree(trace.head)]);
}

/** Imports bytes in chunks of random sizes up to `most`; each chunk is overwritten after it was taken. */
function inChunks(bytes: Uint8Array, seed: number, most: number): Trace {
  const next = randomWords(seed);
  const run = new ImportRun('test');
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + (next() % most);
    const chunk = bytes.slice(at, at + size);
    run.push(chunk);
    chunk.fill(0x0a);
    at += size;
  }
  return run.end();
}

const NAMES = [
  'x86-vtd/qemu.log',
  'x86-vtd/ftrace.txt',
  'arm64-a/qemu.log',
  'arm64-gicv2m/qemu.log',
  'x86-lost/trace-overrun.txt',
];

/** A part of a fixture: some lines and a piece of one. Uint8Array, so that slices of it are copies. */
const part = (name: string, from: number, length: number): Uint8Array => {
  const bytes = fixtureBytes(name);
  const start = bytes.indexOf(10, Math.floor(from * bytes.length * 0.8)) + 1;
  return new Uint8Array(bytes.subarray(start, start + length));
};

describe('sources', () => {
  it('the same bytes give the same trace, however they come', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...NAMES),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer(),
        fc.constantFrom(7, 300, 5000, 70_000),
        (name, from, seed, most) => {
          const bytes = part(name, from, most === 7 ? 4000 : 120_000);
          assert.equal(dump(inChunks(bytes, seed, most)), dump(importBytes(bytes)));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('packing makes no difference: gzip and zstd, in one piece or several', () => {
    for (const [i, name] of NAMES.entries()) {
      const bytes = part(name, 0.3, 200_000);
      const plain = dump(importBytes(bytes));
      const middle = 99_999;
      const halves = [bytes.subarray(0, middle), bytes.subarray(middle)];
      const packings = {
        gzip: gzipSync(bytes),
        zstd: zstdCompressSync(bytes),
        'gzip in two members': Buffer.concat(halves.map((h) => gzipSync(h))),
        'zstd in two frames': Buffer.concat(halves.map((h) => zstdCompressSync(h))),
      };
      for (const [packing, packed] of Object.entries(packings)) {
        for (const most of [10, 1000, 1e6]) {
          const trace = inChunks(new Uint8Array(packed), i, most);
          assert.equal(dump(trace), plain, `${name}, ${packing}, chunks of up to ${most}`);
          assert.equal(trace.first.problem, undefined);
          assert.match(trace.first.variant, new RegExp(packing.slice(0, 4)));
        }
      }
    }
  });

  it('packed data that is cut off gives all that was in front of the cut, and says so', () => {
    const bytes = new Uint8Array(fixtureBytes('x86-nested/l2-qemu.log'));
    const whole = fixtureTrace('x86-nested/l2-qemu.log');
    for (const [packing, packed] of Object.entries({ gzip: gzipSync(bytes), zstd: zstdCompressSync(bytes) })) {
      const trace = importBytes(packed.subarray(0, Math.floor(packed.length * 0.7)));
      assert.match(trace.first.problem!, new RegExp(`^the ${packing} data is (cut off|damaged)`));
      if (packing === 'gzip') assert.ok(trace.length > 100, `${trace.length} events`);
      assert.deepEqual(checkIntegrity(trace), []);
      for (let step = 0; step < trace.length; step++)
        assert.deepEqual(
          { ...viewEvent(trace, step).source, file: '' },
          { ...viewEvent(whole, step).source, file: '' },
        );
    }
  });

  it('packed data that is damaged in the middle gives what was in front, and says so', () => {
    const bytes = new Uint8Array(fixtureBytes('x86-vtd/ftrace.txt'));
    const packed = gzipSync(bytes);
    packed.fill(0xff, packed.length >> 1, (packed.length >> 1) + 64);
    const trace = importBytes(packed, 1000);
    assert.match(trace.first.problem!, /^the gzip data is damaged at byte \d+: ./);
    assert.ok(trace.length > 100);
    assert.deepEqual(checkIntegrity(trace), []);
  });

  it('CR LF, a BOM, NUL bytes in front and a missing last line end change nothing but lines and offsets', () => {
    const text = Buffer.from(part('x86-vtd/qemu.log', 0.2, 60_000)).toString('latin1');
    const lines = text.split('\n').slice(0, -1);
    const events = (trace: Trace): unknown[] =>
      Array.from({ length: trace.length }, (_, step) => ({
        ...viewEvent(trace, step),
        source: trace.table.line(step),
      }));
    const plain = importText(`${lines.join('\n')}\n`);
    const variants: Record<string, [text: string, shift: number]> = {
      'CR LF': [`${lines.join('\r\n')}\r\n`, 0],
      BOM: [`\ufeff${lines.join('\n')}\n`, 0],
      'BOM and CR LF': [`\ufeff${lines.join('\r\n')}\r\n`, 0],
      'no last line end': [lines.join('\n'), 0],
      'NUL bytes in front of a line': [`${lines.join('\n\0\0\0')}\n`, 0],
      'a line of NUL bytes in front': [`${'\0'.repeat(5000)}\n${lines.join('\n')}\n`, 1],
      'blank lines': [`\n${lines.join('\n')}\n\n\n`, 1],
    };
    for (const [name, [variant, shift]] of Object.entries(variants)) {
      const trace = importText(variant);
      assert.deepEqual(checkIntegrity(trace), [], name);
      assert.deepEqual(stateTree(trace.head), stateTree(plain.head), name);
      assert.equal(trace.first.accounting.understood, plain.first.accounting.understood, name);
      assert.deepEqual(
        events(trace),
        events(plain).map((e) => ({ ...(e as object), source: (e as { source: number }).source + shift })),
        name,
      );
    }
    const nul = importText(variants['a line of NUL bytes in front']![0]);
    assert.deepEqual(traceInfo(nul).others, { 'NUL bytes': 1 });
  });

  it('offsets are those of the bytes, with BOM, CR and characters of several bytes', () => {
    const text =
      '\ufeff# tracer: nop\r\n  bäsh-1 [000] d.h1. 1.000001: irq_handler_entry: irq=5 name=x\r\n  b-1 [000] d.h1. 1.000002: irq_handler_exit: irq=5 ret=handled\n';
    const bytes = new TextEncoder().encode(text);
    const trace = importBytes(bytes, 3);
    for (let step = 0; step < trace.length; step++) {
      const { line, offset } = viewEvent(trace, step).source;
      const before = bytes.subarray(0, offset);
      assert.equal(before.filter((b) => b === 10).length, line - 1);
      assert.equal(before.at(-1), 10);
    }
    assert.equal(viewEvent(trace, 1).task, 'bäsh-1');
  });

  it('a line of 10 MB is skipped and counted, what follows is read', () => {
    const record =
      "1@10.000000:memory_region_ops_write cpu 0 mr 0x1 addr 0xfe00000c value 0x1 size 4 name 'msix-table'";
    for (const long of [`1@10.000001:virtio_notify ${'x'.repeat(10 << 20)}`, 'y'.repeat(10 << 20)]) {
      const trace = importBytes(new TextEncoder().encode(`${record}\n${long}\n${record}\n`), 1 << 16);
      const info = traceInfo(trace);
      assert.equal(info.lines, 3);
      assert.equal(info.understood, 2);
      assert.equal(info.records + Object.values(info.others).reduce((a, b) => a + b, 0), 3);
      assert.equal(trace.table.line(trace.length - 1), 3);
      if (long.startsWith('1@')) assert.deepEqual(info.skipped, { 'line longer than 1 MiB': 1 });
    }
  });

  it('a last line that is cut off is told apart from a line that is wrong', () => {
    const line = '1@10.000000:vtd_ir_remap_msi_req addr 0xfee00298 data 0x0';
    const cut = importText(`${line}\n${line.slice(0, 40)}`);
    assert.deepEqual(traceInfo(cut).skipped, { 'cut off at the end of the file': 1 });
    const wrong = importText(`${line}\n${line.slice(0, 40)}\n`);
    assert.deepEqual(traceInfo(wrong).skipped, { 'vtd_ir_remap_msi_req: arguments not as expected': 1 });
    const head = '# tracer: nop\n#\n';
    const record = '  bash-1 [000] d.h1. 1.000001: irq_handler_entry: irq=5 name=x';
    const before = `${record.replace('1.000001', '0.500000')}\n`;
    for (let length = 1; length < record.length; length++) {
      const info = traceInfo(importText(head + before + record.slice(0, length)));
      assert.equal(info.lines, 4);
      const blank = /^ *$/.test(record.slice(0, length));
      const whole = record.slice(0, length).includes('name=');
      assert.deepEqual(info.others, { header: 2, ...(blank ? { blank: 1 } : {}) });
      assert.deepEqual(info.skipped, blank || whole ? {} : { 'cut off at the end of the file': 1 });
      assert.equal(info.understood, whole ? 2 : 1);
    }
  });
});

describe('what is no trace gets a clear answer', () => {
  const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
  const noise = (seed: number): Uint8Array => {
    const next = randomWords(seed);
    return Uint8Array.from({ length: 100_000 }, next);
  };
  const prose = 'The quick brown fox jumps over the lazy dog.\n'.repeat(2000);
  const cases: Record<string, [Uint8Array, RegExp]> = {
    'an empty file': [new Uint8Array(0), /^the file is empty$/],
    'perf.data': [
      bytes(`PERFILE2${'\0'.repeat(500)}`),
      /^this is a perf\.data file: `perf script -i FILE > trace\.txt` prints it$/,
    ],
    ELF: [bytes(`\x7fELF\x02\x01\x01${'\0'.repeat(99)}`), /an ELF file/],
    xz: [bytes('\xfd7zXZ\0\0\x04'), /xz-compressed file: `xz -d FILE` unpacks it/],
    bzip2: [bytes('BZh91AY&SY'), /bzip2-compressed file/],
    zip: [bytes('PK\x03\x04\x14\0'), /a zip archive/],
    noise: [noise(1), /binary data/],
    prose: [bytes(prose), /no line of it is a trace record/],
    'blank lines': [bytes('\n\n\n\n'), /no line of it is a trace record/],
    'NUL bytes': [new Uint8Array(70_000), /binary data/],
    'a shell script': [bytes('#!/bin/sh\nset -e\necho hello\n'), /no line of it is a trace record/],
    JSON: [bytes('{"traceEvents":[{"ph":"X","ts":1}]}\n'), /no line of it is a trace record/],
    'a line of a kernel log in prose': [
      bytes('It boots a while.\nThen it says\n[    0.000001] Command line: quiet\nand hangs.\n'),
      /^this is text with lines of a kernel log of which none tells of an interrupt/,
    ],
    'gzip of prose': [gzipSync(prose), /^no line of it is a trace record/],
    'gzip of nothing': [gzipSync(''), /^the file is empty$/],
    'gzip of perf.data': [gzipSync(bytes('PERFILE2\0\0')), /^this is a perf\.data file/],
    'a gzip header and nothing else': [bytes('\x1f\x8b\x08\0\0\0\0\0\0\x03'), /gzip data is cut off|the file is empty/],
    'gzip magic and noise': [new Uint8Array([0x1f, 0x8b, 8, 0, ...noise(2)]), /the gzip data is (damaged|cut off)/],
    'zstd magic and noise': [
      new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, ...noise(3)]),
      /the zstd data (is damaged|is cut off|needs)\b/,
    ],
    'one byte': [bytes('x'), /no line of it is a trace record/],
  };
  for (const [name, [source, answer]] of Object.entries(cases)) {
    for (const chunk of [source.length || 1, 1000]) {
      it(`${name}, in chunks of ${chunk}`, () => {
        assert.throws(
          () => importBytes(source, chunk),
          (error) => error instanceof ImportError && answer.test(error.message) && !error.message.includes('\n'),
        );
      });
    }
  }

  it('says what it can read', () => {
    assert.throws(() => importText('hello\n'), /expected .*ftrace text.*QEMU trace log/);
  });
});
