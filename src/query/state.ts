import type { RegisterView } from '../model/register.ts';
import type { State } from '../model/state.ts';
import type { PathNode } from '../model/world.ts';
import { type PathTarget, resolvePath, sortedChildren } from './paths.ts';
import { cellValue, keyValue, type Value, viewObject } from './view.ts';

/** A state as one nested object keyed by the segments of the object paths. */
export interface StateTree {
  [key: string]: Value | StateTree;
}

/** Whether an object exists at a node or anywhere below it. */
export function isVisible(state: State, node: PathNode): boolean {
  if (state.present(node.object)) return state.world.type(node.object)?.hidden !== true;
  for (const child of node.children.values()) if (isVisible(state, child)) return true;
  return false;
}

function treeOf(state: State, node: PathNode): StateTree {
  const tree: StateTree = state.present(node.object) ? { ...viewObject(state, node.object) } : {};
  for (const child of sortedChildren(node)) if (isVisible(state, child)) put(tree, child.segment, treeOf(state, child));
  return tree;
}

/** Sets a key, also one that a hostile trace calls `__proto__`. */
function put(tree: StateTree, key: string, value: StateTree): void {
  if (key === '__proto__')
    Object.defineProperty(tree, key, { value, enumerable: true, configurable: true, writable: true });
  else tree[key] = value;
}

/** The whole state. */
export function stateTree(state: State): StateTree {
  return treeOf(state, state.world.root);
}

/** What a target holds: the subtree of a node, the value of a key, or of a field; null when it does not exist now. */
export function targetValue(state: State, target: PathTarget): Value | StateTree {
  if (target.key === undefined) return isVisible(state, target.node) ? treeOf(state, target.node) : null;
  if (!state.present(target.object)) return null;
  const { object, type, key, cell, field } = target;
  if (field === undefined) return keyValue(state, object, key) ?? null;
  if (cell && type) return own((cellValue(state, object, cell, type) as RegisterView).fields, field);
  const value = keyValue(state, object, key) ?? null;
  if (typeof value !== 'object' || value === null) return null;
  const fields = own(value as Record<string, Value>, 'fields');
  return own(value as Record<string, Value>, field) ?? (fields && own(fields as Record<string, Value>, field));
}

/** A member that an object got from data; members that every object inherits do not count. */
const own = (of: Readonly<Record<string, Value>>, name: string): Value =>
  Object.hasOwn(of, name) ? (of[name] ?? null) : null;

/** What a path holds; undefined when the trace never names such a thing. */
export function pathValue(state: State, path: string): Value | StateTree | undefined {
  const target = resolvePath(state.world, path);
  return target && targetValue(state, target);
}
