import {
  type ApicModel,
  addressedBy,
  type Delivery,
  destinationText,
  FIRST_LEGAL_VECTOR,
  isBroadcast,
  pends,
} from '../../model/apic/local-apics.ts';
import { vectorObject } from '../../model/events/places.ts';
import { DELIVERY, deliveryModes } from '../../model/registers/x86.ts';
import { vector as vectorType } from '../../model/things/irq.ts';
import type { Message } from '../device/message.ts';
import { drop } from '../drop.ts';
import type { Cpus } from '../irq/cpus.ts';
import { Arbiter } from './arbiter.ts';

/** What is known of a message that arrives. */
export type Arrival = Pick<Message, 'cause' | 'from' | 'requester'>;

/** Hands messages to the local APICs of a host: to one, to a set of them, or to all, each as its delivery mode says. */
export class ApicBus {
  readonly cpus: Cpus;
  readonly model: ApicModel;
  readonly #arbiter = new Arbiter();

  constructor(cpus: Cpus, model: ApicModel) {
    this.cpus = cpus;
    this.model = model;
  }

  deliver(to: Delivery, { cause, from, requester }: Arrival): void {
    const { cpus } = this;
    const { machine } = cpus;
    const name = deliveryModes[to.mode];
    if (name === undefined) {
      drop(machine, from, `delivery mode ${to.mode} is reserved: no local APIC takes the message`, cause);
      return;
    }
    const one = !to.logical && !isBroadcast(this.model, to.destination);
    if (one) {
      this.#one(to.destination, to, name, cause, requester);
      return;
    }
    const all = addressedBy(this.model, cpus.count, to).filter((n) => cpus.accepts(n));
    if (all.length === 0) {
      drop(machine, from, `no CPU has the ${destinationText(to)}: no local APIC takes the message`, cause);
      return;
    }
    const targets = to.mode === DELIVERY.lowest ? [this.#arbiter.choose(all, (n) => cpus.priority(n))] : all;
    const first = this.#first(targets, to);
    // One cause is served once: by the CPU on which the vector is an irq, where there is one.
    for (const n of targets) this.#one(n, to, name, n === first ? cause : 0, requester);
  }

  #first(targets: readonly number[], { mode, vector }: Delivery): number {
    const { state } = this.cpus.machine;
    const served = (n: number): boolean => state.num(vectorObject(state, n, vector), vectorType.at.irq) >= 0;
    return (pends(mode) && targets.length > 1 ? targets.find(served) : undefined) ?? targets[0]!;
  }

  #one(n: number, { mode, vector, level }: Delivery, name: string, cause: number, requester: number): void {
    const { cpus } = this;
    if (!cpus.accepts(n) || (pends(mode) && vector >= FIRST_LEGAL_VECTOR))
      cpus.accept(n, vector, cause, requester, level);
    else if (pends(mode)) cpus.refuse(n, vector, cause, requester);
    else cpus.signal(n, name, cause, requester);
  }
}
