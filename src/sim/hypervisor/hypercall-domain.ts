import type { ObjectId } from '../../base/ids.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import type { TargetDomain } from '../iommu/remap-domain.ts';
import { type AffinityResult, type Composed, type Destination, errno, type Irq } from '../irq/domain.ts';
import type { Actions, Machine } from '../machine.ts';

/** A message that a hypervisor granted. */
export interface Granted {
  readonly id: number;
  readonly message: Composed;
}

/** Hypercalls about messages, as a guest makes them: each answers with what it is about, or a negative errno. */
export interface Hypercalls {
  map(device: Irq['device'], index: number, target: Destination): Actions<Granted | number>;
  unmap(id: number): Actions<number>;
  retarget(id: number, target: Destination): Actions<number>;
}

/** Stands between vector domain and bus domains of a guest: the hypervisor allocates and composes in its place. */
export class HypercallDomain implements TargetDomain {
  readonly name = 'HCALL';
  readonly object: ObjectId;
  readonly parent: TargetDomain;
  readonly #machine: Machine;
  readonly #calls: Hypercalls;
  readonly #held = new Map<Irq, Granted>();

  constructor(machine: Machine, prefix: string, parent: TargetDomain, calls: Hypercalls) {
    this.parent = parent;
    this.#machine = machine;
    this.#calls = calls;
    this.object = machine.world.object(domainType, `${prefix}domain/HCALL`);
  }

  *alloc(irq: Irq): Actions<number> {
    const granted = yield* this.#calls.map(irq.device, irq.hwirq, this.parent.target(irq));
    if (typeof granted === 'number') return granted;
    this.#held.set(irq, granted);
    return 0;
  }

  *free(irq: Irq): Actions {
    const granted = this.#held.get(irq);
    this.#held.delete(irq);
    if (granted) yield* this.#calls.unmap(granted.id);
  }

  *activate(): Actions<number> {
    return 0;
  }

  *deactivate(): Actions {}

  compose(irq: Irq): Composed | number {
    return this.#held.get(irq)?.message ?? errno.EINVAL;
  }

  /** Where the irq goes in the guest. */
  target(irq: Irq): Destination {
    return this.parent.target(irq);
  }

  /** The message does not change; the guest tells the hypervisor where it wants the interrupt now. */
  *setAffinity(irq: Irq, cpus: readonly number[]): Actions<AffinityResult> {
    const granted = this.#held.get(irq);
    if (!granted || !this.parent.setAffinity) return errno.EINVAL;
    const result = yield* this.parent.setAffinity(irq, cpus);
    if (result !== 'ok') return result;
    // A planted fault: the guest takes the number of the irq for the handle.
    const id = this.#machine.tamper?.spoils('F68-retarget', irq.object) ? irq.virq : granted.id;
    const ret = yield* this.#calls.retarget(id, this.parent.target(irq));
    return ret < 0 ? ret : 'done';
  }
}
