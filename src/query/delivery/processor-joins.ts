// What happens at a processor: requested, taken, handled, ended.
import type { ObjectId, TextId } from '../../base/ids.ts';
import {
  apicAccept,
  apicDeliver,
  apicEoi,
  apicInject,
  gicAck,
  gicDeactivate,
  gicEoi,
  gicSgi,
  kvmIpi,
  setsRequest,
  vcpuTake,
} from '../../model/events/apic.ts';
import {
  cpuAccept,
  cpuEoi,
  cpuTake,
  gicPend,
  ipiEntry,
  ipiExit,
  softirqEntry,
  softirqExit,
  softirqRaise,
  sysEntry,
  sysExit,
} from '../../model/events/cpu.ts';
import { ioapicEoi } from '../../model/events/ioapic.ts';
import { irqEntry, irqExit } from '../../model/events/irq.ts';
import { kvmEntry, kvmExit } from '../../model/events/virt.ts';
import { processorOf as samePlace } from '../../model/joins.ts';
import { vectorOfIrq } from '../../model/references.ts';
import { vcpu } from '../../model/things/virt.ts';
import { argumentOf } from '../../trace/row.ts';
import type { Delivery } from './delivery.ts';
import { meetEarly } from './early-handlers.ts';
import { type Join, type Joins, type Moment, numberOf, processorAt, processorOf } from './moment.ts';
import { deliveredOf, deliveredTo, sentTo } from './served.ts';

const NONE: ReadonlySet<TextId> = new Set();

/** The handler that runs on the CPU of an event. */
const runningAt = (moment: Moment): Delivery | undefined =>
  moment.slots.handlers.get(processorAt(moment))?.at(-1)?.delivery;

/** A request that meets one that still waits is served by it: the IRR holds one bit for each vector. */
function request(moment: Moment, delivery: Delivery): void {
  const { slots, step, row } = moment;
  const before = slots.accepted.get(row.object);
  if (before && before !== delivery && slots.open.has(before)) slots.merge(delivery, before, step);
  else slots.put(slots.accepted, row.object, delivery, step);
}

export const accept: Join = (moment) => {
  const { slots, step, row, state } = moment;
  if (row.kind === apicAccept) slots.ofKvm.add(row.object);
  const cause = argumentOf(row, 'cause');
  const passed = onward(runningAt(moment));
  const at =
    (cause === undefined ? undefined : slots.causes.get(cause)) ??
    slots.posted.get(row.object) ??
    slots.chained(step, row)?.delivery ??
    slots.sent.get(row.object) ??
    passed;
  // An edge-triggered interrupt is ended before its handler runs, which may pass it on.
  const open = at && slots.open.has(at) && (at === passed || !at.has('eoi')) ? at : undefined;
  const delivery = open ? slots.hop(open, step, 'accept', row.object) : slots.begin(step, 'accept', row.object);
  slots.sent.remove(row.object, delivery);
  if (slots.posted.get(row.object) === delivery) slots.posted.delete(row.object);
  slots.enter(delivery, row);
  const { mode, posted } = acceptance(moment);
  if (mode !== undefined && !setsRequest(state.world.strings.text(mode))) {
    // NMI, INIT, SIPI and the like set no bit of the IRR: the processor has them at once.
    slots.end(delivery, step, true);
  } else if (posted) {
    // The processor takes it without a record: what came before may be taken by now, and nobody knows when.
    slots.put(slots.arrived, row.object, delivery, step);
  } else request(moment, delivery);
};

/** How a local APIC accepted an interrupt, where the record tells. */
function acceptance({ row }: Moment): { readonly mode?: TextId; readonly posted: boolean } {
  return row.kind === apicAccept ? apicAccept.read(row.words, row.at) : { posted: false };
}

/** A handler of the host passes an interrupt on once. */
const onward = (delivery: Delivery | undefined): Delivery | undefined =>
  delivery !== undefined && !delivery.hops.some(({ stage, step }) => stage === 'accept' && step > handled(delivery))
    ? delivery
    : undefined;

/** The step at which the handler of a delivery began. */
const handled = (delivery: Delivery): number => delivery.hops.find((hop) => hop.stage === 'handler')?.step ?? -1;

