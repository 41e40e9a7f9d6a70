import type { ObjectId, Step, TextId } from '../../base/ids.ts';
import type { EventRow } from '../../trace/row.ts';
import type { UnnamedSends } from '../unnamed-sends.ts';
import { Delivery, type Stage } from './delivery.ts';
import type { Early, Frame, Link, Returned, Served, ThreadPlace } from './places.ts';
import { DEFERRED, type QueueEntries } from './queues.ts';
import { Causes, InFlight, Tried } from './waiting.ts';

/** A thread on a processor: an interrupt runs in the task that it interrupts, and the idle tasks of all processors share a name. */
const threadOf = ({ cpu, task }: Pick<EventRow, 'cpu' | 'task'>): number => task * 0x10000 + cpu + 1;

/** Deliveries of unknown threads that are kept while they wait nowhere. */
const LOOSE = 64;

/** The places in which deliveries wait for their next event. */
export class Slots {
  /** Deliveries on their way. */
  readonly open = new Set<Delivery>();
  /** Causes that no message followed yet, by entry, function or line, and vector of an MSI function. */
  readonly raised = new Causes();
  /** Messages by what they lead to: a remapping table entry, an ITS event, an SPI, a vector. */
  readonly sent = new InFlight();
  /** What a local APIC of an emulated machine got, by the entry that sent it: the kernel inside may not tell which vector an irq has. */
  readonly delivered = new InFlight();
  /** The last handler that served a vector to which messages were sent. */
  readonly served = new Map<ObjectId, Served>();
  /** Messages of tables whose function the trace does not tell; undefined before the first message. */
  unnamed: UnnamedSends | undefined;
  /** What a thread translates right now. */
  readonly translating = new Map<TextId, Delivery>();
  /** Interrupts that wait for their INTID to be acknowledged, by INTID. */
  readonly intids = new Map<number, Delivery[]>();
  /** Interrupts in a posted-interrupt descriptor, by the vector object of the virtual CPU. */
  readonly posted = new Map<ObjectId, Delivery>();
  /** Interrupts that are requested (IRR, pending table), by vector or INTID of the processor. */
  readonly accepted = new Map<ObjectId, Delivery>();
  /** Interrupts that reached a local APIC of which no record tells what it holds. */
  readonly arrived = new Map<ObjectId, Delivery>();
  /** Vectors and INTIDs that a record has shown to be taken: for these an end without a taking belongs to nothing that waits. */
  readonly shown = new Set<ObjectId>();
  /** Vectors of virtual CPUs of which KVM tells what becomes of them. */
  readonly ofKvm = new Set<ObjectId>();
  /** Interrupts in service, by vector or INTID of the processor. */
  readonly inService = new Map<ObjectId, Delivery>();
  /** The interrupt that a processor, by its path, took last and that no handler belongs to yet. */
  readonly taken = new Map<string, Delivery>();
  /** Interrupts that were ended before their handler ran. */
  readonly acknowledged = new Set<Delivery>();
  /** Handlers that run, by the path of their processor, the innermost last. */
  readonly handlers = new Map<string, Frame[]>();
  /** The last handler that began on a CPU while nothing was known that it serves, by the path of the CPU. */
  readonly early = new Map<string, Early>();
  /** The handler that returned last on a CPU, until something else is recorded there. */
  readonly returned = new Map<string, Returned>();
  /** The delivery whose handler raised a softirq of a CPU first since that ran, and the one that it runs for; by its object. */
  readonly softirqs = new Map<ObjectId, { raised: Delivery | undefined; running: Delivery | undefined }>();
  /** Messages that KVM may decode again. */
  readonly tried = new Tried();
  /** Deliveries by the numbers that simulated traces give to causes. */
  readonly causes = new Map<number, Delivery>();
  /** The threads that handle irqs, by their objects. */
  readonly threads = new Map<ObjectId, ThreadPlace>();
  /** The delivery that a handler of an irq served last, by the irq. */
  readonly lastHandled = new Map<ObjectId, Delivery>();
  /** The signals and routes after which the same thread goes on. */
  readonly #chains = new Map<number, Link>();
  /** The last of them. */
  #last: Link | undefined;
  /** Interrupts that a local APIC accepted last, by thread: KVM prints what the I/O APIC did for one only afterwards. */
  readonly #entered = new Map<number, Delivery>();
  /** The last cause. */
  cause: Link | undefined;
  /** The delivery that the event before belongs to. */
  before: Delivery | undefined;
  /** The delivery that the last event belongs to. */
  touched: Delivery | undefined;

