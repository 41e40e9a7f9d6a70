import { textOf } from '../base/bytes.ts';
import type { Step } from '../base/ids.ts';
import type { TimeBase } from '../base/time.ts';
import { other } from '../model/events/notes.ts';
import { LineWriter, quoted } from './line-writer.ts';
import { type EventRow, eventRow } from './row.ts';
import type { Trace } from './trace.ts';

/** First word of the first line of a trace file; the number after it is the version of the format. */
export const MAGIC = '#irqtrace';

/** Version of the format that is written. */
export const VERSION = 1;

/** Header lines after the first two, each `name value` without its `#`. Names may repeat. */
export type Header = readonly string[];

/** Approximate size in bytes of a chunk of a written trace. */
const CHUNK = 1 << 18;

/** One event as a line, without its line feed. */
export function eventLine(trace: Trace, step: Step): string {
  const writer = new LineWriter(trace.world, trace.time, 256);
  writeEvent(writer, trace, step);
  return textOf(writer.take()).slice(0, -1);
}

const row: EventRow = eventRow(other);

function writeEvent(writer: LineWriter, trace: Trace, step: Step): void {
  writer.event(trace.table.read(step, row));
}

/** Writes the head of a trace file: its format, its clock, and the header lines given. */
export function writeHead(writer: LineWriter, time: TimeBase, clock: string, header: Header): void {
  writer.line(`${MAGIC} ${VERSION}`);
  writer.line(`#clock ${time.ticks ? 'ticks' : 'seconds'} digits=${time.digits} ${quoted(clock)}`);
  for (const line of header) writer.line(`#${line}`);
}

/** A trace as the bytes of an `.irqtrace` file, in chunks that end with a line; at most the first `most` events. */
export function* irqtraceBytes(
  trace: Trace,
  header: Header = [],
  most = Number.POSITIVE_INFINITY,
): Generator<Uint8Array> {
  const writer = new LineWriter(trace.world, trace.time);
  writeHead(writer, trace.time, trace.first.clock, header);
  for (let step = 0; step < trace.length && step < most; step++) {
    writeEvent(writer, trace, step);
    if (writer.length >= CHUNK) yield writer.take().slice();
  }
  yield writer.take().slice();
}
