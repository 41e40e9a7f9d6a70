import { bit, bits, register, reserved } from './layout.ts';

/** Names of the APIC delivery modes (three bits); 3 and 6 are reserved. Source: SDM vol. 3 "Message Data Register". */
export const deliveryModes: Readonly<Record<number, string>> = {
  0: 'Fixed',
  1: 'Lowest priority',
  2: 'SMI',
  4: 'NMI',
  5: 'INIT',
  7: 'ExtINT',
};

/** Delivery modes by name, those that KVM alone gives a meaning too (kvm_deliver_mode of arch/x86/kvm/trace.h). */
export const DELIVERY = { fixed: 0, lowest: 1, smi: 2, kick: 3, nmi: 4, init: 5, startup: 6, extint: 7 } as const;

/** Whether a delivery mode goes to the core itself: SMI, NMI, INIT. The vector of such a message is ignored. */
export const takesNoVector = (mode: number): boolean =>
  mode === DELIVERY.smi || mode === DELIVERY.nmi || mode === DELIVERY.init;

/** The priority class of a vector: its bits 7:4 (SDM vol. 3 "Interrupt and Task Priority"). */
export const priorityClass = (vector: number): number => vector >>> 4;

/** Names of the destination modes (one bit). */
export const destModes: Readonly<Record<number, string>> = { 0: 'physical', 1: 'logical' };

/** Names of the trigger modes (one bit). */
export const triggerModes: Readonly<Record<number, string>> = { 0: 'edge', 1: 'level' };

const base = bits('base', 31, 20, 'RW', 'Must be 0xfee: writes to 0xfee00000 to 0xfeefffff are interrupt messages.');

/** What `base` of an interrupt message is. */
export const X86_BASE = 0xfee;

/** The addresses at which a write is an interrupt message: 0xfee00000 to 0xfeefffff. */
export const INTERRUPT_WINDOW = { base: X86_BASE * 2 ** base.lo, size: 2 ** base.lo } as const;

/** Whether a write to this address (below 2^53) is an interrupt message on x86. */
export const isInterruptAddress = (address: number): boolean =>
  address >= INTERRUPT_WINDOW.base && address < INTERRUPT_WINDOW.base + INTERRUPT_WINDOW.size;

/** Message address in compatibility format, 64 bits: what a device sends to a local APIC without remapping. */
export const x86Address = register(
  'x86 MSI Address',
  64,
  'Which local APICs get the interrupt. Compatibility format: bit 4 is 0.',
  'SDM vol. 3 "Message Address Register Format"; arch/x86/include/asm/msi.h x86_msi_addr_lo, x86_msi_addr_hi',
  [
    reserved(1, 0, 'RsvdP'),
    bit('destMode', 2, 'RW', 'Destination mode: how the destination id is compared with the APIC ids.', {
      values: destModes,
    }),
    bit('redirectionHint', 3, 'RW', 'Redirection hint: one of the destination CPUs is chosen, instead of all of them.'),
    bit('format', 4, 'RW', 'Interrupt format. 1 has a meaning only to a VT-d remapping unit; otherwise reserved.', {
      values: { 0: 'compatibility', 1: 'remappable' },
    }),
    bits(
      'destExtended',
      11,
      5,
      'RW',
      'Extended destination id, bits 14:8 of the APIC id. Only where the hypervisor offers it ' +
        '(KVM_FEATURE_MSI_EXT_DEST_ID, Hyper-V, Xen); reserved on hardware.',
    ),
    bits('dest', 19, 12, 'RW', 'Destination id, bits 7:0 of the APIC id.'),
    base,
    reserved(39, 32),
    bits(
      'destHigh',
      63,
      40,
      'RW',
      'Bits 31:8 of the APIC id, in messages that an IOMMU sends and in the KVM API with KVM_CAP_X2APIC_API. ' +
        'A device must leave it 0: with an upper address its write is an ordinary memory write.',
    ),
  ],
);

