import type { CellId, ObjectId } from '../base/ids.ts';
import type { Namespace } from './namespace.ts';
import type { World } from './world.ts';

const PAGE_BITS = 7;
const PAGE = 1 << PAGE_BITS;
const MASK = PAGE - 1;

/** Words of a page: the bits of its cells, then the masks of their known bits. */
const WORDS = 2 * PAGE;

/** What every page is that was never written. */
const UNKNOWN = new Uint32Array(WORDS);

/** Pages in the largest slab: many small arrays would cost the garbage collector more than their bytes. */
const MOST_IN_SLAB = 256;

/** Bytes that one page takes, about: its part of a slab, and its place in the tables. */
export const PAGE_BYTES = WORDS * 4 + 16;

/** Cell 0 of every object: 1 while the object exists. */
export const PRESENT = 0;

/** A frozen state: cheap to keep (pages that did not change are shared) and to fork. */
export interface Snapshot {
  /** The slab of each page, and where in it the page begins. */
  readonly slabs: readonly (Uint32Array | undefined)[];
  readonly starts: Int32Array;
}

const NOTHING: Snapshot = { slabs: [], starts: new Int32Array(0) };

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
  /** Page `p` begins at word `#starts[p]` of `#slabs[p]`. */
  #slabs: (Uint32Array | undefined)[];
  #starts: Int32Array;
  /** 1 for the pages that this state may write to; it copies every other page first. */
  #owned: Uint8Array;
  /** Told of every write; the state of a trace records its changes through it. */
  watcher: CellWatcher | undefined;
  /** The system of the object that the event at hand is about: where its effect names other objects. Set by `apply`. */
  here: Namespace;
  #copied = 0;
  /** Where the next pages of this state lie, and how many of them have room. */
  #slab = UNKNOWN;
  #free = 0;
  /** Takes down the cells that are read; only of states that `reading` made. */
  #reads: Set<CellId> | undefined;

  constructor(world: World, from: Snapshot = NOTHING) {
    this.world = world;
    this.here = world.first;
    this.#slabs = from.slabs.slice();
    this.#starts = from.starts.slice();
    this.#owned = new Uint8Array(from.starts.length);
  }

  /** Freezes what is here: later writes of this state copy the pages they touch. */
  snapshot(): Snapshot {
    this.#owned.fill(0);
    return { slabs: this.#slabs.slice(), starts: this.#starts.slice(0, this.#slabs.length) };
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
    return this.#slabs.length;
  }

  /**
   * The same state for one evaluation: the cells (numbers in the world) that are read through it are added to `cells`. Not to
   * be written to, and not to be kept: it follows no later write.
   */
  reading(cells: Set<CellId>): State {
    const view = new State(this.world);
    view.#slabs = this.#slabs;
    view.#starts = this.#starts;
    view.#reads = cells;
    return view;
  }

  /** The bits of a cell; bits that are not known read 0. */
  get(object: ObjectId, cell: number): number {
    if (object < 0) return 0;
    const at = this.world.base(object) + cell;
    if (this.#reads !== undefined) this.#reads.add(at);
    const slab = this.#slabs[at >>> PAGE_BITS];
    return slab === undefined ? 0 : slab[this.#starts[at >>> PAGE_BITS]! + (at & MASK)]!;
  }

  /** Which bits of a cell are known. */
  known(object: ObjectId, cell: number): number {
    if (object < 0) return 0;
    const at = this.world.base(object) + cell;
    if (this.#reads !== undefined) this.#reads.add(at);
    const slab = this.#slabs[at >>> PAGE_BITS];
    return slab === undefined ? 0 : slab[this.#starts[at >>> PAGE_BITS]! + PAGE + (at & MASK)]!;
  }

  /** The bits of a cell given by its number in the world; bits that are not known read 0. */
  bitsAt(cell: CellId): number {
    const slab = this.#slabs[cell >>> PAGE_BITS];
    return slab === undefined ? 0 : slab[this.#starts[cell >>> PAGE_BITS]! + (cell & MASK)]!;
  }

  /** Which bits of a cell given by its number in the world are known. */
  knownAt(cell: CellId): number {
    const slab = this.#slabs[cell >>> PAGE_BITS];
    return slab === undefined ? 0 : slab[this.#starts[cell >>> PAGE_BITS]! + PAGE + (cell & MASK)]!;
  }

  /** The number in a cell, or -1 unless all of its bits are known. */
  num(object: ObjectId, cell: number): number {
    if (object < 0) return -1;
    const at = this.world.base(object) + cell;
    if (this.#reads !== undefined) this.#reads.add(at);
    const slab = this.#slabs[at >>> PAGE_BITS];
    if (slab === undefined) return -1;
    const i = this.#starts[at >>> PAGE_BITS]! + (at & MASK);
    return slab[PAGE + i] === 0xffffffff ? slab[i]! : -1;
  }

  /** A flag: true, false, or undefined when unknown. */
  flag(object: ObjectId, cell: number): boolean | undefined {
    const value = this.num(object, cell);
    return value < 0 ? undefined : value !== 0;
  }

  /** The text in a cell; the empty text when it is not known. */
  text(object: ObjectId, cell: number): string {
    const id = this.num(object, cell);
    return id < 0 ? '' : this.world.strings.text(id);
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
    const page = at >>> PAGE_BITS;
    const old = this.#slabs[page];
    if (old === undefined || (old[this.#starts[page]! + PAGE + (at & MASK)]! & mask) === 0) return;
    if (this.#owned[page] !== 1) this.#own(page);
    const slab = this.#slabs[page]!;
    const i = this.#starts[page]! + (at & MASK);
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
    const page = cell >>> PAGE_BITS;
    if (this.#owned[page] !== 1) this.#own(page);
    const slab = this.#slabs[page]!;
    const i = this.#starts[page]! + (cell & MASK);
    slab[i] = value;
    slab[PAGE + i] = known;
  }

  /** Cells (numbers in the world) that differ from another state of the same world, in order. */
  changedCells(other: State): CellId[] {
    const out: CellId[] = [];
    const pages = Math.max(this.#slabs.length, other.#slabs.length);
    for (let page = 0; page < pages; page++) {
      const a = this.#slabs[page] ?? UNKNOWN;
      const b = other.#slabs[page] ?? UNKNOWN;
      const from = a === UNKNOWN ? 0 : this.#starts[page]!;
      const to = b === UNKNOWN ? 0 : other.#starts[page]!;
      if (a === b && from === to) continue;
      for (let i = 0; i < PAGE; i++)
        if (a[from + i] !== b[to + i] || a[from + PAGE + i] !== b[to + PAGE + i]) out.push(page * PAGE + i);
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
  #exist(object: ObjectId, base: CellId): void {
    const slab = this.#slabs[base >>> PAGE_BITS];
    if (slab !== undefined && slab[this.#starts[base >>> PAGE_BITS]! + (base & MASK)] === 1) return;
    this.#put(object, base, 1, 0xffffffff);
  }

  #put(object: ObjectId, at: CellId, value: number, mask: number): void {
    const page = at >>> PAGE_BITS;
    let slab = this.#slabs[page];
    let i = 0;
    let oldValue = 0;
    let oldKnown = 0;
    if (slab !== undefined) {
      i = this.#starts[page]! + (at & MASK);
      oldValue = slab[i]!;
      oldKnown = slab[PAGE + i]!;
    }
    const bits = ((oldValue & ~mask) | (value & mask)) >>> 0;
    const known = (oldKnown | mask) >>> 0;
    if (bits === oldValue && known === oldKnown) {
      if (this.watcher !== undefined) this.watcher.rewritten(object, at);
      return;
    }
    if (slab === undefined || this.#owned[page] !== 1) {
      this.#own(page);
      slab = this.#slabs[page]!;
      i = this.#starts[page]! + (at & MASK);
    }
    slab[i] = bits;
    slab[PAGE + i] = known;
    if (this.watcher !== undefined) this.watcher.changed(object, at, bits, known);
  }

  /** Copies a page, or makes it when it was never written. */
  #own(page: number): void {
    if (this.#owned[page] === 1) return;
    if (page >= this.#starts.length) this.#grow(page + 1);
    if (this.#free === 0) {
      this.#free = Math.min(MOST_IN_SLAB, Math.max(1, this.#copied));
      this.#slab = new Uint32Array(this.#free * WORDS);
    }
    const slab = this.#slab;
    const to = slab.length - this.#free-- * WORDS;
    const old = this.#slabs[page];
    if (old !== undefined) {
      const from = this.#starts[page]!;
      for (let i = 0; i < WORDS; i++) slab[to + i] = old[from + i]!;
    }
    while (this.#slabs.length < page) this.#slabs.push(undefined);
    this.#slabs[page] = slab;
    this.#starts[page] = to;
    this.#owned[page] = 1;
    this.#copied++;
  }

  #grow(pages: number): void {
    const size = Math.max(pages, this.#starts.length * 2, 8);
    const starts = new Int32Array(size);
    starts.set(this.#starts);
    this.#starts = starts;
    const owned = new Uint8Array(size);
    owned.set(this.#owned);
    this.#owned = owned;
  }
}
