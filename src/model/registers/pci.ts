import type { Register } from '../register.ts';
import { bit, bits, register, reserved } from './layout.ts';

/** Requester ID of a function (its BDF without the segment), 16 bits, as it stands in TLPs and in IRTEs. */
export const pciRequester = register('Requester ID', 16, 'Which function sent a request.', 'PCIe Base 2.2.6.2', [
  bits('function', 2, 0, 'RO', 'Function number.'),
  bits('device', 7, 3, 'RO', 'Device number.'),
  bits('bus', 15, 8, 'RO', 'Bus number.'),
]);

/** `type` of a memory BAR of 64 bits: the next BAR holds the upper half of its address. */
export const BAR_64BIT = 2;

/** Base Address Register of memory space, config offset 0x10 + 4n, 32 bits. */
export const pciBar = register(
  'PCI BAR (memory)',
  32,
  'Where a region of the function lies; all ones written and read back tell its size.',
  'PCI 3.0 6.2.5.1; include/uapi/linux/pci_regs.h PCI_BASE_ADDRESS_0',
  [
    bit('space', 0, 'RO', 'Which address space.', { values: { 0: 'memory', 1: 'I/O' } }),
    bits('type', 2, 1, 'RO', 'Width of the address.', { values: { 0: '32 bits', [BAR_64BIT]: '64 bits' } }),
    bit('prefetchable', 3, 'RO', 'Reads have no side effects.'),
    bits('base', 31, 4, 'RW', 'Bits 31:4 of the address; those below the size read 0.'),
  ],
);

/** Identifiers of the capabilities that send messages, and of those that can reset a function. */
export const CAPABILITY = { msi: 0x05, exp: 0x10, msix: 0x11, af: 0x13 } as const;

/** First two bytes of a capability in the config space below 0x100, 16 bits. */
export const pciCapability = register(
  'PCI capability header',
  16,
  'What a capability is, and where the next one lies.',
  'PCIe Base 7.5.3.1, 7.7.1.1, 7.7.2.1; include/uapi/linux/pci_regs.h PCI_CAP_LIST_ID, PCI_CAP_LIST_NEXT',
  [
    bits('id', 7, 0, 'RO', 'Capability ID.', { values: { [CAPABILITY.msi]: 'MSI', [CAPABILITY.msix]: 'MSI-X' } }),
    bits('next', 15, 8, 'RO', 'Config offset of the next capability; 0 ends the list.'),
  ],
);

/** The first four bytes of a capability: its header, and its Message Control. */
export const capabilityHead = (id: number, next: number, control: number): number =>
  (pciCapability.f.id.put(id) | pciCapability.f.next.put(next) | (control << pciCapability.width)) >>> 0;

/** PCI Command register, config space offset 0x04, 16 bits. */
export const pciCommand = register(
  'PCI Command',
  16,
  'What the function may do on the bus.',
  'PCIe Base 7.5.1.1.3; include/uapi/linux/pci_regs.h PCI_COMMAND',
  [
    bit('io', 0, 'RW', 'I/O space decode: the function answers I/O accesses.', { reset: 0 }),
    bit(
      'memory',
      1,
      'RW',
      'Memory space decode. While 0, the MSI-X table and PBA do not answer: reads return all ones, writes are lost.',
      { reset: 0 },
    ),
    bit('busMaster', 2, 'RW', 'The function may issue memory requests. While 0 it cannot send MSI or MSI-X messages.', {
      reset: 0,
    }),
    bit('specialCycles', 3, 'RO', 'Special cycles; hard-wired 0 on PCIe.'),
    bit('mwi', 4, 'RO', 'Memory write and invalidate; hard-wired 0 on PCIe.'),
    bit('vgaSnoop', 5, 'RO', 'VGA palette snoop; hard-wired 0 on PCIe.'),
    bit('parity', 6, 'RW', 'Parity error response.', { reset: 0 }),
    bit('wait', 7, 'RO', 'IDSEL stepping; hard-wired 0 on PCIe.'),
    bit('serr', 8, 'RW', 'SERR# enable: report errors to the root complex.', { reset: 0 }),
    bit('fastBack', 9, 'RO', 'Fast back-to-back; hard-wired 0 on PCIe.'),
    bit('intxDisable', 10, 'RW', 'The function must not assert INTx. Linux sets it while MSI or MSI-X is enabled.', {
      reset: 0,
    }),
    reserved(15, 11, 'RsvdP'),
  ],
);

