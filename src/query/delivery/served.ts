// Which of the messages that were sent to a vector a handler serves, where no record shows what the processor takes.
import type { ObjectId, Step } from '../../base/ids.ts';
import { entryOfIrq } from '../../model/joins.ts';
import type { ObjectType } from '../../model/objects.ts';
import type { State } from '../../model/state.ts';
import { imsEntry } from '../../model/things/ims.ts';
import { pin } from '../../model/things/irq.ts';
import { msi, msixEntry } from '../../model/things/pci.ts';
import type { Delivery } from './delivery.ts';
import type { Moment } from './moment.ts';

const TOGETHER =
  'the next handler came for a later message to the same vector: one before it served this one, too, or no record shows its own';

/**
 * The message at a vector that a handler serves, where no record shows what the processor takes: the first of those that can be of its irq. A vector
 * holds one request, so a message that came before the last handler there, and did not get the next one at once, has none of its own.
 */
export function sentTo({ slots, step, row, state }: Moment, place: ObjectId): Delivery | undefined {
  const entry = entryOfIrq(state, row.object);
  // A delivery from the host to a guest passes entries of both: those of another system say nothing of this irq.
  const own = state.world.spaceOf(row.object);
  const isSource = (object: ObjectId): boolean =>
    SOURCES.has(state.world.type(object)) && state.world.spaceOf(object) === own;
  const isOther = ({ hops }: Delivery): boolean =>
    entry >= 0 && hops.some(({ object }) => object !== entry && isSource(object));
  const waiting = slots.sent.all(place).filter((delivery) => !isOther(delivery));
  const last = slots.served.get(place);
  const stale = last === undefined ? [] : waiting.filter((delivery) => arrivedAt(delivery) < last.began);
  const next = waiting.find((delivery) => !stale.includes(delivery));
  if (last !== undefined && next !== undefined && arrivedAt(next) > last.ended)
    for (const delivery of stale) slots.end(delivery, step, null, TOGETHER);
  const served = slots.sent.all(place).find((delivery) => waiting.includes(delivery));
  slots.served.set(place, { irq: row.object, began: step, ended: Number.POSITIVE_INFINITY });
  return served;
}

/** What sends messages: the irq of another one is another irq. */
const SOURCES: ReadonlySet<ObjectType | undefined> = new Set([msixEntry, msi, imsEntry, pin]);

const arrivedAt = ({ hops }: Delivery): Step => hops.at(-1)!.step;

/** A local APIC of an emulated machine got a message: the handler of the irq of its entry serves it. */
export function deliveredOf({ slots, step }: Pick<Moment, 'slots' | 'step'>, delivery: Delivery, state: State): void {
  const entry = delivery.hops.find(({ object }) => SOURCES.has(state.world.type(object)))?.object;
  const lost = entry === undefined ? undefined : slots.delivered.add(entry, delivery);
  if (lost) slots.end(lost, step, null);
}

/** The message that a local APIC got from the entry of the irq whose handler starts, where nothing tells the vector of the irq. */
export function deliveredTo({ slots, row, state }: Moment): Delivery | undefined {
  const entry = slots.delivered.size === 0 ? -1 : entryOfIrq(state, row.object);
  const [first] = entry < 0 ? [] : slots.delivered.all(entry);
  if (first !== undefined) slots.delivered.remove(entry, first);
  return first;
}
