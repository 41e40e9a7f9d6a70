import { dropped } from '../../model/events/outcome.ts';
import { irq as irqType } from '../../model/things/irq.ts';
import type { PciFunction } from '../device/pci-function.ts';
import { errno } from '../irq/domain.ts';
import type { Host } from '../irq/host.ts';
import type { ImsCookie, ImsFunction } from '../irq/ims-domain.ts';
import { MMIO_WRITE } from '../irq/msix-domain.ts';
import type { Actions, Machine } from '../machine.ts';

/**
 * What serves the message-signalled vectors of a VFIO device: asked per vector, never for a whole ioctl (S0-20). It
 * knows neither eventfds nor flags.
 */
export interface VfioBackend {
  readonly kind: 'pci' | 'ims' | 'emulated';
  /** Whether vectors can be added while the index is active (VFIO_IRQ_INFO_NORESIZE is not reported). */
  readonly dynamic: boolean;
  /** Turns the index on for vectors 0 to count - 1: 0; a positive number says how many would be possible, none is on then; or an errno. */
  enable(count: number): Actions<number>;
  /** Frees everything that the index holds. */
  disable(): Actions;
  /**
   * Makes an interrupt of the vector call `fire` with its Linux irq (0: no irq of the host stands behind it), which may
   * happen before this returns. That irq, or an errno.
   */
  request(vector: number, fire: Fire): Actions<number>;
  /** Ends that. */
  release(vector: number): Actions;
  /** Object of the entry that sends for the vector; undefined: none. */
  entry(vector: number): number | undefined;
  /** The device has a cause for the vector. */
  raise(vector: number): void;
}

/** What an interrupt of a vector does; `virq` as in `request`. */
export type Fire = (virq: number) => void;

/** A cause that ends where it arises. */
function lost(machine: Machine, object: number, reason: string): void {
  const cause = machine.ledger.open(machine.now);
  machine.emit(dropped, object, { reason, cause });
  machine.ledger.note(cause, 'dropped', machine.now);
}

/** Nanoseconds that the VFIO handler needs to signal an eventfd. */
const SIGNAL = 200;

/** The handler that VFIO requests for a host irq (vfio_msihandler). */
function* signal(fire: Fire, virq: number): Actions {
  yield SIGNAL;
  fire(virq);
}

/** Pass-through: the MSI-X entry of the function with the number of the vector. */
export class PciBackend implements VfioBackend {
  readonly kind = 'pci';
  readonly dynamic: boolean;
  readonly #host: Host;
  readonly #fn: PciFunction;
  /** Vectors that the platform grants at most. */
  readonly #grant: number;
  readonly #virqs = new Map<number, number>();

  constructor(of: Host, fn: PciFunction, dynamic: boolean, grant: number) {
    this.#host = of;
    this.#fn = fn;
    this.dynamic = dynamic;
    this.#grant = grant;
  }

  /** pci_alloc_irq_vectors(): what is granted short of the request is given back, and its number is the answer. */
  *enable(count: number): Actions<number> {
    const fn = this.#fn;
    yield MMIO_WRITE;
    fn.control(true, true);
    for (let i = 0; i < count; i++) {
      const virq = i < this.#grant ? yield* this.#alloc(i) : errno.ENOSPC;
      if (virq >= 0) continue;
      yield* this.disable();
      return i > 0 ? i : virq;
    }
    yield MMIO_WRITE;
    fn.control(true, false);
    return 0;
  }

  *#alloc(index: number): Actions<number> {
    const { core } = this.#host;
    const fn = this.#fn;
    const domain = this.#host.msixDomain(fn);
    const virq = yield* core.alloc({ domain, hwirq: index, device: fn, owner: `vfio ${fn.bdf}` });
    if (virq < 0) return virq;
    const ret = yield* core.activate(core.irq(virq)!, true);
    if (ret < 0) {
      yield* core.release(virq);
      return ret;
    }
    this.#virqs.set(index, virq);
    return virq;
  }

  *disable(): Actions {
    for (const [index, virq] of [...this.#virqs]) {
      yield* this.#host.core.release(virq);
      this.#virqs.delete(index);
    }
    yield MMIO_WRITE;
    this.#fn.control(false, false);
  }

  /** Before request_irq() the cached message is written again: the guest may have reset the function behind the kernel. */
  *request(vector: number, fire: Fire): Actions<number> {
    const { core } = this.#host;
    let virq = this.#virqs.get(vector);
    if (virq === undefined) {
      if (!this.dynamic) return errno.EINVAL;
      virq = yield* this.#alloc(vector);
      if (virq < 0) return virq;
    }
    const irq = core.irq(virq)!;
    const { state } = core.machine;
    const cell = irqType.at.address;
    yield* core.storeMessage(
      irq,
      {
        address: state.get(irq.object, cell) + state.get(irq.object, cell + 1) * 0x100000000,
        data: state.get(irq.object, irqType.at.data),
      },
      'vfio',
    );
    const ret = yield* core.request(virq, `vfio-msix[${vector}](${this.#fn.bdf})`, () => signal(fire, irq.virq));
    return ret < 0 ? ret : virq;
  }

  *release(vector: number): Actions {
    const virq = this.#virqs.get(vector);
    if (virq !== undefined) yield* this.#host.core.freeIrq(virq);
  }

  entry(vector: number): number | undefined {
    return this.#virqs.has(vector) ? this.#fn.entry(vector) : undefined;
  }

  raise(vector: number): void {
    this.#fn.raise(vector);
  }
}