/** Device Capabilities of the PCI Express capability, offset +4, 32 bits. */
export const expCapabilities = register(
  'PCIe Device Capabilities',
  32,
  'What the function can do on a PCI Express link.',
  'PCIe Base 7.5.3.3; include/uapi/linux/pci_regs.h PCI_EXP_DEVCAP',
  [
    bits('payload', 2, 0, 'RO', 'Largest payload, as a power of two times 128 bytes.'),
    bits('phantom', 4, 3, 'RO', 'Phantom functions.'),
    bit('extendedTag', 5, 'RO', 'Tags of 8 bits.'),
    bits('latencyL0s', 8, 6, 'RO', 'Acceptable latency of L0s.'),
    bits('latencyL1', 11, 9, 'RO', 'Acceptable latency of L1.'),
    reserved(14, 12, 'RsvdP'),
    bit('roleBased', 15, 'RO', 'Role-based error reporting.'),
    reserved(17, 16, 'RsvdP'),
    bits('powerLimit', 25, 18, 'RO', 'Slot power limit, value.'),
    bits('powerScale', 27, 26, 'RO', 'Slot power limit, scale.'),
    bit('flr', 28, 'RO', 'The function can be reset alone (Function Level Reset).'),
    reserved(31, 29, 'RsvdP'),
  ],
);

/** Device Control of the PCI Express capability, offset +8, 16 bits. */
export const expControl = register(
  'PCIe Device Control',
  16,
  'How the function behaves on its link; bit 15 resets it.',
  'PCIe Base 7.5.3.4; include/uapi/linux/pci_regs.h PCI_EXP_DEVCTL',
  [
    bits('errors', 3, 0, 'RW', 'Which errors are reported: correctable, non-fatal, fatal, unsupported request.'),
    bit('relaxed', 4, 'RW', 'Relaxed ordering.'),
    bits('payload', 7, 5, 'RW', 'Largest payload, as a power of two times 128 bytes.'),
    bit('extendedTag', 8, 'RW', 'Tags of 8 bits.'),
    bit('phantom', 9, 'RW', 'Phantom functions.'),
    bit('auxPower', 10, 'RW', 'Auxiliary power.'),
    bit('noSnoop', 11, 'RW', 'No snoop.'),
    bits('readRequest', 14, 12, 'RW', 'Largest read request, as a power of two times 128 bytes.'),
    bit('reset', 15, 'RW', 'Writing 1 starts a Function Level Reset; reads 0.'),
  ],
);

/** The Advanced Features capability of conventional PCI, from offset +3 on: its capabilities and its control, 16 bits. */
export const advancedFeatures = register(
  'PCI Advanced Features',
  16,
  'Function Level Reset for functions without a PCI Express capability.',
  'PCI Advanced Capabilities ECN; include/uapi/linux/pci_regs.h PCI_AF_CAP, PCI_AF_CTRL',
  [
    bit('pending', 0, 'RO', 'Transactions Pending is there.'),
    bit('flr', 1, 'RO', 'The function can be reset alone.'),
    reserved(7, 2, 'RsvdP'),
    bit('reset', 8, 'RW', 'Writing 1 starts a Function Level Reset; reads 0.'),
    reserved(15, 9, 'RsvdP'),
  ],
);

/** Header layout of a bridge between buses, which holds bus numbers where others have BARs. */
export const BRIDGE_HEADER = 1;

/** Header Type, config offset 0x0e, 8 bits. */
export const headerType = register(
  'PCI Header Type',
  8,
  'What the rest of the header holds.',
  'PCIe Base 7.5.1.1.9; include/uapi/linux/pci_regs.h PCI_HEADER_TYPE',
  [
    bits('layout', 6, 0, 'RO', 'Layout of the header.', { values: { 0: 'function', [BRIDGE_HEADER]: 'bridge' } }),
    bit('multi', 7, 'RO', 'The device has more functions than this one.'),
  ],
);

