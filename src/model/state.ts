import type { CellId, ObjectId } from '../base/ids.ts';
import type { Namespace } from './namespace.ts';
import type { World } from './world.ts';

const PAGE_BITS = 7;
const PAGE = 1 << PAGE_BITS;
const MASK = PAGE - 1;

/** A run of cells in one slab: the bits of cell i at index i, the mask of its known bits at index PAGE + i. */
interface Page {
  readonly slab: Uint32Array;
  /** The state that may write here; every other state copies the page first. */
  owner: State | undefined;
}

const UNKNOWN: Page = { slab: new Uint32Array(2 * PAGE), owner: undefined };

/** Bytes that one page takes, about: the slab and the objects around it. */
export const PAGE_BYTES = 2 * PAGE * 4 + 160;

/** Cell 0 of every object: 1 while the object exists. */
export const PRESENT = 0;

/** A frozen state: cheap to keep (pages that did not change are shared) and to fork. */
export type Snapshot = readonly Page[];

/** Told of every write to a state. */
export interface CellWatcher {
  /** Cell `cell` (number in the world) of `object` was changed: it now holds `value`, of which the bits `known` are known. */
  changed(object: ObjectId, cell: CellId, value: number, known: number): void;
  /** The same cell was written with what it held already. */
  rewritten(object: ObjectId, cell: CellId): void;
}

/**
 * The state of the interrupt system after some step: for every object of the world its cells. A cell is 32 bits of
 * which each may be known or not; a cell never written is unknown. Objects are absent until something is said of them.
 */
export class State {
  readonly world: World;
  #pages: Page[];
  /** Told of every write; the state of a trace records its changes through it. */
  watcher: CellWatcher | undefined;
  /** The system of the object that the event at hand is about: where its effect names other objects. Set by `apply`. */
  here: Namespace;
  #copied = 0;
  /** Takes down the cells that are read; only of states that `reading` made. */
  #reads: Set<CellId> | undefined;