const deliver: Join = (moment) => {
  const { slots, step, row } = moment;
  const { vector } = apicDeliver.read(row.words, row.at);
  const own = slots.translating.get(row.task);
  const at = own && (own.vector < 0 || own.vector === vector) ? own : slots.sent.get(row.object);
  const delivery = at ? slots.hop(at, step, 'accept', row.object) : slots.begin(step, 'accept', row.object);
  slots.translating.delete(row.task);
  slots.sent.remove(row.object, delivery);
  // No record tells when the processor takes it: the one before is over, and nobody knows when.
  slots.put(slots.arrived, row.object, delivery, step);
  deliveredOf(moment, delivery, moment.state);
};

/** A virtual CPU sends an IPI. */
const ipi: Join = (moment) => {
  const { slots, step, row } = moment;
  slots.expect(slots.begin(step, 'message', row.object), step, row);
};

const pend: Join = (moment) => {
  const { slots, row, state } = moment;
  const { pending } = gicPend.read(row.words, row.at);
  const number = numberOf(state, row.object);
  if (!pending) {
    const delivery = slots.accepted.get(row.object);
    slots.accepted.delete(row.object);
    if (delivery) slots.awaitIntid(delivery, number);
    return;
  }
  const [waiting, ...others] = slots.takeIntid(number);
  const { step } = moment;
  const delivery = waiting ? slots.hop(waiting, step, 'accept', row.object) : slots.begin(step, 'accept', row.object);
  for (const other of others) slots.merge(other, delivery, step);
  slots.touched = delivery;
  request(moment, delivery);
};

/** The processor takes an interrupt. */
export function take(moment: Moment, waiting: Delivery | undefined): void {
  const { slots, step, row, state } = moment;
  const at = waiting && slots.open.has(waiting) ? waiting : undefined;
  const delivery = at ? slots.hop(at, step, 'inject', row.object) : slots.begin(step, 'inject', row.object);
  slots.sent.remove(row.object, delivery);
  for (const place of [slots.accepted, slots.arrived]) if (place.get(row.object) === delivery) place.delete(row.object);
  slots.put(slots.inService, row.object, delivery, step);
  slots.shown.add(row.object);
  const processor = processorOf(state, row.object);
  if (!processor) return;
  slots.take(processor.path, delivery);
  // The virtual CPU of a host, or of the log of a machine, is the processor that the kernel inside sees.
  const inside = state.world.type(processor.object) === vcpu ? samePlace(state, processor.object) : -1;
  if (inside < 0) return;
  slots.take(state.world.path(inside), delivery);
  meetEarly(moment, state.world.path(inside), delivery);
}

export const waitingAt = ({ slots, row }: Moment): Delivery | undefined =>
  slots.accepted.get(row.object) ?? slots.arrived.get(row.object);

/** Some virtual CPU takes a vector: it is clear which one when a single one waits for it. */
function takeSomewhere(moment: Moment, vector: number): void {
  const { slots, step, row, state } = moment;
  const waiting = [...slots.accepted].filter(([object]) => numberOf(state, object) === vector);
  const [only] = waiting;
  if (!only || waiting.length > 1) {
    take(moment, undefined);
    return;
  }
  const [object, delivery] = only;
  slots.hop(delivery, step, 'inject', row.object, false);
  slots.accepted.delete(object);
  slots.put(slots.inService, object, delivery, step);
}

const inject: Join = (moment) => {
  const { slots, step, row } = moment;
  slots.ofKvm.add(row.object);
  const { reinjected, vector } = apicInject.read(row.words, row.at);
  if (!reinjected && vector !== undefined) {
    takeSomewhere(moment, vector);
    return;
  }
  if (!reinjected) {
    take(moment, waitingAt(moment));
    return;
  }
  // The same one again, because an exit came while it was delivered.
  const delivery = slots.inService.get(row.object);
  if (delivery) slots.hop(delivery, step, 'inject', row.object);
};

const acknowledge: Join = (moment) => {
  const { slots, step, row, state } = moment;
  const pending = slots.accepted.get(row.object);
  if (pending) {
    take(moment, pending);
    return;
  }
  const number = numberOf(state, row.object);
  const [first, ...others] = slots.takeIntid(number);
  take(moment, first);
  const { touched } = slots;
  for (const other of others) if (touched) slots.merge(other, touched, step);
  slots.touched = touched;
};

