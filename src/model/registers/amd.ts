import type { Field } from '../field.ts';
import { bit, bits, layoutIf, register, reserved } from './layout.ts';
import { destModes } from './x86.ts';

const present = bit(
  'present',
  0,
  'RW',
  'RemapEn in the manual, valid in Linux: messages that name this entry are remapped, else aborted.',
);
const noFault = bit(
  'noFault',
  1,
  'RW',
  'SupIOPF: no IO_PAGE_FAULT event is logged when an interrupt is aborted because of this entry.',
);
const remapped = [
  bits('intType', 4, 2, 'RW', 'IntType: delivery mode of the remapped interrupt; other values are reserved.', {
    values: { 0: 'Fixed', 1: 'Arbitrated (lowest priority)' },
  }),
  bit('rqEoi', 5, 'RW', 'RqEoi: an EOI is requested, for level-triggered interrupts.'),
  bit('destMode', 6, 'RW', 'DM: how the destination is compared with the APIC ids.', { values: destModes }),
];

/** Interrupt remapping table entry of AMD-Vi in the 32-bit format. */
export const amdIrte32 = register(
  'AMD-Vi IRTE (32 bit)',
  32,
  'Where messages of one device that name this entry go. Each device has its own table.',
  'AMD IOMMU 2.2.5.2; drivers/iommu/amd/amd_iommu_types.h union irte',
  [
    present,
    noFault,
    ...remapped,
    bit('guestMode', 7, 'RW', 'GuestMode: must be 0 in this format.'),
    bits('dest', 15, 8, 'RW', 'Destination: APIC id, 8 bits.'),
    bits('vector', 23, 16, 'RW', 'Vector on the destination CPU.'),
    reserved(31, 24),
  ],
);

const guestMode = bit('guestMode', 7, 'RW', 'GuestMode: decides the layout of the low bits.', {
  values: { 0: 'remapped', 1: 'guest virtual APIC' },
});
const gaTail = [
  reserved(75, 72),
  bits(
    'gaRoot',
    115,
    76,
    'RW',
    'Bits 51:12 of the physical address of the vAPIC backing page. Not looked at while guestMode is 0.',
  ),
  reserved(119, 116),
  bits('destHigh', 127, 120, 'RW', 'Bits 31:24 of the APIC id (x2APIC).'),
];

/** Interrupt remapping table entry of AMD-Vi for a guest virtual APIC: the 128-bit format while guestMode is 1. */
export const amdGuestIrte = layoutIf(128, guestMode, [
  present,
  noFault,
  bit('gaLogIntr', 2, 'RW', 'GALogIntr: an entry of the GA log is written when the vCPU does not run.'),
  reserved(5, 3),
  bit('isRun', 6, 'RW', 'IsRun: the vCPU runs on the CPU named by dest.'),
  guestMode,
  bits(
    'dest',
    31,
    8,
    'RW',
    'Destination: bits 23:0 of the APIC id of the CPU that gets the doorbell while isRun is 1.',
  ),
  bits('gaTag', 63, 32, 'RW', 'GATag: what the GA log reports; KVM puts the numbers of the VM and of the vCPU in it.'),
  bits('vector', 71, 64, 'RW', 'Vector that the guest sees: its bit in the vAPIC page.'),
  ...gaTail,
]);

/** Interrupt remapping table entry of AMD-Vi in the 128-bit format (GA enabled), remapped or guest virtual APIC. */
export const amdIrte128 = register(
  'AMD-Vi IRTE (128 bit)',
  128,
  'Where messages of one device that name this entry go: to a CPU, or into the vAPIC page of a vCPU.',
  'AMD IOMMU 2.2.5.3; drivers/iommu/amd/amd_iommu_types.h struct irte_ga',
  [
    present,
    noFault,
    ...remapped,
    guestMode,
    bits('dest', 31, 8, 'RW', 'Destination: bits 23:0 of the APIC id.'),
    bits('gaTag', 63, 32, 'RW', 'Not looked at while guestMode is 0; Linux keeps it.'),
    bits('vector', 71, 64, 'RW', 'Vector on the destination CPU.'),
    ...gaTail,
  ],
  [amdGuestIrte],
);

