import type { Field, Register } from '../register.ts';
import { reserved } from './reserved.ts';
import { destModes } from './x86.ts';

const present: Field = {
  name: 'present',
  hi: 0,
  lo: 0,
  access: 'RW',
  meaning: 'RemapEn in the manual, valid in Linux: messages that name this entry are remapped, else aborted.',
};
const noFault: Field = {
  name: 'noFault',
  hi: 1,
  lo: 1,
  access: 'RW',
  meaning: 'SupIOPF: no IO_PAGE_FAULT event is logged when an interrupt is aborted because of this entry.',
};
const remapped: readonly Field[] = [
  {
    name: 'intType',
    hi: 4,
    lo: 2,
    access: 'RW',
    meaning: 'IntType: delivery mode of the remapped interrupt; other values are reserved.',
    values: { 0: 'Fixed', 1: 'Arbitrated (lowest priority)' },
  },
  { name: 'rqEoi', hi: 5, lo: 5, access: 'RW', meaning: 'RqEoi: an EOI is requested, for level-triggered interrupts.' },
  {
    name: 'destMode',
    hi: 6,
    lo: 6,
    access: 'RW',
    meaning: 'DM: how the destination is compared with the APIC ids.',
    values: destModes,
  },
];

/** Interrupt remapping table entry of AMD-Vi in the 32-bit format. */
export const amdIrte32: Register = {
  name: 'AMD-Vi IRTE (32 bit)',
  width: 32,
  meaning: 'Where messages of one device that name this entry go. Each device has its own table.',
  spec: 'AMD IOMMU 2.2.5.2; drivers/iommu/amd/amd_iommu_types.h union irte',
  fields: [
    present,
    noFault,
    ...remapped,
    { name: 'guestMode', hi: 7, lo: 7, access: 'RW', meaning: 'GuestMode: must be 0 in this format.' },
    { name: 'dest', hi: 15, lo: 8, access: 'RW', meaning: 'Destination: APIC id, 8 bits.' },
    { name: 'vector', hi: 23, lo: 16, access: 'RW', meaning: 'Vector on the destination CPU.' },
    reserved(31, 24),
  ],
};

const guestMode: Field = {
  name: 'guestMode',
  hi: 7,
  lo: 7,
  access: 'RW',
  meaning: 'GuestMode: decides the layout of the low bits.',
  values: { 0: 'remapped', 1: 'guest virtual APIC' },
};
const gaTail: readonly Field[] = [
  reserved(75, 72),
  {
    name: 'gaRoot',
    hi: 115,
    lo: 76,
    access: 'RW',
    meaning: 'Bits 51:12 of the physical address of the vAPIC backing page. Not looked at while guestMode is 0.',
  },
  reserved(119, 116),
  { name: 'destHigh', hi: 127, lo: 120, access: 'RW', meaning: 'Bits 31:24 of the APIC id (x2APIC).' },
];

/** Interrupt remapping table entry of AMD-Vi in the 128-bit format (GA enabled), remapped or guest virtual APIC. */
export const amdIrte128: Register = {
  name: 'AMD-Vi IRTE (128 bit)',
  width: 128,
  meaning: 'Where messages of one device that name this entry go: to a CPU, or into the vAPIC page of a vCPU.',
  spec: 'AMD IOMMU 2.2.5.3; drivers/iommu/amd/amd_iommu_types.h struct irte_ga',
  fields: [
    present,
    noFault,
    ...remapped,
    guestMode,
    { name: 'dest', hi: 31, lo: 8, access: 'RW', meaning: 'Destination: bits 23:0 of the APIC id.' },
    { name: 'gaTag', hi: 63, lo: 32, access: 'RW', meaning: 'Not looked at while guestMode is 0; Linux keeps it.' },
    { name: 'vector', hi: 71, lo: 64, access: 'RW', meaning: 'Vector on the destination CPU.' },
    ...gaTail,
  ],
  layouts: [
    {
      when: (bits) => bits(7, 7) === 1,
      fields: [
        present,
        noFault,
        {
          name: 'gaLogIntr',
          hi: 2,
          lo: 2,
          access: 'RW',
          meaning: 'GALogIntr: an entry of the GA log is written when the vCPU does not run.',
        },
        reserved(5, 3),
        { name: 'isRun', hi: 6, lo: 6, access: 'RW', meaning: 'IsRun: the vCPU runs on the CPU named by dest.' },
        guestMode,
        {
          name: 'dest',
          hi: 31,
          lo: 8,
          access: 'RW',
          meaning: 'Destination: bits 23:0 of the APIC id of the CPU that gets the doorbell while isRun is 1.',
        },
        {
          name: 'gaTag',
          hi: 63,
          lo: 32,
          access: 'RW',
          meaning: 'GATag: what the GA log reports; KVM puts the numbers of the VM and of the vCPU in it.',
        },
        {
          name: 'vector',
          hi: 71,
          lo: 64,
          access: 'RW',
          meaning: 'Vector that the guest sees: its bit in the vAPIC page.',
        },
        ...gaTail,
      ],
    },
  ],
};

