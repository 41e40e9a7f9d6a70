// What snapshots count, and what a recording shows of the same: how often each irq was handled, and until when the counts allow that.
import { numbersOf } from '../../base/cpu-list.ts';
import type { ObjectId } from '../../base/ids.ts';
import { domAlloc } from '../../model/events/domain.ts';
import { irqEntry } from '../../model/events/irq.ts';
import { snapIrq } from '../../model/events/snapshot/irq.ts';
import { snapCount, snapListing } from '../../model/events/snapshot/listing.ts';
import { vecSetup, vecTeardown } from '../../model/events/vector.ts';
import { irq } from '../../model/things/irq.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import type { World } from '../../model/world.ts';
import type { MergedEvents } from '../../trace/merge.ts';
import { eventRow } from '../../trace/row.ts';
import type { Source } from '../../trace/source.ts';

/** What a snapshot says of how often an irq was handled: on each of some CPUs, or on all together. */
interface Told {
  readonly cpus: readonly number[] | undefined;
  readonly counts: readonly number[];
  /** The names of its actions. */
  readonly actions: string | undefined;
}

/** The counts of a snapshot. */
export interface Counts {
  readonly irqs: ReadonlyMap<ObjectId, Told>;
  /** Counts of the architecture, such as those of the local timers. */
  readonly fixed: ReadonlyMap<ObjectId, Told>;
  /** It lists all irqs that were handled. */
  readonly whole: boolean;
}

/**
 * Whether a snapshot was taken before another one: no count of it is larger. Counts of the architecture begin once; those of an irq begin again with each of its
 * lives, and tell only where there are no others.
 */
export function isBefore(a: Counts, b: Counts): boolean {
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

/** What an event says of how often an irq was handled. */
export interface Handling {
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
export function handledIn(events: MergedEvents, world: World): ReadonlyMap<string, readonly Handling[]> {
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
export function systemOf({ events }: Source, world: World): string {
  return events.length === 0 ? '' : world.spaceOf(events.object(0)).system;
}

/** The last counts of each irq in a source. */
export function countsOf({ events }: Source, world: World): Counts {
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
export interface Allowed {
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
export function lastAllowed(
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
