import type { ObjectId, Step } from '../../base/ids.ts';
import { devRaise } from '../../model/events/msix.ts';
import { isEntry, pendingOf } from '../../model/masking.ts';
import { entryBehind, irqOfVector, linksOf } from '../../model/references.ts';
import type { State } from '../../model/state.ts';
import { irq } from '../../model/things/irq.ts';
import { device, msixCap, msixEntry } from '../../model/things/pci.ts';
import { vcpuVector, vfioVector } from '../../model/things/virt.ts';
import type { Trace } from '../../trace/trace.ts';
import { Walk } from '../../trace/walk.ts';
import { eventAbout } from '../next.ts';
import { objectsBelow, resolvePath } from '../paths.ts';
import { lastWrite } from '../writes.ts';
import type { Delivery } from './delivery.ts';
import { isQueue, queueEntries } from './queues.ts';
import { DeliveryTracker } from './tracker.ts';

/** Events before a step that are read to find the deliveries which are on their way there. */
const BACK = 4096;
/** Events that are read at a time while a delivery goes on. */
const AHEAD = 2048;
/** Events before the next one of a delivery that are read after a gap. */
const NEAR = 16;
/** Events behind one of a delivery that are read in any case. */
const SETTLED = 512;
/** Earlier events about an object that are asked for their delivery, at most. */
const TRIES_BACK = 16;
/** Gaps that are passed over, at most. */
const GAPS = 64;

/** Follows one delivery through a trace without reading the events between that have nothing to do with it. */
class Follower {
  readonly #trace: Trace;
  readonly #tracker: DeliveryTracker;
  readonly #ended: Delivery[] = [];
  #walk: Walk;

  constructor(trace: Trace, from: Step) {
    this.#trace = trace;
    this.#tracker = new DeliveryTracker(trace, (delivery) => this.#ended.push(delivery));
    this.#walk = new Walk(trace, [this.#tracker], from);
  }

  get state(): State {
    return this.#walk.state;
  }

  get done(): number {
    return this.#walk.done;
  }

  get touched(): Delivery | undefined {
    return this.#tracker.touched;
  }

