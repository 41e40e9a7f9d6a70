import { hex64 } from '../../base/hex.ts';
import type { Bits } from '../field.ts';
import { bit, bits, layoutIf, register, reserved } from './layout.ts';
import { deliveryModes, destModes, triggerModes } from './x86.ts';

const present = bit(
  'present',
  0,
  'RW',
  'P: the entry is valid. A message that names an entry without it is dropped with fault 0x22.',
);
const fpd = bit('fpd', 1, 'RW', 'Fault processing disable: faults found after this entry was read are not reported.');
const avail = bits('avail', 11, 8, 'RW', 'For software; hardware ignores it.');
const posted = bit('posted', 15, 'RW', 'IM, IRTE mode; pst in Linux. Decides the layout of the rest of the entry.', {
  values: { 0: 'remapped', 1: 'posted' },
});
const source = [
  bits(
    'sid',
    79,
    64,
    'RW',
    'Source id: the requester (bus 15:8, device 7:3, function 2:0) that may use the entry. With svt 2 a range of ' +
      'bus numbers: Linux stores the first bus in 15:8 and the last one in 7:0.',
  ),
  bits('sq', 81, 80, 'RW', 'Source id qualifier: which bits of the function number are not compared.', {
    values: { 0: 'all 16 bits', 1: 'all but bit 2', 2: 'all but bits 2:1', 3: 'all but bits 2:0' },
  }),
  bits('svt', 83, 82, 'RW', 'Source validation type. A requester that does not pass is blocked with fault 0x26.', {
    values: { 0: 'none', 1: 'compare sid by sq', 2: 'bus range', 3: 'reserved' },
  }),
];

/** Interrupt remapping table entry of VT-d in the posted layout. */
export const vtdPostedIrte = layoutIf(128, posted, [
  present,
  fpd,
  reserved(7, 2),
  avail,
  reserved(13, 12),
  bit('urgent', 14, 'RW', 'URG: notify although SN of the descriptor is set.'),
  posted,
  bits('vector', 23, 16, 'RW', 'VV: vector that the guest sees; its bit in the PIR.'),
  reserved(37, 24),
  bits(
    'pdaLow',
    63,
    38,
    'RW',
    'Bits 31:6 of the physical address of the posted-interrupt descriptor (64-byte aligned).',
  ),
  ...source,
  reserved(95, 84),
  bits('pdaHigh', 127, 96, 'RW', 'Bits 63:32 of the address of the descriptor.'),
]);

/** Interrupt remapping table entry of VT-d, 128 bits; bit 15 chooses between the remapped and the posted layout. */
export const vtdIrte = register(
  'VT-d IRTE',
  128,
  'What becomes of the messages that name this entry: delivered to a CPU, or posted to a vCPU.',
  'VT-d 9.10, 9.11; include/linux/dmar.h struct irte',
  [
    present,
    fpd,
    bit('destMode', 2, 'RW', 'DM: how dest is compared with the APIC ids.', { values: destModes }),
    bit('redirectionHint', 3, 'RW', 'RH: one of the destination CPUs is chosen. Linux always sets it.'),
    bit('trigger', 4, 'RW', 'TM: trigger mode. Linux always writes 0, also for level-triggered IO-APIC pins.', {
      values: triggerModes,
    }),
    bits('deliveryMode', 7, 5, 'RW', 'DLM: delivery mode.', { values: deliveryModes }),
    avail,
    reserved(14, 12),
    posted,
    bits('vector', 23, 16, 'RW', 'V: vector on the destination CPU.'),
    reserved(31, 24),
    bits(
      'dest',
      63,
      32,
      'RW',
      'DST, raw. EIME 0: the APIC id is in bits 15:8 of it; EIME 1: it is the 32-bit x2APIC id.',
    ),
    ...source,
    reserved(127, 84),
  ],
  [vtdPostedIrte],
);

/** An xAPIC id in the 32 bits of a destination. */
const xapicId = bits('xapicId', 15, 8, 'RW', 'APIC id, 8 bits.');

/** The APIC id in the raw 32 bits of DST of an entry or NDST of a descriptor; `wide`: the unit has EIME 1 (x2APIC). */
export const apicIdOf = (raw: number, wide: boolean): number => (wide ? raw : xapicId.of(raw));

/** The raw 32 bits of DST or NDST for an APIC id. */
export const destinationOf = (apicId: number, wide: boolean): number => (wide ? apicId : xapicId.put(apicId));

/** The bits of a requester ID that are compared with sid, by the value of sq (svt 1). */
export const SQ_MASKS: readonly number[] = [0xffff, 0xfffb, 0xfff9, 0xfff8];