const pass = (name: string, bit: number, what: string): Field => ({
  name,
  hi: bit,
  lo: bit,
  access: 'RW',
  meaning: `${what} interrupts pass unmapped; else they are aborted.`,
});

/** Bits 191:128 of a device table entry of AMD-Vi, 64 bits: the interrupt half. Bit n here is bit 128 + n there. */
export const amdDteInterrupt: Register = {
  name: 'AMD-Vi DTE, interrupts',
  width: 64,
  meaning: "How a device's interrupts are remapped, and by which table.",
  spec: 'AMD IOMMU 2.2.2.1; drivers/iommu/amd/amd_iommu_types.h DTE_IRQ_*, DEV_ENTRY_*_PASS',
  fields: [
    {
      name: 'present',
      hi: 0,
      lo: 0,
      access: 'RW',
      meaning: 'IV: the interrupt fields are valid. While 0, interrupts pass unmapped.',
    },
    { name: 'tableLength', hi: 4, lo: 1, access: 'RW', meaning: 'IntTabLen: the table has 2^n entries, n at most 11.' },
    { name: 'ignoreUnmapped', hi: 5, lo: 5, access: 'RW', meaning: 'IG: no event is logged for unmapped interrupts.' },
    { name: 'tableRoot', hi: 51, lo: 6, access: 'RW', meaning: 'Bits 51:6 of the physical address of the table.' },
    reserved(55, 52),
    pass('initPass', 56, 'INIT'),
    pass('extIntPass', 57, 'ExtINT'),
    pass('nmiPass', 58, 'NMI'),
    reserved(59, 59),
    {
      name: 'intCtl',
      hi: 61,
      lo: 60,
      access: 'RW',
      meaning: 'IntCtl: what happens to fixed and arbitrated interrupts.',
      values: { 0: 'abort', 1: 'forward unmapped', 2: 'remap', 3: 'reserved' },
    },
    pass('lint0Pass', 62, 'LINT0 (legacy PIC)'),
    pass('lint1Pass', 63, 'LINT1 (legacy NMI)'),
  ],
};

/** Message address below AMD-Vi, 64 bits; it selects nothing, the table entry is named by the data. */
export const amdAddress: Register = {
  name: 'AMD-Vi MSI Address',
  width: 64,
  meaning: 'Marks the write as an interrupt message.',
  spec: 'AMD IOMMU 2.2.5.1; drivers/iommu/amd/iommu.c fill_msi_msg',
  fields: [
    reserved(1, 0, 'RsvdP'),
    {
      name: 'destMode',
      hi: 2,
      lo: 2,
      access: 'RW',
      meaning: 'DM: must be 1 on parts with tables of 2048 entries, whatever the real mode is.',
    },
    {
      name: 'ignored',
      hi: 19,
      lo: 3,
      access: 'RW',
      meaning: 'Destination and hint of the original message; not used.',
    },
    { name: 'base', hi: 31, lo: 20, access: 'RW', meaning: 'Must be 0xfee.' },
    reserved(63, 32),
  ],
};

/** Message data below AMD-Vi, 32 bits. */
export const amdData: Register = {
  name: 'AMD-Vi MSI Data',
  width: 32,
  meaning: "Which entry of the device's own remapping table the message uses.",
  spec: 'AMD IOMMU 2.2.5.1; drivers/iommu/amd/iommu.c fill_msi_msg; QEMU AMDVI_IRTE_OFFSET',
  fields: [
    { name: 'index', hi: 10, lo: 0, access: 'RW', meaning: "Entry of the device's remapping table." },
    reserved(31, 11),
  ],
};
