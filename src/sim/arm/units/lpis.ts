import { FIRST_LPI } from '../../../model/registers/its.ts';
import type { Irq } from '../../irq/domain.ts';

/** What the driver of the ITS holds for a device (struct its_device). */
export interface ItsFunction {
  readonly id: number;
  readonly firstLpi: number;
  readonly events: number;
  /** EventIDs in use, by irq or as the old one of a move. */
  readonly taken: Set<number>;
}

/** Where a forwarded interrupt goes (struct its_vlpi_map). */
export interface VirtualTarget {
  readonly vpe: number;
  readonly vlpi: number;
  /** LPI for while the vPE is not resident, 1023 none. */
  readonly doorbell: number;
}

/** What it holds for an irq. */
export interface ItsIrq {
  readonly of: ItsFunction;
  event: number;
  cpu: number;
  mapped: boolean;
  /** EventID that a move left behind, -1: none; and the CPU that it leads to. */
  previous: number;
  previousCpu: number;
  /** The virtual LPI that it is instead; undefined: a physical one. */
  virtual: VirtualTarget | undefined;
}

/** What all ITSs of a host share: the LPIs (its_lpi_alloc), the count of each CPU (cpu_lpi_count), and memory for tables. */
export class LpiSpace {
  readonly irqs = new Map<Irq, ItsIrq>();
  readonly byLpi = new Map<number, Irq>();
  /** First LPIs of freed blocks, by size. */
  readonly #freed = new Map<number, number[]>();
  #next = FIRST_LPI;
  /** LPIs that others than functions have, from here on. */
  #last: number;
  #nextTable = 0x47300000;

  constructor(bits: number) {
    this.#last = 2 ** bits;
  }

  /** A block of LPIs for a function: the first of them; undefined: there are not so many. */
  alloc(count: number): number | undefined {
    const first = this.#freed.get(count)?.pop() ?? this.#next;
    if (first + count > this.#last) return undefined;
    if (first === this.#next) this.#next += count;
    return first;
  }

  /** Takes a block back. */
  free(first: number, count: number): void {
    this.#freed.set(count, [...(this.#freed.get(count) ?? []), first]);
  }

  /** Takes LPIs for something else than interrupts of functions; the first of them. */
  reserve(count: number): number {
    this.#last -= count;
    return this.#last;
  }

  /** Memory for the interrupt translation table of a function. */
  table(bytes: number): number {
    const at = this.#nextTable;
    this.#nextTable += bytes;
    return at;
  }

  /** How many others than an irq go to a CPU. Managed irqs and others are counted apart (its_read_lpi_count). */
  load(cpu: number, but: Irq): number {
    let count = 0;
    for (const [one, held] of this.irqs)
      if (held.mapped && held.cpu === cpu && one !== but && one.managed === but.managed) count++;
    return count;
  }
}