/** The bus numbers of a bridge, config offset 0x18 of a type 1 header, 32 bits. */
export const bridgeBuses = register(
  'PCI bridge bus numbers',
  32,
  'Which buses lie behind a bridge.',
  'PCIe Base 7.5.1.3; include/uapi/linux/pci_regs.h PCI_PRIMARY_BUS',
  [
    bits('primary', 7, 0, 'RW', 'Bus that the bridge is on.'),
    bits('secondary', 15, 8, 'RW', 'Bus right behind it; 0 while none was given.', { reset: 0 }),
    bits('subordinate', 23, 16, 'RW', 'Highest bus number behind it.', { reset: 0 }),
    bits('latency', 31, 24, 'RO', 'Secondary latency timer; 0 on PCIe.'),
  ],
);

/** Bridge Control, config offset 0x3e of a type 1 header, 16 bits. */
export const bridgeControl = register(
  'PCI Bridge Control',
  16,
  'How a bridge treats the bus behind it; bit 6 resets that.',
  'PCIe Base 7.5.1.3.13; include/uapi/linux/pci_regs.h PCI_BRIDGE_CONTROL',
  [
    bit('parity', 0, 'RW', 'Parity error response on the secondary side.', { reset: 0 }),
    bit('serr', 1, 'RW', 'Errors of the secondary side are passed on.', { reset: 0 }),
    bit('isa', 2, 'RW', 'ISA enable.', { reset: 0 }),
    bits('vga', 4, 3, 'RW', 'VGA addresses are passed on; with 16 bits decoded.', { reset: 0 }),
    bit('masterAbort', 5, 'RO', 'Master abort mode; 0 on PCIe.'),
    bit('reset', 6, 'RW', 'While 1, everything behind the bridge is in reset.', { reset: 0 }),
    reserved(15, 7, 'RsvdP'),
  ],
);

/** MSI-X Message Control, capability offset +2, 16 bits. */
export const msixControl = register(
  'MSI-X Message Control',
  16,
  'Enable and function mask of MSI-X, and the size of the table.',
  'PCIe Base 7.7.2.2; include/uapi/linux/pci_regs.h PCI_MSIX_FLAGS',
  [
    bits('size', 10, 0, 'RO', 'Number of table entries minus one.'),
    reserved(13, 11, 'RsvdP'),
    bit('fmask', 14, 'RW', 'Function mask: every vector is masked, whatever its own mask bit says.', { reset: 0 }),
    bit('enable', 15, 'RW', 'MSI-X enable: the function uses MSI-X and must not use INTx or MSI.', { reset: 0 }),
  ],
);

const place = (what: string) => [
  bits('bir', 2, 0, 'RO', `Number of the BAR (0 to 5) that holds the ${what}.`),
  bits('offset', 31, 3, 'RO', `Offset of the ${what} in that BAR, in units of 8 bytes.`),
];

/** The bits of Message Control that software writes, as one value. */
export const msixControlBits = (enable: boolean, fmask: boolean): number =>
  (enable ? msixControl.f.enable.mask : 0) | (fmask ? msixControl.f.fmask.mask : 0);

/** Entries that an MSI-X table can have: `size` is their number minus one. */
export const MSIX_ENTRIES = msixControl.f.size.max + 1;

/** MSI-X Table Offset / BIR, capability offset +4, 32 bits. */
export const msixTable = register(
  'MSI-X Table Offset/BIR',
  32,
  'Where the MSI-X table lies.',
  'PCIe Base 7.7.2.3; include/uapi/linux/pci_regs.h PCI_MSIX_TABLE',
  place('table'),
);

/** MSI-X PBA Offset / BIR, capability offset +8, 32 bits. */
export const msixPba = register(
  'MSI-X PBA Offset/BIR',
  32,
  'Where the pending bit array lies.',
  'PCIe Base 7.7.2.4; include/uapi/linux/pci_regs.h PCI_MSIX_PBA',
  place('pending bit array'),
);

/** The offset in bytes that a Table Offset/BIR or PBA Offset/BIR register holds; its field counts units of 8 bytes. */
export const offsetBytes = (word: number): number => (word & msixTable.f.offset.mask) >>> 0;

/** Message Address of an MSI-X table entry: lower dword at +0, upper at +4. */
export const msixAddress = register(
  'MSI-X Message Address',
  64,
  'Where the message is written. What its bits mean is decided by the irq domain underneath.',
  'PCIe Base 7.7.2.5, 7.7.2.6; include/uapi/linux/pci_regs.h PCI_MSIX_ENTRY_LOWER_ADDR',
  [
    reserved(1, 0, 'RsvdZ', 'Must be 0: the address is aligned to a dword.'),
    bits('lower', 31, 2, 'RW', 'Message Address bits 31:2, shown as an address: bits 1:0 are 0.', { address: true }),
    bits('upper', 63, 32, 'RW', 'Message Upper Address; 0 means a 32-bit address.'),
  ],
);

