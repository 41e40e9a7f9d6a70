import {
  cpuAccept,
  cpuEoi,
  cpuError,
  cpuReset,
  cpuSignal,
  cpuState,
  cpuTake,
  ipiSend,
} from '../../model/events/cpu.ts';
import { illegal, merged } from '../../model/events/outcome.ts';
import { cpuObject, vectorObject } from '../../model/events/places.ts';
import { apicEsr, priorityClass } from '../../model/registers/x86.ts';
import { cpu as cpuType } from '../../model/things/irq.ts';
import { drop, dropTaken } from '../drop.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import { Requests } from './requests.ts';

/** Nanoseconds from the IRR bit to the entry code of the vector. */
const DISPATCH = 400;

/** Nanoseconds that an interrupt takes for which no handler runs: a line that stays up must not stop the clock. */
const UNHANDLED = 300;

/** What waits and runs at one local APIC. */
interface Apic {
  readonly actor: Actor;
  /** Vectors requested (IRR). */
  readonly requested: Requests;
  /** Vectors accepted as level-triggered (TMR): only their end is broadcast to I/O APICs. */
  readonly level: Set<number>;
  /** Vectors in service (ISR). */
  readonly inService: number[];
  /** Whether a dispatch is due. */
  due: boolean;
  /** A handler runs, with interrupts disabled: nothing is taken until it returns, also when its interrupt was ended before. */
  running: boolean;
  /** Interrupts are disabled: nothing is taken. */
  closed: boolean;
  /** On its way offline: no longer among the CPUs that interrupts may go to, though its vector map still is. */
  leaving: boolean;
  /** Went offline, or was reset: its local APIC accepts nothing. */
  dead: boolean;
  /** An INIT reset it: it executes nothing until it is started up. */
  stopped: boolean;
  /** How often it was reset by an INIT: handlers of an earlier life do not return. */
  life: number;
}

/**
 * Runs what the kernel does for a vector on a CPU. It calls `eoi` where it ends the interrupt: x86 ends an edge-triggered one before its handler
 * (handle_edge_irq of kernel/irq/chip.c), a level-triggered one behind it. Where it does not, the end comes when it returns.
 */
export type VectorHandler = (cpu: number, vector: number, eoi: () => void) => Actions;

/**
 * The processors of the host with their local APICs: IRR, ISR, highest vector first, one handler at a
 * time. A second message for a vector whose IRR bit is set merges with it (Intel SDM 11.8.4).
 */
export class Cpus {
  readonly machine: Machine;
  readonly count: number;
  /** What the kernel does for a vector; set by the irq core. */
  handler: VectorHandler | undefined;
  /** Called at the end of a level-triggered interrupt: local APICs tell I/O APICs. */
  onEoi: ((vector: number) => void) | undefined;
  readonly #apics = new Map<number, Apic>();

  constructor(machine: Machine, count: number) {
    this.machine = machine;
    this.count = count;
  }

