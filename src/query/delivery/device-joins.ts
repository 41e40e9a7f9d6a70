// Causes and messages: what a device does.
import type { ObjectId } from '../../base/ids.ts';
import { lineSet } from '../../model/events/cpu.ts';
import { ioapicIrr } from '../../model/events/ioapic.ts';
import { devRaise, devWithdraw, intx, msgSend } from '../../model/events/msix.ts';
import { dropped, merged, untold } from '../../model/events/outcome.ts';
import { ntbTrigger } from '../../model/events/queue.ts';
import { smmuAbort, smmuBypass, smmuFault, smmuTrans } from '../../model/events/smmu.ts';
import { vfioIntx } from '../../model/events/vfio.ts';
import { grantedVectors, isEntry as holdsMessage, maskedBy, msiVectorOf } from '../../model/masking.ts';
import type { PathNode } from '../../model/namespace.ts';
import { messageOf } from '../../model/references.ts';
import { functionsAt } from '../../model/segments.ts';
import type { State } from '../../model/state.ts';
import { device, msi, msixEntry } from '../../model/things/pci.ts';
import { argumentOf } from '../../trace/row.ts';
import { arrived } from '../arrivals.ts';
import { UnnamedSends } from '../unnamed-sends.ts';
import type { Delivery } from './delivery.ts';
import { type Joins, type Moment, numberOf } from './moment.ts';
import { AT_ONCE, isQueue } from './queues.ts';

/** Remembers the number that a simulation gave to a cause. */
function nameCause({ slots, row }: Moment, delivery: Delivery): void {
  const cause = argumentOf(row, 'cause');
  if (cause === undefined) return;
  slots.causes.set(cause, delivery);
  delivery.named = true;
}

/** The vector of an MSI function that a cause names; -1 where it names none, and for other objects. */
function vectorOf({ row, state }: Moment): number {
  if (state.world.type(row.object) !== msi) return -1;
  return argumentOf(row, 'vector') ?? (grantedVectors(state, row.object) === 1 ? 0 : -1);
}

function raise(moment: Moment): void {
  const { slots, step, row, state } = moment;
  const { object } = row;
  const vector = vectorOf(moment);
  const waiting = slots.raised.exactly(object, vector);
  const entry = isEntry(state, object);
  // A cause that finds another one waiting in its entry is served by the same message.
  const own = waiting && mayWait(moment, waiting, vector) ? waiting : undefined;
  const at = entry ? own : isQueue(state.world, object) ? undefined : nameless(moment);
  const delivery = at ? slots.hop(at, step, 'cause', object) : slots.begin(step, 'cause', object);
  slots.raise(object, vector, delivery, step);
  delivery.caused = slots.ticks ? Number.NaN : row.time;
  const later = row.kind === devRaise && devRaise.read(row.words, row.at).eventfd === true;
  slots.cause = { delivery, step, cpu: row.cpu, task: row.task, later };
  if (!entry && row.kind === devRaise) slots.defer(slots.cause);
  nameCause(moment, delivery);
}

/** Whether an object is an entry that holds a message. */
const isEntry = (state: State, object: ObjectId): boolean => holdsMessage(state.world.type(object));

/** Time in which the message of a cause that nothing masks is on the bus, ns: what comes later is not its message (I-P5). */
const DUE = 1_000_000;

/**
 * Whether a cause still waits for its message when the next one of its entry arises. Behind a mask it does. Else its message follows at once; where
 * no messages are recorded, it is gone.
 */
function mayWait({ slots, row, state }: Moment, waiting: Delivery, vector: number): boolean {
  const by = maskedBy(state, row.object, vector) ?? (slots.showsMessages ? undefined : 'none');
  return by !== 'none' || (slots.showsMessages && !(row.time - waiting.caused > DUE));
}

/** The cause that the same thread recorded just before. */
function causeBefore({ slots, step, row }: Moment): Delivery | undefined {
  const { cause: last } = slots;
  const near = last && last.task === row.task && last.step >= step - AT_ONCE;
  // The same object again is another cause.
  return near && !last.delivery.hops.some((hop) => hop.object === row.object) ? last.delivery : undefined;
}

/** The cause that the same thread recorded just before, of a line or a function that names no entry. */
export function nameless(moment: Moment): Delivery | undefined {
  const delivery = causeBefore(moment);
  return delivery && !isEntry(moment.state, delivery.hops.at(-1)!.object) ? delivery : undefined;
}

