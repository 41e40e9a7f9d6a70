import { faultRule } from './fault.ts';

/** F33. The index in such a record means nothing (FA7): no entry is named. */
export const sendsRemappableFormat = faultRule(
  {
    id: 'F33',
    names: ['INV-FMT'],
    title: 'Compatibility format message was blocked',
    meaning: 'Where interrupts are remapped, devices send messages in remappable format (address bit 4 set).',
    reference: 'VT-d 5.1.2.1 and 5.1.4.1 (fault 0x25)',
    confirm:
      'the MSI domain of the device in /sys/kernel/debug/irq/irqs/<n> (is INTEL-IR below it?), and the message that the device holds (lspci -vvv, kprobe on __pci_write_msi_msg)',
  },
  [0x25],
  /compat/i,
  { did: (entry) => `sent a message in compatibility format, which ${entry} blocked`, named: false },
);
