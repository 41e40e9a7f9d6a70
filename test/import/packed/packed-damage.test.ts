// Damage of packed files: every cut, every flipped bit that the format shows, and what stands behind the data.
// What counts as damage is what zlib and the zstd library of Node say.
import assert from 'node:assert/strict';
import {
  constants,
  deflateRawSync,
  gunzipSync,
  gzipSync,
  crc32 as nodeCrc32,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';
import { seed } from '../../../scripts/test/seed.ts';
import { Unpacker } from '../../../src/import/decompress.ts';
import { crc32 } from '../../../src/import/packed/crc32.ts';
import { Xxh64 } from '../../../src/import/packed/xxh64.ts';
import { fixtureBytes } from '../../helpers/fixtures.ts';
import { randomWords } from '../../model/random.ts';

interface Unpacked {
  readonly bytes: Buffer;
  readonly problem: string | undefined;
}

function unpack(packed: Uint8Array, chunk = packed.length): Unpacked {
  const parts: Buffer[] = [];
  const unpacker = new Unpacker((part) => parts.push(Buffer.from(part)));
  for (let at = 0; at < packed.length; at += chunk) unpacker.push(packed.subarray(at, at + chunk));
  unpacker.end();
  return { bytes: Buffer.concat(parts), problem: unpacker.problem };
}

/** Whether the library of Node unpacks it. */
function sound(packed: Uint8Array, packing: string): Buffer | undefined {
  try {
    return packing === 'gzip' ? gunzipSync(packed) : zstdDecompressSync(packed);
  } catch {
    return undefined;
  }
}

const capture = Buffer.from(fixtureBytes('x86-vtd/qemu.log').subarray(0, 40_000));
const noise = Buffer.from(Uint8Array.from({ length: 3000 }, randomWords(7)));

const zstd = (bytes: Uint8Array, level: number, checksum: boolean): Buffer =>
  zstdCompressSync(bytes, {
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_checksumFlag]: checksum ? 1 : 0,
    },
  });

const samples: Readonly<Record<string, Buffer>> = {
  'gzip, packed well': gzipSync(capture, { level: 9 }),
  'gzip, not packed': gzipSync(capture.subarray(0, 500), { level: 0 }),
  'gzip of noise': gzipSync(noise),
  'gzip, fixed codes': gzipSync(capture.subarray(0, 300), { strategy: constants.Z_FIXED }),
  'gzip, Huffman only': gzipSync(capture.subarray(0, 5000), { strategy: constants.Z_HUFFMAN_ONLY }),
  'gzip, runs': gzipSync(Buffer.alloc(20_000, 'ab'), { strategy: constants.Z_RLE }),
  'gzip of nothing': gzipSync(Buffer.alloc(0)),
  'zstd, fast': zstd(capture, 1, true),
  'zstd, packed well': zstd(capture, 19, true),
  'zstd of noise': zstd(noise, 3, true),
  'zstd of one byte many times': zstd(Buffer.alloc(200_000, 'x'), 3, true),
  'zstd of little': zstd(Buffer.from('hello hello hello'), 3, true),
};

