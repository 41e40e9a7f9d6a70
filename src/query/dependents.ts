import type { CellId, ObjectId } from '../base/ids.ts';
import { State } from '../model/state.ts';
import type { World } from '../model/world.ts';
import { derivedKeys } from './view.ts';

/** Looks at an object in a state. The cells that it reads are recorded. */
export type Look = (state: State, object: ObjectId) => void;

/**
 * For every cell, the objects whose look reads it. The reads are not declared: the index runs each look on a state that records
 * the cells it reads. What a look reads can change only when a cell changes that it read. So the index
 * follows from state to state, and looks again only where something differs. It keeps what it found earlier: it may hold
 * an object too many, but never lacks one.
 */
export class ReadIndex {
  readonly #look: Look;
  readonly #readers = new Map<CellId, Set<ObjectId>>();
  /** Objects that were looked at, and how many objects the world had then: a look may have missed one that came later. */
  readonly #looked = new Set<ObjectId>();
  #objects = 0;
  #at: State;

  constructor(world: World, look: Look) {
    this.#look = look;
    this.#at = new State(world);
  }

  /** The objects that changed from one state to another, and those whose look read something that changed. */
  changed(before: State, after: State): Set<ObjectId> {
    this.#follow(before);
    const { world } = after;
    const objects = new Set<ObjectId>();
    for (const cell of after.changedCells(before)) {
      objects.add(world.objectOfCell(cell));
      for (const reader of this.#readers.get(cell) ?? []) objects.add(reader);
    }
    return objects;
  }

  #follow(state: State): void {
    const { world } = state;
    const stale = new Set<ObjectId>(world.objects > this.#objects ? this.#looked : []);
    this.#objects = world.objects;
    for (const cell of state.changedCells(this.#at)) {
      stale.add(world.objectOfCell(cell));
      for (const reader of this.#readers.get(cell) ?? []) stale.add(reader);
    }
    if (stale.size === 0) return;
    for (const object of stale) this.#note(state, object);
    this.#at = state.fork();
  }

  #note(state: State, object: ObjectId): void {
    this.#looked.add(object);
    for (const cell of foreignReads(state, object, this.#look)) {
      const known = this.#readers.get(cell);
      if (known) known.add(object);
      else this.#readers.set(cell, new Set([object]));
    }
  }
}

/** The cells of other objects that a look at an object reads in a state; none while the object does not exist. */
function foreignReads(state: State, object: ObjectId, look: Look): Set<CellId> {
  const { world } = state;
  const cells = new Set<CellId>();
  const type = world.type(object);
  if (type === undefined || !state.present(object)) return cells;
  look(state.reading(cells), object);
  const base = world.base(object);
  for (const cell of cells) if (cell >= base && cell < base + type.size) cells.delete(cell);
  return cells;
}

/** Evaluates the computed keys of an object; `key`: only that one. */
const evaluate =
  (key?: string): Look =>
  (state, object) => {
    for (const computed of derivedKeys(state.world.type(object)!))
      if (key === undefined || computed.name === key) computed.value(state, object);
  };

const NO_CELLS: ReadonlySet<CellId> = new Set();

/** The cells of other objects that the computed keys of an object read in a state; `key`: only those of that key. */
export function readBy(state: State, object: ObjectId, key?: string): ReadonlySet<CellId> {
  const type = state.world.type(object);
  return type === undefined || derivedKeys(type).length === 0 ? NO_CELLS : foreignReads(state, object, evaluate(key));
}

const indices = new WeakMap<World, ReadIndex>();

/** The index of the computed keys of a world. */
export function keyReaders(world: World): ReadIndex {
  let known = indices.get(world);
  if (known === undefined) indices.set(world, (known = new ReadIndex(world, evaluate())));
  return known;
}
