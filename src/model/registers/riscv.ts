import { bits, register, reserved, withReserved } from './layout.ts';

const aia = 'RISC-V AIA 1.0, chapter 3 (IMSIC)';

/** eidelivery of an interrupt file, 32 bits. */
export const imsicDelivery = register(
  'eidelivery',
  32,
  'Whether an interrupt file hands interrupts to its hart.',
  aia,
  [
    bits('delivery', 31, 0, 'RW', 'What the hart gets.', {
      values: {
        0: 'nothing',
        1: 'interrupts of the file',
        1073741824: 'interrupts of the PLIC or APLIC',
      },
    }),
  ],
);

/** seteipnum_le, the word at offset 0 of the page of an interrupt file: the data of a message. */
export const imsicSetPending = register(
  'seteipnum_le',
  32,
  'A write makes an identity pending in an interrupt file.',
  aia,
  withReserved(32, [bits('identity', 10, 0, 'RW', 'Interrupt identity, 1 to the number of identities of the file.')]),
);

/** topei, the most urgent identity that is pending and enabled. A write of it claims that identity. */
export const imsicTop = register('topei', 32, 'The most urgent identity that is pending and enabled.', aia, [
  bits('priority', 10, 0, 'RO', 'Its priority: the identity itself. The lower number is the more urgent one.'),
  reserved(15, 11),
  bits('identity', 26, 16, 'RO', 'Interrupt identity; 0 none.'),
  reserved(31, 27),
]);

/** Bytes of the page of an interrupt file. */
export const IMSIC_PAGE = 0x1000;
/** Offset of seteipnum_be in it; seteipnum_le is at 0. */
export const IMSIC_BIG_ENDIAN = 4;
