import type { Step } from '../../base/ids.ts';
import { lowerBound } from '../../base/search.ts';
import { eachOf, type Slices } from '../../base/slices.ts';
import type { Alignment } from './alignment.ts';
import { DifferenceMarks } from './difference-marks.ts';
import type { DrawnLane } from './drawn.ts';
import type { LaneIndex } from './lanes.ts';
import { type PlacedLane, PlacedTrace } from './placed.ts';
import { compareLanes, type Lane, type LaneInfo } from './tree.ts';
import type { Twins } from './twins.ts';
import { DIFFERENCE, type Wanted, type WindowRequest, type WindowView } from './values.ts';
import { windowOfRows } from './window.ts';

/** Numbers of the two traces of a comparison. */
export type SideNumber = 0 | 1;

/** One trace of a comparison: its lanes, on the axis that both traces share. */
export interface ComparedSide {
  readonly index: LaneIndex;
  readonly placed: PlacedTrace;
  /** Where its lanes differ; `below`: where the other trace has an event in a lane that this one lacks, at the nearest lane above. */
  readonly own: DifferenceMarks;
  readonly below: DifferenceMarks;
}

/** A lane as it is listed beside the lanes of another trace. */
export interface ComparedLane extends LaneInfo {
  readonly side: 'a' | 'b';
  /** Number of the lane of trace A for the same thing, which stands above it; -1 for none. */
  readonly twin: number;
}

/** Events that differ: steps in A and in B, -1 where that trace lacks the event. */
export interface DifferentEvents {
  readonly a: Step;
  readonly b: Step;
}

/** A change at a step of one trace, to what a lane is about. */
export interface LaneChange {
  readonly side: SideNumber;
  readonly step: Step;
  readonly lane: Lane;
}

/** What is known of the two traces that are compared. */
export interface Knowledge {
  readonly lanes: readonly [a: LaneIndex, b: LaneIndex];
  readonly alignment: Alignment;
  readonly twins: Twins;
  /** Events that differ. */
  readonly events: readonly DifferentEvents[];
  /** Changes that only one of them has. */
  readonly changes: readonly LaneChange[];
}

/** Marks in the lanes of two traces on one axis what differs, in slices. All events must be sorted into lanes. */
export function* comparingLanes(known: Knowledge): Slices<ComparedLanes> {
  const lanes = new ComparedLanes(known);
  yield* eachOf(known.events, (event) => lanes.markEvents(event));
  yield* eachOf(known.changes, ({ side, step, lane }) => lanes.mark(side, step, lane));
  return lanes;
}

/**
 * The lanes of two traces on one axis. A lane has the number `2 * id` when it is of trace A, `2 * id + 1` when it is of B.
 */
export class ComparedLanes {
  readonly sides: readonly [a: ComparedSide, b: ComparedSide];
  /** Places of the axis. */
  readonly length: number;
  readonly #twins: readonly [ReadonlyMap<Lane, Lane>, ReadonlyMap<Lane, Lane>];

  constructor({ lanes, twins, alignment: { a, b, length } }: Knowledge) {
    const side = (index: LaneIndex, places: Uint32Array): ComparedSide => ({
      ...{ index, placed: new PlacedTrace(index, places, length) },
      own: new DifferenceMarks(),
      below: new DifferenceMarks(),
    });
    this.sides = [side(lanes[0], a), side(lanes[1], b)];
    this.length = length;
    this.#twins = [twins.ofA, twins.ofB];
  }

  /** Number of a lane of a trace. */
  idOf(side: SideNumber, lane: Lane): number {
    return 2 * lane.id + side;
  }

  /** The lane with a number, and its trace. */
  laneAt(id: number): { readonly side: SideNumber; readonly lane: Lane | undefined } {
    const side: SideNumber = id % 2 === 0 ? 0 : 1;
    return { side, lane: this.sides[side].index.tree.lanes[(id - side) / 2] };
  }

  /** The lane of the other trace for the same thing. */
  twinOf(side: SideNumber, lane: Lane): Lane | undefined {
    return this.#twins[side].get(lane);
  }

  /** Number of the lane that an event is in first of all; -1 for none. */
  laneOf(side: SideNumber, step: Step): number {
    const lane = this.sides[side].index.laneOf(step);
    return lane === undefined ? -1 : this.idOf(side, lane);
  }

  /** Marks events that differ. */
  markEvents({ a, b }: DifferentEvents): void {
    if (b < 0) this.mark(0, a);
    if (a < 0) this.mark(1, b);
    if (a < 0 || b < 0) return;
    for (const [side, step] of [
      [0, a],
      [1, b],
    ] as const) {
      const { index, placed, own } = this.sides[side];
      const lane = index.laneOf(step);
      if (lane) own.add(lane, placed.placeOf(step), 'changed');
    }
  }

