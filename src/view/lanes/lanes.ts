import type { ObjectId, Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import { irqEntry, irqExit } from '../../model/events/irq.ts';
import { mtxAlloc, mtxOffline, mtxOnline } from '../../model/events/matrix.ts';
import { bufferStart, lost, mark, message, probe } from '../../model/events/notes.ts';
import { cfgWrite } from '../../model/events/pci.ts';
import type { Namespace } from '../../model/namespace.ts';
import { domain } from '../../model/things/irq.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import type { Trace } from '../../trace/trace.ts';
import { type Axis, StepAxis, TimeAxis } from './axis.ts';
import type { DrawnLayer, LaneSource } from './drawn.ts';
import { type Gap, isGap, type Running, runningIn } from './handlers.ts';
import { markOfKind } from './kinds.ts';
import { LayerValues } from './layer-values.ts';
import type { List } from './list.ts';
import { Postings } from './postings.ts';
import { changeAt, type Lane, type LaneFiller, LaneTree } from './tree.ts';
import { ABSENT, type AxisKind } from './values.ts';

/** The lanes that an event adds a mark to, besides the lane of its object. */
const ALSO_NONE = 0;
const ALSO_CPU = 1;
const ALSO_MATRIX_CPU = 2;
const ONLY_NOTES = 3;

/** Kinds whose events are notes, for every object that they name. */
const NOTES: readonly EventKind[] = [mark, message, lost, bufferStart, probe];

/** The other lanes that show events of each kind: the lane of the CPU of the record, or of the CPU that they name. */
const also: Uint8Array = Uint8Array.from(vocabulary, (kind: EventKind) => {
  if (NOTES.includes(kind)) return ONLY_NOTES;
  if (kind === irqEntry || kind === irqExit || kind === mtxOnline || kind === mtxOffline) return ALSO_CPU;
  return kind.on.includes(domain) && 'cpu' in kind.at ? ALSO_MATRIX_CPU : ALSO_NONE;
});

const MATRIX_CPU = mtxAlloc.at.cpu;
const CFG_WRITE = cfgWrite.number;
/** Bytes of the largest MSI capability: 64-bit address and per-vector masking. */
const MSI_BYTES = 24;

/** What a lane has taken over so far. */
interface Filled {
  chunk: number;
  done: number;
  readonly running: Running | undefined;
}

/**
 * The events of a trace sorted into lanes, for drawing: per lane the steps of its events with a mark each, and layers
 * (masked, pending, running, …) as the steps at which they change. Built in slices by `advance`, also while the trace
 * still grows. The times of the events stay in the trace; see `axis`.
 */
export class LaneIndex implements LaneFiller, LaneSource {
  readonly trace: Trace;
  readonly tree: LaneTree;
  readonly #time: TimeAxis;
  readonly #steps = new StepAxis();
  readonly #cpus = new Map<Namespace, (Lane | undefined)[]>();
  readonly #postings = new Postings();
  readonly #gaps: Gap[] = [];
  readonly #filled: (Filled | undefined)[] = [];
  readonly #values: LayerValues;
  #done = 0;
  readonly #sources: number;

  constructor(trace: Trace) {
    this.trace = trace;
    this.#sources = trace.sources.length;
    this.tree = new LaneTree(trace.world, this);
    this.#time = new TimeAxis(trace);
    this.#values = new LayerValues(trace, this.tree);
  }

  /** Events that are sorted into lanes already. */
  get done(): number {
    return this.#done;
  }

  /** Whether a source joined since: the events have other steps, and another index has to be made. */
  get stale(): boolean {
    return this.trace.sources.length !== this.#sources;
  }

  /** The axis to show first: time where the stamps order the events, else steps. */
  get natural(): AxisKind {
    return this.#time.usable ? 'time' : 'step';
  }

  /** An axis; the axis of steps when the stamps cannot be used. */
  axis(kind: AxisKind): Axis {
    return kind === 'time' && this.#time.usable ? this.#time : this.#steps;
  }

  /** Takes the next `count` events of the trace, or as many as there are; returns whether there are more. */
  advance(count = Number.POSITIVE_INFINITY): boolean {
    const end = Math.min(this.trace.length, this.#done + count);
    if (end > this.#done) this.#values.advance(this.#done, end - 1);
    for (let step = this.#done; step < end; step++) {
      this.#time.push();
      this.#take(step);
    }
    this.#done = end;
    this.#steps.length = end;
    return end < this.trace.length;
  }

  /** The lane that an event is in first of all; undefined when it is not sorted yet. */
  laneOf(step: Step): Lane | undefined {
    if (step < 0 || step >= this.#done) return undefined;
    const { table, world } = this.trace;
    if (also[table.kindNumber(step)] === ONLY_NOTES) return this.tree.notes();
    return this.tree.find(world.path(table.object(step)));
  }

  laneAt(id: number): Lane | undefined {
    return this.tree.lanes[id];
  }

  count(lane: Lane): number {
    return this.#postings.count(lane.id);
  }

  fill(lane: Lane, steps: List<Uint32Array>, marks: List<Uint8Array>): void {
    let filled = this.#filled[lane.id];
    if (filled === undefined) {
      filled = { chunk: 0, done: 0, running: runningIn(this.trace, lane, this.#gaps) };
      this.#filled[lane.id] = filled;
    }
    if (filled.done === this.#done) return;
    const { running } = filled;
    filled.chunk = this.#postings.read(lane.id, filled.chunk, (someSteps, someMarks) => {
      steps.append(someSteps);
      marks.append(someMarks);
      running?.take(someSteps);
    });
    filled.done = this.#done;
    running?.settle(this.#done);
  }

  /** Calls `take` for each lane that shows an event; the event must be sorted into lanes already. */
  lanesOf(step: Step, take: (lane: Lane) => void): void {
    if (step < 0 || step >= this.#done) return;
    this.#lanesOf(step, take);
  }

  #take(step: Step): void {
    const { table } = this.trace;
    const kind = table.kindNumber(step);
    const shape = markOfKind[kind]!;
    this.#lanesOf(step, (lane) => this.#postings.add(lane.id, step, shape));
    const cpu = isGap(kind) ? this.#cpuLane(table.object(step), table.cpu(step)) : undefined;
    if (cpu) this.#gaps.push({ step, space: this.trace.world.spaceOf(table.object(step)), n: table.cpu(step) });
  }

  /** A lane may be named twice. */
  #lanesOf(step: Step, take: (lane: Lane) => void): void {
    const { table } = this.trace;
    const kind = table.kindNumber(step);
    const object = table.object(step);
    const more = also[kind]!;
    if (more === ONLY_NOTES) {
      take(this.tree.notes());
      // Events of a CPU are missing: its lane shows where.
      const cpu = isGap(kind) ? this.#cpuLane(object, table.cpu(step)) : undefined;
      if (cpu) take(cpu);
      return;
    }
    const lane = this.tree.laneOf(object);
    take(lane);
    if (lane.owner) take(lane.owner);
    if (more !== ALSO_NONE) {
      const cpu = this.#cpuLane(object, more === ALSO_CPU ? table.cpu(step) : table.word(step, MATRIX_CPU));
      if (cpu) take(cpu);
    }
    const msi = kind === CFG_WRITE ? this.#msiWritten(object, step) : undefined;
    if (msi) take(msi);
  }

  /** The lane of a CPU by its number, in the system of an object; undefined when the record names none. */
  #cpuLane(object: ObjectId, n: number): Lane | undefined {
    if (n < 0 || n > 0xffff) return undefined;
    const space = this.trace.world.spaceOf(object);
    let lanes = this.#cpus.get(space);
    if (lanes === undefined) this.#cpus.set(space, (lanes = []));
    return (lanes[n] ??= this.tree.at(`${space.prefix}cpu/${n}`));
  }

  /** A config write that falls into the MSI capability of a function is an event of that capability too. */
  #msiWritten(dev: number, step: Step): Lane | undefined {
    const { table, world } = this.trace;
    const start = this.#values.msiAt(dev, step);
    const offset = table.word(step, cfgWrite.at.offset);
    if (start < 0 || offset + table.word(step, cfgWrite.at.size) <= start || offset >= start + MSI_BYTES)
      return undefined;
    const msi = world.node(dev)?.children.get('msi')?.object ?? -1;
    return msi < 0 ? undefined : this.tree.laneOf(msi);
  }
}

/** The value of a layer after an event. */
export function layerAt(layer: DrawnLayer, step: Step): number {
  const index = changeAt(layer, step);
  return index < 0 ? ABSENT : layer.values.at(index);
}
