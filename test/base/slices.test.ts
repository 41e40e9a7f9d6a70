// Work in slices: the same result, with pauses.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { eachOf, mapOf, sortedOf, whole } from '../../src/base/slices.ts';

/** How often a work pauses. */
function pauses(work: Generator<void, unknown>): number {
  let n = 0;
  while (!work.next().done) n++;
  return n;
}

describe('slices', () => {
  it('sort as a stable sort does', () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.nat()), { maxLength: 1500 });
    const compare = (a: readonly [number, number], b: readonly [number, number]): number => a[0] - b[0];
    fc.assert(
      fc.property(pairs, (list) => {
        const before = [...list];
        assert.deepEqual(whole(sortedOf(list, compare)), list.toSorted(compare));
        assert.deepEqual(list, before, 'the list stays as it was');
      }),
      { numRuns: 50 },
    );
    assert.deepEqual(whole(sortedOf([], compare)), []);
  });

  it('go over every element in order, and pause often enough', () => {
    const list = Array.from({ length: 1000 }, (_, i) => i * 2);
    const seen: number[][] = [];
    whole(eachOf(list, (each, i) => seen.push([each, i])));
    assert.deepEqual(
      seen,
      list.map((each, i) => [each, i]),
    );
    assert.deepEqual(
      whole(mapOf(list, (each, i) => each + i)),
      list.map((each, i) => each + i),
    );
    assert.ok(pauses(mapOf(list, String)) >= 3);
    assert.ok(pauses(sortedOf(list, (a, b) => b - a)) >= 6);
  });
});
