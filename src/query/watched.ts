import type { CellId, ObjectId, Step } from '../base/ids.ts';
import { lowerBound } from '../base/search.ts';
import { State } from '../model/state.ts';
import { BLOCK, BLOCK_BITS } from '../trace/object-blocks.ts';
import { BEFORE_FIRST, type Trace } from '../trace/trace.ts';
import { readBy } from './dependents.ts';

/** The cell belongs to a watched object. */
const OWN = 1;
/** Every write of the cell counts, also one that changes nothing. */
const EXACT = 2;
/** A computed key of a watched object reads the cell. */
const READ = 4;

/** With more objects than this their blocks are not looked up: they are in most of them. */
const MANY = 64;

/** A step that touches what is watched. */
export interface Hit {
  readonly step: Step;
  /** Watched objects that the step writes to, or of which a computed key may change with it. */
  readonly objects: ReadonlySet<ObjectId>;
  /** One of the exact cells is written, whether that changes it or not. */
  readonly exact: boolean;
  /** The followed cells that the step changes; a cell may stand here twice. */
  readonly cells: readonly CellId[];
  /** For each of `cells` what it holds then: the bits, and which of them are known. */
  readonly values: readonly number[];
  readonly known: readonly number[];
}

/**
 * Goes through the change log of a trace from one step that touches some objects to the next. `state` holds the cells of
 * these objects, and those that their computed keys read, as they are after step `at`; it knows nothing of other cells.
 */
export class Watched {
  readonly #trace: Trace;
  readonly #objects: readonly ObjectId[];
  readonly #key: string | undefined;
  #flags: Uint8Array;
  readonly #readers = new Map<CellId, Set<ObjectId>>();
  /** Objects other than the watched ones of which cells are read. */
  readonly #others = new Set<ObjectId>();
  #state: State;
  #at = BEFORE_FIRST;

  /** `key`: the computed key to follow, all keys when undefined; `exact`: the run of cells of which every write counts. */
  constructor(
    trace: Trace,
    objects: readonly ObjectId[],
    key?: string,
    exact: readonly [from: CellId, to: CellId] = [0, 0],
  ) {
    const { world } = trace;
    this.#trace = trace;
    this.#objects = objects;
    this.#key = key;
    this.#flags = new Uint8Array(world.cells);
    this.#state = new State(world);
    for (const object of objects) {
      const base = world.base(object);
      this.#flags.fill(OWN, base, base + world.type(object)!.size);
    }
    for (let cell = exact[0]; cell < exact[1]; cell++) this.#flags[cell]! |= EXACT;
  }

  /** The state of what is watched. Not to be written to. */
  get state(): State {
    return this.#state;
  }

  /** Goes to the state after a step. */
  go(step: Step): void {
    const { world } = this.#trace;
    const whole = this.#trace.stateAt(step);
    this.#state = new State(world);
    this.#at = step;
    for (const object of this.#objects) {
      const base = world.base(object);
      this.#load(whole, base, base + world.type(object)!.size);
    }
    for (const cell of this.#readers.keys()) this.#load(whole, cell, cell + 1);
    this.#settle(this.#objects, whole);
  }

  /** The first block at or behind `block` in which something of this may be written; the number of blocks when there is none. */
  nextBlock(block: number): number {
    const end = blockOf(this.#trace.length - 1) + 1;
    if (this.#objects.length + this.#others.size > MANY) return Math.min(block, end);
    let next = end;
    for (const list of this.#lists()) {
      const at = list[lowerBound(list, block)];
      if (at !== undefined && at < next) next = at;
    }
    return next;
  }

  /** The last block at or before `block` in which something of this may be written; -1 when there is none. */
  previousBlock(block: number): number {
    if (this.#objects.length + this.#others.size > MANY) return block;
    let previous = -1;
    for (const list of this.#lists()) {
      const at = list[lowerBound(list, block + 1) - 1];
      if (at !== undefined && at > previous) previous = at;
    }
    return previous;
  }

  /**
   * Finds the first step behind `at`, and from `from` on, up to `to` that touches what is watched; nothing between may touch
   * it. `state` stays where it is; `take` goes there.
   */
  find(from: number, to: number): Hit | undefined {
    const flags = this.#flags;
    const { world } = this.#trace;
    const cursor = this.#trace.log.read(Math.max(from, this.#at + 1), to);
    let step = -1;
    let exact = false;
    let objects: Set<ObjectId> | undefined;
    const cells: CellId[] = [];
    const values: number[] = [];
    const known: number[] = [];
    while (cursor.nextOf(flags)) {
      const flag = flags[cursor.cell]!;
      if (!cursor.changes && (flag & EXACT) === 0) continue;
      if (step >= 0 && cursor.step !== step) break;
      step = cursor.step;
      objects ??= new Set();
      if ((flag & OWN) !== 0) objects.add(world.objectOfCell(cursor.cell));
      if ((flag & EXACT) !== 0) exact = true;
      if (!cursor.changes) continue;
      cells.push(cursor.cell);
      values.push(cursor.value);
      known.push(cursor.known);
      if ((flag & READ) !== 0) for (const reader of this.#readers.get(cursor.cell) ?? []) objects.add(reader);
    }
    return objects && { step, objects, exact, cells, values, known };
  }

  /** Brings `state` to after a step that was found. */
  take(hit: Hit): void {
    for (const [i, cell] of hit.cells.entries()) this.#state.restore(cell, hit.values[i]!, hit.known[i]!);
    this.#at = hit.step;
    this.#settle(hit.objects);
  }

  /** Follows what the computed keys of some watched objects read now. `whole`: the whole state, when it is at hand. */
  #settle(objects: Iterable<ObjectId>, whole?: State): void {
    let all = whole;
    for (const object of objects) {
      // A cell that was not followed reads as unknown: with its value the key may read others.
      for (let missing = true; missing; ) {
        missing = false;
        for (const cell of readBy(this.#state, object, this.#key)) {
          if (cell >= this.#flags.length) this.#grow();
          if ((this.#flags[cell]! & (OWN | READ)) === 0) {
            all ??= this.#trace.stateAt(this.#at);
            this.#load(all, cell, cell + 1);
            missing = true;
          }
          this.#flags[cell]! |= READ;
          this.#others.add(this.#trace.world.objectOfCell(cell));
          const known = this.#readers.get(cell);
          if (known) known.add(object);
          else this.#readers.set(cell, new Set([object]));
        }
      }
    }
  }

  /** Makes room for the cells of objects that came into the world since this was made. */
  #grow(): void {
    const wider = new Uint8Array(this.#trace.world.cells);
    wider.set(this.#flags);
    this.#flags = wider;
  }

  #load(whole: State, from: CellId, to: CellId): void {
    for (let cell = from; cell < to; cell++) {
      const known = whole.knownAt(cell);
      if (known !== 0) this.#state.restore(cell, whole.bitsAt(cell), known);
    }
  }

  *#lists(): Generator<Uint32Array> {
    const { blocks } = this.#trace.log;
    for (const object of this.#objects) yield blocks.of(object);
    for (const object of this.#others) yield blocks.of(object);
  }
}

/** The first and last step of a block, within a trace. */
export function stepsOf(trace: Trace, block: number): readonly [first: number, last: number] {
  return [block * BLOCK, Math.min(trace.length, (block + 1) * BLOCK) - 1];
}

/** The block that a step lies in; -1 for the state before the first event. */
export const blockOf = (step: Step): number => (step < 0 ? -1 : step >>> BLOCK_BITS);
