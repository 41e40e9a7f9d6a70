/** Something that is due at a time. */
interface Due<T> {
  readonly time: number;
  readonly order: number;
  readonly what: T;
}

/**
 * What is due, in the order of time; what is due at the same time comes in the order in which it was put in. A binary
 * heap: adding and taking cost the logarithm of the number that wait.
 */
export class Agenda<T> {
  readonly #heap: Due<T>[] = [];
  #order = 0;

  /** How many things wait. */
  get length(): number {
    return this.#heap.length;
  }

  /** Time of what is due next; Infinity when nothing is. */
  get next(): number {
    return this.#heap[0]?.time ?? Number.POSITIVE_INFINITY;
  }

  add(time: number, what: T): void {
    const heap = this.#heap;
    const due: Due<T> = { time, order: this.#order++, what };
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const above = (at - 1) >>> 1;
      if (!earlier(due, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = due;
  }

  /** Takes what is due next. */
  take(): { readonly time: number; readonly what: T } | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && earlier(heap[below + 1]!, heap[below]!)) below++;
      if (!earlier(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

function earlier<T>(a: Due<T>, b: Due<T>): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
