// What stands in the places in which deliveries wait (slots.ts).
import type { ObjectId, Step, TextId } from '../../base/ids.ts';
import type { Delivery } from './delivery.ts';

/** The last event of a chain of events that one thread records one after the other. */
export interface Link {
  readonly delivery: Delivery;
  readonly step: Step;
  readonly cpu: number;
  readonly task: TextId;
  /** An eventfd carries it: other messages may come before its own. */
  readonly later?: boolean;
}

/** A handler that runs. */
export interface Frame {
  readonly irq: ObjectId;
  readonly delivery: Delivery;
  /** The actions that ran for this interrupt, this one included. */
  readonly names: ReadonlySet<TextId>;
}

/** A handler that returned: the next action of a shared irq may follow. */
export interface Returned extends Frame {
  readonly step: Step;
}

/** A thread that handles an irq. */
export interface ThreadPlace {
  /** It was woken, and has not run since. */
  woken: boolean;
  /** The delivery for which it was woken. */
  waiting: Delivery | undefined;
  /** The deliveries that it serves: it runs for them, or left its processor before it was done. */
  readonly running: Delivery[];
  /** The processor on which it runs; empty while it is on none. */
  processor: string;
  /** The step at which it was done last, or -1. */
  done: Step;
}

/** A handler that began while nothing was known that it serves. */
export interface Early {
  readonly irq: ObjectId;
  readonly delivery: Delivery;
  readonly step: Step;
}

/** A handler that served a vector: from its first step to its last one, infinite while it runs. */
export interface Served {
  readonly irq: ObjectId;
  readonly began: Step;
  ended: Step;
}
