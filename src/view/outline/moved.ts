import type { PathNode, World } from '../../model/world.ts';
import { ReadIndex } from '../../query/dependents.ts';
import { derivedKeys } from '../../query/view.ts';
import { summaryOf } from '../presentation/types.ts';
import type { Now } from './now.ts';

/** With more changed objects than this it is quicker to draw everything. */
const MANY = 400;

const indices = new WeakMap<World, ReadIndex>();

/** What the rows of an object read: its line, and its computed keys. */
function rowReaders(world: World): ReadIndex {
  let known = indices.get(world);
  if (known === undefined) {
    known = new ReadIndex(world, (state, object) => {
      summaryOf(state, object);
      for (const key of derivedKeys(world.type(object)!)) key.value(state, object);
    });
    indices.set(world, known);
  }
  return known;
}

/**
 * The nodes that look different in two moments of one trace: their objects changed, they had or have a mark, or
 * they show something of an object that changed. Undefined when there are too many to look at one by one.
 */
export function movedNodes(old: Now, now: Now): Set<PathNode> | undefined {
  const { world } = now.state;
  const objects = rowReaders(world).changed(old.state, now.state);
  for (const change of [...old.changes, ...now.changes]) objects.add(change.object);
  if (objects.size > MANY) return undefined;
  const nodes = new Set<PathNode>();
  for (const object of objects) {
    const node = world.node(object);
    if (node) nodes.add(node);
  }
  return nodes;
}
