import type { ObjectId } from '../../../base/ids.ts';
import { domain as domainType } from '../../../model/things/irq.ts';
import type { Cpus } from '../../irq/cpus.ts';
import {
  type AffinityResult,
  type Composed,
  type Domain,
  errno,
  type Irq,
  type MessageBlock,
} from '../../irq/domain.ts';
import { MsixDomain } from '../../irq/msix-domain.ts';
import type { Actions, Machine } from '../../machine.ts';
import type { MsiOwner } from '../its-domain.ts';
import type { GicFrame } from './frame.ts';
import type { Spis } from './spis.ts';

/** Nanoseconds of a write of a register of the distributor. */
const REGISTER = 150;

/**
 * The irq domain of a GICv2m frame (drivers/irqchip/irq-gic-v2m.c): an SPI of the frame for each interrupt, a block of them for multiple MSI.
 * The message is the doorbell and the INTID. Affinity is that of the SPI, so the message stays.
 */
export class V2mDomain implements Domain {
  readonly name = 'GICv2m';
  readonly blocks = true;
  readonly parent: Domain;
  readonly object: ObjectId;
  readonly frame: GicFrame;
  /** The part that may replace the doorbell in a message. */
  owner: MsiOwner | undefined;
  readonly #spis: Spis;
  readonly #cpus: Cpus;
  readonly #taken = new Set<number>();
  readonly #irqs = new Map<Irq, number>();
  readonly #bySpi = new Map<number, Irq>();
  /** First SPI of each block that is being set up or in use. */
  readonly #blocks = new Map<MessageBlock, number>();
  readonly #active = new Set<Irq>();

  constructor(parent: Domain, frame: GicFrame) {
    this.parent = parent;
    this.frame = frame;
    this.#spis = frame.spis;
    this.#cpus = frame.spis.cpus;
    this.object = frame.machine.world.object(domainType, 'domain/GICv2m');
  }

  /** The irq behind an SPI. */
  bySpi(spi: number): Irq | undefined {
    return this.#bySpi.get(spi);
  }

  /** The CPU that an irq goes to, -1 while it goes to none. */
  target(irq: Irq): number {
    return this.#active.has(irq) ? this.#spis.target(this.#irqs.get(irq)!) : -1;
  }

  /** The first free SPIs of the frame, a power of two of them and aligned to that (bitmap_find_free_region); undefined when there are none. */
  #region(count: number): number | undefined {
    let size = 1;
    while (size < count) size *= 2;
    const { first, count: all } = this.frame;
    for (let at = 0; at + size <= all; at += size) {
      const region = Array.from({ length: size }, (_, i) => first + at + i);
      if (region.some((spi) => this.#taken.has(spi))) continue;
      for (const spi of region) this.#taken.add(spi);
      return first + at;
    }
    return undefined;
  }

  *alloc(irq: Irq): Actions<number> {
    const { block } = irq;
    let base = block && this.#blocks.get(block);
    if (base === undefined) {
      base = this.#region(block?.count ?? 1);
      if (base === undefined) return errno.ENOSPC;
      if (block) this.#blocks.set(block, base);
    }
    const spi = base + (block ? irq.hwirq : 0);
    this.#irqs.set(irq, spi);
    this.#bySpi.set(spi, irq);
    const ret = this.owner?.prepare(irq, this.frame.doorbell) ?? 0;
    if (ret < 0) yield* this.free(irq);
    return ret;
  }

  *free(irq: Irq): Actions {
    const spi = this.#irqs.get(irq);
    if (spi === undefined) return;
    this.#irqs.delete(irq);
    this.#bySpi.delete(spi);
    if (irq.block === undefined) this.#taken.delete(spi);
    else if (![...this.#irqs.keys()].some(({ block }) => block === irq.block)) this.#release(irq.block);
  }

  #release(block: MessageBlock): void {
    const base = this.#blocks.get(block)!;
    this.#blocks.delete(block);
    for (let size = 1, i = 0; i < size; i++) {
      while (size < block.count) size *= 2;
      this.#taken.delete(base + i);
    }
  }

  /** The first CPU of the mask that is online (gic_set_affinity). */
  #select(cpus: readonly number[]): number {
    return Math.min(...cpus.filter((cpu) => this.#cpus.online(cpu)));
  }

  *activate(irq: Irq): Actions<number> {
    const spi = this.#irqs.get(irq);
    const cpu = this.#select(irq.affinity.length > 0 ? irq.affinity : this.#cpus.onlineCpus());
    if (spi === undefined || !Number.isFinite(cpu)) return errno.EINVAL;
    yield REGISTER;
    this.#spis.route(spi, cpu);
    this.#active.add(irq);
    return 0;
  }

  *deactivate(irq: Irq): Actions {
    this.#active.delete(irq);
  }

  /** The enable bit of the SPI (irq_chip_mask_parent). */
  *mask(irq: Irq, masked: boolean): Actions {
    const spi = this.#irqs.get(irq);
    if (spi === undefined || !this.#active.has(irq)) return;
    yield REGISTER;
    this.#spis.enable(spi, !masked);
  }

  compose(irq: Irq): Composed | number {
    const { doorbell } = this.frame;
    const address = this.owner?.compose(irq, doorbell) ?? doorbell;
    return address < 0 ? address : { address, data: this.#irqs.get(irq) ?? 0 };
  }

  *setAffinity(irq: Irq, cpus: readonly number[]): Actions<AffinityResult> {
    const spi = this.#irqs.get(irq);
    const cpu = this.#select(cpus);
    if (spi === undefined || !Number.isFinite(cpu)) return errno.EINVAL;
    if (!this.#active.has(irq)) return 'done';
    yield REGISTER;
    this.#spis.route(spi, cpu);
    return 'done';
  }
}

/** The MSI-X domain on a GICv2m frame: masks the SPI as well as the entry (MSI_FLAG_PCI_MSI_MASK_PARENT). */
export class V2mMsixDomain extends MsixDomain {
  readonly #v2m: V2mDomain;

  constructor(machine: Machine, name: string, v2m: V2mDomain) {
    super(machine, name, v2m);
    this.#v2m = v2m;
  }

  override *mask(irq: Irq, masked: boolean): Actions {
    if (masked) yield* super.mask(irq, true);
    yield* this.#v2m.mask(irq, masked);
    if (!masked) yield* super.mask(irq, false);
  }
}
