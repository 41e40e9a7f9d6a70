import type { ObjectId } from '../../base/ids.ts';
import { eachOf, type Slices } from '../../base/slices.ts';
import { entryOfIrq, entryOfRoute, guestEntryOfVfio, irqOfVfio, vfioOfIrq } from '../../model/joins.ts';
import { cellTarget } from '../../model/references.ts';
import type { State } from '../../model/state.ts';
import { imsEntry } from '../../model/things/ims.ts';
import { kvmEntrySource, kvmIrqfd, kvmRoute, kvmTable, vfioVector } from '../../model/things/virt.ts';
import type { Part } from './groups.ts';
import { agrees, joinByKeys } from './keys.ts';
import { type Scene, sceneOf } from './scene.ts';

/** Puts together what belongs to one interrupt in a state, by the references that the model declares, in slices. */
export function* joinParts(state: State): Slices<Scene> {
  const scene = yield* sceneOf(state);
  const { groups } = scene;
  const sides = guestEntries(scene);
  const put = (objects: readonly ObjectId[], part: (object: ObjectId) => Part): void => {
    for (const object of objects) groups.add(object, part(object));
  };
  put(scene.entries, (object) => (sides.has(object) ? 'guestEntry' : 'entry'));
  yield;
  put(scene.irqs, (object) => (scene.ofGuest(object) ? 'guestIrq' : 'irq'));
  yield;
  put(scene.vfios, (object) => (scene.ofGuest(object) ? 'guestVfio' : 'vfio'));
  put(scene.routes, () => 'route');
  put(scene.irqfds, () => 'irqfd');
  put(scene.lines, () => 'line');
  yield;
  // What names the other outright goes first: a weaker reference cannot part it.
  const pairs: Pair[] = [];
  for (const found of [gsiPairs(scene), vfioPairs(scene), cellPairs(scene), namePairs(scene)])
    yield* eachOf(found, (pair) => pairs.push(pair));
  yield* eachOf(pairs, (pair) => groups.join(...pair));
  yield* joinByKeys(scene);
  return scene;
}

/** Entries that guests see: behind a vector of an assigned device, behind a route, of an irq of the kernel of a guest. */
function guestEntries({ state, vfios, routes, irqs, served, ofGuest }: Scene): Set<ObjectId> {
  const found = new Set<ObjectId>();
  for (const object of vfios) found.add(guestEntryOfVfio(state, object));
  for (const object of routes) found.add(entryOfRoute(state, object));
  for (const object of served) found.add(entryServed(state, object));
  for (const object of irqs) if (ofGuest(object)) found.add(entryOfIrq(state, object));
  return found;
}

type Pair = readonly [ObjectId, ObjectId];

/** Route, irqfd and line of one GSI of one virtual machine. */
function* gsiPairs({ state, routes, irqfds, lines }: Scene): Generator<Pair> {
  const first = new Map<string, ObjectId>();
  for (const object of [...routes, ...irqfds, ...lines]) {
    const node = state.world.node(object)!;
    const key = `${node.parent?.parent?.path} ${node.segment}`;
    const other = first.get(key);
    if (other === undefined) first.set(key, object);
    else yield [other, object];
  }
}

/** A vector of an assigned device, as the kernel of the host tells of it, and as the log of the machine does that the device is assigned to. */
function* vfioPairs({ state, vfios, ofGuest }: Scene): Generator<Pair> {
  const { world } = state;
  if (world.systems !== 2) return;
  for (const object of vfios)
    if (ofGuest(object)) yield [object, world.host.objectAt(world.spaceOf(object).path(object))];
}

/** What cells name. */
function* cellPairs(scene: Scene): Generator<Pair> {
  const { state, vfios, irqfds, routes, entries, served } = scene;
  const { world } = state;
  for (const object of vfios) {
    yield [object, cellTarget(state, object, vfioVector, 'entry')];
    yield [object, irqOfVfio(state, object)];
  }
  yield* gsiOfVfio(scene);
  for (const object of entries) {
    // A guest that stores a message itself tells its own number.
    const behind = world.type(object) === imsEntry ? cellTarget(state, object, imsEntry, 'virq') : -1;
    if (behind >= 0 && agrees(scene, object, behind)) yield [object, behind];
  }
  for (const object of irqfds) yield [object, cellTarget(state, object, kvmIrqfd, 'hostIrq')];
  for (const object of routes) yield [object, cellTarget(state, object, kvmRoute, 'entry')];
  for (const object of served) {
    const gsi = state.get(object, kvmEntrySource.at.gsi) | 0;
    const vm = world.node(object)?.parent?.parent?.parent?.parent;
    if (state.num(object, kvmEntrySource.at.gsi) < 0 || gsi < 0 || vm === undefined) continue;
    for (const kind of ['route', 'irqfd'])
      yield [entryServed(state, object), vm.children.get(kind)?.children.get(String(gsi))?.object ?? -1];
  }
}

/**
 * The GSI that the eventfd of a vector is injected as. Two vectors that name one GSI are those of two virtual machines, which the trace
 * does not tell apart: the eventfd of its irqfd does.
 */
function* gsiOfVfio({ state, vfios }: Scene): Generator<Pair> {
  const named = new Map<ObjectId, ObjectId[]>();
  for (const object of vfios) {
    const target = cellTarget(state, object, vfioVector, 'virq');
    if (target < 0) continue;
    const vectors = named.get(target);
    if (vectors === undefined) named.set(target, [object]);
    else vectors.push(object);
  }
  for (const [target, vectors] of named) {
    const own = vectors.length === 1 ? vectors : vectors.filter((vector) => sharesFd(state, vector, target));
    if (own.length === 1) yield [own[0]!, target];
  }
}

/** Whether a vector signals the eventfd of the irqfd of a GSI; `target`: its route or irqfd. */
function sharesFd(state: State, vector: ObjectId, target: ObjectId): boolean {
  const node = state.world.node(target);
  const irqfd = node?.parent?.parent?.children.get('irqfd')?.children.get(node.segment)?.object ?? -1;
  const fd = state.num(vector, vfioVector.at.eventfd);
  return fd >= 0 && state.present(irqfd) && state.num(irqfd, kvmIrqfd.at.fd) === fd;
}

/** What names of devices, actions and numbers in tables name. */
function* namePairs({ state, irqs, vfios, routes }: Scene): Generator<Pair> {
  for (const object of irqs) yield [object, entryOfIrq(state, object)];
  for (const object of irqs) yield [object, vfioOfIrq(state, object)];
  for (const object of vfios) yield [object, guestEntryOfVfio(state, object)];
  for (const object of routes) yield [object, entryOfRoute(state, object)];
}

/** The entry of the guest that KVM serves as `kvm/<vm>/msix/<table>/entry/<i>`. */
function entryServed(state: State, object: ObjectId): ObjectId {
  const node = state.world.node(object)!;
  const table = node.parent?.parent?.object ?? -1;
  const device = table < 0 ? '' : state.text(table, kvmTable.at.device);
  return device === '' ? -1 : state.world.spaceOf(object).objectAt(`device/${device}/msix/${node.segment}`);
}
