import type { Step } from '../../base/ids.ts';
import { firstNear } from '../../base/search.ts';
import type { Axis } from './axis.ts';
import type { LaneIndex } from './lanes.ts';
import { f32List, u8List, u16List, u32List } from './list.ts';
import type { Lane, Layer } from './tree.ts';
import { ABSENT, MIXED, MOST_BINS, ON, type WindowRequest, type WindowView } from './values.ts';

/** Collects a window row by row; every array grows as needed and is cut to size at the end. */
class WindowBuilder {
  readonly #axis: Axis;
  readonly #from: number;
  readonly #size: number;
  readonly #bins: number;
  /** Step from which on events lie in bin b or later; the last one is the end of the window. */
  readonly #edges: Uint32Array;
  readonly #rowMarks = u32List();
  readonly #at = f32List();
  readonly #count = u32List();
  readonly #step = u32List();
  readonly #shapes = u16List();
  readonly #rowLayers = u32List();
  readonly #layerRuns = u32List();
  readonly #runAt = f32List();
  readonly #runValue = u8List();
  readonly #runFill = u8List();
  /** For deep rows: what was found in each bin so far. */
  readonly #binCount: Uint32Array;
  readonly #binStep: Uint32Array;
  readonly #binShapes: Uint16Array;

  constructor(axis: Axis, from: number, size: number, bins: number) {
    this.#axis = axis;
    this.#from = from;
    this.#size = size;
    this.#bins = bins;
    this.#edges = edgesOf(axis, from, size, bins);
    this.#binCount = new Uint32Array(bins);
    this.#binStep = new Uint32Array(bins);
    this.#binShapes = new Uint16Array(bins);
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

  /** A row of a lane that does not exist. */
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
      rowLayers: this.#rowLayers.exact(),
      layerRuns: this.#layerRuns.exact(),
      runAt: this.#runAt.exact(),
      runValue: this.#runValue.exact(),
      runFill: this.#runFill.exact(),
    };
  }

  /** Place of a step within a bin, in bins from the start; kept inside the bin whatever rounding says. */
  #place(step: Step, bin: number): number {
    const at = (this.#axis.x(step) - this.#from) / this.#size;
    return Math.min(bin + 0.999, Math.max(bin, at));
  }

  #mark(bin: number, step: Step, count: number, shapes: number): void {
    this.#at.push(this.#place(step, bin));
    this.#count.push(count);
    this.#step.push(step);
    this.#shapes.push(shapes);
  }

  #events(lane: Lane): void {
    this.#eachBin(lane, (bin, step, count, shapes) => this.#mark(bin, step, count, shapes));
  }

  /** Hands the events of a lane to `take`, all those of one bin at once. */
  #eachBin(lane: Lane, take: (bin: number, step: Step, count: number, shapes: number) => void): void {
    const edges = this.#edges;
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
      while (i < end && steps[i]! < edge) shapes |= 1 << marks[i++]!;
      take(bin, steps[start]!, i - start, shapes);
    }
  }

  /** The bin of a step, which lies in `bin` or later. */
  #binOf(step: Step, bin: number): number {
    const edges = this.#edges;
    return firstNear(bin + 1, this.#bins, (next) => edges[next]! > step) - 1;
  }

  /** Adds the events of a lane and of all below it to the bins; each event once. */
  #gather(lane: Lane): void {
    this.#eachBin(lane, (bin, step, count, shapes) => {
      if (this.#binCount[bin] === 0 || step < this.#binStep[bin]!) this.#binStep[bin] = step;
      this.#binCount[bin]! += count;
      this.#binShapes[bin]! |= shapes;
    });
    for (const child of lane.children) if (child.owner === undefined) this.#gather(child);
  }

  #flush(): void {
    for (let bin = 0; bin < this.#bins; bin++) {
      const count = this.#binCount[bin]!;
      if (count === 0) continue;
      this.#mark(bin, this.#binStep[bin]!, count, this.#binShapes[bin]!);
      this.#binCount[bin] = 0;
      this.#binShapes[bin] = 0;
    }
  }

  #run(place: number, value: number, fill: number): void {
    // Compared as it is kept.
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

  /** Share of a bin in which a layer was on; `value` is what it was at the start, changes `from` to `to` lie in it. */
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
    // Neighbouring edges are often close together.
    low = firstNear(low, axis.length, (step) => axis.x(step) >= x);
    edges[bin] = low;
  }
  return edges;
}

/** What to draw for a part of a timeline; its size is bounded by bins and rows, however many events there are. */
export function windowOf(index: LaneIndex, request: WindowRequest): WindowView {
  const bins = Math.max(1, Math.min(MOST_BINS, Math.floor(request.bins)));
  const builder = new WindowBuilder(index.axis(request.axis), request.from, request.size, bins);
  for (const { lane, deep } of request.rows) {
    const found = index.tree.lanes[lane];
    if (found) builder.row(found, deep);
    else builder.emptyRow();
  }
  return builder.end();
}
