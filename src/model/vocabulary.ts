import type { AppliedEvent, EventKind } from './event.ts';
import { apicEvents } from './events/apic.ts';
import { gicv4Events } from './events/arm/gicv4.ts';
import { nestedEvents } from './events/arm/nested.ts';
import { cpuEvents } from './events/cpu.ts';
import { domainEvents } from './events/domain.ts';
import { functionEvents } from './events/function.ts';
import { hypervisorEvents } from './events/hypervisor.ts';
import { imsEvents } from './events/ims.ts';
import { ioapicEvents } from './events/ioapic.ts';
import { iommufdEvents } from './events/iommufd.ts';
import { irqEvents } from './events/irq.ts';
import { itsEvents } from './events/its.ts';
import { matrixEvents } from './events/matrix.ts';
import { msixEvents } from './events/msix.ts';
import { noteEvents } from './events/notes.ts';
import { outcomeEvents } from './events/outcome.ts';
import { pciEvents } from './events/pci.ts';
import { aplicEvents } from './events/platform/aplic.ts';
import { avicEvents } from './events/platform/avic.ts';
import { eraEvents } from './events/platform/eras.ts';
import { imsicEvents } from './events/platform/imsic.ts';
import { tdxEvents } from './events/platform/tdx.ts';
import { xenEvents } from './events/platform/xen.ts';
import { postedEvents } from './events/posted.ts';
import { queueEvents } from './events/queue.ts';
import { remapEvents } from './events/remap.ts';
import { smmuEvents } from './events/smmu.ts';
import { snapResync } from './events/snapshot/resync.ts';
import { snapshotEvents } from './events/snapshot/snapshot.ts';
import { vectorEvents } from './events/vector.ts';
import { vfioEvents } from './events/vfio.ts';
import { virtEvents } from './events/virt.ts';
import type { State } from './state.ts';

/** All event kinds. A kind's number is its place here; it is used in memory only and never written to a file. */
export const vocabulary: readonly EventKind[] = [
  ...pciEvents,
  ...functionEvents,
  ...msixEvents,
  ...vectorEvents,
  ...irqEvents,
  ...domainEvents,
  ...cpuEvents,
  ...matrixEvents,
  ...remapEvents,
  ...itsEvents,
  ...gicv4Events,
  ...smmuEvents,
  ...apicEvents,
  ...ioapicEvents,
  ...virtEvents,
  ...postedEvents,
  ...avicEvents,
  ...eraEvents,
  ...tdxEvents,
  ...imsicEvents,
  ...aplicEvents,
  ...xenEvents,
  ...hypervisorEvents,
  ...vfioEvents,
  ...imsEvents,
  ...iommufdEvents,
  ...nestedEvents,
  ...queueEvents,
  ...outcomeEvents,
  ...snapshotEvents,
  snapResync,
  ...noteEvents,
];

for (const [i, kind] of vocabulary.entries()) kind.number = i;

const byName = new Map<string, EventKind>(vocabulary.map((kind) => [kind.name, kind]));

/** The kind with that name. */
export function kindNamed(name: string): EventKind | undefined {
  return byName.get(name);
}

/**
 * Applies one event to a state. Total: it accepts every event of the vocabulary in every state, in any order, and
 * never throws. An event about an object of another type than its kind expects changes nothing.
 */
export function apply(state: State, kind: EventKind, event: AppliedEvent): void {
  if (kind.apply === undefined) return;
  const { world } = state;
  const type = world.type(event.object);
  if (world.systems > 1) state.here = world.spaceOf(event.object);
  for (let i = 0; i < kind.on.length; i++) {
    if (kind.on[i] === type) {
      kind.apply(state, event);
      return;
    }
  }
}
