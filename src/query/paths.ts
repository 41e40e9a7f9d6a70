import { hexText } from '../base/hex.ts';
import type { ObjectId } from '../base/ids.ts';
import { isAtOrBelow, segmentsOf } from '../base/path-pattern.ts';
import { withoutSystem } from '../model/namespace.ts';
import type { CellSpec, ObjectType } from '../model/objects.ts';
import type { Register } from '../model/register.ts';
import { vfioIndexes } from '../model/vfio-index.ts';
import type { PathNode, World } from '../model/world.ts';
import { derivedKeys } from './view.ts';

/** What a path means: a node of the tree, perhaps a key of the object there, perhaps a field of that key. */
export interface PathTarget {
  readonly node: PathNode;
  readonly object: ObjectId;
  readonly type: ObjectType | undefined;
  /** Key of the object: a cell or a computed one. */
  readonly key?: string;
  readonly cell?: CellSpec;
  /** Field of the key's register. */
  readonly field?: string;
}

/** The child of a node by a segment as users write it: BDFs without segment, hexadecimal with or without 0x. */
function childOf(node: PathNode, segment: string): PathNode | undefined {
  const lower = segment.toLowerCase();
  const others = [lower, `0000:${lower}`, `0x${lower}`];
  const index = vfioIndexes.findIndex(({ name }) => name === lower);
  if (index >= 0 && isAtOrBelow(withoutSystem(node.path), 'vfio')) others.push(String(index));
  if (/^0x[0-9a-f]+$/.test(lower)) others.push(String(Number(lower)), hexText(BigInt(lower)));
  if (/^\d+$/.test(lower)) others.push(hexText(BigInt(lower)));
  for (const other of others) {
    const child = node.children.get(other);
    if (child) return child;
  }
  return undefined;
}

/** Resolves a path; undefined when the trace never names such a thing. */
export function resolvePath(world: World, path: string): PathTarget | undefined {
  let node: PathNode = world.root;
  const segments = segmentsOf(path);
  for (const [i, segment] of segments.entries()) {
    const exact = node.children.get(segment);
    const key = exact === undefined && i === segments.length - 1 ? keyOf(world, node, segment) : undefined;
    if (key !== undefined) return key;
    const child = exact ?? childOf(node, segment);
    if (child === undefined) return undefined;
    node = child;
  }
  return { node, object: node.object, type: world.type(node.object) };
}

/** A key of the object at a node, perhaps with a field of it; undefined when its type has none of that name. */
function keyOf(world: World, node: PathNode, segment: string): PathTarget | undefined {
  const type = world.type(node.object);
  if (type === undefined) return undefined;
  const [key, field, ...more] = segment.split('.') as [string, string?, ...string[]];
  const cell = type.cells.find((c) => c.name === key);
  if (more.length > 0 || (!cell && !derivedKeys(type).some((d) => d.name === key))) return undefined;
  if (cell && field !== undefined && !hasField(cell.register, field)) return undefined;
  return { node, object: node.object, type, key, ...(cell ? { cell } : {}), ...(field === undefined ? {} : { field }) };
}

/** Whether any layout of a register has a field that answers show. */
function hasField(register: Register | undefined, name: string): boolean {
  const layouts = register ? [register, ...(register.layouts ?? [])] : [];
  return layouts.some((layout) => layout.fields.some((f) => f.name === name && !f.access.startsWith('Rsvd')));
}

/** Children of a node in reading order: numbers by value, other texts alphabetically. */
export function sortedChildren(node: PathNode): PathNode[] {
  return [...node.children.values()].sort((a, b) => compareSegments(a.segment, b.segment));
}

/** The objects at a node and below it. */
export function objectsBelow(node: PathNode, into: ObjectId[] = []): ObjectId[] {
  if (node.object >= 0) into.push(node.object);
  for (const child of sortedChildren(node)) objectsBelow(child, into);
  return into;
}

/** The order of path segments. */
export function compareSegments(a: string, b: string): number {
  const na = Number(a);
  const nb = Number(b);
  if (!Number.isNaN(na) && !Number.isNaN(nb)) return na - nb;
  return a < b ? -1 : a > b ? 1 : 0;
}
