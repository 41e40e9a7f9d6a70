import type { ObjectId } from '../../../base/ids.ts';
import { dropped, merged } from '../../../model/events/outcome.ts';
import { xenBind, xenMask, xenPend, xenTake, xenVcpu } from '../../../model/events/platform/xen.ts';
import { evtchn } from '../../../model/things/xen.ts';
import { dropTaken } from '../../drop.ts';
import type { Vm } from '../../kvm/vm.ts';
import type { Actions, Machine } from '../../machine.ts';

/** HYPERVISOR_CALLBACK_VECTOR (arch/x86/include/asm/irq_vectors.h): the vector of the upcall. */
export const UPCALL = 0xf3;
/** Nanoseconds that looking for events takes. */
const SCAN = 100;

/** A port of a domain. */
interface Channel {
  readonly port: number;
  readonly object: ObjectId;
  readonly pirq: number;
  vcpu: number;
  masked: boolean;
  pending: boolean;
  /** The cause of the event that pends, 0 none. */
  cause: number;
}

/** What the kernel of a domain does for an event: it acknowledges it, and runs a handler. */
export type EventHandler = (port: number, vcpu: number) => Actions;

/**
 * The event channels of a domain with the two-level ABI (xen/common/event_2l.c, drivers/xen/events/events_2l.c): a pending bit and a mask bit for
 * each port in memory that both share, and an upcall to one virtual CPU.
 */
export class EventChannels {
  readonly machine: Machine;
  readonly vm: Vm;
  /** What the kernel does for an event: it calls `take` where it acknowledges it. */
  handler: EventHandler | undefined;
  readonly #channels = new Map<number, Channel>();
  /** Xen never gives out port 0. */
  #next = 1;

  constructor(machine: Machine, vm: Vm) {
    this.machine = machine;
    this.vm = vm;
    const { handler } = vm.vcpus;
    vm.vcpus.handler = (n, vector, eoi) =>
      vector === UPCALL ? this.#upcall(n) : (handler?.(n, vector, eoi) ?? nothing());
  }

  object(port: number): ObjectId {
    return this.machine.world.object(evtchn, `xen/${this.vm.id}/evtchn/${port}`);
  }

  /** The port that is bound to a PIRQ, 0 none. */
  portOf(pirq: number): number {
    return [...this.#channels.values()].find((one) => one.pirq === pirq)?.port ?? 0;
  }

  has(port: number): boolean {
    return this.#channels.has(port);
  }

  /** EVTCHNOP_bind_pirq: a free port, masked, that tells virtual CPU 0. */
  bind(pirq: number): number {
    const port = this.#next++;
    const object = this.object(port);
    this.#channels.set(port, { port, object, pirq, vcpu: 0, masked: true, pending: false, cause: 0 });
    this.machine.emit(xenBind, object, { pirq, vcpu: this.vm.vcpus.first, closed: false });
    return port;
  }

  /** EVTCHNOP_close. What pends is lost. */
  close(port: number): void {
    const one = this.#channels.get(port);
    if (one === undefined) return;
    this.#channels.delete(port);
    if (one.cause !== 0) this.#drop(one.object, one.cause, 'the event channel was closed while its event waited');
    this.machine.emit(xenBind, one.object, { pirq: one.pirq, vcpu: this.vm.vcpus.first + one.vcpu, closed: true });
  }

  #drop(object: ObjectId, cause: number, reason: string): void {
    this.machine.ledger.note(cause, 'dropped', this.machine.now);
    this.machine.emit(dropped, object, { reason, cause });
  }

  /** EVTCHNOP_bind_vcpu: what pends already stays with the virtual CPU that was told of it. */
  target(port: number, vcpu: number): boolean {
    const one = this.#channels.get(port);
    if (one === undefined || vcpu >= this.vm.vcpus.count) return false;
    one.vcpu = vcpu;
    this.machine.emit(xenVcpu, one.object, { vcpu: this.vm.vcpus.first + vcpu });
    return true;
  }

  /** The kernel sets or clears the mask bit. An event that pends is told of once it is cleared. */
  mask(port: number, masked: boolean): void {
    const one = this.#channels.get(port);
    if (one === undefined) return;
    one.masked = masked;
    this.machine.emit(xenMask, one.object, { masked });
    if (!masked && one.pending) this.#tell(one);
  }

  masked(port: number): boolean {
    return this.#channels.get(port)?.masked ?? true;
  }

  pending(port: number): boolean {
    return this.#channels.get(port)?.pending ?? false;
  }

  /** The virtual CPU that a port tells. */
  vcpu(port: number): number {
    return this.#channels.get(port)?.vcpu ?? 0;
  }

  /** evtchn_2l_set_pending: true where the event waited already, so that this one merges with it. */
  raise(port: number, cause: number): boolean {
    const { machine } = this;
    const one = this.#channels.get(port)!;
    machine.emit(xenPend, one.object, cause === 0 ? {} : { cause });
    if (one.pending) {
      if (cause !== 0) machine.emit(merged, one.object, { cause, ...(one.cause === 0 ? {} : { into: one.cause }) });
      machine.ledger.note(cause, 'merged', machine.now);
      return true;
    }
    one.pending = true;
    one.cause = cause;
    machine.ledger.note(cause, 'pending', machine.now);
    if (!one.masked) this.#tell(one);
    return false;
  }

  /** vcpu_mark_events_pending: the upcall, which is one for all that waits. */
  #tell(one: Channel): void {
    const { vcpus } = this.vm;
    if (!vcpus.requested(one.vcpu, UPCALL)) vcpus.accept(one.vcpu, UPCALL, 0);
  }

  /** The kernel acknowledges an event (clear_evtchn): the next one pends again. */
  take(port: number, vcpu: number): void {
    const { machine, vm } = this;
    const one = this.#channels.get(port);
    if (one === undefined || !one.pending) return;
    one.pending = false;
    machine.emit(xenTake, one.object, {});
    machine.ledger.take(one.cause, machine.now, vm.vcpus.key(vcpu));
    one.cause = 0;
  }

  /** __xen_evtchn_do_upcall: serves all ports that pend, are not masked and tell this virtual CPU, the lowest first. */
  *#upcall(n: number): Actions {
    const { machine, vm } = this;
    const served = new Set<number>();
    for (;;) {
      yield SCAN;
      const next = [...this.#channels.values()]
        .filter((one) => one.pending && !one.masked && one.vcpu === n && !served.has(one.port))
        .sort((a, b) => a.port - b.port)[0];
      if (next === undefined) return;
      if (this.handler === undefined) {
        served.add(next.port);
        this.take(next.port, n);
        dropTaken(machine, vm.vcpus.key(n), next.object, 'no irq of this event channel');
        continue;
      }
      yield* this.handler(next.port, n);
      machine.ledger.leave(vm.vcpus.key(n));
      // A handler that left the event as it is gets no second turn in this upcall.
      if (next.pending && next.masked) served.add(next.port);
    }
  }
}

function* nothing(): Actions {}
