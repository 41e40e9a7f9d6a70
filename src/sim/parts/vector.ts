import {
  SHUTDOWN_VECTOR,
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
} from '../../model/events/irq.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import type { Machine, Proc } from '../machine.ts';
import type { Cpus } from './cpus.ts';
import { type AffinityResult, type Composed, type Domain, errno, type Irq } from './domain.ts';
import { VectorMatrix } from './matrix.ts';

/** What the vector domain holds for an irq (struct apic_chip_data). */
export interface ChipData {
  vector: number;
  cpu: number;
  prevVector: number;
  prevCpu: number;
  moving: boolean;
  canReserve: boolean;
  hasReserved: boolean;
  managed: boolean;
}

/** Nanoseconds until the previous vector of a finished move is cleaned up (one jiffy at HZ=1000). */
const CLEANUP = 1_000_000;

/** The x86 vector domain (arch/x86/kernel/apic/vector.c): vectors from the matrix, moves, cleanup. */
export class VectorDomain implements Domain {
  readonly name = 'VECTOR';
  readonly parent = undefined;
  readonly object: number;
  readonly machine: Machine;
  readonly cpus: Cpus;
  readonly matrix: VectorMatrix;
  readonly #chip = new Map<Irq, ChipData>();
  /** Whether moves finish by themselves once the IRTE is written (with remapping), or at the first interrupt on the new vector. */
  remapped = false;

  constructor(machine: Machine, cpus: Cpus) {
    this.machine = machine;
    this.cpus = cpus;
    this.matrix = new VectorMatrix(machine, cpus.count);
    this.object = machine.world.object(domainType, 'domain/VECTOR');
  }

  /** What the domain holds for an irq. */
  chip(irq: Irq): ChipData | undefined {
    return this.#chip.get(irq);
  }

