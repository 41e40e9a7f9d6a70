import { align } from './align.ts';
import type { Thing, ThingId, Things } from './things.ts';

/** Which thing of trace B each thing of trace A is, and the other way round; -1: it is in one trace only. */
export interface Matches {
  readonly inB: Int32Array;
  readonly inA: Int32Array;
}

/** How well names tell things apart: those of the function and its vector first, actions and vectors of no known domain next, requesters last. */
function rankOf(name: string): number {
  if (name.startsWith('requester ')) return 2;
  return name.startsWith('action ') || name.startsWith('slot ') ? 1 : 0;
}

const RANKS = [0, 1, 2] as const;

/**
 * Finds the things of one trace in another: fixed objects by their path; numbers that the system gives out by the names of
 * their things (function and vector, action); the n-th thing of a name is the n-th one there. Things without a name, or whose
 * name the other trace does not tell, are matched by the order in which their space gave them out, and at last by their number.
 */
export function matchThings(a: Things, b: Things): Matches {
  const matches = { inB: new Int32Array(a.all.length).fill(-1), inA: new Int32Array(b.all.length).fill(-1) };
  const fixed = new Map<string, ThingId>();
  for (const [id, thing] of b.all.entries()) if (thing.space === undefined) fixed.set(thing.path, id);
  for (const [id, thing] of a.all.entries()) {
    const there = thing.space === undefined ? fixed.get(thing.path) : undefined;
    if (there !== undefined) put(matches, id, there);
  }
  const [spacesA, spacesB] = [bySpace(a), bySpace(b)];
  for (const [space, here] of spacesA) {
    const there = spacesB.get(space);
    if (there === undefined) continue;
    for (const rank of RANKS) matchNames(a, b, here, there, rank, matches);
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

function matchNames(
  a: Things,
  b: Things,
  here: readonly ThingId[],
  there: readonly ThingId[],
  rank: number,
  matches: Matches,
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
  for (const id of here)
    for (const name of a.all[id]!.names) {
      if (matches.inB[id]! >= 0) break;
      if (rankOf(name) !== rank) continue;
      const fit = named.get(name)?.filter((o) => matches.inA[o]! < 0 && agree(a.all[id]!, b.all[o]!, rank)) ?? [];
      // Where one trace has more of them, the number tells which ones these are.
      const uneven = (count.get(name) ?? 0) !== (named.get(name)?.length ?? 0);
      const other = (uneven ? fit.find((o) => b.all[o]!.number === a.all[id]!.number) : undefined) ?? fit[0];
      if (other !== undefined) put(matches, id, other);
    }
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
