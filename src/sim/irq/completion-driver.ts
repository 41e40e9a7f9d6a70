import type { ObjectId } from '../../base/ids.ts';
import { message } from '../../model/events/notes.ts';
import type { PciFunction } from '../device/pci-function.ts';
import type { Actions, Actor, Machine } from '../machine.ts';

/** Nanoseconds that a handler works. */
const WORK = 1200;
/** Nanoseconds until a driver that polls sees a completion: less than its interrupt needs to the handler. */
const POLL = 500;
/** Tags that a queue gives to requests, and generations of a tag (drivers/nvme/host/nvme.h nvme_cid). */
const TAGS = 1024;
const GENERATIONS = 16;

/** A request that the function has completed and the driver has not seen. */
interface Completion {
  readonly tag: number;
  readonly id: number;
}

/**
 * A driver whose function tells completions, a queue for each vector, as NVMe does: the function writes a completion to
 * memory, then it sends its message; the handler takes what is there. A request that is not seen in time makes the driver
 * look for itself (drivers/nvme/host/pci.c nvme_irq, nvme_timeout).
 */
export class CompletionDriver {
  readonly machine: Machine;
  readonly #fn: PciFunction;
  readonly #name: string;
  readonly #timeout: number;
  readonly #actor: Actor;
  readonly #queues = new Map<number, Completion[]>();
  /** Objects of the irqs by vector. */
  readonly #irqs: ObjectId[] = [];
  #requests = 0;
  /** Planted faults: the vector whose queue it also polls, and the one whose handler looks into another queue. */
  #polls = -1;
  #strays = -1;

  /** `timeout` is in nanoseconds. */
  constructor(fn: PciFunction, name: string, timeout: number) {
    this.machine = fn.machine;
    this.#fn = fn;
    this.#name = name;
    this.#timeout = timeout;
    this.#actor = { layer: 'driver', name, cpu: 0 };
    fn.onCause = (vector) => this.#completed(vector);
  }

  /** The handler of a vector, whose irq is given: false when it found nothing (IRQ_NONE). */
  handler(vector: number, irq: ObjectId): () => Actions<boolean> {
    this.#irqs[vector] = irq;
    const handle = (): Actions<boolean> => this.#handle(vector);
    return handle;
  }

  *#handle(vector: number): Actions<boolean> {
    if (this.#strays < 0 && this.machine.tamper?.spoils('R02', this.#fn.object)) this.#strays = vector;
    const found = this.#take(this.#strays === vector ? (vector + 1) % this.#irqs.length : vector);
    yield WORK;
    return found > 0;
  }

  #queue(vector: number): Completion[] {
    let queue = this.#queues.get(vector);
    if (queue === undefined) this.#queues.set(vector, (queue = []));
    return queue;
  }

  /** Sees what a queue holds: how many completions that is. */
  #take(vector: number): number {
    return this.#queue(vector).splice(0).length;
  }

  /** The function completed a request. */
  #completed(vector: number): void {
    const { machine } = this;
    const n = this.#requests++;
    const tag = n % TAGS;
    const completion = { tag, id: ((1 + Math.floor(n / TAGS)) % GENERATIONS) * 0x1000 + tag };
    this.#queue(vector).push(completion);
    machine.after(this.#timeout, this.#actor, () => this.#expired(vector, completion));
    if (this.#polls < 0 && machine.tamper?.spoils('F81', this.#irqs[vector] ?? -1)) this.#polls = vector;
    if (this.#polls === vector) machine.after(POLL, this.#actor, () => this.#take(vector));
  }

  /** A request was not seen in time: the driver polls its queue. A cause whose message did not leave yet is taken back. */
  #expired(vector: number, completion: Completion): void {
    const fn = this.#fn;
    const { tag, id } = completion;
    if (!this.#queue(vector).includes(completion)) return;
    this.#take(vector);
    if (fn.waits(vector)) fn.withdraw(vector);
    const request = `I/O tag ${tag} (${id.toString(16).padStart(4, '0')}) QID ${vector}`;
    this.machine.emit(message, fn.object, {
      text: `${this.#name} ${this.#name}0: ${request} timeout, completion polled`,
    });
  }
}
