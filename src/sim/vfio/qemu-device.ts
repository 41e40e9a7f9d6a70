import { vfioFire, vfioPba, vfioRoute, vfioUse } from '../../model/events/vfio.ts';
import { effectivelyMasked } from '../../model/masking.ts';
import { VFIO_INDEX } from '../../model/vfio-index.ts';
import { messageOf } from '../device/msix-rules.ts';
import type { PciFunction } from '../device/pci-function.ts';
import type { Vm } from '../kvm/vm.ts';
import type { Actions, Machine } from '../machine.ts';
import type { Eventfd } from './eventfd.ts';
import type { Eventfds } from './eventfds.ts';
import { ACTION, DATA } from './set-irqs.ts';
import type { VfioDevice } from './vfio-device.ts';

const TRIGGER_FDS = DATA.eventfd | ACTION.trigger;

/** What QEMU holds for a vector. */
interface Vector {
  /** The eventfd that QEMU reads itself. */
  readonly own: Eventfd;
  /** The eventfd of the irqfd, with its GSI, once the vector was used. */
  bypass: { readonly eventfd: Eventfd; readonly gsi: number } | undefined;
  /** The guest has it unmasked. */
  used: boolean;
}

/**
 * QEMU's side of an assigned device (hw/vfio/pci.c): the table that the guest sees is emulated here and never reaches
 * the device. What the guest does to it becomes use and release of vectors, and those become VFIO_DEVICE_SET_IRQS.
 */
export class QemuDevice {
  readonly machine: Machine;
  readonly vm: Vm;
  /** The function as the guest sees it. */
  readonly fn: PciFunction;
  readonly device: VfioDevice;
  readonly #fds: Eventfds;
  readonly #vectors = new Map<number, Vector>();
  readonly #pending = new Set<number>();
  readonly #work: (() => Actions)[] = [];
  #busy = false;
  #on = false;
  /** Highest vector ever used in this session, plus one: what an index that cannot grow has to be enabled with. */
  #count = 0;

  constructor(vm: Vm, fn: PciFunction, device: VfioDevice, fds: Eventfds) {
    this.machine = vm.machine;
    this.vm = vm;
    this.fn = fn;
    this.device = device;
    this.#fds = fds;
    fn.onEntry = (index) => this.#changed(index);
    vm.onRemap.push(() => {
      for (const [i, { bypass }] of this.#vectors) if (bypass) vm.updateRoute(bypass.gsi, fn, i);
    });
  }

  /** The table or Message Control changed: what follows is done in order, before the virtual CPU goes on. */
  #changed(index: number): void {
    const { machine, fn } = this;
    if (index < 0 && (fn.enabled === true) !== this.#on) {
      this.#on = fn.enabled === true;
      this.#work.push(this.#on ? () => this.#enable() : () => this.#disable());
    }
    if (this.#on) {
      const all = index >= 0 ? [index] : Array.from({ length: Math.max(fn.size, 0) }, (_, i) => i);
      for (const i of all) {
        const masked = effectivelyMasked(machine.state, fn.entry(i));
        const vector = this.#vectors.get(i);
        const used = vector?.used ?? false;
        if (masked === false && !used) {
          this.#vector(i).used = true;
          this.#work.push(() => this.#use(i));
        } else if (masked !== false && used && vector) {
          vector.used = false;
          this.#work.push(() => this.#release(i));
        }
      }
    }
    if (this.#work.length > 0) machine.spawn(this.vm.vmm, this.settle());
  }

  /** Does what is to be done; returns when nothing is left. */
  *settle(): Actions {
    while (this.#busy || this.#work.length > 0) {
      if (this.#busy) {
        yield 100;
        continue;
      }
      this.#busy = true;
      const next = this.#work.shift();
      if (next) yield* this.machine.within(this.vm.vmm, next());
      this.#busy = false;
    }
  }

  #vector(i: number): Vector {
    let vector = this.#vectors.get(i);
    if (vector === undefined) {
      const own = this.#fds.make();
      own.listen((cause) => this.#interrupt(i, cause));
      vector = { own, bypass: undefined, used: false };
      this.#vectors.set(i, vector);
    }
    return vector;
  }

  /** Puts the device into MSI-X mode while no vector is used yet: vector 0 without an eventfd. */
  *#enable(): Actions {
    yield* this.#set(0, [-1]);
    this.#count = 1;
  }

