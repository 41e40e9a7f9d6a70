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
/** Sequences that agree on one line, at least, and the share of them all. */
const FEWEST = 8;
const SHARE = 0.5;
/** Nanoseconds between the stamps of two recorders of one event, at most and usually. */
const ERROR = 1e5;
const USUAL = 2e3;

/** The line from the clock of the second of two recordings to that of the first one, as sequences that stand once in each of them show it; undefined where they do not. */
export function lineOfRecords(a: Trace, b: Trace): Fit<Pairing> | undefined {
  for (const { first, time } of [a, b]) if (!RECORDINGS.has(first.format) || time.ticks) return undefined;
  const kinds = kindsOf(a);
  const both = new Set([...kindsOf(b)].filter((kind) => kinds.has(kind)));
  const names = new Map<string, number>();
  const [own, other] = [sequencesOf(a, both, names), sequencesOf(b, both, names)];
  const pairs: Pairing[] = [];
  for (const [sequence, time] of other) {
    const there = own.get(sequence);
    if (there !== undefined && !Number.isNaN(there) && !Number.isNaN(time))
      pairs.push({ a: there, b: time, error: ERROR, usual: USUAL });
  }
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

/** The time of the last event of each sequence; NaN for those that stand there more than once. `names`: numbers for what events say, the same for both. */
function sequencesOf(trace: Trace, kinds: ReadonlySet<EventKind>, names: Map<string, number>): Map<string, number> {
  const found = new Map<string, number>();
  const before = new Map<number, number[]>();
  const row = eventRow(vocabulary[0]!);
  const { table, world } = trace;
  for (let step = 0; step < Math.min(trace.length, MOST_EVENTS); step++) {
    const kind = table.kind(step);
    const cpu = table.cpu(step);
    if (!kinds.has(kind) || cpu < 0) continue;
    table.read(step, row);
    const says = `${kind.number} ${world.path(row.object)} ${numbersOf(kind, row.words, row.at)}`;
    let name = names.get(says);
    if (name === undefined) names.set(says, (name = names.size));
    let last = before.get(cpu);
    if (last === undefined) before.set(cpu, (last = []));
    last.push(name);
    if (last.length > SEQUENCE) last.shift();
    if (last.length < SEQUENCE || Number.isNaN(row.time)) continue;
    const sequence = `${cpu} ${last.join(' ')}`;
    found.set(sequence, found.has(sequence) ? Number.NaN : row.time);
  }
  return found;
}

/** The arguments of an event that are numbers: texts and objects have other numbers in other files. */
export function numbersOf({ args }: EventKind, words: Uint32Array, at: number): string {
  const numbers: number[] = [];
  for (const arg of args) {
    if (arg.type === 's' || arg.type === 'o') continue;
    for (let i = 0; i < arg.words; i++) numbers.push(words[at + arg.at + i]!);
  }
  return numbers.join(' ');
}
