import { bit, bits, register, reserved } from './layout.ts';

const pasid = (meaning: string) => [
  bit('pasidEnable', 3, 'RW', 'PASID enable: pasid is compared.', { reset: 0 }),
  reserved(11, 4),
  bits('pasid', 31, 12, 'RW', meaning, { reset: 0 }),
];

/** Entry of the MSI-X permission table of an IDXD device (DSA, IAX), 64 bits, one every 8 bytes. */
export const idxdMsixPermission = register(
  'IDXD MSI-X permission',
  64,
  'Which PASID may name this MSI-X vector as the interrupt handle of a descriptor.',
  'DSA "MSI-X Permissions Table"; drivers/dma/idxd/registers.h union msix_perm',
  [
    reserved(1, 0),
    bit('ignore', 2, 'RW', 'Ignore: the entry does not restrict the vector.'),
    ...pasid('PASID that a descriptor must carry.'),
    reserved(63, 32),
  ],
);

/**
 * Control dword of an IMS entry in device memory, 32 bits at +0xc; the message address is at +0 and +4, its data at
 * +8. pasidEnable and pasid lie where the MSI-X permission table has them; bits 2:0 differ.
 */
export const imsControl = register(
  'IMS Control',
  32,
  'Mask bit of one IMS entry and the PASID that may use it.',
  'DSA "Interrupt Message Storage"; include/linux/irqchip/irq-ims-msi.h (out of tree); bits 2:1 from the specification only',
  [
    bit('mask', 0, 'RW', 'The message is not sent; a cause sets the pending bit instead.', {
      reset: 1,
      values: { 0: 'unmasked', 1: 'masked' },
    }),
    bit('pending', 1, 'HW', 'A cause waits for the mask bit.', { reset: 0 }),
    bit('ignore', 2, 'RW', 'Ignore: the PASID is not compared.'),
    ...pasid('PASID that a descriptor must carry: the host PASID, while a guest writes its own number.'),
  ],
);

/** Dword at byte 36 of a 64-byte descriptor of an IDXD device. */
export const idxdDescriptorInterrupt = register(
  'IDXD descriptor, interrupt',
  32,
  'Which interrupt the completion of the descriptor raises, if its flag RCI (bit 4 of the flags) asks for one.',
  'DSA "Descriptor Completion Interrupt"; include/uapi/linux/idxd.h struct dsa_hw_desc int_handle',
  [
    bits(
      'intHandle',
      15,
      0,
      'RW',
      'Interrupt handle: what the command Request Interrupt Handle returned; without that command the number of the ' +
        'MSI-X vector. A handle that is not valid completes with status 0x19.',
    ),
    reserved(31, 16),
  ],
);

/** Commands of the register CMD of an IDXD device. */
export const IDXD_COMMAND = { enableWq: 6, resetWq: 10, requestInterruptHandle: 13 } as const;

/** Command register (CMD) of an IDXD device, offset 0xa0, 32 bits. */
export const idxdCommand = register(
  'IDXD CMD',
  32,
  'Starts an administrative command.',
  'DSA "Command Register"; drivers/dma/idxd/registers.h union idxd_command_reg',
  [
    bits('operand', 19, 0, 'RW', 'What the command is about: a work queue, or an entry of the interrupt storage.'),
    bits('command', 24, 20, 'RW', 'Which command.', {
      values: {
        [IDXD_COMMAND.enableWq]: 'Enable WQ',
        [IDXD_COMMAND.resetWq]: 'Reset WQ',
        [IDXD_COMMAND.requestInterruptHandle]: 'Request Interrupt Handle',
      },
    }),
    reserved(30, 25),
    bit('interrupt', 31, 'RW', 'The device sends an interrupt when the command is done.'),
  ],
);

/** Interrupt cause register (INTCAUSE) of an IDXD device, offset 0x98, 32 bits; a bit that is written as 1 is acknowledged. */
export const idxdIntCause = register(
  'IDXD INTCAUSE',
  32,
  'Why the device sent its miscellaneous interrupt (vector 0).',
  'DSA "Interrupt Cause Register"; drivers/dma/idxd/registers.h IDXD_INTC_*',
  [
    bit('error', 0, 'RW1C', 'An error was recorded in SWERR.'),
    bit('command', 1, 'RW1C', 'A command is done.'),
    bit('occupancy', 2, 'RW1C', 'The occupancy of a work queue fell below its limit.'),
    bit('perfmon', 3, 'RW1C', 'A counter of the performance monitor overflowed.'),
    bit('halt', 4, 'RW1C', 'The device halted.'),
    bit('eventLog', 5, 'RW1C', 'The event log has an entry.'),
    reserved(30, 6),
    bit('handlesRevoked', 31, 'RW1C', 'Interrupt handles were revoked: they are to be requested again.'),
  ],
);

/** Operand of the command Request Interrupt Handle: the low 20 bits of CMD. */
export const idxdHandleOperand = register(
  'IDXD CMD, Request Interrupt Handle',
  32,
  'Which entry the handle shall stand for.',
  'DSA "Request Interrupt Handle"; drivers/dma/idxd/registers.h CMD_INT_HANDLE_IMS',
  [
    bits('index', 15, 0, 'RW', 'Entry of the MSI-X table or of the interrupt message storage.'),
    bit('ims', 16, 'RW', 'The entry is one of the interrupt message storage.'),
    reserved(31, 17),
  ],
);

/** Third dword of the configuration of a work queue (WQCFG) of an IDXD device, 32 bits at +8. */
export const idxdWqConfig = register(
  'IDXD WQCFG, dword 2',
  32,
  'Mode of a work queue, and the PASID of its descriptors.',
  'DSA "WQ Configuration Table"; drivers/dma/idxd/registers.h union wqcfg',
  [
    bit('mode', 0, 'RW', 'Who may submit.', { values: { 0: 'shared', 1: 'dedicated' } }),
    bit('blockOnFault', 1, 'RW', 'Descriptors may ask to wait for a page fault to be served.'),
    bit('atsDisable', 2, 'RW', 'Address translation services are not used.'),
    bit('prsDisable', 3, 'RW', 'Page requests are not used.'),
    bits('priority', 7, 4, 'RW', 'Priority among the queues of its group.'),
    bits('pasid', 27, 8, 'RW', 'PASID of a dedicated queue.'),
    bit('pasidEnable', 28, 'RW', 'The PASID is used.'),
    bit('privileged', 29, 'RW', 'Descriptors may be privileged.'),
    reserved(31, 30),
  ],
);
