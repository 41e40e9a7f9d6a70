import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytesOf } from '../../src/base/bytes.ts';
import { hex32, hex64, hexWords, parseWords } from '../../src/base/hex.ts';
import { StringTable } from '../../src/base/strings.ts';
import { durationText, parseTime, secondsText, spanText, type TimeBase, timeText } from '../../src/base/time.ts';

describe('a string table', () => {
  it('numbers every different text once, from strings and from bytes alike', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.nat(3000).map(String)), { maxLength: 400 }),
        (texts) => {
          const table = new StringTable();
          const numbers = new Map<string, number>([['', 0]]);
          for (const [i, text] of texts.entries()) {
            const bytes = bytesOf(`#${text}#`);
            const number = i % 2 ? table.intern(text) : table.internBytes(bytes, 1, bytes.length - 1);
            if (!numbers.has(text)) numbers.set(text, numbers.size);
            assert.equal(number, numbers.get(text));
          }
          assert.equal(table.size, numbers.size);
          for (const [text, number] of numbers) assert.equal(table.text(number), text);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps tens of thousands apart', () => {
    const table = new StringTable();
    for (let i = 0; i < 40_000; i++) assert.equal(table.intern(`text ${i}`), i + 1);
    for (let i = 0; i < 40_000; i += 7) assert.equal(table.intern(`text ${i}`), i + 1);
    assert.equal(table.text(40_000), 'text 39999');
    assert.equal(table.text(40_001), '');
    assert.equal(table.size, 40_001);
  });
});

describe('hexadecimal numbers', () => {
  const u32 = fc.integer({ min: 0, max: 0xffffffff });

  it('are printed as BigInt prints them and read back', () => {
    fc.assert(
      fc.property(fc.array(u32, { minLength: 1, maxLength: 4 }), (words) => {
        const value = words.reduceRight((sum, w) => (sum << 32n) | BigInt(w), 0n);
        const text = `0x${value.toString(16)}`;
        assert.equal(hexWords(words), text);
        assert.equal(hex32(words[0]!), `0x${words[0]!.toString(16)}`);
        assert.equal(hex64(words[1] ?? 0, words[0]!), `0x${(value & 0xffffffffffffffffn).toString(16)}`);
        assert.deepEqual(parseWords(text, words.length), words);
        assert.deepEqual(parseWords(text.toUpperCase().replace('X', 'x'), words.length), words);
        assert.deepEqual(parseWords(value.toString(), words.length), words);
      }),
    );
  });

  it('texts that are no number, or too wide, are refused', () => {
    for (const text of ['', '0x', 'x1', '1x', '-1', '1.5', '0x1g', ' 1', '1_000'])
      assert.equal(parseWords(text, 2), undefined);
    assert.equal(parseWords('0x100000000', 1), undefined);
    assert.deepEqual(parseWords('0xffffffff', 1), [0xffffffff]);
  });
});

const NS = 1_000_000_000n;

