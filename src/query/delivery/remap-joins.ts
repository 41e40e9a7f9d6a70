// Translation: interrupt remapping (VT-d, AMD-Vi) and the Arm ITS.

import type { EventKind } from '../../model/event.ts';
import {
  itsCteAccess,
  itsDiscard,
  itsDteAccess,
  itsError,
  itsInt,
  itsIteAccess,
  itsTrans,
} from '../../model/events/its.ts';
import { avicPost } from '../../model/events/platform/avic.ts';
import { piPost } from '../../model/events/posted.ts';
import { amdRead, irFault, irMessage, irRemap, irRequest, irteRead, irWarn } from '../../model/events/remap.ts';
import { intidOfEvent } from '../../model/joins.ts';
import { placeOfEntry, vectorOfIrte } from '../../model/references.ts';
import { x86Data } from '../../model/registers/x86.ts';
import { itsEvent } from '../../model/things/remap.ts';
import type { Delivery } from './delivery.ts';
import { unsent } from './device-joins.ts';
import { beside, type Join, type Joins, type Moment } from './moment.ts';

/**
 * The delivery that a thread translates: the one that it is at, where its message leads to that table entry, or else the message that arrives
 * there next. One whose arrival has no record does not arrive with that of a later one.
 */
function translated({ slots, row }: Moment): Delivery | undefined {
  const own = slots.translating.get(row.task);
  if (own && row.task !== 0 && slots.sent.has(row.object, own)) return own;
  return slots.sent.get(row.object) ?? own;
}

function begins(moment: Moment): Delivery {
  const { slots, step, row } = moment;
  const own = translated(moment);
  // The same thread may translate another message next.
  const at = own === undefined || own.atUnit ? unsent(moment) : own;
  const delivery = at ? slots.hop(at, step, 'remap', row.object) : slots.begin(step, 'remap', row.object);
  delivery.atUnit = true;
  slots.sent.remove(row.object, delivery);
  slots.translate(delivery, step, row.task);
  return delivery;
}

/** A record that only belongs to a delivery when the thread translates one. */
const follows: Join = ({ slots, step, row }) => {
  const delivery = slots.translating.get(row.task);
  if (!delivery?.has('remap') && !delivery?.has('message')) return;
  slots.hop(delivery, step, 'remap', row.object);
  // Whether the record of its arrival is there or not, it has arrived.
  if (!delivery.atUnit && delivery.has('message')) {
    delivery.atUnit = true;
    for (const object of delivery.ahead) slots.sent.remove(object, delivery);
  }
};

const remaps: Join = (moment) => {
  const { slots, step, row, state } = moment;
  const delivery = slots.translating.get(row.task) ?? begins(moment);
  if (delivery.hops.at(-1)!.step !== step) slots.hop(delivery, step, 'remap', row.object);
  delivery.vector = irRemap.read(row.words, row.at).vector;
  const target = vectorOfIrte(state, row.object);
  if (target >= 0) slots.send(target, delivery, step);
};

/** The message as it leaves a unit of AMD, where no other record tells that the entry was used. */
const leaves: Join = (moment) => {
  follows(moment);
  const { slots, step, row, state } = moment;
  const { entry, newData } = irMessage.read(row.words, row.at);
  const delivery = entry === true ? slots.translating.get(row.task) : undefined;
  if (delivery === undefined) return;
  delivery.vector = x86Data.f.vector.of(newData);
  const target = placeOfEntry(state, row.object);
  if (target >= 0) slots.send(target, delivery, step);
};

const refuses: Join = (moment) => {
  const { slots, step, row, state } = moment;
  const { reason, text } = irFault.read(row.words, row.at);
  const delivery = translated(moment) ?? slots.begin(step, 'remap', row.object);
  if (delivery.hops.at(-1)!.step !== step) slots.hop(delivery, step, 'remap', row.object);
  const what = text === undefined ? '' : `: ${state.world.strings.text(text)}`;
  const code = reason === undefined ? '' : `, fault reason 0x${reason.toString(16)}`;
  slots.end(delivery, step, false, `the remapping unit refused the message${code}${what}`);
};

const doorbell: Join = (moment) => {
  const { row, state } = moment;
  const delivery = begins(moment);
  if (state.world.type(row.object) === itsEvent) moment.slots.awaitIntid(delivery, intidOfEvent(state, row.object));
};

