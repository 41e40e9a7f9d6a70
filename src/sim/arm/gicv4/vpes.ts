import type { ObjectId } from '../../../base/ids.ts';
import { gicAck, gicEoi } from '../../../model/events/apic.ts';
import { itsVmapp, itsVmapti, itsVmovi, itsVmovp, vpeResident } from '../../../model/events/arm/gicv4.ts';
import { gicPend } from '../../../model/events/cpu.ts';
import { itsCommand } from '../../../model/events/its.ts';
import { merged } from '../../../model/events/outcome.ts';
import { FIRST_LPI } from '../../../model/registers/its.ts';
import { itsEvent, itsVpe } from '../../../model/things/remap.ts';
import { vcpuVector } from '../../../model/things/virt.ts';
import { drop } from '../../drop.ts';
import type { Vm } from '../../kvm/vm.ts';
import type { Actions, Machine } from '../../machine.ts';
import type { Gic } from '../gic.ts';
import type { Its } from '../its.ts';
import type { CommandError, VirtualCommand } from '../its-command.ts';
import type { VirtualSide } from '../its-parts.ts';
import { type Gicv4, NO_DOORBELL, PENDING_BITS, type Vpe, VpeMaps } from './vpe-maps.ts';

/** Nanoseconds from the pending bit to the acknowledge in the guest, that a handler of the guest takes, and that KVM takes to wake a virtual CPU. */
const DISPATCH = 400;
const SERVE = 1200;
const WAKE = 400;
/**
 * vPEs of the ITSs with GICv4 or 4.1, and KVM's part (arch/arm64/kvm/vgic/vgic-v4.c, irq-gic-v4.c): virtual LPIs reach a
 * resident vPE without the host; for one that sleeps the doorbell LPI wakes KVM. Without GICv4 the host injects them.
 */
export class Vpes implements VirtualSide {
  readonly machine: Machine;
  readonly version: Gicv4;
  /** What each ITS knows of them. */
  readonly maps: VpeMaps;
  readonly #gic: Gic;
  readonly #all = new Map<number, Vpe>();
  /** Redistributors to which an ITS still sends interrupts of a vPE, by what the ITS knows of it: VMOVP without a VSYNC behind it. */
  readonly #left = new Map<ObjectId, number>();

  constructor(its: readonly Its[], gic: Gic, machines: Iterable<Vm>, version: Gicv4, firstDoorbell: number) {
    this.machine = gic.machine;
    this.version = version;
    this.maps = new VpeMaps(its, gic, version, ({ vm }) => [...this.#all.values()].filter((one) => one.vm === vm));
    this.#gic = gic;
    for (const vm of machines)
      for (let n = 0; n < vm.vcpus.count; n++) {
        const vcpu = vm.vcpus.first + n;
        this.#all.set(vcpu, {
          id: vcpu,
          vm,
          vcpu,
          n,
          doorbell: firstDoorbell + vcpu,
          run: 'running',
          cpu: vm.vcpus.kvm(n).cpu,
          pending: new Map(),
          busy: false,
        });
      }
  }

  /** The vPE of a virtual CPU (`vcpu/<n>`); KVM gives both the same number. */
  of(vcpu: number): Vpe | undefined {
    return this.#all.get(vcpu);
  }

