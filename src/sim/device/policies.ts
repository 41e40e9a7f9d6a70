import { policy } from '../policy.ts';

/** Whether peers behind an NTB learn of a changed message. */
export const ntbPublish = policy(
  'ntbPublish',
  'Whether a peer behind an NTB is told when the message of an interrupt that it raises was written again.',
  {
    onWrite: 'Every message write is published to the peers (write_msi_msg of the descriptor).',
    never: 'Peers keep what they were told first: a message that moved leaves them with a stale one (F69).',
  },
  ['S1-1'],
);

/** How functions tell others of their messages. */
export const devicePolicies = { ntbPublish } as const;
