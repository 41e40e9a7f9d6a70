import { exactTime } from '../../../base/time.ts';
import { type EventView, viewEvent } from '../../../query/events.ts';
import type { Trace } from '../../../trace/trace.ts';
import { int, rising, type Table, text, time } from '../parquet.ts';

/** An event with the name of its trace. */
interface EventRow {
  readonly trace: string;
  readonly event: EventView;
  /** Nanoseconds, or ticks. */
  readonly time: bigint | null;
}

/** The events of a trace: the columns of the table of comma-separated values; `time` is a number of nanoseconds. */
export const eventTable: Table<EventRow> = {
  name: 'events',
  columns: [
    text('trace', ({ trace }) => trace),
    rising('step', ({ event }) => event.step),
    time('time', (row) => row.time),
    int('cpu', ({ event }) => event.cpu),
    text('kind', ({ event }) => event.kind),
    text('object', ({ event }) => event.object),
    text('fields', ({ event }) => JSON.stringify(event.fields)),
    text('file', ({ event }) => event.source.file),
    rising('line', ({ event }) => event.source.line),
  ],
};

export function* eventRows(trace: Trace, name: string): Generator<EventRow> {
  for (let step = 0; step < trace.length; step++)
    yield { trace: name, event: viewEvent(trace, step), time: exactTime(trace.table.time(step), trace.time) };
}
