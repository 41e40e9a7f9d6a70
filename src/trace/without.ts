import { vocabulary } from '../model/vocabulary.ts';
import { eventRow } from './row.ts';
import type { SameRecords } from './source.ts';
import { Source } from './source.ts';
import { Trace } from './trace.ts';

/** A trace of one source without some of its events, by their rows: another file, `of`, tells them; `told`: what that says of the clocks of both. The trace that is given stays as it is. */
export function withoutEvents(trace: Trace, rows: ReadonlySet<number>, of: string, told?: SameRecords): Trace {
  const { first, world } = trace;
  const same = first.same ?? told;
  const repeats = { of, events: (first.repeats?.events ?? 0) + rows.size };
  // What stands behind an event stands behind the last one that is left.
  const left = Int32Array.from({ length: first.events.length }, (_, i) => (rows.has(i) ? 0 : 1));
  for (let i = 1; i < left.length; i++) left[i]! += left[i - 1]!;
  const behind = <T extends { readonly row: number }>(one: T): T => ({ ...one, row: (left[one.row] ?? 0) - 1 });
  const markBytes = first.markBytes?.map(behind);
  const logLines = first.logLines?.map(behind);
  const source = new Source({ ...first.facts, repeats, same, markBytes, logLines }, first.accounting);
  const row = eventRow(vocabulary[0]!);
  for (let i = 0; i < first.events.length; i++) if (!rows.has(i)) source.events.push(first.events.read(i, row));
  const reduced = new Trace(world, source);
  reduced.join();
  return reduced;
}
