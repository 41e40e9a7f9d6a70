import type { Step } from '../../base/ids.ts';
import { lowerBound } from '../../base/search.ts';
import type { Slices } from '../../base/slices.ts';

/** Events of two traces that stand for each other, in the order of both: `a[i]` of trace A is `b[i]` of trace B. */
export interface Anchors {
  readonly a: Int32Array;
  readonly b: Int32Array;
}

/** Events that are looked at between two slices. */
const SLICE = 1 << 16;

/**
 * The most pairs of events that have the same order in both traces: where two pairs cross, at most one of them is an anchor. `pairs`:
 * the step of A with which each step of B was compared, -1 for none. The work is that of the longest ascending subsequence
 * (C. Schensted, Longest increasing and decreasing subsequences, 1961): n log n.
 */
export function* anchoring(pairs: ArrayLike<number>): Slices<Anchors> {
  const { length } = pairs;
  /** The least last step of A of a run of i + 1 anchors so far, the step of B there, and for each step of B the one before it in its run. */
  const ends = new Int32Array(length);
  const last = new Int32Array(length);
  const before = new Int32Array(length);
  let most = 0;
  for (let b: Step = 0; b < length; b++) {
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

/** What an event that was not compared tells: equal for events of both traces that tell the same of the same thing; below 0 for events that were. */
export type KeyOf = (step: Step) => number;

/**
 * Adds to anchors the events between two of them that were not compared, and that both traces tell there: the first of a kind and thing stands for the
 * first, the second for the second, as far as that keeps the order of both traces.
 */
export function* filling(
  anchors: Anchors,
  [lengthA, lengthB]: readonly [a: number, b: number],
  keyOfA: KeyOf,
  keyOfB: KeyOf,
): Slices<Anchors> {
  const a = new Int32Array(Math.min(lengthA, lengthB));
  const b = new Int32Array(a.length);
  const count = anchors.a.length;
  let [length, startA, startB, done] = [0, 0, 0, 0];
  for (let anchor = 0; anchor <= count; anchor++) {
    const [endA, endB] = anchor < count ? [anchors.a[anchor]!, anchors.b[anchor]!] : [lengthA, lengthB];
    if (endA > startA && endB > startB) {
      const pairs = yield* pairsBetween([startA, endA], [startB, endB], keyOfA, keyOfB);
      const inside = yield* anchoring(pairs);
      for (const [i, step] of inside.a.entries()) {
        a[length] = step;
        b[length++] = startB + inside.b[i]!;
      }
    }
    done += endA - startA + endB - startB + 1;
    if (done >= SLICE) {
      done = 0;
      yield;
    }
    if (anchor === count) break;
    a[length] = endA;
    b[length++] = endB;
    [startA, startB] = [endA + 1, endB + 1];
  }
  return { a: a.slice(0, length), b: b.slice(0, length) };
}

/** For each step of a stretch of B the step of a stretch of A that tells the same for the same time, -1 for none. */
function* pairsBetween(
  [startA, endA]: readonly [number, number],
  [startB, endB]: readonly [number, number],
  keyOfA: KeyOf,
  keyOfB: KeyOf,
): Slices<Int32Array> {
  const steps = new Map<number, { readonly of: Step[]; next: number }>();
  for (let step = startA; step < endA; step++) {
    if ((step - startA) % SLICE === SLICE - 1) yield;
    const key = keyOfA(step);
    if (key < 0) continue;
    const known = steps.get(key);
    if (known) known.of.push(step);
    else steps.set(key, { of: [step], next: 0 });
  }
  const pairs = new Int32Array(endB - startB).fill(-1);
  for (let step = startB; step < endB; step++) {
    if ((step - startB) % SLICE === SLICE - 1) yield;
    const key = keyOfB(step);
    const known = key < 0 ? undefined : steps.get(key);
    if (known && known.next < known.of.length) pairs[step - startB] = known.of[known.next++]!;
  }
  return pairs;
}

/** The anchors of a trace and itself, as far as both of its parts reach: the first `length` events. */
export function anchorsOfItself(length: number): Anchors {
  const steps = Int32Array.from({ length }, (_, step) => step);
  return { a: steps, b: steps };
}