const entryRead: Join = (moment) => {
  const { slots, row } = moment;
  const { write, valid, lpi } = itsIteAccess.read(row.words, row.at);
  const delivery = write ? undefined : slots.translating.get(row.task);
  if (!delivery?.has('remap') && !delivery?.has('message')) return;
  follows(moment);
  // What was known of the entry before may be out of date: the INTID that counts is the one that the ITS reads.
  slots.awaitIntid(delivery, valid ? lpi : -1);
};

const tableRead =
  (kind: typeof itsDteAccess | typeof itsCteAccess): Join =>
  (moment) => {
    if (!kind.read(moment.row.words, moment.row.at).write) follows(moment);
  };

const itsRefuses: Join = (moment) => {
  const { slots, step, row, state } = moment;
  // Lines of guest errors name no thread: they stand right behind the record of the access that they are about.
  const before = row.task === 0 && slots.before?.hops.at(-1)?.stage === 'remap' ? slots.before : undefined;
  const at = slots.sent.get(row.object) ?? slots.translating.get(row.task) ?? before;
  // The ITS also refuses commands; they are no deliveries.
  if (!at?.has('remap') && !at?.has('message')) return;
  slots.hop(at, step, 'remap', row.object);
  const { text } = itsError.read(row.words, row.at);
  slots.end(at, step, false, `the ITS refused the message: ${state.world.strings.text(text)}`);
};

/** INT makes the LPI of an event pending, as a message would; CLEAR and DISCARD take that back (IHI 0069 5.3). */
const command: Join = (moment) => {
  const { slots, step, row, state } = moment;
  if (!itsInt.read(row.words, row.at).set) {
    takeBack(moment, 'CLEAR');
    return;
  }
  const delivery = slots.begin(step, 'message', row.object);
  slots.awaitIntid(delivery, intidOfEvent(state, row.object));
};

/** A command removes the pending state of the LPI of an event: no processor takes it any more. */
function takeBack({ slots, step, row }: Moment, name: 'CLEAR' | 'DISCARD'): void {
  for (const [lpi, waiting] of slots.intids)
    for (const delivery of [...waiting]) {
      if (!delivery.hops.some((hop) => hop.object === row.object)) continue;
      slots.hop(delivery, step, 'remap', row.object);
      slots.end(delivery, step, false, `${name} removed the pending state of LPI ${lpi} before a processor took it`);
    }
}

const post: Join = (moment) => posts(moment, piPost.read(moment.row.words, moment.row.at));
const avicPosts: Join = (moment) => posts(moment, avicPost.read(moment.row.words, moment.row.at));

function posts({ slots, step, row, state }: Moment, what: { readonly vector: number; readonly set: boolean }): void {
  const { vector, set } = what;
  const vcpu = state.world.node(row.object)?.parent?.path ?? '';
  const target = beside(state, row.object, `${vcpu}/vector/${vector}`);
  if (!set) {
    const delivery = slots.posted.get(target);
    if (delivery) slots.hop(delivery, step, 'post', row.object);
    return;
  }
  const at = slots.translating.get(row.task);
  const delivery = at ? slots.hop(at, step, 'post', row.object) : slots.begin(step, 'post', row.object);
  delivery.vector = vector;
  const before = slots.posted.get(target);
  if (before && before !== delivery) slots.merge(delivery, before, step);
  else if (target >= 0) slots.put(slots.posted, target, delivery, step);
}

export const remapJoins: Joins = [
  [irRequest, begins],
  [irteRead, follows],
  [amdRead, follows],
  [irRemap, remaps],
  [irMessage, leaves],
  [irWarn, follows],
  [irFault, refuses],
  [itsTrans, doorbell],
  [itsDteAccess, tableRead(itsDteAccess)],
  [itsIteAccess, entryRead],
  [itsCteAccess, tableRead(itsCteAccess)],
  [itsError, itsRefuses],
  [itsInt, command],
  [itsDiscard, (m) => takeBack(m, 'DISCARD')],
  [piPost, post],
  [avicPost, avicPosts],
];

/** Kinds that a thread may record while it goes on with the same message. */
export const translating: ReadonlySet<EventKind> = new Set(
  remapJoins.map(([kind]) => kind).filter((kind) => kind !== itsInt && kind !== itsDiscard),
);
