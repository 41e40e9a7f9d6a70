import { viewEvent } from '../../query/events.ts';
import type { Trace } from '../../trace/trace.ts';

/** The columns of a table of events; `trace` is the name of the trace, `fields` the arguments as JSON. */
export const EVENT_COLUMNS = ['trace', 'step', 'time', 'cpu', 'kind', 'object', 'fields', 'file', 'line'] as const;

/** A field of a line (RFC 4180): quoted where a comma, a quote or a line end stands in it. */
function cell(value: string | number | null): string {
  if (value === null) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The events of a trace as a table of comma-separated values; times are decimal seconds. */
export function* csv(trace: Trace): Generator<string> {
  yield `${EVENT_COLUMNS.join(',')}\r\n`;
  const name = trace.first.file;
  for (let step = 0; step < trace.length; step++) {
    const { time, cpu, kind, object, fields, source } = viewEvent(trace, step);
    const cells = [name, step, time, cpu, kind, object, JSON.stringify(fields), source.file, source.line];
    yield `${cells.map(cell).join(',')}\r\n`;
  }
}
