import type { SourceId, Step } from '../../base/ids.ts';
import type { Trace } from '../../trace/trace.ts';
import { type EventOrder, orderOf } from '../order.ts';
import type { Measured } from './samples.ts';

/** The clocks of the events that durations are measured between. */
export class Clocks {
  readonly #trace: Trace;
  readonly #order: EventOrder | undefined;
  /** Sources whose events began something that a handler ends. */
  readonly #began = new Set<SourceId>();
  #source: SourceId = 0;
  #own: Measured;
  #since: Measured;

  constructor(trace: Trace) {
    this.#trace = trace;
    this.#order = orderOf(trace);
    this.#own = this.#of([], 0);
    this.#since = this.#own;
  }

  /** The event at hand. */
  at(step: Step): void {
    if (this.#order === undefined) return;
    const source = this.#trace.sourceOf(step);
    if (source === this.#source) return;
    this.#source = source;
    this.#own = this.#of([], source);
    this.#since = this.#of(this.#began, source);
  }

  /** The event at hand begins what an event of another source may end: a cause, or its acceptance. */
  begins(): void {
    if (this.#order === undefined || this.#began.has(this.#source)) return;
    this.#began.add(this.#source);
    this.#since = this.#of(this.#began, this.#source);
  }

  /** What a duration is measured with that began in the source of the event at hand. */
  get own(): Measured {
    return this.#own;
  }

  /** What one is measured with that may have begun in any source which began some: the coarsest of them. */
  get since(): Measured {
    return this.#since;
  }

  #of(others: Iterable<SourceId>, source: SourceId): Measured {
    const { sources } = this.#trace;
    let { digits } = sources[source]!.time;
    let apart = 0;
    for (const other of others) {
      digits = Math.min(digits, sources[other]!.time.digits);
      apart = Math.max(apart, this.#order?.uncertainty(source, other) ?? 0);
    }
    return { digits, apart };
  }
}
