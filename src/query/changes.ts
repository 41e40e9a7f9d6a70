import type { State } from '../model/state.ts';
import { msixCap, msixEntry } from '../model/things/pci.ts';
import { remapUnit } from '../model/things/remap.ts';
import { kvmRoute } from '../model/things/virt.ts';
import type { PathNode } from '../model/world.ts';
import type { Trace } from '../trace/trace.ts';
import { derivedKeys, keyValue, type Value } from './view.ts';

/** What a step did to an object: added it, changed it, or took it away. */
export type ChangeKind = 'A' | 'M' | 'D';

/** One key that differs. */
export interface KeyChange {
  readonly key: string;
  readonly old: Value;
  readonly new: Value;
}

/** One object that differs between two states. */
export interface ObjectChange {
  readonly object: number;
  readonly path: string;
  readonly kind: ChangeKind;
  readonly keys: readonly KeyChange[];
}

/** The objects that differ between two states of one trace, `before` and `after`, with the keys that differ. */
export function changesBetween(before: State, after: State): ObjectChange[] {
  const { world } = after;
  const changes: ObjectChange[] = [];
  for (const object of withDependents(before, after, after.changed(before))) {
    const was = before.present(object);
    const is = after.present(object);
    if (!was && !is) continue;
    const type = world.type(object)!;
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

/**
 * Adds the objects whose computed keys depend on others: a change of a capability can change what its entries mean, a
 * change of an entry makes its route outdated, the mode of a remapping unit tells how its entries name destinations,
 * and the first remapping unit how messages are read.
 */
function withDependents(before: State, state: State, objects: readonly number[]): number[] {
  const all = new Set(objects);
  const { world } = state;
  const addAll = (nodes: Iterable<PathNode> | undefined): void => {
    for (const { object } of nodes ?? []) if (object >= 0) all.add(object);
  };
  for (const object of objects) {
    const node = world.node(object);
    const type = world.type(object);
    if (type === msixCap) addAll(node?.parent?.children.get('msix')?.children.values());
    if (type !== remapUnit) continue;
    if (state.flag(object, remapUnit.at.eim) !== before.flag(object, remapUnit.at.eim)) addAll(node?.children.values());
    if (state.present(object) === before.present(object)) continue;
    for (const dev of [
      ...(world.find('device')?.children.values() ?? []),
      ...(world.find('table')?.children.values() ?? []),
    ]) {
      addAll(dev.children.get('msix')?.children.values());
      const msi = dev.children.get('msi');
      if (msi) addAll([msi]);
    }
  }
  if (objects.some((object) => world.type(object) === msixEntry)) {
    for (const vm of world.find('kvm')?.children.values() ?? []) {
      for (const { object } of vm.children.get('route')?.children.values() ?? [])
        if (object >= 0 && all.has(state.num(object, kvmRoute.at.entry))) all.add(object);
    }
  }
  return [...all];
}

/** What one step changed. */
export function changesAt(trace: Trace, step: number): ObjectChange[] {
  const before = trace.stateAt(step - 1);
  const after = before.fork();
  trace.advance(after, step - 1, step);
  return changesBetween(before, after);
}
