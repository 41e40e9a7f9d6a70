import type { Register } from '../register.ts';
import { reserved } from './reserved.ts';

/** Names of the APIC delivery modes (three bits); 3 and 6 are reserved. Source: SDM vol. 3 "Message Data Register". */
export const deliveryModes: Readonly<Record<number, string>> = {
  0: 'Fixed',
  1: 'Lowest priority',
  2: 'SMI',
  4: 'NMI',
  5: 'INIT',
  7: 'ExtINT',
};

/** Names of the destination modes (one bit). */
export const destModes: Readonly<Record<number, string>> = { 0: 'physical', 1: 'logical' };

/** Names of the trigger modes (one bit). */
export const triggerModes: Readonly<Record<number, string>> = { 0: 'edge', 1: 'level' };

const base: Register['fields'][number] = {
  name: 'base',
  hi: 31,
  lo: 20,
  access: 'RW',
  meaning: 'Must be 0xfee: writes to 0xfee00000 to 0xfeefffff are interrupt messages.',
};

/** Message address in compatibility format, 64 bits: what a device sends to a local APIC without remapping. */
export const x86Address: Register = {
  name: 'x86 MSI Address',
  width: 64,
  meaning: 'Which local APICs get the interrupt. Compatibility format: bit 4 is 0.',
  spec: 'SDM vol. 3 "Message Address Register Format"; arch/x86/include/asm/msi.h x86_msi_addr_lo, x86_msi_addr_hi',
  fields: [
    reserved(1, 0, 'RsvdP'),
    {
      name: 'destMode',
      hi: 2,
      lo: 2,
      access: 'RW',
      meaning: 'Destination mode: how the destination id is compared with the APIC ids.',
      values: destModes,
    },
    {
      name: 'redirectionHint',
      hi: 3,
      lo: 3,
      access: 'RW',
      meaning: 'Redirection hint: one of the destination CPUs is chosen, instead of all of them.',
    },
    {
      name: 'format',
      hi: 4,
      lo: 4,
      access: 'RW',
      meaning: 'Interrupt format. 1 has a meaning only to a VT-d remapping unit; otherwise reserved.',
      values: { 0: 'compatibility', 1: 'remappable' },
    },
    {
      name: 'destExtended',
      hi: 11,
      lo: 5,
      access: 'RW',
      meaning:
        'Extended destination id, bits 14:8 of the APIC id. Only where the hypervisor offers it ' +
        '(KVM_FEATURE_MSI_EXT_DEST_ID, Hyper-V, Xen); reserved on hardware.',
    },
    { name: 'dest', hi: 19, lo: 12, access: 'RW', meaning: 'Destination id, bits 7:0 of the APIC id.' },
    base,
    reserved(39, 32),
    {
      name: 'destHigh',
      hi: 63,
      lo: 40,
      access: 'RW',
      meaning:
        'Bits 31:8 of the APIC id, in messages that an IOMMU sends and in the KVM API with KVM_CAP_X2APIC_API. ' +
        'A device must leave it 0: with an upper address its write is an ordinary memory write.',
    },
  ],
};

/** Message data in compatibility format, 32 bits. */
export const x86Data: Register = {
  name: 'x86 MSI Data',
  width: 32,
  meaning: 'Vector and kind of the interrupt.',
  spec: 'SDM vol. 3 "Message Data Register Format"; arch/x86/include/asm/msi.h x86_msi_data',
  fields: [
    {
      name: 'vector',
      hi: 7,
      lo: 0,
      access: 'RW',
      meaning: 'Vector on the destination CPU, 0x10 to 0xfe. 0 asks Xen to bind a PIRQ.',
      values: { 239: 'catch-all of Linux (MANAGED_IRQ_SHUTDOWN_VECTOR): not started or shut down' },
    },
    { name: 'deliveryMode', hi: 10, lo: 8, access: 'RW', meaning: 'Delivery mode.', values: deliveryModes },
    {
      name: 'dataDestMode',
      hi: 11,
      lo: 11,
      access: 'RW',
      meaning: 'dest_mode_logical of x86_msi_data in Linux; reserved on hardware, which reads bit 2 of the address.',
    },
    reserved(13, 12),
    {
      name: 'level',
      hi: 14,
      lo: 14,
      access: 'RW',
      meaning: 'Level of a level-triggered interrupt; active_low in Linux.',
      values: { 0: 'deassert', 1: 'assert' },
    },
    { name: 'trigger', hi: 15, lo: 15, access: 'RW', meaning: 'Trigger mode.', values: triggerModes },
    reserved(31, 16),
  ],
};

/** Message address in remappable format, 64 bits: names an entry of the VT-d interrupt remapping table. */
export const vtdAddress: Register = {
  name: 'VT-d MSI Address',
  width: 64,
  meaning: 'Which remapping table entry the message uses. Remappable format: bit 4 is 1.',
  spec: 'VT-d 5.1.2.2; arch/x86/include/asm/msi.h x86_msi_addr_lo; include/hw/i386/intel_iommu.h VTD_IR_MSIAddress (QEMU)',
  fields: [
    reserved(1, 0, 'RsvdP'),
    { name: 'handleHigh', hi: 2, lo: 2, access: 'RW', meaning: 'Bit 15 of the handle.' },
    {
      name: 'shv',
      hi: 3,
      lo: 3,
      access: 'RW',
      meaning: 'Subhandle valid: the index is handle + subhandle, else it is the handle. Linux always sets it.',
    },
    {
      name: 'format',
      hi: 4,
      lo: 4,
      access: 'RW',
      meaning: 'Interrupt format; 0 makes this a compatibility format message.',
      values: { 0: 'compatibility', 1: 'remappable' },
    },
    { name: 'handleLow', hi: 19, lo: 5, access: 'RW', meaning: 'Bits 14:0 of the handle.' },
    base,
    reserved(63, 32),
  ],
};

/** Message data in remappable format, 32 bits. */
export const vtdData: Register = {
  name: 'VT-d MSI Data',
  width: 32,
  meaning: 'The position of the message within a block of entries. The whole dword is ignored while SHV is 0.',
  spec: 'VT-d 5.1.2.2; hw/i386/intel_iommu.c vtd_interrupt_remap_msi (QEMU)',
  fields: [
    {
      name: 'subhandle',
      hi: 15,
      lo: 0,
      access: 'RW',
      meaning: 'Added to the handle when SHV is 1. Linux: number within a multi-MSI block, 0 with MSI-X.',
    },
    reserved(31, 16),
  ],
};
