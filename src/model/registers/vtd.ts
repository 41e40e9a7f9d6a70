import { hex64 } from '../../base/hex.ts';
import { type Bits, bitsOf, type Field, type Register } from '../register.ts';
import { reserved } from './reserved.ts';
import { deliveryModes, destModes, triggerModes } from './x86.ts';

const present: Field = {
  name: 'present',
  hi: 0,
  lo: 0,
  access: 'RW',
  meaning: 'P: the entry is valid. A message that names an entry without it is dropped with fault 0x22.',
};
const fpd: Field = {
  name: 'fpd',
  hi: 1,
  lo: 1,
  access: 'RW',
  meaning: 'Fault processing disable: faults found after this entry was read are not reported.',
};
const avail: Field = { name: 'avail', hi: 11, lo: 8, access: 'RW', meaning: 'For software; hardware ignores it.' };
const posted: Field = {
  name: 'posted',
  hi: 15,
  lo: 15,
  access: 'RW',
  meaning: 'IM, IRTE mode; pst in Linux. Decides the layout of the rest of the entry.',
  values: { 0: 'remapped', 1: 'posted' },
};
const source: readonly Field[] = [
  {
    name: 'sid',
    hi: 79,
    lo: 64,
    access: 'RW',
    meaning:
      'Source id: the requester (bus 15:8, device 7:3, function 2:0) that may use the entry. With svt 2 a range of ' +
      'bus numbers: Linux stores the first bus in 15:8 and the last one in 7:0.',
  },
  {
    name: 'sq',
    hi: 81,
    lo: 80,
    access: 'RW',
    meaning: 'Source id qualifier: which bits of the function number are not compared.',
    values: { 0: 'all 16 bits', 1: 'all but bit 2', 2: 'all but bits 2:1', 3: 'all but bits 2:0' },
  },
  {
    name: 'svt',
    hi: 83,
    lo: 82,
    access: 'RW',
    meaning: 'Source validation type. A requester that does not pass is blocked with fault 0x26.',
    values: { 0: 'none', 1: 'compare sid by sq', 2: 'bus range', 3: 'reserved' },
  },
];

/** Interrupt remapping table entry of VT-d, 128 bits; bit 15 chooses between the remapped and the posted layout. */
export const vtdIrte: Register = {
  name: 'VT-d IRTE',
  width: 128,
  meaning: 'What becomes of the messages that name this entry: delivered to a CPU, or posted to a vCPU.',
  spec: 'VT-d 9.10, 9.11; include/linux/dmar.h struct irte',
  fields: [
    present,
    fpd,
    {
      name: 'destMode',
      hi: 2,
      lo: 2,
      access: 'RW',
      meaning: 'DM: how dest is compared with the APIC ids.',
      values: destModes,
    },
    {
      name: 'redirectionHint',
      hi: 3,
      lo: 3,
      access: 'RW',
      meaning: 'RH: one of the destination CPUs is chosen. Linux always sets it.',
    },
    {
      name: 'trigger',
      hi: 4,
      lo: 4,
      access: 'RW',
      meaning: 'TM: trigger mode. Linux always writes 0, also for level-triggered IO-APIC pins.',
      values: triggerModes,
    },
    { name: 'deliveryMode', hi: 7, lo: 5, access: 'RW', meaning: 'DLM: delivery mode.', values: deliveryModes },
    avail,
    reserved(14, 12),
    posted,
    { name: 'vector', hi: 23, lo: 16, access: 'RW', meaning: 'V: vector on the destination CPU.' },
    reserved(31, 24),
    {
      name: 'dest',
      hi: 63,
      lo: 32,
      access: 'RW',
      meaning: 'DST, raw. EIME 0: the APIC id is in bits 15:8 of it; EIME 1: it is the 32-bit x2APIC id.',
    },
    ...source,
    reserved(127, 84),
  ],
  layouts: [
    {
      when: (bits) => bits(15, 15) === 1,
      fields: [
        present,
        fpd,
        reserved(7, 2),
        avail,
        reserved(13, 12),
        { name: 'urgent', hi: 14, lo: 14, access: 'RW', meaning: 'URG: notify although SN of the descriptor is set.' },
        posted,
        {
          name: 'vector',
          hi: 23,
          lo: 16,
          access: 'RW',
          meaning: 'VV: vector that the guest sees; its bit in the PIR.',
        },
        reserved(37, 24),
        {
          name: 'pdaLow',
          hi: 63,
          lo: 38,
          access: 'RW',
          meaning: 'Bits 31:6 of the physical address of the posted-interrupt descriptor (64-byte aligned).',
        },
        ...source,
        reserved(95, 84),
        { name: 'pdaHigh', hi: 127, lo: 96, access: 'RW', meaning: 'Bits 63:32 of the address of the descriptor.' },
      ],
    },
  ],
};

/** Physical address of the descriptor that a posted-mode IRTE names, as hexadecimal text; null while unknown. */
export function postedDescriptorAddress(irte: Bits): string | null {
  const read = bitsOf(irte);
  const low = read(63, 38);
  const high = read(127, 96);
  return low === null || high === null ? null : hex64(high, (low << 6) >>> 0);
}

