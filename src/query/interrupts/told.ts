import type { ObjectId } from '../../base/ids.ts';
import { eachOf, type Slices } from '../../base/slices.ts';
import { entryPathOfIrq } from '../../model/joins.ts';
import type { Joined } from './row.ts';
import type { Scene } from './scene.ts';

/**
 * The paths of entries that no event is about, by the irqs whose domain and hwirq name them: a lone `/proc/interrupts` tells of no function.
 * An entry that is there stands in a row of its own, and one that two irqs name is told of neither.
 */
export function* toldEntries(scene: Scene, rows: readonly Joined[]): Slices<ReadonlyMap<ObjectId, string>> {
  const { state } = scene;
  const named = new Map<string, ObjectId | undefined>();
  yield* eachOf(rows, ({ entry, guestEntry, irq, guestIrq }) => {
    const object = irq >= 0 ? irq : guestIrq;
    if (entry >= 0 || guestEntry >= 0 || object < 0 || scene.isFreed(object)) return;
    const path = entryPathOfIrq(state, object);
    if (path === undefined || state.present(state.world.objectAt(path))) return;
    named.set(path, named.has(path) ? undefined : object);
  });
  const told = new Map<ObjectId, string>();
  for (const [path, object] of named) if (object !== undefined) told.set(object, path);
  return told;
}