/** The cause that the same thread recorded just before, where it may have sent a message that is not known to be of its entry. */
function sender(moment: Moment): Delivery | undefined {
  const { row, state } = moment;
  const delivery = causeBefore(moment);
  const from = delivery?.hops.at(-1)?.object ?? -1;
  if (delivery === undefined) return undefined;
  if (isQueue(state.world, from)) return moment.slots.cause?.later ? undefined : onlyOf(moment, [delivery]);
  if (!isEntry(state, from)) return delivery;
  if (isEntry(state, row.object)) return undefined;
  const type = state.world.type(from)!;
  const { address, data } = type.at as { readonly address: number; readonly data: number };
  const sent = msgSend.read(row.words, row.at);
  const [lo, hi, held] = [state.num(from, address), state.num(from, address + 1), state.num(from, data)];
  if (lo < 0 || held < 0) return delivery;
  // What an MSI function sends is found by its vectors.
  if (type === msi) return undefined;
  return lo === sent.address(0) && hi === sent.address(1) && held === sent.data ? delivery : undefined;
}

/** The function that an object belongs to, or -1. */
function deviceOf(state: State, object: ObjectId): ObjectId {
  let node = state.world.node(object);
  while (node && state.world.type(node.object) !== device) node = node.parent;
  return node?.object ?? -1;
}

/** The cause that waits in a queue which the sender of a message serves; undefined where there are several. */
function ofQueue({ slots, step, row }: Moment): Delivery | undefined {
  const queues = slots.queues.servedBy(row.object, step);
  const [only, ...others] = queues.map((queue) => slots.raised.get(queue)).filter((cause) => cause !== undefined);
  return others.length === 0 ? only : undefined;
}

/**
 * The only one of some causes that name no entry of which a message can be; undefined where there is none, or several. Not that of
 * a queue that another entry serves; and what serves a queue sends for no other.
 */
function onlyOf({ slots, step, row, state }: Moment, causes: readonly Delivery[]): Delivery | undefined {
  const { queues } = slots;
  const serves = queues.servedBy(row.object, step).length > 0;
  const sender = deviceOf(state, row.object);
  const [only, ...others] = causes.filter(({ first }) => {
    if (isQueue(state.world, first)) return !serves && queues.entryOf(first, step) < 0;
    const from = deviceOf(state, first);
    return from < 0 || sender < 0 || from === sender;
  });
  return others.length === 0 ? only : undefined;
}

/**
 * The cause of the entry whose message arrives at a unit, where no record shows that it was sent; undefined where there are several.
 */
export function unsent({ slots, row, state }: Moment): Delivery | undefined {
  const causes = new Set<Delivery>();
  const places: [object: ObjectId, delivery: Delivery][] = [];
  for (const [object, delivery, vector] of slots.raised)
    if (arrived(state, object, row, vector)) {
      causes.add(delivery);
      places.push([object, delivery]);
    }
  const [only] = causes;
  if (only === undefined || causes.size > 1) return undefined;
  for (const [object, delivery] of places) slots.raised.remove(object, delivery);
  return only;
}

/** The cause of the vector of an MSI function whose message this is; undefined where there are several. */
function ofVector({ slots, row, state }: Moment): Delivery | undefined {
  const { address, data } = msgSend.read(row.words, row.at);
  const vectorIn = (cap: ObjectId): number => msiVectorOf(state, cap, address(0), address(1), data);
  if (state.world.type(row.object) === msi) return slots.raised.get(row.object, vectorIn(row.object));
  let found: Delivery | undefined;
  for (const [object] of slots.raised) {
    const vector = state.world.type(object) === msi ? vectorIn(object) : -1;
    const delivery = vector < 0 ? undefined : slots.raised.get(object, vector);
    if (delivery && found && delivery !== found) return undefined;
    found ??= delivery;
  }
  return found;
}