  /** Marks what only one trace has at a step; `lane`: that of the event, or another one that changed there. */
  mark(side: SideNumber, step: Step, lane = this.sides[side].index.laneOf(step)): void {
    if (lane === undefined) return;
    const { placed, own } = this.sides[side];
    const place = placed.placeOf(step);
    own.add(lane, place, 'here');
    const there = this.sides[other(side)];
    const twin = this.twinOf(side, lane);
    if (twin) there.own.add(twin, place, 'missing');
    else {
      let above = lane.parent;
      while (above && this.twinOf(side, above) === undefined) above = above.parent;
      const nearest = above && this.twinOf(side, above);
      if (nearest) there.below.add(nearest, place, 'missing');
    }
  }

  /** The lanes of both traces in display order: each of A, then that of B for the same thing, then what lies below them. */
  list(): ComparedLane[] {
    const shown = [this.#visible(0), this.#visible(1)] as const;
    /** What lies below each lane that stands for itself and its twin; undefined: the topmost. */
    const below = new Map<Lane | undefined, [SideNumber, Lane][]>();
    const headOf = (side: SideNumber, lane: Lane): [SideNumber, Lane] => {
      const twin = side === 1 ? this.twinOf(1, lane) : undefined;
      return twin && shown[0].has(twin) ? [0, twin] : [side, lane];
    };
    for (const side of [0, 1] as const)
      for (const lane of shown[side]) {
        if (headOf(side, lane)[0] !== side) continue;
        const parent = lane.parent && headOf(side, lane.parent)[1];
        const list = below.get(parent);
        if (list) list.push([side, lane]);
        else below.set(parent, [[side, lane]]);
      }
    const out: ComparedLane[] = [];
    const walk = (parent: Lane | undefined, parentId: number): void => {
      for (const [side, lane] of (below.get(parent) ?? []).sort(([, x], [, y]) => compareLanes(x, y))) {
        const id = this.idOf(side, lane);
        out.push(this.#info(side, lane, parentId, -1));
        const twin = side === 0 ? this.twinOf(0, lane) : undefined;
        if (twin && shown[1].has(twin)) out.push(this.#info(1, twin, parentId, id));
        walk(lane, id);
      }
    };
    walk(undefined, -1);
    return out;
  }

  /** What to draw for a part of the lanes. `wanted`: the events of A and of B that are looked for. */
  window(request: WindowRequest, wanted: readonly (Wanted | undefined)[] = []): WindowView {
    const rows = request.rows.map(({ lane: id, deep }) => {
      const { side, lane } = this.laneAt(id);
      return { side, deep, lane: lane && this.sides[side].placed.of(lane) };
    });
    const sides = this.sides.map(({ placed, own, below }, i) => ({
      ...{ axis: placed.axis, wanted: wanted[i] && placed.wanted(wanted[i]) },
      differences: (drawn: DrawnLane, deep: boolean) => {
        const { lane } = drawn as PlacedLane;
        return deep ? [own.of(lane), below.of(lane)] : [own.of(lane)];
      },
    }));
    return windowOfRows(request, sides, rows);
  }

  /** The places of a row between two places (the second one not included) where only the other trace has an event, ascending. */
  missingBetween(id: number, deep: boolean, from: number, to: number): number[] {
    const { side, lane } = this.laneAt(id);
    const { own, below } = this.sides[side];
    const found = new Set<number>();
    const gather = (one: Lane): void => {
      for (const marks of deep ? [own.of(one), below.of(one)] : [own.of(one)]) {
        if (marks === undefined) continue;
        const { places, kinds } = marks;
        for (let i = lowerBound(places, from); i < places.length && places[i]! < to; i++)
          if ((kinds[i]! & DIFFERENCE.missing) !== 0) found.add(places[i]!);
      }
      if (deep) for (const child of one.children) gather(child);
    };
    if (lane) gather(lane);
    return [...found].sort((x, y) => x - y);
  }

  #info(side: SideNumber, lane: Lane, parent: number, twin: number): ComparedLane {
    const { index } = this.sides[side];
    const info = index.tree.info(lane, index.trace.head);
    const events = this.#countOf(side, lane);
    return { ...info, id: this.idOf(side, lane), parent, events, side: side === 0 ? 'a' : 'b', twin };
  }

  /** How many events of a lane are compared. */
  #countOf(side: SideNumber, lane: Lane): number {
    const { length } = this.sides[side].placed;
    return length >= this.sides[side].index.done ? lane.count : lane.steps.indexFrom(length);
  }

  /** The lanes of a trace that have something to show, with those above them. */
  #visible(side: SideNumber): ReadonlySet<Lane> {
    const shown = new Set<Lane>();
    const { length } = this.sides[side].placed;
    for (const lane of this.sides[side].index.tree.lanes) {
      const waits = (): boolean =>
        lane.set.some((l) => l.everOn && l.spec.style === 'pending' && l.steps.at(0) < length);
      if (this.#countOf(side, lane) === 0 && !waits()) continue;
      for (let one: Lane | undefined = lane; one && !shown.has(one); one = one.parent) shown.add(one);
    }
    return shown;
  }
}

const other = (side: SideNumber): SideNumber => (side === 0 ? 1 : 0);
