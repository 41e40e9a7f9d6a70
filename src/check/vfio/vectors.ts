// The interrupts of VFIO devices, as the rules about VFIO_DEVICE_SET_IRQS look at them.
import type { ObjectId } from '../../base/ids.ts';
import type { State } from '../../model/state.ts';
import { vfioDevice, vfioVector } from '../../model/things/virt.ts';
import { VFIO_INDEX, vfioIndexTitle } from '../../model/vfio-index.ts';
import type { World } from '../../model/world.ts';

/** Flags of VFIO_DEVICE_SET_IRQS (include/uapi/linux/vfio.h): what the data are, and what is to be done. */
export const SET_IRQS = { none: 0x1, bool: 0x2, eventfd: 0x4, mask: 0x8, unmask: 0x10, trigger: 0x20 } as const;

/** Gives vectors of an index an eventfd each, or -1. */
export const SETS_EVENTFDS: number = SET_IRQS.eventfd | SET_IRQS.trigger;

/** With count 0: switches an index off. */
export const SWITCHES_OFF: number = SET_IRQS.none | SET_IRQS.trigger;

/** Whether an index is one of message signalled interrupts. */
export const isMessageIndex = (index: number): boolean => index === VFIO_INDEX.msi || index === VFIO_INDEX.msix;

/**
 * The VFIO device that a call is about: the object of the event, or where the trace does not name it (`vfio/ioctl`) the only device
 * that has interrupts of that index; -1 when there are several.
 */
export function deviceOfCall(world: World, object: ObjectId, index: number): ObjectId {
  if ((world.node(object)?.children.size ?? 0) > 0) return object;
  let only = -1;
  for (const node of world.node(object)?.parent?.children.values() ?? []) {
    // The vectors of a device may be named before the device itself is.
    if (!node.children.has(String(index))) continue;
    const device = node.object >= 0 ? node.object : world.object(vfioDevice, node.path);
    if (only >= 0) return -1;
    only = device;
  }
  return only;
}

/** A vector of an index of a device, or -1 when the trace never named it. */
export function vectorOf(world: World, device: ObjectId, index: number, vector: number): ObjectId {
  return world.node(device)?.children.get(String(index))?.children.get(String(vector))?.object ?? -1;
}

/**
 * Whether VFIO serves a vector: it has an eventfd. Where the trace does not tell eventfds (`bound` false), the VMM uses it; where it
 * does, QEMU says that it uses a vector before the call that gives it one.
 */
export function isArmed(state: State, vector: ObjectId, bound: boolean): boolean {
  if (vector < 0) return false;
  return bound ? state.num(vector, vfioVector.at.eventfd) >= 0 : state.flag(vector, vfioVector.at.used) === true;
}

/** Number of vectors from 0 up to the last one of an index that is armed. */
export function armedCount(state: State, device: ObjectId, index: number, bound: boolean): number {
  let count = 0;
  for (const { object, segment } of state.world.node(device)?.children.get(String(index))?.children.values() ?? [])
    if (isArmed(state, object, bound)) count = Math.max(count, Number(segment) + 1);
  return count;
}

/** `MSI-X vector 2 of 0000:00:03.0` for an interrupt of a VFIO device; the path of anything else. */
export function vectorName(world: World, object: ObjectId): string {
  const node = world.node(object);
  if (node?.parent?.parent === undefined || world.type(object) !== vfioVector) return world.path(object);
  return `${vfioIndexTitle(node.parent.segment)} vector ${node.segment} of ${node.parent.parent.segment}`;
}

/** The name of a VFIO device: its BDF, or what the trace calls it. */
export const deviceName = (world: World, object: ObjectId): string => world.node(object)?.segment ?? world.path(object);

/** The number of an interrupt in its index; -1 for another object. */
export function vectorNumber(world: World, object: ObjectId): number {
  return world.type(object) === vfioVector ? Number(world.node(object)?.segment) : -1;
}

/** The device that an interrupt belongs to, or -1. */
export const ownerOfVector = (world: World, vector: ObjectId): ObjectId =>
  world.node(vector)?.parent?.parent?.object ?? -1;
