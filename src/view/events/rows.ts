import type { Step } from '../../base/ids.ts';
import { durationText, timeText } from '../../base/time.ts';
import { argumentsText, viewEvent } from '../../query/events.ts';
import type { Search } from '../../query/filter/search.ts';
import { spanOf } from '../../query/info.ts';
import type { Trace } from '../../trace/trace.ts';

/** An event as a row of the list of events. */
export interface ListRow {
  readonly step: Step;
  /** Decimal seconds (or ticks) with all digits of the source; empty when the source has no stamps. */
  readonly time: string;
  /** Time since the event before, as `dt` in filters; empty when it is not known. */
  readonly dt: string;
  /** Time since the row above; empty in the first row, and when it is not known. */
  readonly gap: string;
  /** CPU that the record names; empty when it names none. */
  readonly cpu: string;
  readonly kind: string;
  readonly object: string;
  /** The arguments. */
  readonly text: string;
}

/** The time from one event to another, in words; empty when it is not known. */
function since(trace: Trace, from: Step, to: Step): string {
  const { table } = trace;
  const span = from < 0 ? Number.NaN : table.time(to) - table.time(from);
  if (Number.isNaN(span)) return '';
  const time = trace.between(from, to);
  return time.ticks ? String(span) : durationText(span, time.digits);
}

/** The row of an event; `above`: the event of the row above, -1 for none. */
export function listRow(trace: Trace, step: Step, above: Step): ListRow {
  const view = viewEvent(trace, step);
  return {
    step,
    time: view.time ?? '',
    dt: since(trace, step - 1, step),
    gap: since(trace, above, step),
    cpu: view.cpu === null ? '' : String(view.cpu),
    kind: view.kind,
    object: view.object,
    text: argumentsText(view),
  };
}

/** The longest text that the time of an event may have: the first and the last time of the trace, for the last event may have none. */
export function widestTime(trace: Trace): string {
  const { start, end } = spanOf(trace);
  const [first, last] = [start, end].map((time) => timeText(time, trace.time) ?? '') as [string, string];
  return first.length > last.length ? first : last;
}

/** The events that a list shows: all of a trace, or those that a search found. */
export class ListedEvents {
  readonly #trace: Trace;
  readonly #search: Search | undefined;

  constructor(trace: Trace, search: Search | undefined) {
    this.#trace = trace;
    this.#search = search;
  }

  /** How many rows there are. */
  get length(): number {
    return this.#search ? this.#search.hits.size : this.#trace.length;
  }

  /** The event of a row; -1 when there is no such row. */
  stepAt(row: number): Step {
    if (this.#search) return this.#search.hits.at(row);
    return row >= 0 && row < this.#trace.length ? row : -1;
  }

  /** The first row whose event is not before a step, and whether it is that event. */
  rowOf(step: Step): { readonly row: number; readonly exact: boolean } {
    const row = this.#search ? this.#search.hits.rank(step) : Math.max(0, step);
    return { row, exact: step >= 0 && this.stepAt(row) === step };
  }

  /** Some rows, from one on; fewer where there are fewer. */
  rows(from: number, count: number): ListRow[] {
    const rows: ListRow[] = [];
    let above = this.stepAt(from - 1);
    for (let row = Math.max(0, from); row < Math.min(from + count, this.length); row++) {
      const step = this.stepAt(row);
      rows.push(listRow(this.#trace, step, above));
      above = step;
    }
    return rows;
  }
}

const HEADINGS: ListRow & Readonly<Record<keyof ListRow, unknown>> = {
  ...{ step: Number.NaN, time: 'time', dt: 'dt', gap: 'since row above', cpu: 'cpu', kind: 'event', object: 'object' },
  text: 'arguments',
};

/** Rows as lines of text with aligned columns, below a line of headings. `gaps`: with the time since the row above. */
export function rowsText(rows: readonly ListRow[], gaps: boolean): string {
  const cells = ({ step, time, dt, gap, cpu, kind, object, text }: ListRow): string[] => [
    Number.isNaN(step) ? 'step' : String(step),
    ...[time, dt, ...(gaps ? [gap] : []), cpu, kind, object, text],
  ];
  const table = [HEADINGS, ...rows].map(cells);
  const widths = table[0]!.map((_, i) => table.reduce((most, row) => Math.max(most, row[i]!.length), 0));
  const numbers = gaps ? 5 : 4;
  return table
    .map((row) =>
      row
        .map((cell, i) => (i < numbers ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
