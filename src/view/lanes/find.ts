import type { Step } from '../../base/ids.ts';
import { Spans } from '../../query/span.ts';
import type { Axis } from './axis.ts';
import type { DrawnLane, DrawnLayer, LaneSource } from './drawn.ts';
import { layerAt } from './lanes.ts';
import { changeAt } from './tree.ts';
import { ABSENT, type LaneRow, OFF, ON, UNKNOWN } from './values.ts';

/** The lanes whose events a row shows; no event is in two of them. */
function lanesOf(index: LaneSource, { lane, deep }: LaneRow): DrawnLane[] {
  const top = index.laneAt(lane);
  if (top === undefined) return [];
  if (!deep) return [top];
  const all: DrawnLane[] = [];
  const walk = (one: DrawnLane): void => {
    all.push(one);
    for (const child of one.children) if (child.owner === undefined) walk(child);
  };
  walk(top);
  return all;
}

/** The first event of some lanes at a step or later, or -1. */
function firstFrom(lanes: readonly DrawnLane[], step: Step): number {
  let best = -1;
  for (const { steps } of lanes) {
    const i = steps.indexFrom(step);
    if (i < steps.length && (best < 0 || steps.at(i) < best)) best = steps.at(i);
  }
  return best;
}

/** The last event of some lanes before a step, or -1. */
function lastBefore(lanes: readonly DrawnLane[], step: Step): number {
  let best = -1;
  for (const { steps } of lanes) {
    const i = steps.indexFrom(step) - 1;
    if (i >= 0 && steps.at(i) > best) best = steps.at(i);
  }
  return best;
}

/** The event of a row next to a step, which need not be one of its own; -1 when there is none. */
export function neighbourOf(index: LaneSource, row: LaneRow, step: Step, direction: 'next' | 'previous'): number {
  const lanes = lanesOf(index, row);
  return direction === 'next' ? firstFrom(lanes, step + 1) : lastBefore(lanes, step);
}

/** The event of a row that is nearest to a place on an axis; the earlier one of two equally near; -1 when it has none. */
export function nearestTo(index: LaneSource, row: LaneRow, axis: Axis, x: number): number {
  const lanes = lanesOf(index, row);
  const at = axis.stepAt(x);
  const after = firstFrom(lanes, at);
  let before = lastBefore(lanes, at);
  // If several events have the same place, take the first one.
  if (before >= 0) before = firstFrom(lanes, axis.stepAt(axis.x(before)));
  if (before < 0 || after < 0) return Math.max(before, after);
  return axis.x(after) - x < x - axis.x(before) ? after : before;
}

/** The events between two places of an axis, in either order, with those at the places, which are whole numbers; undefined when there is none. */
export function stepsBetween(axis: Axis, a: number, b: number): { readonly from: Step; readonly to: Step } | undefined {
  const from = axis.stepAt(Math.min(a, b));
  const to = axis.stepAt(Math.floor(Math.max(a, b)) + 1) - 1;
  return to < from ? undefined : { from, to };
}

/** Events of a row between two places (the second one not included): the first few, and how many there are. */
export interface EventRange {
  readonly steps: readonly number[];
  readonly count: number;
}

export function eventsBetween(
  index: LaneSource,
  row: LaneRow,
  axis: Axis,
  from: number,
  to: number,
  limit: number,
): EventRange {
  const first = axis.stepAt(from);
  const end = axis.stepAt(to);
  const lanes = lanesOf(index, row);
  let count = 0;
  for (const { steps } of lanes) count += steps.indexFrom(end) - steps.indexFrom(first);
  const found: number[] = [];
  for (let step = firstFrom(lanes, first); step >= 0 && step < end && found.length < limit; ) {
    found.push(step);
    step = firstFrom(lanes, step + 1);
  }
  return { steps: found, count };
}

/** The value of a layer at a place, and the first and last step with that value. */
export interface LayerView {
  readonly name: string;
  readonly value: string;
  /** First and last step of the span; the last one is undefined when it lasts to the end of the trace. */
  readonly from: number;
  readonly to: number | undefined;
  /** How long it lasts, where the axis is time and its end is known. */
  readonly duration: string | undefined;
}

function layerView(index: LaneSource, axis: Axis, layer: DrawnLayer, step: Step): LayerView | undefined {
  const { spec, steps } = layer;
  const value = layerAt(layer, step);
  if (value === ABSENT) return undefined;
  const change = changeAt(layer, step);
  const from = steps.at(change);
  const to = change + 1 < steps.length ? steps.at(change + 1) : undefined;
  const timed = axis.kind === 'time' && !index.trace.time.ticks && to !== undefined;
  return {
    name: spec.name,
    value: value === ON ? spec.on : value === OFF ? spec.off : 'unknown',
    from,
    to,
    duration: timed ? new Spans(index.trace).text(axis.x(to) - axis.x(from), from, to) : undefined,
  };
}

/** What the layers of a lane hold at a place; without those of which nothing is drawn there. */
export function layersAt(index: LaneSource, lane: number, axis: Axis, x: number): LayerView[] {
  // The last event at this place or before it.
  let step = axis.stepAt(x);
  if (step < axis.length && axis.x(step) === x) while (step < axis.length && axis.x(step) === x) step++;
  step--;
  const layers = step < 0 ? [] : (index.laneAt(lane)?.layers ?? []);
  // A strip whose value is unknown is not drawn, so the description leaves it out too.
  const told = layers.filter((layer) => layer.spec.place === 'band' || layerAt(layer, step) !== UNKNOWN);
  return told.map((layer) => layerView(index, axis, layer, step)).filter((view) => view !== undefined);
}
