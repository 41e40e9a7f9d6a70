// Traces that begin later than others: things are at work in them from the first event on.
import { vocabulary } from '../../model/vocabulary.ts';
import type { Thing, ThingId, Things } from './things.ts';

/** Roles of the events with which things begin: they are set up, and their tables written. */
const BEGINNINGS: ReadonlySet<string> = new Set(['allocate', 'configure', 'invalidate', 'store', 'move', 'begin']);

/** Whether the first event of a thing shows that it was at work before: its trace began later. */
export const isUnderWay = ({ firstKind }: Thing): boolean =>
  firstKind >= 0 && !BEGINNINGS.has(vocabulary[firstKind]!.role);

/** Things that a trace tells of first, which show whether it began while they were at work. */
const FIRST_THINGS = 24;

/** Whether one of the traces began later than the other, by the things that are matched, and those with one number and a common name. */
export function beganLater(
  a: Things,
  b: Things,
  matches: { readonly inB: Int32Array; readonly inA: Int32Array },
  spaces: readonly (readonly [readonly ThingId[], readonly ThingId[]])[],
): boolean {
  const [inB, inA] = [matches.inB.slice(), matches.inA.slice()];
  for (const [here, there] of spaces) {
    const numbers = new Map(there.toReversed().map((id) => [b.all[id]!.number, id]));
    for (const id of here) {
      const other = numbers.get(a.all[id]!.number) ?? -1;
      if (other < 0 || inA[other]! >= 0 || ![...a.all[id]!.names].some((name) => b.all[other]!.names.has(name)))
        continue;
      inB[id] = other;
      inA[other] = id;
    }
  }
  return beganLate(a, b, inB) || beganLate(b, a, inA);
}

/**
 * Whether a trace begins where things are under way that the whole one shows set up: several of the first, and hardly any the other way
 * round.
 */
function beganLate(late: Things, whole: Things, inWhole: Int32Array): boolean {
  const first = late.all
    .flatMap((thing, id) => {
      const there = inWhole[id]! < 0 ? undefined : whole.all[inWhole[id]!];
      return thing.firstKind < 0 || there === undefined || there.firstKind < 0 ? [] : [[thing, there] as const];
    })
    .sort(([x], [y]) => x.first - y.first)
    .slice(0, FIRST_THINGS);
  const lacking = first.filter(([here, there]) => isUnderWay(here) && !isUnderWay(there)).length;
  const ahead = first.filter(([here, there]) => !isUnderWay(here) && isUnderWay(there)).length;
  return lacking > 1 && lacking > 2 * ahead;
}
