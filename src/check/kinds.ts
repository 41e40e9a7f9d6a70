// Groups of event kinds that several rules look at.
import type { EventKind, Role } from '../model/event.ts';
import { devRaise, devWithdraw, msgSend } from '../model/events/msix.ts';
import { vfioFire } from '../model/events/vfio.ts';
import { irqfdWakeup, kvmMsi } from '../model/events/virt.ts';
import { device, msixCap, msixEntry, table } from '../model/things/pci.ts';
import { vocabulary } from '../model/vocabulary.ts';

const WRITES: ReadonlySet<Role> = new Set<Role>(['store', 'configure', 'look', 'mask']);

/** What can change the mask, the pending bit or the decoding of an MSI-X entry, or show it: accesses, resets, mappings. */
export const tableKinds: readonly EventKind[] = vocabulary.filter(
  ({ role, on }) => WRITES.has(role) && on.some((type) => [device, msixCap, msixEntry, table].includes(type as never)),
);

/**
 * What an interrupt becomes where its message is no write on the bus: an eventfd behind a route, an injection, an interrupt that
 * the processor accepts.
 */
export const injectionKinds: readonly EventKind[] = [
  ...vocabulary.filter(({ role }) => role === 'deliver'),
  kvmMsi,
  irqfdWakeup,
  vfioFire,
];

/** What happens to an MSI-X entry when a cause arises. */
export const causeKinds: readonly EventKind[] = [devRaise, devWithdraw, msgSend];
