import { msixRefused } from '../../model/events/platform/eras.ts';
import { packRegister } from '../../model/register.ts';
import { pciMsiHwirq } from '../../model/registers/hwirq.ts';
import type { Design } from '../design.ts';
import type { PciFunction } from '../device/pci-function.ts';

/** Kernels of an era that are asked for an interface that they do not have. */
export const NO_INTERFACE = -95;

/** The hwirq of an interrupt in the MSI domain of all functions. */
export function sharedHwirq({ bdf, requester }: PciFunction, index: number): number {
  const segment = Number.parseInt(bdf, 16);
  const [low, high] = packRegister(pciMsiHwirq, { index, requester, segment }) as [number, number];
  return high * 2 ** 32 + low;
}

/** Which interfaces a kernel has for messages of functions. */
export class KernelEra {
  readonly #value: () => Design['kernelEra'];

  constructor(value: () => Design['kernelEra']) {
    this.#value = value;
  }

  /** Every function has a domain of its own. */
  get perDevice(): boolean {
    return this.#value() !== 'v6.1';
  }

  get ims(): boolean {
    return this.#value() === 'v6.2';
  }

  /** pci_msix_alloc_irq_at(): 0, or a negative errno, which an event tells. */
  canAdd(fn: PciFunction, index: number): number {
    if (this.perDevice) return 0;
    fn.machine.emit(msixRefused, fn.object, { index, ret: NO_INTERFACE });
    return NO_INTERFACE;
  }
}
