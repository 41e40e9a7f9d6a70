import { cpuState } from '../../model/events/cpu.ts';
import { cpuObject } from '../../model/events/places.ts';
import type { Cpus } from '../irq/cpus.ts';
import { errno, type Irq } from '../irq/domain.ts';
import type { CpuHotplug } from '../irq/hotplug.ts';
import type { IrqCore } from '../irq/irq-core.ts';
import type { Actions, Machine } from '../machine.ts';

/** Nanoseconds between two looks whether another CPU is done. */
const WAIT = 10_000;

/** What the controller of a host does when a CPU goes or comes. */
export interface Controller {
  /** The CPU that an irq goes to, -1 while it goes to none. */
  target(irq: Irq): number;
  /** A CPU comes online; what pended there meanwhile is taken. */
  comes(cpu: number): void;
  /** A CPU is about to go offline. */
  leaves?(cpu: number): void;
}

/**
 * Takes processors of an Arm host, or of one with IMSIC, offline and online (kernel/irq/cpuhotplug.c, irq-gic-v3-its.c): interrupts move to
 * another CPU and keep their pending state, managed ones are shut down with their last CPU. With an ITS the collection of the CPU
 * that left stays mapped; when it comes back it is mapped again.
 */
export class ArmHotplug implements CpuHotplug {
  readonly machine: Machine;
  readonly #cpus: Cpus;
  readonly #core: IrqCore;
  readonly #controller: Controller;
  /** One CPU at a time (cpu_add_remove_lock). */
  #taken = false;

  constructor(machine: Machine, cpus: Cpus, core: IrqCore, controller: Controller) {
    this.machine = machine;
    this.#cpus = cpus;
    this.#core = core;
    this.#controller = controller;
  }

  #refuse(cpu: number, online: boolean, ret: number): number {
    this.machine.emit(cpuState, cpuObject(this.machine.state, cpu), { online, ret });
    return ret;
  }

  *#alone(cpu: number, what: Actions<number>): Actions<number> {
    while (this.#taken) yield WAIT;
    this.#taken = true;
    const ret = yield* this.machine.within(this.#cpus.actor(cpu), what);
    this.#taken = false;
    return ret;
  }

  /** Takes a CPU offline: 0, or -EBUSY when it is the last. */
  *offline(cpu: number): Actions<number> {
    return yield* this.#alone(cpu, this.#offline(cpu));
  }

  *#offline(cpu: number): Actions<number> {
    if (!this.#cpus.online(cpu)) return this.#refuse(cpu, false, errno.EINVAL);
    if (this.#cpus.onlineCpus().length === 1) return this.#refuse(cpu, false, errno.EBUSY);
    this.#cpus.setOnline(cpu, false);
    this.#controller.leaves?.(cpu);
    for (const irq of [...this.#core.irqs.values()])
      if (this.#controller.target(irq) === cpu) yield* this.#core.locked(irq, this.#migrate(irq));
    return 0;
  }

  /** migrate_one_irq: to another CPU of its mask, to any when there is none, or shut down when it is managed. */
  *#migrate(irq: Irq): Actions {
    const left = irq.affinity.filter((n) => this.#cpus.online(n));
    if (left.length === 0 && irq.managed) yield* this.#core.shutdownManaged(irq);
    else yield* this.#core.mover.move(irq, left.length === 0 ? this.#cpus.onlineCpus() : left, 'hotplug');
  }

  /** Brings a CPU online: its collection, then the managed interrupts that waited for it. */
  *online(cpu: number): Actions<number> {
    return yield* this.#alone(cpu, this.#online(cpu));
  }

  *#online(cpu: number): Actions<number> {
    if (this.#cpus.online(cpu)) return this.#refuse(cpu, true, errno.EINVAL);
    this.#cpus.setOnline(cpu, true);
    this.#controller.comes(cpu);
    for (const irq of this.#core.irqs.values())
      if (irq.managedShutdown && irq.affinity.includes(cpu))
        yield* this.#core.locked(irq, this.#core.startManaged(irq));
    return 0;
  }
}