  /** The vPE whose doorbell an LPI is. */
  rungBy(lpi: number): Vpe | undefined {
    return [...this.#all.values()].find((one) => one.doorbell === lpi);
  }

  /** Object of a virtual LPI at its virtual CPU. */
  vlpi(one: Vpe, intid: number): ObjectId {
    return this.machine.world.child(vcpuVector, one.vm.vcpus.object(one.n), 'intid', intid);
  }

  execute(number: number, order: VirtualCommand): CommandError | undefined {
    const { machine } = this;
    const its = this.maps.its[number]!;
    const { state } = machine;
    const one = this.#all.get(order.vpe);
    if (one === undefined) return [0, 'vPEID out of range'];
    const vpe = this.maps.object(one, its);
    if (order.op === 'VMAPP') {
      if (order.valid && !this.#gic.cpus.exists(order.target)) return [0, 'no such redistributor'];
      const { target, valid, defaultDoorbell } = order;
      this.#left.delete(vpe);
      machine.emit(itsVmapp, vpe, {
        target,
        valid,
        pending: order.pendingAddress,
        ...(this.version === 'v4.1' ? { doorbell: defaultDoorbell } : {}),
      });
      return undefined;
    }
    if (order.op === 'INVDB' && this.version !== 'v4.1') return [0, 'only GICv4.1 has this command'];
    // The driver puts one behind the VMAPP that unmaps a vPE too.
    if (!this.maps.mapped(one, its) && order.op !== 'VSYNC') return [0, 'vPE not mapped'];
    switch (order.op) {
      case 'VMAPTI':
      case 'VMAPI': {
        const object = its.mappable(order.device, order.event);
        if (typeof object !== 'number') return [0, object[1]];
        const vlpi = order.op === 'VMAPTI' ? order.vlpi : order.event;
        if (vlpi < FIRST_LPI || vlpi >= 2 ** (PENDING_BITS + 1)) return [0, 'vINTID is no LPI'];
        its.forget(object);
        machine.emit(itsVmapti, object, { vpe: one.id, vlpi, doorbell: order.doorbell });
        return undefined;
      }
      case 'VMOVI': {
        const object = its.mappable(order.device, order.event);
        if (typeof object !== 'number') return [0, object[1]];
        const [from, vlpi] = [state.num(object, itsEvent.at.vpe), state.num(object, itsEvent.at.vlpi)];
        if (from < 0) return [0, 'the EventID is not mapped to a virtual LPI'];
        machine.emit(itsVmovi, object, { vpe: one.id, ...(order.doorbellValid ? { doorbell: order.doorbell } : {}) });
        this.#move(its, from, one, vlpi, object);
        return undefined;
      }
      case 'VMOVP':
        if (!this.#gic.cpus.exists(order.target)) return [0, 'no such redistributor'];
        // Without a list the one that gets the command tells the others.
        for (const at of this.maps.listed ? [its] : this.maps.having(one)) {
          const moved = this.maps.object(one, at);
          if (!this.#left.has(moved)) this.#left.set(moved, state.num(moved, itsVpe.at.target));
          const listed = this.maps.listed ? { sequence: order.sequence, list: order.itsList } : {};
          machine.emit(itsVmovp, moved, { target: order.target, ...listed });
        }
        return undefined;
      case 'INVDB':
      case 'VINVALL':
      case 'VSYNC':
        machine.emit(itsCommand, its.object, { name: order.op, text: `vPE ${one.id}` });
        if (order.op === 'INVDB') this.#gic.load(one.doorbell);
        if (order.op === 'VSYNC')
          for (const at of this.maps.listed ? [its] : this.maps.its) this.#left.delete(this.maps.object(one, at));
        return undefined;
    }
  }

  /** VMOVI moves the pending state too. */
  #move(its: Its, from: number, to: Vpe, vlpi: number, event: ObjectId): void {
    const before = this.#all.get(from);
    const cause = before?.pending.get(vlpi);
    if (before === undefined || before === to || cause === undefined) return;
    before.pending.delete(vlpi);
    this.machine.emit(gicPend, this.vlpi(before, vlpi), { pending: false });
    this.deliver(its.number, event, cause);
  }

  clear(vpe: number, vlpi: number, why: string): void {
    const one = this.#all.get(vpe);
    const cause = one?.pending.get(vlpi);
    if (one === undefined || cause === undefined) return;
    one.pending.delete(vlpi);
    this.machine.emit(gicPend, this.vlpi(one, vlpi), { pending: false });
    drop(this.machine, this.vlpi(one, vlpi), why, cause);
  }

  deliver(at: number, event: ObjectId, cause: number): string | undefined {
    const { state } = this.machine;
    const its = this.maps.its[at]!;
    const number = state.num(event, itsEvent.at.vpe);
    const one = this.#all.get(number);
    if (one === undefined || !this.maps.mapped(one, its)) return `vPE ${number} is not mapped (no VMAPP)`;
    const [vlpi, own] = [state.num(event, itsEvent.at.vlpi), state.num(event, itsEvent.at.vdoorbell)];
    const vpe = this.maps.object(one, its);
    const target = this.#left.get(vpe) ?? state.num(vpe, itsVpe.at.target);
    this.machine.as(this.#gic.cpus.actor(target), () => {
      this.#pend(one, vlpi, cause);
      const here = one.run === 'running' && one.cpu === target;
      if (here) this.#dispatch(one, false);
      else this.#ring(vpe, own, target);
    });
    return undefined;
  }

  /** The doorbell for an interrupt of a vPE that is not resident. */
  #ring(vpe: ObjectId, own: number, target: number): void {
    const { state } = this.machine;
    if (this.version === 'v4.0' && own !== NO_DOORBELL) this.#gic.accept(target, own, 0);
    if (this.version === 'v4.1' && state.flag(vpe, itsVpe.at.armed) === true)
      this.#gic.accept(target, state.num(vpe, itsVpe.at.doorbell), 0);
  }

  #pend(one: Vpe, vlpi: number, cause: number): void {
    const { machine } = this;
    const object = this.vlpi(one, vlpi);
    const before = one.pending.get(vlpi);
    machine.emit(gicPend, object, { pending: true, ...(cause === 0 ? {} : { cause }) });
    if (before !== undefined) {
      if (cause !== 0) machine.emit(merged, object, { cause, ...(before === 0 ? {} : { into: before }) });
      machine.ledger.note(cause, 'merged', machine.now);
      return;
    }
    one.pending.set(vlpi, cause);
    machine.ledger.note(cause, 'pending', machine.now);
  }

