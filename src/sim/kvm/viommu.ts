import { decodersById } from '../../model/message.ts';
import { vtdAddressFor, x86AddressFor } from '../../model/registers/x86.ts';
import type { Composed, Destination, Irq } from '../irq/domain.ts';
import type { RouteMessage } from './irqfds.ts';

/**
 * An interrupt remapping unit that the VMM emulates for the guest: the messages of the guest name entries of its table
 * (VT-d remappable format), and only who has the table can say where they go.
 */
export class Viommu {
  readonly #entries: Irq[] = [];
  readonly #target: (irq: Irq) => Destination;

  /** `target` tells where an irq of the guest goes now: what its table entry holds. */
  constructor(target: (irq: Irq) => Destination) {
    this.#target = target;
  }

  /** The message that the guest kernel writes for an irq: it names the entry, in remappable format. */
  compose(irq: Irq): Composed {
    let index = this.#entries.indexOf(irq);
    if (index < 0) index = this.#entries.push(irq) - 1;
    return { address: vtdAddressFor(index, false), data: 0 };
  }

  /** The message that a local APIC reads, for one of the guest; undefined when its table has no such entry. */
  translate({ address, data }: RouteMessage): RouteMessage | undefined {
    const view = decodersById.vtd.decode(address >>> 0, Math.floor(address / 0x100000000), data);
    if (view === undefined || view.format !== 'remappable' || view.index === null) return undefined;
    const irq = this.#entries[view.index];
    if (!irq) return undefined;
    const { cpu, vector } = this.#target(irq);
    return { address: x86AddressFor(cpu), data: vector };
  }
}
