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
export function duplicatesOf(traces: readonly Trace[]): (number | undefined)[] {
  const order = traces
    .map((_, i) => i)
    .sort((a, b) => traces[b]!.length - traces[a]!.length || records(traces[b]!) - records(traces[a]!) || a - b);
  const kept: number[] = [];
  const found: (number | undefined)[] = traces.map(() => undefined);
  for (const i of order) {
    const of = kept.find((k) => holds(traces[k]!, traces[i]!));
    if (of === undefined) kept.push(i);
    else found[i] = of;
  }
  return found;
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
