import { vfioFire, vfioSet } from '../../model/events/vfio.ts';
import { irq as irqType } from '../../model/things/irq.ts';
import { vfioDevice, vfioVector } from '../../model/things/virt.ts';
import { allowIntx } from '../device/legacy-interrupts.ts';
import type { PciFunction } from '../device/pci-function.ts';
import { type Composed, errno, type Irq } from '../irq/domain.ts';
import type { Host } from '../irq/host.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import { type Service, service } from '../setup.ts';
import type { Iommufd } from './iommufd.ts';
import type { ItsUnits } from './units/its-units.ts';

/** VFIO_PCI_MSIX_IRQ_INDEX; flags: data is eventfds, action is trigger. */
const MSIX_INDEX = 2;
const EVENTFD_TRIGGER = 0x24;
const NONE_TRIGGER = 0x21;

/** Nanoseconds between two looks whether another call has ended. */
const GATE = 1000;

/** Nanoseconds that user space takes between the two steps of an update: giving the address and setting affinity. */
const BETWEEN_IOCTLS = 3000;

/** The writers of messages of interrupts that VFIO made, besides activation and affinity (S3-2). */
export type MessageWriter = 'vfio' | 'restore' | 'kvm';

/** The interrupts that vfio-pci makes for devices whose translation iommufd owns. */
export class IommufdIrqs {
  readonly machine: Machine;
  readonly host: Host;
  readonly iommufd: Iommufd;
  readonly units: ItsUnits;
  /** A new address is followed by a write of the message even where affinity needs none. */
  readonly forces: boolean;
  /** Devices whose interrupts are being changed: one call at a time (igate of vfio-pci). */
  readonly #gates = new Set<PciFunction>();

  constructor(host: Host, iommufd: Iommufd, units: ItsUnits, forces: boolean) {
    this.machine = host.machine;
    this.host = host;
    this.iommufd = iommufd;
    this.units = units;
    this.forces = forces;
  }

  actor(fn: PciFunction): Actor {
    return { layer: 'vfio', name: fn.bdf, cpu: 0 };
  }

  /** The irq of a vector of a function. */
  irq(fn: PciFunction, index: number): Irq | undefined {
    return this.#all(fn).find((irq) => irq.hwirq === index);
  }

  #all(fn: PciFunction): Irq[] {
    return [...this.host.core.irqs.values()].filter((irq) => irq.device === fn);
  }

  /** VFIO_DEVICE_SET_IRQS for MSI-X: sets up `count` vectors, or tears all down (0). 0 or a negative errno. */
  *setIrqs(fn: PciFunction, count: number): Actions<number> {
    while (this.#gates.has(fn)) yield GATE;
    this.#gates.add(fn);
    const ret = yield* this.machine.within(this.actor(fn), this.#setIrqs(fn, count));
    this.#gates.delete(fn);
    return ret;
  }

  *#setIrqs(fn: PciFunction, count: number): Actions<number> {
    const ret = count === 0 ? yield* this.#tearDown(fn) : yield* this.#setUp(fn, count);
    const object = this.machine.world.object(vfioDevice, `vfio/${fn.bdf}`);
    const flags = count === 0 ? NONE_TRIGGER : EVENTFD_TRIGGER;
    this.machine.emit(vfioSet, object, { flags, index: MSIX_INDEX, start: 0, count, ret });
    return ret;
  }

  *#setUp(fn: PciFunction, count: number): Actions<number> {
    if (count > fn.size || this.#all(fn).length > 0) return errno.EINVAL;
    const virqs = yield* this.host.allocVectors(fn, 'vfio-pci', count);
    if (typeof virqs === 'number') {
      yield* this.#tearDown(fn);
      return virqs;
    }
    for (const [i, virq] of virqs.entries()) {
      const irq = this.host.core.irq(virq);
      const ret = irq === undefined ? errno.EINVAL : yield* this.#setVector(fn, i, irq);
      if (ret >= 0) continue;
      yield* this.#tearDown(fn);
      return ret;
    }
    return 0;
  }

  /** vfio_msi_set_vector_signal(): the table may have been reset without the irq core's knowledge, so the message is written again. */
  *#setVector(fn: PciFunction, index: number, irq: Irq): Actions<number> {
    yield* this.rewrite(irq, 'vfio');
    const vector = this.machine.world.object(vfioVector, `vfio/${fn.bdf}/${MSIX_INDEX}/${index}`);
    const fire = (): void => this.machine.emit(vfioFire, vector, { irq: irq.virq });
    return yield* this.host.core.request(irq.virq, `vfio-msix[${index}](${fn.bdf})`, function* () {
      yield 400;
      fire();
    });
  }

  *#tearDown(fn: PciFunction): Actions<number> {
    const { core } = this.host;
    for (const irq of this.#all(fn)) {
      if (irq.action !== undefined) yield* core.freeIrq(irq.virq);
      yield* core.release(irq.virq);
    }
    fn.control(false, false);
    allowIntx(fn, true);
    return 0;
  }

  /** The message that the irq core remembers for an irq (struct msi_desc.msg). */
  cached(irq: Irq): Composed {
    const { state } = this.machine;
    const { address, data } = irqType.at;
    const lo = state.get(irq.object, address);
    return { address: lo + state.get(irq.object, address + 1) * 0x100000000, data: state.get(irq.object, data) };
  }

  /** Writes the remembered message to the device again, without asking any domain to compose. */
  *rewrite(irq: Irq, by: MessageWriter): Actions {
    yield* this.host.core.storeMessage(irq, this.cached(irq), by);
  }

  /** Writes the message with the physical doorbell: a path without a hook. */
  *bypass(irq: Irq, by: MessageWriter): Actions {
    yield* this.host.core.storeMessage(irq, this.units.of(irq.device).domain.plain(irq), by);
  }

  /** User space changes the message address of a vector: gives it, then sets affinity so that the message is written. */
  *update(fn: PciFunction, index: number, iova: number): Actions<number> {
    const { iommufd, host } = this;
    const irq = this.irq(fn, index);
    // A planted fault: affinity stays as it is, and the kernel takes the message for unchanged.
    const unchanged =
      irq?.activated === true &&
      iova !== iommufd.given(fn, index) &&
      this.machine.tamper?.strikes('F73', iommufd.vmsi(fn, index)) === true;
    const ret = iommufd.set(fn, index, iova);
    if (ret < 0 || irq === undefined || !irq.activated) return ret;
    iommufd.compare(irq);
    yield BETWEEN_IOCTLS;
    const cpus = irq.affinity.length > 0 ? irq.affinity : host.cpus.onlineCpus();
    return yield* host.core.setAffinity(irq.virq, cpus, 'vmsi-update', this.forces && !unchanged);
  }
}

/** The interrupts that VFIO makes for devices of iommufd. */
export const iommufdIrqs: Service<IommufdIrqs> = service<IommufdIrqs>('iommufd-irqs');
