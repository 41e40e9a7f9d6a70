import { secondsText } from '../../base/time.ts';
import { threadEntry, threadExit, threadWake } from '../../model/events/cpu.ts';
import { eventRow } from '../../trace/row.ts';
import type { Trace } from '../../trace/trace.ts';
import { secondsBetween } from '../events.ts';
import type { Hop } from './delivery.ts';

/** What a hop says of a thread that handles an irq: when it ran, and for how long. Undefined for a hop that is none of a thread. */
export function threadDetail(trace: Trace, hops: readonly Hop[], i: number): string | undefined {
  const { table } = trace;
  const { step, object } = hops[i]!;
  const kind = table.kind(step);
  if (kind !== threadWake && kind !== threadEntry && kind !== threadExit) return undefined;
  const row = table.read(step, eventRow(kind));
  const { name } = (kind as typeof threadWake | typeof threadEntry | typeof threadExit).read(row.words, row.at);
  const thread = `thread ${trace.world.strings.text(name)}`;
  const where = row.cpu < 0 ? '' : ` on CPU ${row.cpu}`;
  if (kind === threadWake) return `${thread} is woken`;
  if (kind === threadEntry) return `${thread} runs${where}`;
  const { done } = threadExit.read(row.words, row.at);
  const end = done === false ? ', and is not done: it was preempted, or blocks' : '';
  let from = i - 1;
  while (from >= 0 && hops[from]!.object !== object) from--;
  if (from < 0 || table.kind(hops[from]!.step) !== threadEntry) return `${thread} ran${where}${end}`;
  const ran = secondsBetween(trace, hops[from]!.step, step);
  // Since it was woken, or left its processor; where no record tells that, since the event before.
  let since = from - 1;
  while (since >= 0 && hops[since]!.object !== object) since--;
  if (since < 0) since = from - 1;
  const waited = since < 0 ? null : secondsBetween(trace, hops[since]!.step, hops[from]!.step);
  const later = waited === null ? '' : ` ${secondsText(waited)} later`;
  return `${thread} ran${later}${ran === null ? '' : ` for ${secondsText(ran)}`}${where}${end}`;
}
