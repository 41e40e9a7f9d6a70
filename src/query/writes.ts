import type { Trace } from '../trace/trace.ts';
import { LOOKS } from './history.ts';
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
  const from = world.base(object) + (cell ? type.at[cell.name]! : 0);
  const to = from + (cell ? cell.words : type.size);
  for (let end = Math.min(until, trace.length - 1); end >= 0; end -= WINDOW) {
    const start = Math.max(0, end - WINDOW + 1);
    const state = trace.stateAt(start - 1);
    const others = new Set(
      derivedKeys(type)
        .filter((d) => d.name === key)
        .flatMap((d) => d.from?.(state, object) ?? []),
    );
    let hit = false;
    state.watch = (at) => {
      if ((at >= from && at < to) || (others.size > 0 && others.has(world.objectOfCell(at)))) hit = true;
    };
    let last = -1;
    let before = JSON.stringify(targetValue(state, target));
    for (let step = start; step <= end; step++) {
      hit = false;
      trace.advance(state, step - 1, step);
      if (!hit) continue;
      const after = JSON.stringify(targetValue(state, target));
      if (before !== after || !LOOKS.has(trace.table.kind(step).name)) last = step;
      before = after;
    }
    if (last >= 0) return last;
  }
  return -1;
}
