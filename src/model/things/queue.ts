import { objectType } from '../objects.ts';

/** An entry of the PASID table of a function: `device/<bdf>/pasid/<pasid>`. Its identity is (requester ID, PASID). */
export const pasidEntry = objectType('pasid', 'An entry of the PASID table of a function: whose addresses it uses.', {
  table: {
    kind: 'text',
    meaning: 'I/O page table that it leads to; mm/<process> mirrors the page table of a process.',
  },
  owner: { kind: 'text', meaning: 'Who may use the PASID.' },
});

/** A user of a queue: `device/<bdf>/queue/<n>/user/<pasid>`. A shared queue has several, a user may have several queues. */
export const queueUser = objectType('queueuser', 'A user that may submit to a queue, by PASID.', {
  front: { kind: 'text', meaning: 'Interface through which the PASID was bound: cdev or vfio.' },
  owner: { kind: 'text', meaning: 'Who the PASID belongs to.' },
  handle: { kind: 'num', meaning: 'Interrupt handle that was given to it.' },
  submitted: { kind: 'count', meaning: 'Descriptors submitted with the PASID so far.' },
});

/** An interrupt handle of a function: `device/<bdf>/handle/<n>`. Descriptors name it, the function looks up the entry behind it. */
export const interruptHandle = objectType('handle', 'An interrupt handle that a function granted for an entry.', {
  index: { kind: 'num', meaning: 'Entry of the interrupt message storage that it stands for.' },
  granted: { kind: 'flag', meaning: 'It is valid: it was granted, and not revoked since.' },
});

/** What a peer behind an NTB knows of one interrupt of this side: `ntb/<bdf>/peer/<n>/desc/<i>`. */
export const ntbCopy = objectType(
  'ntbcopy',
  'What a peer behind a non-transparent bridge writes into the memory window to raise an interrupt of this side.',
  {
    virq: { kind: 'num', meaning: 'Linux irq of this side that it is meant for.' },
    offset: { kind: 'hex', meaning: 'Offset in the memory window, whose base is 0xfee00000 on this side.' },
    data: { kind: 'hex', meaning: 'Data that the peer writes there.' },
    publications: { kind: 'count', meaning: 'Times that the peer was told so far.' },
    triggers: { kind: 'count', meaning: 'Writes of the peer so far.' },
  },
);
