import assert from 'node:assert/strict';
import fc from 'fast-check';
import { firstNear, firstWhere, lastAtMost, lowerBound } from '../../src/base/search.ts';

const sorted = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 30 }).map((list) => list.sort((a, b) => a - b));
const value = fc.integer({ min: -1, max: 21 });

describe('searches in ascending numbers', () => {
  it('agree with looking at every number', () => {
    fc.assert(
      fc.property(sorted, value, fc.nat(30), fc.nat(30), (list, wanted, a, b) => {
        const from = Math.min(a, b, list.length);
        const to = Math.min(Math.max(a, b), list.length);
        let first = from;
        while (first < to && list[first]! < wanted) first++;
        let last = to - 1;
        while (last >= from && list[last]! > wanted) last--;
        assert.equal(lowerBound(list, wanted, from, to), first);
        assert.equal(
          firstWhere(from, to, (i) => list[i]! >= wanted),
          first,
        );
        assert.equal(
          firstNear(from, to, (i) => list[i]! >= wanted),
          first,
        );
        assert.equal(lastAtMost(list, wanted, from, to), last);
      }),
    );
  });

  it('take the whole list where nothing else is said', () => {
    const list = Uint32Array.of(2, 4, 4, 0xffffffff);
    assert.equal(lowerBound(list, 4), 1);
    assert.equal(lastAtMost(list, 4), 2);
    assert.equal(lowerBound(list, 0xffffffff), 3);
    assert.equal(lastAtMost(list, 1), -1);
  });

  it('looks only near the place where it starts, if the answer is there', () => {
    let looks = 0;
    const holds = (i: number): boolean => ++looks > 0 && i >= 3;
    assert.equal(firstNear(0, 1_000_000, holds), 3);
    assert.ok(looks < 8, `${looks} looks`);
  });
});
