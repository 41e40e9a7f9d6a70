// Groups of event kinds that several rules look at.
import type { EventKind, Role } from '../model/event.ts';
import { devRaise, devWithdraw, msgSend } from '../model/events/msix.ts';
import { device, msixCap, msixEntry, table } from '../model/things/pci.ts';
import { vocabulary } from '../model/vocabulary.ts';

const WRITES: ReadonlySet<Role> = new Set<Role>(['store', 'configure', 'look', 'mask']);

/** What can change the mask, the pending bit or the decoding of an MSI-X entry, or show it: accesses, resets, mappings. */
export const tableKinds: readonly EventKind[] = vocabulary.filter(
  ({ role, on }) => WRITES.has(role) && on.some((type) => [device, msixCap, msixEntry, table].includes(type as never)),
);

/** What happens to an MSI-X entry when a cause arises. */
export const causeKinds: readonly EventKind[] = [devRaise, devWithdraw, msgSend];
