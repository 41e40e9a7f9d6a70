import { queueState } from '../../model/events/queue.ts';
import { vfioGuest } from '../../model/events/vfio.ts';
import { queue as queueType } from '../../model/things/ims.ts';
import { device as deviceType } from '../../model/things/pci.ts';
import { announce } from '../device/announce.ts';
import { idxdRegions } from '../device/idxd-regions.ts';
import { msiMaskable } from '../device/msi-messages.ts';
import { PciFunction } from '../device/pci-function.ts';
import { type Host, host } from '../irq/host.ts';
import { type ImsFunction, imsFunctions } from '../irq/ims-domain.ts';
import { msiVectors } from '../irq/msi-domain.ts';
import { driveGuest } from '../kvm/guest-driver.ts';
import { enableGuestMsi } from '../kvm/guest-msi.ts';
import { type Vm, vms } from '../kvm/vm.ts';
import { type Actions, type Actor, type Machine, NOBODY } from '../machine.ts';
import { nanoseconds, type VfioDeviceSpec } from '../scenario-schema.ts';
import { type Service, type Setup, service } from '../setup.ts';
import { AbsentBackend } from './absent-backend.ts';
import type { VfioBackend } from './backend.ts';
import { EmulatedBackend } from './emulated-backend.ts';
import { type Eventfds, eventfdsOf } from './eventfds.ts';
import { ImsBackend } from './ims-backend.ts';
import { MemoryBracket } from './memory-bracket.ts';
import { MsiBackend } from './msi-backend.ts';
import { PciBackend } from './pci-backend.ts';
import { PhysicalIntx } from './physical-intx.ts';
import { QemuDevice } from './qemu-device.ts';
import { QemuGuestMsi } from './qemu-guest-msi.ts';
import { driveIntx } from './qemu-intx.ts';
import { Vdcm } from './vdcm.ts';
import { VfioDevice } from './vfio-device.ts';

/** A device that is assigned, with all that belongs to it. */
export interface AssignedDevice {
  readonly device: VfioDevice;
  readonly backend: VfioBackend;
  /** The function of the host whose interrupts serve it; none where they are emulated. */
  readonly parent: PciFunction | undefined;
  /** QEMU and the function as the guest sees it, when there is a virtual machine. */
  readonly user: QemuDevice | undefined;
  /** The driver of an IDXD device. */
  readonly vdcm: Vdcm | undefined;
}

/** Assigned devices by name. */
export const assignedDevices: Service<Map<string, AssignedDevice>> = service('assigned devices');

/** Where the structures of a guest's function lie when the scenario does not say. */
const TABLE = 0x2000;
const PENDING = 0x3000;
const SIZE = 0x10000;

/** Puts assigned devices together. */
class DeviceAssigner {
  readonly #setup: Setup;
  readonly #machine: Machine;
  readonly #host: Host;
  readonly #fds: Eventfds;
  readonly #brackets = new Map<PciFunction, MemoryBracket>();

  constructor(setup: Setup, of: Host) {
    this.#setup = setup;
    this.#machine = setup.machine;
    this.#host = of;
    this.#fds = eventfdsOf(setup);
  }

