import type { Step } from '../base/ids.ts';
import type { EventKind } from '../model/event.ts';
import { vocabulary } from '../model/vocabulary.ts';
import type { Trace } from '../trace/trace.ts';

/** How often a kind of event occurs in a trace. */
export interface KindCount {
  readonly kind: EventKind;
  readonly total: number;
  /** How many of them come after the cursor. */
  readonly ahead: number;
}

/** The kinds that occur in a trace, in the order of the vocabulary. */
export function kindCounts(trace: Trace, cursor: Step): KindCount[] {
  const { table, length } = trace;
  const before = new Uint32Array(vocabulary.length);
  const ahead = new Uint32Array(vocabulary.length);
  const split = Math.min(cursor + 1, length);
  for (let step = 0; step < split; step++) before[table.kindNumber(step)]!++;
  for (let step = split; step < length; step++) ahead[table.kindNumber(step)]!++;
  return vocabulary
    .map((kind, i) => ({ kind, total: before[i]! + ahead[i]!, ahead: ahead[i]! }))
    .filter(({ total }) => total > 0);
}
