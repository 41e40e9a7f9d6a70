import type { Step } from '../base/ids.ts';
import { durationText, spanText, type TimeBase } from '../base/time.ts';
import type { Trace } from '../trace/trace.ts';
import { type EventOrder, orderOf } from './order.ts';

/**
 * Writes times between events as people read them. Each has the digits of the clock that it was measured on; between events of two sources those
 * of the coarser clock, and by how much the two clocks may differ: `45.6 ms ± 120 µs`.
 */
export class Spans {
  readonly #trace: Trace;
  readonly #order: EventOrder | undefined;

  constructor(trace: Trace, order: EventOrder | undefined = orderOf(trace)) {
    this.#trace = trace;
    this.#order = order;
  }

  /** A time in nanoseconds (or ticks) that lies between two events. */
  text(nanoseconds: number, from: Step, to: Step): string {
    const clock = this.#trace.between(from, to);
    const text = spanText(nanoseconds, clock);
    if (clock.ticks || this.#order === undefined) return text;
    const apart = this.#order.uncertainty(this.#trace.sourceOf(from), this.#trace.sourceOf(to));
    return apart > 0 ? `${text} ± ${durationText(apart, clock.digits)}` : text;
  }
}

/** The clock for a time that was measured somewhere in a trace, where its events are not known: no finer than the coarsest one of the sources. */
export function coarsest(trace: Trace): TimeBase {
  const digits = trace.sources.filter(({ start }) => !Number.isNaN(start)).map(({ time }) => time.digits);
  return { ...trace.time, digits: Math.min(trace.time.digits, ...digits) };
}
