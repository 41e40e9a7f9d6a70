// Lines of a kernel's log that the trace of that kernel holds, too (printk:console). The log knows more of them: which function `nvme0` is.
import type { LogLine } from '../../trace/source.ts';
import type { Trace } from '../../trace/trace.ts';
import { withoutEvents } from '../../trace/without.ts';
import { linesOf } from './instants.ts';
import { along } from './line.ts';
import { connectionOf } from './relations.ts';
import { aboutApart } from './told.ts';

/** Nanoseconds by which a line may come later into the trace than the others of a log did: the console was busy. */
const LATE = 5e8;

/** The trace of a kernel without what the log of that kernel tells, too; undefined where they have nothing in common. */
export function withoutToldLines(log: Trace, trace: Trace): Trace | undefined {
  const told = (log.first.logLines ?? []).filter(({ events }) => events > 0);
  const again = (trace.first.logLines ?? []).filter(({ events }) => events > 0);
  if (told.length === 0 || again.length === 0 || trace.sources.length > 1) return undefined;
  const connection = connectionOf(linesOf(log), linesOf(trace), aboutApart(log.first, trace.first));
  if (connection === undefined) return undefined;
  const { fit } = connection;
  const byText = new Map<string, LogLine[]>();
  for (const line of told) byText.set(line.text, [...(byText.get(line.text) ?? []), line]);
  const used = new Set<LogLine>();
  const rows = new Set<number>();
  for (const { text, time, row, events } of again) {
    const at = along(fit, time);
    const line = byText
      .get(text)
      ?.find((one) => !used.has(one) && at >= one.time - 2 * fit.uncertainty && at <= one.time + LATE);
    if (line === undefined) continue;
    used.add(line);
    for (let i = 1; i <= events; i++) rows.add(row + i);
  }
  return rows.size === 0 ? undefined : withoutEvents(trace, rows, log.first.file);
}
