import { policy } from '../policy.ts';

/** How the message of an interrupt changes when it moves to another hart. */
const imsicMove = policy(
  'imsicMove',
  'How a RISC-V host moves an interrupt to another hart: its message names page and identity.',
  {
    stepwise:
      'With the next interrupt, on the old hart: first the new identity at the old page, then the new page; what pends at the old hart is written to the new one (Linux 6.15 and newer).',
    direct:
      'At once, address and data in one pass: without a mask, a message in between goes to the new hart with the old identity (Linux 6.12).',
  },
);

/** What the end of a level-triggered interrupt of an APLIC does. */
const aplicRetrigger = policy(
  'aplicRetrigger',
  'Whether the kernel has a level of the APLIC that is still up behind a handler sent again: in MSI mode a source sends once.',
  {
    eoi: 'The end of the interrupt writes setipnum of the source (Linux, aplic_msi_irq_eoi).',
    never: 'Nothing does: a level that stays up behind the handler is never sent again.',
  },
);

/** How interrupts of a RISC-V host move, and how wires are sent. */
export const riscvPolicies = { imsicMove, aplicRetrigger } as const;
