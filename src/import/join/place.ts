// Where snapshots stand among the events of sources with stamps: a file of /proc has no time, but its counts allow a stretch of time only.
import type { SourceId } from '../../base/ids.ts';
import { firstWhere } from '../../base/search.ts';
import type { TimeBase } from '../../base/time.ts';
import type { World } from '../../model/world.ts';
import { isSnapshot } from '../../query/snapshot.ts';
import { MergedEvents, mergeOrder } from '../../trace/merge.ts';
import type { Source } from '../../trace/source.ts';
import {
  type Allowed,
  type Counts,
  countsOf,
  type Handling,
  handledIn,
  isBefore,
  lastAllowed,
  systemOf,
} from './counts.ts';
import { momentOf } from './folders.ts';
import type { Taken } from './taken.ts';

/** When a snapshot was taken as something else tells it, on the clock of the trace. */
export interface TakenAt {
  readonly from: number;
  readonly to: number;
  readonly by: Taken['by'];
}

/**
 * Gives each snapshot its place. Where something tells when it was taken, it stands there, within what its counts allow. Else one with counts stands behind
 * the last event at which no irq of its system was handled more often than it counts, and none that it lists was freed, and before snapshots that count more. One
 * without counts stands with the snapshot with counts that was taken with it; else where it was given: before or behind all stamps.
 */
export function placeSnapshots(
  sources: readonly Source[],
  world: World,
  clock: TimeBase,
  taken: ReadonlyMap<Source, TakenAt>,
): void {
  const snapshots = sources.filter(isSnapshot);
  const stamped = sources.filter(({ start }) => !Number.isNaN(start));
  if (snapshots.length === 0 || stamped.length === 0) return;
  const events = new MergedEvents(stamped, mergeOrder(stamped, clock), clock);
  const among: Among = { sources, stamped, events, times: timesSoFar(events) };
  const counting = new Map<Source, Counts>();
  const shown = handledIn(events, world);
  for (const source of snapshots) {
    const counts = countsOf(source, world);
    if (counts.irqs.size > 0 && shown.has(systemOf(source, world))) counting.set(source, counts);
  }
  placeByCounts(counting, shown, among, world, taken);
  const first = sources.indexOf(stamped[0]!);
  for (const source of snapshots) {
    if (counting.has(source)) continue;
    const at = taken.get(source);
    const beside = besideOf(source, [...counting.keys()]);
    if (at !== undefined && at.by === 'kit.json') {
      source.place = at.from + BEHIND;
      source.placedBy = at.by;
    } else if (beside !== undefined) {
      standWith(source, beside);
    } else if (at !== undefined) {
      source.place = at.from + BEHIND;
      source.placedBy = at.by;
    } else {
      source.placedBy = 'the order in which the sources were given';
      if (sources.indexOf(source) > first) put(source, among, events.length - 1, undefined);
    }
  }
}

const COUNTS = 'its counts';

/** The events among which snapshots are placed. */
interface Among {
  readonly sources: readonly Source[];
  readonly stamped: readonly Source[];
  readonly events: MergedEvents;
  /** For each step the largest time so far. */
  readonly times: Float64Array;
}

function timesSoFar(events: MergedEvents): Float64Array {
  const times = new Float64Array(events.length);
  let latest = Number.NEGATIVE_INFINITY;
  for (let step = 0; step < times.length; step++) {
    const time = events.time(step);
    if (time > latest) latest = time;
    times[step] = latest;
  }
  return times;
}

/** The last step at or before a time; -1 for none. */
const stepAt = (times: Float64Array, time: number): number =>
  firstWhere(0, times.length, (step) => times[step]! > time) - 1;

