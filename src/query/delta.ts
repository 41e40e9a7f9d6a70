import type { Step } from '../base/ids.ts';
import type { Trace } from '../trace/trace.ts';

/** A number without trailing zeros. */
const short = (value: number, digits: number): string => String(Number(value.toFixed(digits)));

/** The time from the event before an event to it, such as `+8 µs`; the empty text when either has no stamp. */
export function deltaText(trace: Trace, step: Step): string {
  const { table, time } = trace;
  const units = step > 0 ? table.time(step) - table.time(step - 1) : Number.NaN;
  if (Number.isNaN(units)) return '';
  const sign = units < 0 ? '-' : '+';
  const size = Math.abs(units);
  if (time.ticks) return `${sign}${size} ticks`;
  if (size >= 1e9) return `${sign}${short(size / 1e9, 6)} s`;
  if (size >= 1e6) return `${sign}${short(size / 1e6, 3)} ms`;
  if (size >= 1e3 || time.digits <= 6) return `${sign}${short(size / 1e3, 3)} µs`;
  return `${sign}${size} ns`;
}
