import { ipiEntry, ipiExit, ipiSend } from '../../model/events/cpu.ts';
import { message } from '../../model/events/notes.ts';
import { cpuObject, SHUTDOWN_VECTOR, vectorObject } from '../../model/events/places.ts';
import {
  vecActivate,
  vecAlloc,
  vecAllocManaged,
  vecClear,
  vecConfig,
  vecDeactivate,
  vecFreeMoved,
  vecReserve,
  vecReserveManaged,
  vecSetup,
  vecTeardown,
  vecUpdate,
} from '../../model/events/vector.ts';
import { x86AddressFor } from '../../model/registers/x86.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import type { Actions, Machine } from '../machine.ts';
import type { ChipData } from './chip-data.ts';
import type { Cpus } from './cpus.ts';
import { type AffinityResult, type Composed, type Destination, type Domain, errno, type Irq } from './domain.ts';
import { endOf, FIRST_VECTOR, SYSTEM_CALL, VectorMatrix } from './vector-matrix.ts';

/** Nanoseconds until the previous vector of a finished move is cleaned up (one jiffy at HZ=1000). */
const CLEANUP = 1_000_000;
/** The same where a planted fault lets it come late. */
const LATE = 3_000_000;
/** Nanoseconds that an IPI needs to its handler. */
const IPI = 700;
/** Nanoseconds between two looks whether a CPU is out of its handlers. */
const SPIN = 100;
/** IRQ_MOVE_CLEANUP_VECTOR of kernels that clean up by IPI. */
const CLEANUP_VECTOR = 0x20;

/** CPUs that messages name with 8 bits: APIC id 255 is that of all. */
export const PLAIN_REACH = 255;
/** CPUs that they name with an extended destination id of 15 bits. */
export const EXTENDED_REACH = 0x7fff;

/** CPU on which the move of an irq can be made to never end (a planted fault). */
const STUCK_ON = 3;
/** CPU on which a vector can be made to leak (a planted fault). */
const LEAKS_ON = 2;

/** The x86 vector domain (arch/x86/kernel/apic/vector.c): vectors from the matrix, moves, cleanup. */
export class VectorDomain implements Domain {
  readonly name = 'VECTOR';
  readonly parent = undefined;
  readonly machine: Machine;
  readonly cpus: Cpus;
  readonly matrix: VectorMatrix;
  /** The message of an irq names CPU and vector, so a move in progress must wait for an interrupt (IRQCHIP_MOVE_DEFERRED). */
  readonly movesDeferred = true;
  readonly #chip = new Map<Irq, ChipData>();
  readonly #reach: number;
  readonly #cleanup: 'timer' | 'ipi';
  /** Told of every vector that an irq gets. */
  onAssign: ((cpu: number, vector: number) => void) | undefined;
  /** A planted fault: the move of this irq never ends. */
  #stuck: Irq | undefined;

  /**
   * `vectors`: how many of each CPU devices may get, all when absent. `reach`: the number of CPUs that messages can name; others get no
   * interrupts of devices.
   */
  constructor(
    machine: Machine,
    cpus: Cpus,
    cleanup: 'timer' | 'ipi' = 'timer',
    vectors?: number,
    reach = Number.POSITIVE_INFINITY,
  ) {
    this.#reach = reach;
    this.machine = machine;
    this.cpus = cpus;
    this.#cleanup = cleanup;
    const first = cleanup === 'ipi' ? CLEANUP_VECTOR + 1 : FIRST_VECTOR;
    this.matrix = new VectorMatrix(machine, cpus.count, [SYSTEM_CALL], first, endOf(first, vectors));
  }

  /** Named only where it is used: a host without local APICs has none. */
  get object(): number {
    return this.machine.world.object(domainType, 'domain/VECTOR');
  }

  /** What the domain holds for an irq. */
  chip(irq: Irq): ChipData | undefined {
    return this.#chip.get(irq);
  }

  #online(cpus: readonly number[]): readonly number[] {
    return cpus.filter((n) => n < this.#reach && this.cpus.online(n));
  }

