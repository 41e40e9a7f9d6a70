import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseTime, type TimeBase, timeText } from '../../src/base/time.ts';

/** The decimal text of a whole number of units of which 10 to the power of `digits` make one. */
function decimal(units: bigint, digits: number): string {
  const sign = units < 0n ? '-' : '';
  const text = (units < 0n ? -units : units).toString().padStart(digits + 1, '0');
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

describe('time', () => {
  const digits = fc.constantFrom(0, 3, 6, 9);
  const bases = fc.bigInt({ min: -4_000_000_000n, max: 4_000_000_000n });
  /** Nanoseconds; a double holds them exactly. */
  const offsets = fc.integer({ min: -(2 ** 52), max: 2 ** 52 });

  it('is the sum of base and offset, digit by digit, before and after zero', () => {
    fc.assert(
      fc.property(digits, bases, offsets, (count, base, offset) => {
        // An offset of whole units, so that nothing is rounded.
        const unit = 10 ** (9 - count);
        const whole = Math.trunc(offset / unit) * unit;
        const units = (base * 1_000_000_000n + BigInt(whole)) / BigInt(unit);
        assert.equal(timeText(whole, { base, ticks: false, digits: count }), decimal(units, count));
      }),
      { numRuns: 2000 },
    );
  });

  it('reads back as what it was', () => {
    fc.assert(
      fc.property(bases, offsets, (base, offset) => {
        const of: TimeBase = { base, ticks: false, digits: 9 };
        assert.equal(parseTime(timeText(offset, of)!, of), offset);
      }),
    );
  });

  it('rounds away the digits that the source did not print', () => {
    const of: TimeBase = { base: 1_700_000_000n, ticks: false, digits: 6 };
    assert.equal(timeText(999_999_600, of), '1700000001.000000');
    assert.equal(timeText(-400, of), '1700000000.000000');
    assert.equal(timeText(-600, of), '1699999999.999999');
  });

  it('of a counter is the count; a time that no record tells is null', () => {
    assert.equal(timeText(-7, { base: 5n, ticks: true, digits: 0 }), '-2');
    assert.equal(timeText(Number.NaN, { base: 5n, ticks: false, digits: 9 }), null);
  });
});
