import type { Step } from '../../base/ids.ts';
import { lowerBound } from '../../base/search.ts';
import type { Slices } from '../../base/slices.ts';
import type { Anchors } from '../../query/diff/anchors.ts';
import type { Axis } from './axis.ts';

/** The places of one trace on the axis that it shares with another one. */
export class OrderAxis implements Axis {
  readonly kind = 'order';
  readonly #places: Uint32Array;

  /** `places`: the place of each event, ascending. */
  constructor(places: Uint32Array) {
    this.#places = places;
  }

  get length(): number {
    return this.#places.length;
  }

  /** Events behind the last one that has a place have that of the last one. */
  x(step: Step): number {
    return this.#places[Math.min(step, this.#places.length - 1)] ?? 0;
  }

  stepAt(x: number): number {
    return lowerBound(this.#places, x);
  }
}

/** Two traces on one axis. */
export interface Alignment {
  readonly a: OrderAxis;
  readonly b: OrderAxis;
  /** Places of the axis, from 0. */
  readonly length: number;
}

/** Events that get a place between two slices. */
const SLICE = 1 << 16;

/**
 * Puts the events of two traces on one axis, in slices. Anchors share a place; no other two events do. The events between two anchors
 * keep the order of their trace; those of both traces are spread evenly over the places there.
 */
export function* aligning(lengthA: number, lengthB: number, anchors: Anchors): Slices<Alignment> {
  const a = new Uint32Array(lengthA);
  const b = new Uint32Array(lengthB);
  const count = anchors.a.length;
  let [i, j, place, paused] = [0, 0, 0, SLICE];
  for (let anchor = 0; anchor <= count; anchor++) {
    const [endA, endB] = anchor < count ? [anchors.a[anchor]!, anchors.b[anchor]!] : [lengthA, lengthB];
    const [startA, startB, m, n] = [i, j, endA - i, endB - j];
    while (i < endA || j < endB) {
      // The event that stands farther to the left in its stretch comes first; A does where both stand at the same share.
      const first = j >= endB || (i < endA && (2 * (i - startA) + 1) * n <= (2 * (j - startB) + 1) * m);
      if (first) a[i++] = place++;
      else b[j++] = place++;
      if (place >= paused) {
        paused += SLICE;
        yield;
      }
    }
    if (anchor === count) break;
    a[i++] = place;
    b[j++] = place++;
    if (place >= paused) {
      paused += SLICE;
      yield;
    }
  }
  return { a: new OrderAxis(a), b: new OrderAxis(b), length: place };
}