describe('packed data of every kind', () => {
  for (const [name, packed] of Object.entries(samples)) {
    const packing = name.split(/[ ,]/)[0]!;
    const whole = sound(packed, packing)!;

    it(`${name}: is unpacked, in chunks of any size`, () => {
      for (const chunk of [1, 7, 4096, packed.length])
        assert.deepEqual(unpack(packed, chunk), { bytes: whole, problem: undefined });
    });

    it(`${name}: every cut is told, with its place`, () => {
      const step = Math.max(1, Math.floor(packed.length / 200));
      for (
        let length = packed.length - 1;
        length >= 4;
        length -= length < 30 || packed.length - length < 30 ? 1 : step
      ) {
        const { bytes, problem } = unpack(packed.subarray(0, length));
        assert.equal(problem, `the ${packing} data is cut off at byte ${length}`);
        assert.ok(whole.subarray(0, bytes.length).equals(bytes));
      }
    });

    it(`${name}: zeros behind it are padding, anything else is told`, () => {
      for (const zeros of [1, 3, 511, 70_000])
        assert.deepEqual(unpack(Buffer.concat([packed, Buffer.alloc(zeros)])), { bytes: whole, problem: undefined });
      const cases: [string, number][] = [
        ['garbage', 0],
        ['\0\0\0x', 3],
        ['\n', 0],
        ['PK\x03\x04', 0],
      ];
      for (const [text, at] of cases) {
        const { bytes, problem } = unpack(Buffer.concat([packed, Buffer.from(text, 'latin1')]));
        assert.ok(bytes.equals(whole));
        const left = text.length - at;
        assert.equal(
          problem,
          `the ${packing} data ends at byte ${packed.length + at}; the ${left} bytes behind it are something else`,
        );
      }
    });

    it(`${name}: a flipped bit is told where the format shows it`, () => {
      const next = randomWords(seed);
      const bits = packed.length * 8;
      const chosen =
        bits <= 1200 ? Array.from({ length: bits }, (_, i) => i) : Array.from({ length: 500 }, () => next() % bits);
      for (const bit of chosen) {
        if (bit < 32) continue;
        const flipped = Buffer.from(packed);
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        const { bytes, problem } = unpack(flipped);
        const why = `seed ${seed}, bit ${bit & 7} of byte ${bit >> 3}: ${problem}`;
        const theirs = sound(flipped, packing);
        if (theirs !== undefined && problem === undefined) assert.ok(bytes.equals(theirs), why);
        // Node takes a frame that is cut off for one that is not finished.
        if (problem === undefined) assert.ok(bytes.equals(whole), why);
        if (theirs === undefined) assert.notEqual(problem, undefined, why);
        else if (theirs.equals(whole) && !/reserved|offset|window|dictionary|ends at byte/.test(problem ?? ''))
          assert.equal(problem, undefined, why);
      }
    });
  }
});

describe('gzip members', () => {
  const member = (text: string): Buffer => gzipSync(text);

  it('with a wrong checksum or size are read, and so are those behind them', () => {
    for (const [back, what] of [
      [8, /^the gzip data is damaged at byte \d+: the checksum is not that of the data$/],
      [4, /^the gzip data is damaged at byte \d+: the size is not that of the data$/],
    ] as const) {
      const first = member('first');
      first[first.length - back]! ^= 1;
      const { bytes, problem } = unpack(Buffer.concat([first, member(', second')]));
      assert.equal(bytes.toString(), 'first, second');
      assert.match(problem!, what);
      assert.equal(Number(/byte (\d+)/.exec(problem!)![1]), first.length - back);
    }
  });

  it('may have zeros between them', () => {
    const { bytes, problem } = unpack(Buffer.concat([member('a'), Buffer.alloc(300), member('b')]), 3);
    assert.deepEqual([bytes.toString(), problem], ['ab', undefined]);
  });

  /** RFC 1952 2.3: flags 2 header CRC, 4 extra field, 8 name, 16 comment. */
  const withHeader = (flags: number, extra: Buffer): Buffer => {
    const head = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255]), extra]);
    const crc = nodeCrc32(head) & 0xffff;
    const tail = Buffer.alloc(8);
    tail.writeUInt32LE(nodeCrc32('text'), 0);
    tail.writeUInt32LE(4, 4);
    const headCrc = flags & 2 ? Buffer.from([crc & 255, crc >> 8]) : Buffer.alloc(0);
    return Buffer.concat([head, headCrc, deflateRawSync('text'), tail]);
  };

  it('may have a name, a comment, an extra field and a checksum of the header', () => {
    const all: [number, string][] = [
      [0, ''],
      [8, 'name\0'],
      [16, 'comment\0'],
      [4, '\x03\0abc'],
      [30, '\x02\0xxname\0comment\0'],
    ];
    for (const [flags, extra] of all)
      for (const chunk of [1, 1000])
        for (const crc of [0, 2])
          assert.deepEqual(unpack(withHeader(flags | crc, Buffer.from(extra, 'latin1')), chunk), {
            bytes: Buffer.from('text'),
            problem: undefined,
          });
    const wrong = withHeader(10, Buffer.from('name\0'));
    wrong[11]! ^= 1;
    assert.match(unpack(wrong).problem!, /^the gzip data is damaged at byte 15: the checksum of the header is wrong$/);
  });

  it('with flags or methods that do not exist are refused where these stand', () => {
    const flags = member('x');
    flags[3] = 0x40;
    assert.match(unpack(flags).problem!, /at byte 3: reserved flags/);
    const method = member('x');
    method[2] = 7;
    assert.match(unpack(method).problem!, /at byte 2: no such compression method/);
  });
});

