/**
 * The fate of an interrupt cause. `inFlight`: its message is on the way; `pending`: a masked vector keeps it; `merged`:
 * it was combined with a cause that was already waiting; `delivered`: a CPU (or virtual CPU) took it; `withdrawn`:
 * software served it without an interrupt; `dropped`: it ended and an event says why; `untold`: its fate is not known, because the state that decides it is not known.
 */
export type Outcome = 'inFlight' | 'pending' | 'merged' | 'delivered' | 'withdrawn' | 'dropped' | 'untold';

/** The place of a cause that has not ended. */
interface OpenCause {
  readonly born: number;
  /** A processor took it before. */
  readonly again: boolean;
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
  /** The same up to the first processor that took the cause, which may only pass it on. */
  readonly #first = new Map<number, number>();
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
    const before = this.#open.get(from);
    if (before !== undefined) {
      this.#open.delete(from);
      this.#passed++;
    }
    const { born, again } = before ?? { born: time, again: false };
    this.#open.set(++this.#numbers, { born, again, outcome: 'inFlight' });
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
    count(this.#latencies, latency, -1);
    this.#open.set(cause, { born, again: true, outcome: 'inFlight' });
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
      count(this.#latencies, latency, 1);
      if (!open.again) count(this.#first, latency, 1);
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

  /** Latency (ns, from raise to the handler that served it) that the fraction `p` (0 to 1) of the delivered causes does not exceed; NaN: none. */
  latency(p: number): number {
    return quantile(this.#latencies, p);
  }

  /** The same, from raise to the first processor that took the cause: the host's, where its handler passed it on. */
  firstLatency(p: number): number {
    return quantile(this.#first, p);
  }
}

/** Adds to how often a time came. */
function count(times: Map<number, number>, time: number, more: number): void {
  const now = (times.get(time) ?? 0) + more;
  if (now === 0) times.delete(time);
  else times.set(time, now);
}

/** The time that the fraction `p` of all does not exceed; NaN: there is none. */
function quantile(times: ReadonlyMap<number, number>, p: number): number {
  const sorted = [...times].sort((a, b) => a[0] - b[0]);
  let rest = Math.ceil(p * sorted.reduce((sum, [, n]) => sum + n, 0));
  for (const [time, n] of sorted) {
    rest -= n;
    if (rest <= 0) return time;
  }
  return sorted.at(-1)?.[0] ?? Number.NaN;
}
