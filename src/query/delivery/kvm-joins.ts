// From the host to a virtual CPU: VFIO, eventfds, KVM.

import { vfioFire } from '../../model/events/vfio.ts';
import { irqfdWakeup, kvmIoapic, kvmLine, kvmMsi } from '../../model/events/virt.ts';
import { entryBehind, vectorBehind } from '../../model/references.ts';
import { kvmGsi } from '../../model/things/virt.ts';
import type { Delivery } from './delivery.ts';
import { nameless } from './device-joins.ts';
import { type Join, type Joins, type Moment, processorAt } from './moment.ts';

/** The handler of the host in which an event was recorded, as long as it has not passed its interrupt on to KVM. */
function within(moment: Moment): Delivery | undefined {
  const top = moment.slots.handlers.get(processorAt(moment))?.at(-1)?.delivery;
  return top && !top.has('route') ? top : undefined;
}

/** Enters an event at `at`, or begins a delivery with it, and expects the next one from the same thread. */
function step(moment: Moment, stage: 'signal' | 'route', at: Delivery | undefined): void {
  const { slots, row } = moment;
  const open = at && slots.open.has(at) ? at : undefined;
  const delivery = open ? slots.hop(open, moment.step, stage, row.object) : slots.begin(moment.step, stage, row.object);
  slots.expect(delivery, moment.step, row);
}

/** The signal that the same thread recorded before, as long as nothing else followed it. */
function signalled({ slots, step: now, row }: Moment): Delivery | undefined {
  const last = slots.chained(now, row)?.delivery;
  return last?.hops.at(-1)?.stage === 'signal' ? last : undefined;
}

/** The cause that waits in the entry behind a signal: the route or the vector of VFIO tells which entry that is. */
function raisedBehind({ slots, row, state }: Moment): Delivery | undefined {
  const entry = slots.raised.size === 0 ? -1 : entryBehind(state, row.object);
  const delivery = slots.raised.get(entry, vectorBehind(state, row.object));
  if (delivery) slots.raised.remove(entry, delivery);
  return delivery;
}

const fire: Join = (moment) => step(moment, 'signal', within(moment) ?? raisedBehind(moment) ?? nameless(moment));

const wakeup: Join = (moment) => step(moment, 'signal', within(moment) ?? signalled(moment) ?? raisedBehind(moment));

const line: Join = (moment) => {
  const { slots, row } = moment;
  // A line that goes down reaches the I/O APIC too, and sends nothing.
  slots.turn(moment.step, row);
  if (kvmLine.read(row.words, row.at).level) step(moment, 'signal', undefined);
};

/** KVM tells what a pin of the virtual I/O APIC did after the local APIC has accepted its message. */
const ioapic: Join = (moment) => {
  const { slots, row, state } = moment;
  const accepted = slots.entered(row);
  if (accepted) {
    slots.hop(accepted, moment.step, 'route', row.object);
    return;
  }
  const last = signalled(moment);
  if (!last) return;
  slots.hop(last, moment.step, 'route', row.object);
  const { mode, coalesced } = kvmIoapic.read(row.words, row.at);
  const what = state.world.strings.text(mode);
  const [delivered, reason] = /masked/.test(what)
    ? ([false, 'the pin of the virtual I/O APIC is masked'] as const)
    : coalesced === true
      ? ([null, 'coalesced: the pin of the virtual I/O APIC is asserted already, one interrupt serves both'] as const)
      : ([null, 'the virtual I/O APIC sends nothing for it now'] as const);
  slots.end(last, moment.step, delivered, reason);
};

/**
 * KVM decodes the message of an eventfd where it is signalled. Where it cannot deliver it there, a worker raises the line of the GSI, and decodes it
 * again: that is one delivery.
 */
const message: Join = (moment) => {
  const { slots, step: now, row, state } = moment;
  const { dest, vector } = kvmMsi.read(row.words, row.at);
  const text = `${row.object}/${dest}/${vector}`;
  const own = within(moment) ?? signalled(moment);
  const byLine = own !== undefined && state.world.type(own.hops.at(-1)!.object) === kvmGsi;
  const tried = slots.tried.get(text, now);
  const again = tried !== undefined && (byLine ? own.hops.length === 1 : tried === slots.chained(now, row)?.delivery);
  if (again && own !== undefined) slots.absorb(own, tried);
  step(moment, 'route', again ? tried : own);
  if (own === undefined || byLine || slots.touched === undefined) return;
  const before = slots.tried.put(text, slots.touched, now);
  if (before) slots.drop(before, now, row.task);
};

export const kvmJoins: Joins = [
  [vfioFire, fire],
  [irqfdWakeup, wakeup],
  [kvmLine, line],
  [kvmIoapic, ioapic],
  [kvmMsi, message],
];
