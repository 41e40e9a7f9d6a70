import { hexText } from '../../../base/hex.ts';
import type { ObjectId } from '../../../base/ids.ts';
import {
  guestEvent,
  guestSte,
  hwQueueCommand,
  vdeviceAlloc,
  vdeviceDestroy,
  veventqAlloc,
  veventqRead,
  veventqReport,
  viommuAlloc,
  viommuInvalidate,
} from '../../../model/events/arm/nested.ts';
import { guestStream, vdevice, veventq, viommu } from '../../../model/things/nested.ts';
import type { PciFunction } from '../../device/pci-function.ts';
import { errno } from '../../irq/domain.ts';
import type { Vm } from '../../kvm/vm.ts';
import type { Actions, Actor, Machine } from '../../machine.ts';
import { type Service, service } from '../../setup.ts';
import type { Iommufd } from '../iommufd.ts';
import { HwQueues } from './hw-queues.ts';

/** Nanoseconds from an event in the queue to the VMM that reads it. */
const MAIN_LOOP = 20_000;
/** Nanoseconds more, where the VMM does something else meanwhile. */
const HELD_UP = 400_000;
/** Nanoseconds that the hardware needs for a command in a queue of a guest. */
const COMMAND = 100;
/** Sequence numbers are 0 to INT_MAX. */
const SEQUENCES = 2 ** 31;

export type ViommuType = 'ARM_SMMUV3' | 'TEGRA241_CMDQV';
export type GuestCommand = 'TLBI_NH_VA' | 'TLBI_NH_ASID' | 'TLBI_NSNH_ALL' | 'ATC_INV' | 'CFGI_CD';

/** Commands that name a stream. */
export const OF_STREAM: ReadonlySet<string> = new Set<GuestCommand>(['ATC_INV', 'CFGI_CD']);
/** Commands that a guest may put into a queue of the hardware (tegra241_guest_vcmdq_supports_cmd); others go into the queue that is trapped. */
const IN_HARDWARE: ReadonlySet<string> = new Set<GuestCommand>(['TLBI_NH_VA', 'TLBI_NH_ASID', 'ATC_INV']);

/** A record of the event queue: an event, or the note that events were lost up to its number. */
interface Waiting {
  sequence: number;
  readonly event: { readonly stream: number; readonly name: string } | undefined;
}

/**
 * A virtual IOMMU of iommufd and what hangs on it: virtual devices, the event queue, HW queues (drivers/iommu/iommufd/viommu.c,
 * eventq.c, arm-smmu-v3-iommufd.c), and the VMM that serves a guest with it.
 */
export class Viommu {
  readonly machine: Machine;
  readonly fd: Iommufd;
  /** The SMMU has queues for guests. */
  readonly hasQueues: () => boolean;
  readonly object: ObjectId;
  readonly path: string;
  readonly #vmm: Actor = { layer: 'vmm', name: 'qemu', cpu: 0 };
  readonly #queue: ObjectId;
  /** IDs in the guest, by function. One function has one. */
  readonly #ids = new Map<PciFunction, number>();
  /** IDs that the events of a function carry: set when the stream table entry of the guest is installed. */
  readonly #reports = new Map<number, { readonly fn: PciFunction; readonly stream: number }>();
  readonly #waiting: Waiting[] = [];
  readonly #hardware: HwQueues;
  #type: ViommuType | undefined;
  #depth = 0;
  #sequence = 0;
  #reading = false;

  constructor(machine: Machine, fd: Iommufd, hasQueues: () => boolean) {
    this.machine = machine;
    this.fd = fd;
    this.hasQueues = hasQueues;
    this.path = `iommufd/${fd.id}/viommu/1`;
    this.object = machine.world.object(viommu, this.path);
    this.#hardware = new HwQueues(machine, fd, this.path);
    this.#queue = machine.world.object(veventq, `${this.path}/veventq`);
    fd.smmu.events = (requester, event) => this.#report(requester, event);
  }

  /** The VMM takes the best type that the hardware has. */
  allocBest(): void {
    this.alloc('TEGRA241_CMDQV');
    if (!this.allocated) this.alloc('ARM_SMMUV3');
  }

  /** IOMMU_VIOMMU_ALLOC. */
  alloc(type: ViommuType): void {
    const lacking = type === 'TEGRA241_CMDQV' && !this.hasQueues();
    // Stage 2 must have been allocated as the parent of a nested one.
    const ret = lacking ? errno.EOPNOTSUPP : this.fd.design.nested ? (this.#type ? errno.EEXIST : 0) : errno.EINVAL;
    this.machine.emit(viommuAlloc, this.object, { type, ret });
    if (ret === 0) this.#type = type;
  }

  get allocated(): boolean {
    return this.#type !== undefined;
  }

  #device(id: number): ObjectId {
    return this.machine.world.object(vdevice, `${this.path}/vdevice/${hexText(id)}`);
  }

  /** The function whose virtual device has an ID. */
  #named(id: number): PciFunction | undefined {
    for (const [fn, own] of this.#ids) if (own === id) return fn;
    return undefined;
  }

