// What two files of one machine both recorded: logs that were rotated or begun again, reports of a part of a longer recording. It is to be told once.
import { firstWhere } from '../../base/search.ts';
import type { Slices } from '../../base/slices.ts';
import type { EventKind } from '../../model/event.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import { type ClockMap, clockMap, onClock } from '../../trace/merge.ts';
import { eventRow } from '../../trace/row.ts';
import type { SameRecords, Source } from '../../trace/source.ts';
import type { Trace } from '../../trace/trace.ts';
import { withoutEvents } from '../../trace/without.ts';
import { SameKernels } from '../join/same-kernel.ts';
import { lineOfRecords } from './same-records.ts';

/** Two recorders of one event stamp it one after the other, and print it with other digits: nanoseconds between the two stamps, at most. */
const NEAR = 20_000;
/** The same where their clocks are of different kinds, and the line between them is not exact. */
const MOST_APART = 100_000;
/** Events that are named as evidence. */
const SHOWN = 100;
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
  const kernels = new SameKernels();
  for (const trace of traces) {
    let rest = trace;
    for (const other of kept) {
      yield;
      const repeated = repeatedIn(other, rest, kernels);
      if (repeated !== undefined) rest = withoutEvents(rest, repeated.rows, other.first.file, repeated.same);
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

/** What one file has of another one. */
interface Repeated {
  readonly rows: ReadonlySet<number>;
  readonly same: SameRecords;
}

/** What the second of two traces has of the first one; undefined where the two were not recorded together. */
function repeatedIn(whole: Trace, part: Trace, kernels: SameKernels): Repeated | undefined {
  const [a, b] = [whole.first, part.first];
  if (whole.sources.length > 1 || part.sources.length > 1 || a.time.ticks || b.time.ticks) return undefined;
  const oneClock = repeatedOn(clockMap(a.time, b), NEAR, whole, part);
  if (oneClock !== undefined) return oneClock;
  // Of other kernels, and of one that was recorded at other times, nothing stands in both.
  if (!kernels.mayOverlap(whole, part)) return undefined;
  const line = lineOfRecords(whole, part);
  if (line === undefined) return undefined;
  const near = Math.max(NEAR, Math.min(MOST_APART, line.uncertainty));
  return repeatedOn({ shift: line.offset, rate: line.rate, origin: line.origin }, near, whole, part);
}

/** The same on clocks that go together like this; `near`: nanoseconds between two stamps of one event, at most. */
function repeatedOn(map: ClockMap, near: number, whole: Trace, part: Trace): Repeated | undefined {
  const [a, b] = [whole.first, part.first];
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
  const inside = (time: number): boolean => time >= from - near && time <= to + near;
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
  const nearest = (key: string, time: number, most: number): Instant | undefined => {
    const list = wanted.get(key) ?? [];
    const first = firstWhere(0, list.length, (k) => list[k]!.time >= time - most);
    for (let k = first; k < list.length && list[k]!.time <= time + most; k++)
      if (!used.has(list[k]!.row)) return list[k];
    return undefined;
  };
  const lines: number[] = [];
  let apart = 0;
  const find = (i: number, take: boolean): boolean | undefined => {
    b.events.read(i, row);
    const time = onClock(map, row.time);
    if (!inside(time) || !kinds.has(row.kind.number)) return undefined;
    // A file that begins later may not know yet which function a table belongs to: then stamp and numbers must be the same.
    const found = nearest(keyOf(objectOf(row.object)), time, near) ?? nearest(keyOf(ANY), time, 0);
    if (found !== undefined && take) {
      used.add(found.row);
      apart = Math.max(apart, Math.abs(found.time - time));
      if (lines.length < SHOWN) lines.push(a.events.line(found.row));
    }
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
  if (repeated.size < FEWEST || repeated.size < could * SAME) return undefined;
  for (const i of saidBeside(a, b, repeated, objectOf)) repeated.add(i);
  const { shift: offset, rate, origin } = map;
  return { rows: repeated, same: { of: a.file, offset, rate, origin, uncertainty: apart, lines } };
}

/**
 * Events beside those that the other file has, of the same record: what its reader says of an object when it meets it first (a CPU that is online). The
 * other file says that, too, where it met the object.
 */
function saidBeside(
  a: Source,
  { events }: Source,
  repeated: ReadonlySet<number>,
  objectOf: (object: number) => number,
): number[] {
  const beside: number[] = [];
  for (const i of repeated)
    for (const by of [-1, 1])
      for (let k = i + by; k >= 0 && k < events.length && events.line(k) === events.line(i); k += by)
        if (!repeated.has(k)) beside.push(k);
  if (beside.length === 0) return beside;
  const key = (kind: number, object: number): string => `${kind} ${object}`;
  const said = new Set<string>();
  for (let i = 0; i < a.events.length; i++) said.add(key(a.events.kindNumber(i), a.events.object(i)));
  return beside.filter((k) => said.has(key(events.kindNumber(k), objectOf(events.object(k)))));
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
