import type { Step } from '../../base/ids.ts';
import { lowerBound } from '../../base/search.ts';
import type { Slices } from '../../base/slices.ts';

/** Elements of two sequences that stand for each other, in the order of both: `a[i]` of the first is `b[i]` of the second. */
export interface Anchors {
  readonly a: Int32Array;
  readonly b: Int32Array;
}

/** Elements that are looked at between two slices. */
const SLICE = 1 << 15;

/**
 * The most pairs of elements that have the same order in both sequences: where two pairs cross, at most one of them is an anchor. `pairs`:
 * for each element of the second sequence that of the first, -1 for none. The work is that of the longest ascending subsequence
 * (C. Schensted, Longest increasing and decreasing subsequences, 1961): n log n.
 */
export function* anchoring(pairs: ArrayLike<number>): Slices<Anchors> {
  const { length } = pairs;
  /** The least last element of the first sequence in a run of i + 1 anchors, and its partner; for each partner the one before it in its run. */
  const ends = new Int32Array(length);
  const last = new Int32Array(length);
  const before = new Int32Array(length);
  let most = 0;
  for (let b = 0; b < length; b++) {
    const a = pairs[b]!;
    if (a >= 0) {
      const at = most === 0 || ends[most - 1]! < a ? most : lowerBound(ends, a, 0, most);
      ends[at] = a;
      last[at] = b;
      before[b] = at === 0 ? -1 : last[at - 1]!;
      if (at === most) most++;
    }
    if (b % SLICE === SLICE - 1) yield;
  }
  const anchors = { a: new Int32Array(most), b: new Int32Array(most) };
  let b = most === 0 ? -1 : last[most - 1]!;
  for (let i = most - 1; i >= 0; i--) {
    anchors.a[i] = pairs[b]!;
    anchors.b[i] = b;
    b = before[b]!;
  }
  return anchors;
}

/** What is known of the events of two traces. */
export interface Pairing {
  /** The event of A with which an event of B was compared; -1 for none. */
  readonly pairOf: (b: Step) => Step;
  /** What an event tells that was not compared: equal for those that tell the same; below 0 for events that were. */
  readonly keyOfA: (a: Step) => number;
  readonly keyOfB: (b: Step) => number;
}

/**
 * Says of the events of one lane of B which events of A they stand for: those with which they were compared, as far as that keeps their order; between
 * two of these, what was not compared and both lanes tell, the first of a kind for the first. `stepsA`: the events of the lane of A for the same thing.
 */
export function* standing(
  stepsA: Int32Array,
  stepsB: Int32Array,
  { pairOf, keyOfA, keyOfB }: Pairing,
  put: (a: Step, b: Step) => void,
): Slices<void> {
  const anchors = yield* anchoring(stepsB.map(pairOf));
  const count = anchors.a.length;
  let [startA, startB] = [0, 0];
  for (let i = 0; i <= count; i++) {
    const endA = i < count ? lowerBound(stepsA, anchors.a[i]!, startA) : stepsA.length;
    const endB = i < count ? anchors.b[i]! : stepsB.length;
    if (endA > startA && endB > startB) {
      const [mine, theirs] = [stepsA.subarray(startA, endA), stepsB.subarray(startB, endB)];
      const inside = yield* anchoring(pairsByKey(mine.map(keyOfA), theirs.map(keyOfB)));
      for (const [k, at] of inside.a.entries()) put(mine[at]!, theirs[inside.b[k]!]!);
      if (endA - startA + endB - startB > SLICE) yield;
    }
    if (i === count) break;
    put(anchors.a[i]!, stepsB[endB]!);
    startA = stepsA[endA] === anchors.a[i] ? endA + 1 : endA;
    startB = endB + 1;
  }
}

/** For each element of the second list the place of the one of the first with the same key, the n-th for the n-th; -1 for none, and for keys below 0. */
function pairsByKey(a: Int32Array, b: Int32Array): Int32Array {
  const places = new Map<number, { readonly all: number[]; next: number }>();
  for (const [i, key] of a.entries()) {
    if (key < 0) continue;
    const known = places.get(key);
    if (known) known.all.push(i);
    else places.set(key, { all: [i], next: 0 });
  }
  return b.map((key) => {
    const known = key < 0 ? undefined : places.get(key);
    return known?.all[known.next++] ?? -1;
  });
}