  /** Causes that name no entry, and whose message an eventfd may delay; the oldest first. */
  #deferred: Link[] = [];
  /** Where one delivery at a time waits at an object. */
  readonly #places = [this.posted, this.accepted, this.arrived, this.inService];
  /** Deliveries of unknown threads that wait nowhere, the oldest first. */
  readonly #loose: Delivery[] = [];
  /** Which entry sends for each virtio queue. */
  readonly queues: QueueEntries;
  /** The clock counts ticks, which are no durations. */
  readonly ticks: boolean;
  /** Whether it is not known which of two events came first. */
  readonly unordered: (a: Step, b: Step) => boolean;
  readonly #sends: () => boolean;
  readonly #done: (delivery: Delivery) => void;

  /** `unordered`: whether the order of two events is not known; `sends`: whether the trace records messages on the bus. */
  constructor(
    queues: QueueEntries,
    ticks: boolean,
    unordered: (a: Step, b: Step) => boolean,
    sends: () => boolean,
    done: (delivery: Delivery) => void,
  ) {
    this.unordered = unordered;
    this.queues = queues;
    this.ticks = ticks;
    this.#sends = sends;
    this.#done = done;
  }

  /** Whether the trace records messages on the bus, anywhere. */
  get showsMessages(): boolean {
    return this.#sends();
  }

  begin(step: Step, stage: Stage, object: ObjectId): Delivery {
    const delivery = new Delivery();
    this.open.add(delivery);
    this.hop(delivery, step, stage, object);
    return delivery;
  }

  hop(delivery: Delivery, step: Step, stage: Stage, object: ObjectId, seen = true): Delivery {
    delivery.add(step, stage, object, seen);
    this.touched = delivery;
    return delivery;
  }

  /** Ends a delivery and takes it out of all places. */
  end(delivery: Delivery, step: Step, delivered: boolean | null, reason = ''): void {
    if (!this.open.delete(delivery)) return;
    delivery.ending ??= { step, delivered, reason };
    this.#leave(delivery);
    this.#done(delivery);
  }

  /** The next event of the same thread may belong to a delivery. */
  expect(delivery: Delivery, step: Step, row: Pick<EventRow, 'cpu' | 'task'>): void {
    const thread = threadOf(row);
    const before = this.#chains.get(thread)?.delivery;
    this.#last = { delivery, step, cpu: row.cpu, task: row.task };
    this.#chains.set(thread, this.#last);
    if (before !== delivery) this.#abandon(before, step);
  }

  /** The signal or route that the same thread recorded before. Of records that name no processor, the one just before. */
  chained(step: Step, row: Pick<EventRow, 'cpu' | 'task'>): Link | undefined {
    const own = this.#chains.get(threadOf(row));
    if (own && this.open.has(own.delivery)) return own;
    const last = this.#last;
    const near = last && last.step === step - 1 && (last.cpu < 0 || row.cpu < 0) && this.open.has(last.delivery);
    return near ? last : undefined;
  }

  /** The thread reached the local APIC with what it signalled. */
  enter(delivery: Delivery, row: Pick<EventRow, 'cpu' | 'task'>): void {
    const thread = threadOf(row);
    this.#forget(delivery);
    this.tried.remove(delivery);
    this.#entered.set(thread, delivery);
  }

  /** The interrupt that a thread brought to a local APIC last. */
  entered(row: Pick<EventRow, 'cpu' | 'task'>): Delivery | undefined {
    return this.#entered.get(threadOf(row));
  }

