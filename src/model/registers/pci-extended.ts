import { bit, bits, register, reserved } from './layout.ts';

/** PCI Status register, config space offset 0x06, 16 bits. */
export const pciStatus = register(
  'PCI Status',
  16,
  'What the function reports: whether it has capabilities, its INTx line, errors.',
  'PCIe Base 7.5.1.1.4; include/uapi/linux/pci_regs.h PCI_STATUS',
  [
    bit('immediate', 0, 'RO', 'Immediate readiness.'),
    reserved(2, 1),
    bit('intx', 3, 'HW', 'INTx is pending in the function, whatever INTx Disable says.'),
    bit('capabilities', 4, 'RO', 'The function has a list of capabilities.'),
    bit('mhz66', 5, 'RO', '66 MHz; 0 on PCIe.'),
    reserved(6, 6),
    bit('fastBack', 7, 'RO', 'Fast back-to-back; 0 on PCIe.'),
    bits('errors', 15, 8, 'HW', 'Errors: parity, DEVSEL timing, aborts, SERR#.'),
  ],
);

/** Identifiers of extended capabilities (PCIe Base 7.9; include/uapi/linux/pci_regs.h PCI_EXT_CAP_ID_*). */
export const EXTENDED = { ats: 0x0f, sriov: 0x10, pri: 0x13, pasid: 0x1b, dvsec: 0x23 } as const;

/** First four bytes of a capability in the config space from 0x100 on, 32 bits. */
export const extendedCapability = register(
  'PCI extended capability header',
  32,
  'What an extended capability is, and where the next one lies.',
  'PCIe Base 7.6.3; include/uapi/linux/pci_regs.h PCI_EXT_CAP_ID',
  [
    bits('id', 15, 0, 'RO', 'Capability ID.', {
      values: {
        [EXTENDED.ats]: 'ATS',
        [EXTENDED.sriov]: 'SR-IOV',
        [EXTENDED.pri]: 'PRI',
        [EXTENDED.pasid]: 'PASID',
        [EXTENDED.dvsec]: 'DVSEC',
      },
    }),
    bits('version', 19, 16, 'RO', 'Version of the capability.'),
    bits('next', 31, 20, 'RO', 'Config offset of the next extended capability; 0 ends the list.'),
  ],
);

/** ATS Control, capability offset +6, 16 bits. */
export const atsControl = register(
  'ATS Control',
  16,
  'Whether the function translates addresses itself and keeps the translations.',
  'PCIe Base 10.5.1.3; include/uapi/linux/pci_regs.h PCI_ATS_CTRL',
  [
    bits('unit', 4, 0, 'RW', 'Smallest translation unit, as a power of two times 4096 bytes.'),
    reserved(14, 5, 'RsvdP'),
    bit('enable', 15, 'RW', 'The function may cache translations.', { reset: 0 }),
  ],
);

/** Page Request Control, capability offset +4, 16 bits. */
export const priControl = register(
  'Page Request Control',
  16,
  'Whether the function may ask for pages that are not present.',
  'PCIe Base 10.5.2.2; include/uapi/linux/pci_regs.h PCI_PRI_CTRL',
  [
    bit('enable', 0, 'RW', 'Page requests are enabled.', { reset: 0 }),
    bit('reset', 1, 'RW', 'Writing 1 clears the credit counter; reads 0.'),
    reserved(15, 2, 'RsvdP'),
  ],
);

/** PASID Control, capability offset +6, 16 bits. */
export const pasidControl = register(
  'PASID Control',
  16,
  'Whether requests of the function carry a process address space ID.',
  'PCIe Base 7.8.9.3; include/uapi/linux/pci_regs.h PCI_PASID_CTRL',
  [
    bit('enable', 0, 'RW', 'Requests may carry a PASID.', { reset: 0 }),
    bit('execute', 1, 'RW', 'Execute permission.', { reset: 0 }),
    bit('privileged', 2, 'RW', 'Privileged mode.', { reset: 0 }),
    reserved(15, 3, 'RsvdP'),
  ],
);

/** SR-IOV Control, capability offset +8, 16 bits. */
export const sriovControl = register(
  'SR-IOV Control',
  16,
  'Whether the virtual functions of a physical function are there and answer.',
  'PCIe Base 9.3.3.3; include/uapi/linux/pci_regs.h PCI_SRIOV_CTRL',
  [
    bit('enable', 0, 'RW', 'VF Enable: the virtual functions exist.', { reset: 0 }),
    bit('migration', 1, 'RW', 'VF migration.', { reset: 0 }),
    bit('migrationInterrupt', 2, 'RW', 'Interrupt of VF migration.', { reset: 0 }),
    bit('memory', 3, 'RW', 'VF Memory Space Enable: the BARs of the virtual functions answer.', { reset: 0 }),
    bit('ari', 4, 'RW', 'ARI capable hierarchy.', { reset: 0 }),
    bit('tag10', 5, 'RW', 'Tags of 10 bits.', { reset: 0 }),
    reserved(15, 6, 'RsvdP'),
  ],
);

/** DVSEC Header 1, capability offset +4, 32 bits. */
export const dvsecHeader = register(
  'DVSEC Header 1',
  32,
  'Who defined the registers of a designated vendor-specific capability.',
  'PCIe Base 7.9.6.2; include/uapi/linux/pci_regs.h PCI_DVSEC_HEADER1',
  [
    bits('vendor', 15, 0, 'RO', 'Vendor ID of the one who defined it.'),
    bits('revision', 19, 16, 'RO', 'Revision.'),
    bits('length', 31, 20, 'RO', 'Bytes of the capability.'),
  ],
);

/** Vendor and DVSEC ID of the capability of Scalable I/O Virtualization. */
export const SIOV = { vendor: 0x8086, id: 0x0005 } as const;

/** DVSEC Header 2, capability offset +8, 16 bits. */
export const dvsecId = register(
  'DVSEC Header 2',
  16,
  'Which capability of that vendor it is.',
  'PCIe Base 7.9.6.3; include/uapi/linux/pci_regs.h PCI_DVSEC_HEADER2',
  [bits('id', 15, 0, 'RO', 'DVSEC ID.')],
);

/** Capabilities of Scalable I/O Virtualization, offset +0x14 of its DVSEC, 32 bits. */
export const siovCapabilities = register(
  'SIOV Capabilities',
  32,
  'What the function offers for Scalable I/O Virtualization.',
  'Intel Scalable I/O Virtualization Technical Specification 3.1.1',
  [bit('ims', 0, 'RO', 'The function has an Interrupt Message Store (IMS).'), reserved(31, 1, 'RsvdP')],
);
