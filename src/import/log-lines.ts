import type { TraceBuilder } from '../trace/builder.ts';

/** Lines that are kept: clocks do not need more. */
const MOST_LINES = 16_384;
/** Characters of a line that are compared. */
const MOST_CHARACTERS = 160;

/** Keeps a line of the kernel's log, at the time of the builder: another source that shows it tells how the two clocks differ. `plain`: without stamp and level. */
export function keepLogLine({ source, time }: TraceBuilder, plain: string): void {
  const text = plain.slice(0, MOST_CHARACTERS).trimEnd();
  const lines = (source.logLines ??= []);
  if (text !== '' && !Number.isNaN(time) && lines.length < MOST_LINES)
    lines.push({ text, time, row: source.events.length - 1 });
}
