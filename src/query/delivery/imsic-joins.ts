// What happens at the interrupt files of RISC-V harts. There is no end of interrupt: a claim clears the pending bit, and the handler is the end.
import { imsicClaim, imsicPend } from '../../model/events/platform/imsic.ts';
import type { Join, Joins } from './moment.ts';
import { accept, take, waitingAt } from './processor-joins.ts';

/** Software that takes the bit back writes the identity to another hart: the cause says where it goes on. */
const pend: Join = (moment) => {
  const { row, slots } = moment;
  if (imsicPend.read(row.words, row.at).pending) accept(moment);
  else slots.accepted.delete(row.object);
};

export const imsicJoins: Joins = [
  [imsicPend, pend],
  [imsicClaim, (moment) => take(moment, waitingAt(moment))],
];
