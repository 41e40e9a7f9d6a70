import type { Slices } from '../../base/slices.ts';
import type { LaneIndex } from './lanes.ts';
import type { Lane } from './tree.ts';

/** Which lane of the other trace tells the same thing as a lane: of those of A in B, and the other way round. */
export interface Twins {
  readonly ofA: ReadonlyMap<Lane, Lane>;
  readonly ofB: ReadonlyMap<Lane, Lane>;
}

/** How lanes of two traces are known to be about the same. */
export interface Sameness {
  /** The step of A with which each step of B was compared, -1 for none. */
  readonly pairs: ArrayLike<number>;
  /** The path by which trace B calls the thing of a lane of A; undefined where B has no such thing. */
  readonly pathInB: (lane: Lane) => string | undefined;
}

/** Events that are looked at between two slices. */
const SLICE = 1 << 15;

/** The lane of the object of an event, for each object once. */
function lanesByObject({ tree }: LaneIndex): (object: number) => Lane {
  const known: Lane[] = [];
  return (object) => (known[object] ??= tree.laneOf(object));
}

/**
 * Finds for the lanes of two traces which tell of the same, in slices: those whose events were compared with each other most often, then those whose object is
 * the same thing. A lane has one twin at most.
 */
export function* pairingLanes(a: LaneIndex, b: LaneIndex, { pairs, pathInB }: Sameness): Slices<Twins> {
  const ofA = new Map<Lane, Lane>();
  const ofB = new Map<Lane, Lane>();
  const put = (x: Lane, y: Lane): void => {
    if (ofA.has(x) || ofB.has(y)) return;
    ofA.set(x, y);
    ofB.set(y, x);
  };
  const common = yield* counting(a, b, pairs);
  common.sort((p, q) => q.count - p.count || p.a.id - q.a.id || p.b.id - q.b.id);
  for (const pair of common) put(pair.a, pair.b);
  yield;
  for (const [i, lane] of a.tree.lanes.entries()) {
    if (i % SLICE === SLICE - 1) yield;
    if (ofA.has(lane)) continue;
    const path = lane.object < 0 ? lane.path : pathInB(lane);
    const there = path === undefined ? undefined : b.tree.find(path);
    if (there) put(lane, there);
  }
  return { ofA, ofB };
}

interface Common {
  readonly a: Lane;
  readonly b: Lane;
  /** Events of them that were compared with each other. */
  count: number;
}

function* counting(a: LaneIndex, b: LaneIndex, pairs: ArrayLike<number>): Slices<Common[]> {
  const [laneOfA, laneOfB] = [lanesByObject(a), lanesByObject(b)];
  const width = b.tree.lanes.length;
  const found = new Map<number, Common>();
  for (let step = 0; step < pairs.length; step++) {
    if (step % SLICE === SLICE - 1) yield;
    if (pairs[step]! < 0) continue;
    const x = laneOfA(a.trace.table.object(pairs[step]!));
    const y = laneOfB(b.trace.table.object(step));
    const key = x.id * width + y.id;
    const known = found.get(key);
    if (known) known.count++;
    else found.set(key, { a: x, b: y, count: 1 });
  }
  return [...found.values()];
}

/** Every lane is its own twin: two parts of one trace. */
export function pairingWithItself({ tree }: LaneIndex): Twins {
  const own = new Map(tree.lanes.map((lane) => [lane, lane]));
  return { ofA: own, ofB: own };
}
