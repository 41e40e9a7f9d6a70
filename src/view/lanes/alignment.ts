import type { Step } from '../../base/ids.ts';
import type { Slices } from '../../base/slices.ts';

/** The events of two traces on one axis: for each event its place, from 0. */
export interface Alignment {
  readonly a: Uint32Array;
  readonly b: Uint32Array;
  /** Places of the axis. */
  readonly length: number;
}

/** What the places of trace B follow from. */
export interface Standing {
  /** The event of A that each event of B stands for, -1 for none. Within a lane they ascend. */
  readonly partners: Int32Array;
  /** Number of the lane that each event of B is in, from 0. */
  readonly laneOf: Int32Array;
}

/** Events that are looked at between two slices. */
const SLICE = 1 << 16;

/**
 * Puts the events of two traces on one axis, in slices. The axis has the order of A. An event of B that stands for one of A has the place of that one; the others have
 * places of their own, as near as the order of their lane allows to what happened before them in B. So each lane of B has its own order, and
 * lanes of B among each other have that of A.
 */
export function* aligning(lengthA: number, { partners, laneOf }: Standing): Slices<Alignment> {
  const lengthB = partners.length;
  const behind = yield* behindWhat(lengthA, partners, laneOf);
  // How many events of B have a place before that of each event of A.
  const before = new Uint32Array(lengthA + 1);
  for (let b = 0; b < lengthB; b++) {
    if (partners[b]! < 0) before[behind[b]! + 1]!++;
    if (b % SLICE === SLICE - 1) yield;
  }
  const a = new Uint32Array(lengthA);
  let sum = 0;
  for (let step = 0; step <= lengthA; step++) {
    sum += before[step]!;
    if (step < lengthA) a[step] = step + sum;
    if (step % SLICE === SLICE - 1) yield;
  }
  // The next free place behind each event of A; those before the first one count from 0.
  const next = new Uint32Array(lengthA + 1);
  for (let step = 0; step < lengthA; step++) next[step + 1] = a[step]! + 1;
  const b = new Uint32Array(lengthB);
  for (let step = 0; step < lengthB; step++) {
    const partner = partners[step]!;
    b[step] = partner >= 0 ? a[partner]! : next[behind[step]! + 1]!++;
    if (step % SLICE === SLICE - 1) yield;
  }
  return { a, b, length: lengthA + sum };
}

/** For each event of B that stands for none of A the event of A behind which it is put, -1 for before the first one. */
function* behindWhat(lengthA: number, partners: Int32Array, laneOf: Int32Array): Slices<Int32Array> {
  const { length } = partners;
  const behind = new Int32Array(length);
  /** For each lane the event of A behind which its last event is. */
  const last: Step[] = [];
  let here = -1;
  for (let b = 0; b < length; b++) {
    const lane = laneOf[b]!;
    if (partners[b]! >= 0) here = last[lane] = partners[b]!;
    else behind[b] = last[lane] = Math.max(here, last[lane] ?? -1);
    if (b % SLICE === SLICE - 1) yield;
  }
  // Not behind the next event of the lane.
  const next: Step[] = [];
  for (let b = length - 1; b >= 0; b--) {
    const lane = laneOf[b]!;
    if (partners[b]! >= 0) next[lane] = partners[b]!;
    else behind[b] = Math.min(behind[b]!, (next[lane] ?? lengthA) - 1);
    if (b % SLICE === 0) yield;
  }
  return behind;
}

/** A trace and itself, as far as two of its steps: every event stands for itself. */
export function aligningParts(lengthA: number, lengthB: number): Alignment {
  const places = (length: number): Uint32Array => {
    const own = new Uint32Array(length);
    for (let step = 0; step < length; step++) own[step] = step;
    return own;
  };
  return { a: places(lengthA), b: places(lengthB), length: Math.max(lengthA, lengthB) };
}