  #mask(irq: Irq): readonly number[] {
    return irq.affinity.length > 0 ? irq.affinity : this.cpus.onlineCpus();
  }

  *alloc(irq: Irq): Proc<number> {
    const { machine } = this;
    const chip: ChipData = {
      vector: 0,
      cpu: 0,
      prevVector: 0,
      prevCpu: 0,
      moving: false,
      canReserve: irq.canReserve && !irq.managed,
      hasReserved: false,
      managed: irq.managed,
    };
    machine.emit(vecSetup, irq.object, { legacy: false, ret: 0 });
    this.#chip.set(irq, chip);
    let ret = 0;
    if (irq.managed) {
      ret = this.matrix.reserveManaged(irq.affinity);
      machine.emit(vecReserveManaged, irq.object, { ret });
      if (ret === 0) this.#update(irq, chip, SHUTDOWN_VECTOR, 0);
    } else if (irq.canReserve && irq.affinity.length === 0) {
      this.matrix.reserve();
      chip.hasReserved = true;
      machine.emit(vecReserve, irq.object, { ret: 0 });
      this.#configure(irq, chip, SHUTDOWN_VECTOR, 0);
    } else {
      ret = this.#assign(irq, chip, this.#mask(irq), false);
    }
    if (ret < 0) this.#chip.delete(irq);
    return ret;
  }

  /** Points the irq at a vector that nothing handles, until it gets a real one. */
  #configure(irq: Irq, chip: ChipData, vector: number, cpu: number): void {
    if (vector === SHUTDOWN_VECTOR) {
      chip.vector = 0;
      chip.cpu = cpu;
    }
    this.machine.emit(vecConfig, irq.object, { vector, cpu, apicDest: cpu });
  }

  #update(irq: Irq, chip: ChipData, vector: number, cpu: number): void {
    const live = chip.vector !== 0 && chip.vector !== SHUTDOWN_VECTOR && this.cpus.online(chip.cpu);
    this.machine.emit(vecUpdate, irq.object, {
      vector,
      cpu,
      prevVector: chip.vector,
      prevCpu: chip.cpu,
    });
    if (live) {
      chip.prevVector = chip.vector;
      chip.prevCpu = chip.cpu;
      chip.moving = true;
    } else {
      chip.prevVector = 0;
    }
    chip.vector = vector;
    chip.cpu = cpu;
    this.machine.emit(vecConfig, irq.object, { vector, cpu, apicDest: cpu });
  }

  #assign(irq: Irq, chip: ChipData, cpus: readonly number[], reserved: boolean): number {
    const { machine } = this;
    // An irq whose vector is still good for the mask keeps it (assign_vector_locked).
    if (chip.vector !== 0 && chip.vector !== SHUTDOWN_VECTOR && this.cpus.online(chip.cpu) && cpus.includes(chip.cpu))
      return 0;
    if (chip.moving || chip.prevVector !== 0) return errno.EBUSY;
    const slot = chip.managed ? this.matrix.allocManaged(cpus) : this.matrix.alloc(cpus, reserved);
    if (typeof slot === 'number') {
      machine.emit(chip.managed ? vecAllocManaged : vecAlloc, irq.object, {
        vector: 0,
        ...(chip.managed ? {} : { reserved }),
        ret: slot,
      });
      return slot;
    }
    if (chip.managed) machine.emit(vecAllocManaged, irq.object, { vector: slot.vector, ret: 0 });
    else machine.emit(vecAlloc, irq.object, { vector: slot.vector, reserved, ret: 0 });
    if (reserved) chip.hasReserved = false;
    this.#update(irq, chip, slot.vector, slot.cpu);
    return 0;
  }

  *free(irq: Irq): Proc {
    const chip = this.#chip.get(irq);
    if (!chip) return;
    this.#clear(irq, chip);
    if (chip.managed) this.matrix.removeManaged(irq.affinity);
    else if (chip.hasReserved) this.matrix.removeReserved();
    this.machine.emit(vecTeardown, irq.object, { managed: chip.managed, reserved: chip.hasReserved });
    this.#chip.delete(irq);
  }

  #clear(irq: Irq, chip: ChipData): void {
    if (chip.vector === 0 || chip.vector === SHUTDOWN_VECTOR) return;
    this.machine.emit(vecClear, irq.object, {
      vector: chip.vector,
      cpu: chip.cpu,
      prevVector: chip.prevVector,
      prevCpu: chip.prevCpu,
    });
    this.matrix.free(chip.cpu, chip.vector, chip.managed);
    chip.vector = 0;
    if (chip.prevVector !== 0) {
      this.matrix.free(chip.prevCpu, chip.prevVector, chip.managed);
      chip.prevVector = 0;
      chip.moving = false;
    }
  }

  *activate(irq: Irq, reserve: boolean): Proc<number> {
    const chip = this.#chip.get(irq);
    if (!chip) return errno.EINVAL;
    this.machine.emit(vecActivate, irq.object, { managed: chip.managed, canReserve: chip.canReserve, reserve });
    if (!chip.canReserve && !chip.managed) {
      // The vector that the irq kept is used again; an error is not told to the caller (x86_vector_activate).
      this.#assign(irq, chip, this.#mask(irq), false);
      return 0;
    }
    if (chip.managed || (!reserve && chip.hasReserved)) {
      if (chip.managed && reserve) return 0;
      const mask = this.#mask(irq);
      let ret = this.#assign(irq, chip, mask, chip.hasReserved);
      if (ret < 0 && !chip.managed) ret = this.#assign(irq, chip, this.cpus.onlineCpus(), chip.hasReserved);
      return ret;
    }
    if (reserve) this.#configure(irq, chip, SHUTDOWN_VECTOR, 0);
    return 0;
  }

  *deactivate(irq: Irq): Proc {
    const chip = this.#chip.get(irq);
    if (!chip) return;
    const { managed, canReserve } = chip;
    this.machine.emit(vecDeactivate, irq.object, { managed, canReserve, reserve: false });
    if (!managed && !canReserve) return;
    if (chip.hasReserved) return;
    this.#clear(irq, chip);
    if (canReserve) {
      this.matrix.reserve();
      chip.hasReserved = true;
      this.machine.emit(vecReserve, irq.object, { ret: 0 });
    }
    this.#configure(irq, chip, SHUTDOWN_VECTOR, 0);
  }

  compose(irq: Irq): Composed {
    const chip = this.#chip.get(irq);
    const vector = chip && chip.vector !== 0 ? chip.vector : SHUTDOWN_VECTOR;
    return { address: 0xfee00000 + (((chip?.cpu ?? 0) & 0xff) << 12), data: vector };
  }

  /** Where the irq goes: CPU and vector, the placeholder while it has none. For parents' children that write it themselves. */
  target(irq: Irq): { readonly cpu: number; readonly vector: number } {
    const chip = this.#chip.get(irq);
    return { cpu: chip?.cpu ?? 0, vector: chip && chip.vector !== 0 ? chip.vector : SHUTDOWN_VECTOR };
  }

  *setAffinity(irq: Irq, cpus: readonly number[]): Proc<AffinityResult> {
    const chip = this.#chip.get(irq);
    if (!chip) return errno.EINVAL;
    const online = cpus.filter((n) => this.cpus.online(n));
    if (online.length === 0) return errno.EINVAL;
    if (!irq.activated) return 'done';
    const ret = this.#assign(irq, chip, online, false);
    return ret < 0 ? ret : 'ok';
  }

  /** The first interrupt on the new vector finishes a move (irq_complete_move). */
  ack(irq: Irq, cpu: number): void {
    const chip = this.#chip.get(irq);
    if (chip?.moving && chip.cpu === cpu) this.complete(irq);
  }

  /** Schedules the cleanup of the previous vector (vector_schedule_cleanup). */
  complete(irq: Irq): void {
    const chip = this.#chip.get(irq);
    if (!chip?.moving) return;
    chip.moving = false;
    const { prevCpu } = chip;
    this.machine.after(CLEANUP, this.cpus.actor(prevCpu), () => this.#cleanup(irq, chip));
  }

  #cleanup(irq: Irq, chip: ChipData): void {
    if (chip.prevVector === 0 || this.#chip.get(irq) !== chip) return;
    if (this.cpus.requested(chip.prevCpu, chip.prevVector)) {
      // "Moved interrupt pending in old target APIC": try again later.
      this.machine.after(CLEANUP, this.cpus.actor(chip.prevCpu), () => this.#cleanup(irq, chip));
      return;
    }
    const { prevCpu, prevVector, managed } = chip;
    this.machine.emit(vecFreeMoved, irq.object, { cpu: prevCpu, vector: prevVector, managed });
    this.matrix.free(prevCpu, prevVector, managed);
    chip.prevVector = 0;
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
