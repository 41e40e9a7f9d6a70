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
