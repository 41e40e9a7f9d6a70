// Every code of the three alphabets of zstd sequences (RFC 8878 3.1.1.3.2.1), in frames that the library of Node packs.
import assert from 'node:assert/strict';
import { constants, zstdCompressSync } from 'node:zlib';
import { Random } from '../../../src/base/random.ts';
import { Unpacker } from '../../../src/import/decompress.ts';
import { Damage } from '../../../src/import/packed/damage.ts';
import { huffmanRoom, readHuffman } from '../../../src/import/packed/huffman.ts';

function unpack(packed: Uint8Array): Buffer {
  const parts: Buffer[] = [];
  const unpacker = new Unpacker((part) => parts.push(Buffer.from(part)));
  unpacker.push(new Uint8Array(packed));
  unpacker.end();
  assert.equal(unpacker.problem, undefined);
  return Buffer.concat(parts);
}

/** The shortest run of literals of each code. */
const LITERALS = [
  ...Array.from({ length: 17 }, (_, i) => i),
  ...[18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536],
];
/** The shortest match of each code. */
const MATCHES = [
  ...Array.from({ length: 33 }, (_, i) => i + 3),
  ...[37, 39, 41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539],
];

describe('zstd sequences', () => {
  const random = new Random(8878);
  const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random.integer(0, 255)));

  /** Repeats `match` bytes that stand `distance` bytes before, behind `literals` bytes that repeat nothing. */
  function frame(literals: number, match: number, distance: number): Buffer {
    const before = noise(Math.max(match, 64) + distance);
    return Buffer.concat([before, noise(literals), before.subarray(0, match), noise(7)]);
  }

  function same(data: Buffer, what: string): void {
    for (const level of [1, 3, 12, 19]) {
      const packed = zstdCompressSync(data, {
        params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
      });
      assert.ok(unpack(packed).equals(data), `${what}, level ${level}`);
    }
  }

  it('with literals of every length code', () => {
    for (const length of LITERALS)
      for (const more of [0, 1]) same(frame(length + more, 40, 0), `${length + more} literals`);
  });

  it('with matches of every length code', () => {
    for (const length of MATCHES)
      for (const more of [0, 1]) same(frame(5, length + more, 0), `a match of ${length + more}`);
  });

  it('with offsets of every code up to 2^18', () => {
    for (let bits = 0; bits <= 18; bits++) same(frame(3, 64, 2 ** bits), `an offset of 2^${bits}`);
  });

  it('with many sequences in a block, which describe their own tables', () => {
    for (let round = 0; round < 6; round++) {
      const parts: Buffer[] = [noise(300)];
      for (let i = 0; i < 400; i++) {
        const all = parts[random.integer(0, parts.length - 1)]!;
        parts.push(noise(random.integer(0, 12)), all.subarray(0, random.integer(0, all.length)));
      }
      same(Buffer.concat(parts), `round ${round}`);
    }
  });
});

describe('weights of zstd literals', () => {
  it('for more than 256 symbols are refused (RFC 8878 4.2.1)', () => {
    // A table of FSE symbols in which weight 0 has 2 states of 32 and weight 1 has 30, and bits that tell 256 weights.
    for (const told of ['0e303e8cc28ad42e1aaba74d7cdf63', '0e303e67068516459e36b734d74530']) {
      const bytes = Buffer.concat([Buffer.from(told, 'hex'), Buffer.alloc(8)]);
      assert.throws(
        () => readHuffman(bytes, 0, told.length / 2, huffmanRoom(), (at, what) => new Damage(`${at}: ${what}`)),
        /more weights than symbols/,
      );
    }
  });
});
