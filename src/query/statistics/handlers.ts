import type { ObjectId } from '../../base/ids.ts';
import type { PathNode } from '../../model/namespace.ts';
import type { Group } from './group.ts';
import type { Measured } from './samples.ts';

/** A handler that runs. */
interface Running {
  readonly irq: ObjectId;
  readonly since: number;
  /** The groups that its time counts for; none where the trace cannot tell them. */
  readonly group: Group | undefined;
}

/**
 * The handlers that run, by CPU. A handler returns on the CPU on which it started, and the one that started last returns first: what
 * another exit shows to have ended without a record gives no time. A record without a CPU is of no handler that can be told.
 */
export class Handlers {
  /** By the node that holds the irqs of a kernel, then by CPU. */
  readonly #kernels = new Map<PathNode, Map<number, Running[]>>();

  /** A handler starts. */
  begin(irqs: PathNode, cpu: number, running: Running): void {
    if (cpu < 0) return;
    let cpus = this.#kernels.get(irqs);
    if (cpus === undefined) this.#kernels.set(irqs, (cpus = new Map()));
    const stack = cpus.get(cpu);
    if (stack === undefined) {
      cpus.set(cpu, [running]);
      return;
    }
    // An irq does not interrupt itself on its CPU: the exit of the one before has no record.
    const before = stack.findIndex(({ irq }) => irq === running.irq);
    if (before >= 0) stack.length = before;
    stack.push(running);
  }

  /** A handler returns: adds its time to its group. */
  end(irqs: PathNode, cpu: number, irq: ObjectId, now: number, clock: Measured | undefined): void {
    const stack = cpu < 0 ? undefined : this.#kernels.get(irqs)?.get(cpu);
    if (stack === undefined) return;
    const at = stack.findLastIndex((running) => running.irq === irq);
    if (at < 0) return;
    const { since, group } = stack[at]!;
    stack.length = at;
    group?.service.add(now - since, clock);
  }

  /** Records of a CPU are missing (-1: of any CPU): whatever ran there may have ended. */
  lose(cpu: number): void {
    for (const cpus of this.#kernels.values()) {
      if (cpu < 0) cpus.clear();
      else cpus.delete(cpu);
    }
  }
}
