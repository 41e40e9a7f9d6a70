// Text in UTF-16, as a redirect of Windows PowerShell writes it. The right answers are those of the same text in UTF-8.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ImportError, ImportRun } from '../../../src/import/run.ts';
import { Utf16 } from '../../../src/import/utf16.ts';
import { eventText } from '../../../src/query/events.ts';
import { traceInfo } from '../../../src/query/info.ts';
import { stateTree } from '../../../src/query/state.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { importBytes, importText } from '../../helpers/fixtures.ts';

const little = (text: string): Buffer => Buffer.from(text, 'utf16le');
const big = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();
const read = (name: string): string => readFileSync(join(import.meta.dirname, '../../fixtures/cases', name), 'utf8');
const seen = (trace: Trace): unknown => [
  Array.from({ length: trace.length }, (_, step) => eventText(trace, step)),
  stateTree(trace.head),
];

const HEAD = '          <idle>-0       [001] d.h.   460.750920: ';
const record = (name: string): string => `${HEAD}irq_handler_entry: irq=19 name=${name}`;
const names = (bytes: Uint8Array): unknown[] => {
  const trace = importBytes(bytes);
  return Array.from({ length: trace.length }, (_, step) => eventText(trace, step)).filter((t) =>
    t.includes('irq.entry'),
  );
};

describe('text in UTF-16', () => {
  for (const file of ['ftrace-plain.txt', 'qemu-plain.log', 'message-a.irqtrace']) {
    const text = read(file);
    const plain = importText(text);
    const forms: Record<string, [Uint8Array, string[]]> = {
      'little-endian': [little(`\ufeff${text}`), ['utf-16']],
      'big-endian': [big(`\ufeff${text}`), ['utf-16']],
      'without a mark': [little(text), ['utf-16']],
      'big-endian without a mark': [big(text), ['utf-16']],
      'without a last line end': [little(`\ufeff${text.trimEnd()}`), ['utf-16']],
      packed: [gzipSync(little(`\ufeff${text}`)), ['utf-16']],
      'CR LF': [
        little(`\ufeff${text.replaceAll('\n', '\r\n')}`),
        file.endsWith('.irqtrace') ? ['utf-16'] : ['utf-16', 'crlf'],
      ],
    };
    for (const [form, [bytes, undone]] of Object.entries(forms))
      it(`${file}, ${form}: the same as in UTF-8`, () => {
        for (const chunk of [bytes.length, 1, 3, 7]) {
          const trace = importBytes(bytes, chunk);
          assert.deepEqual(seen(trace), seen(plain), `chunks of ${chunk}`);
          assert.deepEqual(traceInfo(trace).undone, undone);
          assert.equal(traceInfo(trace).problem, null);
          assert.equal(traceInfo(trace).lines, traceInfo(plain).lines);
        }
      });
  }

  it('marks of pasted text are undone behind it', () => {
    const trace = importBytes(little(`\ufeff${read('ftrace-quoted.txt')}`));
    assert.deepEqual(seen(trace), seen(importText(read('ftrace-quoted.txt'))));
    assert.deepEqual(traceInfo(trace).undone, ['utf-16', 'quoted']);
  });

  it('names keep their characters: of one, two, three and four bytes in UTF-8', () => {
    for (const name of ['eth0', 'blå', 'キュー', '\u{1F600}q\u{10FFFF}'])
      assert.deepEqual(names(little(`\ufeff${record(name)}\n`)), names(Buffer.from(`${record(name)}\n`)), name);
    // Half a character of two halves is none.
    assert.match(String(names(little(`\ufeff${record('a\ud800b')}\n`))), /a\ufffdb/);
    assert.match(String(names(little(`\ufeff${record('a\udc00b')}\n`))), /a\ufffdb/);
    assert.match(String(names(little(`\ufeff${record('a\ud800\ud83d\ude00')}\n`))), /a\ufffd\u{1F600}/u);
  });

  it('a text that ends in the middle of a character says so, and keeps what was whole', () => {
    const whole = little(`\ufeff${record('eth0')}\n${record('\u{1F600}')}`);
    for (const missing of [1, 2, 3]) {
      const trace = importBytes(whole.subarray(0, whole.length - missing));
      const info = traceInfo(trace);
      assert.equal(info.problem, 'the UTF-16 text ends in the middle of a character', `${missing} missing`);
      assert.equal(info.records, 2);
    }
    assert.equal(traceInfo(importBytes(whole)).problem, null);
  });

  it('a file that grows is read as far as it came', () => {
    const run = new ImportRun('growing');
    const bytes = little(`\ufeff${record('eth0')}\r\n${record('eth1')}\r\n`);
    run.push(bytes.subarray(0, bytes.length / 2 + 21));
    run.settle();
    assert.equal(run.trace.first.accounting.records, 1);
    assert.deepEqual(run.trace.first.undone, ['utf-16', 'crlf']);
    run.push(bytes.subarray(bytes.length / 2 + 21));
    assert.equal(run.end().first.accounting.records, 2);
  });

  it('other bytes are left as they are', () => {
    const texts = [
      Buffer.from([0xff, 0xfe, 0, 0, 65, 0, 0, 0]),
      Buffer.from([0xff]),
      Buffer.from('a\0b\0'),
      Buffer.alloc(64),
    ];
    for (const bytes of texts)
      for (const size of [1, bytes.length]) {
        const out: number[] = [];
        const utf16 = new Utf16((chunk) => out.push(...chunk));
        for (let at = 0; at < bytes.length; at += size) utf16.push(bytes.subarray(at, at + size));
        utf16.end();
        assert.deepEqual([out, utf16.decoded, utf16.problem], [[...bytes], false, undefined]);
      }
    assert.throws(() => importBytes(Buffer.from([0xff, 0xfe])), ImportError);
    assert.throws(() => importBytes(little('\ufeffno trace at all\n')), /no line of it is a trace record/);
  });
});