/** Places the snapshots with counts: of each system those that count most first, since no other one stands behind them. */
function placeByCounts(
  counting: ReadonlyMap<Source, Counts>,
  shown: ReadonlyMap<string, readonly Handling[]>,
  among: Among,
  world: World,
  taken: ReadonlyMap<Source, TakenAt>,
): void {
  for (const [system, handlings] of shown) {
    const own = [...counting].filter(([source]) => systemOf(source, world) === system);
    const placed: Placed[] = [];
    const allowed = (counts: Counts, most: number): Allowed =>
      lastAllowed(handlings, counts, among.events.length, most, world);
    for (const [source, counts] of inOrderOfCounts(own)) {
      const at = taken.get(source);
      const before = placed.filter((later) => isBefore(counts, later.counts)).map(({ step }) => step);
      const limit = Math.min(Number.POSITIVE_INFINITY, ...before);
      const last = at === undefined ? limit : Math.min(limit, stepAt(among.times, at.to));
      const best = allowed(counts, last);
      const from = at === undefined ? Number.NEGATIVE_INFINITY : stepAt(among.times, at.from);
      if (at !== undefined && (at.by === 'kit.json' || holds(best, from, at, (step) => allowed(counts, step)))) {
        const step = at.to === Number.POSITIVE_INFINITY || best.step < from ? from : best.step;
        source.place = (step === from ? at.from : among.times[step]!) + BEHIND;
        source.placedBy = at.by;
        placed.push({ source, counts, step });
        continue;
      }
      const free = at === undefined ? best : allowed(counts, limit);
      const beside = source.format === LIST ? undefined : listBeside(source, placed);
      if (beside !== undefined && allowed(counts, beside.step).fit >= free.fit) {
        standWith(source, beside.source);
        placed.push({ source, counts, step: beside.step });
        continue;
      }
      const what = `the last event at which no irq was handled more often than the snapshot counts; ${free.equal} of ${counts.irqs.size} were exactly as often`;
      put(source, among, free.step, what);
      source.placedBy = COUNTS;
      placed.push({ source, counts, step: free.step });
    }
  }
}

/** A snapshot that has its place: behind a step. */
interface Placed {
  readonly source: Source;
  readonly counts: Counts;
  readonly step: number;
}

/** The format that lists all irqs with their counts, and counts that never begin again. */
const LIST = 'proc-interrupts';

/** The only such list that was taken with a snapshot. */
function listBeside(source: Source, placed: readonly Placed[]): Placed | undefined {
  const moment = momentOf(source.file);
  const lists = placed.filter((other) => other.source.format === LIST && momentOf(other.source.file) === moment);
  return moment === '' || lists.length !== 1 ? undefined : lists[0];
}

/** Puts a snapshot where one stands that was taken with it. */
function standWith(source: Source, beside: Source): void {
  source.place = beside.place;
  source.alignment = beside.alignment;
  source.placedBy = beside.placedBy === COUNTS ? 'the counts of the snapshot in its folder' : beside.placedBy;
}

/** Whether counts allow the time that something else tells as well as the last event that they allow (`best`). */
function holds(best: Allowed, from: number, at: TakenAt, allowed: (most: number) => Allowed): boolean {
  if (best.step < from) return false;
  if (at.to !== Number.POSITIVE_INFINITY) return true;
  const then = allowed(from);
  return then.step === from && then.fit >= best.fit;
}

/** Lists with all counts first, those that count more before others. */
function inOrderOfCounts(all: readonly (readonly [Source, Counts])[]): (readonly [Source, Counts])[] {
  const more = new Map(all.map((one) => [one, all.filter(([, other]) => isBefore(one[1], other)).length]));
  const other = ([{ format }]: readonly [Source, Counts]): number => (format === LIST ? 0 : 1);
  return [...all].sort((a, b) => other(a) - other(b) || more.get(a)! - more.get(b)!);
}

/** Files of which a moment has one. */
const WHOLE = ['proc-interrupts', 'proc-softirqs'];

/** The snapshot with counts that was taken with another one: the only one of its moment, or the first of those with different formats. */
function besideOf(source: Source, counting: readonly Source[]): Source | undefined {
  const moment = momentOf(source.file);
  if (moment === '') return undefined;
  const beside = counting.filter((other) => momentOf(other.file) === moment);
  const several = WHOLE.some((format) => beside.filter((other) => other.format === format).length > 1);
  const from = ({ place }: Source): number => place ?? Number.NEGATIVE_INFINITY;
  return several ? undefined : beside.sort((a, b) => from(a) - from(b))[0];
}

/** Puts a snapshot behind an event of a source with stamps; -1: before all of them. `what`: what the event shows. */
function put(source: Source, { sources, stamped, events, times }: Among, step: number, what: string | undefined): void {
  if (step < 0) return;
  source.place = times[step]! + BEHIND;
  if (what === undefined) return;
  const other: SourceId = sources.indexOf(stamped[events.source(step)]!);
  const evidence = {
    source: sources.indexOf(source),
    row: 0,
    otherSource: other,
    other: events.order.rows[step]!,
    what,
  };
  source.alignment = { with: other, uncertainty: undefined, given: false, evidence: [evidence] };
}

/** Stamps are whole nanoseconds: what stands so much behind one stands before the next. */
const BEHIND = 0.5;
