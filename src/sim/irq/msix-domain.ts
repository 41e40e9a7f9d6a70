import type { ObjectId } from '../../base/ids.ts';
import { msgWrite } from '../../model/events/irq.ts';
import { vectorControl } from '../../model/registers/pci.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import type { PciFunction, Served } from '../device/pci-function.ts';
import type { Actions, Machine } from '../machine.ts';
import type { Composed, Domain, Irq } from './domain.ts';

/** Nanoseconds that an uncached write to a device takes; a read waits for the way back as well. */
export const MMIO_WRITE = 100;
export const MMIO_READ = 800;

/** How the kernel that owns the function reaches its table: at the hardware, or through the part that emulates it for a guest. */
export interface TableAccess {
  write(device: PciFunction, index: number, offset: number, size: number, value: readonly number[]): Actions;
  read(device: PciFunction, index: number, offset: number, size: number): Actions<number[]>;
}

/** Accesses of a kernel to the hardware itself. */
export const hardwareAccess: TableAccess = {
  *write(device, index, offset, size, value) {
    yield MMIO_WRITE;
    device.table(index, offset, size, value, HARDWARE);
  },
  *read(device, index, offset, size) {
    yield MMIO_READ;
    return device.table(index, offset, size, undefined, HARDWARE) ?? [];
  },
};

const HARDWARE: Served = { served: 'hardware', exits: 0 };

/**
 * The bus domain of MSI-X: stores messages in the table of the function and masks there (drivers/pci/msi/irqdomain.c,
 * msi.c). It knows its parent only as the domain that composes.
 */
export class MsixDomain implements Domain {
  readonly name: string;
  readonly object: ObjectId;
  readonly parent: Domain;
  readonly machine: Machine;
  readonly #access: TableAccess;

  constructor(machine: Machine, name: string, parent: Domain, prefix = '', access: TableAccess = hardwareAccess) {
    this.machine = machine;
    this.name = name;
    this.parent = parent;
    this.object = machine.world.object(domainType, `${prefix}domain/${name}`);
    this.#access = access;
  }

  *alloc(): Actions<number> {
    return 0;
  }

  *free(): Actions {}

  *activate(): Actions<number> {
    return 0;
  }

  /** An all-zero message: address 0 (pci_msi_domain: irq_chip_write_msi_msg of zeros on deactivation). */
  *deactivate(irq: Irq): Actions {
    yield* this.store(irq, { address: 0, data: 0 }, 'deactivate');
  }

  /** __pci_write_msi_msg: masks the entry around the three writes when it is live, and reads back. */
  *store(irq: Irq, message: Composed, by: string): Actions {
    const { device, hwirq } = irq;
    this.machine.emit(msgWrite, irq.object, {
      hwirq,
      address: message.address,
      data: message.data,
      domain: this.name,
      by,
      where: 'MSI-X table',
    });
    const live = !irq.masked;
    if (live) yield* this.#access.write(device, hwirq, 12, 4, [vectorControl(true)]);
    yield* this.#access.write(device, hwirq, 0, 4, [message.address >>> 0]);
    yield* this.#access.write(device, hwirq, 4, 4, [Math.floor(message.address / 0x100000000)]);
    yield* this.#access.write(device, hwirq, 8, 4, [message.data]);
    if (live) yield* this.#access.write(device, hwirq, 12, 4, [vectorControl(false)]);
    yield* this.#access.read(device, hwirq, 8, 4);
    irq.written?.(message);
  }

  /** pci_msi_mask: write and read back; unmasking writes only. */
  *mask(irq: Irq, masked: boolean): Actions {
    yield* this.#access.write(irq.device, irq.hwirq, 12, 4, [vectorControl(masked)]);
    if (masked) yield* this.#access.read(irq.device, irq.hwirq, 12, 4);
  }
}
