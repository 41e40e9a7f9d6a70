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

/** How interrupts of a RISC-V host move. */
export const riscvPolicies = { imsicMove } as const;
