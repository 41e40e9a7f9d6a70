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

/** The anchors of a trace and itself, as far as both of its parts reach: the first `length` events. */
export function anchorsOfItself(length: number): Anchors {
  const steps = Int32Array.from({ length }, (_, step) => step);
  return { a: steps, b: steps };
}