describe('zstd frames', () => {
  const skippable = (text: string, kind = 0): Buffer => {
    const head = Buffer.from([0x50 + kind, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
    head.writeUInt32LE(text.length, 4);
    return Buffer.concat([head, Buffer.from(text)]);
  };

  it('stand one behind the other, with skippable ones anywhere', () => {
    const all = Buffer.concat([
      skippable('seek table'),
      zstd(Buffer.from('a'), 3, true),
      skippable('', 15),
      zstd(Buffer.from('b'), 3, false),
    ]);
    for (const chunk of [1, 5, all.length]) {
      const { bytes, problem } = unpack(all, chunk);
      assert.deepEqual([bytes.toString(), problem], ['ab', undefined]);
    }
    const cut = Buffer.concat([zstd(Buffer.from('a'), 3, true), skippable('seek table')]).subarray(0, -1);
    assert.equal(unpack(cut).problem, `the zstd data is cut off at byte ${cut.length}`);
  });

  it('with a wrong checksum are read, and so are those behind them', () => {
    const first = zstd(Buffer.from('first'), 3, true);
    first[first.length - 1]! ^= 1;
    const { bytes, problem } = unpack(Buffer.concat([first, zstd(Buffer.from(', second'), 3, true)]));
    assert.equal(bytes.toString(), 'first, second');
    assert.equal(problem, `the zstd data is damaged at byte ${first.length - 4}: the checksum is not that of the data`);
  });

  it('that need more than the format tool gives are refused in words', () => {
    // Magic, descriptor, window 2^(10+31): RFC 8878 3.1.1.1.2.
    assert.match(
      unpack(Buffer.from('28b52ffd00f8010000', 'hex')).problem!,
      /^the zstd data needs a window of \d+ MiB at byte 0/,
    );
    assert.match(unpack(Buffer.from('28b52ffd015805010000', 'hex')).problem!, /^the zstd data needs dictionary 5,/);
  });

  it('with large windows and long matches are unpacked', () => {
    const far = Buffer.concat([noise, Buffer.alloc(5 << 20, capture), noise]);
    const packed = zstdCompressSync(far, {
      params: { [constants.ZSTD_c_windowLog]: 24, [constants.ZSTD_c_enableLongDistanceMatching]: 1 },
    });
    const { bytes, problem } = unpack(packed, 10_000);
    assert.equal(problem, undefined);
    assert.ok(bytes.equals(far));
    const stream = zstdCompressSync(Buffer.alloc(9 << 20, capture), { params: { [constants.ZSTD_c_windowLog]: 10 } });
    assert.ok(unpack(stream).bytes.equals(Buffer.alloc(9 << 20, capture)));
  });
});

describe('what unpacks to a thousand times its size', () => {
  for (const [packing, pack] of [
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const) {
    it(`is handed on in small pieces: ${packing}`, function () {
      this.timeout(60_000);
      const size = 200 << 20;
      const packed = pack(Buffer.alloc(size));
      let total = 0;
      let largest = 0;
      const unpacker = new Unpacker((chunk) => {
        total += chunk.length;
        largest = Math.max(largest, chunk.length);
      });
      unpacker.push(packed);
      unpacker.end();
      assert.deepEqual([total, unpacker.problem], [size, undefined]);
      assert.ok(largest <= 1 << 18, `${largest} bytes at once`);
    });
  }
});

describe('checksums', () => {
  it('CRC-32 is that of zlib', () => {
    assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926);
    for (let n = 0; n < 40; n++) assert.equal(crc32(noise.subarray(n, 3 * n)), nodeCrc32(noise.subarray(n, 3 * n)));
    assert.equal(crc32(noise.subarray(100), crc32(noise.subarray(0, 100))), nodeCrc32(noise));
  });

  it('XXH64 is that of the zstd library, whatever the length', () => {
    for (let n = 1; n < 100; n++) {
      const packed = zstd(noise.subarray(0, n), 3, true);
      const hash = new Xxh64();
      hash.update(noise.subarray(0, n >> 1));
      hash.update(noise.subarray(n >> 1, n));
      assert.equal(hash.low(), packed.readUInt32LE(packed.length - 4), `${n} bytes`);
    }
  });
});