  /** Reads up to and including an event. */
  to(step: Step): void {
    if (step >= this.#walk.done) this.#walk.advance(step + 1 - this.#walk.done);
  }

  /** Goes on at a later event, without those between. */
  jump(to: Step): void {
    if (to > this.#walk.done) this.#walk = new Walk(this.#trace, [this.#tracker], to);
  }

  isOpen(delivery: Delivery): boolean {
    return this.#tracker.slots.open.has(delivery);
  }

  /** A softirq that its handler raised, or a thread that it woke, has not run yet, or is not done; its object, -1 for none. */
  workOf(delivery: Delivery): ObjectId {
    const { softirqs, threads } = this.#tracker.slots;
    for (const [object, { raised, running }] of softirqs)
      if (raised === delivery || running === delivery) return object;
    for (const [object, { waiting, running }] of threads)
      if (waiting === delivery || running.includes(delivery)) return object;
    return -1;
  }

  /** Its handler returned, and nothing but another action of a shared irq may follow. */
  isReturned(delivery: Delivery): boolean {
    const { slots } = this.#tracker;
    return !slots.waits(delivery) && [...slots.returned.values()].some((last) => last.delivery === delivery);
  }

  /** The delivery that concerns one of some objects: one on its way, or else the one that ended last. */
  about(objects: ReadonlySet<ObjectId>): Delivery | undefined {
    const concerns = (delivery: Delivery): boolean =>
      delivery.hops.some((hop) => objects.has(hop.object)) || [...delivery.ahead].some((object) => objects.has(object));
    return [...this.#tracker.slots.open].findLast(concerns) ?? this.#ended.findLast(concerns);
  }
}

/** The objects at which a delivery may go on. */
function placesOf(trace: Trace, delivery: Delivery, state: State): ObjectId[] {
  const { world } = state;
  const objects = new Set([...delivery.ahead, ...delivery.hops.map((hop) => hop.object)]);
  for (const object of [...objects]) {
    const node = world.node(object);
    const processor = node?.parent?.parent;
    const type = world.type(object);
    if (type === vcpuVector && processor) objects.add(processor.object);
    const irq = irqOfVector(state, object);
    if (type === msixEntry) for (const signal of signalsOf(state, object)) objects.add(signal);
    if (irq >= 0) objects.add(irq);
    if (isQueue(world, object)) objects.add(queueEntries(trace).entryOf(object, delivery.hops.at(-1)!.step));
    for (const { name, target } of linksOf(state, object)) {
      if (name !== 'lpi') continue;
      const intid = world.node(target)?.segment;
      for (const kind of ['cpu', 'vcpu'])
        for (const { children } of world.spaceOf(object).find(kind)?.children.values() ?? []) {
          const place = children.get('intid')?.children.get(String(intid))?.object ?? -1;
          if (place >= 0) objects.add(place);
        }
    }
  }
  return [...objects].filter((object) => object >= 0);
}

/** The irqfds and vectors of VFIO that signal the interrupts of an entry. */
function signalsOf(state: State, entry: ObjectId): ObjectId[] {
  const names = state.world.spaceOf(entry);
  const vfio = names.find('vfio');
  const irqfds = [...(names.find('kvm')?.children.values() ?? [])].flatMap((vm) => [
    ...(vm.children.get('irqfd')?.children.values() ?? []),
  ]);
  const vectors = (vfio ? objectsBelow(vfio) : []).filter((object) => state.world.type(object) === vfioVector);
  return [...irqfds.map((node) => node.object), ...vectors].filter((object) => entryBehind(state, object) === entry);
}

/** The last event about some objects before a step that belongs to a delivery; -1 for none near. */
function lastThrough(trace: Trace, objects: ReadonlySet<ObjectId>, step: Step): Step {
  let before = eventAbout(trace, [...objects], step, -1);
  for (let tries = 0; before >= 0 && tries < TRIES_BACK; tries++) {
    if (upTo(trace, [], before).touched) return before;
    before = eventAbout(trace, [...objects], before, -1);
  }
  return -1;
}

/** The entries that an event about an object may concern: those of the function where the event is about the function. */
function concerned(trace: Trace, object: ObjectId): ReadonlySet<ObjectId> {
  const { world } = trace;
  const type = world.type(object);
  const node = world.node(object);
  if (type === device && node) return new Set([object, ...objectsBelow(node)]);
  if (type === msixCap && node?.parent) return new Set(objectsBelow(node.parent));
  return new Set([object]);
}

/** The causes that wait in an entry before a step, the earliest first. */
function waitingCauses(trace: Trace, object: ObjectId, before: Step): Step[] {
  const target = resolvePath(trace.world, `${trace.world.path(object)}/pending`);
  const steps: Step[] = [];
  if (target === undefined) return steps;
  for (let step = lastWrite(trace, target, before); step >= 0 && steps.length < GAPS; ) {
    if (trace.table.kind(step) !== devRaise) break;
    steps.unshift(step);
    step = lastWrite(trace, target, step - 1);
  }
  return steps;
}

/** What the state says of something that is on its way at an object. */
function onItsWay(state: State, object: ObjectId): boolean {
  const type = state.world.type(object);
  if (isEntry(type)) return pendingOf(state, object) === true;
  return ['pending', 'requested', 'inService', 'running'].some((key) => {
    const cell = type?.at[key];
    return cell !== undefined && state.known(object, cell) !== 0 && (type === irq || state.flag(object, cell) === true);
  });
}

/** The steps before `start` at which a delivery that goes through one of some objects may have begun, the earliest first. */
function earlier(trace: Trace, objects: Iterable<ObjectId>, start: Step): Step[] {
  if (start <= 0) return [];
  const state = trace.stateAt(start - 1);
  const steps: Step[] = [];
  for (const object of objects) {
    if (!onItsWay(state, object)) continue;
    if (isEntry(trace.world.type(object))) steps.push(...waitingCauses(trace, object, start - 1));
    else {
      const before = eventAbout(trace, [object], start, -1);
      if (before >= 0) steps.push(before);
    }
  }
  return steps.sort((a, b) => a - b);
}

/** A follower that has read what leads to a step, and that step. */
function upTo(trace: Trace, seeds: readonly Step[], step: Step): Follower {
  const start = Math.max(0, step - BACK);
  const [first = start] = seeds;
  const follower = new Follower(trace, Math.max(0, Math.min(first, start) - (first < start ? NEAR : 0)));
  for (const seed of seeds) {
    if (seed >= start) break;
    follower.jump(Math.max(0, seed - NEAR));
    follower.to(seed);
  }
  follower.jump(start);
  follower.to(step);
  return follower;
}

/** Reads on until a delivery is over. */
function finish(trace: Trace, follower: Follower, delivery: Delivery): void {
  for (let gaps = 0; gaps < GAPS && follower.isOpen(delivery) && follower.done < trace.length; ) {
    // What the same thread records next names the delivery by nothing but its place in the trace.
    const settled = Math.min(trace.length - 1, delivery.hops.at(-1)!.step + SETTLED);
    if (follower.done <= settled) {
      follower.to(settled);
      continue;
    }
    if (follower.isReturned(delivery)) return;
    const { length } = delivery.hops;
    const next = eventAbout(trace, placesOf(trace, delivery, follower.state), follower.done - 1, 1);
    if (next < 0) return;
    if (next - follower.done > AHEAD) {
      follower.jump(next - NEAR);
      gaps++;
    }
    follower.to(next);
    if (delivery.hops.length === length) gaps += 0.125;
  }
}

/** Reads on until the softirqs and threads ran that the handler of a delivery raised or woke. They run soon, or the path does not go on there. */
function finishWork(trace: Trace, follower: Follower, delivery: Delivery): void {
  const last = Math.min(trace.length - 1, follower.done + AHEAD);
  for (
    let object = follower.workOf(delivery);
    object >= 0 && follower.done <= last;
    object = follower.workOf(delivery)
  ) {
    const next = eventAbout(trace, [object], follower.done - 1, 1);
    if (next < 0 || next > last) return;
    follower.to(next);
  }
}

/** The next delivery through one of some objects behind a step; the follower has read up to it. */
function ahead(trace: Trace, follower: Follower, objects: ReadonlySet<ObjectId>, step: Step): Delivery | undefined {
  let next = eventAbout(trace, [...objects], step, 1);
  for (let tries = 0; next >= 0 && tries <= GAPS; tries++) {
    if (next - follower.done > AHEAD) follower.jump(next - NEAR);
    follower.to(next);
    if (follower.touched) return follower.touched;
    next = eventAbout(trace, [...objects], follower.done - 1, 1);
  }
  return next < 0 ? follower.about(objects) : undefined;
}

/**
 * The delivery that an event belongs to. An event that is no part of a delivery (a mask, a write of the table) gets the
 * one that waits at its object, or else the next one there, or the last one. Undefined when there is none.
 */
export function deliveryAt(trace: Trace, step: Step): Delivery | undefined {
  if (step < 0 || step >= trace.length) return undefined;
  const object = trace.table.object(step);
  const objects = concerned(trace, object);
  let follower = upTo(trace, [], step);
  let delivery = follower.touched ?? follower.about(objects);
  const start = Math.max(0, step - BACK);
  const seeds = earlier(trace, delivery ? placesOf(trace, delivery, follower.state) : objects, start);
  if (seeds.length > 0) {
    follower = upTo(trace, seeds, step);
    delivery = follower.touched ?? follower.about(objects);
  }
  if (!delivery && !(delivery = ahead(trace, follower, objects, step))) {
    const before = lastThrough(trace, objects, step);
    return before < 0 ? undefined : deliveryAt(trace, before);
  }
  finish(trace, follower, delivery);
  for (let whole = delivery.whole ?? delivery.likely; whole !== undefined; whole = whole.whole) {
    delivery = whole;
    finish(trace, follower, delivery);
  }
  finishWork(trace, follower, delivery);
  if (delivery.into) finish(trace, follower, delivery.into);
  return delivery;
}
