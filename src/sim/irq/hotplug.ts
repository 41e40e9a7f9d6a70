import { cpuState } from '../../model/events/cpu.ts';
import { message } from '../../model/events/notes.ts';
import { cpuObject } from '../../model/events/places.ts';
import type { Actions, Machine } from '../machine.ts';
import type { Cpus } from './cpus.ts';
import { errno, type Irq } from './domain.ts';
import type { IrqCore } from './irq-core.ts';
import type { VectorDomain } from './vector-domain.ts';

/** Nanoseconds for which a CPU that stopped waits for messages on their way to it (the mdelay(1) of fixup_irqs). */
const SETTLE = 1_000_000;
/** Nanoseconds between two looks whether the handler that runs has ended. */
const LOOK = 200;

/** Takes processors offline and online, and their interrupts with them: 0 or a negative errno. */
export interface CpuHotplug {
  offline(cpu: number): Actions<number>;
  online(cpu: number): Actions<number>;
}

/** Takes processors of an x86 host offline and online, and their interrupts with them (arch/x86/kernel/irq.c, cpuhotplug.c). */
export class Hotplug implements CpuHotplug {
  readonly machine: Machine;
  readonly #cpus: Cpus;
  readonly #vectors: VectorDomain;
  readonly #core: IrqCore;
  /** One CPU at a time (cpu_add_remove_lock). */
  #at = -1;

  constructor(machine: Machine, cpus: Cpus, vectors: VectorDomain, core: IrqCore) {
    this.machine = machine;
    this.#cpus = cpus;
    this.#vectors = vectors;
    this.#core = core;
  }

  #say(text: string): void {
    this.machine.emit(message, this.#vectors.object, { text });
  }

  #refuse(cpu: number, online: boolean, ret: number): number {
    this.machine.emit(cpuState, cpuObject(this.machine.state, cpu), { online, ret });
    return ret;
  }

  /** Takes a CPU offline: 0; -EBUSY when it is the last; -ENOSPC when the others have no room for its vectors. */
  *offline(cpu: number): Actions<number> {
    return yield* this.#alone(cpu, this.#offline(cpu));
  }

  *#alone(cpu: number, what: Actions<number>): Actions<number> {
    while (this.#at >= 0) yield SETTLE;
    this.#at = cpu;
    const ret = yield* this.machine.within(this.#cpus.actor(cpu), what);
    this.#at = -1;
    return ret;
  }

  *#offline(cpu: number): Actions<number> {
    const cpus = this.#cpus;
    const { matrix } = this.#vectors;
    if (!cpus.online(cpu)) return this.#refuse(cpu, false, errno.EINVAL);
    if (cpus.stopped(cpu)) {
      this.#say(`CPU ${cpu} executes nothing since an INIT reset it: it cannot be taken offline`);
      return this.#refuse(cpu, false, errno.EBUSY);
    }
    if (cpus.onlineCpus().length === 1) return this.#refuse(cpu, false, errno.EBUSY);
    const tomove = matrix.movable(cpu);
    const room = matrix.availableBeside(cpu);
    if (room < tomove) {
      this.#say(`CPU ${cpu} has ${tomove} vectors, ${room} available. Cannot disable CPU`);
      return this.#refuse(cpu, false, errno.ENOSPC);
    }
    if (room < matrix.globalReserved)
      this.#say(`Reserved vectors ${matrix.globalReserved} > available ${room}. IRQ request may fail`);
    cpus.close(cpu, true);
    while (cpus.busy(cpu)) yield LOOK;
    cpus.setOnline(cpu, false);
    /** Whose vectors those of the dying CPU were. */
    const was = new Map<number, Irq>();
    for (const irq of this.#core.irqs.values()) {
      const chip = this.#vectors.chip(irq);
      if (chip?.cpu === cpu && chip.vector !== 0) was.set(chip.vector, irq);
      yield* this.#core.locked(irq, this.#migrate(irq, cpu));
    }
    yield SETTLE;
    // What arrived meanwhile is raised again where its irq went; what belongs to no irq ends with the local APIC.
    for (const vector of cpus.pendingOn(cpu)) {
      const irq = was.get(vector);
      if (irq?.started) this.#core.mover.retrigger(irq, cpu, vector);
    }
    matrix.offline(cpu);
    cpus.reset(cpu);
    return 0;
  }

  /** migrate_one_irq: away from the CPU, or shut down when it is managed and this was its last. */
  *#migrate(irq: Irq, dying: number): Actions {
    const vectors = this.#vectors;
    if (vectors.forceComplete(irq, dying))
      this.#say(`IRQ fixup: irq ${irq.virq} move in progress: its previous vector was released`);
    const chip = vectors.chip(irq);
    if (!chip || chip.vector === 0 || chip.cpu !== dying || !irq.started) {
      if (irq.pendingAffinity?.every((n) => !this.#cpus.online(n))) irq.pendingAffinity = undefined;
      return;
    }
    const wished = irq.pendingAffinity ?? irq.affinity;
    irq.pendingAffinity = undefined;
    const left = wished.filter((n) => this.#cpus.online(n));
    if (left.length === 0 && irq.managed) {
      yield* this.#core.shutdownManaged(irq);
      return;
    }
    const all = this.#cpus.onlineCpus();
    const broken = left.length === 0 && wished.length > 0;
    const mask = irq.domain.parent?.movesDeferred === true && !irq.masked;
    if (mask) yield* this.#core.setMask(irq, true);
    let ret = yield* this.#core.mover.move(irq, left.length === 0 ? all : wished, 'hotplug');
    if (ret === errno.ENOSPC && !irq.managed && !broken) ret = yield* this.#core.mover.move(irq, all, 'hotplug');
    if (ret < 0) this.#say(`IRQ${irq.virq}: set affinity failed(${ret}).`);
    if (mask) yield* this.#core.setMask(irq, false);
  }

  /** Brings a CPU online: its vector map, then the managed interrupts that waited for it. */
  *online(cpu: number): Actions<number> {
    return yield* this.#alone(cpu, this.#online(cpu));
  }

  *#online(cpu: number): Actions<number> {
    if (this.#cpus.online(cpu)) return this.#refuse(cpu, true, errno.EINVAL);
    this.#cpus.setOnline(cpu, true);
    const step = this.machine.recorder.length - 1;
    this.#vectors.matrix.online(cpu);
    this.#core.mover.emptied(cpu);
    this.#cpus.close(cpu, false);
    for (const irq of this.#core.irqs.values())
      if (irq.managedShutdown && irq.affinity.includes(cpu) && !this.machine.tamper?.strikes('F27', irq.object, step))
        yield* this.#core.locked(irq, this.#core.startManaged(irq));
    return 0;
  }
}
