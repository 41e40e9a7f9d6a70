import { objectType } from '../objects.ts';
import { byNumber } from '../reference.ts';
import { imsicDelivery } from '../registers/riscv.ts';

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
