import type { Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import { cpuSeen, threadEntry, threadExit, threadWake } from '../../model/events/cpu.ts';
import { irqEntry } from '../../model/events/irq.ts';
import { gicFrameSeen, itsDoorbell } from '../../model/events/its.ts';
import { msgSend, tblSeen } from '../../model/events/msix.ts';
import { devSeen } from '../../model/events/pci.ts';
import { irSeen } from '../../model/events/remap.ts';
import type { State } from '../../model/state.ts';
import type { EventRow } from '../../trace/row.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Observer } from '../../trace/walk.ts';
import { EventOrder } from '../order.ts';
import { recordedOf } from '../recorded-kinds.ts';
import type { Delivery } from './delivery.ts';
import { deviceJoins } from './device-joins.ts';
import { imsicJoins } from './imsic-joins.ts';
import { kvmJoins } from './kvm-joins.ts';
import { type Beginning, beginningsOf, beginSource, loseEvents } from './lost-events.ts';
import type { Join } from './moment.ts';
import { leaveHandler, processorJoins } from './processor-joins.ts';
import { queueEntries } from './queues.ts';
import { remapJoins, translating } from './remap-joins.ts';
import { Slots } from './slots.ts';
import { threadJoins } from './thread-joins.ts';
import { xenJoins } from './xen-joins.ts';

/** Kinds that interrupt no thread: they only show that something exists, from the same record as what follows, or what the scheduler does. */
const SHOWN: ReadonlySet<EventKind> = new Set<EventKind>([
  irSeen,
  devSeen,
  cpuSeen,
  tblSeen,
  gicFrameSeen,
  itsDoorbell,
  threadWake,
  threadEntry,
  threadExit,
]);
/** Kinds that a CPU may record between two actions of a shared irq. */
const BETWEEN_ACTIONS: ReadonlySet<EventKind> = new Set<EventKind>([irqEntry, threadWake]);

/** The joins by the number of the kind. Made at first use, when all kinds have their numbers. */
let joins: (Join | undefined)[] | undefined;

function joinsByKind(): readonly (Join | undefined)[] {
  if (joins === undefined) {
    joins = [];
    for (const [kind, join] of [
      ...deviceJoins,
      ...remapJoins,
      ...processorJoins,
      ...imsicJoins,
      ...xenJoins,
      ...threadJoins,
      ...kvmJoins,
    ])
      joins[kind.number] = join;
  }
  return joins;
}

/** Puts the events of a trace together to deliveries, in a walk of its own or beside other observers. */
export class DeliveryTracker implements Observer {
  readonly slots: Slots;
  readonly #joins = joinsByKind();
  /** Sources that begin at this step or later. */
  readonly #beginnings: Beginning[];

  /** `done` gets every delivery when it ends, or when it is clear that no more will be known of it. */
  constructor(trace: Trace, done: (delivery: Delivery) => void = () => {}) {
    const order = new EventOrder(trace);
    this.#beginnings = beginningsOf(trace);
    this.slots = new Slots(
      queueEntries(trace),
      trace.time.ticks,
      (a, b) => !order.known(a, b),
      () => recordedOf(trace).has(msgSend),
      done,
    );
  }

  /** The delivery that the last event belongs to; undefined when it belongs to none. */
  get touched(): Delivery | undefined {
    return this.slots.touched;
  }

  event(step: Step, row: EventRow, state: State): void {
    const { slots } = this;
    slots.before = slots.touched;
    slots.touched = undefined;
    while (this.#beginnings.length > 0 && this.#beginnings[0]!.step <= step) {
      const beginning = this.#beginnings.shift()!;
      if (beginning.step === step) beginSource({ slots }, beginning);
    }
    if (row.kind.role === 'loss') {
      loseEvents({ slots, step, row, state });
      return;
    }
    if (slots.returned.size > 0 && row.cpu >= 0 && !BETWEEN_ACTIONS.has(row.kind))
      leaveHandler({ slots, step, row, state });
    const join = this.#joins[row.kind.number];
    join?.({ slots, step, row, state });
    // A thread that does something else is done with the message that it translated.
    if (slots.translating.size === 0 || slots.touched !== undefined) return;
    if (translating.has(row.kind) || SHOWN.has(row.kind)) return;
    const left = slots.translating.get(row.task);
    if (left === undefined) return;
    slots.translating.delete(row.task);
    slots.drop(left, step, row.task);
  }
}