function send(moment: Moment): void {
  const { slots, step, row, state } = moment;
  const { object } = row;
  slots.unnamed ??= new UnnamedSends(state.world);
  slots.unnamed.sent(step, object);
  const ahead = slots.translating.get(row.task);
  const single = state.world.type(object) === msi;
  const own =
    (single || !isEntry(state, object) ? ofVector(moment) : undefined) ??
    (single ? undefined : slots.raised.get(object));
  const raised = own ?? ofQueue(moment) ?? sender(moment) ?? onlyOf(moment, slots.deferred(step, row.task));
  const translated = ahead?.hops.length === 1 && ahead.has('remap') && ahead.first !== object ? ahead : undefined;
  let delivery = raised ?? translated;
  // The SMMU translated the write before it arrived.
  if (raised && translated && raised !== translated) slots.absorb(translated, raised);
  if (delivery) slots.hop(delivery, step, 'message', object);
  else delivery = slots.begin(step, 'message', object);
  for (const [key, other] of [...slots.raised]) if (other === delivery) slots.raised.remove(key, delivery);
  slots.cause = undefined;
  nameCause(moment, delivery);
  const { address, data } = msgSend.read(row.words, row.at);
  const target = messageOf(state, object, [address(0), address(1), data]);
  if (target >= 0) slots.send(target, delivery, step);
  slots.translate(delivery, step, row.task);
}

/**
 * The entry or MSI capability of the function with a requester ID whose message address is `lo`, `hi`; -1 for none, and where
 * functions of two segments have one.
 */
function holderOf(state: State, stream: ObjectId, lo: number, hi: number): ObjectId {
  const holders = functionsAt(state, stream, numberOf(state, stream))
    .map((node) => holderIn(state, node, lo, hi))
    .filter((holder) => holder >= 0);
  return holders.length === 1 ? holders[0]! : -1;
}

function holderIn(state: State, fn: PathNode, lo: number, hi: number): ObjectId {
  for (const entry of [...(fn.children.get('msix')?.children.values() ?? []), fn.children.get('msi')]) {
    const object = entry?.object ?? -1;
    if (object >= 0 && state.present(object) && isAddressed(state, object, lo, hi)) return object;
  }
  return -1;
}

/** Whether an object is an MSI-X entry or an MSI capability whose message goes to an address. */
function isAddressed(state: State, object: ObjectId, lo: number, hi: number): boolean {
  const type = state.world.type(object);
  if (type !== msi && type !== msixEntry) return false;
  const address = type === msi ? msi.at.address : msixEntry.at.address;
  return state.num(object, address) === lo && state.num(object, address + 1) === hi;
}

/** A cause that waits in a function: the one whose message an SMMU looks at. */
function raisedAt({ slots, state }: Moment, stream: ObjectId): Delivery | undefined {
  const functions = functionsAt(state, stream, numberOf(state, stream)).map(({ object }) => object);
  if (functions.length > 1) return undefined;
  let found: Delivery | undefined;
  for (const [object, delivery] of slots.raised) if (functions.includes(deviceOf(state, object))) found = delivery;
  return found;
}

/** The cause that waits in a function of a stream, in an entry whose message goes to an address; undefined for none, and for several. */
function onlyRaised({ slots, row, state }: Moment, lo: number, hi: number): Delivery | undefined {
  const functions = functionsAt(state, row.object, numberOf(state, row.object)).map(({ object }) => object);
  const found = [...slots.raised].filter(
    ([object]) => functions.includes(deviceOf(state, object)) && isAddressed(state, object, lo, hi),
  );
  return found.length === 1 ? found[0]![1] : undefined;
}

/** An access that an SMMU translates or refuses: it belongs to a delivery when it goes to the address of a message. */
function access(moment: Moment, lo: number, hi: number, refused: string | undefined): void {
  const { slots, step, row, state } = moment;
  const holder = holderOf(state, row.object, lo, hi);
  if (holder < 0) return;
  const waiting = slots.raised.get(holder) ?? (refused === undefined ? undefined : raisedAt(moment, row.object));
  if (refused === undefined) {
    const delivery = slots.begin(step, 'remap', row.object);
    slots.translate(delivery, step, row.task);
    delivery.likely = waiting;
    return;
  }
  const delivery = waiting ?? slots.begin(step, 'message', holder);
  slots.hop(delivery, step, 'remap', row.object);
  slots.end(delivery, step, false, refused);
}

/** A fault that an SMMU records: of the message that the same thread translates there, or of a cause whose message goes to that address. */
function fault(moment: Moment): void {
  const { slots, step, row, state } = moment;
  const { event, iova, has } = smmuFault.read(row.words, row.at);
  const translating = slots.translating.get(row.task);
  const here = translating?.hops.some((hop) => hop.object === row.object) ? translating : undefined;
  const delivery = here ?? (has.iova ? onlyRaised(moment, iova(0), iova(1)) : undefined);
  if (!delivery) return;
  slots.hop(delivery, step, 'remap', row.object);
  slots.end(delivery, step, false, `the SMMU refused the message: ${state.world.strings.text(event)}`);
}