  assign(spec: VfioDeviceSpec): AssignedDevice {
    const setup = this.#setup;
    const parent = this.#host.functions.get(spec.parent ?? spec.name);
    const ims = parent && setup.find(imsFunctions)?.get(parent.bdf);
    const kind = spec.backend ?? setup.design.vfioBackend;
    const vm = spec.vm === undefined ? undefined : setup.find(vms)?.get(spec.vm);
    const guest = spec.guest === undefined ? undefined : this.#machine.world.object(deviceType, `device/${spec.guest}`);
    const made: { vdcm?: Vdcm } = {};
    const backend = this.#backend(spec, kind, parent, ims, (vector) =>
      made.vdcm ? made.vdcm.cookie(vector) : { pasid: spec.defaultPasid },
    );
    const msi = kind === 'pci' && parent ? this.#msi(spec, parent) : undefined;
    const device = new VfioDevice(this.#machine, {
      name: spec.name,
      irqs: [spec.intx ? 1 : 0, spec.msi ?? (msi ? msiVectors(parent!) : 0), spec.vectors, spec.express ? 1 : 0, 1],
      express: spec.express,
      provider: setup.design.vfioProvider,
      backend,
      ...(msi ? { msi } : {}),
      ...(kind === 'pci' && parent?.pin && spec.intx ? { wire: new PhysicalIntx(this.#host, parent, parent.pin) } : {}),
    });
    const { guest: seen } = spec;
    if (seen !== undefined)
      this.#machine.as(device.actor, () => this.#machine.emit(vfioGuest, device.object, { guest: seen }));
    if (spec.idxd && ims && backend instanceof ImsBackend)
      made.vdcm = this.#vdcm(spec, device, ims, backend, guest ?? ims.fn.object, vm);
    const user = vm && seen !== undefined ? this.#guest(spec, seen, vm, device, msi ? parent : undefined) : undefined;
    return { device, backend, parent, user, vdcm: made.vdcm };
  }

  #backend(
    spec: VfioDeviceSpec,
    kind: VfioBackend['kind'],
    parent: PciFunction | undefined,
    ims: ImsFunction | undefined,
    cookie: (vector: number) => { readonly pasid?: number | undefined },
  ): VfioBackend {
    if (kind === 'ims' && ims) {
      const keep = this.#setup.design.imsRelease === 'keep';
      return new ImsBackend(this.#host, ims, spec.name, keep, (v) => spec.emulated.includes(v), cookie);
    }
    if (kind === 'pci' && parent)
      return new PciBackend(
        this.#host,
        parent,
        !spec.noresize && this.#host.era.perDevice,
        spec.grant ?? Number.POSITIVE_INFINITY,
        this.#bracket(parent),
      );
    const object = this.#machine.world.object(deviceType, `device/${spec.guest ?? spec.name}`);
    return kind === 'emulated'
      ? new EmulatedBackend(this.#machine, object)
      : new AbsentBackend(this.#machine, kind, parent?.object ?? object, parent, spec.name);
  }

  /** The lock and the decode of memory that all indexes of a function share. */
  #bracket(fn: PciFunction): MemoryBracket {
    let bracket = this.#brackets.get(fn);
    if (bracket === undefined) this.#brackets.set(fn, (bracket = new MemoryBracket(fn)));
    return bracket;
  }

  #msi(spec: VfioDeviceSpec, fn: PciFunction): VfioBackend | undefined {
    if (msiVectors(fn) === 0) return undefined;
    return new MsiBackend(this.#host, fn, spec.grant ?? Number.POSITIVE_INFINITY, this.#bracket(fn));
  }

  #vdcm(
    spec: VfioDeviceSpec,
    device: VfioDevice,
    ims: ImsFunction,
    backend: ImsBackend,
    guest: number,
    vm: Vm | undefined,
  ): Vdcm {
    const machine = this.#machine;
    const { permissions, registers, queues, pasids } = spec.idxd!;
    const map = idxdRegions({
      permissions: Number(permissions),
      table: TABLE,
      pending: PENDING,
      vectors: spec.vectors,
      size: SIZE,
      extra: registers.map((r) => ({ ...r, offset: Number(r.offset) })),
    });
    const cpu: Actor = vm ? vm.vcpus.guest(0) : { layer: 'guest-driver', name: spec.name, cpu: -1 };
    function* exit(serve: () => Actions): Actions {
      const n = vm!.vcpus.current;
      yield* vm!.vcpus.ask(n, 'EPT_VIOLATION');
      yield* vm!.vcpus.toUser(n, 'KVM_EXIT_MMIO');
      yield* serve();
      yield* vm!.vcpus.enter(n);
    }
    const vdcm = new Vdcm(
      device,
      ims,
      {
        map,
        vectors: spec.vectors,
        defaultPasid: spec.defaultPasid,
        copy: this.#setup.design.pasidCopy,
        hole: this.#setup.design.sparseHole === 'hole',
        guest,
        cpu,
        exit: vm ? exit : undefined,
      },
      () => backend,
    );
    machine.as(device.actor, () => {
      vdcm.announce();
      for (const queue of queues) {
        const object = machine.world.child(queueType, ims.fn.object, 'queue', queue);
        machine.emit(queueState, object, { state: 'enabled', front: 'vfio', pasid: spec.defaultPasid });
      }
    });
    for (const [from, to] of pasids) machine.spawn(device.actor, vdcm.bindPasid(from!, to!));
    return vdcm;
  }

  /** The function as the guest sees it, emulated by QEMU, and the guest's driver. Without messages it uses INTx. */
  #guest(
    spec: VfioDeviceSpec,
    bdf: string,
    vm: Vm,
    device: VfioDevice,
    withMsi: PciFunction | undefined,
  ): QemuDevice | undefined {
    const machine = this.#machine;
    const fn = new PciFunction(machine, bdf, vm);
    vm.adopt(fn);
    const { vectors, guestMsi } = spec;
    const seen = guestMsi === undefined ? undefined : withMsi;
    const place = vm.functions.size;
    machine.as(vm.vmm, () =>
      announce(
        fn,
        {
          bdf,
          name: spec.name,
          vectors,
          bar: 0,
          barAddress: 0xd0000000 + vm.id * 0x1000000 + place * SIZE,
          barSize: SIZE,
          tableOffset: TABLE,
          pbaOffset: PENDING,
          flr: this.#setup.scenario.devices.some((one) => one.bdf === (spec.parent ?? spec.name) && one.flr),
          ...(seen ? { msi: true, msiVectors: msiVectors(seen), msiMask: msiMaskable(seen) } : {}),
        },
        vectors > 0 ? 0x406 : 0x6,
        vm.bars,
      ),
    );
    if (seen) {
      const qemu = new QemuGuestMsi(vm, fn, seen, device, this.#fds);
      settleWith(vm, () => qemu.settle());
      if (spec.driver === 'guest')
        machine.spawn(vm.vcpus.guest(0), enableGuestMsi(vm, fn, spec.name, guestMsi!), nanoseconds('20us'));
      return vectors > 0 ? this.#user(vm, fn, device) : undefined;
    }
    if (vectors === 0) {
      const driven = spec.driver === 'guest' && spec.intx;
      if (driven)
        machine.spawn(vm.vcpus.guest(0), driveIntx(vm, fn, device, this.#fds, spec.name), nanoseconds('20us'));
      return undefined;
    }
    const user = this.#user(vm, fn, device);
    if (spec.driver === 'guest')
      machine.spawn(
        vm.vcpus.guest(0),
        driveGuest(vm, fn, {
          name: spec.name,
          irqs: Math.min(spec.irqs ?? vectors, vectors),
          maskEach: spec.maskEach,
        }),
        nanoseconds('20us'),
      );
    return user;
  }

  #user(vm: Vm, fn: PciFunction, device: VfioDevice): QemuDevice {
    const user = new QemuDevice(vm, fn, device, this.#fds);
    settleWith(vm, () => user.settle());
    return user;
  }
}

/** Lets a virtual CPU wait for one more part of QEMU before it goes on behind an exit. */
function settleWith(vm: Vm, work: () => Actions): void {
  const before = vm.mmio.settle;
  vm.mmio.settle = function* () {
    if (before) yield* before();
    yield* work();
  };
}

/** Assigns the devices of the scenario. */
export function installVfio(setup: Setup): void {
  const part = setup.find(host);
  const specs = setup.scenario.vfio;
  if (part === undefined || specs.length === 0) return;
  const all = setup.provide(assignedDevices, new Map<string, AssignedDevice>());
  const assigner = new DeviceAssigner(setup, part);
  for (const spec of specs)
    all.set(
      spec.name,
      setup.machine.as(NOBODY, () => assigner.assign(spec)),
    );
}
