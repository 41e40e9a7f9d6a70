// The events of two traces that stand for each other in the order of both.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { whole } from '../../../src/base/slices.ts';
import { anchoring, standing } from '../../../src/query/diff/anchors.ts';

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

describe('events of a lane that stand for each other', () => {
  /** Capitals are events that were compared with those of the same letter and number, small letters were not compared. */
  function stand(a: string, b: string): string[] {
    const mark = (text: string): Int32Array => Int32Array.from(text, (_, i) => 10 + 3 * i);
    const [stepsA, stepsB] = [mark(a), mark(b)];
    const nth = (text: string, at: number): number => [...text.slice(0, at)].filter((c) => c === text[at]).length;
    const placeOf = (step: number): number => (step - 10) / 3;
    const isCompared = (letter: string): boolean => /[A-Z]/.test(letter);
    const key = (text: string) => (step: number) =>
      isCompared(text[placeOf(step)]!) ? -1 : text.charCodeAt(placeOf(step));
    const pairOf = (step: number): number => {
      const at = placeOf(step);
      const same = [...a].findIndex((c, i) => c === b[at] && isCompared(c) && nth(a, i) === nth(b, at));
      return same < 0 ? -1 : stepsA[same]!;
    };
    const found: string[] = [];
    const pairing = { pairOf, keyOfA: key(a), keyOfB: key(b) };
    whole(
      standing(stepsA, stepsB, pairing, (x, y) =>
        found.push(`${a[placeOf(x)]}${placeOf(x)} ${b[placeOf(y)]}${placeOf(y)}`),
      ),
    );
    return found;
  }

  it('are those that were compared, and between two of them what both lanes tell', () => {
    assert.deepEqual(stand('xAyyBz', 'AyByzC'), ['A1 A0', 'y2 y1', 'B4 B2', 'z5 z4']);
    assert.deepEqual(stand('AxxzByz', 'AxzxBByzy'), ['A0 A0', 'x1 x1', 'x2 x3', 'B4 B4', 'y5 y6', 'z6 z7']);
    assert.deepEqual(stand('', 'Ab'), []);
    assert.deepEqual(stand('ab', ''), []);
  });

  it('keep the order of both lanes: of compared pairs that cross as many as can be', () => {
    assert.deepEqual(stand('ABC', 'CAB'), ['A0 A1', 'B1 B2']);
  });
});
