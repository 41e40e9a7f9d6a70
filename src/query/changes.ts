import type { ObjectId, Step } from '../base/ids.ts';
import type { State } from '../model/state.ts';
import type { Trace } from '../trace/trace.ts';
import { keyReaders } from './dependents.ts';
import { derivedKeys, keyValue, type Value } from './view.ts';

/** What a step did to an object: added, changed or removed it. */
export type ChangeKind = 'A' | 'M' | 'D';

/** One key that differs. */
export interface KeyChange {
  readonly key: string;
  readonly old: Value;
  readonly new: Value;
}

/** One object that differs between two states. */
export interface ObjectChange {
  readonly object: ObjectId;
  readonly path: string;
  readonly kind: ChangeKind;
  readonly keys: readonly KeyChange[];
}

/** The objects that differ between two states of one trace, `before` and `after`, with the keys that differ. */
export function changesBetween(before: State, after: State): ObjectChange[] {
  const { world } = after;
  const changes: ObjectChange[] = [];
  for (const object of keyReaders(world).changed(before, after)) {
    const was = before.present(object);
    const is = after.present(object);
    if (!was && !is) continue;
    const type = world.type(object)!;
    if (type.hidden) continue;
    const keys: KeyChange[] = [];
    for (const key of [
      ...type.cells.filter((c) => !c.hidden).map((c) => c.name),
      ...derivedKeys(type).map((d) => d.name),
    ]) {
      const old = was ? (keyValue(before, object, key) ?? null) : null;
      const now = is ? (keyValue(after, object, key) ?? null) : null;
      if (JSON.stringify(old) !== JSON.stringify(now)) keys.push({ key, old, new: now });
    }
    if (was !== is || keys.length > 0)
      changes.push({ object, path: world.path(object), kind: was ? (is ? 'M' : 'D') : 'A', keys });
  }
  return changes;
}

/** What one step changed. */
export function changesAt(trace: Trace, step: Step): ObjectChange[] {
  const before = trace.stateAt(step - 1);
  const after = before.fork();
  trace.advance(after, step - 1, step);
  return changesBetween(before, after);
}
