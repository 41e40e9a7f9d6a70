import type { ObjectId } from '../base/ids.ts';
import type { StringTable } from '../base/strings.ts';
import type { ObjectType } from './objects.ts';

/** A node of the tree of object paths; a node need not be an object itself (`device`, `device/x/msix`). */
export interface PathNode {
  readonly segment: string;
  readonly path: string;
  readonly parent: PathNode | undefined;
  readonly children: Map<string, PathNode>;
  /** The system that everything at and below the node belongs to. */
  readonly space: Namespace;
  /** Number of the object that stands here, or -1. */
  object: ObjectId;
}

/** All objects of a trace by their paths in the world. */
export interface Objects {
  readonly strings: StringTable;
  path(object: ObjectId): string;
  node(object: ObjectId): PathNode | undefined;
  type(object: ObjectId): ObjectType | undefined;
  find(path: string): PathNode | undefined;
  objectAt(path: string): ObjectId;
  object(type: ObjectType, path: string): ObjectId;
  child(type: ObjectType, parent: ObjectId, ...segments: readonly (string | number)[]): ObjectId;
}

/** The name of the system that a path carries in front of it (`guest:irq/41`); the empty text when it carries none. */
export function systemOfPath(path: string): string {
  return /^([^:/]+):[^:/]/.exec(path)?.[1] ?? '';
}

/** A path without the name of its system. */
export function withoutSystem(path: string): string {
  const system = systemOfPath(path);
  return system === '' ? path : path.slice(system.length + 1);
}

/** How many of the objects that `byNumbers` found last are kept; a power of two. */
const LAST = 1 << 10;

/**
 * The objects of one system by their own paths: what an importer sees of the world. `irq/41` of the system `guest` is
 * `guest:irq/41` in the world; the first system of a trace has no name here, and its paths are the same in both.
 */
export class Namespace {
  /** All systems together. */
  readonly world: Objects;
  readonly system: string;
  /** What stands in front of the paths of this system: `guest:`, or nothing. */
  readonly prefix: string;
  readonly #pairs = new Map<ObjectType, Map<number, ObjectId>>();
  /** What `byNumbers` found last, by the low bits of its numbers: the same objects come again and again. */
  readonly #lastTypes = new Array<ObjectType | undefined>(LAST).fill(undefined);
  readonly #lastA = new Float64Array(LAST);
  readonly #lastB = new Float64Array(LAST);
  readonly #lastObjects = new Int32Array(LAST);

  constructor(world: Objects, system: string) {
    this.world = world;
    this.system = system;
    this.prefix = system === '' ? '' : `${system}:`;
  }

  get strings(): StringTable {
    return this.world.strings;
  }

  /** The path of an object of this system, without the name of the system. */
  path(object: ObjectId): string {
    return this.world.path(object).slice(this.prefix.length);
  }

  node(object: ObjectId): PathNode | undefined {
    return this.world.node(object);
  }

  type(object: ObjectId): ObjectType | undefined {
    return this.world.type(object);
  }

  /** The node at a path of this system, if any object at or below it was ever named. */
  find(path: string): PathNode | undefined {
    return this.world.find(this.prefix + path);
  }

  /** The object at a path of this system, or -1. */
  objectAt(path: string): ObjectId {
    return this.world.objectAt(this.prefix + path);
  }

  /** The object at a path of this system; makes it when it is new. */
  object(type: ObjectType, path: string): ObjectId {
    return this.world.object(type, this.prefix + path);
  }

  /** The object below another one. */
  child(type: ObjectType, parent: ObjectId, ...segments: readonly (string | number)[]): ObjectId {
    return this.world.child(type, parent, ...segments);
  }

  /** The object at `pathOf(a, b)`, remembered by its two numbers (each below 2^26): no path is built the second time. */
  byNumbers(type: ObjectType, a: number, b: number, pathOf: (a: number, b: number) => string): ObjectId {
    const i = (a * 31 + b) & (LAST - 1);
    if (this.#lastTypes[i] === type && this.#lastA[i] === a && this.#lastB[i] === b) return this.#lastObjects[i]!;
    let known = this.#pairs.get(type);
    if (known === undefined) this.#pairs.set(type, (known = new Map()));
    const key = a * 0x4000000 + b;
    let object = known.get(key);
    if (object === undefined) known.set(key, (object = this.object(type, pathOf(a, b))));
    this.#lastTypes[i] = type;
    this.#lastA[i] = a;
    this.#lastB[i] = b;
    this.#lastObjects[i] = object;
    return object;
  }
}