  constructor(world: World, from: Snapshot = []) {
    this.world = world;
    this.here = world.first;
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

  /** Pages that this state copied, or made, so far: what writes cost in memory since a snapshot shared them. */
  get copied(): number {
    return this.#copied;
  }

  /** Pages from the first cell to the last one ever written. */
  get pages(): number {
    return this.#pages.length;
  }

  /**
   * The same state for one evaluation: the cells (numbers in the world) that are read through it are added to `cells`. Not to
   * be written to, and not to be kept: it follows no later write.
   */
  reading(cells: Set<CellId>): State {
    const view = new State(this.world);
    view.#pages = this.#pages;
    view.#reads = cells;
    return view;
  }

  /** The bits of a cell; bits that are not known read 0. */
  get(object: ObjectId, cell: number): number {
    if (object < 0) return 0;
    const at = this.world.base(object) + cell;
    if (this.#reads !== undefined) this.#reads.add(at);
    return (this.#pages[at >>> PAGE_BITS] ?? UNKNOWN).slab[at & MASK]!;
  }

  /** Which bits of a cell are known. */
  known(object: ObjectId, cell: number): number {
    if (object < 0) return 0;
    const at = this.world.base(object) + cell;
    if (this.#reads !== undefined) this.#reads.add(at);
    return (this.#pages[at >>> PAGE_BITS] ?? UNKNOWN).slab[PAGE + (at & MASK)]!;
  }

  /** The number in a cell, or -1 unless all of its bits are known. */
  num(object: ObjectId, cell: number): number {
    if (object < 0) return -1;
    const at = this.world.base(object) + cell;
    if (this.#reads !== undefined) this.#reads.add(at);
    const { slab } = this.#pages[at >>> PAGE_BITS] ?? UNKNOWN;
    const i = at & MASK;
    return slab[PAGE + i] === 0xffffffff ? slab[i]! : -1;
  }

  /** A flag: true, false, or undefined when unknown. */
  flag(object: ObjectId, cell: number): boolean | undefined {
    const value = this.num(object, cell);
    return value < 0 ? undefined : value !== 0;
  }

  /** Whether an object exists. */
  present(object: ObjectId): boolean {
    return object >= 0 && this.num(object, PRESENT) === 1;
  }

  /** Makes an object exist; its cells keep what they held. */
  touch(object: ObjectId): void {
    this.#exist(object, this.world.base(object));
  }

  /** Writes a whole cell; the object exists from now on. */
  set(object: ObjectId, cell: number, value: number): void {
    const base = this.world.base(object);
    this.#exist(object, base);
    this.#put(object, base + cell, value, 0xffffffff);
  }

  /** Writes a flag. */
  setFlag(object: ObjectId, cell: number, value: boolean): void {
    this.set(object, cell, value ? 1 : 0);
  }

  /** Writes the bits of a cell that `mask` selects and makes them known; the others stay. */
  setBits(object: ObjectId, cell: number, value: number, mask: number): void {
    const base = this.world.base(object);
    this.#exist(object, base);
    this.#put(object, base + cell, value, mask);
  }

  /** Makes the bits of a cell that `mask` selects unknown. */
  forget(object: ObjectId, cell: number, mask = 0xffffffff): void {
    const at = this.world.base(object) + cell;
    const old = this.#pages[at >>> PAGE_BITS];
    if (old === undefined || (old.slab[PAGE + (at & MASK)]! & mask) === 0) return;
    const { slab } = this.#own(at >>> PAGE_BITS);
    const i = at & MASK;
    const value = (slab[i]! & ~mask) >>> 0;
    const known = (slab[PAGE + i]! & ~mask) >>> 0;
    slab[i] = value;
    slab[PAGE + i] = known;
    this.watcher?.changed(object, at, value, known);
  }

  /** Adds one to a counter; a counter that was never written counts from 0. */
  count(object: ObjectId, cell: number): void {
    this.set(object, cell, this.get(object, cell) + 1);
  }

  /** Makes an object absent and all of its cells unknown. */
  remove(object: ObjectId): void {
    const size = this.world.type(object)?.size ?? 0;
    for (let cell = 0; cell < size; cell++) this.forget(object, cell);
  }

  /** Puts a cell (number in the world) to what a log of changes says that it held. */
  restore(cell: CellId, value: number, known: number): void {
    const index = cell >>> PAGE_BITS;
    let page = this.#pages[index] ?? UNKNOWN;
    if (page.owner !== this) page = this.#own(index);
    page.slab[cell & MASK] = value;
    page.slab[PAGE + (cell & MASK)] = known;
  }

  /** Cells (numbers in the world) that differ from another state of the same world, in order. */
  changedCells(other: State): CellId[] {
    const out: CellId[] = [];
    const pages = Math.max(this.#pages.length, other.#pages.length);
    for (let p = 0; p < pages; p++) {
      const a = this.#pages[p] ?? UNKNOWN;
      const b = other.#pages[p] ?? UNKNOWN;
      if (a === b) continue;
      for (let i = 0; i < PAGE; i++)
        if (a.slab[i] !== b.slab[i] || a.slab[PAGE + i] !== b.slab[PAGE + i]) out.push(p * PAGE + i);
    }
    return out;
  }

  /** Objects of which any cell differs from another state of the same world, in order of their numbers. */
  changed(other: State): ObjectId[] {
    const out: ObjectId[] = [];
    for (const cell of this.changedCells(other)) {
      const last = out.at(-1);
      // Cells of one object follow one another.
      if (last !== undefined && cell < this.world.base(last) + (this.world.type(last)?.size ?? 0)) continue;
      out.push(this.world.objectOfCell(cell));
    }
    return out;
  }

  /** Makes an object exist, given its first cell. */
  #exist(object: ObjectId, base: number): void {
    const { slab } = this.#pages[base >>> PAGE_BITS] ?? UNKNOWN;
    if (slab[base & MASK] === 1) return;
    this.#put(object, base, 1, 0xffffffff);
  }

  #put(object: ObjectId, at: number, value: number, mask: number): void {
    const index = at >>> PAGE_BITS;
    const i = at & MASK;
    let page = this.#pages[index] ?? UNKNOWN;
    const oldValue = page.slab[i]!;
    const oldKnown = page.slab[PAGE + i]!;
    const bits = ((oldValue & ~mask) | (value & mask)) >>> 0;
    const known = (oldKnown | mask) >>> 0;
    if (bits === oldValue && known === oldKnown) {
      this.watcher?.rewritten(object, at);
      return;
    }
    if (page.owner !== this) page = this.#own(index);
    page.slab[i] = bits;
    page.slab[PAGE + i] = known;
    this.watcher?.changed(object, at, bits, known);
  }

  #own(index: number): Page {
    const old = this.#pages[index] ?? UNKNOWN;
    if (old.owner === this) return old;
    while (this.#pages.length < index) this.#pages.push(UNKNOWN);
    const page: Page = { slab: old.slab.slice(), owner: this };
    this.#pages[index] = page;
    this.#copied++;
    return page;
  }
}
