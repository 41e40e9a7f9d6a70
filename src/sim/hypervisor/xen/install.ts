import { domCreate } from '../../../model/events/domain.ts';
import type { Host } from '../../irq/host.ts';
import type { Vm } from '../../kvm/vm.ts';
import type { Actions, Machine } from '../../machine.ts';
import { type Service, type Setup, service } from '../../setup.ts';
import type { Assignment } from '../hypervisor.ts';
import type { MessagePlace } from '../message-places.ts';
import { DirectPath, type StorePath } from '../store-domain.ts';
import { XenMsiDomain } from './pirq-domain.ts';
import { Pirqs } from './pirqs.ts';

/** Xen with its PIRQs. */
export const pirqs: Service<Pirqs> = service<Pirqs>('Xen');

/** How an HVM guest stores: each store goes to the device model, which keeps it until MSI-X is on. Its kernel never masks entries (MSI_FLAG_NO_MASK). */
class DeviceModelPath implements StorePath {
  readonly place: MessagePlace;
  readonly #vm: Vm;
  readonly #machine: Machine;

  constructor(machine: Machine, vm: Vm, place: MessagePlace) {
    this.#machine = machine;
    this.#vm = vm;
    this.place = place;
  }

  *store(index: number, message: { readonly address: number; readonly data: number }, virq: number): Actions {
    const { vcpus, vmm } = this.#vm;
    const n = vcpus.current;
    const io = this.place.kind === 'config';
    for (const store of this.place.stores(index, message, virq)) {
      yield* vcpus.exit(n, io ? 'IO_INSTRUCTION' : 'EPT_VIOLATION');
      yield* vcpus.toUser(n, io ? 'KVM_EXIT_IO' : 'KVM_EXIT_MMIO');
      this.#machine.as(vmm, store);
      yield* vcpus.enter(n);
    }
  }

  *mask(): Actions {}
}

/** One user of interrupts on Xen. */
export interface XenConsumer {
  readonly domain: XenMsiDomain;
  readonly path: StorePath;
  /** The device model has Xen map what the guest asked for (xen_pt_msix_update, when MSI-X is on); nothing to do for dom0. */
  readonly map: () => Actions;
}

/** Puts Xen, and the MSI domain of a kernel on it, together. */
export class XenBuilder {
  readonly #machine: Machine;
  readonly #pirqs: Pirqs;
  readonly #pv: boolean;
  readonly #domains = new Map<Vm, XenMsiDomain>();

  constructor(setup: Setup, host: Host) {
    this.#machine = setup.machine;
    this.#pirqs = setup.provide(pirqs, new Pirqs(setup.machine, host));
    this.#pv = setup.design.guestParent === 'xenPv';
  }

  /** Whether the kernel sees a function that is emulated. */
  get emulated(): boolean {
    return !this.#pv;
  }

  #domain(vm: Vm): XenMsiDomain {
    let made = this.#domains.get(vm);
    if (made === undefined) {
      made = new XenMsiDomain(this.#pirqs, vm, this.#pv);
      this.#domains.set(vm, made);
      const { object } = made;
      this.#machine.as(vm.vcpus.guest(0), () => this.#machine.emit(domCreate, object, { ret: 0 }));
    }
    return made;
  }

  /** `view`: the storage as the kernel sees it; `hardware`: where Xen stores. */
  consumer(assignment: Assignment, view: MessagePlace, hardware: MessagePlace): XenConsumer {
    const { vm, first, count } = assignment;
    const domain = this.#domain(vm);
    const path = this.#pv ? new DirectPath(hardware) : new DeviceModelPath(this.#machine, vm, view);
    domain.serve(assignment, hardware, path);
    const xen = this.#pirqs;
    const pv = this.#pv;
    const { machine } = xen;
    function* map(): Actions {
      if (pv) return;
      for (let i = first; i < first + count; i++) {
        const message = view.message(i);
        const pirq = message === undefined || message.address === 0 ? -1 : xen.requested(message);
        if (pirq > 0) yield* machine.within(xen.actor, xen.map(assignment, hardware, i, pirq));
      }
    }
    return { domain, path, map };
  }
}
