import { f64Column } from '../../base/columns.ts';

/** The middle, the 99th percentile and the largest of some durations, in nanoseconds; null without any. */
export interface Spread {
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** What a duration was measured with: the digits of its clock, and by how many nanoseconds the clocks at both ends may differ. */
export interface Measured {
  readonly digits: number;
  readonly apart: number;
}

/** Durations in nanoseconds. */
export class Samples {
  readonly #all = f64Column();
  /** Fraction digits of the coarsest clock that one of them was measured on. */
  digits = 9;
  /** Nanoseconds by which the two clocks of one of them may differ, at most. */
  apart = 0;

  /** How many there are. */
  get length(): number {
    return this.#all.length;
  }

  /** Adds one; what is no duration (a stamp is missing, or the stamps run backwards) is left out. */
  add(duration: number, clock?: Measured): void {
    if (!(duration >= 0)) return;
    this.#all.push(duration);
    if (clock === undefined) return;
    this.digits = Math.min(this.digits, clock.digits);
    this.apart = Math.max(this.apart, clock.apart);
  }

  /** Percentiles by nearest rank: the smallest sample that at least so many percent of all do not exceed. */
  spread(): Spread {
    const { length } = this;
    if (length === 0) return { p50: null, p99: null, max: null };
    const sorted = Float64Array.from({ length }, (_, i) => this.#all.get(i)).sort();
    const rank = (percent: number): number => sorted[Math.ceil((length * percent) / 100) - 1]!;
    return { p50: rank(50), p99: rank(99), max: rank(100) };
  }
}
