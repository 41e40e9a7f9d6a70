// What single values of /proc/irq, /sys/kernel/irq and msi_irqs say of an irq, as events.
import { snapDescriptor, snapIrq } from '../../model/events/snapshot/irq.ts';
import { irqDescriptor } from '../../model/things/irq.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { irqObject } from '../objects.ts';

/** Emits what a snapshot shows of an irq; `write` sets the arguments. */
export function emitIrq(out: TraceBuilder, irq: number, write: (event: ReturnType<typeof snapIrq.put>) => void): void {
  const event = snapIrq.put();
  write(event);
  out.emit(event, irqObject(out.world, irq));
}

/** The same of its descriptor. */
export function emitDescriptor(
  out: TraceBuilder,
  irq: number,
  write: (event: ReturnType<typeof snapDescriptor.put>) => void,
): void {
  const event = snapDescriptor.put();
  write(event);
  out.emit(event, out.world.child(irqDescriptor, irqObject(out.world, irq), 'descriptor'));
}
