import { State } from '../model/state.ts';
import type { World } from '../model/world.ts';
import { derivedKeys } from './view.ts';

const indices = new WeakMap<World, Dependents>();

/**
 * Which objects have computed keys that read a cell of another object. Found by evaluating the keys on a state that takes
 * down what is read, never declared. What a key reads can change only when a cell changes that it read: so the index
 * follows from state to state, and looks again only at keys that read something that differs. It keeps what it found
 * earlier: it may name an object too many, never one too few.
 */
export class Dependents {
  readonly #readers = new Map<number, Set<number>>();
  #at: State;

  private constructor(world: World) {
    this.#at = new State(world);
  }

  /** The index of the states of a world. */
  static of(world: World): Dependents {
    let known = indices.get(world);
    if (known === undefined) indices.set(world, (known = new Dependents(world)));
    return known;
  }

  /** The objects that changed from one state to another, and those of which a computed key may have changed with them. */
  changed(before: State, after: State): Set<number> {
    this.#follow(before);
    const { world } = after;
    const objects = new Set<number>();
    for (const cell of after.changedCells(before)) {
      objects.add(world.objectOfCell(cell));
      for (const reader of this.#readers.get(cell) ?? []) objects.add(reader);
    }
    return objects;
  }

  /** The objects with computed keys that read a cell (number in the world) in a state. */
  readers(state: State, cell: number): Iterable<number> {
    this.#follow(state);
    return this.#readers.get(cell) ?? [];
  }

  #follow(state: State): void {
    const { world } = state;
    const stale = new Set<number>();
    for (const cell of state.changedCells(this.#at)) {
      stale.add(world.objectOfCell(cell));
      for (const reader of this.#readers.get(cell) ?? []) stale.add(reader);
    }
    for (const object of stale) this.#note(state, object);
    if (stale.size > 0) this.#at = state.fork();
  }

  #note(state: State, object: number): void {
    for (const cell of readBy(state, object)) {
      const known = this.#readers.get(cell);
      if (known) known.add(object);
      else this.#readers.set(cell, new Set([object]));
    }
  }
}

/** The cells of other objects that the computed keys of an object read in a state; `key`: only those of that key. */
export function readBy(state: State, object: number, key?: string): Set<number> {
  const { world } = state;
  const cells = new Set<number>();
  const type = world.type(object);
  if (type === undefined || !state.present(object)) return cells;
  for (const computed of derivedKeys(type))
    if (key === undefined || computed.name === key) computed.value(state.reading(cells), object);
  const base = world.base(object);
  for (const cell of cells) if (cell >= base && cell < base + type.size) cells.delete(cell);
  return cells;
}
