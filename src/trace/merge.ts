import type { ObjectId, SourceId, Step, TextId } from '../base/ids.ts';
import type { TimeBase } from '../base/time.ts';
import type { EventKind } from '../model/event.ts';
import type { EventRow } from './row.ts';
import type { Source } from './source.ts';
import type { EventList } from './table.ts';

const NANO = 1_000_000_000n;

/** How the own times of a source become times of a clock, in units of that clock. */
export interface ClockMap {
  /** What is added to every time; NaN when the two cannot be compared: one counts, the other tells seconds. */
  readonly shift: number;
  /** What is added for each unit behind `origin`: how much faster the clock goes than that of the source. */
  readonly rate: number;
  /** The own time at which nothing but `shift` is added. */
  readonly origin: number;
}

/** How the own times of a source become times of a clock. */
export function clockMap(clock: TimeBase, source: Source): ClockMap {
  const { time, offset, drift, start } = source;
  if (time.ticks !== clock.ticks) return { shift: Number.NaN, rate: 0, origin: 0 };
  const shift = Number((time.base - clock.base) * (clock.ticks ? 1n : NANO) + offset);
  return { shift, rate: Number.isNaN(start) ? 0 : drift / 1e6, origin: Number.isNaN(start) ? 0 : start };
}

/** An own time of a source on the clock of its map. */
export const onClock = ({ shift, rate, origin }: ClockMap, own: number): number =>
  rate === 0 ? own + shift : Math.round(own + shift + rate * (own - origin));

/** Which event of which source stands at each step. */
export interface Order {
  readonly sources: Uint16Array;
  readonly rows: Uint32Array;
}

/** The place of each source among those with an event at the same time: as they were given, but what goes on from another one behind that. */
function ranks(sources: readonly Source[]): Uint16Array {
  const order = sources.map((_, s) => s);
  // Those given first may go on from those given last: each round brings one more behind the one before it.
  for (let round = 0; round < sources.length; round++)
    for (const [s, { continues }] of sources.entries()) {
      const before = continues && sources.findIndex(({ file, derived }) => file === continues.file && !derived);
      if (before === undefined || order.indexOf(before) < order.indexOf(s)) continue;
      order.splice(order.indexOf(s), 1);
      order.splice(order.indexOf(before) + 1, 0, s);
    }
  return Uint16Array.from(sources, (_, s) => order.indexOf(s));
}

/**
 * Merges sources by their times on one clock. The order of a source's own events never changes: an event is placed by the largest
 * stamp so far in its source, so an event without a stamp, or with an older one, follows the event before it. A source without stamps
 * stands at its `place`; one that goes on from another begins where that ended. Where times are equal, the source that was given earlier comes first.
 */
export function mergeOrder(sources: readonly Source[], clock: TimeBase): Order {
  const total = sources.reduce((sum, { events }) => sum + events.length, 0);
  const order = { sources: new Uint16Array(total), rows: new Uint32Array(total) };
  // The events of one source keep their order.
  if (sources.length === 1) {
    for (let row = 0; row < total; row++) order.rows[row] = row;
    return order;
  }
  const maps = sources.map((source) => clockMap(clock, source));
  const next = new Uint32Array(sources.length);
  const keys = Float64Array.from(sources, ({ place, continues }, s) =>
    continues === undefined ? (place ?? Number.NEGATIVE_INFINITY) : onClock(maps[s]!, continues.until),
  );
  const look = (s: number): void => {
    const { events } = sources[s]!;
    if (next[s]! >= events.length) keys[s] = Number.POSITIVE_INFINITY;
    else {
      const time = onClock(maps[s]!, events.time(next[s]!));
      if (time > keys[s]!) keys[s] = time;
    }
  };
  for (let s = 0; s < sources.length; s++) look(s);
  const rank = ranks(sources);
  const heap = new Uint16Array(sources.length);
  let size = 0;
  const isBefore = (a: number, b: number): boolean =>
    keys[a]! < keys[b]! || (keys[a] === keys[b] && rank[a]! < rank[b]!);
  /** Puts a source into the heap at a place or below it. */
  const sink = (s: number, from: number): void => {
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, s)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = s;
  };
  for (let s = 0; s < sources.length; s++) if (sources[s]!.events.length > 0) heap[size++] = s;
  for (let at = size >> 1; at >= 0; at--) if (at < size) sink(heap[at]!, at);
  for (let step = 0; step < total; step++) {
    const first = heap[0]!;
    order.sources[step] = first;
    order.rows[step] = next[first]!++;
    look(first);
    if (next[first]! < sources[first]!.events.length) sink(first, 0);
    else sink(heap[--size]!, 0);
  }
  return order;
}

