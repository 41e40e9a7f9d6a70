import type { Register } from '../register.ts';

/** PCI Command register, config space offset 0x04, 16 bits. */
export const pciCommand: Register = {
  name: 'PCI Command',
  width: 16,
  meaning: 'What the function may do on the bus.',
  spec: 'PCIe Base 7.5.1.1.3; include/uapi/linux/pci_regs.h PCI_COMMAND',
  fields: [
    {
      name: 'io',
      hi: 0,
      lo: 0,
      access: 'RW',
      reset: 0,
      meaning: 'I/O space decode: the function answers I/O accesses.',
    },
    {
      name: 'memory',
      hi: 1,
      lo: 1,
      access: 'RW',
      reset: 0,
      meaning:
        'Memory space decode. While 0, the MSI-X table and PBA do not answer: reads return all ones, writes are lost.',
    },
    {
      name: 'busMaster',
      hi: 2,
      lo: 2,
      access: 'RW',
      reset: 0,
      meaning: 'The function may issue memory requests. While 0 it cannot send MSI or MSI-X messages.',
    },
    { name: 'specialCycles', hi: 3, lo: 3, access: 'RO', meaning: 'Special cycles; hard-wired 0 on PCIe.' },
    { name: 'mwi', hi: 4, lo: 4, access: 'RO', meaning: 'Memory write and invalidate; hard-wired 0 on PCIe.' },
    { name: 'vgaSnoop', hi: 5, lo: 5, access: 'RO', meaning: 'VGA palette snoop; hard-wired 0 on PCIe.' },
    { name: 'parity', hi: 6, lo: 6, access: 'RW', reset: 0, meaning: 'Parity error response.' },
    { name: 'wait', hi: 7, lo: 7, access: 'RO', meaning: 'IDSEL stepping; hard-wired 0 on PCIe.' },
    { name: 'serr', hi: 8, lo: 8, access: 'RW', reset: 0, meaning: 'SERR# enable: report errors to the root complex.' },
    { name: 'fastBack', hi: 9, lo: 9, access: 'RO', meaning: 'Fast back-to-back; hard-wired 0 on PCIe.' },
    {
      name: 'intxDisable',
      hi: 10,
      lo: 10,
      access: 'RW',
      reset: 0,
      meaning: 'The function must not assert INTx. Linux sets it while MSI or MSI-X is enabled.',
    },
    { name: 'reserved', hi: 15, lo: 11, access: 'RsvdP', meaning: 'Reserved.' },
  ],
};

/** MSI-X Message Control, capability offset +2, 16 bits. */
export const msixControl: Register = {
  name: 'MSI-X Message Control',
  width: 16,
  meaning: 'Enable and function mask of MSI-X, and the size of the table.',
  spec: 'PCIe Base 7.7.2.2; include/uapi/linux/pci_regs.h PCI_MSIX_FLAGS',
  fields: [
    { name: 'size', hi: 10, lo: 0, access: 'RO', meaning: 'Number of table entries minus one.' },
    { name: 'reserved', hi: 13, lo: 11, access: 'RsvdP', meaning: 'Reserved.' },
    {
      name: 'fmask',
      hi: 14,
      lo: 14,
      access: 'RW',
      reset: 0,
      meaning: 'Function mask: every vector is masked, whatever its own mask bit says.',
    },
    {
      name: 'enable',
      hi: 15,
      lo: 15,
      access: 'RW',
      reset: 0,
      meaning: 'MSI-X enable: the function uses MSI-X and must not use INTx or MSI.',
    },
  ],
};

const bir = (what: string): Register['fields'] => [
  { name: 'bir', hi: 2, lo: 0, access: 'RO', meaning: `Number of the BAR (0 to 5) that holds the ${what}.` },
  { name: 'offset', hi: 31, lo: 3, access: 'RO', meaning: `Offset of the ${what} in that BAR, in units of 8 bytes.` },
];

/** MSI-X Table Offset / BIR, capability offset +4, 32 bits. */
export const msixTable: Register = {
  name: 'MSI-X Table Offset/BIR',
  width: 32,
  meaning: 'Where the MSI-X table lies.',
  spec: 'PCIe Base 7.7.2.3; include/uapi/linux/pci_regs.h PCI_MSIX_TABLE',
  fields: bir('table'),
};

/** MSI-X PBA Offset / BIR, capability offset +8, 32 bits. */
export const msixPba: Register = {
  name: 'MSI-X PBA Offset/BIR',
  width: 32,
  meaning: 'Where the pending bit array lies.',
  spec: 'PCIe Base 7.7.2.4; include/uapi/linux/pci_regs.h PCI_MSIX_PBA',
  fields: bir('pending bit array'),
};

/** Message Address of an MSI-X table entry: lower dword at +0, upper at +4. */
export const msixAddress: Register = {
  name: 'MSI-X Message Address',
  width: 64,
  meaning: 'Where the message is written. What its bits mean is decided by the irq domain underneath.',
  spec: 'PCIe Base 7.7.2.5, 7.7.2.6; include/uapi/linux/pci_regs.h PCI_MSIX_ENTRY_LOWER_ADDR',
  fields: [
    { name: 'reserved', hi: 1, lo: 0, access: 'RsvdZ', meaning: 'Must be 0: the address is aligned to a dword.' },
    { name: 'lower', hi: 31, lo: 2, access: 'RW', meaning: 'Message Address bits 31:2.' },
    { name: 'upper', hi: 63, lo: 32, access: 'RW', meaning: 'Message Upper Address; 0 means a 32-bit address.' },
  ],
};

