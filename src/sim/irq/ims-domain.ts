import type { ObjectId } from '../../base/ids.ts';
import { domCreate } from '../../model/events/domain.ts';
import { imsFree, imsRefused, imsStore } from '../../model/events/ims.ts';
import { msgWrite } from '../../model/events/irq.ts';
import { packRegister } from '../../model/register.ts';
import { imsControl } from '../../model/registers/ims.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import type { PciFunction } from '../device/pci-function.ts';
import type { Actions, Machine } from '../machine.ts';
import { type Service, type Setup, service } from '../setup.ts';
import { type Composed, type Domain, errno, type Irq } from './domain.ts';
import { type Host, host } from './host.ts';
import { ImsCells, type ImsPlace } from './ims-cells.ts';
import { NO_INTERFACE } from './kernel-era.ts';
import { MMIO_READ, MMIO_WRITE } from './msix-domain.ts';

/** The mask bit of the control dword. */
const MASK = imsControl.f.mask.mask;
/** What a change of the mask does not carry over: the mask itself, and the pending bit, which is the hardware's. */
const NOT_KEPT = imsControl.f.mask.mask | imsControl.f.pending.mask;
/** What a change of the PASID keeps. */
const INTERRUPT_CONTROL = imsControl.f.mask.mask | imsControl.f.ignore.mask;

/** What the owner of an interrupt says about it when it asks for one (union msi_instance_cookie): the PASID to check. */
export interface ImsCookie {
  /** Compared with the PASID of descriptors, 20 bits; undefined: nothing is compared. */
  readonly pasid?: number | undefined;
}

/** The auxiliary bits of a control dword that a cookie asks for. */
export function auxiliary(cookie: ImsCookie): number {
  return cookie.pasid === undefined ? 0 : packRegister(imsControl, { pasidEnable: 1, pasid: cookie.pasid })[0]!;
}

/** An interrupt that pci_ims_alloc_irq() returned. */
export interface ImsIrq {
  readonly index: number;
  readonly virq: number;
}

/**
 * The bus domain of IMS: stores messages where the function keeps them and masks there. It does not know what is below
 * it. Order of writes: low address, high address, data, read back; control dword, read back.
 */
export class ImsDomain implements Domain {
  readonly name: string;
  readonly object: ObjectId;
  readonly parent: Domain;
  readonly machine: Machine;
  /** Absent where the storage has no mask bit. */
  mask?: (irq: Irq, masked: boolean) => Actions;
  readonly #cells: ImsCells;

  constructor(machine: Machine, cells: ImsCells, parent: Domain, carrier = cells.fn.bdf) {
    this.machine = machine;
    this.#cells = cells;
    this.name = `${parent.prefix ?? ''}PCI-IMS-${carrier}`;
    this.parent = parent;
    this.object = machine.world.object(domainType, `domain/${this.name}`);
    if (cells.maskable) this.mask = (irq, masked) => this.#mask(irq, masked);
  }

  *alloc(): Actions<number> {
    return 0;
  }

  *free(): Actions {}

  *activate(): Actions<number> {
    return 0;
  }

  /** The all-zero message, as for every message that the irq core stores. */
  *deactivate(irq: Irq): Actions {
    yield* this.store(irq, { address: 0, data: 0 }, 'deactivate');
  }

