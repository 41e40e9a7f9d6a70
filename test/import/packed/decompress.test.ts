// Packed sources that are cut, damaged or have something behind them: it is noticed, and what can be unpacked is unpacked.
import assert from 'node:assert/strict';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { packingOf, Unpacker } from '../../../src/import/decompress.ts';
import { importBytes } from '../../helpers/fixtures.ts';

const text = Buffer.from(`${'hello '.repeat(1000)}${Array.from({ length: 200 }, (_, i) => i * 7919).join(' ')}`);

interface Unpacked {
  readonly bytes: Buffer;
  readonly problem: string | undefined;
}

/** Unpacks bytes that come in chunks of a size. */
function unpack(packed: Uint8Array, chunk = packed.length): Unpacked {
  const parts: Buffer[] = [];
  const unpacker = new Unpacker((part) => parts.push(Buffer.from(part)));
  for (let at = 0; at < packed.length; at += chunk) unpacker.push(new Uint8Array(packed.slice(at, at + chunk)));
  unpacker.end();
  return { bytes: Buffer.concat(parts), problem: unpacker.problem };
}

describe('packed data', () => {
  const packings: Record<string, Uint8Array> = { gzip: gzipSync(text), zstd: zstdCompressSync(text) };
  for (const [packing, packed] of Object.entries(packings)) {
    it(`of ${packing} is whole only with its last byte`, () => {
      for (let length = 4; length < packed.length; length++) {
        const { bytes, problem } = unpack(packed.subarray(0, length));
        assert.equal(
          problem,
          `the ${packing} data is cut off at byte ${length}`,
          `${length} of ${packed.length} bytes`,
        );
        assert.ok(text.subarray(0, bytes.length).equals(bytes), `${length} of ${packed.length} bytes`);
      }
      for (const chunk of [1, 2, 3, 5, 100, packed.length]) {
        const { bytes, problem } = unpack(packed, chunk);
        assert.deepEqual([problem, text.equals(bytes)], [undefined, true], `chunks of ${chunk}`);
      }
    });
  }

  it('of gzip in several members is whole at the end of each member and nowhere else', () => {
    const first = gzipSync(text.subarray(0, 300));
    const second = gzipSync(text.subarray(300, 700));
    const packed = Buffer.concat([first, second]);
    const whole = Array.from({ length: packed.length - 3 }, (_, i) => i + 4).filter(
      (length) => unpack(packed.subarray(0, length)).problem === undefined,
    );
    assert.deepEqual(whole, [first.length, packed.length]);
    for (const chunk of [1, 3, 7]) assert.ok(unpack(packed, chunk).bytes.equals(text.subarray(0, 700)));
  });

  it('of which only the header is there is not called an empty file', () => {
    const header = gzipSync(text).subarray(0, 10);
    assert.throws(() => importBytes(new Uint8Array(header)), /^Error: the gzip data is cut off at byte 10$/);
  });

  it('is told by its first bytes alone', () => {
    assert.equal(packingOf(Uint8Array.of(0x1f, 0x8b)), 'gzip');
    assert.equal(packingOf(Uint8Array.of(0x1f, 0x8a, 8, 0)), 'none');
    assert.equal(packingOf(Uint8Array.of(0x1e, 0x8b, 8, 0)), 'none');
    assert.equal(packingOf(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)), 'zstd');
    for (let i = 0; i < 4; i++) {
      const other = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);
      other[i]! ^= 1;
      assert.equal(packingOf(other), 'none');
    }
  });
});
