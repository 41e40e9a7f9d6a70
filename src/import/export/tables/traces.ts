import { exactTime } from '../../../base/time.ts';
import { spanOf, type TraceInfo, traceInfo } from '../../../query/info.ts';
import type { Trace } from '../../../trace/trace.ts';
import { int, long, type Table, text } from '../parquet.ts';

/** What is known of a capture beside its events; null what nobody tells. */
export interface CaptureFacts {
  readonly host: string | null;
  /** Release of the kernel that recorded, such as `6.12.9`. */
  readonly kernel: string | null;
  /** Day of the recording, UTC: `2026-11-23`. */
  readonly date: string | null;
}

interface Row extends CaptureFacts {
  readonly name: string;
  readonly trace: Trace;
  readonly info: TraceInfo;
  readonly span: { readonly start: number; readonly end: number };
}

/** One row for each trace: what `irqscope info` tells, and where it was recorded. */
export const traceTable: Table<Row> = {
  name: 'traces',
  columns: [
    text('trace', ({ name }) => name),
    text('host', ({ host }) => host),
    text('kernel', ({ kernel }) => kernel),
    text('week', ({ date }) => (date === null ? null : weekOf(date))),
    text('format', ({ info }) => info.format),
    text('clock', ({ info }) => info.clock),
    text('timeUnit', ({ trace }) => unitOf(trace)),
    long('startTime', ({ trace, span }) => exactTime(span.start, trace.time)),
    long('endTime', ({ trace, span }) => exactTime(span.end, trace.time)),
    int('cpus', ({ info }) => info.cpus),
    long('records', ({ info }) => info.records),
    long('understood', ({ info }) => info.understood),
    long('events', ({ trace }) => trace.length),
    long('lost', ({ info }) => info.lost),
    long('gaps', ({ info }) => info.gaps),
    text('problem', ({ info }) => info.problem),
  ],
};

/** What the times of a trace count. */
export const unitOf = ({ time: { ticks } }: Trace): 'ns' | 'ticks' => (ticks ? 'ticks' : 'ns');

export function* traceRows(trace: Trace, name: string, facts: CaptureFacts): Generator<Row> {
  yield { ...facts, name, trace, info: traceInfo(trace), span: spanOf(trace) };
}

const DAY = 86_400_000;

/** The week of a day as ISO 8601 counts: the week of a year is that of its Thursday, `2026-W48`. */
export function weekOf(date: string): string {
  const day = new Date(`${date}T00:00:00Z`);
  const thursday = new Date(day.getTime() + (4 - (day.getUTCDay() || 7)) * DAY);
  const first = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const week = Math.floor((thursday.getTime() - first) / DAY / 7) + 1;
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, '0')}`;
}
