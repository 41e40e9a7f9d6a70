import type { Matches } from './match.ts';
import type { ThingId, Things } from './things.ts';

/** Common numbers of the things of two traces, and the groups that they form: each interrupt is one. */
export interface Groups {
  /** The common number of each thing of trace A, of trace B. */
  readonly ofA: Int32Array;
  readonly ofB: Int32Array;
  /** The group of each common number. */
  readonly group: Int32Array;
}

/** Joins things that either trace says belong together: so both are cut into the same groups. */
export function groupThings(a: Things, b: Things, matches: Matches): Groups {
  const ofA = Int32Array.from(a.all, (_, id) => id);
  let next = a.all.length;
  const ofB = Int32Array.from(b.all, (_, id) => (matches.inA[id]! >= 0 ? matches.inA[id]! : next++));
  const parent = Int32Array.from({ length: next }, (_, i) => i);
  const find = (x: number): number => {
    let root = x;
    while (parent[root] !== root) root = parent[root]!;
    for (let at = x; at !== root; ) {
      const up = parent[at]!;
      parent[at] = root;
      at = up;
    }
    return root;
  };
  const joinAll = (links: readonly (readonly [ThingId, ThingId])[], common: Int32Array): void => {
    for (const [x, y] of links) {
      const [p, q] = [find(common[x]!), find(common[y]!)];
      // The lower number stays: that of the thing that was met first.
      parent[Math.max(p, q)] = Math.min(p, q);
    }
  };
  joinAll(a.links, ofA);
  joinAll(b.links, ofB);
  return { ofA, ofB, group: parent.map((_, x) => find(x)) };
}