/** Message Data of an MSI-X table entry, at +8, 32 bits. */
export const msixData: Register = {
  name: 'MSI-X Message Data',
  width: 32,
  meaning: 'The dword that is written. What its bits mean is decided by the irq domain underneath.',
  spec: 'PCIe Base 7.7.2.7; include/uapi/linux/pci_regs.h PCI_MSIX_ENTRY_DATA',
  fields: [{ name: 'data', hi: 31, lo: 0, access: 'RW', meaning: 'Message data.' }],
};

/** Vector Control of an MSI-X table entry, at +0xc, 32 bits. */
export const msixVectorControl: Register = {
  name: 'MSI-X Vector Control',
  width: 32,
  meaning: 'The mask bit of one vector.',
  spec: 'PCIe Base 7.7.2.8; include/uapi/linux/pci_regs.h PCI_MSIX_ENTRY_VECTOR_CTRL',
  fields: [
    {
      name: 'mask',
      hi: 0,
      lo: 0,
      access: 'RW',
      reset: 1,
      meaning: 'The function must not send this message; a cause sets the pending bit instead.',
      values: { 0: 'unmasked', 1: 'masked' },
    },
    { name: 'reserved', hi: 15, lo: 1, access: 'RsvdP', meaning: 'Reserved; software must preserve it.' },
    {
      name: 'stLower',
      hi: 23,
      lo: 16,
      access: 'RW',
      meaning: 'TPH steering tag, lower byte, where the tags lie in the table; else reserved.',
    },
    {
      name: 'stUpper',
      hi: 31,
      lo: 24,
      access: 'RW',
      meaning: 'TPH steering tag, upper byte, where the tags lie in the table; else reserved.',
    },
  ],
};

/** MSI Message Control, capability offset +2, 16 bits. */
export const msiControl: Register = {
  name: 'MSI Message Control',
  width: 16,
  meaning: 'Enable and features of MSI; its bits 7 and 8 decide the layout of the rest of the capability.',
  spec: 'PCIe Base 7.7.1.2; include/uapi/linux/pci_regs.h PCI_MSI_FLAGS',
  fields: [
    {
      name: 'enable',
      hi: 0,
      lo: 0,
      access: 'RW',
      reset: 0,
      meaning: 'MSI enable: the function uses MSI and must not use INTx.',
    },
    {
      name: 'multipleCapable',
      hi: 3,
      lo: 1,
      access: 'RO',
      meaning: 'Vectors that the function asks for, as a power of two (0 to 5).',
    },
    {
      name: 'multipleEnable',
      hi: 6,
      lo: 4,
      access: 'RW',
      reset: 0,
      meaning: 'Vectors that software granted, as a power of two (0 to 5).',
    },
    {
      name: 'address64',
      hi: 7,
      lo: 7,
      access: 'RO',
      meaning: 'The capability has an upper address dword; data moves to +0xc.',
    },
    {
      name: 'maskable',
      hi: 8,
      lo: 8,
      access: 'RO',
      meaning: 'Per-vector masking: the capability has mask and pending dwords.',
    },
    { name: 'extendedCapable', hi: 9, lo: 9, access: 'RO', meaning: 'Extended (32-bit) message data is supported.' },
    {
      name: 'extendedEnable',
      hi: 10,
      lo: 10,
      access: 'RW',
      reset: 0,
      meaning: 'Extended (32-bit) message data is used.',
    },
    { name: 'reserved', hi: 15, lo: 11, access: 'RsvdP', meaning: 'Reserved.' },
  ],
};

/** MSI Message Address: lower dword at +4, upper at +8 of the capability when it is the 64-bit kind. */
export const msiAddress: Register = {
  ...msixAddress,
  name: 'MSI Message Address',
  spec: 'PCIe Base 7.7.1.3, 7.7.1.4; include/uapi/linux/pci_regs.h PCI_MSI_ADDRESS_LO',
};

/** MSI Message Data, 16 bits, at +8 (32-bit kind) or +0xc (64-bit kind). */
export const msiData: Register = {
  name: 'MSI Message Data',
  width: 16,
  meaning:
    'The message data of vector 0; with several vectors the function replaces its low bits by the vector number.',
  spec: 'PCIe Base 7.7.1.5; include/uapi/linux/pci_regs.h PCI_MSI_DATA_32',
  fields: [{ name: 'data', hi: 15, lo: 0, access: 'RW', meaning: 'Message data.' }],
};

const perVector = (name: string, meaning: string, access: 'RW' | 'HW', spec: string): Register => ({
  name,
  width: 32,
  meaning,
  spec,
  fields: [{ name: 'vectors', hi: 31, lo: 0, access, reset: 0, meaning: 'Bit n belongs to vector n.' }],
});

/** MSI Mask Bits, 32 bits, at +0xc (32-bit kind) or +0x10 (64-bit kind), when the capability is maskable. */
export const msiMask = perVector(
  'MSI Mask Bits',
  'Vectors that must not be sent.',
  'RW',
  'PCIe Base 7.7.1.7; PCI_MSI_MASK_32',
);

/** MSI Pending Bits, 32 bits, right behind the mask bits. */
export const msiPending = perVector(
  'MSI Pending Bits',
  'Vectors with a cause that waits for the mask bit.',
  'HW',
  'PCIe Base 7.7.1.8; PCI_MSI_PENDING_32',
);
