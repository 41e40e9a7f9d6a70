import type { Actions, Actor } from './actor.ts';

/** What is due at a time: a thing to do at once, or actions that take time to go on with. */
export type DueWork = (() => void) | Actions<unknown>;

/**
 * The entries in the order of time; entries of the same time come in the order in which they were put in. A heap in
 * which each entry has up to four below it, one column for each property: adding and taking cost the logarithm of the number that wait,
 * and comparing looks at numbers that lie side by side.
 */
export class Agenda {
  #times = new Float64Array(64);
  /** If two entries are due at the same time, the one with the lower number comes first. */
  #orders = new Float64Array(64);
  /** Where actor and work of an entry stand. */
  #slots = new Uint32Array(64);
  readonly #free: number[] = [];
  readonly #actors: (Actor | undefined)[] = [];
  readonly #work: (DueWork | undefined)[] = [];
  #length = 0;
  #order = 0;

  /** Number of waiting entries. */
  get length(): number {
    return this.#length;
  }

  /** Time of the next entry; Infinity when there is none. */
  get next(): number {
    return this.#length === 0 ? Number.POSITIVE_INFINITY : this.#times[0]!;
  }

  /** Who is to do the next entry. Ask only while entries wait, as for its work. */
  get actor(): Actor {
    return this.#actors[this.#slots[0]!]!;
  }

  /** What the next entry is. */
  get work(): DueWork {
    return this.#work[this.#slots[0]!]!;
  }

  /** Puts in something to do, or actions that take time. */
  add(time: number, actor: Actor, work: DueWork): void {
    let at = this.#length++;
    if (at === this.#times.length) this.#grow();
    const times = this.#times;
    const orders = this.#orders;
    const slots = this.#slots;
    const slot = this.#free.pop() ?? at;
    this.#actors[slot] = actor;
    this.#work[slot] = work;
    while (at > 0) {
      const above = (at - 1) >>> 2;
      // What is put in later comes behind what has the same time.
      if (times[above]! <= time) break;
      times[at] = times[above]!;
      orders[at] = orders[above]!;
      slots[at] = slots[above]!;
      at = above;
    }
    times[at] = time;
    orders[at] = this.#order++;
    slots[at] = slot;
  }

  /** Removes the next entry, if any waits. */
  drop(): void {
    if (this.#length === 0) return;
    const times = this.#times;
    const orders = this.#orders;
    const slots = this.#slots;
    const gone = slots[0]!;
    this.#work[gone] = undefined;
    this.#free.push(gone);
    const last = --this.#length;
    const time = times[last]!;
    const order = orders[last]!;
    let at = 0;
    for (;;) {
      let below = at * 4 + 1;
      if (below >= last) break;
      let least = times[below]!;
      const end = Math.min(below + 4, last);
      for (let other = below + 1; other < end; other++) {
        const its = times[other]!;
        if (its < least || (its === least && orders[other]! < orders[below]!)) {
          below = other;
          least = its;
        }
      }
      if (least > time || (least === time && orders[below]! > order)) break;
      times[at] = least;
      orders[at] = orders[below]!;
      slots[at] = slots[below]!;
      at = below;
    }
    times[at] = time;
    orders[at] = order;
    slots[at] = slots[last]!;
  }

  #grow(): void {
    const wider = (from: Float64Array): Float64Array<ArrayBuffer> => {
      const to = new Float64Array(from.length * 2);
      to.set(from);
      return to;
    };
    this.#times = wider(this.#times);
    this.#orders = wider(this.#orders);
    const slots = new Uint32Array(this.#slots.length * 2);
    slots.set(this.#slots);
    this.#slots = slots;
  }
}
