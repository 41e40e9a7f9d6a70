import type { Field, Register } from '../register.ts';
import { reserved } from './reserved.ts';

const pasid = (meaning: string): readonly Field[] => [
  { name: 'pasidEnable', hi: 3, lo: 3, access: 'RW', reset: 0, meaning: 'PASID enable: pasid is compared.' },
  reserved(11, 4),
  { name: 'pasid', hi: 31, lo: 12, access: 'RW', reset: 0, meaning },
];

/** Entry of the MSI-X permission table of an IDXD device (DSA, IAX), 64 bits, one every 8 bytes. */
export const idxdMsixPermission: Register = {
  name: 'IDXD MSI-X permission',
  width: 64,
  meaning: 'Which PASID may name this MSI-X vector as the interrupt handle of a descriptor.',
  spec: 'DSA "MSI-X Permissions Table"; drivers/dma/idxd/registers.h union msix_perm',
  fields: [
    reserved(1, 0),
    { name: 'ignore', hi: 2, lo: 2, access: 'RW', meaning: 'Ignore: the entry does not restrict the vector.' },
    ...pasid('PASID that a descriptor must carry.'),
    reserved(63, 32),
  ],
};

/**
 * Control dword of an IMS entry in device memory, 32 bits at +0xc; the message address is at +0 and +4, its data at
 * +8. pasidEnable and pasid lie where the MSI-X permission table has them; bits 2:0 differ.
 */
export const imsControl: Register = {
  name: 'IMS Control',
  width: 32,
  meaning: 'Mask bit of one IMS entry and the PASID that may use it.',
  spec: 'DSA "Interrupt Message Storage"; include/linux/irqchip/irq-ims-msi.h (out of tree); bits 2:1 from the specification only',
  fields: [
    {
      name: 'mask',
      hi: 0,
      lo: 0,
      access: 'RW',
      reset: 1,
      meaning: 'The message is not sent; a cause sets the pending bit instead.',
      values: { 0: 'unmasked', 1: 'masked' },
    },
    { name: 'pending', hi: 1, lo: 1, access: 'HW', reset: 0, meaning: 'A cause waits for the mask bit.' },
    { name: 'ignore', hi: 2, lo: 2, access: 'RW', meaning: 'Ignore: the PASID is not compared.' },
    ...pasid('PASID that a descriptor must carry: the host PASID, while a guest writes its own number.'),
  ],
};

/** Dword at byte 36 of a 64-byte descriptor of an IDXD device. */
export const idxdDescriptorInterrupt: Register = {
  name: 'IDXD descriptor, interrupt',
  width: 32,
  meaning:
    'Which interrupt the completion of the descriptor raises, if its flag RCI (bit 4 of the flags) asks for one.',
  spec: 'DSA "Descriptor Completion Interrupt"; include/uapi/linux/idxd.h struct dsa_hw_desc int_handle',
  fields: [
    {
      name: 'intHandle',
      hi: 15,
      lo: 0,
      access: 'RW',
      meaning:
        'Interrupt handle: what the command Request Interrupt Handle returned; without that command the number of the ' +
        'MSI-X vector. A handle that is not valid completes with status 0x19.',
    },
    reserved(31, 16),
  ],
};
