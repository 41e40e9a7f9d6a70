/**
 * The fate of an interrupt cause. `flying`: its message is on the way; `pending`: a masked vector keeps it; `merged`:
 * it was combined with a cause that was already waiting; `delivered`: a CPU (or virtual CPU) took it; `withdrawn`:
 * software served it without an interrupt; `dropped`: it ended and an event says why; `untold`: its fate is not known, because the state that decides it is not known.
 */
export type Fate = 'flying' | 'pending' | 'merged' | 'delivered' | 'withdrawn' | 'dropped' | 'untold';

/** The place of a cause that has not ended. */
interface Open {
  readonly born: number;
  fate: 'flying' | 'pending';
}

/** Keeps account of all interrupt causes: each has a number from 1 and one fate at a time. Ended causes are only counted. */
export class Ledger {
  readonly #open = new Map<number, Open>();
  readonly #ended: Record<Exclude<Fate, 'flying' | 'pending'>, number> = {
    merged: 0,
    delivered: 0,
    withdrawn: 0,
    dropped: 0,
    untold: 0,
  };
  readonly #latencies = new Map<number, number>();
  #causes = 0;
  /** Causes that were ended more than once: a fault of the simulator, checked by its tests. */
  readonly twice: number[] = [];

  /** How many causes there were. */
  get causes(): number {
    return this.#causes;
  }

  /** A new cause, raised at a time (ns); returns its number. */
  open(time: number): number {
    this.#open.set(++this.#causes, { born: time, fate: 'flying' });
    return this.#causes;
  }

  /** Records the fate of a cause at a time (ns). Cause 0 (a message without a cause) is ignored. */
  note(cause: number, fate: Fate, time: number): void {
    if (cause === 0) return;
    const open = this.#open.get(cause);
    if (open === undefined) {
      this.twice.push(cause);
      return;
    }
    if (fate === 'flying' || fate === 'pending') {
      open.fate = fate;
      return;
    }
    this.#open.delete(cause);
    this.#ended[fate]++;
    if (fate === 'delivered') {
      const latency = Math.round(time - open.born);
      this.#latencies.set(latency, (this.#latencies.get(latency) ?? 0) + 1);
    }
  }

  /** The place of a cause that has not ended; undefined when it has ended. */
  standing(cause: number): 'flying' | 'pending' | undefined {
    return this.#open.get(cause)?.fate;
  }

  /** How many causes have each fate. */
  tally(): Record<Fate, number> {
    const sums = { flying: 0, pending: 0, ...this.#ended };
    for (const { fate } of this.#open.values()) sums[fate]++;
    return sums;
  }

  /** Latency (ns, from raise to delivery) that the fraction `p` (0 to 1) of the delivered causes does not exceed; NaN: none. */
  latency(p: number): number {
    const sorted = [...this.#latencies].sort((a, b) => a[0] - b[0]);
    let rest = Math.ceil(p * this.#ended.delivered);
    for (const [latency, count] of sorted) {
      rest -= count;
      if (rest <= 0) return latency;
    }
    return sorted.at(-1)?.[0] ?? Number.NaN;
  }
}
