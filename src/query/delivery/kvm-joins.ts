// From the host to a virtual CPU: VFIO, eventfds, KVM.

import { vfioFire } from '../../model/events/vfio.ts';
import { irqfdWakeup, kvmIoapic, kvmLine, kvmMsi } from '../../model/events/virt.ts';
import { entryBehind } from '../../model/references.ts';
import type { Delivery } from './delivery.ts';
import { nameless } from './device-joins.ts';
import type { Join, Joins, Moment } from './moment.ts';

/** The handler of the host in which an event was recorded, as long as it has not passed its interrupt on to KVM. */
function within({ slots, row }: Moment): Delivery | undefined {
  const top = slots.handlers.get(row.cpu)?.at(-1)?.delivery;
  return top && !top.has('route') ? top : undefined;
}

/** Enters an event at `at`, or begins a delivery with it, and expects the next one from the same thread. */
function step(moment: Moment, stage: 'signal' | 'route', at: Delivery | undefined): void {
  const { slots, row } = moment;
  const open = at && slots.open.has(at) ? at : undefined;
  const delivery = open ? slots.hop(open, moment.step, stage, row.object) : slots.begin(moment.step, stage, row.object);
  slots.expect(delivery, moment.step, row);
}

/** The delivery of the event that the same thread recorded just before. */
function before({ slots, row, step: now }: Moment): Delivery | undefined {
  const { chain } = slots;
  return chain && (chain.step === now - 1 || (chain.cpu === row.cpu && chain.task === row.task))
    ? chain.delivery
    : undefined;
}

/** The cause that waits in the entry behind a signal: the route or the vector of VFIO tells which entry that is. */
function raisedBehind({ slots, row, state }: Moment): Delivery | undefined {
  const entry = slots.raised.size === 0 ? -1 : entryBehind(state, row.object);
  const delivery = slots.raised.get(entry);
  if (delivery) slots.raised.delete(entry);
  return delivery;
}

const fire: Join = (moment) => step(moment, 'signal', within(moment) ?? raisedBehind(moment) ?? nameless(moment));

const wakeup: Join = (moment) => {
  const last = before(moment);
  step(moment, 'signal', within(moment) ?? (last?.hops.at(-1)?.stage === 'signal' ? last : raisedBehind(moment)));
};

const line: Join = (moment) => {
  if (kvmLine.read(moment.row.words, moment.row.at).level) step(moment, 'signal', undefined);
};

const ioapic: Join = (moment) => {
  const { slots, row, state } = moment;
  const last = before(moment);
  const masked = /masked/.test(state.world.strings.text(kvmIoapic.read(row.words, row.at).mode));
  // A line that goes down reaches the I/O APIC too, and sends nothing.
  if (last?.hops.at(-1)?.stage === 'signal') {
    step(moment, 'route', last);
    if (masked) slots.end(last, moment.step, false, 'the pin of the virtual I/O APIC is masked');
    return;
  }
  const { entered } = slots;
  if (entered && entered.step === moment.step - 1 && entered.cpu === row.cpu && entered.task === row.task)
    slots.hop(entered.delivery, moment.step, 'route', row.object);
};

const message: Join = (moment) => {
  const last = before(moment);
  step(moment, 'route', within(moment) ?? (last?.hops.at(-1)?.stage === 'signal' ? last : undefined));
};

export const kvmJoins: Joins = [
  [vfioFire, fire],
  [irqfdWakeup, wakeup],
  [kvmLine, line],
  [kvmIoapic, ioapic],
  [kvmMsi, message],
];
