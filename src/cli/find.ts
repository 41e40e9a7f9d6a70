import { segmentsOf } from '../base/path-pattern.ts';
import { mention } from '../model/things/pci.ts';
import type { PathNode, World } from '../model/world.ts';
import { nearest } from '../query/nearest.ts';
import { type PathTarget, resolvePath, sortedChildren } from '../query/paths.ts';
import { derivedKeys } from '../query/view.ts';
import type { Trace } from '../trace/trace.ts';
import { Failure } from './failure.ts';
import { nameOf } from './read.ts';

/** Names of a list that a message shows. */
const SHOWN = 8;
/** Objects that are looked through for a similar path. */
const LOOKED_AT = 20_000;

/** What a path means; throws Failure with paths that exist when the trace never names such a thing. */
export function findTarget(trace: Trace, path: string): PathTarget {
  const target = resolvePath(trace.world, path);
  if (target && segmentsOf(path).length > 0) return target;
  throw new Failure(
    `${nameOf(trace.first.file)} never names ${path === '' ? 'an empty path' : path}${hint(trace, path)}`,
  );
}

/** What to try instead: similar paths, or what there is where the path leaves what exists. */
function hint(trace: Trace, path: string): string {
  const { world } = trace;
  const segments = segmentsOf(path);
  let node: PathNode = world.root;
  let at = 0;
  for (; at < segments.length; at++) {
    const next = resolvePath(world, segments.slice(0, at + 1).join('/'));
    if (next?.key !== undefined && at < segments.length - 1)
      return `; a field is written with a point: ${segments.slice(0, at + 1).join('/')}.${segments[at + 1]}`;
    if (!next || next.key !== undefined) break;
    node = next.node;
  }
  const wrong = segments[at] ?? '';
  const named = at === 1 && segments[0] === 'device' ? deviceNamed(trace, wrong) : undefined;
  if (named !== undefined) return `; did you mean ${[named, ...segments.slice(at + 1)].join('/')}?`;
  const prefix = node.path === '' ? '' : `${node.path}/`;
  const children = sortedChildren(node)
    .filter((c) => hasState(world, c))
    .map((c) => c.segment);
  const keys = keysOf(world, node);
  const [key = '', field] = wrong.split('.') as [string, string?];
  if (field !== undefined && keys.includes(key)) return fieldHint(world, node, key);
  const near = /^\d+$/.test(wrong) ? [] : nearest(wrong, [...children, ...keys]);
  if (near.length > 0) return `; did you mean ${list(near.map((n) => prefix + n))}?`;
  const similar = at === 0 ? nearest(path, paths(world)) : [];
  if (similar.length > 0) return `; did you mean ${list(similar)}?`;
  if (children.length + keys.length === 0) return '';
  return `; ${prefix === '' ? 'it has' : `${node.path} has`} ${list([...children, ...keys])}`;
}

function fieldHint(world: World, node: PathNode, key: string): string {
  const register = world.type(node.object)?.cells.find((c) => c.name === key)?.register;
  const fields = [register, ...(register?.layouts ?? [])].flatMap((layout) => layout?.fields ?? []);
  const names = [...new Set(fields.filter((f) => !f.access.startsWith('Rsvd')).map((f) => f.name))];
  return names.length > 0 ? `; the fields of ${key} are ${list(names)}` : `; ${key} has no fields`;
}

const list = (names: readonly string[]): string =>
  names.length <= SHOWN ? names.join(', ') : `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more`;

function keysOf(world: World, node: PathNode): string[] {
  const type = node.object < 0 ? undefined : world.type(node.object);
  if (type === undefined) return [];
  return [...type.cells.filter((c) => !c.hidden).map((c) => c.name), ...derivedKeys(type).map((d) => d.name)];
}

/** Path of the device that the trace calls by this name. */
function deviceNamed(trace: Trace, name: string): string | undefined {
  const { world, head } = trace;
  for (const node of world.root.children.get('device')?.children.values() ?? []) {
    const type = world.type(node.object);
    const text = type?.at['name'] === undefined ? '' : head.text(node.object, type.at['name']);
    if (text !== '' && text.toLowerCase() === name.toLowerCase()) return node.path;
  }
  return undefined;
}

/** Whether an object stands at a node that answers show, and that is more than a mention. */
const isThing = (world: World, { object }: PathNode): boolean =>
  object >= 0 && world.type(object) !== mention && world.type(object)?.hidden !== true;

/** Whether a node or anything below it is more than a mention. */
function hasState(world: World, node: PathNode): boolean {
  if (isThing(world, node)) return true;
  for (const child of node.children.values()) if (hasState(world, child)) return true;
  return false;
}

function* paths(world: World): Generator<string> {
  const stack = [world.root];
  for (let count = 0; stack.length > 0 && count < LOOKED_AT; count++) {
    const node = stack.pop()!;
    if (isThing(world, node)) yield node.path;
    stack.push(...sortedChildren(node).reverse());
  }
}
