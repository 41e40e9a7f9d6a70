import { lastAtMost } from '../base/search.ts';

export type { PathNode } from './namespace.ts';

import type { CellId, ObjectId } from '../base/ids.ts';
import { StringTable } from '../base/strings.ts';
import { Namespace, type Objects, type PathNode, systemOfPath } from './namespace.ts';
import type { ObjectType } from './objects.ts';

/**
 * What all states of one trace share and only ever extend: the texts and the objects that the trace names. An object
 * has a number, a path (design of object paths: `device/0000:00:03.0/msix/0`), a type, and a run of cells that starts
 * at `base`. Whether it exists at a step is a matter of the state, not of the world.
 */
export class World implements Objects {
  readonly strings: StringTable = new StringTable();
  readonly #spaces = new Map<string, Namespace>();
  /** The system whose paths stand alone: the only one, or the first that was named. */
  readonly first: Namespace = this.space('');
  readonly root: PathNode = {
    segment: '',
    path: '',
    parent: undefined,
    children: new Map(),
    space: this.first,
    object: -1,
  };
  readonly #nodes: PathNode[] = [];
  readonly #types: ObjectType[] = [];
  #bases = new Uint32Array(256);
  #cells = 0;
  readonly #byPath = new Map<string, number>();

  /** How many objects there are. */
  get objects(): number {
    return this.#types.length;
  }

  /** How many cells all objects together take. */
  get cells(): number {
    return this.#cells;
  }

  /** The first cell of an object. */
  base(object: ObjectId): CellId {
    return this.#bases[object] ?? 0;
  }

  /** The object that a cell belongs to. */
  objectOfCell(cell: CellId): ObjectId {
    return lastAtMost(this.#bases, cell, 0, this.#types.length);
  }

  /** The type of an object; undefined when there is no such object. */
  type(object: ObjectId): ObjectType | undefined {
    return this.#types[object];
  }

  /** The path of an object; the empty text when there is no such object. */
  path(object: ObjectId): string {
    return this.#nodes[object]?.path ?? '';
  }

  /** The node of an object. */
  node(object: ObjectId): PathNode | undefined {
    return this.#nodes[object];
  }

  /** The node at a path, if any object at or below it was ever named. */
  find(path: string): PathNode | undefined {
    let node: PathNode | undefined = this.root;
    if (path === '') return node;
    for (const segment of levelsOf(path)) {
      node = node.children.get(segment);
      if (node === undefined) return undefined;
    }
    return node;
  }

  /** The number of the object at exactly this path, or -1. */
  objectAt(path: string): ObjectId {
    return this.#byPath.get(path) ?? -1;
  }

  /** The number of the object at a path; makes it when it is new. A path keeps the type it was made with. */
  object(type: ObjectType, path: string): ObjectId {
    const known = this.#byPath.get(path);
    if (known !== undefined) return known;
    let node = this.root;
    for (const segment of levelsOf(path)) node = this.#child(node, segment);
    return node.object >= 0 ? node.object : this.#place(node, type);
  }

  /** The object below another one: `child(msixEntry, device, 'msix', 3)` is `<device>/msix/3`. */
  child(type: ObjectType, parent: ObjectId, ...segments: readonly (string | number)[]): ObjectId {
    let node = this.#nodes[parent] ?? this.root;
    for (const segment of segments) node = this.#child(node, String(segment));
    return node.object >= 0 ? node.object : this.#place(node, type);
  }

  /** The same in the first system; see Namespace. */
  byNumbers(type: ObjectType, a: number, b: number, pathOf: (a: number, b: number) => string): ObjectId {
    return this.first.byNumbers(type, a, b, pathOf);
  }

  /** How many systems there are. */
  get systems(): number {
    return this.#spaces.size;
  }

  /** The system whose machine the others run on: the one that is named so, else the first. */
  get host(): Namespace {
    return this.#spaces.get('host') ?? this.first;
  }

  /** The names of all systems. */
  spaces(): readonly Namespace[] {
    return [...this.#spaces.values()];
  }

  /** The names of one system. The first system of a trace has the name '' here: its paths carry no name. */
  space(system: string): Namespace {
    let space = this.#spaces.get(system);
    if (space === undefined) {
      space = new Namespace(this, system);
      this.#spaces.set(system, space);
    }
    return space;
  }

  /** The system that an object belongs to. */
  spaceOf(object: ObjectId): Namespace {
    return this.#nodes[object]?.space ?? this.first;
  }

  #child(node: PathNode, segment: string): PathNode {
    let child = node.children.get(segment);
    if (child === undefined) {
      const path = node.path === '' ? segment : `${node.path}/${segment}`;
      const space = node === this.root ? this.space(systemOfPath(segment)) : node.space;
      child = { segment, path, parent: node, children: new Map(), space, object: -1 };
      node.children.set(segment, child);
    }
    return child;
  }

  #place(node: PathNode, type: ObjectType): ObjectId {
    const object: ObjectId = this.#types.length;
    if (object === this.#bases.length) {
      const wider = new Uint32Array(object * 2);
      wider.set(this.#bases);
      this.#bases = wider;
    }
    this.#bases[object] = this.#cells;
    this.#cells += type.size;
    this.#types.push(type);
    this.#nodes.push(node);
    node.object = object;
    this.#byPath.set(node.path, object);
    return object;
  }
}

/** The tree of objects is not deeper: a walk through it is a call for each level. */
const DEEPEST = 64;

/** The segments of a path; a name with more slashes than any object has, which is damage or made to harm, stays one segment. */
function levelsOf(path: string): string[] {
  const segments = path.split('/');
  return segments.length <= DEEPEST
    ? segments
    : [...segments.slice(0, DEEPEST - 1), segments.slice(DEEPEST - 1).join('/')];
}
