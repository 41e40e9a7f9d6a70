import { domCreate } from '../../model/events/domain.ts';
import { msgWrite } from '../../model/events/irq.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import type { MessagePlace } from '../hypervisor/message-places.ts';
import type { TargetDomain } from '../iommu/remap-domain.ts';
import {
  type AffinityResult,
  type Composed,
  chain,
  type Destination,
  type Domain,
  errno,
  type Irq,
} from '../irq/domain.ts';
import { MMIO_WRITE } from '../irq/msix-domain.ts';
import type { Actions, Machine } from '../machine.ts';

/** How a kernel reaches the storage of messages: at the device itself, or through an exit to the part that emulates it. */
export interface StorePath {
  /** What the kernel uses as the storage of the function. */
  readonly place: MessagePlace;
  store(index: number, message: Composed, virq: number): Actions;
  mask(index: number, masked: boolean): Actions;
}

/** Stores that go straight to the device. */
export class DirectPath implements StorePath {
  readonly place: MessagePlace;

  constructor(place: MessagePlace) {
    this.place = place;
  }

  *store(index: number, message: Composed, virq: number): Actions {
    yield MMIO_WRITE;
    this.place.write(index, message, virq);
  }

  *mask(index: number, masked: boolean): Actions {
    yield MMIO_WRITE;
    this.place.setMask(index, masked);
  }
}

/**
 * A bus domain: stores what others compose, where the device finds it. It is the same on every parent. When it is created,
 * it tells its parent whether its messages lie in queue memory.
 */
export class StoreDomain implements Domain {
  readonly name: string;
  readonly object: number;
  readonly parent: Domain;
  readonly machine: Machine;
  readonly path: StorePath;
  /** Absent where entries have no mask. */
  mask?: (irq: Irq, masked: boolean) => Actions;

  constructor(machine: Machine, name: string, parent: Domain, prefix: string, path: StorePath) {
    this.machine = machine;
    this.name = name;
    this.parent = parent;
    this.path = path;
    this.object = machine.world.object(domainType, `${prefix}domain/${name}`);
    if (path.place.maskable) this.mask = (irq, masked) => this.path.mask(irq.hwirq, masked);
  }

  *alloc(irq: Irq): Actions<number> {
    return irq.hwirq < this.path.place.size ? 0 : errno.ENOSPC;
  }

  *free(): Actions {}

  *activate(): Actions<number> {
    return 0;
  }

  *deactivate(irq: Irq): Actions {
    yield* this.store(irq, { address: 0, data: 0 }, 'deactivate');
  }

  *store(irq: Irq, { address, data }: Composed, by: string): Actions {
    const { hwirq, object, virq } = irq;
    const { where } = this.path.place;
    this.machine.emit(msgWrite, object, { hwirq, address, data, domain: this.name, by, where });
    // A live entry is masked while its message changes, where entries have a mask.
    const live = this.path.place.maskable && !irq.masked;
    if (live) yield* this.path.mask(hwirq, true);
    yield* this.path.store(hwirq, { address, data }, virq);
    if (live) yield* this.path.mask(hwirq, false);
  }
}

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
  readonly object: number;
  readonly parent: TargetDomain;
  readonly #calls: Hypercalls;
  readonly #held = new Map<Irq, Granted>();

  constructor(machine: Machine, prefix: string, parent: TargetDomain, calls: Hypercalls) {
    this.parent = parent;
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
    const ret = yield* this.#calls.retarget(granted.id, this.parent.target(irq));
    return ret < 0 ? ret : 'done';
  }
}

/** Flag of `dom.create`: messages of the domain lie in queue memory, so they cannot be translated on the way. */
export const QUEUE_MEMORY = 1;

/** What decides whether a bus domain can be created. */
export interface Surroundings {
  /** The kernel runs in a virtual machine and knows it. */
  readonly knownGuest: boolean;
  /** Who refuses: the parent that cannot, or the subdevice domain itself. */
  readonly refuses: 'parent' | 'subdevice';
}

/**
 * Creates a bus domain: its requirement goes from parent to parent until one answers for it. The hypercall domain can
 * always do it; the vector domain can do it on bare metal, and where it mistakes a virtual machine for bare metal. 0 or a
 * negative errno.
 */
export function createBusDomain(machine: Machine, domain: StoreDomain, at: Surroundings): number {
  const { kind } = domain.path.place;
  const flags = kind === 'queueMemory' ? QUEUE_MEMORY : 0;
  let ret = 0;
  const parents = chain(domain.parent);
  const translates = parents.some((parent) => parent.name === 'HCALL');
  if (at.refuses === 'subdevice') {
    const subdevice = kind === 'queueMemory' || kind === 'deviceMemory';
    if (subdevice && at.knownGuest && !translates) ret = errno.EOPNOTSUPP;
  } else if (flags !== 0 && !translates && at.knownGuest) {
    const root = parents.at(-1)!;
    ret = errno.EOPNOTSUPP;
    machine.emit(domCreate, root.object, { flags, ret, side: 'cpu' });
  }
  machine.emit(domCreate, domain.object, { parent: domain.parent.name, flags, ret, side: 'bus' });
  return ret;
}
