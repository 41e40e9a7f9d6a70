import type { Step } from '../../base/ids.ts';
import { firstNear, lowerBound } from '../../base/search.ts';
import type { Axis } from './axis.ts';
import type { DrawnLane, DrawnLayer } from './drawn.ts';
import type { LaneIndex } from './lanes.ts';
import { f32List, u8List, u16List, u32List } from './list.ts';
import {
  ABSENT,
  type LaneDifferences,
  MIXED,
  MOST_BINS,
  ON,
  type Wanted,
  type WindowRequest,
  type WindowView,
} from './values.ts';

/** What the events of a bin are: the first one, how many, their marks; how many of them are looked for, and their marks. */
type Take = (bin: number, step: Step, count: number, shapes: number, hits: number, hitShapes: number) => void;

/** A trace whose lanes a window shows. */
export interface WindowSide {
  readonly axis: Axis;
  /** The events that are looked for. */
  readonly wanted?: Wanted | undefined;
  /** Where a lane differs from the other trace, and in a deep row what it lacks that the other trace has below it. */
  readonly differences?: (lane: DrawnLane, deep: boolean) => readonly (LaneDifferences | undefined)[];
}

/** A row of a window: a lane of one of its traces; undefined for a lane that does not exist. */
export interface WindowRow {
  readonly side: number;
  readonly lane: DrawnLane | undefined;
  readonly deep: boolean;
}

/** A trace whose lanes are collected. */
interface Side extends WindowSide {
  /** Entry b is the first step whose event lies in bin b or later. The last entry is the end of the window. */
  readonly edges: Uint32Array;
}

/** Collects a window row by row; every array grows as needed and is cut to size at the end. */
class WindowBuilder {
  readonly #sides: readonly Side[];
  /** The trace of the row at hand. */
  #side: Side;
  readonly #from: number;
  readonly #size: number;
  readonly #bins: number;
  /** Events are looked for in any of the traces. */
  readonly #wanting: boolean;
  readonly #rowMarks = u32List();
  readonly #at = f32List();
  readonly #count = u32List();
  readonly #step = u32List();
  readonly #shapes = u16List();
  readonly #hits = u32List();
  readonly #hitShapes = u16List();
  readonly #rowLayers = u32List();
  readonly #layerRuns = u32List();
  readonly #runAt = f32List();
  readonly #runValue = u8List();
  readonly #runFill = u8List();
  readonly #rowDiffs = u32List();
  readonly #diffAt = f32List();
  readonly #diffKinds = u8List();
  /** For deep rows: the events found in each bin so far. */
  readonly #binCount: Uint32Array;
  readonly #binStep: Uint32Array;
  readonly #binShapes: Uint16Array;
  readonly #binHits: Uint32Array;
  readonly #binHitShapes: Uint16Array;
  /** The differences found in each bin so far, and the first of them. */
  readonly #binDiffs: Uint8Array;
  readonly #binDiffAt: Float64Array;

  constructor(sides: readonly WindowSide[], { from, size }: WindowRequest, bins: number) {
    this.#sides = sides.map((side) => ({ ...side, edges: edgesOf(side.axis, from, size, bins) }));
    this.#side = this.#sides[0]!;
    this.#from = from;
    this.#size = size;
    this.#bins = bins;
    this.#wanting = sides.some(({ wanted }) => wanted !== undefined);
    this.#binCount = new Uint32Array(bins);
    this.#binStep = new Uint32Array(bins);
    this.#binShapes = new Uint16Array(bins);
    this.#binHits = new Uint32Array(bins);
    this.#binHitShapes = new Uint16Array(bins);
    const compared = sides.some(({ differences }) => differences !== undefined);
    this.#binDiffs = new Uint8Array(compared ? bins : 0);
    this.#binDiffAt = new Float64Array(compared ? bins : 0);
  }

  /** Adds a row; it is empty for a lane that does not exist. */
  row({ side, lane, deep }: WindowRow): void {
    this.#side = this.#sides[side]!;
    this.#rowMarks.push(this.#at.length);
    this.#rowLayers.push(this.#layerRuns.length);
    this.#rowDiffs.push(this.#diffAt.length);
    if (lane === undefined) return;
    this.#differences(lane, deep);
    if (deep && lane.children.length > 0) {
      this.#gather(lane);
      this.#flush();
    } else {
      this.#events(lane);
    }
    for (const layer of lane.layers) {
      this.#layerRuns.push(this.#runAt.length);
      this.#layer(layer);
    }
  }