/** IMS: an entry of the function for every vector that is not emulated. */
export class ImsBackend implements VfioBackend {
  readonly kind = 'ims';
  readonly dynamic = true;
  readonly #host: Host;
  readonly #ims: ImsFunction;
  readonly #owner: string;
  /** Whether entries stay allocated while their vector has no eventfd. */
  readonly #keep: boolean;
  readonly #emulated: EmulatedBackend;
  readonly #isEmulated: (vector: number) => boolean;
  readonly #cookie: (vector: number) => ImsCookie;
  readonly #irqs = new Map<number, { readonly index: number; readonly virq: number }>();

  constructor(
    of: Host,
    ims: ImsFunction,
    owner: string,
    keep: boolean,
    isEmulated: (vector: number) => boolean,
    cookie: (vector: number) => ImsCookie,
  ) {
    this.#host = of;
    this.#ims = ims;
    this.#owner = owner;
    this.#keep = keep;
    this.#emulated = new EmulatedBackend(of.machine, ims.fn.object);
    this.#isEmulated = isEmulated;
    this.#cookie = cookie;
  }

  *enable(): Actions<number> {
    return 0;
  }

  *disable(): Actions {
    for (const vector of [...this.#irqs.keys()]) yield* this.#free(vector);
  }

  *#free(vector: number): Actions {
    const irq = this.#irqs.get(vector);
    if (irq === undefined) return;
    yield* this.#ims.free(irq.index);
    this.#irqs.delete(vector);
  }

  *request(vector: number, fire: Fire): Actions<number> {
    if (this.#isEmulated(vector)) return yield* this.#emulated.request(vector, fire);
    let irq = this.#irqs.get(vector);
    if (irq === undefined) {
      const got = yield* this.#ims.alloc(this.#cookie(vector), `${this.#owner} vector ${vector}`);
      if (typeof got === 'number') return got;
      irq = got;
      this.#irqs.set(vector, irq);
    }
    const { virq } = irq;
    const ret = yield* this.#host.core.request(virq, `vfio-ims[${vector}](${this.#owner})`, () => signal(fire, virq));
    if (ret >= 0) return virq;
    yield* this.#free(vector);
    return ret;
  }

  *release(vector: number): Actions {
    if (this.#isEmulated(vector)) return yield* this.#emulated.release(vector);
    const irq = this.#irqs.get(vector);
    if (irq === undefined) return;
    yield* this.#host.core.freeIrq(irq.virq);
    if (!this.#keep) yield* this.#free(vector);
  }

  /** IMS index behind a vector: what the guest's command Request Interrupt Handle returns. */
  index(vector: number): number | undefined {
    return this.#irqs.get(vector)?.index;
  }

  entry(vector: number): number | undefined {
    const index = this.index(vector);
    return index === undefined ? undefined : this.#ims.entry(index);
  }

  raise(vector: number): void {
    const index = this.index(vector);
    if (this.#isEmulated(vector)) this.#emulated.raise(vector);
    else if (index !== undefined) this.#ims.raise(index);
    else lost(this.#host.machine, this.#ims.fn.object, `no IMS entry stands behind vector ${vector}`);
  }
}

/** Emulated interrupts: software signals, no irq of the host stands behind them. */
export class EmulatedBackend implements VfioBackend {
  readonly kind = 'emulated';
  readonly dynamic = true;
  readonly machine: Machine;
  /** Object that stands for the emulated device where a cause is lost. */
  readonly #object: number;
  readonly #fire = new Map<number, Fire>();

  constructor(machine: Machine, object: number) {
    this.machine = machine;
    this.#object = object;
  }

  *enable(): Actions<number> {
    return 0;
  }

  *disable(): Actions {
    this.#fire.clear();
  }

  *request(vector: number, fire: Fire): Actions<number> {
    this.#fire.set(vector, fire);
    return 0;
  }

  *release(vector: number): Actions {
    this.#fire.delete(vector);
  }

  entry(): undefined {
    return undefined;
  }

  raise(vector: number): void {
    const fire = this.#fire.get(vector);
    if (fire) fire(0);
    else lost(this.machine, this.#object, `the emulated vector ${vector} has no eventfd`);
  }
}