const sameMap = (a: ClockMap, b: ClockMap): boolean =>
  Object.is(a.shift, b.shift) && a.rate === b.rate && (a.rate === 0 || a.origin === b.origin);

/** How many steps two lists of events have in common from the first on: the same events at the same times. */
export function commonSteps(a: MergedEvents, b: MergedEvents): number {
  const [old, now] = [a.order, b.order];
  const most = Math.min(old.rows.length, now.rows.length);
  const moved = a.maps.map((map, s) => b.maps[s] === undefined || !sameMap(map, b.maps[s]));
  let step = 0;
  while (
    step < most &&
    old.sources[step] === now.sources[step] &&
    old.rows[step] === now.rows[step] &&
    !moved[now.sources[step]!]
  )
    step++;
  return step;
}

/** The events of several sources on one clock, read from the tables of the sources. */
export class MergedEvents implements EventList {
  readonly order: Order;
  readonly #sources: readonly Source[];
  /** For each source how its own times become those of the trace. */
  readonly maps: readonly ClockMap[];
  /** Step of each event of each source. */
  readonly #steps: readonly Uint32Array[];

  constructor(sources: readonly Source[], order: Order, clock: TimeBase) {
    this.order = order;
    this.#sources = [...sources];
    this.maps = sources.map((source) => clockMap(clock, source));
    this.#steps = sources.map(({ events }) => new Uint32Array(events.length));
    for (let step = 0; step < order.rows.length; step++) this.#steps[order.sources[step]!]![order.rows[step]!] = step;
  }

  get length(): number {
    return this.order.rows.length;
  }

  get bytes(): number {
    const own = this.order.rows.byteLength + this.order.sources.byteLength;
    return (
      this.#steps.reduce((sum, s) => sum + s.byteLength, own) + this.#sources.reduce((n, s) => n + s.events.bytes, 0)
    );
  }

  source(step: Step): SourceId {
    return this.order.sources[step]!;
  }

  /** The step of an event of a source, by its place there. */
  stepOf(source: SourceId, row: number): number {
    return this.#steps[source]?.[row] ?? -1;
  }

  kindNumber(step: Step): number {
    return this.#events(step).kindNumber(this.order.rows[step]!);
  }

  kind(step: Step): EventKind {
    return this.#events(step).kind(this.order.rows[step]!);
  }

  time(step: Step): number {
    return onClock(this.maps[this.order.sources[step]!]!, this.#events(step).time(this.order.rows[step]!));
  }

  cpu(step: Step): number {
    return this.#events(step).cpu(this.order.rows[step]!);
  }

  object(step: Step): ObjectId {
    return this.#events(step).object(this.order.rows[step]!);
  }

  task(step: Step): TextId {
    return this.#events(step).task(this.order.rows[step]!);
  }

  line(step: Step): number {
    return this.#events(step).line(this.order.rows[step]!);
  }

  offset(step: Step): number {
    return this.#events(step).offset(this.order.rows[step]!);
  }

  word(step: Step, index: number): number {
    return this.#events(step).word(this.order.rows[step]!, index);
  }

  extra(step: Step): TextId {
    return this.#events(step).extra(this.order.rows[step]!);
  }

  read(step: Step, into: EventRow): EventRow {
    this.#events(step).read(this.order.rows[step]!, into);
    into.time = onClock(this.maps[this.order.sources[step]!]!, into.time);
    return into;
  }

  #events(step: Step): EventList {
    return this.#sources[this.order.sources[step]!]!.events;
  }
}
