// The events of two traces that stand for each other in the order of both.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { whole } from '../../../src/base/slices.ts';
import { anchoring, anchorsOfItself, filling } from '../../../src/query/diff/anchors.ts';

/** The length of the longest ascending subsequence, in the plainest way. */
function longest(values: readonly number[]): number {
  const best: number[] = [];
  for (const [i, value] of values.entries())
    best.push(1 + Math.max(0, ...best.filter((_, j) => j < i && values[j]! < value)));
  return Math.max(0, ...best);
}

describe('anchors', () => {
  it('are pairs, ascend in both traces, and are as many as can be', () => {
    // Steps of A, each for at most one step of B, some steps of B without a partner.
    const pairs = fc
      .shuffledSubarray(
        Array.from({ length: 40 }, (_, i) => i),
        { minLength: 0 },
      )
      .chain((steps) => fc.tuple(fc.constant(steps), fc.array(fc.boolean(), { minLength: 60, maxLength: 60 })))
      .map(([steps, gaps]) => {
        const rest = [...steps];
        return gaps.map((gap) => (gap ? -1 : (rest.shift() ?? -1)));
      });
    fc.assert(
      fc.property(pairs, (of) => {
        const { a, b } = whole(anchoring(of));
        assert.deepEqual(
          [...a],
          [...b].map((step) => of[step]),
        );
        for (let i = 1; i < a.length; i++) assert.ok(a[i - 1]! < a[i]! && b[i - 1]! < b[i]!);
        assert.equal(a.length, longest(of.filter((step) => step >= 0)));
      }),
    );
  });

  it('leave out the one of two pairs that cross', () => {
    const { a, b } = whole(anchoring([0, 3, 1, 2, -1, 4]));
    assert.deepEqual(
      [[...a], [...b]],
      [
        [0, 1, 2, 4],
        [0, 2, 3, 5],
      ],
    );
  });

  it('of a trace and itself are all events of the shorter part', () => {
    const { a, b } = anchorsOfItself(3);
    assert.deepEqual(
      [[...a], [...b]],
      [
        [0, 1, 2],
        [0, 1, 2],
      ],
    );
    assert.equal(whole(anchoring([])).a.length, 0);
  });

  it('are filled with what both traces tell between two of them, in the order of both', () => {
    // Letters are events that were not compared, capitals those that were.
    const [a, b] = ['xyAxxzByz', 'yxAxzxBByzy'];
    const anchors = { a: Int32Array.of(2, 6), b: Int32Array.of(2, 6) };
    const key =
      (text: string) =>
      (step: number): number =>
        /[a-z]/.test(text[step]!) ? text.charCodeAt(step) : -1;
    const filled = whole(filling(anchors, [a.length, b.length], key(a), key(b)));
    const found = [...filled.a].map((step, i) => `${a[step]}${step} ${b[filled.b[i]!]}${filled.b[i]}`);
    // Before A, x and y cross: one of them. Between A and B: the second x of A stands behind the z of B.
    assert.deepEqual(found.slice(1), ['A2 A2', 'x3 x3', 'x4 x5', 'B6 B6', 'y7 y8', 'z8 z9']);
    assert.ok(['x0 x1', 'y1 y0'].includes(found[0]!));
  });

  it('of a million events are found in slices', () => {
    // Every thousandth pair crosses all others.
    const pairs = Int32Array.from({ length: 1_000_000 }, (_, i) => (i % 1000 === 999 ? 1_000_000 - i : i + 1_000_000));
    const work = anchoring(pairs);
    let slices = 1;
    let next = work.next();
    for (; !next.done; next = work.next()) slices++;
    assert.equal(next.value.a.length, 999_000);
    assert.ok(slices > 10);
  });
});
