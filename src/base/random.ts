import { uniformFloat32 } from 'pure-rand/distribution/uniformFloat32';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/** Random numbers from a seed: the same seed gives the same numbers on every machine. */
export class Random {
  readonly #generator: RandomGenerator;

  /** `seed`: any integer; its lower 32 bits count. */
  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed | 0);
  }

  /** An integer from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return uniformInt(this.#generator, low, high);
  }

  /** A number from 0 to 1, 1 excluded. */
  fraction(): number {
    return uniformFloat32(this.#generator);
  }

  /** Whether something of probability `p` (0 to 1) happens. */
  chance(p: number): boolean {
    return this.fraction() < p;
  }

  /** One of several values. */
  pick<T>(values: readonly T[]): T {
    return values[this.integer(0, values.length - 1)]!;
  }
}