describe('times', () => {
  const digits = fc.constantFrom(1, 3, 6, 9);
  const stamp = fc.record({
    base: fc.nat(2_000_000_000),
    seconds: fc.nat(9_000_000),
    fraction: fc.nat(999_999_999),
    digits,
  });

  it('have all digits of the source: text to stored form and back is the same text', () => {
    fc.assert(
      fc.property(stamp, (s) => {
        const base: TimeBase = { base: BigInt(s.base), ticks: false, digits: s.digits };
        const text = `${s.base + s.seconds}.${String(s.fraction).padStart(9, '0').slice(0, s.digits)}`;
        assert.equal(timeText(parseTime(text, base)!, base), text);
      }),
      { numRuns: 1000 },
    );
  });

  it('microseconds survive any distance from the first stamp', () => {
    fc.assert(
      fc.property(fc.nat(2_147_483_647), fc.nat(2_147_483_647), fc.nat(999_999), (first, seconds, micro) => {
        const base: TimeBase = { base: BigInt(first), ticks: false, digits: 6 };
        const text = `${seconds}.${String(micro).padStart(6, '0')}`;
        assert.equal(timeText(parseTime(text, base)!, base), text);
      }),
      { numRuns: 1000 },
    );
  });

  it('are in order as the texts are', () => {
    fc.assert(
      fc.property(stamp, stamp, (a, b) => {
        const base: TimeBase = { base: BigInt(a.base), ticks: false, digits: 9 };
        const text = (s: typeof a): string => `${a.base + s.seconds}.${String(s.fraction).padStart(9, '0')}`;
        const exact = (s: typeof a): bigint => BigInt(a.base + s.seconds) * 1_000_000_000n + BigInt(s.fraction);
        const order = exact(a) < exact(b) ? -1 : exact(a) > exact(b) ? 1 : 0;
        assert.equal(Math.sign(parseTime(text(a), base)! - parseTime(text(b), base)!), order);
      }),
    );
  });

  it('of counters are whole numbers', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.nat(1e9), (first, delta) => {
        const base: TimeBase = { base: first, ticks: true, digits: 0 };
        const text = (first + BigInt(delta)).toString();
        assert.equal(parseTime(text, base), delta);
        assert.equal(timeText(delta, base), text);
        assert.equal(parseTime(`${text}.5`, base), undefined);
      }),
    );
  });

  it('before 0 have a sign, and their digits count away from 0', () => {
    const at = (base: bigint, digits: number): TimeBase => ({ base, ticks: false, digits });
    const cases: [number, TimeBase, string][] = [
      [-10, at(0n, 9), '-0.000000010'],
      [-1, at(0n, 9), '-0.000000001'],
      [-1_000_000_000, at(0n, 9), '-1.000000000'],
      [-1_500_000_000, at(1n, 9), '-0.500000000'],
      [-999_999_999, at(1n, 9), '0.000000001'],
      [-2_000, at(0n, 6), '-0.000002'],
      [-2_500_000_000, at(0n, 3), '-2.500'],
      [-3_000_000_000, at(0n, 0), '-3'],
      [-100, at(0n, 6), '0.000000'],
      [0, at(-1n, 6), '-1.000000'],
    ];
    for (const [time, base, text] of cases) assert.equal(timeText(time, base), text);
    assert.equal(timeText(-7, { base: 0n, ticks: true, digits: 0 }), '-7');
  });

  it('on both sides of 0: text to stored form and back is the same text', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -3, max: 3 }),
        fc.bigInt({ min: -4n * NS, max: 4n * NS }),
        digits,
        (base, ns, d) => {
          const kept = ns - (ns % 10n ** BigInt(9 - d));
          const size = kept < 0n ? -kept : kept;
          const fraction = (size % NS).toString().padStart(9, '0').slice(0, d);
          const text = `${kept < 0n ? '-' : ''}${size / NS}.${fraction}`;
          const clock: TimeBase = { base: BigInt(base), ticks: false, digits: d };
          assert.equal(parseTime(text, clock), Number(kept - BigInt(base) * NS));
          assert.equal(timeText(parseTime(text, clock)!, clock), text);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('fewer digits than the source mean zeros, more than nine are no time', () => {
    const base: TimeBase = { base: 100n, ticks: false, digits: 6 };
    assert.equal(parseTime('101.5', base), 1_500_000_000);
    assert.equal(parseTime('101', base), 1_000_000_000);
    for (const text of ['', 'x', '1.', '.5', '-', '--1', '-.5', '1e3', '1.1234567890', '1,5'])
      assert.equal(parseTime(text, base), undefined);
    assert.equal(timeText(Number.NaN, base), null);
    assert.equal(timeText(-1_500_000_000, base), '98.500000', 'stamps may go back behind the first');
  });

  it('durations have the unit that reads best', () => {
    assert.deepEqual(
      [5, 87_000, 1_234_000, -2_500_000_000].map((ns) => durationText(ns)),
      ['5 ns', '87.000 µs', '1.234 ms', '-2.500 s'],
    );
  });

  it('durations are no finer than the stamps that they lie between', () => {
    const micros = [0, 3000, 87_000, 1_234_000, 2_500_000_000].map((ns) => durationText(ns, 6));
    assert.deepEqual(micros, ['0 µs', '3 µs', '87 µs', '1.234 ms', '2.500 s']);
    assert.deepEqual(
      [0, 5_000_000, 1_500_000_000].map((ns) => durationText(ns, 3)),
      ['0 ms', '5 ms', '1.500 s'],
    );
    assert.deepEqual([durationText(7e9, 0), durationText(1_230, 8), durationText(40, 8)], ['7 s', '1.23 µs', '40 ns']);
    assert.equal(spanText(3000, { base: 0n, ticks: false, digits: 6 }), '3 µs');
    assert.equal(spanText(3000, { base: 0n, ticks: true, digits: 0 }), '3,000 ticks');
  });

  it('durations in decimal seconds keep their digits', () => {
    assert.deepEqual(['0.000003', '-0.000003', '0.000000015', '1.490000', '2'].map(secondsText), [
      '3 µs',
      '-3 µs',
      '15 ns',
      '1.490 s',
      '2 s',
    ]);
  });
});
