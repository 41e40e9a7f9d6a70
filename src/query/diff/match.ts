import { align } from './align.ts';
import { beganLater, isUnderWay } from './late.ts';
import type { Thing, ThingId, Things } from './things.ts';

/** Which thing of trace B each thing of trace A is, and the other way round; -1: it is in one trace only. */
export interface Matches {
  readonly inB: Int32Array;
  readonly inA: Int32Array;
  /** One trace began later: what is set up in the other one is under way in it. */
  readonly late: boolean;
}

/**
 * How well names tell things apart: those of the function and its vector first, actions and vectors of no known domain next, requesters
 * and tables of which only the address is known last.
 */
function rankOf(name: string): number {
  if (name.startsWith('requester ') || name.startsWith('entry of table/')) return 2;
  return name.startsWith('action ') || name.startsWith('slot ') ? 1 : 0;
}

const RANKS = [0, 1, 2] as const;

/**
 * Finds the things of one trace in another: fixed objects by their path; numbers that the system gives out by the names of
 * their things (function and vector, action); the n-th thing of a name is the n-th one there, or counted from the end where one trace
 * began later. Things without a name, or whose
 * name the other trace does not tell, are matched by the order in which their space gave them out, and at last by their number.
 */
export function matchThings(a: Things, b: Things): Matches {
  const matches = {
    inB: new Int32Array(a.all.length).fill(-1),
    inA: new Int32Array(b.all.length).fill(-1),
    late: false,
  };
  const fixed = new Map<string, ThingId>();
  for (const [id, thing] of b.all.entries()) if (thing.space === undefined) fixed.set(thing.path, id);
  for (const [id, thing] of a.all.entries()) {
    const there = thing.space === undefined ? fixed.get(thing.path) : undefined;
    if (there !== undefined) put(matches, id, there);
  }
  const [spacesA, spacesB] = [bySpace(a), bySpace(b)];
  const spaces = [...spacesA].flatMap(([space, here]) => {
    const there = spacesB.get(space);
    return there === undefined ? [] : [[here, there] as const];
  });
  matches.late = beganLater(a, b, matches, spaces);
  for (const rank of RANKS) {
    // The same requester is named by several things: their order says nothing where some were under way.
    const byNumber = matches.late && rank === RANKS.length - 1;
    for (const [here, there] of spaces) {
      matchLast(a, b, here, there, rank, matches);
      matchNames(a, b, here, there, rank, matches, byNumber);
    }
  }
  const [linksA, linksB] = [neighbours(a), neighbours(b)];
  for (const [here, there] of spaces) {
    matchLinked(a, b, here, there, matches, linksA, linksB);
    if (matches.late) matchNumbers(a, b, here, there, matches);
    matchOrder(a, b, here, there, matches);
  }
  return matches;
}

function put({ inB, inA }: Matches, a: ThingId, b: ThingId): void {
  inB[a] = b;
  inA[b] = a;
}

/** The numbered things of each space, in the order in which they were met. */
function bySpace(things: Things): Map<string, ThingId[]> {
  const spaces = new Map<string, ThingId[]>();
  for (const [id, { space }] of things.all.entries()) {
    if (space === undefined) continue;
    const list = spaces.get(space);
    if (list) list.push(id);
    else spaces.set(space, [id]);
  }
  return spaces;
}

type Links = ReadonlyMap<ThingId, readonly ThingId[]>;

/** The things that belong to the same interrupt as each thing. */
function neighbours({ links }: Things): Links {
  const found = new Map<ThingId, ThingId[]>();
  const put = (of: ThingId, other: ThingId): void => {
    const list = found.get(of);
    if (list === undefined) found.set(of, [other]);
    else list.push(other);
  };
  for (const [x, y] of links) {
    put(x, y);
    put(y, x);
  }
  return found;
}

/**
 * Matches things without a name by what they belong to: the only ones of a space that belong to one interrupt, such as the table entry
 * of an irq. Of several those with the same number.
 */