/** Message Data of an MSI-X table entry, at +8, 32 bits. */
export const msixData = register(
  'MSI-X Message Data',
  32,
  'The dword that is written. What its bits mean is decided by the irq domain underneath.',
  'PCIe Base 7.7.2.7; include/uapi/linux/pci_regs.h PCI_MSIX_ENTRY_DATA',
  [bits('data', 31, 0, 'RW', 'Message data.')],
);

/** Vector Control of an MSI-X table entry, at +0xc, 32 bits. */
export const msixVectorControl = register(
  'MSI-X Vector Control',
  32,
  'The mask bit of one vector.',
  'PCIe Base 7.7.2.8; include/uapi/linux/pci_regs.h PCI_MSIX_ENTRY_VECTOR_CTRL',
  [
    bit('mask', 0, 'RW', 'The function must not send this message; a cause sets the pending bit instead.', {
      reset: 1,
      values: { 0: 'unmasked', 1: 'masked' },
    }),
    reserved(15, 1, 'RsvdP', 'Reserved; software must preserve it.'),
    bits('stLower', 23, 16, 'RW', 'TPH steering tag, lower byte, where the tags lie in the table; else reserved.'),
    bits('stUpper', 31, 24, 'RW', 'TPH steering tag, upper byte, where the tags lie in the table; else reserved.'),
  ],
);

/** Bytes of an entry of an MSI-X table: address, data, Vector Control. IMS entries in device memory are laid out alike. */
export const ENTRY_BYTES = 16;

/** Vector Control as software writes it, steering tag and reserved bits 0. */
export const vectorControl = (masked: boolean): number => (masked ? msixVectorControl.f.mask.mask : 0);

/** MSI Message Control, capability offset +2, 16 bits. */
export const msiControl = register(
  'MSI Message Control',
  16,
  'Enable and features of MSI; its bits 7 and 8 decide the layout of the rest of the capability.',
  'PCIe Base 7.7.1.2; include/uapi/linux/pci_regs.h PCI_MSI_FLAGS',
  [
    bit('enable', 0, 'RW', 'MSI enable: the function uses MSI and must not use INTx.', { reset: 0 }),
    bits('multipleCapable', 3, 1, 'RO', 'Vectors that the function asks for, as a power of two (0 to 5).'),
    bits('multipleEnable', 6, 4, 'RW', 'Vectors that software granted, as a power of two (0 to 5).', { reset: 0 }),
    bit('address64', 7, 'RO', 'The capability has an upper address dword; data moves to +0xc.'),
    bit('maskable', 8, 'RO', 'Per-vector masking: the capability has mask and pending dwords.'),
    bit('extendedCapable', 9, 'RO', 'Extended (32-bit) message data is supported.'),
    bit('extendedEnable', 10, 'RW', 'Extended (32-bit) message data is used.', { reset: 0 }),
    reserved(15, 11, 'RsvdP'),
  ],
);

/** Vectors that an MSI function has at most (PCIe 7.7.1.2). */
export const MSI_VECTORS = 32;

/** MSI Message Address: lower dword at +4, upper at +8 of the capability when it is the 64-bit kind. */
export const msiAddress: typeof msixAddress = {
  ...msixAddress,
  name: 'MSI Message Address',
  spec: 'PCIe Base 7.7.1.3, 7.7.1.4; include/uapi/linux/pci_regs.h PCI_MSI_ADDRESS_LO',
};

/** MSI Message Data, 16 bits, at +8 (32-bit kind) or +0xc (64-bit kind). */
export const msiData = register(
  'MSI Message Data',
  16,
  'The message data of vector 0; with several vectors the function replaces its low bits by the vector number.',
  'PCIe Base 7.7.1.5; include/uapi/linux/pci_regs.h PCI_MSI_DATA_32',
  [bits('data', 15, 0, 'RW', 'Message data.')],
);

const perVector = (name: string, meaning: string, access: 'RW' | 'HW', spec: string): Register<'vectors'> =>
  register(name, 32, meaning, spec, [bits('vectors', 31, 0, access, 'Bit n belongs to vector n.', { reset: 0 })]);

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
