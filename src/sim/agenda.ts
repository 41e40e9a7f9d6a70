import type { Actions, Actor } from './actor.ts';

/** What is due at a time: a thing to do at once, or actions that take time to go on with. */
export type DueWork = (() => void) | Actions<unknown>;

/** Nanoseconds that lie near: most of what is put in is due within them. */
const NEAR_BITS = 11;
const NEAR = 1 << NEAR_BITS;
const NEAR_MASK = NEAR - 1;
const NONE = -1;

/**
 * The entries in the order of time; entries of the same time come in the order in which they were put in. What is due within 2048 ns stands in a
 * ring with a list for each nanosecond: adding and taking cost the same however many wait. What is due later, or between two nanoseconds, stands in
 * a heap, in which each entry has up to four below it. No time lies before that of the entry that was taken last.
 */
export class Agenda {
  // Each entry has a number; these are its properties.
  #orders = new Float64Array(64);
  #behind = new Int32Array(64);
  readonly #actors: (Actor | undefined)[] = [];
  readonly #work: (DueWork | undefined)[] = [];
  readonly #free: number[] = [];
  #order = 0;

  /** First and last entry of each nanosecond of the ring. */
  readonly #heads = new Int32Array(NEAR).fill(NONE);
  readonly #tails = new Int32Array(NEAR).fill(NONE);
  /** Which nanoseconds have entries, 32 in a word. */
  readonly #taken = new Int32Array(NEAR / 32);
  /** Entries in the ring, and the time of the first of them. */
  #near = 0;
  #nearTime = 0;
  /** Time of the entry that was taken last. */
  #from = 0;

  #farTimes = new Float64Array(64);
  #far = new Int32Array(64);
  #farLength = 0;

  /** Number of waiting entries. */
  get length(): number {
    return this.#near + this.#farLength;
  }

  /** Time of the next entry; Infinity when there is none. */
  get next(): number {
    const near = this.#near === 0 ? Number.POSITIVE_INFINITY : this.#nearTime;
    const far = this.#farLength === 0 ? Number.POSITIVE_INFINITY : this.#farTimes[0]!;
    return far < near ? far : near;
  }

  /** Who is to do the entry that was taken last. */
  actor: Actor | undefined;

  /** Puts in something to do, or actions that take time. */
  add(time: number, actor: Actor, work: DueWork): void {
    const entry = this.#free.pop() ?? this.length;
    if (entry === this.#orders.length) this.#widen();
    this.#actors[entry] = actor;
    this.#work[entry] = work;
    this.#orders[entry] = this.#order++;
    const ahead = time - this.#from;
    if (ahead >= 0 && ahead < NEAR && Number.isInteger(time)) this.#addNear(time, entry);
    else this.#addFar(time, entry);
  }

  /** Takes the next entry out and returns what it is; undefined when none waits. `actor` is who is to do it. */
  take(): DueWork | undefined {
    let entry: number;
    if (this.#near > 0 && !this.#farFirst()) entry = this.#takeNear();
    else if (this.#farLength > 0) entry = this.#takeFar();
    else return undefined;
    this.actor = this.#actors[entry];
    const work = this.#work[entry];
    this.#work[entry] = undefined;
    this.#free.push(entry);
    return work;
  }

  /** Whether the first entry of the heap comes before the first of the ring. */
  #farFirst(): boolean {
    if (this.#farLength === 0) return false;
    const far = this.#farTimes[0]!;
    if (far !== this.#nearTime) return far < this.#nearTime;
    return this.#orders[this.#far[0]!]! < this.#orders[this.#heads[far & NEAR_MASK]!]!;
  }

  #addNear(time: number, entry: number): void {
    const at = time & NEAR_MASK;
    if (this.#heads[at] === NONE) {
      this.#heads[at] = entry;
      this.#taken[at >>> 5]! |= 1 << (at & 31);
    } else this.#behind[this.#tails[at]!] = entry;
    this.#tails[at] = entry;
    this.#behind[entry] = NONE;
    if (this.#near++ === 0 || time < this.#nearTime) this.#nearTime = time;
  }

  #takeNear(): number {
    const time = this.#nearTime;
    this.#from = time;
    const at = time & NEAR_MASK;
    const entry = this.#heads[at]!;
    const behind = this.#behind[entry]!;
    this.#heads[at] = behind;
    this.#near--;
    if (behind === NONE) {
      this.#taken[at >>> 5]! &= ~(1 << (at & 31));
      if (this.#near > 0) this.#nearTime = time + this.#distance(at);
    }
    return entry;
  }

  /** How far the next nanosecond with entries lies behind a place of the ring, which has one. */
  #distance(at: number): number {
    const taken = this.#taken;
    let word = at >>> 5;
    let bits = taken[word]! & (-1 << (at & 31));
    while (bits === 0) {
      word = (word + 1) % taken.length;
      bits = taken[word]!;
    }
    const found = word * 32 + 31 - Math.clz32(bits & -bits);
    return (found - at + NEAR) & NEAR_MASK;
  }

  #addFar(time: number, entry: number): void {
    let at = this.#farLength++;
    if (at === this.#far.length) this.#widenFar();
    const times = this.#farTimes;
    const far = this.#far;
    while (at > 0) {
      const above = (at - 1) >>> 2;
      // What is put in later comes behind what has the same time.
      if (times[above]! <= time) break;
      times[at] = times[above]!;
      far[at] = far[above]!;
      at = above;
    }
    times[at] = time;
    far[at] = entry;
  }

  #takeFar(): number {
    const times = this.#farTimes;
    const far = this.#far;
    const orders = this.#orders;
    const taken = far[0]!;
    this.#from = times[0]!;
    const last = --this.#farLength;
    const time = times[last]!;
    const moved = far[last]!;
    const order = orders[moved]!;
    let at = 0;
    for (;;) {
      let below = at * 4 + 1;
      if (below >= last) break;
      let least = times[below]!;
      const end = Math.min(below + 4, last);
      for (let other = below + 1; other < end; other++) {
        const its = times[other]!;
        if (its < least || (its === least && orders[far[other]!]! < orders[far[below]!]!)) {
          below = other;
          least = its;
        }
      }
      if (least > time || (least === time && orders[far[below]!]! > order)) break;
      times[at] = least;
      far[at] = far[below]!;
      at = below;
    }
    times[at] = time;
    far[at] = moved;
    return taken;
  }

  #widen(): void {
    const orders = new Float64Array(this.#orders.length * 2);
    orders.set(this.#orders);
    this.#orders = orders;
    const behind = new Int32Array(orders.length);
    behind.set(this.#behind);
    this.#behind = behind;
  }

  #widenFar(): void {
    const times = new Float64Array(this.#far.length * 2);
    times.set(this.#farTimes);
    this.#farTimes = times;
    const far = new Int32Array(times.length);
    far.set(this.#far);
    this.#far = far;
  }
}