const pass = <const N extends string>(name: N, at: number, what: string): Field<N> =>
  bit(name, at, 'RW', `${what} interrupts pass unmapped; else they are aborted.`);

/** Bits 191:128 of a device table entry of AMD-Vi, 64 bits: the interrupt half. Bit n here is bit 128 + n there. */
export const amdDteInterrupt = register(
  'AMD-Vi DTE, interrupts',
  64,
  "How a device's interrupts are remapped, and by which table.",
  'AMD IOMMU 2.2.2.1; drivers/iommu/amd/amd_iommu_types.h DTE_IRQ_*, DEV_ENTRY_*_PASS',
  [
    bit('present', 0, 'RW', 'IV: the interrupt fields are valid. While 0, interrupts pass unmapped.'),
    bits('tableLength', 4, 1, 'RW', 'IntTabLen: the table has 2^n entries, n at most 11.'),
    bit('ignoreUnmapped', 5, 'RW', 'IG: no event is logged for unmapped interrupts.'),
    bits('tableRoot', 51, 6, 'RW', 'Bits 51:6 of the physical address of the table.'),
    reserved(55, 52),
    pass('initPass', 56, 'INIT'),
    pass('extIntPass', 57, 'ExtINT'),
    pass('nmiPass', 58, 'NMI'),
    reserved(59, 59),
    bits('intCtl', 61, 60, 'RW', 'IntCtl: what happens to fixed and arbitrated interrupts.', {
      values: { 0: 'abort', 1: 'forward unmapped', 2: 'remap', 3: 'reserved' },
    }),
    pass('lint0Pass', 62, 'LINT0 (legacy PIC)'),
    pass('lint1Pass', 63, 'LINT1 (legacy NMI)'),
  ],
);

/** Message address below AMD-Vi, 64 bits; it selects nothing, the table entry is named by the data. */
export const amdAddress = register(
  'AMD-Vi MSI Address',
  64,
  'Marks the write as an interrupt message.',
  'AMD IOMMU 2.2.5.1; drivers/iommu/amd/iommu.c fill_msi_msg',
  [
    reserved(1, 0, 'RsvdP'),
    bit('destMode', 2, 'RW', 'DM: must be 1 on parts with tables of 2048 entries, whatever the real mode is.'),
    bits('ignored', 19, 3, 'RW', 'Destination and hint of the original message; not used.'),
    bits('base', 31, 20, 'RW', 'Must be 0xfee.'),
    reserved(63, 32),
  ],
);

/** Message data below AMD-Vi, 32 bits. */
export const amdData = register(
  'AMD-Vi MSI Data',
  32,
  "Which entry of the device's own remapping table the message uses.",
  'AMD IOMMU 2.2.5.1; drivers/iommu/amd/iommu.c fill_msi_msg; QEMU AMDVI_IRTE_OFFSET',
  [bits('index', 10, 0, 'RW', "Entry of the device's remapping table."), reserved(31, 11)],
);

/** Entry of the physical APIC ID table of AVIC, 64 bits: one for each virtual CPU of a machine. */
export const avicPhysicalId = register(
  'AVIC physical APIC ID entry',
  64,
  'Where the APIC backing page of a virtual CPU lies, whether it runs, and on which CPU of the host.',
  'APM vol. 2 "AVIC Physical APIC ID Table"; arch/x86/include/asm/svm.h AVIC_PHYSICAL_ID_ENTRY_*',
  [
    bits('host', 11, 0, 'RW', 'APIC id of the CPU of the host that it runs on; 8 bits without x2AVIC.'),
    bits('page', 51, 12, 'RW', 'Bits 51:12 of the physical address of its APIC backing page.'),
    reserved(61, 52),
    bit('isRunning', 62, 'RW', 'IsRunning: it runs, so that other virtual CPUs send it a doorbell instead of an exit.'),
    bit('valid', 63, 'RW', 'The entry is valid.'),
  ],
);
