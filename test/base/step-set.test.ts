import assert from 'node:assert/strict';
import fc from 'fast-check';
import { StepSet } from '../../src/base/step-set.ts';

/** Rising steps, some close together and some far apart: words, counts and gaps without any. */
const anySteps = fc
  .array(fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 5000 })), { maxLength: 200 })
  .chain((gaps) => fc.integer({ min: 0, max: 70 }).map((first) => ({ gaps, first })))
  .map(({ gaps, first }) => {
    const steps: number[] = [];
    let step = first;
    for (const gap of gaps) {
      steps.push(step);
      step += gap;
    }
    return steps;
  });

const setOf = (steps: readonly number[]): StepSet => {
  const set = new StepSet();
  for (const step of steps) set.add(step);
  return set;
};

describe('sets of steps', () => {
  it('answer as a sorted array does', () => {
    fc.assert(
      fc.property(anySteps, fc.array(fc.integer({ min: -3, max: 400_000 }), { maxLength: 20 }), (steps, others) => {
        const set = setOf(steps);
        assert.equal(set.size, steps.length);
        assert.deepEqual(
          steps.map((_, i) => set.at(i)),
          steps,
        );
        assert.equal(set.at(-1), -1);
        assert.equal(set.at(steps.length), -1);
        for (const step of [...others, ...steps.flatMap((s) => [s - 1, s, s + 1])]) {
          assert.equal(set.has(step), steps.includes(step), `has ${step}`);
          assert.equal(set.rank(step), steps.filter((s) => s < step).length, `rank ${step}`);
          assert.equal(set.from(step), steps.find((s) => s >= step) ?? -1, `from ${step}`);
          assert.equal(set.below(step), steps.findLast((s) => s < step) ?? -1, `below ${step}`);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('give those nearest to a step', () => {
    fc.assert(
      fc.property(anySteps, fc.integer({ min: -5, max: 30_000 }), fc.nat(30), (steps, at, most) => {
        const near = setOf(steps).nearest(at, most);
        assert.equal(near.length, Math.min(most, steps.length));
        assert.deepEqual(near, steps.slice(steps.indexOf(near[0]!), steps.indexOf(near[0]!) + near.length));
        const farthest = Math.max(0, ...near.map((step) => Math.abs(step - at)));
        const others = steps.filter((step) => !near.includes(step));
        if (near.length > 0) for (const other of others) assert.ok(Math.abs(other - at) >= farthest, `${other}`);
      }),
    );
  });

  it('grow in rising order only', () => {
    const set = setOf([5, 9]);
    for (const step of [9, 8, -1]) assert.throws(() => set.add(step), RangeError);
    assert.equal(set.size, 2);
  });

  it('hold ten million steps in little room, and find each at once', () => {
    const set = new StepSet();
    for (let step = 0; step < 10_000_000; step += 3) set.add(step);
    assert.equal(set.size, 3_333_334);
    for (const index of [0, 1, 1_000_003, 3_333_333]) {
      assert.equal(set.at(index), index * 3);
      assert.equal(set.rank(index * 3), index);
      assert.equal(set.has(index * 3 + 1), false);
    }
  });
});
