/**
 * The fate of an interrupt cause. `inFlight`: its message is on the way; `pending`: a masked vector keeps it; `merged`:
 * it was combined with a cause that was already waiting; `delivered`: a CPU (or virtual CPU) took it; `withdrawn`:
 * software served it without an interrupt; `dropped`: it ended and an event says why; `untold`: its fate is not known, because the state that decides it is not known.
 */
export type Outcome = 'inFlight' | 'pending' | 'merged' | 'delivered' | 'withdrawn' | 'dropped' | 'untold';

/** The place of a cause that has not ended. */
interface OpenCause {
  readonly born: number;
  outcome: 'inFlight' | 'pending';
}

/** The books of all interrupt causes: each has a number from 1 and one outcome at a time. Ended causes are only counted. */
export class Ledger {
  readonly #open = new Map<number, OpenCause>();
  readonly #ended: Record<Exclude<Outcome, 'inFlight' | 'pending'>, number> = {
    merged: 0,
    delivered: 0,
    withdrawn: 0,
    dropped: 0,
    untold: 0,
  };
  readonly #latencies = new Map<number, number>();
  /** The cause in whose handler each processor is, and when it arose; by the key of the processor. */
  readonly #handled = new Map<number, { readonly cause: number; readonly born: number; readonly latency: number }>();
  #numbers = 0;
  /** Numbers of causes that go on under another one. */
  #passed = 0;
  /** Causes that were ended more than once: a fault of the simulator, checked by its tests. */
  readonly twice: number[] = [];

  /** How many causes there were. One that is passed on under another number is one cause. */
  get causes(): number {
    return this.#numbers - this.#passed;
  }

  /** A new cause, raised at a time (ns); returns its number. `from`: a cause that goes on under the new number, 0 none. */
  open(time: number, from = 0): number {
    const born = this.#open.get(from)?.born;
    if (born !== undefined) {
      this.#open.delete(from);
      this.#passed++;
    }
    this.#open.set(++this.#numbers, { born: born ?? time, outcome: 'inFlight' });
    return this.#numbers;
  }

  /**
   * A processor, by any key that tells it from others, takes the interrupt of a cause and begins its handler. It counts as delivered, as long as
   * the handler does not pass it on.
   */
  take(cause: number, time: number, processor: number): void {
    this.#handled.delete(processor);
    const born = this.#open.get(cause)?.born;
    this.note(cause, 'delivered', time);
    if (born !== undefined) this.#handled.set(processor, { cause, born, latency: Math.round(time - born) });
  }

  /** The handler on a processor ended. */
  leave(processor: number): void {
    this.#handled.delete(processor);
  }

  /** The handler at work on a processor does not serve its cause: that is on its way again. Its number, 0 where none is known. */
  takeBack(processor: number): number {
    const handled = this.#handled.get(processor);
    if (handled === undefined) return 0;
    const { cause, born, latency } = handled;
    this.#handled.delete(processor);
    this.#ended.delivered--;
    const times = this.#latencies.get(latency)! - 1;
    if (times === 0) this.#latencies.delete(latency);
    else this.#latencies.set(latency, times);
    this.#open.set(cause, { born, outcome: 'inFlight' });
    return cause;
  }

  /** Records the fate of a cause at a time (ns). Cause 0 (a message without a cause) is ignored. */
  note(cause: number, outcome: Outcome, time: number): void {
    if (cause === 0) return;
    const open = this.#open.get(cause);
    if (open === undefined) {
      this.twice.push(cause);
      return;
    }
    if (outcome === 'inFlight' || outcome === 'pending') {
      open.outcome = outcome;
      return;
    }
    this.#open.delete(cause);
    this.#ended[outcome]++;
    if (outcome === 'delivered') {
      const latency = Math.round(time - open.born);
      this.#latencies.set(latency, (this.#latencies.get(latency) ?? 0) + 1);
    }
  }

  /** The place of a cause that has not ended; undefined when it has ended. */
  standing(cause: number): 'inFlight' | 'pending' | undefined {
    return this.#open.get(cause)?.outcome;
  }

  /** How many causes have each outcome. */
  tally(): Record<Outcome, number> {
    const sums = { inFlight: 0, pending: 0, ...this.#ended };
    for (const { outcome } of this.#open.values()) sums[outcome]++;
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
