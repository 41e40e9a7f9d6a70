import { eventKind } from '../../event.ts';
import { device } from '../../things/pci.ts';

/** Object: the function. */
export const msixRefused = eventKind(
  'msix.refused',
  'allocate',
  [device],
  'The kernel did not add an MSI-X entry to those that a driver has (pci_msix_alloc_irq_at); `ret` is a negative errno.',
  { index: 'u', ret: 'i' },
);

export const eraEvents = [msixRefused];
