import type { ObjectId } from '../../base/ids.ts';
import { msgWrite } from '../../model/events/irq.ts';
import { vectorControl } from '../../model/registers/pci.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import type { PciFunction, Served } from '../device/pci-function.ts';
import type { Actions, Machine } from '../machine.ts';
import type { Composed, Domain, Irq } from './domain.ts';
import { sharedHwirq } from './kernel-era.ts';

/** Nanoseconds that an uncached write to a device takes; a read waits for the way back as well. */
export const MMIO_WRITE = 100;
export const MMIO_READ = 800;

/**
 * What a kernel reads to be sure that a mask bit has reached the table, by its age: `own`: the vector control of the entry itself, twice
 * (Linux before 2.6.30, msi_set_mask_bit); `both`: the first dword of the table, after mask and unmask (2.6.30 to 5.14: readl of
 * mask_base, which is the base of the table); `mask`: the same after a mask alone (since 5.15, pci_msix_mask of drivers/pci/msi/msi.h).
 */
export type FlushRead = 'own' | 'both' | 'mask';

/** A kernel masks or unmasks an entry and makes sure of it. */
export function* maskEntry(
  access: TableAccess,
  device: PciFunction,
  index: number,
  masked: boolean,
  flush: FlushRead,
): Actions {
  yield* access.write(device, index, 12, 4, [vectorControl(masked)]);
  if (flush === 'own') for (let i = 0; i < 2; i++) yield* access.read(device, index, 12, 4);
  else if (masked || flush === 'both') yield* access.read(device, 0, 0, 4);
}

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
  /** It serves all functions (Linux before 6.2). */
  shared = false;
  readonly #access: TableAccess;
  readonly #flush: () => FlushRead;

  constructor(
    machine: Machine,
    name: string,
    parent: Domain,
    prefix = '',
    access: TableAccess = hardwareAccess,
    flush: () => FlushRead = () => 'mask',
  ) {
    this.machine = machine;
    this.name = name;
    this.parent = parent;
    this.object = machine.world.object(domainType, `${prefix}domain/${name}`);
    this.#access = access;
    this.#flush = flush;
  }

  /** A domain of all functions has hwirqs that hold function and index (pci_msi_domain_calc_hwirq). */
  hwirqOf(device: PciFunction, index: number): number {
    return this.shared ? sharedHwirq(device, index) : index;
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

  /**
   * __pci_write_msi_msg: three writes, with the entry masked around them when it is live. Older kernels mask with the reads that belong to it, in
   * move_masked_irq of kernel/irq/migration.c; since 5.14 the write itself does it, with no read but that of data at the end.
   */
  *store(irq: Irq, message: Composed, by: string): Actions {
    const { device, hwirq } = irq;
    this.machine.emit(msgWrite, irq.object, {
      hwirq: this.hwirqOf(device, hwirq),
      address: message.address,
      data: message.data,
      domain: this.name,
      by,
      where: 'MSI-X table',
    });
    const flush = this.#flush();
    const now = flush === 'mask';
    const live = !irq.masked;
    const mask = (masked: boolean): Actions =>
      now
        ? this.#access.write(device, hwirq, 12, 4, [vectorControl(masked)])
        : maskEntry(this.#access, device, hwirq, masked, flush);
    if (live) yield* mask(true);
    yield* this.#access.write(device, hwirq, 0, 4, [message.address >>> 0]);
    yield* this.#access.write(device, hwirq, 4, 4, [Math.floor(message.address / 0x100000000)]);
    yield* this.#access.write(device, hwirq, 8, 4, [message.data]);
    if (live) yield* mask(false);
    if (now) yield* this.#access.read(device, hwirq, 8, 4);
    irq.written?.(message);
  }

  /** pci_msix_mask and pci_msix_unmask; see FlushRead. */
  *mask(irq: Irq, masked: boolean): Actions {
    yield* maskEntry(this.#access, irq.device, irq.hwirq, masked, this.#flush());
  }
}