  #apic(n: number): Apic {
    let apic = this.#apics.get(n);
    if (apic === undefined) {
      const actor: Actor = { layer: 'cpu', name: `cpu${n}`, cpu: n };
      apic = {
        actor,
        requested: new Requests(),
        level: new Set(),
        inService: [],
        due: false,
        running: false,
        closed: false,
        leaving: false,
        dead: false,
        stopped: false,
        life: 0,
      };
      this.#apics.set(n, apic);
    }
    return apic;
  }

  /** The actor of a CPU. */
  actor(n: number): Actor {
    return this.#apic(n).actor;
  }

  /** Whether the host has a CPU of that number. */
  exists(n: number): boolean {
    return n < this.count;
  }

  /** Whether a CPU is online, as far as the state tells; a CPU of which nothing is known counts as online. */
  online(n: number): boolean {
    if (n >= this.count || this.#apics.get(n)?.leaving === true) return false;
    return this.machine.state.flag(cpuObject(this.machine.state, n), cpuType.at.online) !== false;
  }

  /** The CPUs that are online, in order. */
  onlineCpus(): number[] {
    return Array.from({ length: this.count }, (_, n) => n).filter((n) => this.online(n));
  }

  /** Shows in the trace that a CPU goes offline or comes online; the irq core does its part itself. */
  setOnline(n: number, online: boolean): void {
    const apic = this.#apic(n);
    apic.leaving = !online;
    if (online) {
      apic.dead = false;
      apic.stopped = false;
    }
    this.machine.emit(cpuState, cpuObject(this.machine.state, n), { online });
  }

  /** Whether the IRR bit of a vector is set. */
  requested(n: number, vector: number): boolean {
    return this.#apics.get(n)?.requested.has(vector) ?? false;
  }

  /** Ends a CPU that went offline: nothing is requested and nothing accepted any more. Causes that still wait are lost. */
  reset(n: number, why = `CPU ${n} went offline`): void {
    const { machine } = this;
    const apic = this.#apic(n);
    apic.dead = true;
    machine.emit(cpuReset, cpuObject(machine.state, n), {});
    for (const vector of apic.requested.vectors) {
      const cause = apic.requested.get(vector)!;
      if (cause === 0) continue;
      drop(machine, vectorObject(machine.state, n, vector), why, cause);
    }
    apic.requested.clear();
  }

  /** Whether a handler runs on a CPU. */
  busy(n: number): boolean {
    return this.#apics.get(n)?.running ?? false;
  }

  /**
   * Raises what waits in the IRR of one CPU again on another, by IPI. The bit at the first stays set and has no cause
   * behind it any more.
   */
  resend(fromCpu: number, fromVector: number, cpu: number, vector: number): void {
    const { machine } = this;
    const from = this.#apic(fromCpu);
    const cause = from.requested.get(fromVector);
    if (cause === undefined) return;
    from.requested.set(fromVector, 0);
    machine.emit(ipiSend, cpuObject(machine.state, cpu), { targets: String(cpu), reason: 'retrigger' });
    this.accept(cpu, vector, cause);
  }

  /** Interrupts of a CPU are disabled (`closed`) or enabled again. */
  close(n: number, closed: boolean): void {
    const apic = this.#apic(n);
    apic.closed = closed;
    if (!closed) this.#dispatch(n, apic);
  }

  /** Whether the local APIC of a CPU accepts messages. */
  accepts(n: number): boolean {
    return n < this.count && this.#apics.get(n)?.dead !== true;
  }

  /** Whether an INIT reset a CPU, so that it executes nothing. */
  stopped(n: number): boolean {
    return this.#apics.get(n)?.stopped === true;
  }

  /** Class of the highest vector that a CPU serves or has accepted: where lowest priority goes by (SDM vol. 3 "Processor Priority"). */
  priority(n: number): number {
    const apic = this.#apics.get(n);
    return apic ? priorityClass(Math.max(apic.requested.highest, ...apic.inService)) : 0;
  }

  /**
   * A message without a vector reaches a CPU (SMI, NMI, INIT, ExtINT). No handler of a device runs for it, so its cause ends here. An INIT resets the
   * CPU: what its local APIC holds is gone, and the handler that runs never returns.
   */
  signal(n: number, mode: string, cause: number, requester?: number): void {
    const { machine } = this;
    const apic = this.#apic(n);
    const object = cpuObject(machine.state, n);
    machine.as(apic.actor, () => {
      machine.emit(cpuSignal, object, {
        mode,
        ...(cause === 0 ? {} : { cause }),
        ...(requester === undefined ? {} : { requester }),
      });
      if (cause !== 0)
        drop(machine, object, `${mode} at CPU ${n}: its vector is ignored, no handler of a device runs`, cause);
      if (mode !== 'INIT') return;
      this.reset(n, `an INIT reset CPU ${n}`);
      apic.stopped = true;
      apic.life++;
      apic.inService.length = 0;
      if (apic.running) dropTaken(machine, n, object, `an INIT reset CPU ${n} while its handler ran`);
      apic.running = false;
    });
  }

  /** The local APIC of a CPU received a vector that is illegal (0 to 15): it notes the error and accepts nothing. */
  refuse(n: number, vector: number, cause: number, requester?: number): void {
    const { machine } = this;
    const object = cpuObject(machine.state, n);
    machine.as(this.actor(n), () => {
      const esr = apicEsr.f.receiveIllegalVector.mask;
      machine.emit(cpuError, object, requester === undefined ? { esr } : { esr, requester });
      machine.emit(illegal, object, {
        rule: 'illegal-vector',
        text: `CPU ${n} received vector ${vector}: 0 to 15 are illegal`,
      });
      drop(machine, vectorObject(machine.state, n, vector), `vector ${vector} is illegal (0 to 15)`, cause);
    });
  }

  /** A message reaches the local APIC of a CPU. */
  accept(n: number, vector: number, cause: number, requester?: number, level = false): void {
    const { machine } = this;
    const { state } = machine;
    if (n >= this.count || this.#apics.get(n)?.dead === true) {
      const where = cpuObject(state, n);
      const stopped = this.stopped(n);
      const reason =
        n >= this.count
          ? `there is no CPU ${n}`
          : stopped
            ? `CPU ${n} waits for a start-up IPI`
            : `CPU ${n} is offline`;
      drop(machine, where, reason, cause);
      return;
    }
    const apic = this.#apic(n);
    const caller = machine.become(apic.actor);
    try {
      const object = vectorObject(state, n, vector);
      const before = apic.requested.get(vector);
      const accepted = cpuAccept.put();
      if (requester !== undefined) accepted.requester(requester);
      if (cause !== 0) accepted.cause(cause);
      machine.fire(accepted, object);
      if (before !== undefined) {
        if (cause !== 0) machine.emit(merged, object, { cause, ...(before === 0 ? {} : { into: before }) });
        machine.ledger.note(cause, 'merged', machine.now);
        return;
      }
      apic.requested.set(vector, cause);
      if (level) apic.level.add(vector);
      else if (apic.level.size > 0) apic.level.delete(vector);
      this.#dispatch(n, apic);
    } finally {
      machine.become(caller);
    }
  }

  #dispatch(n: number, apic: Apic): void {
    if (apic.due || apic.running || apic.requested.size === 0) return;
    apic.due = true;
    this.machine.spawn(apic.actor, this.#take(n, apic), DISPATCH);
  }

  /** Takes interrupts, highest vector first, while any waits. Linux runs handlers with interrupts disabled: none nests. */
  *#take(n: number, apic: Apic): Actions {
    const { machine } = this;
    apic.due = false;
    // One that was raised by the end of the interrupt before it is taken by who ended that.
    if (apic.running) return;
    while (!apic.closed && apic.requested.size > 0) {
      const vector = apic.requested.highest;
      const cause = apic.requested.take(vector);
      const level = apic.level.has(vector);
      apic.inService.push(vector);
      const object = vectorObject(machine.state, n, vector);
      machine.fire(cpuTake.put(), object);
      machine.ledger.take(cause, machine.now, n);
      let ended = false;
      const eoi = (): void => {
        if (ended) return;
        ended = true;
        apic.inService.pop();
        const caller = machine.become(apic.actor);
        machine.fire(cpuEoi.put(), object);
        machine.become(caller);
        if (level) this.onEoi?.(vector);
      };
      apic.running = true;
      const { life } = apic;
      const began = machine.now;
      const actions = this.handler?.(n, vector, eoi);
      while (actions !== undefined) {
        const at = actions.next();
        if (at.done) break;
        yield at.value;
        if (apic.life !== life) {
          actions.return(undefined);
          break;
        }
      }
      if (apic.life === life && machine.now === began) yield UNHANDLED;
      if (apic.life !== life) return;
      apic.running = false;
      machine.ledger.leave(n);
      eoi();
    }
  }

  /** Vectors whose IRR bit is set on a CPU. */
  pendingOn(n: number): number[] {
    return [...(this.#apics.get(n)?.requested.vectors ?? [])];
  }
}
