// Which objects belong to one interrupt in a state: by the references that objects declare, and by what stands above them in the tree.
import type { CellId, ObjectId } from '../../base/ids.ts';
import type { ObjectType } from '../../model/objects.ts';
import { hasReferences, linksOf } from '../../model/references.ts';
import type { State } from '../../model/state.ts';
import type { World } from '../../model/world.ts';

/**
 * References that tell where an interrupt was, or what runs now, and not which objects belong to it. The target of a remapping entry is left out
 * because the irq behind it knows its vector itself.
 */
export const NO_JOIN: ReadonlySet<string> = new Set(['previous', 'running', 'target', 'parent']);

/** Types of objects that belong to many interrupts: a search for related objects ends there. */
const HUBS: ReadonlySet<string> = new Set([
  'device',
  'cpu',
  'vcpu',
  'domain',
  'irunit',
  'its',
  'itscollection',
  'itsvpe',
  'vfio',
  'kvm',
  'kvmtable',
  'grant',
]);

/** Whether objects of a type belong to many interrupts. */
export const isHub = (type: ObjectType): boolean => HUBS.has(type.name);

const NOTHING: readonly ObjectId[] = [];

/**
 * The references of all objects in the state at hand, in both directions. The index reads them all once, when it is asked first, and again only where
 * a cell changes that was read.
 */
export class Joins {
  readonly #world: World;
  #forward: (readonly ObjectId[] | undefined)[] = [];
  #backward = new Map<ObjectId, Set<ObjectId>>();
  #readers = new Map<CellId, Set<ObjectId>>();
  #flags = new Uint8Array(0);
  readonly #dirty = new Set<ObjectId>();
  #built = false;
  #objects = 0;
  #version = 0;
  #rebuilt = 0;
  /** The version with which the references of an object, or those to it, changed last. */
  #touched = new Float64Array(0);

  constructor(world: World) {
    this.#world = world;
  }

  /** The version with which all references were read again: what was found before says nothing. */
  get rebuilt(): number {
    return this.#rebuilt;
  }

  /** Grows whenever a reference leads elsewhere. */
  get version(): number {
    return this.#version;
  }

  /** Whether references of some objects, or to them, changed after a version. */
  changedSince(objects: readonly ObjectId[], version: number): boolean {
    for (const object of objects) if (this.#touched[object]! > version) return true;
    return false;
  }

  /** Forgets everything: the next question comes with another state. */
  reset(): void {
    this.#built = false;
  }

  /** A cell has changed, or is about to. */
  changed(cell: CellId): void {
    if (!this.#built || this.#flags[cell] !== 1) return;
    for (const reader of this.#readers.get(cell)!) this.#dirty.add(reader);
  }

  /** Brings the index to a state; `changed` was told of all that changed since the last call. */
  settle(state: State): void {
    const { objects } = this.#world;
    if (!this.#built) {
      this.#forward = [];
      this.#backward = new Map();
      this.#readers = new Map();
      this.#flags = new Uint8Array(this.#world.cells);
      this.#dirty.clear();
      this.#touched = new Float64Array(objects);
      this.#objects = 0;
      this.#built = true;
      this.#rebuilt = ++this.#version;
    }
    if (objects > this.#objects) {
      // A reference that led nowhere may have named an object that came into the world since.
      if (this.#flags.length < this.#world.cells) {
        const wider = new Uint8Array(this.#world.cells);
        wider.set(this.#flags);
        this.#flags = wider;
      }
      if (this.#touched.length < objects) {
        const longer = new Float64Array(objects);
        longer.set(this.#touched);
        this.#touched = longer;
      }
      this.#objects = objects;
      for (let object = 0; object < objects; object++)
        if (hasReferences(this.#world.type(object)!)) this.#dirty.add(object);
    }
    if (this.#dirty.size === 0) return;
    for (const object of this.#dirty) this.#follow(state, object);
    this.#dirty.clear();
  }

  /** The objects that an object names. */
  forward(object: ObjectId): readonly ObjectId[] {
    return this.#forward[object] ?? NOTHING;
  }

  /** The objects that name an object. */
  backward(object: ObjectId): Iterable<ObjectId> {
    return this.#backward.get(object) ?? NOTHING;
  }

  #follow(state: State, object: ObjectId): void {
    const read = new Set<CellId>();
    const links = linksOf(state.reading(read), object, NO_JOIN);
    const now = [...new Set(links.map(({ target }) => target))].filter((target) => target !== object);
    for (const cell of read) {
      this.#flags[cell] = 1;
      const known = this.#readers.get(cell);
      if (known) known.add(object);
      else this.#readers.set(cell, new Set([object]));
    }
    const before = this.#forward[object] ?? NOTHING;
    if (now.length === before.length && now.every((target, i) => target === before[i])) return;
    this.#version++;
    for (const other of [object, ...before, ...now]) this.#touched[other] = this.#version;
    for (const target of before) this.#backward.get(target)?.delete(object);
    for (const target of now) {
      const known = this.#backward.get(target);
      if (known) known.add(object);
      else this.#backward.set(target, new Set([object]));
    }
    this.#forward[object] = now;
  }
}
