import { exactTime } from '../../../base/time.ts';
import type { State } from '../../../model/state.ts';
import { irq } from '../../../model/things/irq.ts';
import { device } from '../../../model/things/pci.ts';
import { type Group, Groups } from '../../../query/statistics/group.ts';
import { deviceOf, type Recorded } from '../../../query/statistics/grouping.ts';
import { type LatencySample, Statistics } from '../../../query/statistics/statistics.ts';
import type { Trace } from '../../../trace/trace.ts';
import { Walk } from '../../../trace/walk.ts';
import { int, long, rising, type Table, text, time } from '../parquet.ts';

interface LatencyRow extends LatencySample {
  readonly name: string;
  readonly path: string;
  readonly action: string | null;
  readonly exact: bigint | null;
}

/** Each handler whose interrupt was seen on its way, and how long that took: the samples of `latency` of `irqscope stats`. */
export const latencyTable: Table<LatencyRow> = {
  name: 'latencies',
  columns: [
    text('trace', ({ name }) => name),
    rising('step', ({ step }) => step),
    time('time', ({ exact }) => exact),
    int('cpu', ({ cpu }) => (cpu < 0 ? null : cpu)),
    text('irq', ({ path }) => path),
    text('action', ({ action }) => action),
    text('since', ({ since }) => since),
    long('latency', ({ latency }) => latency),
  ],
};

interface DeviceRow {
  readonly name: string;
  readonly path: string;
  readonly driver: string | null;
  readonly action: string | null;
  readonly messages: number | null;
  readonly masks: number | null;
  readonly latency: { readonly p50: number | null; readonly p99: number | null; readonly max: number | null };
}

/** The functions of a trace: the counts of `irqscope stats --by device`, with who drives them. */
export const deviceTable: Table<DeviceRow> = {
  name: 'devices',
  columns: [
    text('trace', ({ name }) => name),
    text('device', ({ path }) => path),
    text('driver', ({ driver }) => driver),
    text('action', ({ action }) => action),
    long('messages', ({ messages }) => messages),
    long('masks', ({ masks }) => masks),
    long('latencyP50', ({ latency }) => latency.p50),
    long('latencyP99', ({ latency }) => latency.p99),
    long('latencyMax', ({ latency }) => latency.max),
  ],
};

/** Events looked at between two pauses, and rows that wait at most for one. */
const SLICE = 1 << 12;

const known = (words: string): string | null => (words === '' ? null : words);

/** Counts and measures what one walk over a trace shows. The rows of latencies come on the way; those of devices behind them. */
export class Measures {
  readonly #trace: Trace;
  readonly #name: string;
  readonly #devices = new Statistics('device');
  #state: State | undefined;

  constructor(trace: Trace, name: string) {
    this.#trace = trace;
    this.#name = name;
  }

  /** Takes the walk. */
  *latencies(): Generator<LatencyRow | undefined> {
    const trace = this.#trace;
    const name = this.#name;
    let samples: LatencySample[] = [];
    const latencies = new Statistics('irq', (sample) => samples.push(sample));
    const walk = new Walk(trace, [this.#devices, { event: (...args) => latencies.event(...args) }]);
    let more = true;
    while (more) {
      more = walk.advance(SLICE);
      // A counter of ticks says nothing of durations.
      if (!trace.time.ticks)
        for (const sample of samples)
          yield {
            ...sample,
            name,
            path: trace.world.path(sample.irq),
            action: known(walk.state.text(sample.irq, irq.at.name)),
            exact: exactTime(sample.time, trace.time),
          };
      samples = [];
      yield undefined;
    }
    this.#state = walk.state;
  }

  /** The functions, when the walk is over. */
  *devices(): Generator<DeviceRow> {
    const state = this.#state;
    if (state === undefined) throw new Error('the walk comes first');
    const { world } = state;
    const { groups, recorded, grouping } = this.#devices;
    const byKey = new Map(groups.all().map((group) => [group.key, group]));
    const actions = new Map<string, Set<string>>();
    for (let object = 0; object < world.objects; object++) {
      const type = world.type(object);
      if (type === device && !byKey.has(world.path(object))) byKey.set(world.path(object), noGroup(world.path(object)));
      if (type !== irq) continue;
      const [owner, action] = [deviceOf(state, object), state.text(object, irq.at.name)];
      if (owner === '' || action === '') continue;
      if (!actions.has(owner)) actions.set(owner, new Set());
      actions.get(owner)!.add(action);
    }
    for (const [path, group] of byKey) {
      const object = world.objectAt(path);
      yield {
        name: this.#name,
        path,
        driver: world.type(object) === device ? known(state.text(object, device.at.name)) : null,
        action: known([...(actions.get(path) ?? [])].sort().join(', ')),
        ...counts(group, recorded, grouping.masks, grouping.count),
        latency: this.#trace.time.ticks ? NO_SPREAD : group.latency.spread(),
      };
    }
  }
}

const NO_SPREAD = { p50: null, p99: null, max: null };

const noGroup = (path: string): Group => new Groups().of(path);

type Count = (group: Group, recorded: Recorded) => number | null;

const counts = (group: Group, recorded: Recorded, masks: Count, messages: Count) => ({
  messages: recorded.sends ? messages(group, recorded) : null,
  masks: masks(group, recorded),
});
