// The events of two traces on one axis.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { whole } from '../../src/base/slices.ts';
import { aligning } from '../../src/view/lanes/alignment.ts';

const ascends = (places: readonly number[]): boolean => places.every((place, i) => i === 0 || places[i - 1]! < place);

describe('two traces on one axis', () => {
  it('share the places of events that stand for each other and no others, and leave no place empty', () => {
    const LANES = 3;
    // Lanes of the events of B, and for each event of A the lane that it may stand for, or none.
    const events = fc.tuple(fc.array(fc.nat(LANES - 1), { maxLength: 40 }), fc.array(fc.nat(LANES), { maxLength: 40 }));
    fc.assert(
      fc.property(events, ([laneOf, wanted]) => {
        // In each lane the events of B stand for those of A in their order, as far as there are any.
        const partners = new Int32Array(laneOf.length).fill(-1);
        for (let lane = 0; lane < LANES; lane++) {
          const theirs = laneOf.flatMap((of, b) => (of === lane ? [b] : []));
          const mine = wanted.flatMap((of, a) => (of === lane ? [a] : []));
          for (const [i, b] of theirs.entries()) if (i < mine.length && i % 3 !== 2) partners[b] = mine[i]!;
        }
        const { a, b, length } = whole(aligning(wanted.length, { partners, laneOf: Int32Array.from(laneOf) }));
        const [x, y] = [[...a], [...b]];
        assert.ok(ascends(x));
        for (let lane = 0; lane < LANES; lane++) assert.ok(ascends(y.filter((_, i) => laneOf[i] === lane)));
        for (const [i, place] of y.entries())
          assert.equal(x.indexOf(place), partners[i]!, `event ${i} of B: ${place} in ${x}`);
        const alone = partners.filter((partner) => partner < 0).length;
        assert.equal(length, wanted.length + alone);
        assert.deepEqual(
          [...new Set([...x, ...y])].sort((p, q) => p - q),
          Array.from({ length }, (_, i) => i),
        );
      }),
    );
  });

  it('put what only B has behind what happened before it in B, as far as its lane allows', () => {
    const laneOf = Int32Array.of(0, 1, 0, 1, 0, 0);
    // Event 3 stands for the first event of A, so that its lane sets event 1 before that one.
    const partners = Int32Array.of(2, -1, -1, 0, 3, -1);
    const { a, b, length } = whole(aligning(5, { partners, laneOf }));
    assert.equal(length, 8);
    //     B1 A0 A1 A2 B2 A3 B5 A4
    assert.deepEqual([...a], [1, 2, 3, 5, 7]);
    assert.deepEqual([...b], [3, 0, 4, 1, 5, 6]);
  });

  it('of a million events each are aligned in slices', () => {
    const count = 1_000_000;
    const partners = Int32Array.from({ length: count }, (_, step) => (step % 2 === 0 ? step : -1));
    const work = aligning(count, { partners, laneOf: new Int32Array(count) });
    let slices = 1;
    let next = work.next();
    for (; !next.done; next = work.next()) slices++;
    assert.equal(next.value.length, 1_500_000);
    assert.ok(slices > 10);
  });
});
