import type { ObjectId, Step } from '../../base/ids.ts';
import type { Comparison } from './compare.ts';
import type { Difference } from './pairing.ts';
import type { Survey } from './survey.ts';

/**
 * What a difference is at a place of one trace: `changed`, its event tells something else; `here`, the other trace lacks it;
 * `missing`, an event that only the other trace has would stand behind this one.
 */
export type PlaceKind = 'changed' | 'here' | 'missing';

/** A difference at a place of one trace. */
export interface Place {
  readonly kind: PlaceKind;
  readonly step: Step;
  /** Path of the object that it is about, as this trace calls it. */
  readonly path: string;
}

/** Where the differences stand in one of the traces, at most `most` of them, in the order of the comparison. */
export function placesIn(comparison: Comparison, side: 'a' | 'b', most: number): Place[] {
  const other = side === 'a' ? 'b' : 'a';
  const [mine, theirs] = [comparison[side], comparison[other]];
  const shown = comparison.differences.slice(0, most);
  const before = placesBefore(comparison, side, shown);
  return shown.map((difference, i): Place => {
    const step = difference[side];
    if (step < 0) {
      const path = pathHere(comparison, side, theirs, difference[other]);
      return { kind: 'missing', step: before[i]!, path };
    }
    const { table, world } = mine.trace;
    return { kind: difference[other] < 0 ? 'here' : 'changed', step, path: world.path(table.object(step)) };
  });
}

/** For each difference the step of this trace that stands for the nearest event before it in the other trace. */
function placesBefore({ partner, a }: Comparison, side: 'a' | 'b', differences: readonly Difference[]): Step[] {
  const other = side === 'a' ? 'b' : 'a';
  // The step of this trace for each step of the other one; then for each of them that of the nearest one before it.
  let mapped = partner.slice();
  if (side === 'b') {
    mapped = new Int32Array(a.trace.length).fill(-1);
    for (const [b, step] of partner.entries()) if (step >= 0) mapped[step] = b;
  }
  let last = 0;
  for (const [i, step] of mapped.entries()) {
    if (step >= 0) last = step;
    mapped[i] = last;
  }
  return differences.map((difference) => mapped[difference[other]] ?? 0);
}

/** The path by which this trace calls the object of an event of the other one. */
function pathHere(comparison: Comparison, side: 'a' | 'b', { trace, things }: Survey, step: Step): string {
  const object = trace.table.object(step);
  return otherPath(comparison, side, object, step) ?? trace.world.path(things.meant(object));
}

/**
 * The path by which trace `side` calls an object that the other trace names at a step; undefined where it has no such thing. Whether anything in it
 * has that path is another question.
 */
export function otherPath(
  { a, b, matches }: Pick<Comparison, 'a' | 'b' | 'matches'>,
  side: 'a' | 'b',
  object: ObjectId,
  step: Step,
): string | undefined {
  const [mine, theirs, inMine] = side === 'a' ? [a, b, matches.inA] : [b, a, matches.inB];
  const { trace, things } = theirs;
  const meant = things.meant(object);
  const slot = things.numbered(meant);
  if (slot === null) return trace.world.path(meant);
  const thing = things.at(slot.space, slot.number, step);
  const known = thing < 0 ? -1 : inMine[thing]!;
  if (known < 0) return undefined;
  const { number } = mine.things.all[known]!;
  const text = slot.what === 'table' || slot.what === 'pointer' ? `0x${number.toString(16)}` : String(number);
  return slot.pattern.replace('*', text);
}
