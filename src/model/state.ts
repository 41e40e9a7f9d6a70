import type { World } from './world.ts';

const PAGE_BITS = 7;
const PAGE = 1 << PAGE_BITS;
const MASK = PAGE - 1;

/** A run of cells: their bits, and which of these bits are known. */
interface Page {
  readonly values: Uint32Array;
  readonly known: Uint32Array;
  /** The state that may write here; every other state copies the page first. */
  owner: State | undefined;
}

const UNKNOWN: Page = { values: new Uint32Array(PAGE), known: new Uint32Array(PAGE), owner: undefined };

/** Cell 0 of every object: 1 while the object exists. */
export const PRESENT = 0;

/** A frozen state: cheap to keep (pages that did not change are shared) and to fork. */
export type Snapshot = readonly Page[];

/**
 * The state of the interrupt system after some step: for every object of the world its cells. A cell is 32 bits of
 * which each may be known or not; a cell never written is unknown. Objects are absent until something is said of them.
 */
export class State {
  readonly world: World;
  #pages: Page[];
  /** Called with the number of each cell that is written or made unknown, and whether that changes it. */
  watch: ((cell: number, changes: boolean) => void) | undefined;

  constructor(world: World, from: Snapshot = []) {
    this.world = world;
    this.#pages = from.slice();
  }

  /** Freezes what is here: later writes of this state copy the pages they touch. */
  snapshot(): Snapshot {
    for (const page of this.#pages) if (page.owner === this) page.owner = undefined;
    return this.#pages.slice();
  }

  /** An independent state with the same content. */
  fork(): State {
    return new State(this.world, this.snapshot());
  }

  /** The bits of a cell; bits that are not known read 0. */
  get(object: number, cell: number): number {
    if (object < 0) return 0;
    const at = this.world.base(object) + cell;
    return (this.#pages[at >>> PAGE_BITS] ?? UNKNOWN).values[at & MASK]!;
  }

  /** Which bits of a cell are known. */
  known(object: number, cell: number): number {
    if (object < 0) return 0;
    const at = this.world.base(object) + cell;
    return (this.#pages[at >>> PAGE_BITS] ?? UNKNOWN).known[at & MASK]!;
  }

  /** The number in a cell, or -1 unless all of its bits are known. */
  num(object: number, cell: number): number {
    if (object < 0) return -1;
    const at = this.world.base(object) + cell;
    const page = this.#pages[at >>> PAGE_BITS] ?? UNKNOWN;
    return page.known[at & MASK] === 0xffffffff ? page.values[at & MASK]! : -1;
  }

  /** A flag: true, false, or undefined when unknown. */
  flag(object: number, cell: number): boolean | undefined {
    const value = this.num(object, cell);
    return value < 0 ? undefined : value !== 0;
  }

  /** Whether an object exists. */
  present(object: number): boolean {
    return object >= 0 && this.num(object, PRESENT) === 1;
  }

  /** Makes an object exist; its cells keep what they held. */
  touch(object: number): void {
    this.#put(this.world.base(object), 1, 0xffffffff);
  }

  /** Writes a whole cell; the object exists from now on. */
  set(object: number, cell: number, value: number): void {
    const base = this.world.base(object);
    this.#put(base, 1, 0xffffffff);
    this.#put(base + cell, value, 0xffffffff);
  }

  /** Writes a flag. */
  setFlag(object: number, cell: number, value: boolean): void {
    this.set(object, cell, value ? 1 : 0);
  }

  /** Writes the bits of a cell that `mask` selects and makes them known; the others stay. */
  setBits(object: number, cell: number, value: number, mask: number): void {
    const base = this.world.base(object);
    this.#put(base, 1, 0xffffffff);
    this.#put(base + cell, value, mask);
  }

  /** Makes the bits of a cell that `mask` selects unknown. */
  forget(object: number, cell: number, mask = 0xffffffff): void {
    const at = this.world.base(object) + cell;
    const old = this.#pages[at >>> PAGE_BITS];
    if (old === undefined || (old.known[at & MASK]! & mask) === 0) return;
    if (this.watch !== undefined) this.watch(at, true);
    const page = this.#own(at >>> PAGE_BITS);
    page.values[at & MASK]! &= ~mask;
    page.known[at & MASK]! &= ~mask;
  }

  /** Adds one to a counter; a counter that was never written counts from 0. */
  count(object: number, cell: number): void {
    this.set(object, cell, this.get(object, cell) + 1);
  }

  /** Makes an object absent and all of its cells unknown. */
  remove(object: number): void {
    const size = this.world.type(object)?.size ?? 0;
    for (let cell = 0; cell < size; cell++) this.forget(object, cell);
  }

  /** Objects of which any cell differs from another state of the same world, in order of their numbers. */
  changed(other: State): number[] {
    const { world } = this;
    const out: number[] = [];
    const differs = (at: number): boolean => {
      const a = this.#pages[at >>> PAGE_BITS] ?? UNKNOWN;
      const b = other.#pages[at >>> PAGE_BITS] ?? UNKNOWN;
      const i = at & MASK;
      return a !== b && (a.values[i] !== b.values[i] || a.known[i] !== b.known[i]);
    };
    const pages = Math.max(this.#pages.length, other.#pages.length);
    let dirty = false;
    for (let p = 0; p < pages && !dirty; p++) dirty = (this.#pages[p] ?? UNKNOWN) !== (other.#pages[p] ?? UNKNOWN);
    if (!dirty) return out;
    for (let object = 0; object < world.objects; object++) {
      const base = world.base(object);
      const end = base + world.type(object)!.size;
      for (let at = base; at < end; at++) {
        if ((this.#pages[at >>> PAGE_BITS] ?? UNKNOWN) === (other.#pages[at >>> PAGE_BITS] ?? UNKNOWN)) {
          at |= MASK;
        } else if (differs(at)) {
          out.push(object);
          break;
        }
      }
    }
    return out;
  }

  #put(at: number, value: number, mask: number): void {
    const index = at >>> PAGE_BITS;
    const i = at & MASK;
    let page = this.#pages[index] ?? UNKNOWN;
    const bits = ((page.values[i]! & ~mask) | (value & mask)) >>> 0;
    const known = (page.known[i]! | mask) >>> 0;
    const changes = page.values[i] !== bits || page.known[i] !== known;
    if (this.watch !== undefined) this.watch(at, changes);
    if (!changes) return;
    if (page.owner !== this) page = this.#own(index);
    page.values[i] = bits;
    page.known[i] = known;
  }

  #own(index: number): Page {
    const old = this.#pages[index] ?? UNKNOWN;
    if (old.owner === this) return old;
    while (this.#pages.length < index) this.#pages.push(UNKNOWN);
    const page: Page = { values: old.values.slice(), known: old.known.slice(), owner: this };
    this.#pages[index] = page;
    return page;
  }
}
