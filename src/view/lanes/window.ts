import type { Step } from '../../base/ids.ts';
import { firstNear } from '../../base/search.ts';
import type { Axis } from './axis.ts';
import type { LaneIndex } from './lanes.ts';
import { f32List, u8List, u16List, u32List } from './list.ts';
import type { Lane, Layer } from './tree.ts';
import { ABSENT, MIXED, MOST_BINS, ON, type Wanted, type WindowRequest, type WindowView } from './values.ts';

/** What the events of a bin are: the first one, how many, their marks; how many of them are looked for, and their marks. */
type Take = (bin: number, step: Step, count: number, shapes: number, hits: number, hitShapes: number) => void;

/** Collects a window row by row; every array grows as needed and is cut to size at the end. */
class WindowBuilder {
  readonly #axis: Axis;
  readonly #from: number;
  readonly #size: number;
  readonly #bins: number;
  readonly #wanted: Wanted | undefined;
  /** Entry b is the first step whose event lies in bin b or later. The last entry is the end of the window. */
  readonly #edges: Uint32Array;
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
  /** For deep rows: the events found in each bin so far. */
  readonly #binCount: Uint32Array;
  readonly #binStep: Uint32Array;
  readonly #binShapes: Uint16Array;
  readonly #binHits: Uint32Array;
  readonly #binHitShapes: Uint16Array;

  constructor(axis: Axis, from: number, size: number, bins: number, wanted: Wanted | undefined) {
    this.#axis = axis;
    this.#from = from;
    this.#size = size;
    this.#bins = bins;
    this.#wanted = wanted;
    this.#edges = edgesOf(axis, from, size, bins);
    this.#binCount = new Uint32Array(bins);
    this.#binStep = new Uint32Array(bins);
    this.#binShapes = new Uint16Array(bins);
    this.#binHits = new Uint32Array(bins);
    this.#binHitShapes = new Uint16Array(bins);
  }

  row(lane: Lane, deep: boolean): void {
    this.#rowMarks.push(this.#at.length);
    if (deep && lane.children.length > 0) {
      this.#gather(lane);
      this.#flush();
    } else {
      this.#events(lane);
    }
    this.#rowLayers.push(this.#layerRuns.length);
    for (const layer of lane.layers) {
      this.#layerRuns.push(this.#runAt.length);
      this.#layer(layer);
    }
  }

  /** Adds an empty row, for a lane that does not exist. */
  emptyRow(): void {
    this.#rowMarks.push(this.#at.length);
    this.#rowLayers.push(this.#layerRuns.length);
  }

  end(): WindowView {
    this.#rowMarks.push(this.#at.length);
    this.#rowLayers.push(this.#layerRuns.length);
    this.#layerRuns.push(this.#runAt.length);
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
    };
  }

  /** The place of a step, in bins from the start of the window. The result never leaves the bin, even if rounding would move it out. */
  #place(step: Step, bin: number): number {
    const at = (this.#axis.x(step) - this.#from) / this.#size;
    return Math.min(bin + 0.999, Math.max(bin, at));
  }

  #mark(bin: number, step: Step, count: number, shapes: number, hits: number, hitShapes: number): void {
    this.#at.push(this.#place(step, bin));
    this.#count.push(count);
    this.#step.push(step);
    this.#shapes.push(shapes);
    if (this.#wanted === undefined) return;
    this.#hits.push(hits);
    this.#hitShapes.push(hitShapes);
  }

  #events(lane: Lane): void {
    this.#eachBin(lane, (...mark) => this.#mark(...mark));
  }

  /** Calls `take` for each bin with all events of a lane in that bin. */
  #eachBin(lane: Lane, take: Take): void {
    const edges = this.#edges;
    const wanted = this.#wanted;
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
    const edges = this.#edges;
    return firstNear(bin + 1, this.#bins, (next) => edges[next]! > step) - 1;
  }

  /** Adds the events of a lane and of all lanes below it to the bins. Each event counts once. */
  #gather(lane: Lane): void {
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

  #layer(layer: Layer): void {
    const edges = this.#edges;
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
  #fill(layer: Layer, from: number, to: number, bin: number, value: number): number {
    const start = this.#from + bin * this.#size;
    let on = 0;
    let since = start;
    let now = value;
    for (let i = from; i < to; i++) {
      const x = this.#axis.x(layer.steps.at(i));
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
 * Gives the data to draw for a part of a timeline. Bins and rows limit its size, not the number of events. `wanted`: the events that are looked
 * for, which are told apart from the others.
 */
export function windowOf(index: LaneIndex, request: WindowRequest, wanted?: Wanted): WindowView {
  const bins = Math.max(1, Math.min(MOST_BINS, Math.floor(request.bins)));
  const builder = new WindowBuilder(index.axis(request.axis), request.from, request.size, bins, wanted);
  for (const { lane, deep } of request.rows) {
    const found = index.tree.lanes[lane];
    if (found) builder.row(found, deep);
    else builder.emptyRow();
  }
  return builder.end();
}
