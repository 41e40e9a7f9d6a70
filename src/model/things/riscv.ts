import { objectType } from '../objects.ts';
import { byNumber } from '../reference.ts';
import { aplicDomainConfig, aplicSourceConfig, aplicTarget, imsicDelivery } from '../registers/riscv.ts';

/** The interrupt file of a hart for supervisor mode: `cpu/<n>/imsic`. */
export const imsic = objectType('imsic', 'The interrupt file of a hart (RISC-V IMSIC).', {
  address: { kind: 'hex', words: 2, meaning: 'Address of its page: messages for the hart are written to its start.' },
  identities: { kind: 'num', meaning: 'Number of interrupt identities: 1 to this number.' },
  delivery: { kind: 'reg', register: imsicDelivery, meaning: 'eidelivery: whether the hart gets interrupts of it.' },
  threshold: {
    kind: 'num',
    meaning: 'eithreshold: identities of this number and above are held back; 0 none.',
  },
});

/** One identity in the interrupt file of a hart: `cpu/<n>/imsic/<identity>`. */
export const imsicId = objectType('imsicid', 'One interrupt identity in the interrupt file of a hart.', {
  irq: {
    kind: 'num',
    meaning: 'Linux irq that has the identity at this hart.',
    ref: byNumber('the irq that has the identity', 'irq'),
  },
  enabled: { kind: 'flag', meaning: 'Its bit in eie: the hart may take it.' },
  requested: { kind: 'flag', meaning: 'Its bit in eip: a message arrived that was not claimed.' },
  accepts: { kind: 'count', meaning: 'Messages that arrived so far.' },
  taken: { kind: 'count', meaning: 'Claims by topei so far.' },
});

/** The interrupt domain of an APLIC for supervisor mode: `aplic/<n>`. */
export const aplic = objectType('aplic', 'The APLIC of a RISC-V host: turns wires into messages to the IMSIC.', {
  config: { kind: 'reg', register: aplicDomainConfig, meaning: 'domaincfg.' },
});

/** A source of an APLIC: `aplic/<n>/source/<source>`. */
export const aplicSource = objectType('aplicsource', 'A source of an APLIC: one wire.', {
  irq: { kind: 'num', meaning: 'Linux irq of the source.', ref: byNumber('the irq of the source', 'irq') },
  config: { kind: 'reg', register: aplicSourceConfig, meaning: 'sourcecfg.' },
  target: { kind: 'reg', register: aplicTarget, meaning: 'target: hart and identity of its message.' },
  input: { kind: 'flag', meaning: 'Its rectified input (in_clrip): the wire asserts an interrupt.' },
  enabled: { kind: 'flag', meaning: 'Its bit in setie.' },
  requested: { kind: 'flag', meaning: 'Its bit in setip: a message is to be sent.' },
  sent: { kind: 'count', meaning: 'Messages that it sent so far.' },
});
