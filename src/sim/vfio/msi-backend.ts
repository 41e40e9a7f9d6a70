import { msiObject, raiseMsi } from '../device/msi-messages.ts';
import type { PciFunction } from '../device/pci-function.ts';
import { errno } from '../irq/domain.ts';
import type { Host } from '../irq/host.ts';
import { allocMsi, freeMsi, type MsiBlock } from '../irq/msi-domain.ts';
import type { Actions } from '../machine.ts';
import { type Fire, signal, type VfioBackend } from './backend.ts';
import type { MemoryBracket } from './memory-bracket.ts';

/**
 * Pass-through of the MSI capability (VFIO_PCI_MSI_IRQ_INDEX): the message lies in config space, all vectors of a block share it, and none can
 * be added while the index is on. There is no table to rewrite, so what a reset cleared stays so until the vector is activated again.
 */
export class MsiBackend implements VfioBackend {
  readonly kind = 'pci';
  readonly dynamic = false;
  readonly #host: Host;
  readonly #fn: PciFunction;
  readonly #grant: number;
  readonly #bracket: MemoryBracket;
  #block: MsiBlock | undefined;

  constructor(of: Host, fn: PciFunction, grant: number, bracket: MemoryBracket) {
    this.#host = of;
    this.#fn = fn;
    this.#grant = grant;
    this.#bracket = bracket;
  }

  /** pci_alloc_irq_vectors(1, count): what is short of the request is freed again, and its number is the answer. */
  *enable(count: number): Actions<number> {
    return yield* this.#bracket.around(this.#enable(count));
  }

  *#enable(count: number): Actions<number> {
    const fn = this.#fn;
    const got = yield* allocMsi(this.#host, fn, `vfio ${fn.bdf}`, count, this.#grant);
    if (typeof got === 'number') return got;
    const possible = got.virqs.length;
    if (possible < count) {
      yield* freeMsi(this.#host, got);
      return possible;
    }
    this.#block = got;
    return 0;
  }

  *disable(): Actions {
    const block = this.#block;
    this.#block = undefined;
    if (block) yield* this.#bracket.around(freeMsi(this.#host, block));
  }

  *request(vector: number, fire: Fire): Actions<number> {
    const virq = this.#block?.virqs[vector];
    if (virq === undefined) return errno.EINVAL;
    const name = `vfio-msi[${vector}](${this.#fn.bdf})`;
    const ret = yield* this.#bracket.around(this.#host.core.request(virq, name, () => signal(fire, virq)));
    return ret < 0 ? ret : virq;
  }

  *release(vector: number): Actions {
    const virq = this.#block?.virqs[vector];
    if (virq !== undefined) yield* this.#bracket.around(this.#host.core.freeIrq(virq));
  }

  entry(vector: number): number | undefined {
    const object = msiObject(this.#fn);
    return this.#block?.virqs[vector] === undefined || object < 0 ? undefined : object;
  }

  raise(vector: number): void {
    raiseMsi(this.#fn, vector);
  }
}