  end(): WindowView {
    this.#rowMarks.push(this.#at.length);
    this.#rowLayers.push(this.#layerRuns.length);
    this.#layerRuns.push(this.#runAt.length);
    this.#rowDiffs.push(this.#diffAt.length);
    return {
      rowMarks: this.#rowMarks.exact(),
      at: this.#at.exact(),
      count: this.#count.exact(),
      step: this.#step.exact(),
      shapes: this.#shapes.exact(),
      hits: this.#hits.exact(),
      hitShapes: this.#hitShapes.exact(),
      rowLayers: this.#rowLayers.exact(),
      layerRuns: this.#layerRuns.exact(),
      runAt: this.#runAt.exact(),
      runValue: this.#runValue.exact(),
      runFill: this.#runFill.exact(),
      rowDiffs: this.#rowDiffs.exact(),
      diffAt: this.#diffAt.exact(),
      diffKinds: this.#diffKinds.exact(),
    };
  }

  /** The place of a step, in bins from the start of the window. The result never leaves the bin, even if rounding would move it out. */
  #place(step: Step, bin: number): number {
    const at = (this.#side.axis.x(step) - this.#from) / this.#size;
    return Math.min(bin + 0.999, Math.max(bin, at));
  }

  #mark(bin: number, step: Step, count: number, shapes: number, hits: number, hitShapes: number): void {
    this.#at.push(this.#place(step, bin));
    this.#count.push(count);
    this.#step.push(step);
    this.#shapes.push(shapes);
    if (!this.#wanting) return;
    this.#hits.push(hits);
    this.#hitShapes.push(hitShapes);
  }