/** Message data in compatibility format, 32 bits. */
export const x86Data = register(
  'x86 MSI Data',
  32,
  'Vector and kind of the interrupt.',
  'SDM vol. 3 "Message Data Register Format"; arch/x86/include/asm/msi.h x86_msi_data',
  [
    bits('vector', 7, 0, 'RW', 'Vector on the destination CPU, 0x10 to 0xfe. 0 asks Xen to bind a PIRQ.', {
      values: { 239: 'catch-all of Linux (MANAGED_IRQ_SHUTDOWN_VECTOR): not started or shut down' },
    }),
    bits('deliveryMode', 10, 8, 'RW', 'Delivery mode.', { values: deliveryModes }),
    bit(
      'dataDestMode',
      11,
      'RW',
      'dest_mode_logical of x86_msi_data in Linux; reserved on hardware, which reads bit 2 of the address.',
    ),
    reserved(13, 12),
    bit('level', 14, 'RW', 'Level of a level-triggered interrupt; active_low in Linux.', {
      values: { 0: 'deassert', 1: 'assert' },
    }),
    bit('trigger', 15, 'RW', 'Trigger mode.', { values: triggerModes }),
    reserved(31, 16),
  ],
);

/** Message address in remappable format, 64 bits: names an entry of the VT-d interrupt remapping table. */
export const vtdAddress = register(
  'VT-d MSI Address',
  64,
  'Which remapping table entry the message uses. Remappable format: bit 4 is 1.',
  'VT-d 5.1.2.2; arch/x86/include/asm/msi.h x86_msi_addr_lo; include/hw/i386/intel_iommu.h VTD_IR_MSIAddress (QEMU)',
  [
    reserved(1, 0, 'RsvdP'),
    bit('handleHigh', 2, 'RW', 'Bit 15 of the handle.'),
    bit(
      'shv',
      3,
      'RW',
      'Subhandle valid: the index is handle + subhandle, else it is the handle. Linux always sets it.',
    ),
    bit('format', 4, 'RW', 'Interrupt format; 0 makes this a compatibility format message.', {
      values: { 0: 'compatibility', 1: 'remappable' },
    }),
    bits('handleLow', 19, 5, 'RW', 'Bits 14:0 of the handle.'),
    base,
    reserved(63, 32),
  ],
);

/** The handle in the lower half of an address in remappable format, 16 bits. */
export const vtdHandle = (addressLo: number): number =>
  vtdAddress.f.handleLow.of(addressLo) + vtdAddress.f.handleHigh.of(addressLo) * (vtdAddress.f.handleLow.max + 1);

/** The lower half of an address in remappable format that names one entry; Linux sets SHV (`subhandle`). */
export function vtdAddressFor(index: number, subhandle = true): number {
  const { base, format, shv, handleLow, handleHigh } = vtdAddress.f;
  const handle = handleLow.put(index) | handleHigh.put(index / (handleLow.max + 1));
  return (base.put(X86_BASE) | format.mask | (subhandle ? shv.mask : 0) | handle) >>> 0;
}

/**
 * The lower half of an address in compatibility format for an APIC id of 8 bits, physical destination mode. `extended`: of 15 bits, the upper
 * ones as extended destination id (__irq_msi_compose_msg of arch/x86/kernel/apic/apic.c).
 */
export function x86AddressFor(apicId: number, extended = false): number {
  const { base, dest, destExtended } = x86Address.f;
  const high = extended ? destExtended.put(Math.floor(apicId / (dest.max + 1))) : 0;
  return (base.put(X86_BASE) | dest.put(apicId) | high) >>> 0;
}

/** The bits of an APIC id that an address names as extended destination id, at their place in the APIC id. */
export const x86ExtendedDestination = (addressLo: number): number =>
  x86Address.f.destExtended.of(addressLo) * (x86Address.f.dest.max + 1);

/** The APIC id that the halves of an address in compatibility format name: the upper half has its bits 31:8. */
export const x86Destination = (addressLo: number, addressHi: number): number =>
  x86Address.f.destHigh.of(addressHi) * (x86Address.f.dest.max + 1) + x86Address.f.dest.of(addressLo);

/** The halves of an address in compatibility format for an APIC id of up to 32 bits. */
export function x86AddressWords(apicId: number, destMode: number): readonly [lo: number, hi: number] {
  const { dest, destHigh, destMode: mode } = x86Address.f;
  return [(x86AddressFor(apicId) | mode.put(destMode)) >>> 0, destHigh.put(Math.floor(apicId / (dest.max + 1)))];
}

