import type { Step } from '../../base/ids.ts';
import { firstWhere } from '../../base/search.ts';
import type { Trace } from '../../trace/trace.ts';
import { f64List, type List } from './list.ts';
import type { AxisKind } from './values.ts';

/** Places of events on a horizontal axis; never descending from step to step. */
export interface Axis {
  readonly kind: AxisKind;
  /** Steps that have a place. */
  readonly length: number;
  /** Place of an event: stored time units (see TimeBase) or its step. */
  x(step: Step): number;
  /** The first step whose place is at `x` or later; `length` when there is none. */
  stepAt(x: number): number;
}

/** Steps as axis, or the places of two traces that are compared. */
export class StepAxis implements Axis {
  readonly kind: 'step' | 'order';
  length = 0;

  constructor(kind: 'step' | 'order' = 'step') {
    this.kind = kind;
  }

  x(step: Step): number {
    return step;
  }

  stepAt(x: number): number {
    return Math.min(this.length, Math.max(0, Math.ceil(x)));
  }
}

/** Largest share of events whose stamp may be before that of an earlier event. With more, the stamps are not of one clock. */
const MOST_LATE = 0.02;

/**
 * Time as axis. Stamps of real traces have gaps and go back now and then (records of several CPUs, texts without a
 * stamp): such an event has the place of the latest event before it, so that order never contradicts the axis.
 */
export class TimeAxis implements Axis {
  readonly kind = 'time';
  readonly #trace: Trace;
  /** Places that differ from the stamps, from the first event whose stamp cannot be used. */
  #own: List<Float64Array> | undefined;
  #length = 0;
  #latest = Number.NaN;
  #stamped = 0;
  #late = 0;

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  get length(): number {
    return this.#length;
  }

  /** Whether the stamps order the events: there are stamps, and few events have an earlier stamp than an event before them. */
  get usable(): boolean {
    return this.#stamped > 0 && this.#late <= this.#length * MOST_LATE;
  }

  /** Takes the next event of the trace. */
  push(): void {
    const time = this.#trace.table.time(this.#length);
    const known = !Number.isNaN(time);
    if (known) this.#stamped++;
    if (known && time < this.#latest) this.#late++;
    const fits = known && !(time < this.#latest);
    if (!fits && this.#own === undefined) this.#copy();
    if (fits && this.#stamped === 1 && this.#own) this.#own.data.fill(time, 0, this.#length);
    if (fits) this.#latest = time;
    this.#own?.push(this.#latest);
    this.#length++;
  }

  x(step: Step): number {
    return this.#own ? this.#own.at(step) : this.#trace.table.time(step);
  }

  stepAt(x: number): number {
    return firstWhere(0, this.#length, (step) => this.x(step) >= x);
  }

  #copy(): void {
    const own = f64List();
    for (let step = 0; step < this.#length; step++) own.push(this.#trace.table.time(step));
    this.#own = own;
  }
}