function matchLinked(
  a: Things,
  b: Things,
  here: readonly ThingId[],
  there: readonly ThingId[],
  matches: Matches,
  linksA: Links,
  linksB: Links,
): void {
  const open = new Set(there.filter((id) => matches.inA[id]! < 0));
  const found = new Map<ThingId, ThingId[]>();
  for (const id of here) {
    if (matches.inB[id]! >= 0) continue;
    const fit = new Set<ThingId>();
    for (const beside of linksA.get(id) ?? [])
      for (const other of linksB.get(matches.inB[beside]!) ?? [])
        if (open.has(other) && agree(a.all[id]!, b.all[other]!, RANKS.length)) fit.add(other);
    if (fit.size > 0) found.set(id, [...fit]);
  }
  const wanted = new Map<ThingId, number>();
  for (const fit of found.values()) for (const other of fit) wanted.set(other, (wanted.get(other) ?? 0) + 1);
  for (const [id, fit] of found) {
    const [only, ...more] = fit;
    const same = fit.find((other) => b.all[other]!.number === a.all[id]!.number);
    const other = more.length === 0 && wanted.get(only!) === 1 ? only : same;
    if (other !== undefined && matches.inA[other]! < 0) put(matches, id, other);
  }
}

/** Matches what has no name by its number, the last life of each first: of a run that is told from a later place on. */
function matchNumbers(
  a: Things,
  b: Things,
  here: readonly ThingId[],
  there: readonly ThingId[],
  matches: Matches,
): void {
  const left = new Map<number, ThingId[]>();
  for (const id of there) {
    if (matches.inA[id]! >= 0) continue;
    const { number } = b.all[id]!;
    left.set(number, [...(left.get(number) ?? []), id]);
  }
  for (const id of here.toReversed()) {
    if (matches.inB[id]! >= 0) continue;
    const lives = left.get(a.all[id]!.number);
    const other = lives?.at(-1);
    if (other === undefined || !agree(a.all[id]!, b.all[other]!, RANKS.length)) continue;
    lives!.pop();
    put(matches, id, other);
  }
}

/**
 * Where the first thing of a name is under way in one trace and set up in the other, the former began later: the lives of each number
 * that it lacks are the first ones, so the last are matched first.
 */
function matchLast(
  a: Things,
  b: Things,
  here: readonly ThingId[],
  there: readonly ThingId[],
  rank: number,
  matches: Matches,
): void {
  const [mine, theirs] = [livesOf(a, here, rank), livesOf(b, there, rank)];
  for (const [key, x] of mine) {
    const y = theirs.get(key);
    if (y === undefined || x.length === y.length) continue;
    if (isUnderWay(a.all[x[0]!]!) === isUnderWay(b.all[y[0]!]!)) continue;
    for (let i = 1; i <= Math.min(x.length, y.length); i++) {
      const [p, q] = [x.at(-i)!, y.at(-i)!];
      if (matches.inB[p]! < 0 && matches.inA[q]! < 0 && agree(a.all[p]!, b.all[q]!, rank)) put(matches, p, q);
    }
  }
}

/** The lives of each number that have a name of a rank, in their order. */
function livesOf({ all }: Things, ids: readonly ThingId[], rank: number): Map<string, ThingId[]> {
  const lives = new Map<string, ThingId[]>();
  for (const id of ids)
    for (const name of all[id]!.names) {
      if (rankOf(name) !== rank) continue;
      const key = `${all[id]!.number} ${name}`;
      const list = lives.get(key);
      if (list === undefined) lives.set(key, [id]);
      else list.push(id);
    }
  return lives;
}

