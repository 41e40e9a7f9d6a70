import { hexText } from '../../base/hex.ts';
import { msiPrepare } from '../../model/events/domain.ts';
import { hwptInstalled, ioasMapped, ioasUnmapped, vmsiSet, vmsiWindow } from '../../model/events/iommufd.ts';
import { ioasMap, vmsi } from '../../model/things/ims.ts';
import { irq as irqType } from '../../model/things/irq.ts';
import type { PciFunction } from '../device/pci-function.ts';
import { errno, type Irq } from '../irq/domain.ts';
import type { Actor, Machine } from '../machine.ts';
import { type Service, service } from '../setup.ts';
import type { MsiOwner } from './its-domain.ts';
import { mapped, overlaps, PAGE, pageOf, type Smmu } from './smmu.ts';

/** The software MSI window of an SMMUv3 (IOMMU_RESV_SW_MSI): first address and bytes. */
export const SW_MSI = { start: 0x8000000, size: 0x100000 } as const;

/** Pages of that window which iommufd gives to doorbells: as many as its bitmap has bits (struct iommufd_sw_msi_maps). */
const SW_MSI_PAGES = 64;

const GUEST: Actor = { layer: 'guest-kernel', name: 'smmu', cpu: -1 };

/** How the policies of a scenario shape iommufd. */
export interface IommufdDesign {
  readonly vmsi: 'rmr' | 'vits' | 'none';
  readonly nested: boolean;
  /** One address for the device instead of one for each vector. */
  readonly cookie: boolean;
  /** Name under which it answers. */
  readonly provider: string;
  /** Doorbells that the software MSI window holds, each in a page of its own; absent: as many as in Linux. */
  readonly swMsiPages?: number | undefined;
}

/** The address of a page number and an offset in the page. */
const withOffset = (page: number, doorbell: number): number => page + (doorbell % PAGE);

/**
 * The kernel's iommufd for one VMM: an I/O address space that is stage 2 of its devices, and the message addresses that
 * user space gave, looked up by device and MSI index. It maps only what user space asks for, except the
 * software MSI window if devices reach their doorbell through it.
 */
export class Iommufd implements MsiOwner {
  readonly machine: Machine;
  readonly smmu: Smmu;
  readonly design: IommufdDesign;
  readonly id = 1;
  readonly kernel: Actor = { layer: 'iommufd', name: 'kernel', cpu: 0 };
  readonly #devices = new Set<PciFunction>();
  /** When the window of a vMSI address opened, by object. */
  readonly #opened = new Map<number, number>();
  /** The page of the software MSI window that each page with a doorbell has, from 0. */
  readonly #windows = new Map<number, number>();

  constructor(machine: Machine, smmu: Smmu, design: IommufdDesign) {
    this.machine = machine;
    this.smmu = smmu;
    this.design = design;
  }