  /** Without GICv4: KVM makes the interrupt pend in its own GIC, and kicks or wakes the virtual CPU. */
  inject(one: Vpe, vlpi: number, cause: number): void {
    this.machine.as({ ...one.vm.vcpus.kvm(one.n), name: `vm${one.vm.id}.vgic` }, () => {
      this.#pend(one, vlpi, cause);
      if (one.run === 'running') this.#dispatch(one, true);
      else if (one.run === 'blocked') this.#wake(one);
    });
  }

  #wake(one: Vpe): void {
    this.machine.spawn(one.vm.vcpus.kvm(one.n), this.schedule(one, one.cpu), WAKE);
  }

  /** The virtual CPU takes what pends; `kick`: it has to leave the guest first, so that KVM can hand it over (list registers). */
  #dispatch(one: Vpe, kick: boolean): void {
    if (one.busy || one.pending.size === 0) return;
    one.busy = true;
    const { vcpus } = one.vm;
    this.machine.spawn(kick ? vcpus.kvm(one.n) : vcpus.guest(one.n), this.#take(one, kick), DISPATCH);
  }

  *#take(one: Vpe, kick: boolean): Actions {
    const { machine } = this;
    const { vcpus } = one.vm;
    if (kick && one.run === 'running') {
      yield* vcpus.exit(one.n, 'IRQ');
      yield* vcpus.enter(one.n);
    }
    while (one.run === 'running' && one.pending.size > 0) {
      const vlpi = Math.min(...one.pending.keys());
      const cause = one.pending.get(vlpi)!;
      one.pending.delete(vlpi);
      const object = this.vlpi(one, vlpi);
      const guest = vcpus.guest(one.n);
      machine.as(guest, () => machine.emit(gicAck, object, {}));
      machine.ledger.take(cause, machine.now, vcpus.key(one.n));
      yield SERVE;
      machine.ledger.leave(vcpus.key(one.n));
      machine.as(guest, () => machine.emit(gicEoi, object, {}));
    }
    one.busy = false;
  }

  /** vgic_v4_load: VMOVP to the redistributor of the CPU, the vPE becomes resident there, the guest is entered. */
  *schedule(one: Vpe, cpu: number): Actions {
    const { machine } = this;
    if (one.run === 'running') {
      if (one.cpu === cpu) return;
      yield* this.deschedule(one, false);
    }
    const { vcpus } = one.vm;
    const at = this.maps.having(one);
    const moves = at.some((its) => machine.state.num(this.maps.object(one, its), itsVpe.at.target) !== cpu);
    vcpus.place(one.n, cpu);
    one.cpu = cpu;
    machine.as(vcpus.kvm(one.n), () => {
      if (moves) this.maps.move(one, cpu);
      for (const its of at) machine.emit(vpeResident, this.maps.object(one, its), { cpu, resident: true });
    });
    one.run = 'running';
    yield* vcpus.enter(one.n);
    this.#dispatch(one, false);
  }

  /** vgic_v4_put: the vPE leaves its redistributor. One that waits for interrupts wants its doorbell, or runs on when something pends already. */
  *deschedule(one: Vpe, waits: boolean): Actions {
    const { machine } = this;
    if (one.run !== 'running') return;
    const { vcpus } = one.vm;
    yield* vcpus.exit(one.n, waits ? 'WFx' : 'IRQ');
    one.run = waits ? 'blocked' : 'preempted';
    const pendingLast = one.pending.size > 0;
    machine.as(vcpus.kvm(one.n), () => {
      const at = this.maps.having(one);
      if (at.length === 0) return;
      // A planted fault: KVM does not want the doorbell of a virtual CPU that waits.
      const deaf = waits && !pendingLast && machine.tamper?.spoils('R30', vcpus.object(one.n)) === true;
      const late = this.version === 'v4.1' ? { doorbell: waits && !deaf } : {};
      for (const its of at)
        machine.emit(vpeResident, this.maps.object(one, its), { cpu: one.cpu, resident: false, pendingLast, ...late });
      if (this.version === 'v4.0' && waits && !deaf) this.#doorbell(one, true);
    });
    if (waits && pendingLast) yield* this.schedule(one, one.cpu);
  }

  /** GICv4.0: the doorbell is an LPI that KVM enables while the virtual CPU waits. */
  #doorbell(one: Vpe, enabled: boolean): void {
    this.#gic.configure(one.doorbell, enabled);
    this.#gic.load(one.doorbell);
  }

  /** The handler of a doorbell (vgic_v4_doorbell_handler): KVM wakes the virtual CPU. */
  *rung(one: Vpe): Actions {
    if (this.version === 'v4.0') this.#doorbell(one, false);
    yield WAKE;
    if (one.run === 'blocked') this.#wake(one);
  }
}
