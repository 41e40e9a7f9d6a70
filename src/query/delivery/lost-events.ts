// What lost events leave of the deliveries that are on their way. A recorder like ftrace has a buffer for each CPU, and loses events of one.
import type { ObjectId, Step } from '../../base/ids.ts';
import { irqEntry } from '../../model/events/irq.ts';
import { sourceEnd } from '../../model/events/notes.ts';
import { processorOf as insideOf } from '../../model/joins.ts';
import { withoutSystem } from '../../model/namespace.ts';
import { vcpu } from '../../model/things/virt.ts';
import type { Source } from '../../trace/source.ts';
import type { Trace } from '../../trace/trace.ts';
import { isSnapshot } from '../snapshot.ts';
import type { Delivery } from './delivery.ts';
import { type Moment, processorOf } from './moment.ts';

/** The path of the CPU whose events are missing: `cpu/0`, `guest:cpu/0`; undefined where the record names none. */
const bufferOf = ({ row, state }: Moment): string | undefined =>
  row.cpu < 0 ? undefined : `${state.world.spaceOf(row.object).prefix}cpu/${row.cpu}`;

/** Whether a path is that of a CPU of a kernel; a virtual CPU is none. */
const isCpu = (path: string): boolean => /^cpu\/\d+$/.test(withoutSystem(path));

/**
 * The processor that records what happens next at a vector or INTID, as a path; undefined where it may be any. A local APIC gives its
 * interrupts to its own CPU. What a virtual CPU of KVM takes is recorded by the CPU of the host that runs its thread, which may be any
 * one; but the kernel inside records what follows on the same CPU, and so does that of an emulated machine.
 */
function recorderOf({ slots, row, state }: Moment, place: ObjectId): string | undefined {
  const { world } = state;
  const { prefix } = world.spaceOf(row.object);
  const processor = processorOf(state, place);
  if (processor && isCpu(processor.path)) return processor.path;
  // Records of KVM are those of the host.
  if (slots.ofKvm.has(place) && world.spaceOf(place).prefix === prefix) return undefined;
  const inside = world.type(processor?.object ?? -1) === vcpu ? insideOf(state, processor!.object) : -1;
  return inside >= 0 && world.spaceOf(inside).prefix === prefix ? world.path(inside) : undefined;
}

/**
 * Whether the next event of a delivery cannot be one that a CPU recorded: it waits only where another CPU goes on, which is certain of a
 * handler that runs there, of what that CPU has taken, of what its local APIC holds, and of a message that leads to one of its vectors.
 * Threads may go on at any CPU, devices and tables may have been set up otherwise by what is missing.
 */
function isElsewhere(moment: Moment, delivery: Delivery, buffer: string): boolean {
  const { slots } = moment;
  if (slots.goesOnAnywhere(delivery)) return false;
  let sure = false;
  for (const processor of slots.processorsOf(delivery)) {
    if (processor === buffer || !isCpu(processor)) return false;
    sure = true;
  }
  for (const place of slots.placesOf(delivery)) {
    const processor = recorderOf(moment, place);
    if (processor === undefined || processor === buffer) return false;
    sure = true;
  }
  return sure;
}

/** Events are missing here: of a delivery whose next event can be among them, nothing more is known. */
export function loseEvents(moment: Moment): void {
  const { slots, step, row, state } = moment;
  const buffer = bufferOf(moment);
  if (row.kind === sourceEnd) {
    const file = state.world.strings.text(sourceEnd.read(row.words, row.at).file);
    slots.lose(step, `${file} ends here, and would tell what follows`, undefined, () => false);
  } else if (buffer === undefined) slots.lose(step, 'the trace lost events here', undefined, () => false);
  else
    slots.lose(
      step,
      `the trace lost events of CPU ${row.cpu} here: what follows may be among them`,
      buffer,
      (delivery) => isElsewhere(moment, delivery, buffer),
    );
}

/** A source begins that shows handlers: what was on its way before may have been handled without a record. */
export interface Beginning {
  readonly step: Step;
  readonly file: string;
}

/** A source that shows handlers, and the steps of its first and last event. */
export interface HandlerSource {
  readonly source: Source;
  readonly from: Step;
  readonly to: Step;
}

/** The recordings of a trace that show handlers. */
export function handlerSources(trace: Trace): HandlerSource[] {
  return trace.sources.flatMap((source, i) => {
    const { length } = source.events;
    if (source.derived || isSnapshot(source) || length === 0 || !showsHandlers(source)) return [];
    return [{ source, from: trace.stepOf(i, 0), to: trace.stepOf(i, length - 1) }];
  });
}

/** Where the sources of a trace begin that show handlers and do not begin with the trace, in order. */
export function beginningsOf(trace: Trace): Beginning[] {
  const later = handlerSources(trace).filter(({ from }) => from > 0);
  return later.map(({ source, from }) => ({ step: from, file: source.file })).sort((a, b) => a.step - b.step);
}

/** Whether a source shows handlers, and how many of its events were looked at: a path is asked for often, and a source only grows. */
const looked = new WeakMap<Source, { readonly shows: boolean; readonly rows: number }>();

/** Whether a source shows runs of handlers. */
function showsHandlers(source: Source): boolean {
  const { events } = source;
  const before = looked.get(source);
  if (before?.shows === true) return true;
  let row = before?.rows ?? 0;
  while (row < events.length && events.kind(row) !== irqEntry) row++;
  const shows = row < events.length;
  looked.set(source, { shows, rows: row });
  return shows;
}

/** A source that shows handlers begins: of deliveries that no handler serves yet, nobody knows whether one did. */
export function beginSource({ slots }: Pick<Moment, 'slots'>, { step, file }: Beginning): void {
  slots.lose(step, `${file} begins here: whether it was handled before is not known`, undefined, (delivery) =>
    delivery.has('handler'),
  );
}
