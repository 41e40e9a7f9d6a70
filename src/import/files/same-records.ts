// Two recordings of one kernel with clocks of different kinds: what a CPU did stands in both in the same sequence.
import type { EventKind } from '../../model/event.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import { eventRow } from '../../trace/row.ts';
import type { Trace } from '../../trace/trace.ts';
import { type Fit, fitLine, type Pairing } from '../join/fit.ts';

/** Formats in which a kernel records. */
const RECORDINGS: ReadonlySet<string> = new Set(['ftrace-text', 'trace-dat', 'trace-cmd-report', 'perf-script']);
/** Events of one CPU, one after the other, that make a sequence: what a few do happens again and again. */
const SEQUENCE = 8;
/** Events of a recording that are looked at, and sequences that are compared. */
const MOST_EVENTS = 300_000;
const MOST_PAIRS = 4000;
/** Nanoseconds in which the time between two events is counted, and how many of them are told apart from others: clocks and recorders differ by some microseconds. */
const UNIT = 4000;
const SHORTEST = 25;
const LONGEST = 2000;
/** Sequences that agree on one line, at least, and the share of them all. */
const FEWEST = 8;
const SHARE = 0.5;
/** Nanoseconds between the stamps of two recorders of one event, at most and usually. */
const ERROR = 1e5;
const USUAL = 2e3;

/**
 * The line from the clock of the second of two recordings to that of the first one, as sequences that stand once in each of them show it: long ones of
 * events, else short ones with the times between them. Undefined where they do not.
 */
export function lineOfRecords(a: Trace, b: Trace): Fit<Pairing> | undefined {
  for (const { first, time } of [a, b]) if (!RECORDINGS.has(first.format) || time.ticks) return undefined;
  const kinds = kindsOf(a);
  const both = new Set([...kindsOf(b)].filter((kind) => kinds.has(kind)));
  if (both.size === 0) return undefined;
  const shown = (timed: boolean): Fit<Pairing> | undefined =>
    lineOf(pairsOf(sequencesOf(a, both, timed), sequencesOf(b, both, timed)));
  return shown(false) ?? shown(true);
}

/** The times of sequences that stand once in each of two files. */
function pairsOf(own: Sequences, other: Sequences): Pairing[] {
  const pairs: Pairing[] = [];
  for (const { time, keys } of other.values()) {
    if (Number.isNaN(time)) continue;
    const there = keys.map((key) => own.get(key)?.time ?? Number.NaN).filter((found) => !Number.isNaN(found));
    if (there.length === 1) pairs.push({ a: there[0]!, b: time, error: ERROR, usual: USUAL });
  }
  return pairs;
}

function lineOf(pairs: readonly Pairing[]): Fit<Pairing> | undefined {
  if (pairs.length < FEWEST) return undefined;
  const every = Math.ceil(pairs.length / MOST_PAIRS);
  const some = pairs.filter((_, i) => i % every === 0);
  const fit = fitLine(some);
  return fit === undefined || fit.pairs.length < Math.max(FEWEST, some.length * SHARE) ? undefined : fit;
}

function kindsOf({ table, length }: Trace): Set<EventKind> {
  const kinds = new Set<EventKind>();
  for (let step = 0; step < length; step++) kinds.add(table.kind(step));
  return kinds;
}

/** Sequences by their number: the time of the last event, NaN of those that stand there more than once, and the numbers that the same one may have elsewhere. */
type Sequences = Map<number, { time: number; readonly keys: readonly number[] }>;

/** The sequences of a file, by numbers that are the same in every file; `timed`: short ones with the times between their events. */
function sequencesOf(trace: Trace, kinds: ReadonlySet<EventKind>, timed: boolean): Sequences {
  const found: Sequences = new Map();
  const add = (key: number, time: number, keys: readonly number[]): void => {
    const known = found.get(key);
    if (known === undefined) found.set(key, { time, keys });
    else known.time = Number.NaN;
  };
  const before = new Map<number, { readonly says: Int32Array; readonly times: Float64Array; count: number }>();
  const row = eventRow(vocabulary[0]!);
  const { table, world } = trace;
  const objects = new Map<number, number>();
  const objectOf = (object: number): number => {
    let number = objects.get(object);
    if (number === undefined) objects.set(object, (number = textNumber(world.path(object))));
    return number;
  };
  for (let step = 0; step < Math.min(trace.length, MOST_EVENTS); step++) {
    const kind = table.kind(step);
    const cpu = table.cpu(step);
    if (!kinds.has(kind) || cpu < 0) continue;
    table.read(step, row);
    let says = mixed(objectOf(row.object), kind.number);
    for (const { type, at, words } of kind.args)
      if (type !== 's' && type !== 'o') for (let i = 0; i < words; i++) says = mixed(says, row.words[row.at + at + i]!);
    let of = before.get(cpu);
    if (of === undefined)
      before.set(cpu, (of = { says: new Int32Array(SEQUENCE), times: new Float64Array(SEQUENCE), count: 0 }));
    of.says[of.count % SEQUENCE] = says;
    of.times[of.count++ % SEQUENCE] = row.time;
    const back = (n: number): number => (of.count - 1 - n + SEQUENCE) % SEQUENCE;
    if (of.count < SEQUENCE || Number.isNaN(row.time)) continue;
    if (!timed) {
      const key = sequence(cpu, of.says, of.count);
      add(key, row.time, [key]);
      continue;
    }
    const gaps = [0, 1].map((n) => (of.times[back(n)]! - of.times[back(n + 1)]!) / UNIT);
    if (!gaps.every((gap) => gap >= 0 && gap <= LONGEST) || Math.max(...gaps) < SHORTEST) continue;
    const three = sequence(cpu, [says, of.says[back(1)]!, of.says[back(2)]!], 0);
    const [x, y] = gaps.map(Math.floor) as [number, number];
    const keys = [0, -1, 1].flatMap((i) => [0, -1, 1].map((k) => three + (x + i) * LONGEST * 4 + y + k));
    add(keys[0]!, row.time, keys);
  }
  return found;
}

/** The number of some events of a CPU, from one of them on. */
function sequence(cpu: number, says: ArrayLike<number>, from: number): number {
  let [high, low] = [cpu, ~cpu];
  for (let i = 0; i < says.length; i++) {
    const one = says[(from + i) % says.length]!;
    high = mixed(high, one);
    low = mixed(low, ~one);
  }
  return (high >>> 0) * 2 ** 20 + Math.floor((low >>> 0) / 2 ** 12);
}

/** Mixes another number into one of 32 bits (FNV-1a, with a shift: its high bits alone decide nothing). */
function mixed(hash: number, value: number): number {
  const next = Math.imul(hash ^ value, 0x01000193);
  return next ^ Math.floor((next >>> 0) / 2 ** 15);
}

function textNumber(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = mixed(hash, text.charCodeAt(i));
  return hash;
}
