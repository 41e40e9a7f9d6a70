// Packed files of several parts, whole or damaged: nothing that the libraries of Node notice goes unnoticed here.
import assert from 'node:assert/strict';
import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { Unpacker } from '../../../src/import/decompress.ts';
import { fixtureBytes, traceFixtures } from '../../helpers/fixtures.ts';
import { randomWords } from '../../model/random.ts';
import type { Trial } from './fuzz-kinds.ts';

type Rng = (below: number) => number;

/** Bytes of one kind or another: of a capture, noise, runs. */
function content(rng: Rng): Buffer {
  const size = rng(rng(3) ? 5000 : 300_000);
  if (rng(4) === 0) return Buffer.from(Uint8Array.from({ length: size }, () => rng(256)));
  if (rng(4) === 0) return Buffer.alloc(size, String.fromCharCode(97 + rng(3)).repeat(1 + rng(5)));
  const names = traceFixtures();
  const whole = fixtureBytes(names[rng(names.length)]!);
  const at = rng(whole.length);
  return Buffer.from(whole.subarray(at, at + size));
}

function pack(packing: string, rng: Rng): Buffer {
  const bytes = content(rng);
  if (packing === 'gzip') {
    const strategies = [constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY, constants.Z_RLE];
    return gzipSync(bytes, {
      level: rng(10),
      windowBits: 9 + rng(7),
      memLevel: 1 + rng(9),
      strategy: strategies[rng(4)]!,
    });
  }
  return zstdCompressSync(bytes, {
    params: {
      [constants.ZSTD_c_compressionLevel]: 1 + rng(19),
      [constants.ZSTD_c_checksumFlag]: 1,
      [constants.ZSTD_c_windowLog]: 10 + rng(12),
    },
  });
}

function damage(packed: Buffer, rng: Rng): [Buffer, string] {
  const bytes = Buffer.from(packed);
  const at = 4 + rng(bytes.length - 4);
  switch (rng(6)) {
    case 0:
      return [bytes.subarray(0, at), 'cut off'];
    case 1:
      bytes[at]! ^= 1 << rng(8);
      return [bytes, 'a bit flipped'];
    case 2:
      bytes.fill(rng(256), at, Math.min(bytes.length, at + rng(200)));
      return [bytes, 'overwritten'];
    case 3:
      return [Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + rng(50))]), 'a piece lost'];
    case 4:
      return [Buffer.concat([bytes, Buffer.alloc(rng(2000))]), 'zeros behind'];
    default:
      return [bytes, 'whole'];
  }
}

/** A packed file. */
export function fuzzPacked(seed: number): Trial {
  const next = randomWords(seed);
  const rng: Rng = (below) => (below <= 1 ? 0 : next() % below);
  const packing = rng(2) ? 'gzip' : 'zstd';
  const parts = Array.from({ length: 1 + rng(3) }, () => pack(packing, rng));
  const [packed, what] = damage(Buffer.concat(parts), rng);
  return {
    story: `${packing}, ${parts.length} parts, ${what}`,
    run: () => {
      const chunks: Buffer[] = [];
      const unpacker = new Unpacker((chunk) => chunks.push(Buffer.from(chunk)));
      const size = 1 + rng(rng(2) ? 100 : 100_000);
      for (let at = 0; at < packed.length; at += size) unpacker.push(packed.subarray(at, at + size));
      unpacker.end();
      const { problem } = unpacker;
      const bytes = Buffer.concat(chunks);
      let theirs: Buffer | undefined;
      try {
        theirs = packing === 'gzip' ? gunzipSync(packed) : zstdDecompressSync(packed);
      } catch {
        theirs = undefined;
      }
      if (what === 'whole' || what === 'zeros behind') {
        const whole = Buffer.concat(
          parts.map((part) => (packing === 'gzip' ? gunzipSync(part) : zstdDecompressSync(part))),
        );
        assert.equal(problem, undefined);
        assert.ok(bytes.equals(whole), 'the bytes of a whole file');
      } else if (problem === undefined) {
        // Node does not take zeros behind the data of zstd, which are no damage, and reads only the first frame.
        assert.ok(theirs !== undefined || packing === 'zstd', 'damage that zlib notices');
        if (theirs !== undefined) {
          const ours = packing === 'gzip' ? bytes : bytes.subarray(0, theirs.length);
          assert.ok(ours.equals(theirs), 'the bytes of the library');
        }
      } else assert.match(problem, /^the (gzip|zstd) data [^\n]+$/);
      return { read: problem === undefined, events: 0 };
    },
  };
}
