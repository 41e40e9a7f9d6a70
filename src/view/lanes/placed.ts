import type { Step } from '../../base/ids.ts';
import type { Trace } from '../../trace/trace.ts';
import { type Axis, StepAxis } from './axis.ts';
import type { DrawnLane, DrawnLayer, LaneSource } from './drawn.ts';
import type { LaneIndex } from './lanes.ts';
import { type List, u8List, u32List } from './list.ts';
import type { Lane, Layer } from './tree.ts';
import type { Wanted } from './values.ts';

/** The lanes of one trace on an axis that it shares with another one: places stand for the steps of their events. */
export class PlacedTrace implements LaneSource {
  readonly index: LaneIndex;
  readonly axis: Axis;
  /** How many of its events have a place. */
  readonly length: number;
  readonly #places: Uint32Array;
  /** The event at each place, -1 for none. */
  readonly #steps: Int32Array;
  readonly #lanes = new Map<Lane, PlacedLane>();

  /** `places`: the place of each event; `length`: how many places the axis has. */
  constructor(index: LaneIndex, places: Uint32Array, length: number) {
    this.index = index;
    this.length = places.length;
    const axis = new StepAxis('order');
    axis.length = length;
    this.axis = axis;
    this.#places = places;
    this.#steps = new Int32Array(length).fill(-1);
    for (let step = 0; step < places.length; step++) this.#steps[places[step]!] = step;
  }

  get trace(): Trace {
    return this.index.trace;
  }

  laneAt(id: number): PlacedLane | undefined {
    const lane = this.index.tree.lanes[id];
    return lane && this.of(lane);
  }

  /** A lane of the trace, placed. */
  of(lane: Lane): PlacedLane {
    let placed = this.#lanes.get(lane);
    if (placed === undefined) this.#lanes.set(lane, (placed = new PlacedLane(lane, this)));
    return placed;
  }

  /** The place of an event; that of the last one for events that have none. */
  placeOf(step: Step): number {
    return this.#places[Math.min(step, this.length - 1)] ?? 0;
  }

  /** The event at a place, -1 for none. */
  at(place: number): Step {
    return this.#steps[place] ?? -1;
  }

  /** The event at a place, else the nearest one before it; -1 for none. */
  lastAt(place: number): Step {
    let at = Math.min(Math.floor(place), this.#steps.length - 1);
    while (at >= 0 && this.#steps[at]! < 0) at--;
    return at < 0 ? -1 : this.#steps[at]!;
  }

  /** The first and the last event of those between two places, in either order; undefined when there is none. */
  stepsBetween(a: number, b: number): { readonly from: Step; readonly to: Step } | undefined {
    let [from, to] = [Number.POSITIVE_INFINITY, -1];
    for (
      let place = Math.max(0, Math.ceil(Math.min(a, b)));
      place <= Math.min(this.#steps.length - 1, Math.max(a, b));
      place++
    ) {
      const step = this.#steps[place]!;
      if (step < 0) continue;
      from = Math.min(from, step);
      to = Math.max(to, step);
    }
    return to < 0 ? undefined : { from, to };
  }

  /** A search by the places of events. */
  wanted(search: Wanted): Wanted {
    const has = (place: number): boolean => {
      const step = this.at(place);
      return step >= search.done || search.hits.has(step);
    };
    return { done: Number.POSITIVE_INFINITY, hits: { has } };
  }
}

/** A lane whose events and changes are in the order of their places. */
export class PlacedLane implements DrawnLane {
  readonly lane: Lane;
  readonly #trace: PlacedTrace;
  #events: { readonly steps: List<Uint32Array>; readonly marks: List<Uint8Array> } | undefined;
  #layers: readonly DrawnLayer[] | undefined;

  constructor(lane: Lane, trace: PlacedTrace) {
    this.lane = lane;
    this.#trace = trace;
  }

  get children(): readonly PlacedLane[] {
    return this.lane.children.map((child) => this.#trace.of(child));
  }

  get owner(): DrawnLane | undefined {
    return this.lane.owner && this.#trace.of(this.lane.owner);
  }

  get steps(): List<Uint32Array> {
    return this.#placed().steps;
  }

  get marks(): List<Uint8Array> {
    return this.#placed().marks;
  }

  get layers(): readonly DrawnLayer[] {
    return (this.#layers ??= this.lane.layers.map((layer) => this.#layer(layer)));
  }

  #placed(): { readonly steps: List<Uint32Array>; readonly marks: List<Uint8Array> } {
    if (this.#events) return this.#events;
    const { steps, marks } = this.lane;
    const count = steps.indexFrom(this.#trace.length);
    this.#events = sorted(
      Uint32Array.from({ length: count }, (_, i) => this.#trace.placeOf(steps.at(i))),
      marks.data,
    );
    return this.#events;
  }

  /** The changes of a layer. Where they follow events of other lanes, they keep their order among the events of this lane. */
  #layer({ spec, steps, values }: Layer): DrawnLayer {
    const own = this.lane.steps;
    const events = own.indexFrom(this.#trace.length);
    const placeOf = (step: Step): number => this.#trace.placeOf(step);
    let ordered = true;
    for (let i = 1; i < events && ordered; i++) ordered = placeOf(own.at(i - 1)) < placeOf(own.at(i));
    const count = steps.indexFrom(this.#trace.length);
    const places = Uint32Array.from({ length: count }, (_, i) => {
      const step = steps.at(i);
      const place = placeOf(step);
      const at = own.indexFrom(step);
      if (!ordered || own.at(at) === step) return place;
      const least = at > 0 ? placeOf(own.at(at - 1)) : 0;
      const most = at < events ? placeOf(own.at(at)) : place;
      return Math.max(least, Math.min(most, place));
    });
    if (ordered) for (let i = 1; i < count; i++) places[i] = Math.max(places[i]!, places[i - 1]!);
    const all = sorted(places, values.data);
    const changes = { spec, steps: u32List(), values: u8List() };
    for (let i = 0; i < count; i++) {
      // Of several changes at one place the last one holds.
      if (i + 1 < count && all.steps.at(i) === all.steps.at(i + 1)) continue;
      changes.steps.push(all.steps.at(i));
      changes.values.push(all.marks.at(i));
    }
    return changes;
  }
}

/** Places with a small number each, in the order of the places; those at one place keep their order. */
function sorted(
  places: Uint32Array,
  numbers: Uint8Array,
): { readonly steps: List<Uint32Array>; readonly marks: List<Uint8Array> } {
  const made = { steps: u32List(), marks: u8List() };
  if (places.every((place, i) => i === 0 || places[i - 1]! <= place)) {
    made.steps.append(places);
    made.marks.append(numbers.subarray(0, places.length));
    return made;
  }
  const { length } = places;
  // Place and number of the element in one number: both fit into 53 bits.
  const keys = Float64Array.from(places, (place, i) => place * length + i).sort();
  made.steps.append(Uint32Array.from(keys, (key) => Math.floor(key / length)));
  made.marks.append(Uint8Array.from(keys, (key) => numbers[key % length]!));
  return made;
}
