import type { ObjectId } from '../../base/ids.ts';
import { domCreate } from '../../model/events/domain.ts';
import { msgWrite } from '../../model/events/irq.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import { type Composed, chain, type Domain, errno, type Irq } from '../irq/domain.ts';
import { MMIO_WRITE } from '../irq/msix-domain.ts';
import type { Actions, Machine } from '../machine.ts';
import { type MessagePlace, writeMessage } from './message-places.ts';

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
    writeMessage(this.place, index, message, virq);
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
  readonly object: ObjectId;
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
    if (path.place.maskable || parent.unmasking) this.mask = (irq, masked) => this.#mask(irq, masked);
  }

  *#mask(irq: Irq, masked: boolean): Actions {
    if (!masked && this.parent.unmasking) yield* this.parent.unmasking(irq);
    if (this.path.place.maskable) yield* this.path.mask(irq.hwirq, masked);
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

/** Flags of `dom.create`: messages of the domain lie in queue memory, or in memory that only the guest reaches. Neither can be translated on the way. */
export const [QUEUE_MEMORY, PRIVATE_MEMORY] = [1, 2];

/** What decides whether a bus domain can be created. */
export interface Surroundings {
  /** The kernel runs in a virtual machine and knows it. */
  readonly knownGuest: boolean;
  /** Who refuses: the parent that cannot, or the subdevice domain itself. */
  readonly refuses: 'parent' | 'subdevice';
  /** Only the guest reaches what is stored. */
  readonly hidden: boolean;
}

/** The host makes a bus domain for a storage that only the guest reaches: it can neither map nor write it. */
export function unreachable(machine: Machine, object: ObjectId, parent: string): void {
  machine.emit(domCreate, object, { parent, flags: PRIVATE_MEMORY, ret: errno.EFAULT, side: 'bus' });
}

/**
 * Creates a bus domain: its requirement goes from parent to parent until one answers for it. The hypercall domain can
 * always do it; the vector domain can do it on bare metal, and where it mistakes a virtual machine for bare metal. 0 or a
 * negative errno.
 */
export function createBusDomain(machine: Machine, domain: StoreDomain, at: Surroundings): number {
  const { kind } = domain.path.place;
  const flags = (kind === 'queueMemory' ? QUEUE_MEMORY : 0) | (at.hidden ? PRIVATE_MEMORY : 0);
  let ret = 0;
  const parents = chain(domain.parent);
  // The virtual PCI bus of a Hyper-V guest composes on the host as well, for what lies in PCI functions.
  const translates = parents.some(({ name }) => name === 'HCALL' || (name === 'HV-PCI-MSI' && kind === 'msixTable'));
  if (at.refuses === 'subdevice') {
    const itself = kind === 'queueMemory' || kind === 'deviceMemory' || at.hidden;
    if (itself && at.knownGuest && !translates) ret = errno.EOPNOTSUPP;
  } else if (flags !== 0 && !translates && at.knownGuest) {
    const root = parents.at(-1)!;
    ret = errno.EOPNOTSUPP;
    machine.emit(domCreate, root.object, { flags, ret, side: 'cpu' });
  }
  machine.emit(domCreate, domain.object, { parent: domain.parent.name, flags, ret, side: 'bus' });
  return ret;
}
