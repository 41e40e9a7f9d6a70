// The alignment against the edit distance that the textbook table gives.
import assert from 'node:assert/strict';
import { align, type Sequence } from '../../../src/query/diff/align.ts';

/** A generator of whole numbers below `n`, the same for the same seed. */
function randomOf(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

/** Elements as `form:value`, such as `w:1`; an upper-case form marks a phase. */
const sequence = (elements: readonly string[]): Sequence => ({
  tokens: elements.map((e) => [...e].reduce((sum, c) => sum * 256 + c.charCodeAt(0), 0)),
  forms: elements.map((e) => e.charCodeAt(0)),
  anchors: elements.map((e) => (/^[A-Z]/.test(e) ? 1 : 0)),
});

/** Fewest elements that stand alone or changed, by the table of Wagner and Fischer. */
function distance(a: readonly string[], b: readonly string[]): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const [x, y] = [a[i - 1]!, b[j - 1]!];
      const change = x === y ? 0 : x[0] === y[0] ? 1 : 2;
      row.push(Math.min(above[j - 1]! + change, above[j]! + 1, row[j - 1]! + 1));
    }
    above = row;
  }
  return above[b.length]!;
}

/** What an alignment costs; fails the test when it is none. */
function costOf(a: readonly string[], b: readonly string[], pairs: Int32Array): number {
  let last = -1;
  let cost = b.length;
  assert.equal(pairs.length, a.length);
  for (const [i, j] of pairs.entries()) {
    if (j < 0) cost++;
    else {
      assert.ok(j > last && j < b.length, `pair ${i}, ${j} after ${last}`);
      assert.equal(a[i]![0], b[j]![0]);
      if (a[i] === b[j]) cost--;
      last = j;
    }
  }
  return cost;
}

describe('alignment of two sequences', () => {
  it('has the fewest differences', () => {
    const random = randomOf(7);
    for (let round = 0; round < 400; round++) {
      const element = (): string => `${'abC'[random(3)]}:${random(3)}`;
      const a = Array.from({ length: random(40) }, element);
      // Half of the rounds compare unrelated sequences, half of them one with a changed copy.
      const b =
        round % 2 === 0
          ? Array.from({ length: random(40) }, element)
          : a.flatMap((e) => (random(9) === 0 ? [] : random(9) === 0 ? [element(), e] : [e]));
      assert.equal(costOf(a, b, align(sequence(a), sequence(b))), distance(a, b), `${a.join(' ')} | ${b.join(' ')}`);
    }
  });

  it('finds the one element that is missing, or changed, among many', () => {
    const a = Array.from({ length: 5000 }, (_, i) => `${'abcd'[i % 4]}:${i % 3}`);
    const without = a.toSpliced(1234, 1);
    assert.deepEqual(
      [...align(sequence(a), sequence(without)).entries()].flatMap(([i, j]) => (j < 0 ? [i] : [])),
      [1234],
    );
    const changed = a.with(1234, `${a[1234]![0]}:9`);
    assert.ok(align(sequence(a), sequence(changed)).every((j, i) => j === i));
  });

  it('takes the last of equal elements for the one too many', () => {
    const pairs = (a: string, b: string): number[] => [...align(sequence(a.split(' ')), sequence(b.split(' ')))];
    assert.deepEqual(pairs('x:1 a:0 a:0 a:0 y:0', 'x:2 a:0 a:0 y:0'), [0, 1, 2, -1, 3]);
    assert.deepEqual(pairs('x:1 a:0 a:0 y:0', 'x:2 a:0 a:0 a:0 y:0'), [0, 1, 2, 4]);
    // A cycle of two.
    assert.deepEqual(pairs('x:1 a:0 b:0 a:0 b:0 y:0', 'x:2 a:0 b:0 y:0'), [0, 1, 2, -1, -1, 3]);
  });

  it('keeps phases apart where the interrupts between them differ a lot', () => {
    const phase = (name: string, times: number): string[] => [
      `S:${name}`,
      ...Array.from({ length: times }, () => 'h:0'),
    ];
    const a = [...phase('1', 900), ...phase('2', 30), 'T:0'];
    const b = [...phase('1', 200), ...phase('2', 1300), 'T:0'];
    const pairs = align(sequence(a), sequence(b));
    const marks = (list: readonly string[]): number[] => list.flatMap((e, i) => (e.startsWith('h') ? [] : [i]));
    assert.deepEqual(
      marks(a).map((i) => pairs[i]),
      marks(b),
    );
    assert.equal(costOf(a, b, pairs), 700 + 1270);
  });

  it('takes a time in proportion to the length, however much differs', () => {
    const random = randomOf(3);
    const of = (length: number): Sequence =>
      sequence(Array.from({ length }, () => `${'abcd'[random(4)]}:${random(9)}`));
    const timed = (length: number): number => {
      const [a, b] = [of(length), of(length)];
      const from = performance.now();
      assert.ok(align(a, b).some((j) => j < 0));
      return performance.now() - from;
    };
    timed(2000);
    const [short, long] = [timed(10_000), timed(80_000)];
    // Eight times the length; a quadratic search takes 64 times as long.
    assert.ok(long < 30 * short + 200, `${short} ms, ${long} ms`);
  });
});
