import type { Matches } from './match.ts';
import type { ThingId, Things } from './things.ts';

/** Common numbers of the things of two traces, and the groups that they form: each interrupt is one. */
export interface Groups {
  /** The common number of each thing of trace A, of trace B. */
  readonly ofA: Int32Array;
  readonly ofB: Int32Array;
  /** The group of each common number. */
  readonly group: Int32Array;
  /** The same number for all lives of one number in one group: which of them an event is about follows from their order. */
  readonly identity: Int32Array;
}

/** Sets that are joined; the lowest number of each stands for it. */
class Joined {
  readonly #parent: Int32Array;

  constructor(size: number) {
    this.#parent = Int32Array.from({ length: size }, (_, i) => i);
  }

  find(x: number): number {
    const parent = this.#parent;
    let root = x;
    while (parent[root] !== root) root = parent[root]!;
    for (let at = x; at !== root; ) {
      const up = parent[at]!;
      parent[at] = root;
      at = up;
    }
    return root;
  }

  join(x: number, y: number): void {
    const [p, q] = [this.find(x), this.find(y)];
    this.#parent[Math.max(p, q)] = Math.min(p, q);
  }

  all(): Int32Array {
    return Int32Array.from(this.#parent, (_, x) => this.find(x));
  }
}

/** Joins things that either trace says belong together: so both are cut into the same groups. */
export function groupThings(a: Things, b: Things, matches: Matches): Groups {
  const ofA = Int32Array.from(a.all, (_, id) => id);
  let next = a.all.length;
  const ofB = Int32Array.from(b.all, (_, id) => (matches.inA[id]! >= 0 ? matches.inA[id]! : next++));
  for (const [thing, entry] of a.turned()) ofA[thing] = ofA[entry]!;
  for (const [thing, entry] of b.turned()) ofB[thing] = ofB[entry]!;
  const groups = new Joined(next);
  const joinAll = (links: readonly (readonly [ThingId, ThingId])[], common: Int32Array): void => {
    for (const [x, y] of links) groups.join(common[x]!, common[y]!);
  };
  joinAll(a.links, ofA);
  joinAll(b.links, ofB);
  const group = groups.all();
  const identities = new Joined(next);
  const joinLives = ({ all }: Things, common: Int32Array): void => {
    const first = new Map<string, number>();
    for (const [id, { space, number }] of all.entries()) {
      if (space === undefined) continue;
      const key = `${group[common[id]!]} ${space} ${number}`;
      const known = first.get(key);
      if (known === undefined) first.set(key, common[id]!);
      else identities.join(known, common[id]!);
    }
  };
  joinLives(a, ofA);
  joinLives(b, ofB);
  return { ofA, ofB, group, identity: identities.all() };
}
