import { gicAck, gicEoi } from '../../model/events/apic.ts';
import { gicPend } from '../../model/events/cpu.ts';
import { lpiLoad, lpiWrite } from '../../model/events/its.ts';
import { merged } from '../../model/events/outcome.ts';
import { intid } from '../../model/things/irq.ts';
import { lpiConfig } from '../../model/things/remap.ts';
import { drop } from '../drop.ts';
import type { Cpus } from '../irq/cpus.ts';
import type { Actions, Machine } from '../machine.ts';

/** Nanoseconds from the pending bit to the acknowledge at the CPU interface. */
const DISPATCH = 400;

/** What waits and runs at one redistributor with its CPU interface. */
interface Redistributor {
  /** Pending LPIs, each with the cause that made it pend; 0: none known. */
  readonly pending: Map<number, number>;
  /** A dispatch is due, or an interrupt is in service. */
  busy: boolean;
}

/** Runs what the kernel does for an LPI on a CPU. */
export type LpiHandler = (cpu: number, lpi: number) => Actions;

/**
 * Redistributors and CPU interfaces of a GICv3 as far as LPIs need them (Arm IHI 0069, chapter 5): pending bits in
 * memory, which outlive a CPU that goes offline; a configuration byte that counts once the redistributor has read it;
 * no active state. Of several pending LPIs the most urgent comes first, then the lowest INTID.
 */
export class Gic {
  readonly machine: Machine;
  readonly cpus: Cpus;
  /** What the kernel does for an LPI; set by the domain that owns the LPIs. */
  handler: LpiHandler | undefined;
  readonly #redistributors = new Map<number, Redistributor>();

  constructor(machine: Machine, cpus: Cpus) {
    this.machine = machine;
    this.cpus = cpus;
  }

  #at(cpu: number): Redistributor {
    let at = this.#redistributors.get(cpu);
    if (at === undefined) this.#redistributors.set(cpu, (at = { pending: new Map(), busy: false }));
    return at;
  }

  /** Object of an LPI at a CPU. */
  lpi(cpu: number, lpi: number): number {
    return this.machine.world.byNumbers(intid, cpu, lpi, (a, b) => `cpu/${a}/intid/${b}`);
  }

  /** Object of the configuration of an LPI. */
  config(lpi: number): number {
    return this.machine.world.byNumbers(lpiConfig, 0, lpi, (_, b) => `gic/0/lpi/${b}`);
  }

  /** Software writes the configuration byte of an LPI in memory. */
  configure(lpi: number, enabled: boolean, priority = 0xa0): void {
    this.machine.emit(lpiWrite, this.config(lpi), { enabled, priority });
  }

  /** The redistributor reads the configuration byte again; an LPI that pends and is now enabled is taken. */
  load(lpi: number): void {
    this.machine.emit(lpiLoad, this.config(lpi), {});
    for (const [cpu, at] of this.#redistributors) if (at.pending.has(lpi)) this.#dispatch(cpu, at);
  }

  #enabled(lpi: number): boolean {
    return this.machine.state.flag(this.config(lpi), lpiConfig.at.cached) === true;
  }

  /** The ITS sends an LPI to a redistributor: it pends there, or merges with itself. */
  accept(cpu: number, lpi: number, cause: number): void {
    const { machine } = this;
    const at = this.#at(cpu);
    machine.as(this.cpus.actor(cpu), () => {
      const object = this.lpi(cpu, lpi);
      const before = at.pending.get(lpi);
      machine.emit(gicPend, object, { pending: true, ...(cause === 0 ? {} : { cause }) });
      if (before !== undefined) {
        if (cause !== 0) machine.emit(merged, object, { cause, ...(before === 0 ? {} : { into: before }) });
        machine.ledger.note(cause, 'merged', machine.now);
        return;
      }
      at.pending.set(lpi, cause);
      machine.ledger.note(cause, 'pending', machine.now);
      this.#dispatch(cpu, at);
    });
  }

  /** Software clears the pending bit of an LPI (DISCARD, CLEAR): a cause behind it ends, and `why` says so. */
  clear(cpu: number, lpi: number, why: string): void {
    const { machine } = this;
    const cause = this.#at(cpu).pending.get(lpi);
    if (cause === undefined) return;
    this.#at(cpu).pending.delete(lpi);
    const object = this.lpi(cpu, lpi);
    machine.emit(gicPend, object, { pending: false });
    drop(machine, object, why, cause);
  }

  /** MOVI and MOVALL move the pending state too. */
  move(lpi: number, from: number, to: number): void {
    const { machine } = this;
    const cause = this.#at(from).pending.get(lpi);
    if (cause === undefined || from === to) return;
    this.#at(from).pending.delete(lpi);
    machine.emit(gicPend, this.lpi(from, lpi), { pending: false });
    this.accept(to, lpi, cause);
  }

  /** A CPU came online: what pended at its redistributor meanwhile is taken. */
  wake(cpu: number): void {
    this.#dispatch(cpu, this.#at(cpu));
  }

  /** LPIs that pend at a redistributor. */
  pendingOn(cpu: number): number[] {
    return [...this.#at(cpu).pending.keys()];
  }

  #next(cpu: number, at: Redistributor): number | undefined {
    if (!this.cpus.online(cpu)) return undefined;
    const { state } = this.machine;
    const urgency = (lpi: number): number => state.get(this.config(lpi), lpiConfig.at.priority) * 0x1000000 + lpi;
    const ready = [...at.pending.keys()].filter((lpi) => this.#enabled(lpi));
    return ready.sort((a, b) => urgency(a) - urgency(b))[0];
  }

  #dispatch(cpu: number, at: Redistributor): void {
    if (at.busy || this.#next(cpu, at) === undefined) return;
    at.busy = true;
    this.machine.spawn(this.cpus.actor(cpu), this.#take(cpu, at), DISPATCH);
  }

  /** Acknowledges LPIs while any is ready. Linux runs handlers with interrupts disabled: none nests. */
  *#take(cpu: number, at: Redistributor): Actions {
    const { machine } = this;
    for (let lpi = this.#next(cpu, at); lpi !== undefined; lpi = this.#next(cpu, at)) {
      const cause = at.pending.get(lpi)!;
      at.pending.delete(lpi);
      machine.emit(gicAck, this.lpi(cpu, lpi), {});
      machine.ledger.take(cause, machine.now, cpu);
      if (this.handler) yield* this.handler(cpu, lpi);
      machine.ledger.leave(cpu);
      machine.emit(gicEoi, this.lpi(cpu, lpi), {});
    }
    at.busy = false;
  }
}