/** What sid holds with svt 2: the first and the last bus number that may use the entry. */
export const sidRange = {
  first: bits('first', 15, 8, 'RW', 'First bus number.'),
  last: bits('last', 7, 0, 'RW', 'Last bus number.'),
} as const;

/** Physical address of the descriptor that a posted-mode IRTE names, as hexadecimal text; null while unknown. */
export function postedDescriptorAddress(irte: Bits): string | null {
  const { pdaLow, pdaHigh } = vtdPostedIrte.f;
  const low = pdaLow.read(irte);
  const high = pdaHigh.read(irte);
  return low === null || high === null ? null : hex64(high, pdaLow.put(low));
}

/** Interrupt Remapping Table Address register (IRTA_REG), offset 0xb8 of a remapping unit, 64 bits. */
export const irtaRegister = register(
  'VT-d IRTA_REG',
  64,
  'Where the interrupt remapping table lies, how long it is, and how destinations are written in it.',
  'VT-d "Interrupt Remapping Table Address Register"; drivers/iommu/intel/irq_remapping.c iommu_set_irq_remapping',
  [
    bits('size', 3, 0, 'RW', 'The table has 2^(size + 1) entries. Linux uses 15: 65536 entries.', { reset: 0 }),
    reserved(10, 4),
    bit(
      'eime',
      11,
      'RW',
      'Extended interrupt mode: dest is a 32-bit x2APIC id, and compatibility format messages are blocked.',
      { reset: 0, values: { 0: 'xAPIC', 1: 'x2APIC' } },
    ),
    bits('base', 63, 12, 'RW', 'Bits 63:12 of the physical address, 4 KiB aligned.', { reset: 0 }),
  ],
);

/** `type` of an interrupt entry cache invalidation descriptor. */
export const IEC_TYPE = 4;

/** Interrupt Entry Cache invalidation descriptor of the invalidation queue, low 64 of its 128 bits (the rest is 0). */
export const iecDescriptor = register(
  'VT-d IEC Invalidate',
  64,
  'Drops cached remapping table entries, so that a changed entry takes effect.',
  'VT-d 6.5.2.7; drivers/iommu/intel/irq_remapping.c qi_flush_iec; QEMU VTDInvDescIEC',
  [
    bits('type', 3, 0, 'RW', 'Type of the descriptor.', { values: { [IEC_TYPE]: 'IEC invalidate' } }),
    bit('granularity', 4, 'RW', 'How much is dropped.', { values: { 0: 'all entries', 1: 'entries from index on' } }),
    reserved(26, 5),
    bits('mask', 31, 27, 'RW', 'IM: 2^mask entries are dropped, the low bits of index ignored.'),
    bits('index', 47, 32, 'RW', 'IIDX: first table entry that is dropped.'),
    reserved(63, 48),
  ],
);

/** Hardware irq number of an interrupt in the INTEL-IR domains of Linux, 32 bits. Not a hardware register. */
export const intelIrHwirq = register(
  'INTEL-IR hwirq',
  32,
  'The number under which /sys/kernel/debug/irq shows an interrupt in the domain INTEL-IR-<unit>.',
  'drivers/iommu/intel/irq_remapping.c intel_irq_remapping_alloc',
  [
    bits('subhandle', 15, 0, 'RO', 'Number within a multi-MSI block; 0 with MSI-X.'),
    bits('index', 31, 16, 'RO', 'First remapping table entry of the block.'),
  ],
);

/** Fault recording register (FRCD_REG) as interrupt remapping faults fill it, 128 bits. */
export const vtdFaultRecord = register(
  'VT-d FRCD_REG (interrupt)',
  128,
  'The last interrupt that the unit refused, until software clears F.',
  'VT-d "Fault Recording Registers"; drivers/iommu/intel/dmar.c dmar_fault',
  [
    reserved(47, 0),
    bits('index', 63, 48, 'RO', 'Interrupt index of the request; means nothing with reason 0x25.'),
    bits('sid', 79, 64, 'RO', 'Requester ID of the request.'),
    reserved(95, 80),
    bits('reason', 103, 96, 'RO', 'Fault reason; interrupt remapping has 0x20 to 0x2f.'),
    reserved(126, 104),
    bit('fault', 127, 'RW1C', 'F: the record holds a fault.'),
  ],
);

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

/** Index Mask of an invalidation that covers every index there is (16 bits). */
const ALL_INDEXES = 16;

/**
 * Whether an invalidation by index covers an entry: IM low bits of both indexes are not compared, so that it is the aligned block
 * of 2^IM entries in which the index lies (VT-d 6.5.2.7).
 */
export const covers = (index: number, mask: number, entry: number): boolean =>
  mask >= ALL_INDEXES || entry >>> mask === index >>> mask;