  get #ioas(): string {
    return `iommufd/${this.id}/ioas/1/map`;
  }

  get #hwpt(): string {
    return `iommufd/${this.id}/hwpt/1/map`;
  }

  /** Puts a device behind the address space. */
  attach(fn: PciFunction): void {
    this.#devices.add(fn);
    const { nested, vmsi: how } = this.design;
    this.translate(fn, nested);
    if (nested && how === 'rmr') this.machine.as(GUEST, () => this.#announced(fn));
  }

  /**
   * The tables of the guest's firmware announce the software MSI window (IORT RMR), and the guest maps it one to one in the stage 1 of each
   * DMA domain (IOMMU_RESV_DIRECT, iommu_create_device_direct_mappings): the device holds the address that the host composed.
   */
  #announced(fn: PciFunction): void {
    this.smmu.map(fn.requester, SW_MSI.start, SW_MSI.start, SW_MSI.size);
  }

  /** Attaches a device to the stage 1 of the guest on stage 2, or to stage 2 alone. */
  translate(fn: PciFunction, stage1: boolean): void {
    this.smmu.configure(fn.requester, { stage1, stage2: [this.#ioas, this.#hwpt] });
  }

  /** Where a range of the I/O address space lies in memory: its start, `scattered` when it is not in one piece, undefined when a page is not mapped. */
  output(address: number, size: number): number | 'scattered' | undefined {
    const start = mapped(this.machine, this.#ioas, address);
    let scattered = false;
    for (let page = pageOf(address) + PAGE; page < address + size && start !== undefined; page += PAGE) {
      const output = mapped(this.machine, this.#ioas, page);
      if (output === undefined) return undefined;
      scattered ||= output - start !== page - address;
    }
    return scattered ? 'scattered' : start;
  }

  /** Whether user space owns the translation of a function. */
  owns(fn: PciFunction): boolean {
    return this.#devices.has(fn);
  }

  #mapping(folder: string, iova: number): number {
    return this.machine.world.object(ioasMap, `${folder}/${hexText(iova)}`);
  }

  /** IOMMU_IOAS_MAP with a fixed address: 0 or a negative errno. */
  map(iova: number, output: number, size: number): number {
    const ret = this.#mapProblem(iova, output, size);
    this.machine.emit(ioasMapped, this.#mapping(this.#ioas, iova), { output, size, ret });
    return ret;
  }

  #mapProblem(iova: number, output: number, size: number): number {
    if (size <= 0 || iova % PAGE !== 0 || output % PAGE !== 0 || size % PAGE !== 0) return errno.EINVAL;
    if (iova < SW_MSI.start + SW_MSI.size && iova + size > SW_MSI.start) return errno.EINVAL;
    return overlaps(this.machine, this.#ioas, iova, size) ? errno.EEXIST : 0;
  }

  /** IOMMU_IOAS_UNMAP of the mapping that starts at an address: 0 or a negative errno. */
  unmap(iova: number): number {
    const object = this.#mapping(this.#ioas, iova);
    const ret = this.machine.state.present(object) ? 0 : errno.ENOENT;
    this.machine.emit(ioasUnmapped, object, ret < 0 ? { ret } : {});
    return ret;
  }

  /** Object of the vMSI address of a vector. */
  vmsi(fn: PciFunction, index: number): number {
    return this.machine.world.object(vmsi, `iommufd/${this.id}/vmsi/${fn.bdf}/${index}`);
  }

  /** The address that user space gave for a vector; undefined: none. */
  given(fn: PciFunction, index: number): number | undefined {
    const { state } = this.machine;
    const object = this.vmsi(fn, index);
    if (!state.present(object)) return undefined;
    return state.get(object, vmsi.at.iova) + state.get(object, vmsi.at.iova + 1) * 0x100000000;
  }

  /** User space gives the page of the doorbell as the device must see it, or takes it back (0): 0 or a negative errno. */
  set(fn: PciFunction, index: number, iova: number): number {
    const ret =
      this.design.vmsi !== 'vits' || !this.#devices.has(fn)
        ? errno.EOPNOTSUPP
        : iova % PAGE !== 0 || (fn.size >= 0 && index >= fn.size)
          ? errno.EINVAL
          : 0;
    this.machine.emit(vmsiSet, this.vmsi(fn, index), { iova, ...(ret < 0 ? { ret } : {}) });
    return ret;
  }

  /** Notes whether the message that an irq has in its device carries the address given; an event tells when that changes. */
  compare(irq: Irq): void {
    const { machine } = this;
    const given = this.given(irq.device, irq.hwirq);
    if (given === undefined || !this.#devices.has(irq.device)) return;
    const cell = irqType.at.address;
    if (machine.state.known(irq.object, cell) === 0) return;
    const held = machine.state.get(irq.object, cell) + machine.state.get(irq.object, cell + 1) * 0x100000000;
    const object = this.vmsi(irq.device, irq.hwirq);
    const open = held !== 0 && pageOf(held) !== given;
    const opened = this.#opened.get(object);
    if (open === (opened !== undefined)) return;
    if (open) this.#opened.set(object, machine.now);
    else this.#opened.delete(object);
    machine.emit(vmsiWindow, object, { open, held, ...(opened === undefined ? {} : { ns: machine.now - opened }) });
  }

  prepare(irq: Irq, doorbell: number): number {
    return Math.min(0, this.#answer(irq, doorbell));
  }

  compose(irq: Irq, doorbell: number): number {
    return this.#answer(irq, doorbell);
  }

  /** Answers for a vector and lets the trace show it. */
  #answer(irq: Irq, doorbell: number): number {
    const found = this.#lookup(irq, doorbell);
    this.machine.as(this.kernel, () =>
      this.machine.emit(msiPrepare, irq.object, {
        provider: this.design.provider,
        device: irq.device.bdf,
        index: irq.hwirq,
        doorbell,
        ...(found < 0 ? { ret: found } : { iova: found }),
      }),
    );
    return found;
  }

  #lookup(irq: Irq, doorbell: number): number {
    const { vmsi: how, cookie } = this.design;
    if (how === 'none') return doorbell;
    if (how === 'rmr') return this.#window(irq, doorbell);
    const index = cookie ? this.#first(irq.device) : irq.hwirq;
    const given = index === undefined ? undefined : this.given(irq.device, index);
    return given === undefined ? errno.ENOENT : withOffset(given, doorbell);
  }

  /** The lowest index of a device that has an address. A cookie, which knows no indexes, uses it. */
  #first(fn: PciFunction): number | undefined {
    const nodes = this.machine.world.find(`iommufd/${this.id}/vmsi/${fn.bdf}`)?.children.values() ?? [];
    const set = [...nodes]
      .filter((node) => this.machine.state.present(node.object))
      .map((node) => Number(node.segment));
    return set.length === 0 ? undefined : Math.min(...set);
  }

  /** Maps the page of a doorbell in the software MSI window of the stage 2, once (iommufd_sw_msi). */
  #window(irq: Irq, doorbell: number): number {
    const { machine } = this;
    const page = pageOf(doorbell);
    let at = this.#windows.get(page);
    // A planted fault: the mapping that is there is not found.
    if (at === undefined || machine.tamper?.spoils('F7A', irq.object)) {
      at = this.#windows.size;
      if (at >= (this.design.swMsiPages ?? SW_MSI_PAGES)) return errno.EOVERFLOW;
      this.#windows.set(page, at);
      const object = this.#mapping(this.#hwpt, SW_MSI.start + at * PAGE);
      machine.as(this.kernel, () => machine.emit(hwptInstalled, object, { output: page, size: PAGE }));
    }
    return withOffset(SW_MSI.start + at * PAGE, doorbell);
  }
}

/** Domains of the host's own drivers behind an SMMU: dma-iommu maps the doorbell at an address of its choice. */
export class DmaIommu implements MsiOwner {
  readonly machine: Machine;
  readonly smmu: Smmu;
  /** Page of the doorbell in each domain. */
  readonly #pages = new Map<PciFunction, number>();
  #next = 0xfffff000;

  constructor(machine: Machine, smmu: Smmu) {
    this.machine = machine;
    this.smmu = smmu;
  }

  prepare(irq: Irq, doorbell: number): number {
    if (!this.smmu.stages(irq.device.requester))
      this.smmu.configure(irq.device.requester, { stage1: true, stage2: [] });
    let page = this.#pages.get(irq.device);
    if (page === undefined) {
      this.#pages.set(irq.device, (page = this.#next));
      this.#next -= PAGE;
      this.smmu.map(irq.device.requester, page, pageOf(doorbell), PAGE);
    }
    return Math.min(0, this.#show(irq, doorbell));
  }

  compose(irq: Irq, doorbell: number): number {
    return this.#show(irq, doorbell);
  }

  #show(irq: Irq, doorbell: number): number {
    const page = this.#pages.get(irq.device);
    const iova = page === undefined ? errno.EINVAL : withOffset(page, doorbell);
    this.machine.emit(msiPrepare, irq.object, {
      provider: 'dma-iommu',
      device: irq.device.bdf,
      index: irq.hwirq,
      doorbell,
      ...(iova < 0 ? { ret: iova } : { iova }),
    });
    return iova;
  }
}

/** iommufd of the host, when a scenario has it. */
export const iommufd: Service<Iommufd> = service<Iommufd>('iommufd');
