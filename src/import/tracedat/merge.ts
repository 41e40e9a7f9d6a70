import type { RecordAt, RecordStream } from './ring.ts';

/** Records in one order by time. */
export interface Ordered {
  /** What stands at the record that comes next; undefined behind the last one. It stays there until `next`. */
  readonly first: RecordAt | undefined;
  /** Goes behind the record of `first`. */
  next(): void;
}

/** What was lost behind the last record of a CPU. */
export type Loss = Pick<RecordAt, 'cpu' | 'offset' | 'missed'>;

/** The rings that have one clock. */
export interface Rings {
  /** Reads their first pages; returns the earliest stamp, undefined where no ring has a page. */
  open(): bigint | undefined;
  /** Their records, with times counted from a stamp. */
  from(stamp: bigint): Ordered;
  /** What was lost behind the last record of each, when all were read. */
  behind(): readonly Loss[];
}

/** Rings that are read here. */
export class RingsHere implements Rings {
  readonly #all: readonly RecordStream[];
  #open: readonly RecordStream[] = [];

  constructor(all: readonly RecordStream[]) {
    this.#all = all;
  }

  open(): bigint | undefined {
    let first: bigint | undefined;
    this.#open = this.#all.filter((ring) => {
      const stamp = ring.open();
      if (stamp !== undefined && (first === undefined || stamp < first)) first = stamp;
      return stamp !== undefined;
    });
    return first;
  }

  from(stamp: bigint): Ordered {
    for (const ring of this.#open) ring.from(stamp);
    return new Merge(this.#open);
  }

  behind(): readonly Loss[] {
    return this.#all.filter(({ missed }) => missed !== 0);
  }
}

/**
 * Puts the records of several rings into one order by time. The order within a ring never changes: a record whose stamp is older than the one
 * before it follows that one. Where times are equal, the ring that was given earlier comes first.
 */
export class Merge implements Ordered {
  readonly #rings: readonly RecordStream[];
  /** The rings that have a record, as a heap: the one whose record comes first at 0. */
  readonly #heap: number[] = [];
  /** The latest time of each ring so far. */
  readonly #keys: Float64Array;

  constructor(rings: readonly RecordStream[]) {
    this.#rings = rings;
    this.#keys = new Float64Array(rings.length).fill(Number.NEGATIVE_INFINITY);
    for (const i of rings.keys())
      if (this.#advance(i)) {
        this.#heap.push(i);
        this.#up(this.#heap.length - 1);
      }
  }

  /** The ring whose record comes next; undefined behind the last one. It stays there until `next`. */
  get first(): RecordAt | undefined {
    const i = this.#heap[0];
    return i === undefined ? undefined : this.#rings[i];
  }

  next(): void {
    const heap = this.#heap;
    if (!this.#advance(heap[0]!)) {
      const last = heap.pop()!;
      if (heap.length === 0) return;
      heap[0] = last;
    }
    this.#down();
  }

  #advance(i: number): boolean {
    const ring = this.#rings[i]!;
    if (!ring.next()) return false;
    if (ring.time > this.#keys[i]!) this.#keys[i] = ring.time;
    return true;
  }

  #before(a: number, b: number): boolean {
    const x = this.#keys[a]!;
    const y = this.#keys[b]!;
    return x < y || (x === y && a < b);
  }

  #up(from: number): void {
    const heap = this.#heap;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(heap[at]!, heap[parent]!)) return;
      [heap[at], heap[parent]] = [heap[parent]!, heap[at]!];
      at = parent;
    }
  }

  #down(): void {
    const heap = this.#heap;
    for (let at = 0; ; ) {
      const child = 2 * at + 1;
      if (child >= heap.length) return;
      const other = child + 1;
      const least = other < heap.length && this.#before(heap[other]!, heap[child]!) ? other : child;
      if (!this.#before(heap[least]!, heap[at]!)) return;
      const ring = heap[at]!;
      heap[at] = heap[least]!;
      heap[least] = ring;
      at = least;
    }
  }
}
