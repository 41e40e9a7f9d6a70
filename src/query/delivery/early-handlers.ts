// Handlers that stand in front of what they serve, because the clocks of two sources are put together with an error.
import type { ObjectId } from '../../base/ids.ts';
import { gicAck } from '../../model/events/apic.ts';
import { irq as irqType } from '../../model/things/irq.ts';
import type { Delivery } from './delivery.ts';
import { type Moment, numberOf } from './moment.ts';

/**
 * The clocks of a machine and of its kernel are put together with an error: the handler may stand in front of the event that shows that the
 * processor takes its interrupt, where nobody knows which of the two came first.
 */
export function meetEarly(moment: Moment, processor: string, delivery: Delivery): void {
  const { slots, step } = moment;
  const early = slots.early.get(processor);
  if (early === undefined || !slots.open.has(early.delivery) || !slots.unordered(early.step, step)) return;
  if (!raises(moment, early.irq)) return;
  slots.early.delete(processor);
  slots.absorb(early.delivery, delivery);
  slots.forgetTaken(delivery);
  slots.touched = delivery;
}

/** Whether what a processor takes, by its INTID or vector, is the interrupt of an irq. */
function raises({ row, state }: Moment, object: ObjectId): boolean {
  const number = numberOf(state, row.object);
  const told = (cell: number): boolean => state.known(object, cell) !== 0 && state.num(object, cell) === number;
  // The hwirq of an SPI or PPI is its INTID; that of an LPI is not.
  return row.kind === gicAck ? told(irqType.at.lpi) || told(irqType.at.hwirq) : told(irqType.at.vector);
}