/** Message data in remappable format, 32 bits. */
export const vtdData = register(
  'VT-d MSI Data',
  32,
  'The position of the message within a block of entries. The whole dword is ignored while SHV is 0.',
  'VT-d 5.1.2.2; hw/i386/intel_iommu.c vtd_interrupt_remap_msi (QEMU)',
  [
    bits(
      'subhandle',
      15,
      0,
      'RW',
      'Added to the handle when SHV is 1. Linux: number within a multi-MSI block, 0 with MSI-X.',
    ),
    reserved(31, 16),
  ],
);

const apicVector = bits('vector', 7, 0, 'RW', 'Vector.');
const apicDeliveryMode = bits('deliveryMode', 10, 8, 'RW', 'Delivery mode.', { values: deliveryModes });
const apicDestMode = bit('destMode', 11, 'RW', 'Destination mode.', { values: destModes });
const apicStatus = bit('status', 12, 'RO', 'Delivery status.', { values: { 0: 'idle', 1: 'send pending' } });
const apicTrigger = bit('trigger', 15, 'RW', 'Trigger mode.', { values: triggerModes });

/** Entry of the redirection table of an I/O APIC, 64 bits. */
export const ioApicEntry = register(
  'I/O APIC redirection entry',
  64,
  'What an input pin of the I/O APIC sends.',
  '82093AA 3.2.4; arch/x86/include/asm/io_apic.h struct IO_APIC_route_entry',
  [
    apicVector,
    apicDeliveryMode,
    apicDestMode,
    apicStatus,
    bit('polarity', 13, 'RW', 'Polarity of the pin.', { values: { 0: 'high', 1: 'low' } }),
    bit('remoteIrr', 14, 'RO', 'A local APIC accepted a level-triggered interrupt and has not ended it.'),
    apicTrigger,
    bit('mask', 16, 'RW', 'The pin is masked.', { reset: 1, values: { 0: 'unmasked', 1: 'masked' } }),
    reserved(55, 17),
    bits('dest', 63, 56, 'RW', 'Destination id, 8 bits.'),
  ],
);

/** The same in remappable format (VT-d 5.1.5.1): it names an entry of the VT-d interrupt remapping table. */
const ioApicFormat = bit('format', 48, 'RW', 'Interrupt format; 1 is remappable.');
const ioApicHandleLow = bits('handleLow', 63, 49, 'RW', 'Bits 14:0 of the handle.');
const ioApicHandleHigh = bit('handleHigh', 11, 'RW', 'Bit 15 of the handle.');

/** What the two words of an entry in remappable format hold beside the fields of the other format. */
export const ioApicHandle = (handle: number): readonly [low: number, high: number] => [
  ioApicHandleHigh.put(handle / (ioApicHandleLow.max + 1)),
  (ioApicHandleLow.put(handle) | ioApicFormat.mask) >>> 0,
];

/** An entry of the local vector table of a local APIC, 32 bits; each entry uses those fields that it has. */
export const apicLvt = register(
  'APIC LVT entry',
  32,
  'What a source within the processor raises: timer, thermal sensor, performance counters, LINT0, LINT1, error, CMCI.',
  'SDM vol. 3 "Local Vector Table"; arch/x86/include/asm/apicdef.h APIC_LVTT',
  [
    apicVector,
    apicDeliveryMode,
    reserved(11, 11),
    apicStatus,
    bit('polarity', 13, 'RW', 'Polarity of the pin (LINT0, LINT1).', { values: { 0: 'high', 1: 'low' } }),
    bit('remoteIrr', 14, 'RO', 'A level-triggered interrupt of the pin was accepted and has not ended.'),
    apicTrigger,
    bit('mask', 16, 'RW', 'The source is masked.', { reset: 1, values: { 0: 'unmasked', 1: 'masked' } }),
    bits('timerMode', 18, 17, 'RW', 'Mode of the timer.', {
      values: { 0: 'one-shot', 1: 'periodic', 2: 'TSC deadline' },
    }),
    reserved(31, 19),
  ],
);

/** The id of a local APIC in x2APIC mode, 32 bits, as its logical id is made of it. */
export const x2apicId = register(
  'x2APIC id',
  32,
  'The APIC id of a processor in x2APIC mode.',
  'SDM vol. 3 "Logical Destination Mode in x2APIC Mode"',
  [bits('cluster', 31, 4, 'RO', 'Cluster.'), bits('member', 3, 0, 'RO', 'Number within the cluster.')],
);

