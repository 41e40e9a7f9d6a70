import { type Slices, whole as wholeOf } from '../../base/slices.ts';
import { spanOf } from '../../query/info.ts';
import { clockMap, onClock } from '../../trace/merge.ts';
import type { Trace } from '../../trace/trace.ts';

/** Events of a file that are looked for in another one. */
const SAMPLES = 256;
/** Share of them that must be there. */
const SAME = 0.95;
/** Two recorders of one event stamp it one after the other, and print it with other digits: nanoseconds between the two stamps, at most. */
const NEAR = 20_000;
/** A file with fewer events is no copy that anyone made of a recording. */
const FEWEST = 8;
const LOG = 'dmesg';

/**
 * For each trace the one whose records it holds, or part of them: a report of a recording beside the recording, a log that was filtered.
 * The fullest is kept. Undefined for those that are kept.
 */
export const duplicatesOf = (traces: readonly Trace[]): (number | undefined)[] => wholeOf(findDuplicates(traces));

/** The same in slices. */
export function* findDuplicates(traces: readonly Trace[]): Slices<(number | undefined)[]> {
  const order = traces.map((_, i) => i).sort((a, b) => fuller(traces[a]!, traces[b]!) || a - b);
  const kept: number[] = [];
  const found: (number | undefined)[] = traces.map(() => undefined);
  for (const i of order) {
    let of: number | undefined;
    for (const k of kept) {
      yield;
      if (!holds(traces[k]!, traces[i]!)) continue;
      of = k;
      break;
    }
    if (of === undefined) kept.push(i);
    else found[i] = of;
  }
  return found;
}

/** Whether the first of two comes before the other one (negative): more events and records, finer stamps, the recording before its reports. */
export function fuller(a: Trace, b: Trace): number {
  const report = ({ first }: Trace): number => (first.binary ? 0 : 1);
  return b.length - a.length || records(b) - records(a) || b.time.digits - a.time.digits || report(a) - report(b);
}

/** Trace records of all sources, those without effect, too. */
const records = ({ sources }: Trace): number => sources.reduce((sum, { accounting }) => sum + accounting.records, 0);

/** Whether a trace holds the events of another one: the same kinds about the same objects at the same times. */
function holds(whole: Trace, part: Trace): boolean {
  // Each log of a kernel holds those that were taken before it.
  const logs = whole.first.format === LOG && part.first.format === LOG && part.length > 0;
  if ((part.length < FEWEST && !logs) || whole.time.ticks || part.time.ticks) return false;
  // Times of the part on the clock of the whole, which print the same seconds.
  const map = clockMap(whole.time, part.first);
  const [own, other] = [spanOf(part), spanOf(whole)];
  // What has no stamps is no copy that anyone can tell, and most files were recorded at other times.
  if (Number.isNaN(own.start) || Number.isNaN(other.start)) return false;
  if (onClock(map, own.end) < other.start - NEAR || onClock(map, own.start) > other.end + NEAR) return false;
  const wanted = new Map<number, { readonly kind: number; readonly time: number }[]>();
  const every = Math.max(1, Math.floor(part.length / SAMPLES));
  let samples = 0;
  for (let step = 0; step < part.length; step += every) {
    const object = whole.world.objectAt(part.world.path(part.table.object(step)));
    const time = onClock(map, part.table.time(step));
    samples++;
    if (object < 0 || Number.isNaN(time)) continue;
    const list = wanted.get(object);
    const sample = { kind: part.table.kindNumber(step), time };
    if (list === undefined) wanted.set(object, [sample]);
    else list.push(sample);
  }
  const seen = new Set<object>();
  for (let step = 0; step < whole.length; step++) {
    const list = wanted.get(whole.table.object(step));
    if (list === undefined) continue;
    const kind = whole.table.kindNumber(step);
    const time = whole.table.time(step);
    for (const sample of list) if (sample.kind === kind && Math.abs(sample.time - time) <= NEAR) seen.add(sample);
  }
  return seen.size >= samples * SAME;
}
