import type { ObjectId, Step } from '../../base/ids.ts';
import { lowerBound } from '../../base/search.ts';
import { eachOf, type Slices } from '../../base/slices.ts';
import type { EventKind } from '../../model/event.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import type { Trace } from '../../trace/trace.ts';
import { blockOf, stepsOf } from '../watched.ts';

/** Kinds of events: 1 at the number of each. */
export type Kinds = Uint8Array;

/** The kinds that qualify. */
export const kindsWhere = (qualifies: (kind: EventKind) => boolean): Kinds =>
  Uint8Array.from(vocabulary, (kind) => (qualifies(kind) ? 1 : 0));

/**
 * For each of some sets of objects the last event at or before a step that is about any of them; -1 for none. Each object may be in
 * one set only or in several. `kinds`: events of these kinds only. Reads only blocks of events in which the objects occur, the latest
 * first, each one once, in slices.
 */
export function* lastEvents(
  trace: Trace,
  sets: readonly (readonly ObjectId[])[],
  step: Step,
  kinds?: Kinds,
): Slices<Int32Array> {
  const found = new Int32Array(sets.length).fill(-1);
  if (step < 0) return found;
  const { blocks } = trace.log;
  /** Sets by the latest block that may hold an event of theirs. */
  const due = new Map<number, number[]>();
  const wait = (set: number, before: number): void => {
    let latest = -1;
    for (const object of sets[set]!) {
      const list = blocks.of(object);
      const at = list[lowerBound(list, before) - 1];
      if (at !== undefined && at > latest) latest = at;
    }
    if (latest < 0) return;
    const waiting = due.get(latest);
    if (waiting) waiting.push(set);
    else due.set(latest, [set]);
  };
  yield* eachOf(sets, (_, set) => wait(set, blockOf(step) + 1));
  while (due.size > 0) {
    const block = Math.max(...due.keys());
    const waiting = due.get(block)!;
    due.delete(block);
    const last = lastIn(trace, block, step, waiting, sets, kinds);
    yield;
    yield* eachOf(waiting, (set) => {
      for (const object of sets[set]!) found[set] = Math.max(found[set]!, last.get(object) ?? -1);
      if (found[set]! < 0) wait(set, block);
    });
  }
  return found;
}

/** The last event about each object of some sets in a block, up to a step. */
function lastIn(
  trace: Trace,
  block: number,
  step: Step,
  which: readonly number[],
  sets: readonly (readonly ObjectId[])[],
  kinds: Kinds | undefined,
): Map<ObjectId, Step> {
  const { table } = trace;
  const wanted = new Set<ObjectId>();
  for (const set of which) for (const object of sets[set]!) wanted.add(object);
  const last = new Map<ObjectId, Step>();
  const [first, end] = stepsOf(trace, block);
  for (let at = Math.min(end, step); at >= first && wanted.size > 0; at--) {
    const object = table.object(at);
    if (kinds !== undefined && kinds[table.kindNumber(at)] === 0) continue;
    if (wanted.delete(object)) last.set(object, at);
  }
  return last;
}