/** Interrupt Remapping Table Address register (IRTA_REG), offset 0xb8 of a remapping unit, 64 bits. */
export const irtaRegister: Register = {
  name: 'VT-d IRTA_REG',
  width: 64,
  meaning: 'Where the interrupt remapping table lies, how long it is, and how destinations are written in it.',
  spec: 'VT-d "Interrupt Remapping Table Address Register"; drivers/iommu/intel/irq_remapping.c iommu_set_irq_remapping',
  fields: [
    {
      name: 'size',
      hi: 3,
      lo: 0,
      access: 'RW',
      reset: 0,
      meaning: 'The table has 2^(size + 1) entries. Linux uses 15: 65536 entries.',
    },
    reserved(10, 4),
    {
      name: 'eime',
      hi: 11,
      lo: 11,
      access: 'RW',
      reset: 0,
      meaning: 'Extended interrupt mode: dest is a 32-bit x2APIC id, and compatibility format messages are blocked.',
      values: { 0: 'xAPIC', 1: 'x2APIC' },
    },
    {
      name: 'base',
      hi: 63,
      lo: 12,
      access: 'RW',
      reset: 0,
      meaning: 'Bits 63:12 of the physical address, 4 KiB aligned.',
    },
  ],
};

/** Interrupt Entry Cache invalidation descriptor of the invalidation queue, low 64 of its 128 bits (the rest is 0). */
export const iecInvalidate: Register = {
  name: 'VT-d IEC Invalidate',
  width: 64,
  meaning: 'Drops cached remapping table entries, so that a changed entry takes effect.',
  spec: 'VT-d 6.5.2.7; drivers/iommu/intel/irq_remapping.c qi_flush_iec; QEMU VTDInvDescIEC',
  fields: [
    { name: 'type', hi: 3, lo: 0, access: 'RW', meaning: 'Type of the descriptor.', values: { 4: 'IEC invalidate' } },
    {
      name: 'granularity',
      hi: 4,
      lo: 4,
      access: 'RW',
      meaning: 'How much is dropped.',
      values: { 0: 'all entries', 1: 'entries from index on' },
    },
    reserved(26, 5),
    {
      name: 'mask',
      hi: 31,
      lo: 27,
      access: 'RW',
      meaning: 'IM: 2^mask entries are dropped, the low bits of index ignored.',
    },
    { name: 'index', hi: 47, lo: 32, access: 'RW', meaning: 'IIDX: first table entry that is dropped.' },
    reserved(63, 48),
  ],
};

/** Hardware irq number of an interrupt in the INTEL-IR domains of Linux, 32 bits. Not a hardware register. */
export const intelIrHwirq: Register = {
  name: 'INTEL-IR hwirq',
  width: 32,
  meaning: 'The number under which /sys/kernel/debug/irq shows an interrupt in the domain INTEL-IR-<unit>.',
  spec: 'drivers/iommu/intel/irq_remapping.c intel_irq_remapping_alloc',
  fields: [
    { name: 'subhandle', hi: 15, lo: 0, access: 'RO', meaning: 'Number within a multi-MSI block; 0 with MSI-X.' },
    { name: 'index', hi: 31, lo: 16, access: 'RO', meaning: 'First remapping table entry of the block.' },
  ],
};

/** What a remapping unit reports when it drops a message. */
export interface VtdFaultReason {
  /** The text of the Linux kernel log. */
  readonly text: string;
  /** What leads to it. */
  readonly cause: string;
  /** Whether the FPD bit of the entry keeps it from being reported. */
  readonly fpdSuppresses: boolean;
}

/**
 * Fault reasons of interrupt remapping by code (fault record bits 103:96; Linux prints them in hexadecimal).
 * Source: VT-d "Interrupt Remapping Fault Conditions"; drivers/iommu/intel/dmar.c irq_remap_fault_reasons; 0x27 and 0x28 from the specification only.
 */
export const vtdFaultReasons: Readonly<Record<number, VtdFaultReason>> = {
  32: {
    text: 'Detected reserved fields in the decoded interrupt-remapped request',
    cause: 'Reserved bits are set in a remappable format message: data 31:16 with SHV, or the upper address.',
    fpdSuppresses: false,
  },
  33: {
    text: 'Interrupt index exceeded the interrupt-remapping table size',
    cause: 'The index is not below the table size of IRTA_REG.',
    fpdSuppresses: false,
  },
  34: {
    text: 'Present field in the IRTE entry is clear',
    cause: 'The entry was freed, deactivated or never set, and the device still sends.',
    fpdSuppresses: true,
  },
  35: {
    text: 'Error accessing interrupt-remapping table pointed by IRTA_REG',
    cause: 'The unit could not read the entry from memory.',
    fpdSuppresses: false,
  },
  36: {
    text: 'Detected reserved fields in the IRTE entry',
    cause: 'The entry is corrupt: present, with reserved bits set.',
    fpdSuppresses: true,
  },
  37: {
    text: 'Blocked a compatibility format interrupt request',
    cause: 'Compatibility format message while CFIS is 0 or EIME is 1. The index in the log means nothing.',
    fpdSuppresses: false,
  },
  38: {
    text: 'Blocked an interrupt request due to source-id verification failure',
    cause: 'The requester does not fit sid, sq and svt of the entry.',
    fpdSuppresses: true,
  },
  39: {
    text: 'Unknown',
    cause: 'The unit could not read or write the posted-interrupt descriptor.',
    fpdSuppresses: true,
  },
  40: {
    text: 'Unknown',
    cause: 'Reserved bits are set in the posted-interrupt descriptor.',
    fpdSuppresses: true,
  },
};
