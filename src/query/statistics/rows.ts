import { timeText } from '../../base/time.ts';
import type { State } from '../../model/state.ts';
import { irq, irqThread, vector } from '../../model/things/irq.ts';
import type { Trace } from '../../trace/trace.ts';
import { Walk } from '../../trace/walk.ts';
import { spanOf } from '../info.ts';
import { Clocks } from './clocks.ts';
import type { By } from './grouping.ts';
import type { Samples } from './samples.ts';
import { Statistics } from './statistics.ts';

/** Durations as answers print them: decimal seconds with the digits of the coarsest clock that they were measured on; null where the trace cannot tell. */
export interface SpreadView {
  readonly p50: string | null;
  readonly p99: string | null;
  readonly max: string | null;
  /** By how many seconds the clocks at both ends may differ; only where they are those of several sources. */
  readonly uncertainty?: string;
}

/** What was counted and measured of one thing. */
export interface StatisticsRow {
  readonly key: string;
  /** Names of the actions of an irq, name of a system vector or of a thread; null for others. */
  readonly name: string | null;
  readonly count: number | null;
  /** Events per second over the whole trace; null where it has no stamps in seconds, or spans no time. */
  readonly rate: number | null;
  readonly latency: SpreadView;
  readonly service: SpreadView;
  readonly masks: number | null;
  readonly exits: number | null;
}

/** Keys with numbers in them in the order of the numbers; made at its first use, since making it takes milliseconds. */
let collator: Intl.Collator | undefined;

const byNumbers = (a: string, b: string): number =>
  (collator ??= new Intl.Collator('en', { numeric: true })).compare(a, b);

/** Events between two pauses of the walk. */
const SLICE = 1 << 16;

const NANO = 1_000_000_000;

function nameOf(state: State, key: string): string | null {
  const object = state.world.objectAt(key);
  const type = state.world.type(object);
  const named = type === irq ? irq : type === vector ? vector : type === irqThread ? irqThread : undefined;
  const text = named === undefined ? '' : state.text(object, named.at.name);
  return text === '' ? null : text;
}

/** Counts, rates, latencies and service times of a trace, the busiest first; yields now and then while it walks. */
export function* statisticsOf(trace: Trace, by: By, slice = SLICE): Generator<void, StatisticsRow[]> {
  const statistics = new Statistics(by, undefined, new Clocks(trace));
  const walk = new Walk(trace, [by === 'device' ? statistics : { event: (...args) => statistics.event(...args) }]);
  while (walk.advance(slice)) yield;
  const { grouping, recorded, groups } = statistics;
  const { start, end } = spanOf(trace);
  // A counter of ticks says nothing of seconds.
  const seconds = trace.time.ticks ? Number.NaN : (end - start) / NANO;
  const view = (samples: Samples): SpreadView => {
    const { p50, p99, max } = samples.spread();
    const { ticks } = trace.time;
    const digits = Math.min(samples.digits, trace.time.digits);
    const told = (value: number | null): string | null =>
      value === null || ticks ? null : timeText(value, { ticks, digits, base: 0n });
    const uncertainty = samples.apart > 0 ? told(samples.apart) : null;
    return { p50: told(p50), p99: told(p99), max: told(max), ...(uncertainty === null ? {} : { uncertainty }) };
  };
  const rows = groups.all().map((group): StatisticsRow => {
    const count = grouping.count(group, recorded);
    const service = group.service.length > 0 ? group.service : group.inService;
    return {
      key: group.key,
      name: nameOf(walk.state, group.key) ?? (group.handlers === '' ? null : group.handlers),
      count,
      rate: count !== null && seconds > 0 ? count / seconds : null,
      latency: view(group.latency),
      service: view(service),
      masks: grouping.masks(group, recorded),
      exits: by === 'vcpu' && recorded.exits ? group.exits : null,
    };
  });
  return rows.sort((a, b) => (b.count ?? -1) - (a.count ?? -1) || byNumbers(a.key, b.key));
}
