import type { TraceBuilder } from '../trace/builder.ts';

/** Lines that are kept: clocks do not need more. */
const MOST_LINES = 16_384;
/** Characters of a line that are compared. */
const MOST_CHARACTERS = 160;

/** Whether further lines are kept. */
export const keepsLogLines = ({ source }: TraceBuilder): boolean => (source.logLines?.length ?? 0) < MOST_LINES;

/**
 * Keeps a line of the kernel's log, at the time of the builder: another source that shows it tells how the two clocks differ. `plain`: without stamp and
 * level. Gives what to call when the line was taken.
 */
export function keepLogLine({ source, time }: TraceBuilder, plain: string): () => void {
  const text = plain.slice(0, MOST_CHARACTERS).trimEnd();
  const lines = (source.logLines ??= []);
  if (text === '' || Number.isNaN(time) || lines.length >= MOST_LINES) return () => {};
  const { events } = source;
  const line = { text, time, row: events.length - 1, events: 0 };
  lines.push(line);
  return () => {
    line.events = events.length - 1 - line.row;
  };
}
