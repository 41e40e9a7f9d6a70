import type { Step } from '../base/ids.ts';
import type { Scene } from './rule.ts';

/** Nanoseconds that a second one may be late: work that waits for a thread of the kernel. */
const LATE = 1e6;

/**
 * Pairs of events of which the second follows the first at once, such as a message and the local APIC that accepts it. That a
 * second one is missing counts only where the recorder writes such records at all: a pair was whole before, and an event of the
 * second kind came again later. Captures that were cut down with a filter have stretches without any.
 */
export class Pairs<T extends { readonly time: number }> {
  readonly #report: (open: T, step: Step) => void;
  readonly #complete: boolean;
  #whole = 0;
  /** Firsts without a second that wait for proof. */
  #doubtful: T[] = [];

  constructor(scene: Scene, report: (open: T, step: Step) => void) {
    this.#complete = scene.complete;
    this.#report = report;
  }

  /** A pair is whole. */
  close(): void {
    this.#whole++;
  }

  /** The second of a pair is missing at `step`; in a capture it proves nothing where the first has no time. */
  miss(first: T, step: Step): void {
    if (this.#complete) this.#report(first, step);
    else if (this.#whole > 0 && !Number.isNaN(first.time)) this.#doubtful.push(first);
  }

  /** The trace has an event of the second kind at `time` (NaN unknown, which proves nothing): what is missing long before did not happen. */
  proved(step: Step, time: number): void {
    while (this.#doubtful.length > 0 && time - this.#doubtful[0]!.time >= LATE)
      this.#report(this.#doubtful.shift()!, step);
  }

  /** Drops what waits for proof, or that of it which `explained` tells: another event explains it, or the trace lost events. */
  excuse(explained: (first: T) => boolean = () => true): void {
    this.#doubtful = this.#doubtful.filter((first) => !explained(first));
  }
}