  /**
   * x86_vector_alloc_irqs: managed irqs set one vector aside on each CPU of their mask, irqs with a mask get a vector at
   * once, all others a promise. The record that it was set up (vector_setup) comes last.
   */
  *alloc(irq: Irq): Actions<number> {
    const { machine } = this;
    const chip: ChipData = {
      vector: 0,
      cpu: 0,
      prevVector: 0,
      prevCpu: 0,
      moving: false,
      canReserve: false,
      hasReserved: false,
      managed: irq.managed,
      configVector: 0,
      configCpu: 0,
    };
    this.#chip.set(irq, chip);
    let ret = 0;
    if (irq.managed) {
      ret = this.matrix.reserveManaged(irq.affinity);
      machine.emit(vecReserveManaged, irq.object, { ret });
    } else if (irq.affinity.length === 0 && irq.canReserve) this.#reserve(irq, chip);
    else ret = this.#assignAny(irq, chip);
    if (ret < 0) this.#chip.delete(irq);
    machine.emit(vecSetup, irq.object, { legacy: false, ret });
    return ret;
  }

  /** reserve_irq_vector_locked. */
  #reserve(irq: Irq, chip: ChipData): void {
    this.matrix.reserve();
    chip.canReserve = true;
    chip.hasReserved = true;
    this.machine.emit(vecReserve, irq.object, { ret: 0 });
    this.#shutdown(irq, chip);
  }

  /** vector_assign_managed_shutdown: points the irq at the vector that has no handler. */
  #shutdown(irq: Irq, chip: ChipData): void {
    this.#config(irq, chip, SHUTDOWN_VECTOR, this.cpus.onlineCpus()[0] ?? 0);
  }

  #config(irq: Irq, chip: ChipData, vector: number, cpu: number): void {
    chip.configVector = vector;
    chip.configCpu = cpu;
    this.machine.emit(vecConfig, irq.object, { vector, cpu, apicDest: cpu });
  }

  /** chip_data_update: the previous vector stays live until the move is finished, unless its CPU is gone. */
  #update(irq: Irq, chip: ChipData, vector: number, cpu: number): void {
    this.machine.emit(vecUpdate, irq.object, { vector, cpu, prevVector: chip.vector, prevCpu: chip.cpu });
    chip.prevVector = 0;
    if (chip.vector !== 0 && this.cpus.online(chip.cpu)) {
      chip.moving = true;
      chip.prevVector = chip.vector;
      chip.prevCpu = chip.cpu;
    } else if (chip.vector !== 0) this.matrix.free(chip.cpu, chip.vector, chip.managed);
    chip.vector = vector;
    chip.cpu = cpu;
    this.onAssign?.(cpu, vector);
    this.#config(irq, chip, vector, cpu);
  }

  /** assign_vector_locked, assign_managed_vector: a vector on one of these CPUs, or a negative errno. */
  #assign(irq: Irq, chip: ChipData, cpus: readonly number[]): number {
    const { machine } = this;
    const within = chip.managed ? cpus.filter((n) => irq.affinity.includes(n)) : cpus;
    if (chip.vector !== 0 && this.cpus.online(chip.cpu) && within.includes(chip.cpu)) return 0;
    if (chip.moving || chip.prevVector !== 0) return errno.EBUSY;
    if (chip.managed) {
      const slot = this.matrix.allocManaged(within);
      const failed = typeof slot === 'number';
      machine.emit(vecAllocManaged, irq.object, failed ? { vector: 0, ret: slot } : { vector: slot.vector, ret: 0 });
      if (failed) return slot;
      this.#update(irq, chip, slot.vector, slot.cpu);
      return 0;
    }
    const reserved = chip.hasReserved;
    const slot = this.matrix.alloc(within, reserved);
    if (typeof slot === 'number') {
      machine.emit(vecAlloc, irq.object, { vector: 0, reserved, ret: slot });
      return slot;
    }
    machine.emit(vecAlloc, irq.object, { vector: slot.vector, reserved, ret: 0 });
    this.#update(irq, chip, slot.vector, slot.cpu);
    return 0;
  }

  /** assign_irq_vector_any_locked: on a CPU of the mask, else anywhere. */
  #assignAny(irq: Irq, chip: ChipData): number {
    const all = this.#online(this.cpus.onlineCpus());
    const ret = this.#assign(irq, chip, irq.affinity.length > 0 ? this.#online(irq.affinity) : all);
    return ret < 0 && irq.affinity.length > 0 ? this.#assign(irq, chip, all) : ret;
  }

  *free(irq: Irq): Actions {
    const chip = this.#chip.get(irq);
    if (!chip) return;
    this.#clear(irq, chip);
    this.machine.emit(vecTeardown, irq.object, { managed: chip.managed, reserved: chip.hasReserved });
    if (chip.hasReserved) this.matrix.removeReserved();
    if (chip.managed) this.matrix.removeManaged(irq.affinity);
    this.#chip.delete(irq);
  }

  /** clear_irq_vector. */
  #clear(irq: Irq, chip: ChipData): void {
    const { vector, cpu, prevVector, prevCpu, managed } = chip;
    if (vector === 0) return;
    this.machine.emit(vecClear, irq.object, { vector, cpu, prevVector, prevCpu });
    this.matrix.free(cpu, vector, managed);
    chip.vector = 0;
    if (prevVector === 0) return;
    this.matrix.free(prevCpu, prevVector, managed);
    chip.prevVector = 0;
    chip.moving = false;
  }

  *activate(irq: Irq, reserve: boolean): Actions<number> {
    const chip = this.#chip.get(irq);
    if (!chip) return errno.EINVAL;
    const { managed, canReserve } = chip;
    this.machine.emit(vecActivate, irq.object, { managed, canReserve, reserve });
    if (!canReserve && !managed) {
      // The vector that the irq kept is used again; an error is not told to the caller.
      this.#assignAny(irq, chip);
      return 0;
    }
    if (reserve || irq.managedShutdown) {
      this.#shutdown(irq, chip);
      return 0;
    }
    if (managed) {
      const cpus = this.#online(irq.affinity);
      return cpus.length === 0 ? errno.EINVAL : this.#assign(irq, chip, cpus);
    }
    return chip.hasReserved ? this.#activateReserved(irq, chip) : 0;
  }

  /**
   * activate_reserved: the promise becomes a vector. One outside the mask of the irq was taken because the CPUs of that have
   * none left, which the kernel says, or because they are all offline. (Linux does not tell the two apart and says exhaustion
   * for both: fault F22.)
   */
  #activateReserved(irq: Irq, chip: ChipData): number {
    const { machine } = this;
    const ret = this.#assignAny(irq, chip);
    if (ret < 0) return ret;
    chip.hasReserved = false;
    if (!irq.canReserve) chip.canReserve = false;
    if (irq.affinity.length === 0 || irq.affinity.includes(chip.cpu)) return 0;
    const exhausted = this.#online(irq.affinity).length > 0;
    if (exhausted || machine.tamper?.strikes('F22', irq.object))
      machine.emit(message, this.object, { text: `irq ${irq.virq}: Affinity broken due to vector space exhaustion.` });
    return 0;
  }

  *deactivate(irq: Irq): Actions {
    const chip = this.#chip.get(irq);
    if (!chip) return;
    const { managed, canReserve } = chip;
    this.machine.emit(vecDeactivate, irq.object, { managed, canReserve, reserve: false });
    if ((!managed && !canReserve) || chip.hasReserved) return;
    this.#clear(irq, chip);
    if (canReserve) this.#reserve(irq, chip);
    else this.#shutdown(irq, chip);
  }

  compose(irq: Irq): Composed {
    return this.composeFor(this.target(irq));
  }

  /** The message in compatibility format: physical destination, an APIC id of 8 bits, or of 15 where messages reach further. */
  composeFor({ cpu, vector }: Destination): Composed {
    return { address: x86AddressFor(cpu, this.#reach > PLAIN_REACH), data: vector };
  }

  /** Where the irq goes: CPU and vector, the placeholder while it has none. For children of the domain that write it themselves. */
  target(irq: Irq): Destination {
    const chip = this.#chip.get(irq);
    if (!chip || chip.configVector === 0) return { cpu: 0, vector: SHUTDOWN_VECTOR };
    return { cpu: chip.configCpu, vector: chip.configVector };
  }

  destination(irq: Irq): Destination {
    return this.target(irq);
  }

  /** apic_set_affinity. */
  *setAffinity(irq: Irq, cpus: readonly number[]): Actions<AffinityResult> {
    const chip = this.#chip.get(irq);
    if (!chip) return errno.EINVAL;
    if (!irq.activated) return 'done';
    const within = this.#online(cpus);
    if (within.length === 0) return errno.EINVAL;
    const ret = this.#assign(irq, chip, within);
    return ret < 0 ? ret : 'ok';
  }

  /** The first interrupt on the new vector finishes a move (irq_complete_move). */
  ack(irq: Irq, cpu: number): void {
    const chip = this.#chip.get(irq);
    if (!chip?.moving || chip.cpu !== cpu || this.#stuck === irq) return;
    if (cpu === STUCK_ON && this.machine.tamper?.strikes('F26', undefined)) this.#stuck = irq;
    else this.complete(irq);
  }

  /** Schedules the cleanup of the previous vector (vector_schedule_cleanup); with remapping called once the IRTE is written. */
  complete(irq: Irq): void {
    const chip = this.#chip.get(irq);
    if (!chip?.moving) return;
    chip.moving = false;
    if (this.cpus.online(chip.prevCpu) && !this.#hasty(irq, chip)) this.#schedule(irq, chip);
    else this.#freeMoved(irq, chip);
  }

  /** A planted fault: the previous vector is freed from the new CPU, at once, although an interrupt waits on it. */
  #hasty(irq: Irq, { prevCpu, prevVector }: ChipData): boolean {
    const { tamper, state } = this.machine;
    if (tamper === undefined || !this.cpus.requested(prevCpu, prevVector)) return false;
    return tamper.spoils('F24', vectorObject(state, prevCpu, prevVector)) || tamper.strikes('F25', irq.object);
  }

  #schedule(irq: Irq, chip: ChipData): void {
    const { machine } = this;
    const { prevCpu, prevVector } = chip;
    const actor = this.cpus.actor(prevCpu);
    const due = (): boolean =>
      this.#chip.get(irq) === chip && !chip.moving && chip.prevVector === prevVector && chip.prevCpu === prevCpu;
    const clean = (): void => {
      if (!due()) return;
      // "Moved interrupt pending in old target APIC": it is tried again later.
      if (this.cpus.requested(prevCpu, prevVector)) this.#schedule(irq, chip);
      else this.#freeMoved(irq, chip);
    };
    /** The old CPU does it when it is out of its handlers: they run with interrupts disabled. */
    const outside = (what: () => void) => (): void => {
      if (this.cpus.busy(prevCpu)) machine.after(SPIN, actor, outside(what));
      else what();
    };
    if (this.#cleanup === 'timer') {
      machine.after(this.#late(irq, prevCpu) ? LATE : CLEANUP, actor, outside(clean));
      return;
    }
    const target = cpuObject(machine.state, prevCpu);
    machine.emit(ipiSend, target, { targets: String(prevCpu), reason: 'irq move cleanup' });
    machine.after(
      IPI,
      actor,
      outside(() => {
        machine.emit(ipiEntry, target, { reason: 'irq move cleanup' });
        clean();
        machine.emit(ipiExit, target, { reason: 'irq move cleanup' });
      }),
    );
  }

  /** Planted faults: the timer of a clean-up comes late, and the vector is taken meanwhile. CPU 0 and CPU 1 are those that fill. */
  #late(irq: Irq, prevCpu: number): boolean {
    const { tamper } = this.machine;
    if (prevCpu > 1 || tamper === undefined) return false;
    return tamper.spoils(prevCpu === 1 ? 'F21' : 'F23', irq.object);
  }

  /** free_moved_vector. */
  #freeMoved(irq: Irq, chip: ChipData): void {
    const { prevCpu, prevVector, managed } = chip;
    this.machine.emit(vecFreeMoved, irq.object, { cpu: prevCpu, vector: prevVector, managed });
    if (prevCpu !== LEAKS_ON || !this.machine.tamper?.strikes('F20-count', undefined))
      this.matrix.free(prevCpu, prevVector, managed);
    chip.prevVector = 0;
    chip.moving = false;
  }

  /** irq_force_complete_move: a CPU that takes part in a move dies; nothing is waited for. Whether there was one in progress. */
  forceComplete(irq: Irq, dying: number): boolean {
    const chip = this.#chip.get(irq);
    if (!chip || chip.prevVector === 0 || (chip.prevCpu !== dying && chip.cpu !== dying)) return false;
    const { moving } = chip;
    if (this.machine.tamper?.spoils('F20', irq.object)) {
      chip.prevVector = 0;
      chip.moving = false;
    } else this.#freeMoved(irq, chip);
    return moving;
  }

  /** Brings every CPU's vector map online, as the boot of the kernel does. */
  boot(): void {
    for (let n = 0; n < this.cpus.count; n++)
      this.machine.as(this.cpus.actor(n), () => {
        this.cpus.setOnline(n, true);
        this.matrix.online(n);
      });
  }
}
