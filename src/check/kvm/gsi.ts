// What belongs to one GSI of a virtual machine: its route, its irqfd, its line.
import type { ObjectId } from '../../base/ids.ts';
import type { World } from '../../model/world.ts';

/** KVM_IRQFD_RESAMPLE_IRQ_SOURCE_ID of include/linux/kvm_host.h: the source of a line that the resampler of an irqfd drives. */
export const RESAMPLER = 1;

/** Whether an object is the irqfd of a known GSI (`kvm/<vm>/irqfd/<gsi>`); records may also name no GSI. */
export const isIrqfd = (world: World, object: ObjectId): boolean => world.node(object)?.parent?.segment === 'irqfd';

/** What stands beside an object for the same GSI, whether it is there or not; -1 when the trace never named it. */
export function sameGsi(world: World, object: ObjectId, what: 'route' | 'irqfd' | 'gsi'): ObjectId {
  const node = world.node(object);
  return node?.parent?.parent?.children.get(what)?.children.get(node.segment)?.object ?? -1;
}
