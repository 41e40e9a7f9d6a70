import type { ObjectId } from '../../base/ids.ts';
import { deliveryOf } from '../../model/apic/local-apics.ts';
import { piUpdate } from '../../model/events/virt.ts';
import { isInterruptAddress } from '../../model/registers/x86.ts';
import { host } from '../irq/host.ts';
import type { IrqCore } from '../irq/irq-core.ts';
import type { RouteMessage } from '../kvm/irqfds.ts';
import { type Vm, vms } from '../kvm/vm.ts';
import type { Setup } from '../setup.ts';
import { assignedDevices } from '../vfio/assigned-devices.ts';
import type { Eventfd } from '../vfio/eventfd.ts';
import { type PostedInterrupts, postedInterrupts } from './posted-interrupts.ts';
import { type RemapDomain, remapDomain } from './remap-domain.ts';

/** Where a message goes. */
interface Target {
  readonly vcpu: number;
  readonly vector: number;
}

/** What a posted irqfd stands for now. */
interface Posted extends Target {
  readonly irq: number;
  readonly descriptor: number;
}

/**
 * irqbypass (virt/lib/irqbypass.c, arch/x86/kvm/irq.c): where the eventfd that VFIO signals for a host irq is the one of an irqfd, KVM lets the
 * table entry of that irq post to the virtual CPU and vector of the route that the irqfd holds.
 */
class IrqBypass {
  readonly #posted: PostedInterrupts;
  readonly #domain: RemapDomain;
  readonly #core: IrqCore;
  /** Host irqs by the eventfd that VFIO signals for them. */
  readonly #producers = new Map<Eventfd, number>();
  /** By irqfd: the routing entry that it holds (irqfd_update), and what it posts. */
  readonly #entries = new Map<ObjectId, Target | undefined>();
  readonly #active = new Map<ObjectId, Posted>();

  constructor(posted: PostedInterrupts, domain: RemapDomain, core: IrqCore) {
    this.#posted = posted;
    this.#domain = domain;
    this.#core = core;
  }

  /** VFIO signals an eventfd for a host irq, or (undefined) no longer. */
  produce(all: Iterable<Vm>, eventfd: Eventfd, irq: number | undefined): void {
    if (irq === undefined) this.#producers.delete(eventfd);
    else this.#producers.set(eventfd, irq);
    for (const vm of all) {
      const gsi = vm.irqfds.gsiOf(eventfd);
      if (gsi !== undefined) this.connect(vm, gsi);
    }
  }

  /** The route of a GSI changed. A planted fault: the irqfd keeps the entry that it had. */
  route(vm: Vm, gsi: number): void {
    const irqfd = vm.irqfds.irqfd(gsi);
    const [before, now] = [this.#entries.get(irqfd), targetOf(vm, vm.irqfds.message(gsi))];
    const changes = before !== undefined && now !== undefined && before.vector !== now.vector;
    if (!changes || !vm.machine.tamper?.spoils('F58', irqfd)) this.#entries.set(irqfd, now);
    this.connect(vm, gsi);
  }

  /** kvm_pi_update_irte: posts where both sides are there, and the host takes the irq where one is not. */
  connect(vm: Vm, gsi: number): void {
    const { machine, irqfds } = vm;
    const irqfd = irqfds.irqfd(gsi);
    const eventfd = irqfds.eventfd(gsi);
    const irq = eventfd && this.#producers.get(eventfd);
    const target = this.#entries.get(irqfd);
    const was = this.#active.get(irqfd);
    const to = target && this.#posted.of(target.vcpu);
    machine.as({ layer: 'kvm', name: 'irqbypass', cpu: machine.actor.cpu }, () => {
      if (irq !== undefined && target && to) {
        if (was?.irq === irq && was.vcpu === target.vcpu && was.vector === target.vector) return;
        const held = this.#core.irq(irq);
        const descriptor = to.address;
        if (!held || this.#domain.setPosting(held, { descriptor, vector: target.vector }) < 0) return;
        this.#active.set(irqfd, { ...target, irq, descriptor });
        machine.emit(piUpdate, irqfd, { enable: true, hostIrq: irq, ...target, descriptor });
      } else if (was) {
        const { irq: hostIrq, ...from } = was;
        const held = this.#core.irq(hostIrq);
        if (held) this.#domain.setPosting(held, undefined);
        this.#active.delete(irqfd);
        machine.emit(piUpdate, irqfd, { enable: false, hostIrq, ...from });
      }
    });
  }
}

/** The virtual CPU and vector of a message; undefined for one that names no single virtual CPU, or takes another mode. */
function targetOf(vm: Vm, message: RouteMessage | undefined): Target | undefined {
  if (message === undefined) return undefined;
  const { address, data } = message;
  if (!isInterruptAddress(address)) return undefined;
  const to = deliveryOf(address, data);
  const n = vm.bus.single(to);
  return n === undefined ? undefined : { vcpu: vm.vcpus.first + n, vector: to.vector };
}

/** Connects VFIO and KVM where the design wants that and the unit can post. */
export function installIrqBypass(setup: Setup): void {
  const [posted, domain, at] = [setup.find(postedInterrupts), setup.find(remapDomain), setup.find(host)];
  const [all, devices] = [setup.find(vms), setup.find(assignedDevices)];
  if (!posted || !domain || !at || !all || !devices || setup.design.irqBypass !== 'posted') return;
  const bypass = new IrqBypass(posted, domain, at.core);
  for (const { device } of devices.values())
    device.onProducer = (eventfd, irq) => bypass.produce(all.values(), eventfd, irq);
  for (const vm of all.values()) {
    vm.irqfds.onRoute = (gsi) => bypass.route(vm, gsi);
    vm.irqfds.onConsumer = (gsi) => bypass.connect(vm, gsi);
  }
}
