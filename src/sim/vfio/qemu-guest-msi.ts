import { vfioRoute, vfioUse } from '../../model/events/vfio.ts';
import { grantedVectors } from '../../model/masking.ts';
import { msiControl, msiData } from '../../model/registers/pci.ts';
import { msi } from '../../model/things/pci.ts';
import { VFIO_INDEX } from '../../model/vfio-index.ts';
import { MSI_MASK, msiMaskable, msiObject, msiOffset } from '../device/msi-messages.ts';
import type { PciFunction } from '../device/pci-function.ts';
import type { RouteMessage } from '../kvm/irqfds.ts';
import type { Vm } from '../kvm/vm.ts';
import type { Actions } from '../machine.ts';
import type { Eventfds } from './eventfds.ts';
import { ACTION, DATA } from './set-irqs.ts';
import type { VfioDevice } from './vfio-device.ts';

/**
 * QEMU's side of the MSI capability that a guest sees of an assigned function (hw/vfio/pci.c vfio_pci_write_config): MSI Enable becomes
 * VFIO_DEVICE_SET_IRQS of index MSI, each vector with an irqfd and a route of its own, made from address, data and the number in its low bits.
 * Writes of the mask bits go on to the function, of which VFIO keeps no copy.
 */
export class QemuGuestMsi {
  readonly #vm: Vm;
  /** The function as the guest sees it, and that of the host. */
  readonly #fn: PciFunction;
  readonly #hardware: PciFunction;
  readonly #device: VfioDevice;
  readonly #fds: Eventfds;
  readonly #work: (() => Actions)[] = [];
  #busy = false;
  #on = false;
  #message: RouteMessage | undefined;
  #masks = 0;
  /** GSI of each vector in use. */
  readonly #gsis: number[] = [];

  constructor(vm: Vm, fn: PciFunction, hardware: PciFunction, device: VfioDevice, fds: Eventfds) {
    this.#vm = vm;
    this.#fn = fn;
    this.#hardware = hardware;
    this.#device = device;
    this.#fds = fds;
    fn.afterConfig.push(() => this.#changed());
    vm.onRemap.push(() => this.#routeAll());
  }

  get #cap(): number {
    return msiObject(this.#fn);
  }

  /** Config space was written. */
  #changed(): void {
    const { state } = this.#vm.machine;
    const on = msiControl.f.enable.flag(state, this.#cap, msi.at.control) === true;
    const masks = state.get(this.#cap, msi.at.mask);
    if (msiMaskable(this.#hardware) && masks !== this.#masks) {
      this.#masks = masks;
      this.#work.push(() => this.#forward(masks));
    }
    if (on !== this.#on) {
      this.#on = on;
      this.#work.push(() => (on ? this.#enable() : this.#disable()));
    } else if (on && this.#moved()) this.#work.push(() => this.#update());
  }

  /** Whether address or data are others than those of the routes (vfio_update_msi). */
  #moved(): boolean {
    const now = this.#written();
    return this.#message?.address !== now.address || this.#message.data !== now.data;
  }

  #written(): RouteMessage {
    const { state } = this.#vm.machine;
    const { address, data } = msi.at;
    return {
      address: state.get(this.#cap, address) + state.get(this.#cap, address + 1) * 0x100000000,
      data: msiData.f.data.of(state.get(this.#cap, data)),
    };
  }

  /** Does what is to be done, before the virtual CPU goes on. */
  *settle(): Actions {
    while (this.#busy || this.#work.length > 0) {
      if (this.#busy) {
        yield 100;
        continue;
      }
      this.#busy = true;
      const next = this.#work.shift();
      if (next) yield* this.#vm.machine.within(this.#vm.vmm, next());
      this.#busy = false;
    }
  }

  *#forward(masks: number): Actions {
    yield CONFIG;
    this.#hardware.configWrite(msiOffset(this.#hardware) + MSI_MASK, 4, masks);
  }

  /** vfio_msi_enable: a route and an irqfd for each vector; where fewer are possible all is taken back and asked for again. */
  *#enable(): Actions {
    const { state } = this.#vm.machine;
    this.#message = this.#written();
    for (let wanted = Math.max(1, grantedVectors(state, this.#cap)); ; ) {
      const eventfds = Array.from({ length: wanted }, (_, vector) => this.#use(vector));
      const { msi: index } = VFIO_INDEX;
      const flags = DATA.eventfd | ACTION.trigger;
      const ret = yield* this.#device.setIrqs({ flags, index, start: 0, count: wanted, fds: eventfds });
      if (ret === 0) return;
      this.#release();
      if (ret < 0) return;
      wanted = ret;
    }
  }

  #object(vector: number): number {
    return this.#device.vector(VFIO_INDEX.msi, vector);
  }

  #use(vector: number): ReturnType<Eventfds['make']> {
    const vm = this.#vm;
    const eventfd = this.#fds.make();
    const gsi = vm.nextGsi();
    vm.machine.emit(vfioUse, this.#object(vector), { used: true });
    vm.machine.emit(vfioRoute, this.#object(vector), { virq: gsi });
    this.#gsis[vector] = gsi;
    this.#route(vector);
    vm.assignIrqfd(gsi, eventfd);
    return eventfd;
  }

  /** The message of a vector (msi_get_message), or what the unit of the guest makes of it. */
  #route(vector: number): void {
    const vm = this.#vm;
    const gsi = this.#gsis[vector];
    const written = this.#message;
    if (gsi === undefined || !written) return;
    const granted = Math.max(1, grantedVectors(vm.machine.state, this.#cap));
    const own = { address: written.address, data: written.data - (written.data % granted) + vector };
    const unit = vm.remapping?.unit;
    const message = unit ? (unit.lookUp({ ...own, requester: this.#fn.requester }) ?? own) : own;
    const now = vm.irqfds.message(gsi);
    if (now?.address !== message.address || now.data !== message.data) vm.setRoute(gsi, this.#fn, vector, message);
  }

  #routeAll(): void {
    for (const vector of this.#gsis.keys()) this.#route(vector);
  }

  *#update(): Actions {
    this.#message = this.#written();
    this.#routeAll();
  }

  /** vfio_msi_disable. */
  *#disable(): Actions {
    yield* this.#device.setIrqs({ flags: DATA.none | ACTION.trigger, index: VFIO_INDEX.msi, start: 0, count: 0 });
    this.#release();
  }

  #release(): void {
    for (const [vector, gsi] of this.#gsis.entries()) {
      this.#vm.machine.emit(vfioUse, this.#object(vector), { used: false });
      this.#vm.deassign(gsi);
      this.#vm.irqfds.release(gsi);
      this.#vm.machine.emit(vfioRoute, this.#object(vector), {});
    }
    this.#gsis.length = 0;
  }
}

/** Nanoseconds of a write of config space through VFIO. */
const CONFIG = 600;
