import { StringTable } from '../base/strings.ts';
import type { ObjectType } from './objects.ts';

/** A node of the tree of object paths; a node need not be an object itself (`device`, `device/x/msix`). */
export interface PathNode {
  readonly segment: string;
  readonly path: string;
  readonly parent: PathNode | undefined;
  readonly children: Map<string, PathNode>;
  /** Number of the object that stands here, or -1. */
  object: number;
}

/**
 * What all states of one trace share and only ever extend: the texts and the objects that the trace names. An object
 * has a number, a path (design of object paths: `device/0000:00:03.0/msix/0`), a type, and a run of cells that starts
 * at `base`. Whether it exists at a step is a matter of the state, not of the world.
 */
export class World {
  readonly strings: StringTable = new StringTable();
  readonly root: PathNode = { segment: '', path: '', parent: undefined, children: new Map(), object: -1 };
  readonly #nodes: PathNode[] = [];
  readonly #types: ObjectType[] = [];
  #bases = new Uint32Array(256);
  #cells = 0;
  readonly #byPath = new Map<string, number>();
  readonly #pairs = new Map<ObjectType, Map<number, number>>();

  /** How many objects there are. */
  get objects(): number {
    return this.#types.length;
  }

  /** How many cells all objects together take. */
  get cells(): number {
    return this.#cells;
  }

  /** The first cell of an object. */
  base(object: number): number {
    return this.#bases[object] ?? 0;
  }

  /** The object that a cell belongs to. */
  objectOfCell(cell: number): number {
    let low = 0;
    let high = this.#types.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#bases[middle]! <= cell) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The type of an object; undefined when there is no such object. */
  type(object: number): ObjectType | undefined {
    return this.#types[object];
  }

  /** The path of an object; the empty text when there is no such object. */
  path(object: number): string {
    return this.#nodes[object]?.path ?? '';
  }

  /** The node of an object. */
  node(object: number): PathNode | undefined {
    return this.#nodes[object];
  }

  /** The node at a path, if any object at or below it was ever named. */
  find(path: string): PathNode | undefined {
    let node: PathNode | undefined = this.root;
    if (path === '') return node;
    for (const segment of path.split('/')) {
      node = node.children.get(segment);
      if (node === undefined) return undefined;
    }
    return node;
  }

  /** The number of the object at exactly this path, or -1. */
  objectAt(path: string): number {
    return this.#byPath.get(path) ?? -1;
  }

  /** The number of the object at a path; makes it when it is new. A path keeps the type it was made with. */
  object(type: ObjectType, path: string): number {
    const known = this.#byPath.get(path);
    if (known !== undefined) return known;
    let node = this.root;
    for (const segment of path.split('/')) node = this.#child(node, segment);
    return node.object >= 0 ? node.object : this.#place(node, type);
  }

  /** The object below another one: `child(msixEntry, device, 'msix', 3)` is `<device>/msix/3`. */
  child(type: ObjectType, parent: number, ...segments: readonly (string | number)[]): number {
    let node = this.#nodes[parent] ?? this.root;
    for (const segment of segments) node = this.#child(node, String(segment));
    return node.object >= 0 ? node.object : this.#place(node, type);
  }

  /** The object at `pathOf(a, b)`, remembered by its two numbers (each below 2^26): no path is built the second time. */
  byNumbers(type: ObjectType, a: number, b: number, pathOf: (a: number, b: number) => string): number {
    let known = this.#pairs.get(type);
    if (known === undefined) this.#pairs.set(type, (known = new Map()));
    const key = a * 0x4000000 + b;
    let object = known.get(key);
    if (object === undefined) known.set(key, (object = this.object(type, pathOf(a, b))));
    return object;
  }

  #child(node: PathNode, segment: string): PathNode {
    let child = node.children.get(segment);
    if (child === undefined) {
      const path = node.path === '' ? segment : `${node.path}/${segment}`;
      child = { segment, path, parent: node, children: new Map(), object: -1 };
      node.children.set(segment, child);
    }
    return child;
  }

  #place(node: PathNode, type: ObjectType): number {
    const object = this.#types.length;
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
