// Where snapshots stand among the events of sources with stamps: a file of /proc has no time, but its counts allow a stretch of time only.
import { numbersOf } from '../../base/cpu-list.ts';
import type { ObjectId, SourceId } from '../../base/ids.ts';
import type { TimeBase } from '../../base/time.ts';
import { domAlloc } from '../../model/events/domain.ts';
import { irqEntry } from '../../model/events/irq.ts';
import { snapIrq } from '../../model/events/snapshot/irq.ts';
import { snapListing } from '../../model/events/snapshot/listing.ts';
import { vecSetup, vecTeardown } from '../../model/events/vector.ts';
import { irq } from '../../model/things/irq.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import type { World } from '../../model/world.ts';
import { isSnapshot } from '../../query/snapshot.ts';
import { MergedEvents, mergeOrder } from '../../trace/merge.ts';
import { eventRow } from '../../trace/row.ts';
import type { Source } from '../../trace/source.ts';

/** What a snapshot says of how often an irq was handled: on each of some CPUs, or on all together. */
interface Told {
  readonly cpus: readonly number[] | undefined;
  readonly counts: readonly number[];
}

/** The counts of a snapshot. */
interface Counts {
  readonly irqs: ReadonlyMap<ObjectId, Told>;
  /** It lists all irqs that were handled. */
  readonly whole: boolean;
}

const folderOf = ({ file }: Source): string => file.slice(0, Math.max(0, file.lastIndexOf('/')));

/**
 * Gives each snapshot its place. One with counts stands behind the last event at which no irq of its system was handled more often than it
 * counts, and none that it lists was freed. One without stands with the only snapshot with counts in its folder; else where it was given: before or behind all stamps.
 */
export function placeSnapshots(sources: readonly Source[], world: World, clock: TimeBase): void {
  const snapshots = sources.filter(isSnapshot);
  const stamped = sources.filter(({ start }) => !Number.isNaN(start));
  if (snapshots.length === 0 || stamped.length === 0) return;
  const events = new MergedEvents(stamped, mergeOrder(stamped, clock), clock);
  const counting = new Map<Source, Counts>();
  const shown = systemsWithHandlers(events, world);
  for (const source of snapshots) {
    const counts = countsOf(source, world);
    if (counts.irqs.size > 0 && shown.has(systemOf(source, world))) counting.set(source, counts);
  }
  for (const [source, counts] of counting) {
    const { step, equal } = lastAllowed(events, counts, world.space(systemOf(source, world)).prefix, world);
    const what = `the last event at which no irq was handled more often than the snapshot counts; ${equal} of ${counts.irqs.size} were exactly as often`;
    put(source, sources, events, stamped, step, what);
    source.placedBy = 'its counts';
  }
  const first = sources.indexOf(stamped[0]!);
  for (const source of snapshots) {
    if (counting.has(source)) continue;
    const beside = [...counting.keys()].filter(
      (other) => folderOf(other) !== '' && folderOf(other) === folderOf(source),
    );
    if (beside.length === 1) {
      source.place = beside[0]!.place;
      source.alignment = beside[0]!.alignment;
      source.placedBy = 'the counts of the snapshot in its folder';
      continue;
    }
    source.placedBy = 'the order in which the sources were given';
    if (sources.indexOf(source) > first) put(source, sources, events, stamped, events.length - 1, undefined);
  }
}

/** Systems of which handlers are recorded. */
function systemsWithHandlers(events: MergedEvents, world: World): Set<string> {
  const systems = new Set<string>();
  for (let step = 0; step < events.length; step++)
    if (events.kind(step) === irqEntry) systems.add(world.spaceOf(events.object(step)).system);
  return systems;
}

/** The system of a source, as paths name it: the first one has no name there. */
function systemOf({ events }: Source, world: World): string {
  return events.length === 0 ? '' : world.spaceOf(events.object(0)).system;
}

/** Puts a snapshot behind an event of a source with stamps; -1: before all of them. `what`: what the event shows. */
function put(
  source: Source,
  sources: readonly Source[],
  events: MergedEvents,
  stamped: readonly Source[],
  step: number,
  what: string | undefined,
): void {
  if (step < 0) return;
  let time = Number.NEGATIVE_INFINITY;
  // A source is ordered by the largest stamp so far.
  for (let i = 0; i <= step; i++) if (events.time(i) > time) time = events.time(i);
  source.place = time + BEHIND;
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
  let whole = false;
  const row = eventRow(vocabulary[0]!);
  for (let i = 0; i < events.length; i++) {
    const kind = events.kind(i);
    if (kind !== snapIrq && kind !== snapListing) continue;
    events.read(i, row);
    if (kind === snapListing) {
      if (snapListing.read(row.words, row.at).irqs !== undefined) whole = true;
      continue;
    }
    const a = snapIrq.read(row.words, row.at);
    if (a.counts === undefined) continue;
    const counts = world.strings.text(a.counts).split(' ').map(Number);
    const cpus = a.cpus === undefined ? undefined : numbersOf(world.strings.text(a.cpus));
    irqs.set(row.object, { counts, cpus: cpus?.length === counts.length ? cpus : undefined });
  }
  return { irqs, whole };
}

/** How often an irq was handled since its set-up, on each CPU. Each interrupt runs all actions: those of the first one are counted. */
interface Handled {
  action: number;
  all: number;
  readonly onCpu: Map<number, number>;
}

/** Interrupts between processors are irqs that no list shows. */
const HIDDEN = 'IPI';

/** The last event at which the counts of a snapshot allow all that was handled until then, and how many irqs were handled exactly as often. */
function lastAllowed(
  events: MergedEvents,
  { irqs, whole }: Counts,
  prefix: string,
  world: World,
): { readonly step: number; readonly equal: number } {
  const handled = new Map<ObjectId, Handled>();
  const beyond = new Set<ObjectId>();
  const even = new Set<ObjectId>();
  for (const [object, { counts }] of irqs) if (counts.every((n) => n === 0)) even.add(object);
  let best = { step: -1, equal: even.size };
  const row = eventRow(vocabulary[0]!);
  const judge = (object: ObjectId, now: Handled): void => {
    const told = irqs.get(object);
    const excess = told === undefined ? whole && now.all > 0 : exceeds(now, told);
    if (excess) beyond.add(object);
    else beyond.delete(object);
    if (told !== undefined && equals(now, told)) even.add(object);
    else even.delete(object);
  };
  for (let step = 0; step < events.length; step++) {
    const kind = events.kind(step);
    if (kind === irqEntry || kind === vecSetup || kind === vecTeardown || kind === domAlloc) {
      events.read(step, row);
      const { object } = row;
      const own =
        world.type(object) === irq && world.path(object).startsWith(prefix) && world.spaceOf(object).prefix === prefix;
      if (own && kind === irqEntry) {
        const name = irqEntry.read(row.words, row.at).name;
        if (world.strings.text(name) !== HIDDEN) {
          const now = handled.get(object) ?? { action: name, all: 0, onCpu: new Map<number, number>() };
          handled.set(object, now);
          if (now.action === name) {
            now.all++;
            now.onCpu.set(row.cpu, (now.onCpu.get(row.cpu) ?? 0) + 1);
            judge(object, now);
          }
        }
      } else if (own) {
        handled.delete(object);
        judge(object, { action: -1, all: 0, onCpu: new Map() });
        // What the snapshot lists was not freed then.
        const freed = kind === vecTeardown || (kind === domAlloc && domAlloc.read(row.words, row.at).free);
        if (freed && irqs.has(object)) beyond.add(object);
      }
    }
    if (beyond.size === 0) best = { step, equal: even.size };
  }
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
