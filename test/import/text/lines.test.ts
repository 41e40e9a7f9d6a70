import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Block, LineSplitter, LONGEST_LINE, type TakeLine } from '../../../src/import/lines.ts';

interface Line {
  readonly text: string;
  readonly line: number;
  readonly offset: number;
  readonly cut: boolean;
  readonly open: boolean;
}

/**
 * The lines that a splitter takes from bytes that come in chunks of the given sizes, again and again. `plain`: those that are plain come as blocks.
 */
function split(bytes: Uint8Array, sizes: readonly number[], plain = false): Line[] {
  const out: Line[] = [];
  const take: TakeLine = (buf, start, end, line, offset, cut, open) => {
    out.push({ text: Buffer.from(buf.subarray(start, end)).toString('latin1'), line, offset, cut, open });
  };
  const block = (b: Block): void => {
    while (b.next()) {
      assert.match(Buffer.from(b.buf.subarray(b.start, b.end)).toString('latin1'), /^[\t\x20-\xff]+$/);
      take(b.buf, b.start, b.end, b.line, b.offset, false, false);
    }
  };
  const splitter = new LineSplitter(take, undefined, plain ? block : undefined);
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length]!);
    // A copy that is overwritten afterwards: nothing may be kept of a chunk.
    const chunk = bytes.slice(at, at + size);
    splitter.push(chunk);
    chunk.fill(0x5a);
    at += size;
  }
  splitter.end();
  assert.equal(splitter.lines, out.length);
  return out;
}

/** The same by plain splitting of the whole text. */
function naive(bytes: Uint8Array): Line[] {
  const parts = Buffer.from(bytes).toString('latin1').split('\n');
  const last = parts.length - 1;
  let offset = 0;
  return parts.flatMap((part, i) => {
    const cut = part.length > LONGEST_LINE;
    const text = (cut ? part.slice(0, LONGEST_LINE) : part).replace(/\r$/, '');
    const line = { text, line: i + 1, offset, cut, open: i === last };
    offset += part.length + 1;
    return i === last && part === '' ? [] : [line];
  });
}

const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('\n', '\r\n', '\r', '', '\0', '\ufeff', '\r\r\n') },
  { weight: 4, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ minLength: 4000, maxLength: 9000 }) },
);
const source = fc.array(piece, { maxLength: 40 }).map((p) => new TextEncoder().encode(p.join('')));
const chunks = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9000 })), {
  minLength: 1,
  maxLength: 20,
});

describe('the line splitter', () => {
  it('gives the same lines, numbers and offsets as plain splitting, however the bytes come', () => {
    fc.assert(
      fc.property(source, chunks, (bytes, sizes) => {
        assert.deepEqual(split(bytes, sizes), naive(bytes));
        assert.deepEqual(split(bytes, sizes, true), naive(bytes));
      }),
      { numRuns: 300 },
    );
  });

  it('of lines beyond 1 MiB it keeps the beginning and says so, however the bytes come', () => {
    const long = (n: number): string => 'x'.repeat(n);
    const text = `a\n${long(3 << 20)}\r\nb\n${long(LONGEST_LINE)}\n${long(LONGEST_LINE + 1)}\nc\n${long(2 << 20)}`;
    const bytes = new TextEncoder().encode(text);
    const expected = naive(bytes);
    assert.deepEqual(
      expected.map((l) => [l.text.length, l.cut, l.open]),
      [
        [1, false, false],
        [LONGEST_LINE, true, false],
        [1, false, false],
        [LONGEST_LINE, false, false],
        [LONGEST_LINE, true, false],
        [1, false, false],
        [LONGEST_LINE, true, true],
      ],
    );
    for (const size of [bytes.length, 1 << 20, 65_536, 999_999, 1_048_577])
      for (const plain of [false, true]) assert.deepEqual(split(bytes, [size], plain), expected);
  });

  it('takes nothing from nothing', () => {
    assert.deepEqual(split(new Uint8Array(0), [1]), []);
    assert.deepEqual(split(new Uint8Array([10]), [1]), [{ text: '', line: 1, offset: 0, cut: false, open: false }]);
  });
});
