// What happens at event channels of Xen: an interrupt of the host becomes an event, and the kernel of a domain acknowledges it before its handler.
import { xenPend, xenTake } from '../../model/events/platform/xen.ts';
import { evtchn } from '../../model/things/xen.ts';
import type { Join, Joins } from './moment.ts';
import { accept, waitingAt } from './processor-joins.ts';

const take: Join = (moment) => {
  const { slots, step, row, state } = moment;
  const waiting = waitingAt(moment);
  const at = waiting && slots.open.has(waiting) ? waiting : undefined;
  const delivery = at ? slots.hop(at, step, 'inject', row.object) : slots.begin(step, 'inject', row.object);
  slots.accepted.delete(row.object);
  const n = state.num(row.object, evtchn.at.vcpu);
  if (n >= 0) slots.take(`vcpu/${n}`, delivery);
};

export const xenJoins: Joins = [
  [xenPend, accept],
  [xenTake, take],
];
