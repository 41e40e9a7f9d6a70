import type { ObjectId } from '../../base/ids.ts';
import { Samples } from './samples.ts';

/** How often a vector was accepted, taken and handled. */
interface Visits {
  accepted: number;
  taken: number;
  handled: number;
}

/** What was counted and measured of one irq, vector, CPU, function, virtual CPU or kind of event. */
export class Group {
  /** The path of the object, or the name of the kind. */
  readonly key: string;
  /** The names of the handlers that ran last, of an irq; '' while none did. They are gone from the irq when its driver gives it up. */
  handlers = '';
  /** It is a thread that handles an irq: what it counts are its runs. */
  isThread = false;
  /** Handler entries, or events of the kind. */
  handled = 0;
  /** Messages that the function sent. */
  sent = 0;
  masks = 0;
  /** Whether the trace shows its mask bits at all. */
  masksShown = false;
  exits = 0;
  /** From handler entry to exit. */
  readonly service = new Samples();
  /** From taken to the end of interrupt. */
  readonly inService = new Samples();
  readonly latency = new Samples();
  readonly #visits = new Map<ObjectId, Visits>();

  constructor(key: string) {
    this.key = key;
  }

  /** The counters of one of its vectors. */
  at(vector: ObjectId): Visits {
    let visits = this.#visits.get(vector);
    if (visits === undefined) this.#visits.set(vector, (visits = { accepted: 0, taken: 0, handled: 0 }));
    return visits;
  }

  /** Interrupts of its vectors: how often each was taken; where no record tells that, how often it was handled, else accepted. */
  get interrupts(): number {
    let sum = 0;
    for (const { accepted, taken, handled } of this.#visits.values()) sum += taken || handled || accepted;
    return sum;
  }
}

/** The groups by their keys. */
export class Groups {
  readonly #byKey = new Map<string, Group>();

  /** The group of a key; makes it when it is new. */
  of(key: string): Group {
    let group = this.#byKey.get(key);
    if (group === undefined) this.#byKey.set(key, (group = new Group(key)));
    return group;
  }

  /** All groups. */
  all(): readonly Group[] {
    return [...this.#byKey.values()];
  }
}
