/**
 * The fate of an interrupt cause. `inFlight`: its message is on the way; `pending`: a masked vector keeps it, or the counter of an eventfd that
 * nobody reads; `merged`: it was combined with a cause that was already waiting; `delivered`: a CPU (or virtual CPU) took it; `withdrawn`:
 * software served it without an interrupt; `dropped`: it ended and an event says why; `untold`: its fate is not known, because the state that
 * decides it is not known.
 */
export type Outcome = 'inFlight' | 'pending' | 'merged' | 'delivered' | 'withdrawn' | 'dropped' | 'untold';

/** The place of a cause that has not ended. */
interface OpenCause {
  readonly born: number;
  /** A processor took it before. */
  readonly again: boolean;
  outcome: 'inFlight' | 'pending';
}

/** The cause in whose handler a processor is, and when it arose; cause 0: in none. */
interface Handled {
  cause: number;
  born: number;
  latency: number;
}

/** The books of all interrupt causes: each has a number from 1 and one outcome at a time. Ended causes are only counted. */
export class Ledger {
  readonly #open = new OpenCauses();
  readonly #ended: Record<Exclude<Outcome, 'inFlight' | 'pending'>, number> = {
    merged: 0,
    delivered: 0,
    withdrawn: 0,
    dropped: 0,
    untold: 0,
  };
  readonly #latencies = new Times();
  /** The same up to the first processor that took the cause, which may only pass it on. */
  readonly #first = new Times();
  /** What each processor handles, by the key of the processor. */
  readonly #handled = new Map<number, Handled>();
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
    let handled = this.#handled.get(processor);
    if (handled === undefined) this.#handled.set(processor, (handled = { cause: 0, born: 0, latency: 0 }));
    const open = this.#open.get(cause);
    handled.cause = 0;
    if (open !== undefined) {
      handled.cause = cause;
      handled.born = open.born;
      handled.latency = Math.round(time - open.born);
    }
    this.note(cause, 'delivered', time);
  }

  /** The handler on a processor ended. */
  leave(processor: number): void {
    const handled = this.#handled.get(processor);
    if (handled !== undefined) handled.cause = 0;
  }

  /** The handler at work on a processor does not serve its cause: that is on its way again. Its number, 0 where none is known. */
  takeBack(processor: number): number {
    const handled = this.#handled.get(processor);
    if (handled === undefined || handled.cause === 0) return 0;
    const { cause, born, latency } = handled;
    handled.cause = 0;
    this.#ended.delivered--;
    this.#latencies.count(latency, -1);
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
      this.#latencies.count(latency, 1);
      if (!open.again) this.#first.count(latency, 1);
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
    return this.#latencies.quantile(p);
  }

  /** The same, from raise to the first processor that took the cause: the host's, where its handler passed it on. */
  firstLatency(p: number): number {
    return this.#first.quantile(p);
  }
}

/** Places of the latest causes. */
const RECENT = 4096;

/**
 * The causes that have not ended, by their numbers. Most end soon after they arose, so the latest stand in a ring; one that the ring
 * comes back to is kept in a map.
 */
class OpenCauses {
  readonly #numbers = new Float64Array(RECENT);
  readonly #recent: (OpenCause | undefined)[] = new Array<OpenCause | undefined>(RECENT).fill(undefined);
  readonly #old = new Map<number, OpenCause>();

  get(cause: number): OpenCause | undefined {
    const at = cause & (RECENT - 1);
    if (this.#numbers[at] === cause) return this.#recent[at];
    return this.#old.size === 0 ? undefined : this.#old.get(cause);
  }

  set(cause: number, open: OpenCause): void {
    const at = cause & (RECENT - 1);
    const before = this.#recent[at];
    if (before !== undefined && this.#numbers[at] !== cause) this.#old.set(this.#numbers[at]!, before);
    this.#old.delete(cause);
    this.#numbers[at] = cause;
    this.#recent[at] = open;
  }

  delete(cause: number): void {
    const at = cause & (RECENT - 1);
    if (this.#numbers[at] === cause) this.#recent[at] = undefined;
    else this.#old.delete(cause);
  }

  *values(): Generator<OpenCause> {
    for (const open of this.#recent) if (open !== undefined) yield open;
    yield* this.#old.values();
  }
}

/** Times that are counted in an array: all below 16 µs, in ns. */
const SHORT = 1 << 14;

/** How often each time (whole ns) came. */
class Times {
  readonly #short = new Float64Array(SHORT);
  readonly #long = new Map<number, number>();

  count(time: number, more: number): void {
    if (time >= 0 && time < SHORT) {
      this.#short[time]! += more;
      return;
    }
    const now = (this.#long.get(time) ?? 0) + more;
    if (now === 0) this.#long.delete(time);
    else this.#long.set(time, now);
  }

  /** The time that the fraction `p` of all does not exceed; NaN: there is none. */
  quantile(p: number): number {
    const sorted = [...this.#long];
    for (const [time, n] of this.#short.entries()) if (n > 0) sorted.push([time, n]);
    sorted.sort((a, b) => a[0] - b[0]);
    let rest = Math.ceil(p * sorted.reduce((sum, [, n]) => sum + n, 0));
    for (const [time, n] of sorted) {
      rest -= n;
      if (rest <= 0) return time;
    }
    return sorted.at(-1)?.[0] ?? Number.NaN;
  }
}