/** The logical id of a local APIC in x2APIC mode (LDR), and a logical destination, 32 bits. */
export const x2apicLogicalId = register(
  'x2APIC logical id',
  32,
  'A set of processors of one cluster; the logical id of a processor has its own bit only.',
  'SDM vol. 3 "Logical Destination Mode in x2APIC Mode"; arch/x86/kernel/apic/x2apic_cluster.c',
  [
    bits('cluster', 31, 16, 'RO', 'Cluster: bits 31:4 of the APIC id.'),
    bits('members', 15, 0, 'RO', 'Bit n: the processor with bits 3:0 of its APIC id n.'),
  ],
);

/** A logical destination and the logical id of a local APIC in xAPIC mode, cluster model, 8 bits in the low byte. */
export const xapicClusterId = register(
  'xAPIC cluster id',
  32,
  'A set of processors of one cluster, cluster model of xAPIC (DFR 0); in the flat model each of the 8 bits is a processor.',
  'SDM vol. 3 "Logical Destination Mode"',
  [
    reserved(31, 8),
    bits('cluster', 7, 4, 'RW', 'Cluster; 15 with all members is the destination of all.'),
    bits('members', 3, 0, 'RW', 'Bit n: the processor with number n of the cluster.'),
  ],
);

/** Error status register (ESR) of a local APIC, 32 bits. */
export const apicEsr = register(
  'APIC ESR',
  32,
  'Errors that a local APIC detected since the register was last written.',
  'SDM vol. 3 "Error Handling"; arch/x86/kernel/apic/apic.c sysvec_error_interrupt',
  [
    bit('sendChecksum', 0, 'RO', 'Send checksum error (P6 and Pentium).'),
    bit('receiveChecksum', 1, 'RO', 'Receive checksum error (P6 and Pentium).'),
    bit('sendAccept', 2, 'RO', 'Nobody accepted a message that it sent (P6 and Pentium).'),
    bit('receiveAccept', 3, 'RO', 'Nobody accepted a message that it received (P6 and Pentium).'),
    bit('redirectableIpi', 4, 'RO', 'It was to send a lowest priority IPI and cannot.'),
    bit('sendIllegalVector', 5, 'RO', 'It was to send a message with a vector from 0 to 15.'),
    bit('receiveIllegalVector', 6, 'RO', 'It received a message with a vector from 0 to 15.'),
    bit('illegalRegister', 7, 'RO', 'Software used a reserved address of its registers.'),
    reserved(31, 8),
  ],
);

export const vmxInterruption = register(
  'VM-exit interruption information',
  32,
  'The event that ended the run of a virtual CPU (VMX).',
  'SDM vol. 3 "Information for VM Exits Due to Vectored Events"',
  [
    bits('vector', 7, 0, 'RO', 'Vector of the interrupt or exception.'),
    bits('type', 10, 8, 'RO', 'Kind of event.', {
      values: {
        0: 'external interrupt',
        2: 'NMI',
        3: 'hardware exception',
        5: 'privileged software exception',
        6: 'software exception',
      },
    }),
    bit('errorCode', 11, 'RO', 'An error code was delivered.'),
    bit('nmiUnblocking', 12, 'RO', 'NMIs were unblocked by IRET.'),
    reserved(30, 13),
    bit('valid', 31, 'RO', 'The other fields hold.'),
  ],
);

/** Lower half of the interrupt command register (ICR) of a local APIC, 32 bits. */
export const apicIcr = register(
  'APIC ICR',
  32,
  'An interrupt that a processor sends to others.',
  'SDM vol. 3 "Interrupt Command Register (ICR)"',
  [
    apicVector,
    apicDeliveryMode,
    apicDestMode,
    apicStatus,
    reserved(13, 13),
    bit('level', 14, 'RW', 'Level.', { values: { 0: 'de-assert', 1: 'assert' } }),
    apicTrigger,
    reserved(17, 16),
    bits('shorthand', 19, 18, 'RW', 'Who gets it.', {
      values: { 0: 'the destination', 1: 'self', 2: 'all', 3: 'all but self' },
    }),
    reserved(31, 20),
  ],
);