function line(moment: Moment): void {
  const { slots, step, row, state } = moment;
  const { object } = row;
  if (!lineSet.read(row.words, row.at).level) return;
  const sent = slots.sent.get(object);
  if (!sent) raise(moment);
  else {
    slots.hop(sent, step, 'accept', object);
    slots.sent.remove(object, sent);
  }
  const delivery = sent ?? slots.raised.get(object);
  // An SPI of a GIC is acknowledged by its INTID.
  if (delivery && state.world.node(object)?.parent?.segment === 'spi') {
    slots.raised.remove(object, delivery);
    slots.awaitIntid(delivery, numberOf(state, object));
  }
}

function pinServed({ slots, step, row }: Moment): void {
  if (!ioapicIrr.read(row.words, row.at).set) return;
  const raised = slots.raised.get(row.object);
  const delivery = raised ? slots.hop(raised, step, 'message', row.object) : slots.begin(step, 'message', row.object);
  slots.raised.remove(row.object, delivery);
  slots.translate(delivery, step, row.task);
}

function withdraw({ slots, step, row }: Moment): void {
  const delivery = slots.raised.get(row.object);
  if (!delivery) return;
  const since = delivery.hops[0]!.step;
  slots.hop(delivery, step, 'cause', row.object);
  if (slots.unnamed?.mayBeOf(row.object, since))
    slots.end(
      delivery,
      step,
      null,
      'an entry with its number sent a message, of a table whose function the trace does not tell',
    );
  else
    slots.end(delivery, step, false, 'the cause went away before its message was sent: software served it by polling');
}

/** The delivery that an event about its end speaks of: by the number of the cause, or by where it was. */
function meant({ slots, row }: Moment): Delivery | undefined {
  const cause = argumentOf(row, 'cause');
  const named = cause === undefined ? undefined : slots.causes.get(cause);
  if (named) return named;
  const { object } = row;
  return (
    slots.raised.get(object) ??
    slots.sent.get(object) ??
    slots.inService.get(object) ??
    slots.accepted.get(object) ??
    slots.translating.get(row.task)
  );
}

/** The stage at which a delivery stood when an event ended it. */
const stageNow = (delivery: Delivery) => delivery.hops.at(-1)!.stage;

function drop(moment: Moment): void {
  const { slots, step, row, state } = moment;
  const delivery = meant(moment);
  if (!delivery || !slots.open.has(delivery)) return;
  slots.hop(delivery, step, stageNow(delivery), row.object);
  const { strings } = state.world;
  if (row.kind === dropped) slots.end(delivery, step, false, strings.text(dropped.read(row.words, row.at).reason));
  else slots.end(delivery, step, null, strings.text(untold.read(row.words, row.at).what));
}

function coalesce({ slots, step, row }: Moment): void {
  const { cause, into } = merged.read(row.words, row.at);
  const one = slots.causes.get(cause);
  const other = into === undefined ? undefined : slots.causes.get(into);
  if (one && other && one !== other) slots.merge(one, other, step);
  else if (one) slots.touched = one;
}

export const deviceJoins: Joins = [
  [devRaise, raise],
  [intx, (m) => (intx.read(m.row.words, m.row.at).level === false ? undefined : raise(m))],
  [ntbTrigger, raise],
  [
    vfioIntx,
    (m) =>
      /deassert/.test(m.state.world.strings.text(vfioIntx.read(m.row.words, m.row.at).what)) ? undefined : raise(m),
  ],
  [devWithdraw, withdraw],
  [msgSend, send],
  [lineSet, line],
  [ioapicIrr, pinServed],
  [
    smmuTrans,
    (m) => {
      const { iova } = smmuTrans.read(m.row.words, m.row.at);
      access(m, iova(0), iova(1), undefined);
    },
  ],
  [
    smmuBypass,
    (m) => {
      const { iova } = smmuBypass.read(m.row.words, m.row.at);
      access(m, iova(0), iova(1), undefined);
    },
  ],
  [
    smmuAbort,
    (m) => {
      const { iova } = smmuAbort.read(m.row.words, m.row.at);
      access(m, iova(0), iova(1), 'the SMMU aborted the write of the message');
    },
  ],
  [smmuFault, fault],
  [dropped, drop],
  [untold, drop],
  [merged, coalesce],
];