function end(moment: Moment, delivery: Delivery | undefined): void {
  const { slots, step, row } = moment;
  if (!delivery) return;
  slots.hop(delivery, step, 'eoi', row.object);
  for (const place of [slots.inService, slots.accepted, slots.arrived])
    if (place.get(row.object) === delivery) place.delete(row.object);
  // The end of the interrupt of the host is not the end of what its handler passed on to a guest.
  if (slots.waits(delivery)) return;
  // A kernel may end an interrupt before its handler runs (x86 edge flow, Arm with EOImode 1): the handler that comes next is its.
  if (delivery.taken) slots.acknowledged.add(delivery);
  else slots.end(delivery, step, true);
}

/** The interrupt that a processor ends. */
function ended(moment: Moment): Delivery | undefined {
  const { slots, row } = moment;
  // The processor takes posted interrupts without a record. Where records show what it takes, the end waits for one. The log of an
  // emulated machine tells no vector, and not of which processor a timer fired: such an end may be of a timer.
  return slots.inService.get(row.object) ?? (slots.shown.has(row.object) ? undefined : waitingAt(moment));
}

/**
 * ICC_EOIR. With EOImode 1 it only drops the priority and the interrupt stays active until ICC_DIR deactivates it (IHI 0069 4.1.1);
 * where no record showed the mode it may be so.
 */
const gicEnds: Join = (moment) => {
  const { slots, step, row, state } = moment;
  const delivery = ended(moment);
  const at = state.world.type(row.object)?.at['inService'];
  if (delivery === undefined || at === undefined || state.flag(row.object, at) === false) {
    end(moment, delivery);
    return;
  }
  slots.hop(delivery, step, 'eoi', row.object);
  for (const place of [slots.accepted, slots.arrived]) if (place.get(row.object) === delivery) place.delete(row.object);
  slots.put(slots.inService, row.object, delivery, step);
};

const pinEoi: Join = (moment) => {
  const { slots, row } = moment;
  for (const delivery of slots.open)
    if (delivery.has('accept') && delivery.hops.some((hop) => hop.object === row.object)) {
      for (const [object, other] of slots.arrived) if (other === delivery) slots.arrived.delete(object);
      end(moment, delivery);
      return;
    }
};

/** The delivery that a handler which starts serves. */
function servedBy(moment: Moment): Delivery | undefined {
  const { slots, row, state } = moment;
  const processor = processorAt(moment);
  // During a move interrupts arrive at the vector before as well.
  const place = row.cpu < 0 ? -1 : vectorOfIrq(state, row.object, row.cpu);
  // A host with posted MSI takes one notification for all that its descriptor holds.
  const posted = place < 0 ? undefined : slots.posted.get(place);
  if (posted && slots.open.has(posted)) {
    slots.posted.delete(place);
    return posted;
  }
  const taken = slots.taken.get(processor);
  if (taken && slots.open.has(taken)) {
    slots.forgetTaken(taken);
    return taken;
  }
  const at = place < 0 ? undefined : (slots.inService.get(place) ?? slots.accepted.get(place) ?? sentTo(moment, place));
  return at ?? deliveredTo(moment);
}

function enter(moment: Moment, irq: ObjectId, served: Delivery | undefined, names: ReadonlySet<TextId> = NONE): void {
  const { slots, step } = moment;
  const delivery = served ? slots.hop(served, step, 'handler', irq) : slots.begin(step, 'handler', irq);
  const processor = processorAt(moment);
  slots.lastHandled.set(irq, delivery);
  if (served) slots.early.delete(processor);
  else slots.early.set(processor, { irq, delivery, step });
  const list = slots.handlers.get(processor);
  const frame = { irq, delivery, names };
  if (list) list.push(frame);
  else slots.handlers.set(processor, [frame]);
}

const handlerBegins: Join = (moment) => {
  const { slots, row } = moment;
  const { name } = irqEntry.read(row.words, row.at);
  // The actions of a shared irq run one after the other for the same interrupt, each once.
  const processor = processorAt(moment);
  const last = slots.returned.get(processor);
  if (last?.irq === row.object && slots.open.has(last.delivery) && !last.names.has(name)) {
    slots.returned.delete(processor);
    enter(moment, row.object, last.delivery, new Set([...last.names, name]));
    return;
  }
  leaveHandler(moment);
  enter(moment, row.object, servedBy(moment), new Set([name]));
};

