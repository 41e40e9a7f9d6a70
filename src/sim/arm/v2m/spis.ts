import type { ObjectId } from '../../../base/ids.ts';
import { gicAck, gicEoi, gicRouted } from '../../../model/events/apic.ts';
import { gicPend, lineSet } from '../../../model/events/cpu.ts';
import { merged } from '../../../model/events/outcome.ts';
import { packRegister } from '../../../model/register.ts';
import { gicRoute } from '../../../model/registers/its.ts';
import { intid, pin } from '../../../model/things/irq.ts';
import type { Cpus } from '../../irq/cpus.ts';
import type { Actions, Machine } from '../../machine.ts';

/** Nanoseconds from the pending bit to the acknowledge at the CPU interface. */
const DISPATCH = 400;

/** 0: no cause is known. */
const causedBy = (cause: number): { cause?: number } => (cause === 0 ? {} : { cause });

/** Runs what the kernel does for an SPI on a CPU. */
export type SpiHandler = (cpu: number, spi: number) => Actions;

/**
 * The distributor of a GICv3 as far as edge-triggered SPIs need it (Arm IHI 0069, chapter 4): a pending bit and an enable bit each, and the
 * CPU that gets it (GICD_IROUTER). One that is raised while it pends merges with itself. All have one priority: the lowest INTID comes first.
 */
export class Spis {
  readonly machine: Machine;
  readonly cpus: Cpus;
  /** What the kernel does for an SPI. */
  handler: SpiHandler | undefined;
  readonly #routes = new Map<number, number>();
  readonly #enabled = new Set<number>();
  /** Pending SPIs, each with the cause that made it pend; 0: none known. */
  readonly #pending = new Map<number, number>();
  readonly #busy = new Set<number>();

  constructor(machine: Machine, cpus: Cpus) {
    this.machine = machine;
    this.cpus = cpus;
  }

  /** Object of an SPI at its distributor. */
  spi(spi: number): ObjectId {
    return this.machine.world.byNumbers(pin, 1, spi, (_, n) => `gic/0/spi/${n}`);
  }

  /** Object of an SPI at a CPU. */
  at(cpu: number, spi: number): ObjectId {
    return this.machine.world.byNumbers(intid, cpu, spi, (a, b) => `cpu/${a}/intid/${b}`);
  }

  /** CPU that an SPI goes to: the first one until software says another. */
  target(spi: number): number {
    return this.#routes.get(spi) ?? 0;
  }

  /** Software writes GICD_IROUTER. What pends goes to the new CPU. */
  route(spi: number, cpu: number): void {
    const { machine } = this;
    const before = this.target(spi);
    this.#routes.set(spi, cpu);
    const value = packRegister(gicRoute, { aff0: cpu % 256, aff1: Math.floor(cpu / 256) })[0]!;
    machine.emit(gicRouted, this.spi(spi), { value });
    const cause = this.#pending.get(spi);
    if (cause === undefined || before === cpu) return;
    machine.emit(gicPend, this.at(before, spi), { pending: false });
    machine.emit(gicPend, this.at(cpu, spi), { pending: true, ...causedBy(cause) });
    this.#dispatch(cpu);
  }

  /** Software writes GICD_ISENABLER or GICD_ICENABLER. One that pends is taken once it is enabled. */
  enable(spi: number, on: boolean): void {
    if (on) this.#enabled.add(spi);
    else this.#enabled.delete(spi);
    if (on) this.#dispatch(this.target(spi));
  }

  /** An edge comes: the SPI pends, or merges with itself. */
  raise(spi: number, cause: number): void {
    const { machine } = this;
    for (const level of [true, false]) machine.emit(lineSet, this.spi(spi), { level });
    const cpu = this.target(spi);
    const object = this.at(cpu, spi);
    const before = this.#pending.get(spi);
    machine.emit(gicPend, object, { pending: true, ...causedBy(cause) });
    if (before !== undefined) {
      if (cause !== 0) machine.emit(merged, object, { cause, ...(before === 0 ? {} : { into: before }) });
      machine.ledger.note(cause, 'merged', machine.now);
      return;
    }
    this.#pending.set(spi, cause);
    machine.ledger.note(cause, 'pending', machine.now);
    this.#dispatch(cpu);
  }

  /** A CPU came online: what pends for it is taken. */
  wake(cpu: number): void {
    this.#dispatch(cpu);
  }

  #next(cpu: number): number | undefined {
    if (!this.cpus.online(cpu)) return undefined;
    const ready = [...this.#pending.keys()].filter((spi) => this.#enabled.has(spi) && this.target(spi) === cpu);
    return ready.length === 0 ? undefined : Math.min(...ready);
  }

  #dispatch(cpu: number): void {
    if (this.#busy.has(cpu) || this.#next(cpu) === undefined) return;
    this.#busy.add(cpu);
    this.machine.spawn(this.cpus.actor(cpu), this.#take(cpu), DISPATCH);
  }

  /** Acknowledges SPIs while any is ready. Linux runs handlers with interrupts disabled: none nests. */
  *#take(cpu: number): Actions {
    const { machine } = this;
    for (let spi = this.#next(cpu); spi !== undefined; spi = this.#next(cpu)) {
      const cause = this.#pending.get(spi)!;
      this.#pending.delete(spi);
      machine.emit(gicAck, this.at(cpu, spi), {});
      machine.ledger.take(cause, machine.now, cpu);
      if (this.handler) yield* this.handler(cpu, spi);
      machine.ledger.leave(cpu);
      machine.emit(gicEoi, this.at(cpu, spi), {});
    }
    this.#busy.delete(cpu);
  }
}