  /** IOMMU_VDEVICE_ALLOC. */
  allocDevice(fn: PciFunction, asked: number): void {
    // A planted fault: the VMM asks before the guest has numbered its buses, when each function still lies on bus 0.
    const id = this.machine.tamper?.spoils('F7D', this.#device(asked % 0x100)) ? asked % 0x100 : asked;
    const ret = this.#ids.has(fn) || this.#named(id) !== undefined ? errno.EEXIST : 0;
    this.machine.emit(vdeviceAlloc, this.#device(id), { device: fn.bdf, ret });
    if (ret === 0) this.#ids.set(fn, id);
  }

  /** IOMMU_DESTROY of a virtual device. */
  destroyDevice(fn: PciFunction): void {
    const id = this.#ids.get(fn);
    if (id === undefined) return;
    this.#ids.delete(fn);
    this.machine.emit(vdeviceDestroy, this.#device(id), {});
  }

  hasDevice(fn: PciFunction): boolean {
    return this.#ids.has(fn);
  }

  /** IOMMU_VEVENTQ_ALLOC. */
  allocEvents(depth: number): void {
    const ret = this.#depth > 0 ? errno.EEXIST : depth < 1 ? errno.EINVAL : 0;
    this.machine.emit(veventqAlloc, this.#queue, { depth, ret });
    if (ret === 0) this.#depth = depth;
  }

  /** IOMMU_HW_QUEUE_ALLOC. */
  allocHardware(index: number, address: number, length: number): void {
    this.#hardware.alloc(index, address, length, this.#type === 'TEGRA241_CMDQV');
  }

  /** IOMMU_DESTROY of a HW queue. */
  destroyHardware(index: number): void {
    this.#hardware.destroy(index);
  }

  /** What a guest does that leaves it: a store to a register of the SMMU that it sees, served by the VMM. */
  *#exits(vm: Vm, serve: () => void): Actions {
    const { vcpus } = vm;
    yield* vcpus.exit(0, 'DABT_LOW');
    yield* vcpus.toUser(0, 'MMIO');
    this.machine.as(this.#vmm, serve);
    yield* vcpus.enter(0);
  }

  /** The guest writes the stream table entry of a function and invalidates it (CFGI_STE): the VMM attaches the function to it. */
  *setStream(vm: Vm, fn: PciFunction, stream: number, config: string): Actions {
    yield* this.#exits(vm, () => {
      const { machine, fd } = this;
      const id = this.#ids.get(fn);
      const translates = config === 'translate';
      // arm_smmu_attach_prepare_vmaster: a stage 1 needs the ID for invalidations and events.
      const ret = id === undefined && translates ? errno.ENOENT : 0;
      const object = machine.world.object(guestStream, `${this.path}/stream/${hexText(stream)}`);
      machine.emit(guestSte, object, { device: fn.bdf, config, ret });
      if (ret !== 0) return;
      if (id === undefined) this.#reports.delete(fn.requester);
      else this.#reports.set(fn.requester, { fn, stream: id });
      fd.translate(fn, translates);
    });
  }

  /** The guest writes commands into a queue: one of the hardware if it has one that takes them, else the one that exits. */
  *invalidate(vm: Vm, command: GuestCommand, stream: number | undefined, times: number): Actions {
    const named = stream === undefined ? undefined : this.#named(stream);
    const of = OF_STREAM.has(command) && stream !== undefined ? { stream } : {};
    const device = named === undefined || stream === undefined ? {} : { device: named.bdf };
    const known = !OF_STREAM.has(command) || named !== undefined;
    const queue = this.#hardware.first;
    if (IN_HARDWARE.has(command) && queue !== undefined) {
      for (let i = 0; i < times; i++) {
        yield COMMAND;
        const error = known ? {} : { error: 'no virtual device of this StreamID' };
        this.machine.as(this.fd.smmu.actor, () =>
          this.machine.emit(hwQueueCommand, queue, { command, ...of, ...device, ...error }),
        );
        if (!known) return;
      }
      return;
    }
    yield* this.#exits(vm, () => {
      for (let i = 0; i < times; i++) {
        this.machine.emit(viommuInvalidate, this.object, { command, ...of, ...device, ret: known ? 0 : errno.EIO });
        // The rest of the array is not looked at.
        if (!known) return;
      }
    });
  }

  /** iommufd_viommu_report_event: true when the queue took the event, or noted that it is lost. */
  #report(requester: number, name: string): boolean {
    const to = this.#reports.get(requester);
    if (to === undefined || this.#depth === 0) return false;
    const { stream } = to;
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) % SEQUENCES;
    const full = this.#waiting.filter(({ event }) => event !== undefined).length >= this.#depth;
    const last = this.#waiting.at(-1);
    // A note at the end says less than what follows it: the gap in the numbers remains.
    if (last !== undefined && last.event === undefined) this.#waiting.pop();
    this.#waiting.push({ sequence, event: full ? undefined : { stream, name } });
    this.machine.emit(veventqReport, this.#queue, { sequence, stream, device: to.fn.bdf, event: name, full });
    if (!this.#reading) {
      this.#reading = true;
      // A planted fault: the thread that reads it is held up.
      const late = this.machine.tamper?.strikes('F7E', undefined) ? HELD_UP : 0;
      this.machine.spawn(this.#vmm, this.#read(), MAIN_LOOP + late);
    }
    return true;
  }

  /** The VMM reads what waits, and hands events to the guest. */
  *#read(): Actions {
    this.#reading = false;
    for (let record = this.#waiting.shift(); record !== undefined; record = this.#waiting.shift()) {
      const { sequence, event } = record;
      const told = event === undefined ? {} : { stream: event.stream, event: event.name };
      this.machine.emit(veventqRead, this.#queue, { sequence, lost: event === undefined, ...told });
      if (event === undefined) continue;
      yield 200;
      this.machine.emit(guestEvent, this.object, { stream: event.stream, event: event.name });
    }
  }
}

/** The virtual IOMMU of a host with iommufd. */
export const viommus: Service<Viommu> = service<Viommu>('virtual IOMMU');
