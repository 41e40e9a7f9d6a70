import { listOf } from '../../base/cpu-list.ts';
import { domCompose } from '../../model/events/domain.ts';
import { irqAffinity } from '../../model/events/irq.ts';
import { SHUTDOWN_VECTOR, vectorObject } from '../../model/events/places.ts';
import { vector as vectorType } from '../../model/things/irq.ts';
import type { Actions, Machine } from '../machine.ts';
import type { Cpus } from './cpus.ts';
import { type Composed, chain, errno, type Irq } from './domain.ts';

/** What a mover needs of its irq core. */
export interface MoverHost {
  readonly machine: Machine;
  /** Composes the message of an irq again and stores it; a negative errno when that fails. */
  compose(irq: Irq, by: string): Actions<number>;
  /** Hands a message to the domain that stores. */
  storeMessage(irq: Irq, message: Composed, by: string): Actions;
  setMask(irq: Irq, masked: boolean): Actions;
}

/** Moves the irqs of a kernel between CPUs, domain by domain (kernel/irq/manage.c, migration.c; arch/x86 msi.c). */
export class IrqMover {
  readonly #core: MoverHost;
  /** How messages that name CPU and vector are rewritten. */
  strategy: 'direct' | 'twoStep' = 'direct';
  /** The CPUs of the kernel, where they are known. */
  cpus: Cpus | undefined;
  /** How many CPUs the kernel has (nr_cpu_ids): a mask that names others is none. */
  possible: number = Number.POSITIVE_INFINITY;
  /** Vectors of nobody that were raised again elsewhere (VECTOR_RETRIGGERED): what still comes there is ignored. As CPU * 256 + vector. */
  readonly #retriggered = new Set<number>();

  constructor(core: MoverHost) {
    this.#core = core;
  }

  /** Whether any of these CPUs is online, as far as is known. */
  online(cpus: readonly number[]): boolean {
    const known = this.cpus;
    return cpus.some((n) => known === undefined || known.online(n));
  }

  /** Whether an interrupt on a vector without a handler was raised again elsewhere (VECTOR_RETRIGGERED). The answer is given once. */
  ignored(cpu: number, vector: number): boolean {
    return this.#retriggered.delete(cpu * 256 + vector);
  }

