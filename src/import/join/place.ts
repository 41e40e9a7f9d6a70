// Where snapshots stand among the events of sources with stamps: a file of /proc has no time, but its counts allow a stretch of time only.
import { numbersOf } from '../../base/cpu-list.ts';
import type { ObjectId, SourceId } from '../../base/ids.ts';
import { firstWhere } from '../../base/search.ts';
import type { TimeBase } from '../../base/time.ts';
import { domAlloc } from '../../model/events/domain.ts';
import { irqEntry } from '../../model/events/irq.ts';
import { snapIrq } from '../../model/events/snapshot/irq.ts';
import { snapCount, snapListing } from '../../model/events/snapshot/listing.ts';
import { vecSetup, vecTeardown } from '../../model/events/vector.ts';
import { irq } from '../../model/things/irq.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import type { World } from '../../model/world.ts';
import { isSnapshot } from '../../query/snapshot.ts';
import { MergedEvents, mergeOrder } from '../../trace/merge.ts';
import { eventRow } from '../../trace/row.ts';
import type { Source } from '../../trace/source.ts';
import { momentOf } from './folders.ts';
import type { Taken } from './taken.ts';

/** What a snapshot says of how often an irq was handled: on each of some CPUs, or on all together. */
interface Told {
  readonly cpus: readonly number[] | undefined;
  readonly counts: readonly number[];
  /** The names of its actions. */
  readonly actions: string | undefined;
}

/** The counts of a snapshot. */
interface Counts {
  readonly irqs: ReadonlyMap<ObjectId, Told>;
  /** Counts of the architecture, such as those of the local timers. */
  readonly fixed: ReadonlyMap<ObjectId, Told>;
  /** It lists all irqs that were handled. */
  readonly whole: boolean;
}

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

/**
 * Whether a snapshot was taken before another one: no count of it is larger. Counts of the architecture begin once; those of an irq begin again with each of its
 * lives, and tell only where there are no others.
 */
function isBefore(a: Counts, b: Counts): boolean {
  const fixed = differences(a.fixed, b.fixed);
  const { less, more } = fixed.less + fixed.more > 0 ? fixed : differences(a.irqs, b.irqs);
  return less > 0 && more === 0;
}

