// Two traces on one axis.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { whole } from '../../src/base/slices.ts';
import { aligning } from '../../src/view/lanes/alignment.ts';

const places = (axis: { readonly length: number; x(step: number): number }): number[] =>
  Array.from({ length: axis.length }, (_, step) => axis.x(step));

describe('two traces on one axis', () => {
  it('share the places of anchors and no others, keep their order, and leave no place empty', () => {
    fc.assert(
      fc.property(fc.nat(30), fc.nat(30), fc.infiniteStream(fc.nat(2)), (m, n, stream) => {
        const pick = (length: number): number[] =>
          Array.from({ length }, (_, i) => i).filter(() => (stream.next().value as number) === 0);
        const [a, b] = [pick(m), pick(n)];
        const count = Math.min(a.length, b.length);
        const anchors = { a: Int32Array.from(a.slice(0, count)), b: Int32Array.from(b.slice(0, count)) };
        const aligned = whole(aligning(m, n, anchors));
        const [x, y] = [places(aligned.a), places(aligned.b)];
        for (const side of [x, y]) assert.ok(side.every((place, i) => i === 0 || side[i - 1]! < place));
        const shared = x.flatMap((place, i) => (y.includes(place) ? [[i, y.indexOf(place)]] : []));
        assert.deepEqual(
          shared,
          [...anchors.a].map((step, i) => [step, anchors.b[i]!]),
        );
        assert.equal(aligned.length, m + n - count);
        assert.deepEqual(
          [...new Set([...x, ...y])].sort((p, q) => p - q),
          Array.from({ length: aligned.length }, (_, i) => i),
        );
      }),
    );
  });

  it('spread what lies between two anchors evenly', () => {
    const anchors = { a: Int32Array.of(0, 5), b: Int32Array.of(0, 3) };
    const { a, b } = whole(aligning(6, 4, anchors));
    // Four events of A stand in the middles of quarters, two of B in those of halves: A B A A B A.
    assert.deepEqual(places(a), [0, 1, 3, 4, 6, 7]);
    assert.deepEqual(places(b), [0, 2, 5, 7]);
  });

  it('lead from a place to the first event there or behind it', () => {
    const { a } = whole(aligning(3, 4, { a: Int32Array.of(2), b: Int32Array.of(3) }));
    for (let place = -1; place < 8; place++) {
      const expected = places(a).findIndex((x) => x >= place);
      assert.equal(a.stepAt(place), expected < 0 ? 3 : expected);
    }
    assert.equal(a.x(99), a.x(2), 'an event behind the last one that has a place');
  });

  it('of a million events each are aligned in slices', () => {
    const count = 1_000_000;
    const even = Int32Array.from({ length: count / 2 }, (_, i) => 2 * i);
    const work = aligning(count, count, { a: even, b: even });
    let slices = 1;
    let next = work.next();
    for (; !next.done; next = work.next()) slices++;
    assert.equal(next.value.length, 1_500_000);
    assert.ok(slices > 10);
  });
});
