import type { Step } from '../base/ids.ts';
import { spanText } from '../base/time.ts';
import type { Trace } from '../trace/trace.ts';

/** The time from the event before an event to it, such as `+8 µs`; the empty text when either has no stamp. */
export function deltaText(trace: Trace, step: Step): string {
  const { table } = trace;
  const units = step > 0 ? table.time(step) - table.time(step - 1) : Number.NaN;
  if (Number.isNaN(units)) return '';
  return `${units < 0 ? '-' : '+'}${spanText(Math.abs(units), trace.between(step - 1, step))}`;
}