  *#disable(): Actions {
    for (const [i, vector] of this.#vectors) {
      if (vector.used) this.#tellUse(i, false);
      vector.used = false;
      if (vector.bypass) {
        this.vm.deassign(vector.bypass.gsi);
        this.vm.irqfds.release(vector.bypass.gsi);
      }
      vector.bypass = undefined;
      this.machine.emit(vfioRoute, this.#object(i), {});
    }
    yield* this.#off();
    if (this.#pending.size > 0) this.#trap(false);
    this.#pending.clear();
    this.#count = 0;
  }

  *#off(): Actions<number> {
    return yield* this.device.setIrqs({
      flags: DATA.none | ACTION.trigger,
      index: VFIO_INDEX.msix,
      start: 0,
      count: 0,
    });
  }

  *#set(start: number, fds: readonly (Eventfd | number)[]): Actions<number> {
    return yield* this.device.setIrqs({ flags: TRIGGER_FDS, index: VFIO_INDEX.msix, start, count: fds.length, fds });
  }

  #object(i: number): number {
    return this.device.vector(VFIO_INDEX.msix, i);
  }

  #tellUse(i: number, used: boolean): void {
    this.machine.emit(vfioUse, this.#object(i), { used });
  }

  /** vfio_msix_vector_do_use: route, irqfd, and the eventfd that KVM injects. */
  *#use(i: number): Actions {
    const { machine, vm, fn } = this;
    const vector = this.#vector(i);
    this.#tellUse(i, true);
    if (vector.bypass === undefined) {
      vector.bypass = { eventfd: this.#fds.make(), gsi: vm.nextGsi() };
      machine.emit(vfioRoute, this.#object(i), { virq: vector.bypass.gsi });
      vm.setRoute(vector.bypass.gsi, fn, i);
      vm.assignIrqfd(vector.bypass.gsi, vector.bypass.eventfd);
    } else vm.setRoute(vector.bypass.gsi, fn, i);
    const grows = i >= this.#count;
    this.#count = Math.max(this.#count, i + 1);
    // A planted fault: it takes an index that can grow for one that cannot.
    const rigid = this.device.noresize || (grows && machine.tamper?.spoils('F41', this.device.object));
    if (grows && rigid) yield* this.#again();
    else yield* this.#set(i, [vector.bypass.eventfd]);
    if (this.#pending.delete(i) && this.#pending.size === 0) this.#trap(false);
  }

  /** The index cannot grow: all vectors are torn down and enabled again (F41). A positive answer says how many would do. */
  *#again(): Actions {
    yield* this.#off();
    let ret = yield* this.#set(0, this.#signals(this.#count));
    // A planted fault: it does not look at the answer and asks for as many again.
    if (ret > 0 && this.machine.tamper?.strikes('F42', this.device.object))
      ret = yield* this.#set(0, this.#signals(this.#count));
    if (ret > 0) yield* this.#set(0, this.#signals(ret));
  }

  #signals(count: number): (Eventfd | number)[] {
    return Array.from({ length: count }, (_, i) => {
      const vector = this.#vectors.get(i);
      return vector === undefined ? -1 : vector.used && vector.bypass ? vector.bypass.eventfd : vector.own;
    });
  }

  /** The guest masked the vector: KVM's part stays, VFIO signals the eventfd that QEMU reads. */
  *#release(i: number): Actions {
    const vector = this.#vector(i);
    this.#tellUse(i, false);
    if (vector.bypass) yield* this.#set(i, [vector.own]);
  }

  #trap(trapped: boolean): void {
    this.machine.emit(vfioPba, this.device.object, { trapped });
  }

  /** vfio_msi_interrupt: the eventfd that QEMU reads was signalled. A masked vector keeps it in the pending bits that QEMU now traps. */
  #interrupt(i: number, cause: number): void {
    const { machine, fn, vm } = this;
    machine.after(READ, vm.vmm, () => {
      if (effectivelyMasked(machine.state, fn.entry(i)) === true) {
        // A planted fault: QEMU goes on to leave reads of the pending bits to the device.
        if (this.#pending.size === 0 && !machine.tamper?.spoils('F45', this.#object(i))) this.#trap(true);
        this.#pending.add(i);
      }
      const message = messageOf(machine.state, fn.entry(i));
      if (message) machine.emit(vfioFire, this.#object(i), message);
      fn.raise(i, cause);
    });
  }
}

/** Nanoseconds until QEMU's main loop reads an eventfd. */
const READ = 2000;