  /** A cause that names no entry: its message may come later, behind those of other devices. */
  defer(link: Link): void {
    this.#deferred = this.#deferred.filter(
      (other) => other.step >= link.step - DEFERRED && this.open.has(other.delivery),
    );
    this.#deferred.push(link);
  }

  /** The causes of a thread of which a message of unknown cause can be, the oldest first. */
  deferred(step: Step, task: TextId): Delivery[] {
    if (task === 0 || this.#deferred.length === 0) return [];
    return this.#deferred
      .filter(
        (link) =>
          link.task === task &&
          link.step >= step - DEFERRED &&
          this.open.has(link.delivery) &&
          !link.delivery.has('message'),
      )
      .map(({ delivery }) => delivery);
  }

  /** The thread does something else: what it signalled before goes no further. */
  turn(step: Step, row: Pick<EventRow, 'cpu' | 'task'>): void {
    const thread = threadOf(row);
    this.#entered.delete(thread);
    const before = this.#chains.get(thread)?.delivery;
    this.#chains.delete(thread);
    this.#abandon(before, step);
  }

  /** A thread translates a message now; what it translated before goes no further. */
  translate(delivery: Delivery, step: Step, task: TextId): void {
    const before = this.translating.get(task);
    this.translating.set(task, delivery);
    if (before && before !== delivery) this.drop(before, step, task);
  }

  /** One delivery merges into another. */
  merge(delivery: Delivery, into: Delivery, step: Step): void {
    if (delivery === into) return;
    delivery.into = into;
    this.end(delivery, step, null, 'merged');
    this.touched = delivery;
  }

  /** What was entered as a delivery of its own turns out to be a part of another one. */
  absorb(part: Delivery, whole: Delivery): void {
    this.open.delete(part);
    part.whole = whole;
    for (const hop of part.hops) whole.add(hop.step, hop.stage, hop.object, hop.seen);
    for (const frames of this.handlers.values())
      frames.forEach((frame, i) => {
        if (frame.delivery === part) frames[i] = { ...frame, delivery: whole };
      });
    for (const [processor, frame] of this.returned)
      if (frame.delivery === part) this.returned.set(processor, { ...frame, delivery: whole });
  }

  /** Whether a delivery still waits for something. */
  waits(delivery: Delivery): boolean {
    if (delivery.intid >= 0 || this.tried.has(delivery)) return true;
    for (const object of delivery.ahead) if (this.#waitsAt(delivery, object)) return true;
    return delivery.hops.some(({ object }) => this.#waitsAt(delivery, object));
  }

  #waitsAt(delivery: Delivery, object: ObjectId): boolean {
    for (const place of this.#places) if (place.get(object) === delivery) return true;
    return this.raised.has(object, delivery) || this.sent.has(object, delivery);
  }

  /** A cause waits for its message; one that waited there before is over, and nobody knows how. */
  raise(object: ObjectId, vector: number, delivery: Delivery, step: Step): void {
    delivery.ahead.add(object);
    const before = this.raised.put(object, vector, delivery);
    if (before) this.end(before, step, null);
  }

  /** Puts a delivery into a place; one that waited there before is over, and nobody knows how. */
  put(place: Map<ObjectId, Delivery>, object: ObjectId, delivery: Delivery, step: Step): void {
    const before = place.get(object);
    delivery.ahead.add(object);
    place.set(object, delivery);
    if (before !== undefined && before !== delivery) this.end(before, step, null);
  }

  /**
   * The trace lost events: nothing more is known of what was on its way, for that reason. `processor`: those of one processor, by its
   * path; `keeps`: of a delivery, that its next event is not among them.
   */
  lose(step: Step, reason: string, processor: string | undefined, keeps: (delivery: Delivery) => boolean): void {
    for (const delivery of [...this.open]) if (!keeps(delivery)) this.end(delivery, step, null, reason);
    const isOver = ({ delivery }: Link): boolean => !this.open.has(delivery);
    for (const [thread, link] of this.#chains) if (isOver(link)) this.#chains.delete(thread);
    for (const [thread, delivery] of this.#entered) if (!this.open.has(delivery)) this.#entered.delete(thread);
    if (this.#last && isOver(this.#last)) this.#last = undefined;
    this.#deferred = this.#deferred.filter((link) => !isOver(link));
    this.softirqs.clear();
    this.threads.clear();
    this.lastHandled.clear();
    if (processor === undefined) {
      this.causes.clear();
      this.handlers.clear();
      this.returned.clear();
    } else {
      // Handlers of other processors end there, also those of deliveries of which nothing more is known.
      this.handlers.delete(processor);
      this.returned.delete(processor);
    }
  }

  /** Whether a delivery goes on where no processor is known to: in a thread, a device, or at whichever processor has an INTID. */
  goesOnAnywhere(delivery: Delivery): boolean {
    if (delivery.intid >= 0) return true;
    const isOne = (other: Delivery): boolean => other === delivery;
    // What a handler signals goes on in that handler, on its CPU.
    const running = [...this.processorsOf(delivery)];
    for (const link of this.#chains.values())
      if (isOne(link.delivery) && !running.some((processor) => processor.endsWith(`/${link.cpu}`))) return true;
    for (const object of this.#objectsOf(delivery))
      if (this.raised.has(object, delivery) || this.posted.get(object) === delivery) return true;
    return false;
  }

  /** The processors at which handlers of a delivery run or have just returned, or that took it, by their paths. */
  *processorsOf(delivery: Delivery): Generator<string> {
    for (const [processor, frames] of this.handlers)
      if (frames.some((frame) => frame.delivery === delivery)) yield processor;
    for (const [processor, frame] of this.returned) if (frame.delivery === delivery) yield processor;
    for (const [processor, taken] of this.taken) if (taken === delivery) yield processor;
  }

  /** What the message of a delivery leads to, and the vectors and INTIDs of processors at which it is requested or in service. */
  *placesOf(delivery: Delivery): Generator<ObjectId> {
    const places = [this.accepted, this.arrived, this.inService];
    for (const object of this.#objectsOf(delivery))
      if (this.sent.has(object, delivery) || places.some((place) => place.get(object) === delivery)) yield object;
  }

  #objectsOf(delivery: Delivery): ReadonlySet<ObjectId> {
    return new Set([...delivery.ahead, ...delivery.hops.map(({ object }) => object)]);
  }

  /**
   * What waits only for the thread to go on is over when the thread does something else. Where records name no thread it may
   * go on a little later.
   */
  drop(delivery: Delivery, step: Step, task: TextId): void {
    if (!this.open.has(delivery) || delivery.named || this.waits(delivery)) return;
    if (task !== 0) this.end(delivery, step, null);
    else if (this.#loose.push(delivery) > LOOSE) this.end(this.#loose.shift()!, step, null);
  }

  /** A delivery waits for the acknowledge of an INTID, and of no other. */
  awaitIntid(delivery: Delivery, intid: number): void {
    if (delivery.intid === intid) return;
    this.forgetIntid(delivery);
    if (intid < 0) return;
    delivery.intid = intid;
    const waiting = this.intids.get(intid);
    if (waiting) waiting.push(delivery);
    else this.intids.set(intid, [delivery]);
  }

  /** The deliveries that wait for an INTID, the oldest first; they wait no longer. */
  takeIntid(intid: number): readonly Delivery[] {
    const waiting = this.intids.get(intid) ?? [];
    this.intids.delete(intid);
    for (const delivery of waiting) delivery.intid = -1;
    return waiting;
  }

  /** A delivery waits for no INTID. */
  forgetIntid(delivery: Delivery): void {
    const waiting = this.intids.get(delivery.intid);
    const at = waiting?.indexOf(delivery) ?? -1;
    if (waiting && at >= 0) waiting.splice(at, 1);
    if (waiting?.length === 0) this.intids.delete(delivery.intid);
    delivery.intid = -1;
  }

  /** A processor takes an interrupt. The one before it that was already ended has no handler in this trace. */
  take(processor: string, delivery: Delivery): void {
    const before = this.taken.get(processor);
    this.taken.set(processor, delivery);
    delivery.taken = true;
    if (before && before !== delivery && this.acknowledged.delete(before) && !this.waits(before))
      this.end(before, before.hops.at(-1)!.step, true);
  }

  /** The handler of an interrupt that a processor took has begun, or the interrupt is over. */
  forgetTaken(delivery: Delivery): void {
    for (const [key, other] of this.taken) if (other === delivery) this.taken.delete(key);
    delivery.taken = false;
  }

  /** A message leads to a place. */
  send(object: ObjectId, delivery: Delivery, step: Step): void {
    delivery.ahead.add(object);
    const lost = this.sent.add(object, delivery);
    if (lost) this.end(lost, step, null);
  }

  #leaveAt(delivery: Delivery, object: ObjectId): void {
    for (const place of this.#places) if (place.get(object) === delivery) place.delete(object);
    this.raised.remove(object, delivery);
    this.sent.remove(object, delivery);
    this.delivered.remove(object, delivery);
  }

  #leave(delivery: Delivery): void {
    for (const object of delivery.ahead) this.#leaveAt(delivery, object);
    for (const { object } of delivery.hops) this.#leaveAt(delivery, object);
    for (const [key, other] of this.translating) if (other === delivery) this.translating.delete(key);
    if (delivery.taken) this.forgetTaken(delivery);
    this.acknowledged.delete(delivery);
    this.forgetIntid(delivery);
    this.tried.remove(delivery);
    this.#forget(delivery);
    if (this.cause?.delivery === delivery) this.cause = undefined;
  }

  /** No thread goes on with a delivery. */
  #forget(delivery: Delivery): void {
    for (const [thread, link] of this.#chains) if (link.delivery === delivery) this.#chains.delete(thread);
    if (this.#last?.delivery === delivery) this.#last = undefined;
  }

  /** A thread leaves a delivery: it is over if it waits nowhere. */
  #abandon(delivery: Delivery | undefined, step: Step): void {
    if (delivery && this.open.has(delivery) && !this.waits(delivery)) this.end(delivery, step, null);
  }
}
