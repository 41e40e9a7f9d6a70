import { imsRefused } from '../../model/events/ims.ts';
import type { PciFunction } from '../device/pci-function.ts';
import { errno } from '../irq/domain.ts';
import type { Actions, Machine } from '../machine.ts';
import { lost, type VfioBackend } from './backend.ts';

/**
 * What should serve the vectors is not there: no interrupt message storage (the kernel finds no IMS domain, -ENODEV of pci_ims_alloc_irq), or no
 * function of the host. The device is assigned all the same; each request of a vector gets the errno.
 */
export class AbsentBackend implements VfioBackend {
  readonly kind: VfioBackend['kind'];
  readonly dynamic = true;
  readonly #machine: Machine;
  readonly #object: number;
  readonly #parent: PciFunction | undefined;
  readonly #owner: string;

  /** `object`: stands for the device where a cause is lost. */
  constructor(
    machine: Machine,
    kind: VfioBackend['kind'],
    object: number,
    parent: PciFunction | undefined,
    owner: string,
  ) {
    this.#machine = machine;
    this.kind = kind;
    this.#object = object;
    this.#parent = parent;
    this.#owner = owner;
  }

  *enable(): Actions<number> {
    return this.kind === 'ims' ? 0 : errno.ENODEV;
  }

  *disable(): Actions {}

  *request(vector: number): Actions<number> {
    const { ENODEV: ret } = errno;
    if (this.kind === 'ims' && this.#parent)
      this.#machine.emit(imsRefused, this.#parent.object, { owner: `${this.#owner} vector ${vector}`, ret });
    return ret;
  }

  *release(): Actions {}

  entry(): undefined {
    return undefined;
  }

  raise(vector: number): void {
    const what = this.kind === 'ims' ? 'interrupt message storage' : 'function of the host';
    lost(this.#machine, this.#object, `no ${what} stands behind vector ${vector}`);
  }
}