const handlerEnds: Join = (moment) => {
  const { slots, step, row } = moment;
  const processor = processorAt(moment);
  const list = slots.handlers.get(processor) ?? [];
  let at = list.length - 1;
  while (at >= 0 && list[at]!.irq !== row.object) at--;
  if (at < 0) return;
  const frame = list[at]!;
  const { delivery } = frame;
  list.length = at;
  const last = slots.served.size === 0 ? undefined : slots.served.get(vectorOfIrq(moment.state, row.object, row.cpu));
  if (last?.irq === row.object && last.ended === Number.POSITIVE_INFINITY) last.ended = step;
  if (!slots.open.has(delivery)) {
    // It was ended while the handler ran, as on x86, where EOI comes first.
    delivery.add(step, 'handler', row.object);
    slots.touched = delivery;
    return;
  }
  slots.hop(delivery, step, 'handler', row.object);
  slots.returned.set(processor, { ...frame, step });
};

/** A CPU records something else than the next action of the handler that returned there: that one is over. */
export function leaveHandler(moment: Moment): void {
  const { slots } = moment;
  const processor = processorAt(moment);
  const last = slots.returned.get(processor);
  if (!last) return;
  slots.returned.delete(processor);
  if (!slots.waits(last.delivery)) slots.end(last.delivery, last.step, true);
}

/**
 * A softirq that a handler raises goes on with the interrupt, on the same CPU. Several handlers may raise it before it runs: it runs once, and
 * serves all of them.
 */
const softirqRaised: Join = (moment) => {
  const { slots, step, row } = moment;
  const delivery = runningAt(moment);
  if (delivery === undefined) return;
  const at = slots.softirqs.get(row.object);
  // The first one that raised it since it ran last has its path go on there.
  if (at?.raised !== undefined && at.raised !== delivery) return;
  if (at?.raised === delivery) {
    slots.touched = delivery;
    return;
  }
  slots.softirqs.set(row.object, { raised: delivery, running: at?.running });
  delivery.add(step, 'handler', row.object);
  slots.touched = delivery;
};

const softirqBegins: Join = ({ slots, step, row }) => {
  const delivery = slots.softirqs.get(row.object)?.raised;
  if (delivery === undefined) return;
  slots.softirqs.set(row.object, { raised: undefined, running: delivery });
  delivery.add(step, 'handler', row.object);
  slots.touched = delivery;
};

const softirqEnds: Join = ({ slots, step, row }) => {
  const at = slots.softirqs.get(row.object);
  if (at?.running === undefined) return;
  if (at.raised === undefined) slots.softirqs.delete(row.object);
  else slots.softirqs.set(row.object, { raised: at.raised, running: undefined });
  at.running.add(step, 'handler', row.object);
  slots.touched = at.running;
};

export const processorJoins: Joins = [
  [cpuAccept, accept],
  [apicAccept, accept],
  [apicDeliver, deliver],
  [gicPend, pend],
  [gicSgi, (m) => request(m, m.slots.begin(m.step, 'accept', m.row.object))],
  [kvmIpi, ipi],
  [kvmEntry, (m) => m.slots.turn(m.step, m.row)],
  [kvmExit, (m) => m.slots.turn(m.step, m.row)],
  [apicInject, inject],
  [cpuTake, (m) => take(m, waitingAt(m) ?? m.slots.sent.get(m.row.object))],
  [vcpuTake, (m) => take(m, waitingAt(m))],
  [gicAck, acknowledge],
  [apicEoi, (m) => end(m, ended(m))],
  [cpuEoi, (m) => end(m, ended(m))],
  [gicEoi, gicEnds],
  [gicDeactivate, (m) => end(m, m.slots.inService.get(m.row.object))],
  [ioapicEoi, pinEoi],
  [irqEntry, handlerBegins],
  [irqExit, handlerEnds],
  [sysEntry, (m) => enter(m, m.row.object, m.slots.accepted.get(m.row.object))],
  [sysExit, handlerEnds],
  [ipiEntry, (m) => enter(m, m.row.object, undefined)],
  [ipiExit, handlerEnds],
  [softirqRaise, softirqRaised],
  [softirqEntry, softirqBegins],
  [softirqExit, softirqEnds],
];
