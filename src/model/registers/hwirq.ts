import { bits, register, reserved } from './layout.ts';
import { pciRequester } from './pci.ts';

/** Hardware irq number of an interrupt in a PCI/MSI domain that all devices share (Linux before 6.2), 64 bits. Not a hardware register. */
export const pciMsiHwirq = register(
  'PCI-MSI hwirq',
  64,
  'The number under which /proc/interrupts shows an interrupt of a domain of all devices: PCI-MSI, IR-PCI-MSI, ITS-MSI. ' +
    'Domains of one device (since Linux 6.2) use the table index alone.',
  'drivers/pci/msi/irqdomain.c pci_msi_domain_calc_hwirq',
  [
    bits('index', 10, 0, 'RO', 'MSI-X table entry, or number within a multi-MSI block.'),
    bits('requester', 26, 11, 'RO', 'Requester ID: bus, device and function.'),
    bits('segment', 58, 27, 'RO', 'PCI segment; those behind a VMD controller are 0x10000 and above.'),
    reserved(63, 59),
  ],
);

/** The function that a hwirq of a shared PCI/MSI domain names, as segment, bus, device and function number. */
export function pciMsiFunction(lo: number, hi: number): readonly [number, number, number, number] {
  const requester = pciMsiHwirq.f.requester.of(lo, hi);
  const { bus, device, function: fn } = pciRequester.f;
  return [pciMsiHwirq.f.segment.of(lo, hi), bus.of(requester), device.of(requester), fn.of(requester)];
}

/** Hardware irq number of an interrupt in the AMD-IR domains of Linux, 32 bits. Not a hardware register. */
export const amdIrHwirq = register(
  'AMD-IR hwirq',
  32,
  'The number under which /sys/kernel/debug/irq shows an interrupt in the domain AMD-IR-<unit>.',
  'drivers/iommu/amd/iommu.c irq_remapping_alloc',
  [
    bits('sub', 15, 0, 'RO', 'Number within a multi-MSI block; 0 with MSI-X.'),
    bits('requester', 31, 16, 'RO', 'Requester ID of the device, whose own table holds the entry.'),
  ],
);