  /** Marks a vector as raised again elsewhere, where it belongs to no irq: one with a handler is served by that. */
  #ignore(cpu: number, vector: number): void {
    const { state } = this.#core.machine;
    if (state.num(vectorObject(state, cpu, vector), vectorType.at.irq) < 0) this.#retriggered.add(cpu * 256 + vector);
  }

  /** A vector belongs to an irq now (apic_update_vector): the mark is gone. */
  assigned(cpu: number, vector: number): void {
    this.#retriggered.delete(cpu * 256 + vector);
  }

  /** The vectors of a CPU that comes online are empty (lapic_online). */
  emptied(cpu: number): void {
    for (const at of this.#retriggered) if (Math.floor(at / 256) === cpu) this.#retriggered.delete(at);
  }

  /**
   * irq_set_affinity(): 0 or a negative errno. User space (`by` is `user`) may not move managed irqs (EPERM). A mask that names a CPU which is
   * not there is none (ERANGE, bitmap_parselist); one without an online CPU is no place to go (EINVAL). `force` writes the message even when the parent says it need not (S3-10).
   */
  *set(irq: Irq, cpus: readonly number[], by: string, force: boolean): Actions<number> {
    const { machine } = this.#core;
    const mask = listOf(cpus);
    const refused = this.#refusal(irq, cpus, by);
    if (refused < 0) {
      machine.emit(irqAffinity, irq.object, { mask, ret: refused });
      return refused;
    }
    if (!irq.activated) {
      // Taken over when the irq is activated (irqd_affinity_on_activate).
      machine.emit(irqAffinity, irq.object, { mask });
      irq.affinity = cpus;
      return 0;
    }
    if (irq.domain.parent?.movesDeferred === true && irq.domain.atomic !== true && !force) {
      machine.emit(irqAffinity, irq.object, { mask, deferred: true });
      irq.pendingAffinity = cpus;
      return 0;
    }
    machine.emit(irqAffinity, irq.object, { mask });
    const ret = yield* this.#moveOrWait(irq, cpus, by, force);
    if (ret >= 0 && by !== 'driver') irq.onMove?.();
    return ret;
  }

  /** Why a mask is not taken: a negative errno, in the order of write_irq_affinity(). */
  #refusal(irq: Irq, cpus: readonly number[], by: string): number {
    if (irq.managed && by === 'user') return errno.EPERM;
    if (cpus.some((n) => n >= this.possible)) return errno.ERANGE;
    return this.online(cpus) ? 0 : errno.EINVAL;
  }

  /** Moves now; while the vector domain still cleans up (EBUSY) the next interrupt tries again. */
  *#moveOrWait(irq: Irq, cpus: readonly number[], by: string, force: boolean): Actions<number> {
    const ret = yield* this.move(irq, cpus, by, force);
    if (ret >= 0) return ret;
    const mask = listOf(cpus);
    if (ret === errno.EBUSY) irq.pendingAffinity = cpus;
    this.#core.machine.emit(
      irqAffinity,
      irq.object,
      ret === errno.EBUSY ? { mask, deferred: true, ret } : { mask, ret },
    );
    return ret;
  }

  /** irq_move_irq(): does a deferred move in the interrupt; the entry is masked around the write. */
  *movePending(irq: Irq): Actions {
    const cpus = irq.pendingAffinity;
    if (cpus === undefined || !irq.started) return;
    irq.pendingAffinity = undefined;
    const { masked } = irq;
    // A planted fault: the kernel believes that the entry is masked.
    const { tamper } = this.#core.machine;
    if (!masked && (tamper?.strikes('F05', undefined) || tamper?.strikes('F06', undefined))) irq.masked = true;
    else if (!masked) yield* this.#core.setMask(irq, true);
    yield* this.#moveOrWait(irq, cpus, 'move', false);
    // A planted fault: the kernel goes on and leaves the entry masked.
    if (!masked && !tamper?.spoils('R12', irq.device.entry(irq.hwirq))) yield* this.#core.setMask(irq, false);
  }

  /** irq_do_set_affinity(): asks the first domain from the device on that can move, and writes the message if that is needed. */
  *move(irq: Irq, cpus: readonly number[], by: string, force = false): Actions<number> {
    for (const domain of chain(irq.domain)) {
      if (!domain.setAffinity) continue;
      const before = domain.destination?.(irq);
      const result = yield* domain.setAffinity(irq, cpus);
      if (typeof result === 'number') return result;
      // The mask of an irq that never had one stays empty: any CPU is allowed.
      if (by !== 'hotplug' || irq.affinity.length > 0) irq.affinity = cpus;
      if (result === 'done' && !force) return 0;
      const after = domain.destination?.(irq);
      const safe =
        this.strategy === 'direct' ||
        before === undefined ||
        after === undefined ||
        !irq.started ||
        before.vector === SHUTDOWN_VECTOR ||
        before.vector === after.vector ||
        before.cpu === after.cpu;
      if (safe || !domain.composeFor) return yield* this.#core.compose(irq, by);
      const between = { cpu: before.cpu, vector: after.vector };
      const message = domain.composeFor(between);
      this.#ignore(between.cpu, between.vector);
      this.#core.machine.emit(domCompose, irq.object, { domain: domain.name, ...message });
      yield* this.#core.storeMessage(irq, message, by);
      const ret = yield* this.#core.compose(irq, by);
      if (this.cpus?.requested(between.cpu, between.vector)) this.retrigger(irq, between.cpu, between.vector);
      return ret;
    }
    return errno.EINVAL;
  }

  /** An interrupt waits in an IRR where no handler will take it: it is raised again where the irq is now (irq_retrigger). */
  retrigger(irq: Irq, cpu: number, vector: number): void {
    for (const domain of chain(irq.domain)) {
      const target = domain.destination?.(irq);
      if (!target || target.vector === SHUTDOWN_VECTOR || !this.cpus) continue;
      this.#ignore(cpu, vector);
      this.cpus.resend(cpu, vector, target.cpu, target.vector);
      return;
    }
  }
}
