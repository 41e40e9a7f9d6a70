import { effectivelyMasked } from '../../model/masking.ts';
import { irq as irqType } from '../../model/things/irq.ts';
import { allowIntx } from '../device/legacy-interrupts.ts';
import type { PciFunction } from '../device/pci-function.ts';
import { errno, type Irq } from '../irq/domain.ts';
import type { Host } from '../irq/host.ts';
import { MMIO_WRITE } from '../irq/msix-domain.ts';
import type { Actions } from '../machine.ts';
import { type Fire, signal, type VfioBackend } from './backend.ts';
import type { MemoryBracket } from './memory-bracket.ts';

/** Pass-through: the MSI-X entry of the function with the number of the vector. */
export class PciBackend implements VfioBackend {
  readonly kind = 'pci';
  readonly dynamic: boolean;
  readonly #host: Host;
  readonly #fn: PciFunction;
  /** Vectors that the platform grants at most. */
  readonly #grant: number;
  readonly #bracket: MemoryBracket;
  readonly #virqs = new Map<number, number>();
  /** Vectors that get another eventfd now: they have an irq without a handler. */
  readonly #switching = new Set<number>();

  constructor(of: Host, fn: PciFunction, dynamic: boolean, grant: number, bracket: MemoryBracket) {
    this.#host = of;
    this.#fn = fn;
    this.dynamic = dynamic;
    this.#grant = grant;
    this.#bracket = bracket;
  }

  /** pci_alloc_irq_vectors(): what is granted short of the request is given back, and its number is the answer. */
  *enable(count: number): Actions<number> {
    return yield* this.#bracket.around(this.#enable(count));
  }

  *#enable(count: number): Actions<number> {
    const fn = this.#fn;
    yield MMIO_WRITE;
    fn.control(true, true);
    for (let i = 0; i < count; i++) {
      const virq = i < this.#grant ? yield* this.#alloc(i) : errno.ENOSPC;
      if (virq >= 0) continue;
      yield* this.#freeAll();
      return i > 0 ? i : virq;
    }
    allowIntx(fn, false);
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
    yield* this.#bracket.around(this.#freeAll());
  }

  *#freeAll(): Actions {
    for (const [index, virq] of [...this.#virqs]) {
      yield* this.#host.core.release(virq);
      this.#virqs.delete(index);
    }
    yield MMIO_WRITE;
    this.#fn.control(false, false);
    allowIntx(this.#fn, true);
  }

  /** Before request_irq() the cached message is written again: the guest may have reset the function behind the kernel. */
  *request(vector: number, fire: Fire): Actions<number> {
    const { core } = this.#host;
    let virq = this.#virqs.get(vector);
    if (virq === undefined) {
      if (!this.dynamic) return errno.EINVAL;
      virq = yield* this.#bracket.around(this.#alloc(vector));
      if (virq < 0) return virq;
    }
    const ret = yield* this.#bracket.around(this.#start(vector, core.irq(virq)!, fire));
    return ret < 0 ? ret : virq;
  }

  /** The cached message goes into the table again, and the handler is requested: one bracket. */
  *#start(vector: number, irq: Irq, fire: Fire): Actions<number> {
    const { core } = this.#host;
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
    const ret = yield* core.request(irq.virq, `vfio-msix[${vector}](${this.#fn.bdf})`, () => signal(fire, irq.virq));
    this.#switching.delete(vector);
    return ret;
  }

  *release(vector: number): Actions {
    const virq = this.#virqs.get(vector);
    if (virq === undefined) return;
    this.#switching.add(vector);
    yield* this.#bracket.around(this.#host.core.freeIrq(virq));
  }

  entry(vector: number): number | undefined {
    return this.#virqs.has(vector) ? this.#fn.entry(vector) : undefined;
  }

  raise(vector: number): void {
    const fn = this.#fn;
    const { state, tamper } = fn.machine;
    const entry = fn.entry(vector);
    if (tamper && this.#virqs.has(vector)) {
      // Planted faults: the function resets itself, and its table is gone; or it keeps no pending bit of a cause in the window.
      if (tamper.spoils('F43', fn.entry(0))) fn.memory.clear();
      const masked = effectivelyMasked(state, entry) === true;
      if (masked && this.#switching.has(vector) && tamper.spoils('F40', entry)) fn.forgets.add(entry);
    }
    fn.raise(vector);
  }
}
