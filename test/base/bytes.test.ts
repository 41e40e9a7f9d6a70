import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  bytesAt,
  bytesOf,
  controlAt,
  hexDigit,
  isDigit,
  Scanner,
  sameAt,
  sixDigits,
  textOf,
  viewOf,
  wordsOf,
} from '../../src/base/bytes.ts';

const MASK64 = (1n << 64n) - 1n;
const read64 = (s: Scanner): bigint => (BigInt(s.hi) << 32n) | BigInt(s.lo);
const on = (text: string): Scanner => {
  // Bytes before and behind the range that would change the answer if they were read.
  const bytes = bytesOf(`9${text}9`);
  return new Scanner().on(bytes, 1, bytes.length - 1);
};
const big = fc.oneof(fc.bigInt({ min: 0n, max: MASK64 }), fc.bigInt({ min: 0n, max: 1n << 54n }), fc.nat().map(BigInt));

describe('a scanner', () => {
  it('reads decimal numbers of up to 64 bits as BigInt does', () => {
    fc.assert(
      fc.property(big, fc.constantFrom('', '0', '0000'), fc.constantFrom('', ' ', 'x', '.', '-'), (n, zeros, tail) => {
        const digits = zeros + n.toString();
        const s = on(digits + tail);
        if (tail === '') s.end = s.pos + digits.length;
        assert.equal(s.dec(), true);
        assert.equal(read64(s), n);
        assert.equal(s.pos, 1 + digits.length);
      }),
      { numRuns: 500 },
    );
  });

  it('reads negative numbers as two’s complement', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 1n << 63n }), (n) => {
        const s = on(`-${n} `);
        assert.equal(s.dec(), true);
        assert.equal(read64(s), BigInt.asUintN(64, -n));
        assert.equal(s.lo | 0, Number(BigInt.asIntN(32, -n)));
      }),
      { numRuns: 300 },
    );
  });

  it('reads hexadecimal numbers with and without 0x, in both cases', () => {
    fc.assert(
      fc.property(big, fc.constantFrom('', '0x', '0X'), fc.boolean(), fc.nat(6), (n, prefix, upper, zeros) => {
        const digits = '0'.repeat(zeros) + n.toString(16);
        const text = prefix + (upper ? digits.toUpperCase() : digits);
        const s = on(`${text} `);
        assert.equal(s.hex(), true);
        assert.equal(read64(s), n);
        assert.equal(s.pos, 1 + text.length);
      }),
      { numRuns: 500 },
    );
  });

  it('reads numbers in C notation', () => {
    fc.assert(
      fc.property(big, fc.boolean(), (n, hex) => {
        const s = on(hex ? `0x${n.toString(16)},` : `${n},`);
        assert.equal(s.number(), true);
        assert.equal(read64(s), n);
      }),
    );
  });

  it('larger numbers wrap at 64 bits', () => {
    const s = on(`0x1${'f'.repeat(16)} `);
    assert.equal(s.hex(), true);
    assert.equal(read64(s), MASK64);
    const d = on(`${(1n << 64n) + 5n} `);
    assert.equal(d.dec(), true);
    assert.equal(read64(d), 5n);
  });

  it('what is no number is refused and nothing is consumed', () => {
    for (const text of ['', 'x', '-', '-x', ' 1', '.5']) {
      const s = on(text);
      s.end = s.pos + text.length;
      assert.equal(s.dec(), false, text);
      assert.equal(s.pos, 1);
    }
    for (const text of ['', 'g', '0x', '0xg', ' a']) {
      const s = on(text);
      s.end = s.pos + text.length;
      assert.equal(s.hex(), false, text);
      assert.equal(s.pos, 1);
    }
  });

  it('takes a literal as a whole or not at all', () => {
    const s = on('abcd');
    assert.equal(s.literal(bytesOf('abd')), false);
    assert.equal(s.pos, 1);
    assert.equal(s.literal(bytesOf('abc')), true);
    assert.equal(s.literal(bytesOf('d9')), false, 'not beyond its end');
    assert.equal(s.literal(bytesOf('d')), true);
  });
});

describe('bytes and texts', () => {
  it('textOf is the inverse of bytesOf, for any text and any part of a buffer', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.nat(5), (text, pad) => {
        const bytes = bytesOf(text);
        const buffer = new Uint8Array(bytes.length + 2 * pad).fill(0xc3);
        buffer.set(bytes, pad);
        assert.equal(textOf(buffer, pad, pad + bytes.length), text);
      }),
      { numRuns: 300 },
    );
  });

  it('what is not UTF-8 becomes U+FFFD', () => {
    assert.equal(textOf(new Uint8Array([65, 0xff, 66])), 'A\ufffdB');
  });

  it('bytesAt compares inside the range only', () => {
    const buffer = bytesOf('hello');
    assert.equal(bytesAt(buffer, 1, 5, bytesOf('ell')), true);
    assert.equal(bytesAt(buffer, 1, 3, bytesOf('ell')), false);
    assert.equal(bytesAt(buffer, 1, 5, bytesOf('elx')), false);
  });

  it('controlAt finds the first byte below 32, in any part of a buffer', () => {
    const byte = fc.oneof(
      fc.integer({ min: 32, max: 255 }),
      fc.constantFrom(32, 31, 0, 9, 10, 127, 128, 159, 160, 255),
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.array(byte, { maxLength: 60 }),
        fc.nat(60),
        (front, tail, from) => {
          const all = Uint8Array.from([...front, ...tail]);
          // The view of a part: its bytes lie at any place in memory.
          const part = all.subarray(Math.min(from, all.length));
          for (let end = 0; end <= part.length; end++) {
            const found = part.subarray(0, end).findIndex((b) => b < 32);
            assert.equal(controlAt(viewOf(part), 0, end), found < 0 ? end : found);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('sixDigits reads six digits and nothing else', () => {
    fc.assert(
      fc.property(fc.nat(999_999), fc.nat(6), fc.integer({ min: 0, max: 255 }), (n, at, other) => {
        const bytes = bytesOf(`7${String(n).padStart(6, '0')}7`);
        assert.equal(sixDigits(bytes, 1), n);
        if (at === 6 || isDigit(other)) return;
        bytes[1 + at] = other;
        assert.equal(sixDigits(bytes, 1), -1);
        assert.equal(sixDigits(bytes, 5), -1);
      }),
    );
  });

  it('sameAt compares all bytes and no others', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 14 }), fc.nat(5), fc.nat(13), (wanted, at, changed) => {
        const words = Int32Array.from([7, ...wordsOf(wanted, 0, wanted.length)]);
        const bytes = Uint8Array.from([...new Uint8Array(at).fill(9), ...wanted, 9, 9]);
        const is = (): boolean => sameAt(viewOf(bytes), at, wanted.length, words, 1);
        assert.equal(is(), true);
        bytes[at + wanted.length] = 8;
        assert.equal(is(), true);
        if (changed >= wanted.length) return;
        bytes[at + changed]! ^= 0x80;
        assert.equal(is(), false);
      }),
    );
  });

  it('digits are what they are in ASCII', () => {
    for (let byte = 0; byte < 256; byte++) {
      const char = byte < 128 ? String.fromCharCode(byte) : '';
      assert.equal(isDigit(byte), /^[0-9]$/.test(char));
      assert.equal(hexDigit(byte), /^[0-9a-fA-F]$/.test(char) ? Number.parseInt(char, 16) : -1);
    }
    assert.equal(isDigit(undefined), false);
    assert.equal(hexDigit(undefined), -1);
  });
});
