import type { ObjectId } from '../../base/ids.ts';
import { eachOf, type Slices } from '../../base/slices.ts';
import { entryOfIrq, placeOfIrqfd, placeOfRoute, vectorAt } from '../../model/joins.ts';
import { irqOfVector } from '../../model/references.ts';
import type { State } from '../../model/state.ts';
import { irq } from '../../model/things/irq.ts';
import { itsEvent } from '../../model/things/remap.ts';
import { lpiKey, type Scene } from './scene.ts';

/** What is found under a key: the only one, or undefined where there are several. */
class Only<K> {
  readonly #found = new Map<K, ObjectId | undefined>();

  add(key: K, object: ObjectId): void {
    this.#found.set(key, this.#found.has(key) ? undefined : object);
  }

  of(key: K): ObjectId {
    return this.#found.get(key) ?? -1;
  }
}

/**
 * Joins what no part names outright, but what holds the same key under the state at hand: an entry and an irq with the same
 * translation table entry, LPI, message or vector; a route and an irq of the guest with the same vector of a virtual CPU. A key
 * that several hold joins nothing. In slices.
 */
export function* joinByKeys(scene: Scene): Slices<void> {
  const { host } = scene.state.world;
  const irqs = scene.irqs.filter((object) => !scene.isFreed(object));
  const own = irqs.filter((object) => !scene.ofGuest(object));
  // Numbers of a simulated guest are told beside those of the host, and are others.
  const guests = irqs.filter((object) => scene.state.world.spaceOf(object) !== host);
  for (const [list, part] of [
    [own, 'irq'],
    [guests, 'guestIrq'],
  ] as const) {
    if (list.length === 0) continue;
    // Each looks only at what the one before left.
    for (const join of [byTranslation, byMessage, byVector]) yield* join(scene, list, loose(scene, part));
  }
  yield;
  byGuestVector(scene);
}

/** Entries that have no irq yet. */
const loose = ({ entries, groups }: Scene, part: 'irq' | 'guestIrq'): ObjectId[] =>
  entries.filter((entry) => groups.of(entry)![part] < 0);

/** Nothing that is known of an irq contradicts that an entry raises it. */
export function agrees({ state }: Scene, entry: ObjectId, object: ObjectId): boolean {
  const named = entryOfIrq(state, object);
  if (named >= 0) return named === entry;
  const device = state.text(object, irq.at.device);
  const { space, path } = state.world.node(entry)!;
  return (
    space === state.world.spaceOf(object) &&
    (device === '' || path.startsWith(`${space.prefix}device/${device}/`) || path.startsWith(`${space.prefix}table/`))
  );
}

function link(scene: Scene, entry: ObjectId, object: ObjectId): void {
  if (object >= 0 && agrees(scene, entry, object)) scene.groups.join(entry, object);
}

/** One entry and one irq select the same IRTE; or the event of an ITS that an entry selects raises the LPI of an irq. */
function* byTranslation(scene: Scene, irqs: readonly ObjectId[], entries: readonly ObjectId[]): Slices<void> {
  if (entries.length === 0) return;
  const { state } = scene;
  const byEntry = new Only<ObjectId>();
  const byLpi = new Only<string>();
  const users = new Only<ObjectId>();
  // LPIs are numbers of the GIC of a system: two events of one, in two ITSs, are not told apart by it.
  const raisers = new Only<string>();
  yield* eachOf(irqs, (object) => {
    const lpi = state.num(object, irq.at.lpi);
    if (lpi >= 0) byLpi.add(lpiKey(state, object, lpi), object);
    const translation = scene.translation(object);
    if (translation >= 0) byEntry.add(translation, object);
  });
  yield* eachOf(scene.entries, (entry) => {
    const translation = scene.translation(entry);
    if (translation < 0) return;
    users.add(translation, entry);
    const lpi = state.world.type(translation) === itsEvent ? state.num(translation, itsEvent.at.lpi) : -1;
    if (lpi >= 0) raisers.add(lpiKey(state, translation, lpi), entry);
  });
  yield* eachOf(entries, (entry) => {
    const translation = scene.translation(entry);
    if (translation < 0 || users.of(translation) !== entry) return;
    link(scene, entry, byEntry.of(translation));
    const lpi = state.world.type(translation) === itsEvent ? state.num(translation, itsEvent.at.lpi) : -1;
    const key = lpiKey(state, translation, lpi);
    if (lpi >= 0 && raisers.of(key) === entry) link(scene, entry, byLpi.of(key));
  });
}

/** One entry and one irq hold the same message. */
function* byMessage(scene: Scene, irqs: readonly ObjectId[], entries: readonly ObjectId[]): Slices<void> {
  if (entries.length === 0) return;
  const byIrq = new Only<string>();
  const byEntry = new Only<string>();
  yield* eachOf(irqs, (object) => {
    const key = scene.message(object);
    if (key !== '') byIrq.add(key, object);
  });
  yield* eachOf(scene.entries, (entry) => {
    const key = scene.message(entry);
    if (key !== '') byEntry.add(key, entry);
  });
  yield* eachOf(entries, (entry) => {
    const key = scene.message(entry);
    if (key !== '' && byEntry.of(key) === entry) link(scene, entry, byIrq.of(key));
  });
}

/** The message of an entry leads, through its IRTE, to a vector of a CPU that is assigned to an irq. */
function* byVector(scene: Scene, _irqs: readonly ObjectId[], entries: readonly ObjectId[]): Slices<void> {
  if (entries.length === 0) return;
  const { state } = scene;
  const byPlace = new Only<ObjectId>();
  const places: (readonly [ObjectId, ObjectId])[] = [];
  yield* eachOf(entries, (entry) => {
    const translation = scene.translation(entry);
    const place = translation < 0 ? -1 : scene.place(translation);
    if (place < 0) return;
    byPlace.add(place, entry);
    places.push([entry, place]);
  });
  yield* eachOf(places, ([entry, place]) => {
    if (byPlace.of(place) === entry) link(scene, entry, irqOfVector(state, place));
  });
}

/** A route, or an irqfd that posts, sends the vector of a virtual CPU that one irq of the kernel of a guest is assigned to. */
function byGuestVector({ state, groups, irqs, irqfds, routes, ofGuest, isFreed }: Scene): void {
  const byPlace = new Only<ObjectId>();
  for (const object of irqs) {
    const place = ofGuest(object) && !isFreed(object) ? placeOfGuestIrq(state, object) : -1;
    if (place >= 0) byPlace.add(place, object);
  }
  for (const object of irqfds) groups.join(object, byPlace.of(placeOfIrqfd(state, object)));
  for (const object of routes) groups.join(object, byPlace.of(placeOfRoute(state, object)));
}

/** The vector of the virtual CPU that an irq of the kernel of a guest is assigned to. */
export function placeOfGuestIrq(state: State, object: ObjectId): ObjectId {
  const { world } = state;
  const n = state.num(object, irq.at.cpu);
  const v = state.num(object, irq.at.vector);
  if (world.spaceOf(object) === world.host) return vectorAt(state, object, n, v);
  // The vectors of the only other system are those of the virtual CPUs of this one.
  return world.systems === 2 && n >= 0 && v > 0 ? world.host.objectAt(`vcpu/${n}/vector/${v}`) : -1;
}
