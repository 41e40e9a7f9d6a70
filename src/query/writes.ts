import type { Trace } from '../trace/trace.ts';
import { type HistoryEntry, history, LOOKS } from './history.ts';
import type { Target } from './paths.ts';
import { targetValue } from './state.ts';
import { derivedKeys } from './view.ts';

/** Steps that are looked through at once on the way back. */
const WINDOW = 4096;

/**
 * The last step at or before `until` that wrote a target: the cell of a key (also when the value stayed the same), any
 * cell of an object or of what a computed key depends on; -1 when none did. Reads count only when they showed something new.
 */
export function lastWrite(trace: Trace, target: Target, until: number): number {
  const { world } = trace;
  const { object, type, cell, key } = target;
  if (object < 0 || type === undefined) return -1;
  const base = world.base(object);
  const from = cell ? base + type.at[cell.name]! : base;
  const to = cell ? from + cell.words : base + type.size;
  for (let end = Math.min(until, trace.length - 1); end >= 0; end -= WINDOW) {
    const start = Math.max(0, end - WINDOW + 1);
    const state = trace.stateAt(start - 1);
    const others = new Set(
      derivedKeys(type)
        .filter((d) => d.name === key)
        .flatMap((d) => d.from?.(state, object) ?? []),
    );
    let hit = false;
    let near = false;
    state.watch = (at) => {
      if (at >= from && at < to) hit = true;
      // An object that comes or goes takes its values along.
      if ((at >= base && at < base + type.size) || (others.size > 0 && others.has(world.objectOfCell(at)))) near = true;
    };
    let last = -1;
    let before = JSON.stringify(targetValue(state, target));
    for (let step = start; step <= end; step++) {
      hit = near = false;
      trace.advance(state, step - 1, step);
      if (!near) continue;
      const after = JSON.stringify(targetValue(state, target));
      if (before !== after || (hit && !LOOKS.has(trace.table.kind(step).name))) last = step;
      before = after;
    }
    if (last >= 0) return last;
  }
  return -1;
}

/** The writes of a target around a step: at most `most` up to it and `most` behind it; `all` when these are all there are. */
export function writesAround(
  trace: Trace,
  target: Target,
  step: number,
  most: number,
): { readonly entries: readonly HistoryEntry[]; readonly all: boolean } {
  const before: HistoryEntry[] = [];
  const after: HistoryEntry[] = [];
  let dropped = 0;
  for (const entry of history(trace, target)) {
    if (entry.step > step) after.push(entry);
    else before.push(entry);
    // Dropped in bulk: one by one each would move all that follow.
    if (before.length >= 2 * most) dropped += before.splice(0, most).length;
    if (after.length > most) break;
  }
  dropped += before.splice(0, Math.max(0, before.length - most)).length;
  return { entries: [...before, ...after.slice(0, most)], all: dropped === 0 && after.length <= most };
}
