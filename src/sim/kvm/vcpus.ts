import { FIRST_LEGAL_VECTOR } from '../../model/apic/local-apics.ts';
import { apicAccept, apicEoi, apicInject } from '../../model/events/apic.ts';
import { illegal, merged } from '../../model/events/outcome.ts';
import { guestVe } from '../../model/events/platform/tdx.ts';
import { kvmEntry, kvmExit, kvmUserspace, vcpuReset } from '../../model/events/virt.ts';
import { DELIVERY, priorityClass } from '../../model/registers/x86.ts';
import { vcpu as vcpuType, vcpuVector } from '../../model/things/virt.ts';
import { until } from '../apic/until.ts';
import { drop, dropTaken } from '../drop.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import { VCPU_COST, type Vcpu } from './vcpu.ts';
import { VcpuScheduler, type VcpuShare } from './vcpu-scheduler.ts';

/** Nanoseconds between two looks of code of the guest whether its virtual CPU is in the guest again. */
const AWAY = 100;

/** Nanoseconds from the exception (#VE) of a TDX guest to its TDVMCALL. */
const VE = 400;

/** Messages that put nothing into the IRR and that the TDX module takes from nobody (vt_apic_init_signal_blocked; SMM does not exist there). */
const BLOCKED: ReadonlySet<string> = new Set(['SMI', 'INIT', 'SIPI']);

/** Keys of virtual CPUs lie above those of the CPUs of the host. */
const GUESTS = 0x10000;

/** What the guest kernel does for a vector: the handler, which calls `eoi` where it ends the interrupt (see VectorHandler). */
export type GuestHandler = (vcpu: number, vector: number, eoi: () => void) => Actions;

/**
 * The virtual CPUs of a machine with their local APICs: accept, inject, handler, EOI. A message for a vector whose IRR
 * bit is set merges with it. EOI is virtualised (no exit). One handler at a time, highest vector first.
 */
export class Vcpus {
  readonly machine: Machine;
  readonly count: number;
  /** Number of its first virtual CPU in `vcpu/<n>`: machines number theirs one after the other. */
  readonly first: number;
  /** What the guest kernel does for a vector. */
  handler: GuestHandler | undefined;
  /** Called before a virtual CPU enters the guest: posted interrupts are synchronised here. */
  onEntry: ((vcpu: number) => void) | undefined;
  /** Called when a local APIC accepted a vector by software: a virtual CPU that halted has to be woken. */
  onAccept: ((vcpu: number) => void) | undefined;
  /** Called at the end of an interrupt. */
  onEoi: ((vcpu: number, vector: number) => void) | undefined;
  /** KVM reaches neither their state nor the memory of the guest (TDX). */
  hidden: () => boolean = () => false;
  readonly #vcpus: Vcpu[];
  readonly #byActor = new Map<Actor, number>();
  /** Where virtual CPUs share CPUs of the host: who has one when. */
  readonly #scheduler: VcpuScheduler | undefined;

