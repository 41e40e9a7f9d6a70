import type { Step } from '../../base/ids.ts';
import { irqEntry } from '../../model/events/irq.ts';
import { msgSend } from '../../model/events/msix.ts';
import { type Namespace, systemOfPath } from '../../model/namespace.ts';
import { eventRow } from '../../trace/row.ts';
import type { Trace } from '../../trace/trace.ts';
import { isMove } from './phases.ts';
import { COUNTS, type CountName, maskedBy } from './shown.ts';
import type { Survey } from './survey.ts';

/** Times of deliveries, in units of the trace (nanoseconds, or ticks); each the time from a cause to its handler. */
export interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What happened to one interrupt in one trace. */
export interface Tally {
  /**
   * How often its cause arose; its message was sent; a handler began; it got another target; it was masked. Null where no record of its
   * system in the trace tells of such a thing.
   */
  readonly counts: Readonly<Record<CountName, number | null>>;
  /** Null where the trace does not tell both ends of any delivery. */
  readonly latency: Latency | null;
}

/**
 * Counts what happened to an interrupt, from its events. `named`: path of an object that stands for it; it tells the system where the
 * trace has no event of the interrupt.
 */
export function tallyOf({ trace, shown }: Survey, steps: Int32Array, named: string): Tally {
  const { world } = trace;
  const row = eventRow(irqEntry);
  const counts: Record<CountName, number> = { raises: 0, sends: 0, handled: 0, moves: 0, masks: 0 };
  const masked = new Map<number, boolean>();
  const systems = new Set<Namespace>();
  for (const step of steps) {
    const { kind, object } = trace.table.read(step, row);
    systems.add(world.spaceOf(object));
    if (kind.role === 'raise') counts.raises++;
    if (kind === msgSend) counts.sends++;
    if (kind === irqEntry) counts.handled++;
    if (isMove(trace, step)) counts.moves++;
    const now = maskedBy(row);
    if (now === undefined) continue;
    if (now && masked.get(object) !== true) counts.masks++;
    masked.set(object, now);
  }
  if (systems.size === 0) {
    const own = systemOfPath(named);
    const all = world.spaces();
    for (const space of all) if (space.system === own || all.length === 1) systems.add(space);
  }
  const told = Object.entries(counts).map(([name, count]) => [
    name,
    shown.has(name as CountName, systems) ? count : null,
  ]);
  return { counts: Object.fromEntries(told) as Tally['counts'], latency: latencyOf(trace, steps) };
}

/** A count that both traces tell and that differs, or that only one of them tells (`differs` is false then) and that is not 0 there. */
export interface CountPair {
  readonly name: CountName;
  readonly a: number | null;
  readonly b: number | null;
  readonly differs: boolean;
}

/** The counts of an interrupt in trace A and in trace B that are not the same, as far as the traces tell. */
export function unequalCounts(here: Tally, there: Tally): CountPair[] {
  return COUNTS.flatMap((name) => {
    const [a, b] = [here.counts[name], there.counts[name]];
    const differs = a !== null && b !== null;
    return (differs ? a !== b : (a ?? b ?? 0) > 0) ? [{ name, a, b, differs }] : [];
  });
}

/** Roles that a delivery can begin with and end with, the best first: the trace need not tell all of them. */
const BEGINNINGS = ['raise', 'message'] as const;
const ENDS = ['handle', 'deliver'] as const;

function latencyOf(trace: Trace, steps: Int32Array): Latency | null {
  const { table } = trace;
  const has = (role: string): boolean => steps.some((step: Step) => table.kind(step).role === role);
  const begins = BEGINNINGS.find(has);
  const ends = ENDS.find(has);
  if (begins === undefined || ends === undefined) return null;
  const times: number[] = [];
  // A cause that meets a waiting one is served with it: the first one counts.
  let since = Number.NaN;
  for (const step of steps) {
    const { role, name } = table.kind(step);
    if (role === begins && Number.isNaN(since)) since = table.time(step);
    else if (role === ends && name !== 'irq.exit' && !Number.isNaN(since)) {
      const time = table.time(step) - since;
      if (time >= 0) times.push(time);
      since = Number.NaN;
    }
  }
  if (times.length === 0) return null;
  times.sort((x, y) => x - y);
  const at = (part: number): number => times[Math.min(times.length - 1, Math.ceil(part * times.length) - 1)]!;
  return { count: times.length, p50: at(0.5), p99: at(0.99), max: times.at(-1)! };
}