function matchNames(
  a: Things,
  b: Things,
  here: readonly ThingId[],
  there: readonly ThingId[],
  rank: number,
  matches: Matches,
  numbers: boolean,
): void {
  const named = new Map<string, ThingId[]>();
  for (const id of there)
    for (const name of b.all[id]!.names) {
      if (rankOf(name) !== rank || matches.inA[id]! >= 0) continue;
      const list = named.get(name);
      if (list) list.push(id);
      else named.set(name, [id]);
    }
  const count = new Map<string, number>();
  for (const id of here) for (const name of a.all[id]!.names) count.set(name, (count.get(name) ?? 0) + 1);
  const take = (byNumber: boolean): void => {
    for (const id of here)
      for (const name of a.all[id]!.names) {
        if (matches.inB[id]! >= 0) break;
        if (rankOf(name) !== rank) continue;
        const list = named.get(name);
        if (list === undefined || (byNumber && !numbers && (count.get(name) ?? 0) === list.length)) continue;
        const other = list.find(
          (o) =>
            matches.inA[o]! < 0 &&
            (!byNumber || b.all[o]!.number === a.all[id]!.number) &&
            agree(a.all[id]!, b.all[o]!, rank),
        );
        if (other !== undefined) put(matches, id, other);
      }
  };
  // Where one trace has more of them, or their order says nothing (`numbers`), the number tells which ones these are.
  take(true);
  take(false);
}

/** Whether two things can be the same: no better name than those of `rank` tells them apart. */
function agree(a: Thing, b: Thing, rank: number): boolean {
  for (const better of RANKS) {
    if (better >= rank) return true;
    const mine = [...a.names].filter((name) => rankOf(name) === better);
    const theirs = [...b.names].some((name) => rankOf(name) === better);
    if (mine.length > 0 && theirs && !mine.some((name) => b.names.has(name))) return false;
  }
  return true;
}

/** Matches what is left by order, between things that are matched already; what is left of that by number. */
function matchOrder(a: Things, b: Things, here: readonly ThingId[], there: readonly ThingId[], matches: Matches): void {
  const [freeA, freeB] = [here.filter((id) => matches.inB[id]! < 0), there.filter((id) => matches.inA[id]! < 0)];
  if (freeA.length === 0 || freeB.length === 0) return;
  const take = (x: ThingId, y: ThingId): void => {
    if (matches.inB[x]! < 0 && matches.inA[y]! < 0 && agree(a.all[x]!, b.all[y]!, RANKS.length)) put(matches, x, y);
  };
  if (freeA.length !== freeB.length) {
    // One trace has more of them: those that begin alike under the same number are the same.
    const keyed = new Map(freeB.map((id) => [`${b.all[id]!.number} ${b.all[id]!.signature}`, id]));
    for (const id of freeA) {
      const other = keyed.get(`${a.all[id]!.number} ${a.all[id]!.signature}`);
      if (other !== undefined) take(id, other);
    }
  }
  const sequence = (ids: readonly ThingId[], things: Things, anchor: (id: ThingId) => number) => ({
    // What is matched already can only stand for its own match.
    tokens: ids.map((id) => (anchor(id) >= 0 ? `m${anchor(id)}` : `s${things.all[id]!.signature}`)),
    // Things whose events begin otherwise are not taken for each other.
    forms: ids.map((id) => (anchor(id) >= 0 ? `m${anchor(id)}` : `k${things.all[id]!.firstKind}`)),
  });
  const mine = sequence(here, a, (id) => (matches.inB[id]! >= 0 ? id : -1));
  const theirs = sequence(there, b, (id) => matches.inA[id]!);
  const numbers = new Map<string, number>();
  const numbered = (texts: readonly string[]): number[] =>
    texts.map((text) => {
      const known = numbers.get(text) ?? numbers.size;
      numbers.set(text, known);
      return known;
    });
  const all = ({ tokens, forms }: { tokens: readonly string[]; forms: readonly string[] }) => ({
    tokens: numbered(tokens),
    forms: numbered(forms),
    anchors: new Uint8Array(tokens.length),
  });
  for (const [i, j] of align(all(mine), all(theirs)).entries()) if (j >= 0) take(here[i]!, there[j]!);
  const left = new Map(there.filter((id) => matches.inA[id]! < 0).map((id) => [b.all[id]!.number, id]));
  for (const id of here) {
    const other = left.get(a.all[id]!.number);
    if (other !== undefined) take(id, other);
  }
}
