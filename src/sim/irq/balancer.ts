import type { Actions } from '../machine.ts';
import type { Cpus } from './cpus.ts';
import type { Irq } from './domain.ts';
import type { IrqCore } from './irq-core.ts';
import type { VectorDomain } from './vector-domain.ts';

/**
 * irqbalance: in each round it moves interrupts from CPUs that have more of them than others. It leaves those alone whose drivers keep them on a
 * CPU (affinity_hint with the exact policy), and managed ones.
 */
export class Balancer {
  readonly #core: IrqCore;
  readonly #cpus: Cpus;
  readonly #vectors: VectorDomain;
  /** A planted fault: the irq that it does not leave alone. */
  #meddles: Irq | undefined;

  constructor(core: IrqCore, cpus: Cpus, vectors: VectorDomain) {
    this.#core = core;
    this.#cpus = cpus;
    this.#vectors = vectors;
  }

  #cpuOf(irq: Irq): number {
    return irq.started ? (this.#vectors.chip(irq)?.cpu ?? -1) : -1;
  }

  #mayMove(irq: Irq): boolean {
    if (irq.managed || !irq.started) return false;
    if (irq.pinned === undefined) return true;
    if (this.#meddles === undefined && this.#core.machine.tamper?.spoils('F84', irq.object)) this.#meddles = irq;
    return this.#meddles === irq;
  }

  /** One round. */
  *round(): Actions {
    const all = [...this.#core.irqs.values()];
    const load = (cpu: number): number => all.filter((irq) => this.#cpuOf(irq) === cpu).length;
    for (const irq of all) {
      if (!this.#mayMove(irq)) continue;
      const online = this.#cpus.onlineCpus();
      const least = online.reduce((best, cpu) => (load(cpu) < load(best) ? cpu : best), online[0] ?? 0);
      if (load(this.#cpuOf(irq)) - load(least) > 1) yield* this.#core.setAffinity(irq.virq, [least], 'user');
    }
  }
}