  *store(irq: Irq, message: Composed, by: string): Actions {
    const { hwirq, virq } = irq;
    const { address, data } = message;
    this.machine.emit(msgWrite, irq.object, { hwirq, address, data, domain: this.name, by, where: this.#cells.place });
    yield* this.#write(hwirq, 0, address >>> 0, virq);
    yield* this.#write(hwirq, 4, Math.floor(address / 0x100000000), virq);
    yield* this.#write(hwirq, 8, data, virq);
    yield* this.#settle();
  }

  /** Writes the control dword of an entry whole: mask and auxiliary bits. */
  *control(index: number, value: number): Actions {
    yield* this.#write(index, 12, value, undefined);
    yield* this.#settle();
  }

  /** Changes the mask and nothing else: bits 31:3 stay (INV-AUX). */
  *#mask(irq: Irq, masked: boolean): Actions {
    yield* this.control(irq.hwirq, ((this.#cells.control(irq.hwirq) & ~NOT_KEPT) | (masked ? MASK : 0)) >>> 0);
  }

  *#write(index: number, offset: number, value: number, virq: number | undefined): Actions {
    yield this.#cells.place === 'device memory' ? MMIO_WRITE : MEMORY_WRITE;
    this.#cells.write(index, offset, 4, [value], virq);
  }

  /** The read back: what was written has reached the device, and what it had sent before has arrived. */
  *#settle(): Actions {
    if (this.#cells.place !== 'device memory') return;
    yield MMIO_READ;
    this.#cells.fn.flush();
  }
}

/** Nanoseconds that a write to memory takes. */
const MEMORY_WRITE = 20;
/** Nanoseconds until work that was put off runs. */
const LATER = 20_000;

/** The interrupt message storage of a function: entries, their owners, and the irqs behind them. */
export class ImsFunction extends ImsCells {
  /** Name of the struct device that the domain is attached to; by default the function (S1-6). */
  carrier: string;
  readonly #host: Host;
  readonly #irqs = new Map<number, ImsIrq>();
  readonly #owners = new Map<number, string>();
  #domain: ImsDomain | undefined;

  /** `size`: entries, Infinity where only memory limits them. */
  constructor(of: Host, fn: PciFunction, size: number, place: ImsPlace = 'device memory', maskable = true) {
    super(of.machine, fn, size, place, maskable);
    this.#host = of;
    this.carrier = fn.bdf;
  }

  /** The per-device IMS domain (pci_create_ims_domain): made when it is asked for first. */
  get domain(): ImsDomain {
    if (this.#domain === undefined) {
      const { machine } = this;
      const parent = this.#host.parentOf(this.fn);
      const domain = new ImsDomain(machine, this, parent, this.carrier);
      machine.as(this.#host.kernel, () => machine.emit(domCreate, domain.object, { parent: parent.name, ret: 0 }));
      this.#domain = domain;
    }
    return this.#domain;
  }

  /** Indexes that are allocated. */
  get allocated(): readonly number[] {
    return [...this.#irqs.keys()];
  }

  /** The irq behind an entry. */
  irq(index: number): ImsIrq | undefined {
    return this.#irqs.get(index);
  }

  /** The owner of an entry. */
  owner(index: number): string | undefined {
    return this.#owners.get(index);
  }

  override has(index: number): boolean {
    return this.#owners.has(index);
  }

  /**
   * pci_ims_alloc_irq(): takes the lowest free index, writes the control dword (masked, with the PASID of the cookie), and
   * allocates an irq through the hierarchy. -ENOSPC when no entry is free, else the errno of the part that refused.
   */
  *alloc(cookie: ImsCookie, owner: string, affinity?: readonly number[]): Actions<ImsIrq | number> {
    const { machine, domain } = this;
    let index = 0;
    while (this.#owners.has(index)) index++;
    if (!this.#host.era.ims) return this.#refuse(owner, NO_INTERFACE);
    if (index >= this.size) return this.#refuse(owner, errno.ENOSPC);
    this.#owners.set(index, owner);
    yield this.place === 'device memory' ? MMIO_WRITE : MEMORY_WRITE;
    machine.emit(imsStore, this.entry(index), {
      offset: 12,
      size: 4,
      value: ((this.maskable ? MASK : 0) | auxiliary(cookie)) >>> 0,
      where: this.place,
      owner,
    });
    const virq = yield* this.#host.core.alloc({
      domain,
      hwirq: index,
      device: this.fn,
      owner,
      canReserve: this.maskable,
      ...(affinity ? { affinity } : {}),
    });
    if (virq < 0) {
      this.#owners.delete(index);
      machine.emit(imsFree, this.entry(index), {});
      return this.#refuse(owner, virq);
    }
    const irq = { index, virq };
    this.#irqs.set(index, irq);
    return irq;
  }

  #refuse(owner: string, ret: number): number {
    this.machine.emit(imsRefused, this.fn.object, { owner, ret });
    return ret;
  }

  /** pci_ims_free_irq(): 0, -EBUSY while a handler of the irq runs, -ENOENT when the entry is not allocated. */
  *free(index: number): Actions<number> {
    const irq = this.#irqs.get(index);
    if (irq === undefined) return errno.ENOENT;
    const ret = yield* this.#host.core.release(irq.virq);
    if (ret < 0) return ret;
    this.forget(index, 'the IMS entry was freed');
    this.machine.emit(imsFree, this.entry(index), {});
    this.#irqs.delete(index);
    // A planted fault: work that runs later gives the entry back; who asks before finds it taken.
    const { machine } = this;
    if (machine.tamper?.spoils('F65', this.fn.object))
      machine.after(LATER, machine.actor, () => this.#owners.delete(index));
    else this.#owners.delete(index);
    return 0;
  }

  /** Writes the auxiliary bits of an entry (irq_set_auxdata of the series): the PASID; the mask stays. */
  *setCookie(index: number, cookie: ImsCookie): Actions {
    yield* this.domain.control(index, ((this.control(index) & INTERRUPT_CONTROL) | auxiliary(cookie)) >>> 0);
  }
}

/** The functions with IMS, by BDF. */
export const imsFunctions: Service<Map<string, ImsFunction>> = service('ims');

/** Gives functions of the scenario their interrupt message storage. */
export function installIms(setup: Setup): void {
  const part = setup.find(host);
  const specs = setup.scenario.devices.filter((d) => d.ims !== undefined);
  if (part === undefined || specs.length === 0) return;
  const all = setup.provide(imsFunctions, new Map<string, ImsFunction>());
  for (const { bdf, ims } of specs) {
    const fn = part.functions.get(bdf);
    if (fn && ims)
      all.set(bdf, new ImsFunction(part, fn, ims.entries ?? Number.POSITIVE_INFINITY, ims.store, ims.maskable));
  }
}