  #events(lane: DrawnLane): void {
    this.#eachBin(lane, (...mark) => this.#mark(...mark));
  }

  /** Calls `take` for each bin with all events of a lane in that bin. */
  #eachBin(lane: DrawnLane, take: Take): void {
    const { edges, wanted } = this.#side;
    const steps = lane.steps.data;
    const marks = lane.marks.data;
    const end = lane.steps.indexFrom(edges[this.#bins]!);
    let i = lane.steps.indexFrom(edges[0]!);
    let bin = 0;
    while (i < end) {
      const start = i;
      bin = this.#binOf(steps[i]!, bin);
      const edge = edges[bin + 1]!;
      let shapes = 0;
      let hits = 0;
      let hitShapes = 0;
      for (; i < end && steps[i]! < edge; i++) {
        const shape = 1 << marks[i]!;
        shapes |= shape;
        if (wanted === undefined || (steps[i]! < wanted.done && !wanted.hits.has(steps[i]!))) continue;
        hits++;
        hitShapes |= shape;
      }
      take(bin, steps[start]!, i - start, shapes, hits, hitShapes);
    }
  }

  /** The bin of a step. The search starts at `bin`. */
  #binOf(step: Step, bin: number): number {
    const { edges } = this.#side;
    return firstNear(bin + 1, this.#bins, (next) => edges[next]! > step) - 1;
  }

  /** Adds the events of a lane and of all lanes below it to the bins. Each event counts once. */
  #gather(lane: DrawnLane): void {
    this.#eachBin(lane, (bin, step, count, shapes, hits, hitShapes) => {
      if (this.#binCount[bin] === 0 || step < this.#binStep[bin]!) this.#binStep[bin] = step;
      this.#binCount[bin]! += count;
      this.#binShapes[bin]! |= shapes;
      this.#binHits[bin]! += hits;
      this.#binHitShapes[bin]! |= hitShapes;
    });
    for (const child of lane.children) if (child.owner === undefined) this.#gather(child);
  }

  #flush(): void {
    for (let bin = 0; bin < this.#bins; bin++) {
      const count = this.#binCount[bin]!;
      if (count === 0) continue;
      const [hits, hitShapes] = [this.#binHits[bin]!, this.#binHitShapes[bin]!];
      this.#mark(bin, this.#binStep[bin]!, count, this.#binShapes[bin]!, hits, hitShapes);
      this.#binCount[bin] = 0;
      this.#binShapes[bin] = 0;
      this.#binHits[bin] = 0;
      this.#binHitShapes[bin] = 0;
    }
  }

  /** Adds the differences of a lane, of a deep row those of all lanes below it too. */
  #differences(lane: DrawnLane, deep: boolean): void {
    const { differences } = this.#side;
    if (differences === undefined) return;
    const gather = (one: DrawnLane): void => {
      for (const found of differences(one, deep)) this.#binDifferences(found);
      if (deep) for (const child of one.children) gather(child);
    };
    gather(lane);
    for (let bin = 0; bin < this.#bins; bin++) {
      if (this.#binDiffs[bin] === 0) continue;
      this.#diffAt.push((this.#binDiffAt[bin]! - this.#from) / this.#size);
      this.#diffKinds.push(this.#binDiffs[bin]!);
      this.#binDiffs[bin] = 0;
    }
  }

  #binDifferences(found: LaneDifferences | undefined): void {
    if (found === undefined) return;
    const { places, kinds } = found;
    for (let i = lowerBound(places, this.#from); i < places.length; i++) {
      const place = places[i]!;
      const bin = Math.floor((place - this.#from) / this.#size);
      if (bin >= this.#bins) break;
      if (this.#binDiffs[bin] === 0 || place < this.#binDiffAt[bin]!) this.#binDiffAt[bin] = place;
      this.#binDiffs[bin]! |= kinds[i]!;
    }
  }

  #run(place: number, value: number, fill: number): void {
    // The array stores 32-bit floats, so the comparison needs the same rounding.
    const at = Math.fround(place);
    const last = this.#runAt.length - 1;
    const start = this.#layerRuns.at(this.#layerRuns.length - 1);
    if (last >= start && this.#runAt.at(last) >= at) {
      this.#runValue.data[last] = value;
      this.#runFill.data[last] = fill;
      return;
    }
    if (last >= start && value !== MIXED && this.#runValue.at(last) === value) return;
    this.#runAt.push(at);
    this.#runValue.push(value);
    this.#runFill.push(fill);
  }

  #layer(layer: DrawnLayer): void {
    const { edges } = this.#side;
    const steps = layer.steps.data;
    const values = layer.values.data;
    let i = layer.steps.indexFrom(edges[0]!);
    const end = layer.steps.indexFrom(edges[this.#bins]!);
    let value = i > 0 ? values[i - 1]! : ABSENT;
    this.#run(0, value, 0);
    let bin = 0;
    while (i < end) {
      bin = this.#binOf(steps[i]!, bin);
      const edge = edges[bin + 1]!;
      let next = i + 1;
      while (next < end && steps[next]! < edge) next++;
      if (next - i === 1) {
        this.#run(this.#place(steps[i]!, bin), values[i]!, 0);
      } else {
        this.#run(bin, MIXED, this.#fill(layer, i, next, bin, value));
        this.#run(bin + 1, values[next - 1]!, 0);
      }
      value = values[next - 1]!;
      i = next;
    }
  }

  /** The share of a bin in which a layer was on. `value`: its value at the start of the bin. `from`, `to`: the range of changes in the bin. */
  #fill(layer: DrawnLayer, from: number, to: number, bin: number, value: number): number {
    const start = this.#from + bin * this.#size;
    let on = 0;
    let since = start;
    let now = value;
    for (let i = from; i < to; i++) {
      const x = this.#side.axis.x(layer.steps.at(i));
      if (now === ON) on += x - since;
      since = x;
      now = layer.values.at(i);
    }
    if (now === ON) on += start + this.#size - since;
    return Math.max(0, Math.min(255, Math.round((on / this.#size) * 255)));
  }
}

function edgesOf(axis: Axis, from: number, size: number, bins: number): Uint32Array {
  const edges = new Uint32Array(bins + 1);
  let low = 0;
  for (let bin = 0; bin <= bins; bin++) {
    const x = from + bin * size;
    // The edge that follows is often near.
    low = firstNear(low, axis.length, (step) => axis.x(step) >= x);
    edges[bin] = low;
  }
  return edges;
}

/**
 * Gives the data to draw for a part of a timeline. Bins and rows limit its size, not the number of events. `sides`: the traces whose lanes
 * the rows show.
 */
export function windowOfRows(
  request: WindowRequest,
  sides: readonly WindowSide[],
  rows: readonly WindowRow[],
): WindowView {
  const bins = Math.max(1, Math.min(MOST_BINS, Math.floor(request.bins)));
  const builder = new WindowBuilder(sides, request, bins);
  for (const row of rows) builder.row(row);
  return builder.end();
}

/** The same for the lanes of one trace. `wanted`: the events that are looked for, which are told apart from the others. */
export function windowOf(index: LaneIndex, request: WindowRequest, wanted?: Wanted): WindowView {
  const rows = request.rows.map(({ lane, deep }) => ({ side: 0, lane: index.tree.lanes[lane], deep }));
  return windowOfRows(request, [{ axis: index.axis(request.axis), wanted }], rows);
}
