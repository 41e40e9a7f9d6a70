// Where deliveries wait for an event that several of them can wait for.
import type { ObjectId, Step } from '../../base/ids.ts';
import type { Delivery } from './delivery.ts';

/** Messages that are in flight to one place, at most; of more the oldest is over. */
const IN_FLIGHT = 64;

/** Messages in flight by the place that they lead to; those to one place arrive in order. */
export class InFlight {
  readonly #queues = new Map<ObjectId, Delivery[]>();

  /** How many places have messages on their way. */
  get size(): number {
    return this.#queues.size;
  }

  /** The message that arrives next at a place. */
  get(object: ObjectId): Delivery | undefined {
    return this.#queues.get(object)?.[0];
  }

  /** All messages on their way to a place, the one that arrives next first. */
  all(object: ObjectId): readonly Delivery[] {
    return this.#queues.get(object) ?? [];
  }

  has(object: ObjectId, delivery: Delivery): boolean {
    return this.#queues.get(object)?.includes(delivery) === true;
  }

  /** Adds a message; returns one that is in flight for too long. */
  add(object: ObjectId, delivery: Delivery): Delivery | undefined {
    const queue = this.#queues.get(object);
    if (!queue) {
      this.#queues.set(object, [delivery]);
      return undefined;
    }
    if (!queue.includes(delivery)) queue.push(delivery);
    return queue.length > IN_FLIGHT ? queue.shift() : undefined;
  }

  /** A message arrived, or is over. */
  remove(object: ObjectId, delivery: Delivery): void {
    const queue = this.#queues.get(object);
    const at = queue?.indexOf(delivery) ?? -1;
    if (!queue || at < 0) return;
    queue.splice(at, 1);
    if (queue.length === 0) this.#queues.delete(object);
  }
}

/** The vector of a cause that names none, and of one of an entry, which is a vector itself. */
const ONLY = -1;

/**
 * Causes that no message followed yet, by entry, function or line. The vectors of an MSI function stand in one capability, and each
 * has its own mask bit, pending bit and message: their causes wait apart.
 */
export class Causes {
  readonly #causes = new Map<ObjectId, Map<number, Delivery>>();

  /** How many objects have causes that wait. */
  get size(): number {
    return this.#causes.size;
  }

  /** The cause of exactly that vector, -1 for one that names none. */
  exactly(object: ObjectId, vector = ONLY): Delivery | undefined {
    return this.#causes.get(object)?.get(vector);
  }

  /** The cause that a message, or an event of a vector, can be of; undefined where there are several. -1: the vector is not known. */
  get(object: ObjectId, vector = ONLY): Delivery | undefined {
    const causes = this.#causes.get(object);
    if (causes === undefined) return undefined;
    const own = causes.get(vector);
    if (own !== undefined && (vector !== ONLY || causes.size === 1)) return own;
    if (causes.size > 1) return undefined;
    return vector === ONLY ? causes.values().next().value : causes.get(ONLY);
  }

  has(object: ObjectId, delivery: Delivery): boolean {
    for (const cause of this.#causes.get(object)?.values() ?? []) if (cause === delivery) return true;
    return false;
  }

  /** Adds a cause; returns another one that waited there. */
  put(object: ObjectId, vector: number, delivery: Delivery): Delivery | undefined {
    let causes = this.#causes.get(object);
    if (causes === undefined) this.#causes.set(object, (causes = new Map()));
    const before = causes.get(vector);
    causes.set(vector, delivery);
    return before === delivery ? undefined : before;
  }

  /** The causes that a delivery has at an object wait no longer. */
  remove(object: ObjectId, delivery: Delivery): void {
    const causes = this.#causes.get(object);
    if (causes === undefined) return;
    for (const [vector, cause] of causes) if (cause === delivery) causes.delete(vector);
    if (causes.size === 0) this.#causes.delete(object);
  }

  /** The causes that wait. */
  *[Symbol.iterator](): Generator<readonly [object: ObjectId, delivery: Delivery, vector: number]> {
    for (const [object, causes] of this.#causes)
      for (const [vector, delivery] of causes) yield [object, delivery, vector];
  }
}

/** Events after which a worker of KVM has decoded a message again, at most. */
const RETRIED = 1024;

/**
 * Messages that KVM decoded at a signal and that no local APIC has accepted, by what they say. At a signal KVM must not sleep: where it cannot
 * deliver the message there, a worker raises the line of the GSI and decodes it again (virt/kvm/eventfd.c irqfd_inject).
 */
export class Tried {
  readonly #tried = new Map<string, { readonly delivery: Delivery; readonly step: Step }>();

  /** The delivery whose message may be decoded again now. */
  get(message: string, step: Step): Delivery | undefined {
    const last = this.#tried.get(message);
    return last && step - last.step <= RETRIED ? last.delivery : undefined;
  }

  has(delivery: Delivery): boolean {
    for (const { delivery: other } of this.#tried.values()) if (other === delivery) return true;
    return false;
  }

  /** A message was decoded; returns the delivery that waited with the same one. */
  put(message: string, delivery: Delivery, step: Step): Delivery | undefined {
    const before = this.#tried.get(message)?.delivery;
    this.#tried.set(message, { delivery, step });
    return before === delivery ? undefined : before;
  }

  /** A local APIC accepted the message of a delivery, or it is over. */
  remove(delivery: Delivery): void {
    for (const [message, { delivery: other }] of this.#tried) if (other === delivery) this.#tried.delete(message);
  }
}
