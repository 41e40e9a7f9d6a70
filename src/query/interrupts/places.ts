import type { ObjectId } from '../../base/ids.ts';
import { SHUTDOWN_VECTOR } from '../../model/events/places.ts';
import { placeOfIrqfd, placeOfRoute, processorOf, vectorAt } from '../../model/joins.ts';
import { cellTarget } from '../../model/references.ts';
import type { State } from '../../model/state.ts';
import { cpu, irq, pin } from '../../model/things/irq.ts';
import { vcpu } from '../../model/things/virt.ts';
import type { Group } from './groups.ts';
import { placeOfGuestIrq } from './keys.ts';
import type { Joined } from './row.ts';
import type { Scene } from './scene.ts';

/** An object, or -1 while it is not present. */
const there = (state: State, object: ObjectId): ObjectId => (state.present(object) ? object : -1);

/** The processor that a vector, LPI or INTID belongs to. */
const processorOfPlace = (state: State, place: ObjectId): ObjectId =>
  there(state, state.world.node(place)?.parent?.parent?.object ?? -1);

/** Adds to what belongs to an interrupt where it goes now: domain, translation, vector and processor of the host, and of the guest. */
export function placed(scene: Scene, group: Group): Joined {
  const { state } = scene;
  const { world } = state;
  const translation = translationOfGroup(scene, group);
  const place = placeOfHost(scene, group, translation);
  const processor = place >= 0 ? processorOfPlace(state, place) : processorOfHost(scene, group, translation);
  const emulated = world.type(processor) === vcpu;
  const same = emulated ? processor : emulatedOf(state, processor);
  const guestPlace = emulated ? place : same >= 0 ? samePlace(state, place, same) : placeOfGuest(state, group);
  const owner = group.irq >= 0 ? group.irq : group.guestIrq;
  return {
    ...group,
    vfio: group.vfio >= 0 ? group.vfio : group.guestVfio,
    domain: owner < 0 ? -1 : there(state, cellTarget(state, owner, irq, 'domain')),
    translation,
    cpu: emulated ? there(state, processorOf(state, processor)) : processor,
    vector: place,
    previous: previousOf(scene, group, translation),
    vcpu: same >= 0 ? same : processorOfPlace(state, guestPlace),
    vcpuVector: guestPlace,
  };
}

/**
 * The vector that an irq had before a move that goes on (vector_update until vector_free_moved), or to which a table entry led that was
 * invalidated since; -1 none.
 */
function previousOf(scene: Scene, { irq: host, guestIrq }: Group, translation: ObjectId): ObjectId {
  const { state, placeBefore } = scene;
  const { moving, prevCpu, prevVector } = irq.at;
  const identities = host < 0 ? [] : scene.identities(host);
  if (identities.length > 1) return identities.find((one) => one !== identityOf(scene, host)) ?? -1;
  for (const object of [host, guestIrq])
    if (object >= 0 && state.flag(object, moving) === true)
      return there(state, vectorAt(state, object, state.num(object, prevCpu), state.num(object, prevVector)));
  // The vector domain knows the irq.
  const known = host >= 0 && state.num(host, irq.at.vector) >= 0;
  return translation < 0 || known ? -1 : placeBefore(translation);
}

/** The virtual CPU of a log of the emulated machine that a CPU of its kernel is; -1 for none. */
function emulatedOf(state: State, processor: ObjectId): ObjectId {
  const { world } = state;
  if (world.type(processor) !== cpu) return -1;
  const there = world.spaceOf(processor).objectAt(`vcpu/${world.node(processor)!.segment}`);
  return state.present(there) && processorOf(state, there) === processor ? there : -1;
}

/** The vector or LPI of another processor with the number of that at `place`. */
function samePlace(state: State, place: ObjectId, processor: ObjectId): ObjectId {
  const node = state.world.node(place);
  const kind = state.world.node(processor)?.children.get(node?.parent?.segment ?? '');
  return there(state, kind?.children.get(node?.segment ?? '')?.object ?? -1);
}

/** What the message of the first part that has one selects. */
function translationOfGroup(scene: Scene, { entry, irq: object, guestEntry }: Group): ObjectId {
  for (const part of [entry, object, guestEntry]) {
    const found = part < 0 ? -1 : scene.translation(part);
    if (found >= 0) return found;
  }
  return -1;
}

/** The identity of an irq at the hart that it goes to (IMSIC); -1 none. Of two at one hart the message tells which. */
function identityOf({ state, identities }: Scene, object: ObjectId): ObjectId {
  const hart = cellTarget(state, object, irq, 'cpu');
  const there = identities(object).filter((one) => hart < 0 || processorOfPlace(state, one) === hart);
  const told = state.num(object, irq.at.data);
  return there.find((one) => Number(state.world.node(one)?.segment) === told) ?? there.at(-1) ?? -1;
}

/** The vector, LPI or SPI at the host: that of the irq, or that to which the translation or the message itself leads. */
function placeOfHost(scene: Scene, { irq: object, entry }: Group, translation: ObjectId): ObjectId {
  const { state } = scene;
  if (object >= 0) {
    const v = state.num(object, irq.at.vector);
    const own = v === SHUTDOWN_VECTOR ? -1 : there(state, vectorAt(state, object, state.num(object, irq.at.cpu), v));
    // The vector domain knows the irq: what a stale message leads to is not its place.
    if (own >= 0 || v >= 0) return own;
    const identity = identityOf(scene, object);
    if (identity >= 0) return identity;
  }
  if (translation < 0) return entry < 0 ? -1 : scene.direct(entry);
  return state.world.type(translation) === pin ? translation : scene.place(translation);
}

/** The processor, where its vector is not among the objects: that of the irq, or the one that the translation names. */
function processorOfHost(scene: Scene, { irq: object }: Group, translation: ObjectId): ObjectId {
  const { state } = scene;
  const v = object < 0 ? -1 : state.num(object, irq.at.vector);
  if (v > 0 && v !== SHUTDOWN_VECTOR) return there(state, cellTarget(state, object, irq, 'cpu'));
  return v >= 0 || translation < 0 ? -1 : scene.processor(translation);
}

/** The vector of a virtual CPU: that of a posted interrupt, of the route, or of the irq of the guest. */
function placeOfGuest(state: State, { irqfd, route, guestIrq }: Group): ObjectId {
  for (const [part, find] of [
    [irqfd, placeOfIrqfd],
    [route, placeOfRoute],
    [guestIrq, placeOfGuestIrq],
  ] as const) {
    const found = part < 0 ? -1 : there(state, find(state, part));
    if (found >= 0) return found;
  }
  return -1;
}
