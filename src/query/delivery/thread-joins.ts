// Threads that handle irqs: the handler of an interrupt wakes one, and it goes on with the interrupt, on whatever CPU it runs.
import type { ObjectId, Step } from '../../base/ids.ts';
import { threadEntry, threadExit, threadWake } from '../../model/events/cpu.ts';
import type { Delivery } from './delivery.ts';
import { type Join, type Joins, type Moment, processorAt } from './moment.ts';
import type { ThreadPlace } from './places.ts';

/** The irq of the thread that an event is about. */
const irqOf = ({ state, row }: Moment): ObjectId => state.world.node(row.object)?.parent?.parent?.object ?? -1;

function placeOf({ slots, row }: Moment): ThreadPlace {
  let place = slots.threads.get(row.object);
  if (place === undefined)
    slots.threads.set(row.object, (place = { woken: false, waiting: undefined, running: [], processor: '', done: -1 }));
  return place;
}

/**
 * The delivery for which a thread of an irq is woken: the kernel wakes it in the interrupt, directly behind the handler that asked for it
 * (__handle_irq_event_percpu); a second thread is woken by the first (irq_wake_secondary). A wake-up elsewhere is for something
 * else: a new affinity, the end of the thread.
 */
function wakerOf(moment: Moment, irq: ObjectId): Delivery | undefined {
  const { slots } = moment;
  const processor = processorAt(moment);
  for (const frame of [slots.returned.get(processor), slots.handlers.get(processor)?.at(-1)])
    if (frame?.irq === irq) return frame.delivery;
  const { world } = moment.state;
  for (const [thread, place] of slots.threads)
    if (place.processor === processor && world.node(thread)?.parent?.parent?.object === irq)
      return place.running.at(-1);
  return undefined;
}

/** The interrupt that a handler of an irq served last, where the thread was not done since and has not served it yet. */
function lastServed({ slots, row }: Moment, irq: ObjectId, done: Step): Delivery | undefined {
  const last = slots.lastHandled.get(irq);
  if (last === undefined || last.hops.some(({ object }) => object === row.object)) return undefined;
  return last.hops.findLast(({ object }) => object === irq)!.step > done ? last : undefined;
}

function goOn({ slots, step, row }: Moment, delivery: Delivery, seen: boolean): void {
  delivery.add(step, 'handler', row.object, seen);
  slots.touched = delivery;
}

const wake: Join = (moment) => {
  const { row } = moment;
  const irq = irqOf(moment);
  const place = placeOf(moment);
  const waker = wakerOf(moment, irq);
  const isLate = threadWake.read(row.words, row.at).late === true;
  const delivery = waker ?? (isLate ? lastServed(moment, irq, place.done) : undefined);
  place.woken = true;
  place.waiting = delivery;
  if (delivery !== undefined) goOn(moment, delivery, waker !== undefined);
};

const begin: Join = (moment) => {
  const place = placeOf(moment);
  // Where no record tells who woke it, it serves what came last.
  const guessed = place.woken || place.running.length > 0 ? undefined : lastServed(moment, irqOf(moment), place.done);
  const delivery = place.waiting ?? guessed;
  if (delivery !== undefined && !place.running.includes(delivery)) place.running.push(delivery);
  place.woken = false;
  place.waiting = undefined;
  place.processor = processorAt(moment);
  for (const one of place.running) goOn(moment, one, one !== guessed);
};

const end: Join = (moment) => {
  const { row, step } = moment;
  const place = placeOf(moment);
  place.processor = '';
  for (const delivery of place.running) goOn(moment, delivery, true);
  if (threadExit.read(row.words, row.at).done === false) return;
  place.running.length = 0;
  place.done = step;
};

export const threadJoins: Joins = [
  [threadWake, wake],
  [threadEntry, begin],
  [threadExit, end],
];
