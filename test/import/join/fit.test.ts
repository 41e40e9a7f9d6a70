// The line between two clocks: found among wrong pairs, with the drift that was put in, and not found where nothing shows it.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Random } from '../../../src/base/random.ts';
import { fitLine, type Pairing } from '../../../src/import/join/fit.ts';

const SECOND = 1e9;

/** Instants of clock b at random times, as clock a shows them. */
function right(random: Random, count: number, offset: number, ppm: number, late: number): Pairing[] {
  return Array.from({ length: count }, () => {
    const b = Math.round(random.fraction() * 100 * SECOND);
    const a = Math.round(b * (1 + ppm / 1e6) + offset - random.fraction() * late);
    return { a, b, error: 2e6, usual: 1e5 };
  });
}

/** Pairs of instants that have nothing to do with one another. */
function wrong(random: Random, count: number): Pairing[] {
  return Array.from({ length: count }, () => ({
    a: Math.round(random.fraction() * 200 * SECOND),
    b: Math.round(random.fraction() * 100 * SECOND),
    error: 2e6,
    usual: 1e5,
  }));
}

describe('the line between two clocks', () => {
  it('is found among ten times as many wrong pairs, with its drift and within its uncertainty', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: -50, max: 50 }),
        fc.integer({ min: -1200, max: 1200 }),
        (seed, seconds, ppm) => {
          const random = new Random(seed);
          const pairs = [...right(random, 40, seconds * SECOND, ppm, 3e5), ...wrong(random, 400)];
          const line = fitLine(pairs);
          assert.ok(line, 'no line was found');
          for (const b of [0, 50 * SECOND, 100 * SECOND]) {
            const told = b + line.offset + line.rate * (b - line.origin);
            const true_ = b * (1 + ppm / 1e6) + seconds * SECOND;
            assert.ok(Math.abs(told - true_) <= line.uncertainty + 3e5, `${told - true_} ns off at ${b}`);
          }
          assert.ok(line.uncertainty < 2e6);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is not found among wrong pairs alone', () => {
    for (let seed = 1; seed <= 40; seed++)
      assert.equal(fitLine(wrong(new Random(seed), 60)), undefined, `seed ${seed}`);
  });

  it('is not told where two offsets are as good: a timer pairs with each of its periods', () => {
    const ticks = Array.from({ length: 60 }, (_, i) => i * SECOND);
    const pairs = ticks.flatMap((a) => ticks.map((b) => ({ a, b, error: 2e6, usual: 1e5 })));
    assert.equal(fitLine(pairs), undefined);
  });

  it('needs three instants', () => {
    const pairs = right(new Random(1), 2, SECOND, 0, 0);
    assert.equal(fitLine(pairs), undefined);
    // One instant that pairs with many is still one instant.
    assert.equal(
      fitLine(Array.from({ length: 9 }, (_, i) => ({ a: i * 1000, b: 0, error: 2e6, usual: 1e5 }))),
      undefined,
    );
  });
});
