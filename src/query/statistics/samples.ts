import { f64Column } from '../../base/columns.ts';

/** The middle, the 99th percentile and the largest of some durations, in nanoseconds; null without any. */
export interface Spread {
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** Durations in nanoseconds. */
export class Samples {
  readonly #all = f64Column();

  /** How many there are. */
  get length(): number {
    return this.#all.length;
  }

  /** Adds one; what is no duration (a stamp is missing, or the stamps run backwards) is left out. */
  add(duration: number): void {
    if (duration >= 0) this.#all.push(duration);
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