/** How many counts are less, and how many are more, than the same in another snapshot, of the CPUs that both show. */
function differences(a: ReadonlyMap<ObjectId, Told>, b: ReadonlyMap<ObjectId, Told>): { less: number; more: number } {
  let [less, more] = [0, 0];
  for (const [object, mine] of a) {
    const other = b.get(object);
    if (other === undefined || other.actions !== mine.actions) continue;
    for (const [i, count] of mine.counts.entries()) {
      const there = mine.cpus === undefined ? i : (other.cpus?.indexOf(mine.cpus[i]!) ?? -1);
      const then = (mine.cpus === undefined) === (other.cpus === undefined) ? other.counts[there] : undefined;
      if (then === undefined) continue;
      if (count < then) less++;
      if (count > then) more++;
    }
  }
  return { less, more };
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

/** What an event says of how often an irq was handled. */
interface Handling {
  readonly step: number;
  readonly irq: ObjectId;
  /** The CPU on which an action ran, and its name; -1: the irq was set up or freed. */
  readonly cpu: number;
  readonly action: number;
  readonly freed: boolean;
}

/** Interrupts between processors are irqs that no list shows. */
const HIDDEN = 'IPI';

/** The events that say how often irqs were handled, by the system; only systems of which handlers are recorded. */
function handledIn(events: MergedEvents, world: World): ReadonlyMap<string, readonly Handling[]> {
  const systems = new Map<string, Handling[]>();
  const seen = new Set<string>();
  const row = eventRow(vocabulary[0]!);
  for (let step = 0; step < events.length; step++) {
    const kind = events.kind(step);
    if (kind !== irqEntry && kind !== vecSetup && kind !== vecTeardown && kind !== domAlloc) continue;
    events.read(step, row);
    const { object } = row;
    if (world.type(object) !== irq) continue;
    const { system } = world.spaceOf(object);
    let list = systems.get(system);
    if (list === undefined) systems.set(system, (list = []));
    if (kind === irqEntry) {
      seen.add(system);
      const { name } = irqEntry.read(row.words, row.at);
      if (world.strings.text(name) === HIDDEN) continue;
      list.push({ step, irq: object, cpu: row.cpu, action: name, freed: false });
    } else {
      const freed = kind === vecTeardown || (kind === domAlloc && domAlloc.read(row.words, row.at).free);
      list.push({ step, irq: object, cpu: -1, action: -1, freed });
    }
  }
  for (const system of systems.keys()) if (!seen.has(system)) systems.delete(system);
  return systems;
}

/** The system of a source, as paths name it: the first one has no name there. */
function systemOf({ events }: Source, world: World): string {
  return events.length === 0 ? '' : world.spaceOf(events.object(0)).system;
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

/** The last counts of each irq in a source. */
function countsOf({ events }: Source, world: World): Counts {
  const irqs = new Map<ObjectId, Told>();
  const fixed = new Map<ObjectId, Told>();
  let whole = false;
  const row = eventRow(vocabulary[0]!);
  for (let i = 0; i < events.length; i++) {
    const kind = events.kind(i);
    if (kind !== snapIrq && kind !== snapListing && kind !== snapCount) continue;
    events.read(i, row);
    if (kind === snapCount) {
      const { counts, cpus } = snapCount.read(row.words, row.at);
      fixed.set(row.object, { ...countsIn(world, counts, cpus), actions: undefined });
      continue;
    }
    if (kind === snapListing) {
      if (snapListing.read(row.words, row.at).irqs !== undefined) whole = true;
      continue;
    }
    const a = snapIrq.read(row.words, row.at);
    if (a.counts === undefined) continue;
    const actions = a.actions === undefined ? undefined : world.strings.text(a.actions);
    irqs.set(row.object, { ...countsIn(world, a.counts, a.cpus), actions });
  }
  return { irqs, fixed, whole };
}

/** Counts as a snapshot prints them, with their CPUs. */
function countsIn(world: World, counts: number, cpus: number | undefined): Pick<Told, 'counts' | 'cpus'> {
  const numbers = world.strings.text(counts).split(' ').map(Number);
  const on = cpus === undefined ? undefined : numbersOf(world.strings.text(cpus));
  return { counts: numbers, cpus: on?.length === numbers.length ? on : undefined };
}

/** How often an irq was handled since its set-up, on each CPU. Each interrupt runs all actions: those of the first one are counted. */
interface Handled {
  action: number;
  all: number;
  readonly onCpu: Map<number, number>;
}

/** A place that counts allow. */
interface Allowed {
  /** Behind this step; -1: before all. */
  readonly step: number;
  /** How many irqs were handled exactly as often until then. */
  readonly equal: number;
  /** The same, less the irqs that were handled and that a whole list lacks. */
  readonly fit: number;
}

/**
 * The step, at most `most`, at which the counts of a snapshot allow all that was handled until then and fit best: the last such step. An irq that was handled and that a
 * whole list lacks may have been freed, unobserved. `length`: of all events.
 */
function lastAllowed(
  handlings: readonly Handling[],
  { irqs, whole }: Counts,
  length: number,
  most: number,
  world: World,
): Allowed {
  const handled = new Map<ObjectId, Handled>();
  const beyond = new Set<ObjectId>();
  const even = new Set<ObjectId>();
  for (const [object, { counts }] of irqs) if (counts.every((n) => n === 0)) even.add(object);
  const lacking = new Set<ObjectId>();
  let best: Allowed = { step: -1, equal: even.size, fit: even.size };
  const take = (step: number): void => {
    const fit = even.size - lacking.size;
    if (beyond.size === 0 && (fit >= best.fit || best.step < 0)) best = { step, equal: even.size, fit };
  };
  const judge = (object: ObjectId, now: Handled, action: number): void => {
    const told = irqs.get(object);
    // An action that the snapshot does not list had its time before or after it.
    const foreign = told?.actions !== undefined && action >= 0 && !told.actions.includes(world.strings.text(action));
    if (told !== undefined && (foreign || exceeds(now, told))) beyond.add(object);
    else beyond.delete(object);
    if (told !== undefined && equals(now, told)) even.add(object);
    else even.delete(object);
    if (told === undefined && whole && now.all > 0) lacking.add(object);
    else lacking.delete(object);
  };
  for (const { step, irq: object, cpu, action, freed } of handlings) {
    // What was allowed before it is so until it.
    if (step - 1 > most) break;
    take(step - 1);
    if (step > most) break;
    if (cpu === -1 && action === -1) {
      handled.delete(object);
      judge(object, { action, all: 0, onCpu: new Map() }, action);
      // What the snapshot lists was not freed then.
      if (freed && irqs.has(object)) beyond.add(object);
      continue;
    }
    const now = handled.get(object) ?? { action, all: 0, onCpu: new Map<number, number>() };
    handled.set(object, now);
    if (now.action !== action) continue;
    now.all++;
    now.onCpu.set(cpu, (now.onCpu.get(cpu) ?? 0) + 1);
    judge(object, now, action);
  }
  const end = Math.min(length - 1, most);
  if (end > best.step) take(end);
  return best;
}

function exceeds(now: Handled, { cpus, counts }: Told): boolean {
  if (cpus === undefined) return now.all > counts.reduce((a, b) => a + b, 0);
  return cpus.some((n, i) => (now.onCpu.get(n) ?? 0) > counts[i]!);
}

function equals(now: Handled, { cpus, counts }: Told): boolean {
  if (cpus === undefined) return now.all === counts.reduce((a, b) => a + b, 0);
  return cpus.every((n, i) => (now.onCpu.get(n) ?? 0) === counts[i]!);
}