  constructor(machine: Machine, vm: number, first: number, count: number, hostCpus: number, share?: VcpuShare) {
    this.machine = machine;
    this.count = count;
    this.first = first;
    this.#vcpus = Array.from({ length: count }, (_, n) => {
      const cpu = share ? n % share.cpus : (first + n) % hostCpus;
      const guest: Actor = { layer: 'guest-kernel', name: `vm${vm}.vcpu${first + n}`, cpu };
      this.#byActor.set(guest, n);
      return {
        object: machine.world.object(vcpuType, `vcpu/${first + n}`),
        guest,
        kvm: { layer: 'kvm', name: `vm${vm}.vcpu${first + n}`, cpu },
        requested: new Map(),
        inService: [],
        running: false,
        due: false,
        out: false,
        inside: 0,
        since: machine.now,
        stopped: false,
        life: 0,
      };
    });
    if (share) this.#scheduler = new VcpuScheduler(this, share);
  }

  /** What tells a virtual CPU from all other processors of the system, for the books of causes. */
  key(n: number): number {
    return GUESTS + this.first + n;
  }

  /** Object of a virtual CPU; `n` counts from 0 in this machine. */
  object(n: number): number {
    return this.#vcpus[n]?.object ?? -1;
  }

  /** Guest code on a virtual CPU, as an actor. */
  guest(n: number): Actor {
    return this.#vcpus[n]!.guest;
  }

  /** KVM in the context of a virtual CPU, as an actor. */
  kvm(n: number): Actor {
    return this.#vcpus[n]!.kvm;
  }

  /** The host runs the virtual CPU on another of its CPUs from now on. */
  place(n: number, cpu: number): void {
    const one = this.#vcpus[n];
    if (one === undefined || one.kvm.cpu === cpu) return;
    one.guest = { ...one.guest, cpu };
    one.kvm = { ...one.kvm, cpu };
    this.#byActor.set(one.guest, n);
  }

  /** The virtual CPU that the actor at work stands for; 0 when it stands for none. */
  get current(): number {
    return this.#byActor.get(this.machine.actor) ?? 0;
  }

  /** Object of a vector of a virtual CPU. */
  vector(n: number, vector: number): number {
    return this.machine.world.child(vcpuVector, this.object(n), 'vector', vector);
  }

  /** Whether it is out of the guest, its exit being served. */
  out(n: number): boolean {
    return this.#vcpus[n]?.out ?? false;
  }

  /** Whether the IRR bit of a vector is set. */
  requested(n: number, vector: number): boolean {
    return this.#vcpus[n]?.requested.has(vector) ?? false;
  }

  /** Whether anything waits in its IRR. */
  waits(n: number): boolean {
    return (this.#vcpus[n]?.requested.size ?? 0) > 0;
  }

  /** Every virtual CPU enters the guest for the first time. */
  boot(): void {
    if (this.#scheduler) {
      for (const one of this.#vcpus) this.#isOut(one, true);
      this.#scheduler.start();
      return;
    }
    for (const one of this.#vcpus) this.machine.as(one.kvm, () => this.machine.emit(kvmEntry, one.object, {}));
  }

  #isOut(one: Vcpu, out: boolean): void {
    const { now } = this.machine;
    if (!one.out) one.inside += now - one.since;
    one.since = now;
    one.out = out;
  }

  /** Whether a handler of the guest runs on a virtual CPU, or is about to. */
  serves(n: number): boolean {
    const one = this.#vcpus[n];
    return one !== undefined && (one.running || one.inService.length > 0);
  }

  /** Code of the guest on a virtual CPU: where that shares a CPU of the host, time passes for it only while it is in the guest. */
  *paced<T>(n: number, actions: Actions<T>): Actions<T> {
    const one = this.#vcpus[n];
    if (this.#scheduler === undefined || one === undefined) return yield* actions;
    const inside = (): number => one.inside + (one.out ? 0 : this.machine.now - one.since);
    let done = false;
    try {
      for (;;) {
        const at = actions.next();
        if (at.done) {
          done = true;
          return at.value;
        }
        if (one.out) {
          yield at.value;
          continue;
        }
        const end = inside() + at.value;
        yield at.value;
        while (one.out || inside() < end) yield one.out ? AWAY : end - inside();
      }
    } finally {
      if (!done) actions.return(undefined as T);
    }
  }

  /** Waits until the virtual CPU is in the guest, then leaves it; no other exit begins until `enter`. */
  *exit(n: number, reason: string): Actions {
    const one = this.#vcpus[n]!;
    while (one.out) yield 100;
    this.#isOut(one, true);
    yield* this.machine.within(one.kvm, this.#leave(one, reason));
  }

  /** The guest does what the host has to serve: an exit; where the guest is hidden a #VE, and a TDVMCALL of the guest. */
  *ask(n: number, reason: string): Actions {
    if (this.hidden()) {
      const one = this.#vcpus[n]!;
      while (one.out) yield 100;
      this.machine.as(one.guest, () => this.machine.emit(guestVe, one.object, { instead: reason }));
      yield VE;
    }
    yield* this.exit(n, this.hidden() ? 'TDCALL' : reason);
  }

  /** A hypercall: an exit; where the guest is hidden it is a TDVMCALL from the start, without a #VE (tdx_kvm_hypercall). */
  *call(n: number): Actions {
    yield* this.exit(n, this.hidden() ? 'TDCALL' : 'VMCALL');
  }

  *#leave(one: Vcpu, reason: string): Actions {
    this.machine.emit(kvmExit, one.object, { reason });
    yield VCPU_COST.exit;
  }

  /** KVM returns to the VMM with an exit reason of KVM_RUN. Call it between `exit` and `enter`. */
  *toUser(n: number, reason: string): Actions {
    const one = this.#vcpus[n]!;
    this.machine.as(one.kvm, () => this.machine.emit(kvmUserspace, one.object, { reason }));
    yield VCPU_COST.userspace;
  }

  /** Enters the guest again. What its local APIC accepted meanwhile is taken afterwards. */
  *enter(n: number): Actions {
    const one = this.#vcpus[n]!;
    if (this.#scheduler) yield* this.#scheduler.gate(n);
    yield VCPU_COST.entry;
    this.machine.as(one.kvm, () => {
      this.onEntry?.(n);
      this.machine.emit(kvmEntry, one.object, {});
    });
    this.#isOut(one, false);
    this.#dispatch(n, one);
    this.#scheduler?.settled(n);
  }

  /** Whether the local APIC of a virtual CPU accepts vectors: an INIT disables it. */
  accepts(n: number): boolean {
    return this.#vcpus[n]?.stopped === false;
  }

  /** Class of the highest vector that a virtual CPU serves or has accepted. */
  priority(n: number): number {
    const one = this.#vcpus[n];
    return one ? priorityClass(Math.max(0, ...one.requested.keys(), ...one.inService)) : 0;
  }

  /**
   * A message whose mode puts nothing into the IRR (__apic_accept_irq): SMI, NMI, INIT, a start-up IPI, or the kick of a paravirtual lock
   * (reserved mode 3). No handler of a device runs for it. An INIT resets the virtual CPU, whose local APIC accepts no vector afterwards.
   */
  signal(n: number, mode: string, vector: number, cause: number): void {
    const { machine } = this;
    const one = this.#vcpus[n]!;
    machine.as(one.kvm, () => {
      machine.emit(apicAccept, this.vector(n, vector), { mode, posted: false });
      const blocked = BLOCKED.has(mode) && this.hidden();
      if (blocked) drop(machine, one.object, `${mode} at virtual CPU ${n}: the TDX module takes none`, cause);
      else if (cause !== 0)
        drop(
          machine,
          one.object,
          `${mode} at virtual CPU ${n}: its vector is ignored, no handler of a device runs`,
          cause,
        );
      if (mode !== 'INIT' || blocked) return;
      one.stopped = true;
      one.life++;
      machine.emit(vcpuReset, one.object, { by: 'INIT' });
      for (const [at, { cause: waiting }] of one.requested)
        if (waiting !== 0) drop(machine, this.vector(n, at), `an INIT reset virtual CPU ${n}`, waiting);
      one.requested.clear();
      one.inService.length = 0;
      if (one.running)
        dropTaken(machine, this.key(n), one.object, `an INIT reset virtual CPU ${n} while its handler ran`);
      one.running = false;
      one.due = false;
      this.#isOut(one, false);
    });
  }

  /** The local APIC of a virtual CPU accepts a vector; `posted`: the processor did, without an exit. False: there is none such. */
  accept(n: number, vector: number, cause: number, posted = false, mode: number = DELIVERY.fixed): boolean {
    const { machine } = this;
    const one = this.#vcpus[n];
    const object = one?.object ?? -1;
    if (one === undefined || one.stopped) {
      const reason = one ? `virtual CPU ${n} waits for a start-up IPI` : `the machine has no virtual CPU ${n}`;
      drop(machine, object >= 0 ? object : this.object(0), reason, cause);
      return false;
    }
    if (vector < FIRST_LEGAL_VECTOR) {
      this.#illegal(n, one, vector, cause, posted);
      return true;
    }
    machine.as(one.kvm, () => {
      const at = this.vector(n, vector);
      const before = one.requested.get(vector);
      // tdx_deliver_interrupt: the posted-interrupt descriptor is all that KVM can write.
      const byDescriptor = posted || this.hidden();
      machine.emit(apicAccept, at, { mode: mode === DELIVERY.lowest ? 'LowPrio' : 'Fixed', posted: byDescriptor });
      if (before !== undefined) {
        if (cause !== 0) machine.emit(merged, at, { cause, ...(before.cause === 0 ? {} : { into: before.cause }) });
        machine.ledger.note(cause, 'merged', machine.now);
        return;
      }
      one.requested.set(vector, { cause, posted: byDescriptor });
      if (!posted) this.onAccept?.(n);
      this.#scheduler?.wake(n);
      this.#dispatch(n, one);
    });
    return true;
  }

  /** KVM looks at no vector of a message: the bit is set, and the priority class of the vector keeps it from being injected. */
  #illegal(n: number, one: Vcpu, vector: number, cause: number, posted: boolean): void {
    const { machine } = this;
    machine.as(one.kvm, () => {
      const at = this.vector(n, vector);
      machine.emit(apicAccept, at, { mode: 'Fixed', posted });
      machine.emit(illegal, at, {
        rule: 'illegal-vector',
        text: `vector ${vector}: 0 to 15 are illegal. A local APIC notes that in its ESR; KVM does not look`,
      });
      drop(
        machine,
        at,
        `vector ${vector} is illegal (0 to 15): its priority class is 0, so that it is never injected`,
        cause,
      );
    });
  }

  #dispatch(n: number, one: Vcpu): void {
    if (one.stopped || one.due || one.out || one.running || one.requested.size === 0) return;
    one.due = true;
    const { life } = one;
    this.machine.spawn(
      one.guest,
      until(() => one.life !== life, this.#take(n, one)),
      VCPU_COST.dispatch,
    );
  }

  *#take(n: number, one: Vcpu): Actions {
    const { machine } = this;
    while (!one.out && one.requested.size > 0) {
      // A posted interrupt is taken without leaving the guest; any other needs a kick.
      const kick = ![...one.requested.values()].some((r) => r.posted);
      if (kick) yield* this.exit(n, 'EXTERNAL_INTERRUPT');
      const vector = Math.max(...one.requested.keys());
      const cause = one.requested.get(vector)?.cause ?? 0;
      one.requested.delete(vector);
      one.inService.push(vector);
      const at = this.vector(n, vector);
      machine.as(one.kvm, () => machine.emit(apicInject, at, { reinjected: false }));
      const injected = machine.recorder.length - 1;
      if (kick) {
        if (this.#scheduler) yield* this.#scheduler.gate(n);
        yield VCPU_COST.entry;
        machine.as(one.kvm, () => machine.emit(kvmEntry, one.object, { inject: vector }));
        this.#isOut(one, false);
      }
      machine.ledger.take(cause, machine.now, this.key(n));
      // A planted fault: a handler that ended before does not end this time. The virtual CPU takes nothing any more.
      const ended = machine.state.get(at, vcpuVector.at.eois) > 0;
      if (ended && machine.tamper?.strikes('F82', at, injected)) return;
      let over = false;
      const eoi = (): void => {
        if (over) return;
        over = true;
        one.inService.pop();
        machine.as(one.guest, () => machine.emit(apicEoi, at, {}));
        // Nobody outside sees the end of an interrupt of a hidden guest: there is no EOI exit.
        if (!this.hidden()) this.onEoi?.(n, vector);
      };
      one.running = true;
      if (this.handler) yield* this.paced(n, this.handler(n, vector, eoi));
      one.running = false;
      machine.ledger.leave(this.key(n));
      eoi();
    }
    one.due = false;
    this.#dispatch(n, one);
    this.#scheduler?.settled(n);
  }
}
