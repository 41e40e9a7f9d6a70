import type { Host } from '../irq/host.ts';
import type { ImsCookie, ImsFunction } from '../irq/ims-domain.ts';
import type { Actions } from '../machine.ts';
import { type Fire, lost, signal, type VfioBackend } from './backend.ts';
import { EmulatedBackend } from './emulated-backend.ts';

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
