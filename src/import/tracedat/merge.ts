import type { RecordStream } from './ring.ts';

/**
 * Puts the records of several rings into one order by time. The order within a ring never changes: a record whose stamp is older than the one
 * before it follows that one. Where times are equal, the ring that was given earlier comes first.
 */
export class Merge {
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
  get first(): RecordStream | undefined {
    const i = this.#heap[0];
    return i === undefined ? undefined : this.#rings[i];
  }

  /** Goes behind the record of `first`. */
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
