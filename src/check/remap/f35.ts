import { faultRule } from './fault.ts';

/** F35. */
export const sendsValidMessages = faultRule(
  {
    id: 'F35',
    names: ['INV-RANGE'],
    title: 'Message or entry that the unit cannot read',
    meaning:
      'Messages name entries inside the table, without reserved bits; entries are readable and have no reserved bits.',
    reference: 'VT-d 5.1.4.1 (faults 0x20, 0x21, 0x23, 0x24, 0x27, 0x28)',
    confirm:
      'the message that the device holds (lspci -vvv, kprobe on __pci_write_msi_msg) and the table entry (ir_translation_struct)',
  },
  [0x20, 0x21, 0x23, 0x24, 0x27, 0x28],
  /reserved bits|the table has \d+ entries|BIT|guest mode|target abort|could not remap|invalid/i,
  {
    did: (entry, index) =>
      index === undefined
        ? `sent a message that ${entry} refused`
        : `sent a message for index ${index} that ${entry} refused`,
  },
);
