import type { State } from '../model/state.ts';
import type { World } from '../model/world.ts';
import { BLOCK, BLOCK_BITS } from '../trace/object-blocks.ts';
import type { Trace } from '../trace/trace.ts';
import { readBy } from './dependents.ts';

/** The cell belongs to a watched object. */
const OWN = 1;
/** The cell is one of those of which every write counts. */
const EXACT = 2;
/** A computed key of a watched object reads the cell. */
const READ = 4;

/** With more objects than this their blocks are not looked up: they are in most of them. */
const MANY = 64;

/** What a step wrote of what is watched. */
export interface Hit {
  readonly step: number;
  /** Watched objects that the step wrote to, or of which a computed key may have changed. */
  readonly objects: ReadonlySet<number>;
  /** One of the exact cells was written, whether that changed it or not. */
  readonly exact: boolean;
  /** One of the exact cells was changed. */
  readonly changed: boolean;
}

/** Looks through the change log of a trace for the steps that touch some objects, or what their computed keys read. */
export class Watched {
  readonly #trace: Trace;
  readonly #objects: readonly number[];
  readonly #key: string | undefined;
  readonly #flags: Uint8Array;
  readonly #readers = new Map<number, Set<number>>();
  /** Objects other than the watched ones of which cells are read. */
  readonly #others = new Set<number>();

  /** `key`: the computed key to follow, all keys when undefined; `exact`: the run of cells of which every write counts. */
  constructor(
    trace: Trace,
    objects: readonly number[],
    key?: string,
    exact: readonly [from: number, to: number] = [0, 0],
  ) {
    const { world } = trace;
    this.#trace = trace;
    this.#objects = objects;
    this.#key = key;
    this.#flags = new Uint8Array(world.cells);
    for (const object of objects) {
      const base = world.base(object);
      this.#flags.fill(OWN, base, base + world.type(object)!.size);
    }
    for (let cell = exact[0]; cell < exact[1]; cell++) this.#flags[cell]! |= EXACT;
  }

  /** Takes down what the computed keys of the watched objects read in a state; to be called with the state before `hits`. */
  settle(state: State, objects: Iterable<number> = this.#objects): void {
    const { world } = this.#trace;
    for (const object of objects) {
      for (const cell of readBy(state, object, this.#key)) {
        this.#flags[cell]! |= READ;
        this.#others.add(world.objectOfCell(cell));
        const known = this.#readers.get(cell);
        if (known) known.add(object);
        else this.#readers.set(cell, new Set([object]));
      }
    }
  }

  /** The first block at or behind `block` in which something of this may be written; the number of blocks when there is none. */
  nextBlock(block: number): number {
    const end = ((this.#trace.length - 1) >>> BLOCK_BITS) + 1;
    if (this.#objects.length + this.#others.size > MANY) return Math.min(block, end);
    let next = end;
    for (const list of this.#lists()) {
      const at = list[firstAtLeast(list, block)];
      if (at !== undefined && at < next) next = at;
    }
    return next;
  }

  /** The last block at or before `block` in which something of this may be written; -1 when there is none. */
  previousBlock(block: number): number {
    if (this.#objects.length + this.#others.size > MANY) return block;
    let previous = -1;
    for (const list of this.#lists()) {
      const at = list[firstAtLeast(list, block + 1) - 1];
      if (at !== undefined && at > previous) previous = at;
    }
    return previous;
  }

  *#lists(): Generator<Uint32Array> {
    const { blocks } = this.#trace.log;
    for (const object of this.#objects) yield blocks.of(object);
    for (const object of this.#others) yield blocks.of(object);
  }

  /** The first step from `from` to `to` (both included) that touches what is watched. */
  next(world: World, from: number, to: number): Hit | undefined {
    const flags = this.#flags;
    const cursor = this.#trace.log.read(from, to);
    let step = -1;
    let exact = false;
    let changed = false;
    let objects: Set<number> | undefined;
    while (cursor.next()) {
      const flag = flags[cursor.cell];
      if (!flag) continue;
      if (step >= 0 && cursor.step !== step) break;
      const relevant = cursor.changes || (flag & EXACT) !== 0;
      if (!relevant) continue;
      step = cursor.step;
      objects ??= new Set();
      if ((flag & OWN) !== 0) objects.add(world.objectOfCell(cursor.cell));
      if ((flag & EXACT) !== 0) {
        exact = true;
        if (cursor.changes) changed = true;
      }
      if ((flag & READ) !== 0 && cursor.changes)
        for (const reader of this.#readers.get(cursor.cell) ?? []) objects.add(reader);
    }
    return objects && { step, objects, exact, changed };
  }
}

/** The first and last step of a block, within a trace. */
export function stepsOf(trace: Trace, block: number): readonly [first: number, last: number] {
  return [block * BLOCK, Math.min(trace.length, (block + 1) * BLOCK) - 1];
}

/** The block that a step lies in; -1 for the state before the first event. */
export const blockOf = (step: number): number => (step < 0 ? -1 : step >>> BLOCK_BITS);

function firstAtLeast(list: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
