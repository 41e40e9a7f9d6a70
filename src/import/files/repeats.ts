// What two files of one machine both recorded: logs that were rotated or begun again, reports of a part of a longer recording. It is to be told once.
import { firstWhere } from '../../base/search.ts';
import type { Slices } from '../../base/slices.ts';
import type { EventKind } from '../../model/event.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import { clockMap, onClock } from '../../trace/merge.ts';
import { eventRow } from '../../trace/row.ts';
import type { Trace } from '../../trace/trace.ts';
import { withoutEvents } from '../../trace/without.ts';

/** Two recorders of one event stamp it one after the other, and print it with other digits: nanoseconds between the two stamps, at most. */
const NEAR = 20_000;
/** Fewer events that are the same may be so by chance. */
const FEWEST = 8;
/** Of the events that both could have recorded, the share that both did. */
const SAME = 0.8;
/** Events that are looked for first. */
const SAMPLES = 256;
/** Of these, the share that must be found so that all are looked for. */
const SOME = 0.05;

/**
 * The files without the events that an earlier one of them has, too: the same kind about the same object with the same numbers at the same time. Files that were
 * not recorded together stay as they are. The fullest files must come first.
 */
export function* withoutRepeats(traces: readonly Trace[]): Slices<Trace[]> {
  const kept: Trace[] = [];
  for (const trace of traces) {
    let rest = trace;
    for (const other of kept) {
      yield;
      const repeated = repeatedIn(other, rest);
      if (repeated !== undefined) rest = withoutEvents(rest, repeated, other.first.file);
    }
    kept.push(rest);
  }
  return kept;
}

/** An event of a file: its time, and its place there. */
interface Instant {
  readonly time: number;
  readonly row: number;
}

/** In the place of an object: whatever it is. */
const ANY = -2;

/** The rows of the second of two traces that the first one has, too; undefined where the two were not recorded together. */
function repeatedIn(whole: Trace, part: Trace): ReadonlySet<number> | undefined {
  const [a, b] = [whole.first, part.first];
  if (whole.sources.length > 1 || part.sources.length > 1 || a.time.ticks || b.time.ticks) return undefined;
  const map = clockMap(a.time, b);
  const [from, to] = [Math.max(a.start, onClock(map, b.start)), Math.min(a.end, onClock(map, b.end))];
  if (!(from <= to)) return undefined;
  const own = part.world;
  const objects = new Map<number, number>();
  const objectOf = (object: number): number => {
    let there = objects.get(object);
    if (there === undefined) objects.set(object, (there = whole.world.objectAt(own.path(object))));
    return there;
  };
  const wanted = new Map<string, Instant[]>();
  const row = eventRow(vocabulary[0]!);
  const keyOf = (object: number): string => `${row.kind.number} ${object} ${numbersOf(row.kind, row.words, row.at)}`;
  const inside = (time: number): boolean => time >= from - NEAR && time <= to + NEAR;
  const kinds = new Set<number>();
  const used = new Set<number>();
  const note = (key: string, at: Instant): void => {
    const list = wanted.get(key);
    if (list === undefined) wanted.set(key, [at]);
    else list.push(at);
  };
  for (let i = 0; i < a.events.length; i++) {
    if (!inside(a.events.time(i))) continue;
    a.events.read(i, row);
    kinds.add(row.kind.number);
    note(keyOf(row.object), { time: row.time, row: i });
    note(keyOf(ANY), { time: row.time, row: i });
  }
  // Stamps do not always rise from line to line.
  for (const list of wanted.values()) list.sort((x, y) => x.time - y.time);
  /** The first event of the other file, near a time, that is no repetition yet. */
  const nearest = (key: string, time: number, near: number): Instant | undefined => {
    const list = wanted.get(key) ?? [];
    const first = firstWhere(0, list.length, (k) => list[k]!.time >= time - near);
    for (let k = first; k < list.length && list[k]!.time <= time + near; k++)
      if (!used.has(list[k]!.row)) return list[k];
    return undefined;
  };
  const find = (i: number, take: boolean): boolean | undefined => {
    b.events.read(i, row);
    const time = onClock(map, row.time);
    if (!inside(time) || !kinds.has(row.kind.number)) return undefined;
    // A file that begins later may not know yet which function a table belongs to: then stamp and numbers must be the same.
    const found = nearest(keyOf(objectOf(row.object)), time, NEAR) ?? nearest(keyOf(ANY), time, 0);
    if (found !== undefined && take) used.add(found.row);
    return found !== undefined;
  };
  const every = Math.max(1, Math.floor(b.events.length / SAMPLES));
  let [tried, hit] = [0, 0];
  for (let i = 0; i < b.events.length; i += every) {
    const found = find(i, false);
    if (found !== undefined) tried++;
    if (found === true) hit++;
  }
  if (hit < tried * SOME) return undefined;
  const repeated = new Set<number>();
  let could = 0;
  for (let i = 0; i < b.events.length; i++) {
    const found = find(i, true);
    if (found !== undefined) could++;
    if (found === true) repeated.add(i);
  }
  return repeated.size < FEWEST || repeated.size < could * SAME ? undefined : repeated;
}

/** The arguments of an event that are numbers: texts and objects have other numbers in other files. */
function numbersOf({ args }: EventKind, words: Uint32Array, at: number): string {
  const numbers: number[] = [];
  for (const arg of args) {
    if (arg.type === 's' || arg.type === 'o') continue;
    for (let i = 0; i < arg.words; i++) numbers.push(words[at + arg.at + i]!);
  }
  return numbers.join(' ');
}
