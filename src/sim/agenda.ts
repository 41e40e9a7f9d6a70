import type { Actions, Actor } from './actor.ts';

/** Something that is due at a time: a thing to do at once, or actions that take time to go on with. */
export interface DueAction {
  readonly time: number;
  /** If two entries are due at the same time, the one with the lower number comes first. */
  readonly order: number;
  readonly actor: Actor;
  readonly run: (() => void) | undefined;
  readonly actions: Actions<unknown> | undefined;
}

/**
 * The entries in the order of time; entries of the same time come in the order in which they were put in. A binary
 * heap: adding and taking cost the logarithm of the number that wait.
 */
export class Agenda {
  readonly #heap: DueAction[] = [];
  #order = 0;

  /** Number of waiting entries. */
  get length(): number {
    return this.#heap.length;
  }

  /** Time of the next entry; Infinity when there is none. */
  get next(): number {
    return this.#heap[0]?.time ?? Number.POSITIVE_INFINITY;
  }

  /** Puts in something to do, or actions that take time. */
  add(time: number, actor: Actor, run: (() => void) | undefined, actions: Actions<unknown> | undefined): void {
    const heap = this.#heap;
    const due: DueAction = { time, order: this.#order++, actor, run, actions };
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

  /** Removes and returns the next entry. */
  take(): DueAction | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    const { length } = heap;
    if (first === undefined || last === undefined || length === 0) return first;
    let at = 0;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= length) break;
      if (below + 1 < length && earlier(heap[below + 1]!, heap[below]!)) below++;
      if (!earlier(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

const earlier = (a: DueAction, b: DueAction): boolean => a.time < b.time || (a.time === b.time && a.order < b.order);
