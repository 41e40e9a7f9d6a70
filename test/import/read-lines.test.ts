// Lines of a source that is read a second time are those that the trace numbered.
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { LineReader } from '../../src/import/read-lines.ts';

const TEXT = 'first\r\n\nthird é\nfourth';

function read(bytes: Uint8Array, chunk: number, ...lines: number[]): Map<number, string> {
  const reader = new LineReader(lines);
  for (let at = 0; at < bytes.length && !reader.done; at += chunk) reader.push(bytes.subarray(at, at + chunk));
  reader.end();
  return reader.texts;
}

describe('lines read again', () => {
  const plain = Buffer.from(TEXT);
  for (const chunk of [1, 3, 1000])
    it(`are the same in pieces of ${chunk} bytes: without line ends, blank ones counted, the last one without an end`, () => {
      assert.deepEqual(
        [...read(plain, chunk, 1, 2, 3, 4)],
        [
          [1, 'first'],
          [2, ''],
          [3, 'third é'],
          [4, 'fourth'],
        ],
      );
    });

  it('are those of the unpacked text, and of UTF-16', () => {
    assert.deepEqual([...read(gzipSync(plain), 7, 3)], [[3, 'third é']]);
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(TEXT, 'utf16le')]);
    assert.deepEqual([...read(utf16, 5, 3)], [[3, 'third é']]);
  });

  it('end the reading when the last one is there, and are missing where the file is shorter', () => {
    const reader = new LineReader([1]);
    // The first 32 bytes tell the encoding.
    reader.push(Buffer.from('a\n'.repeat(20)));
    assert.equal(reader.done, true);
    assert.deepEqual([...read(plain, 4, 9)], []);
    assert.equal(new LineReader([]).done, true);
  });
});
