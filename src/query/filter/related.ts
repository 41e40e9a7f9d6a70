// The related object of a type, for the object of an event, in the state at hand.
import type { ObjectId } from '../../base/ids.ts';
import type { State } from '../../model/state.ts';
import type { PathNode, World } from '../../model/world.ts';
import { isHub, type Joins } from './joins.ts';
import { relationNames } from './related-names.ts';

/** Finds one kind of related object. */
export interface Related {
  /** The related object of an object; -1 where there is none, and where there are several. */
  find(state: State, object: ObjectId): ObjectId;
  /** The same as far as the tree alone tells, without any state; -1 where it does not. */
  near(object: ObjectId): ObjectId;
}

/** How far a related object may be away: references one after the other. */
const FARTHEST = 6;

/**
 * The object itself, or the nearest of what stands above it in the tree, or else the nearest along the references: first against them, to what names
 * the object, then along them, to what it leads to. (The other order would lead from one interrupt to another that shares its target.)
 */
export function relatedBy(name: string, world: World, joins: Joins): Related {
  if (name === 'object') return { find: (_state, object) => object, near: (object) => object };
  const types = new Set(relationNames[name]!.types);
  const above = (object: ObjectId): ObjectId => {
    for (let node: PathNode | undefined = world.node(object); node; node = node.parent) {
      const type = world.type(node.object);
      if (type && types.has(type)) return node.object;
      // The capability stands beside the entries of the function.
      const cap = name === 'msixcap' ? node.children.get('msixcap')?.object : undefined;
      if (cap !== undefined && cap >= 0) return cap;
    }
    return -1;
  };
  /** What the tree alone tells, by object: -2 not looked up yet. */
  let near = new Int32Array(0);
  const nearOf = (object: ObjectId): ObjectId => {
    if (world.objects !== objects) {
      near = new Int32Array(0);
      ({ objects } = world);
    }
    if (object >= near.length) near = new Int32Array(Math.max(world.objects, object + 1)).fill(-2);
    if (near[object] === -2) near[object] = above(object);
    return near[object]!;
  };
  const found: (Found | undefined)[] = [];
  let objects = world.objects;
  return {
    near: nearOf,
    find: (state, object) => {
      const direct = nearOf(object);
      if (direct >= 0) return direct;
      joins.settle(state);
      const { version } = joins;
      const known = found[object];
      if (known?.version === version) return known.target;
      if (known !== undefined && known.version >= joins.rebuilt && !joins.changedSince(known.seen, known.version)) {
        known.version = version;
        return known.target;
      }
      const made = search(world, joins, object, nearOf);
      found[object] = { ...made, version };
      return made.target;
    },
  };
}

/** What a search found, and with which version of the references. */
interface Found {
  readonly target: ObjectId;
  /** The objects whose references the search read. */
  readonly seen: readonly ObjectId[];
  version: number;
}

/** Adds what is not known yet. */
function fresh(objects: Iterable<ObjectId>, known: Set<ObjectId>, into: ObjectId[]): void {
  for (const object of objects) {
    if (known.has(object)) continue;
    known.add(object);
    into.push(object);
  }
}

/** Looks along the references, nearest objects first. */
function search(
  world: World,
  joins: Joins,
  start: ObjectId,
  nearOf: (object: ObjectId) => ObjectId,
): Omit<Found, 'version'> {
  /** Reached against the references: it can go either way. */
  const up = new Set([start]);
  /** Reached along them. */
  const down = new Set([start]);
  let heads: readonly ObjectId[] = [start];
  let tails: readonly ObjectId[] = [start];
  const seen: ObjectId[] = [];
  for (let far = 1; far <= FARTHEST && (heads.length > 0 || tails.length > 0); far++) {
    const nextHeads: ObjectId[] = [];
    const nextTails: ObjectId[] = [];
    for (const object of tails) {
      if (far > 1 && isHub(world.type(object)!)) continue;
      seen.push(object);
      fresh(joins.forward(object), down, nextTails);
    }
    for (const object of heads) {
      if (isHub(world.type(object)!)) continue;
      seen.push(object);
      fresh(joins.backward(object), up, nextHeads);
    }
    const hits = new Set([...nextHeads, ...nextTails].map(nearOf).filter((object) => object >= 0));
    if (hits.size > 0) return { target: hits.size === 1 ? [...hits][0]! : -1, seen };
    fresh(nextHeads, down, nextTails);
    heads = nextHeads;
    tails = nextTails;
  }
  return { target: -1, seen };
}
