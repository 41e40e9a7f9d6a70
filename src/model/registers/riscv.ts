import { bit, bits, register, reserved, withReserved } from './layout.ts';

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

const aplic = 'RISC-V AIA 1.0, chapter 4 (APLIC)';

/** domaincfg of an interrupt domain of an APLIC. */
export const aplicDomainConfig = register('domaincfg', 32, 'How an interrupt domain of an APLIC delivers.', aplic, [
  bit('bigEndian', 0, 'RW', 'Its registers are big-endian.'),
  reserved(1, 1),
  bit('messages', 2, 'RW', 'DM: interrupts are sent as messages (MSI delivery mode), not by wires to the harts.'),
  reserved(6, 3),
  reserved(7, 7),
  bit('enable', 8, 'RW', 'IE: interrupts of the domain are delivered.'),
  reserved(23, 9),
  bits('marker', 31, 24, 'RO', 'Reads 0x80: tells the order of bytes.'),
]);

/** sourcecfg of a source that is not delegated to a child domain. */
export const aplicSourceConfig = register('sourcecfg', 32, 'How a source of an APLIC takes its wire.', aplic, [
  bits('mode', 2, 0, 'RW', 'SM: what the wire means.', {
    values: { 0: 'inactive', 1: 'detached', 4: 'rising edge', 5: 'falling edge', 6: 'level high', 7: 'level low' },
  }),
  reserved(9, 3),
  bit('delegated', 10, 'RW', 'D: a child domain has the source; bits 9:0 are its index then.'),
  reserved(31, 11),
]);

/** target of a source in MSI delivery mode: the message that it sends, in one word. */
export const aplicTarget = register('target', 32, 'Where a source of an APLIC sends its message.', aplic, [
  bits('identity', 10, 0, 'RW', 'EIID: the data of the message.'),
  reserved(11, 11),
  bits('guest', 17, 12, 'RW', 'Guest index: the interrupt file of a guest at the hart; 0 that of supervisor mode.'),
  bits('hart', 31, 18, 'RW', 'Hart index: whose page the message is written to.'),
]);

/** Modes of a source whose wire is a level. */
export const APLIC_LEVEL_HIGH = 6;
export const APLIC_LEVEL_LOW = 7;
