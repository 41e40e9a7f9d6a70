// Posted-interrupt descriptors beside the virtual CPUs that they belong to.
import type { ObjectId } from '../../base/ids.ts';
import { postedControl } from '../../model/registers/posted.ts';
import type { State } from '../../model/state.ts';
import { piDescriptor } from '../../model/things/ims.ts';
import { vcpu } from '../../model/things/virt.ts';
import type { World } from '../../model/world.ts';

/** Vectors of the host (arch/x86/include/asm/irq_vectors.h): the virtual CPU runs; it is blocked and has to be woken. */
export const NOTIFY = 0xf2;
export const WAKEUP = 0xf1;

/** The descriptor of a virtual CPU, or -1. */
export const descriptorOf = (world: World, object: ObjectId): ObjectId =>
  world.node(object)?.children.get('pi')?.object ?? -1;

/** The virtual CPU that a descriptor belongs to, or -1; a host with posted MSI has descriptors of CPUs. */
export function vcpuOf(world: World, descriptor: ObjectId): ObjectId {
  const owner = world.node(descriptor)?.parent?.object ?? -1;
  return owner >= 0 && world.type(owner) === vcpu ? owner : -1;
}

/** A field of the control word of a descriptor, -1 while it is not known. */
export const controlOf = (state: State, descriptor: ObjectId, field: 'on' | 'sn' | 'nv' | 'ndst'): number =>
  descriptor < 0 ? -1 : postedControl.f[field].get(state, descriptor, piDescriptor.at.control);

/** Whether any bit of the PIR is set. */
export function holdsRequest(state: State, descriptor: ObjectId): boolean {
  for (let word = 0; word < 8; word++) if (state.get(descriptor, piDescriptor.at.pir + word) !== 0) return true;
  return false;
}

/** Whether a virtual CPU left the guest because it halted, or (Arm) waits for an interrupt. */
export const isHalted = (state: State, object: ObjectId): boolean =>
  state.flag(object, vcpu.at.inGuest) === false && HALT.test(state.text(object, vcpu.at.exitReason));

const HALT = /hlt|halt|wfx/i;
