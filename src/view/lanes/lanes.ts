import type { State } from '../../model/state.ts';
import { irq as irqType } from '../../model/things/irq.ts';
import { device, msixCap, msixEntry } from '../../model/things/pci.ts';
import { kvmRoute } from '../../model/things/virt.ts';
import { kindNamed, vocabulary } from '../../model/vocabulary.ts';
import { BEFORE_FIRST, type Trace } from '../../trace/trace.ts';
import { type Axis, StepAxis, TimeAxis } from './axis.ts';
import { markOfKind } from './kinds.ts';
import { cpuHandlers, cpuSystem, irqHandlers, layersOf, layerValue } from './layers.ts';
import { type Lane, LaneTree, type Layer, setLayer } from './tree.ts';
import { ABSENT, type AxisKind, OFF, ON, UNKNOWN } from './values.ts';

/** What else than its own object an event adds a mark to. */
const ALSO_NONE = 0;
const ALSO_CPU = 1;
const ALSO_MATRIX_CPU = 2;
const ONLY_NOTES = 3;

const byKind = (groups: readonly (readonly [number, readonly string[]])[]): Uint8Array =>
  Uint8Array.from(vocabulary, ({ name }) => groups.find(([, names]) => names.includes(name))?.[0] ?? 0);

const also = byKind([
  [ALSO_CPU, ['irq.entry', 'irq.exit', 'mtx.online', 'mtx.offline']],
  [
    ALSO_MATRIX_CPU,
    [
      ...['mtx.reserveManaged', 'mtx.removeManaged', 'mtx.allocManaged', 'mtx.allocReserved'],
      ...['mtx.assign', 'mtx.alloc', 'mtx.free'],
    ],
  ],
  [ONLY_NOTES, ['mark', 'message', 'lost', 'start', 'probe']],
]);

const numberOf = (name: string): number => kindNamed(name)?.number ?? -1;
const IRQ_ENTRY = numberOf('irq.entry');
const IRQ_EXIT = numberOf('irq.exit');
const SYS_ENTRY = numberOf('vector.entry');
const SYS_EXIT = numberOf('vector.exit');
const LOST = numberOf('lost');
const START = numberOf('start');
/** The word of an argument of a kind. */
const wordOf = (kind: string, arg: string): number => kindNamed(kind)!.at[arg]!;
const MATRIX_CPU = wordOf('mtx.alloc', 'cpu');
const CFG_WRITE = numberOf('cfg.write');
const CFG_OFFSET = wordOf('cfg.write', 'offset');
const CFG_SIZE = wordOf('cfg.write', 'size');
/** Bytes of the largest MSI capability: 64-bit address and per-vector masking. */
const MSI_BYTES = 24;

/** What runs on a CPU, innermost last. */
interface Running {
  readonly irqs: number[];
  readonly vectors: number[];
}

/**
 * The events of a trace sorted into lanes, for drawing: per lane the steps of its events with a mark each, and layers
 * (masked, pending, running, …) as the steps at which they change. Built in slices by `advance`, also while the trace
 * still grows. The times of the events stay in the trace; see `axis`.
 */
export class LaneIndex {
  readonly trace: Trace;
  readonly tree: LaneTree;
  readonly #time: TimeAxis;
  readonly #steps = new StepAxis();
  readonly #state: State;
  readonly #running = new Map<number, Running>();
  /** CPUs on which handlers of an irq run right now. */
  readonly #runningOn = new Map<Lane, Set<number>>();
  readonly #cpus: Lane[] = [];
  /** Objects of which the event at hand changed something. */
  readonly #changed: number[] = [];
  /** Routes made from an MSI-X entry. */
  readonly #routes = new Map<number, Set<number>>();
  #done = 0;

  constructor(trace: Trace) {
    this.trace = trace;
    this.tree = new LaneTree(trace.world);
    this.#time = new TimeAxis(trace);
    this.#state = trace.stateAt(BEFORE_FIRST);
  }

  /** Events that are sorted into lanes already. */
  get done(): number {
    return this.#done;
  }

  /** The axis to begin with: time where the stamps order the events, else steps. */
  get natural(): AxisKind {
    return this.#time.usable ? 'time' : 'step';
  }

  /** An axis; the one of steps when the stamps are of no use. */
  axis(kind: AxisKind): Axis {
    return kind === 'time' && this.#time.usable ? this.#time : this.#steps;
  }

  /** Takes the next `count` events of the trace, as far as there are; returns whether there are more. */
  advance(count = Number.POSITIVE_INFINITY): boolean {
    const end = Math.min(this.trace.length, this.#done + count);
    const cursor = this.trace.log.read(this.#done, end - 1);
    let more = cursor.next();
    for (let step = this.#done; step < end; step++) {
      this.#changed.length = 0;
      for (; more && cursor.step === step; more = cursor.next()) {
        if (!cursor.changes) continue;
        this.#state.restore(cursor.cell, cursor.value, cursor.known);
        this.#noteChange(cursor.cell);
      }
      this.#time.push();
      this.#take(step);
      for (const object of this.#changed) this.#layers(object, step);
    }
    this.#done = end;
    this.#steps.length = end;
    return end < this.trace.length;
  }

  /** The lane that an event is in first of all; undefined when it is not sorted yet. */
  laneOf(step: number): Lane | undefined {
    if (step < 0 || step >= this.#done) return undefined;
    const { table, world } = this.trace;
    if (also[table.kindNumber(step)] === ONLY_NOTES) return this.tree.notes();
    return this.tree.find(world.path(table.object(step)));
  }

  #take(step: number): void {
    const { table } = this.trace;
    const kind = table.kindNumber(step);
    const object = table.object(step);
    const mark = markOfKind[kind]!;
    const more = also[kind]!;
    if (more === ONLY_NOTES) {
      this.tree.notes().push(step, mark);
      if (kind === LOST || kind === START) this.#gap(step, table.cpu(step), mark);
      return;
    }
    const lane = this.tree.laneOf(object);
    lane.push(step, mark);
    lane.owner?.push(step, mark);
    if (kind === SYS_ENTRY || kind === SYS_EXIT) this.#system(step, kind === SYS_ENTRY, lane);
    if (more !== ALSO_NONE) this.#also(more, step, kind, lane, mark);
    if (kind === CFG_WRITE) this.#writeMsi(object, step, mark);
  }

  #also(more: number, step: number, kind: number, lane: Lane, mark: number): void {
    const { table } = this.trace;
    const n = more === ALSO_CPU ? table.cpu(step) : table.word(step, MATRIX_CPU);
    const cpu = this.#cpuLane(n);
    if (cpu) {
      cpu.push(step, mark);
    }
    if (kind === IRQ_ENTRY || kind === IRQ_EXIT) this.#handler(step, kind === IRQ_ENTRY, lane, n, cpu);
  }

  /** The lane of a CPU by its number; undefined when the record names none. */
  #cpuLane(n: number): Lane | undefined {
    if (n < 0 || n > 0xffff) return undefined;
    return (this.#cpus[n] ??= this.tree.at(`cpu/${n}`));
  }

  #runningAt(n: number): Running {
    let running = this.#running.get(n);
    if (running === undefined) this.#running.set(n, (running = { irqs: [], vectors: [] }));
    return running;
  }

  /** A handler of an irq begins or ends on a CPU. Handlers nest; the end of one ends what began inside it. */
  #handler(step: number, begins: boolean, lane: Lane, n: number, cpu: Lane | undefined): void {
    if (this.trace.world.type(lane.object) !== irqType) return;
    let on = this.#runningOn.get(lane);
    if (on === undefined) this.#runningOn.set(lane, (on = new Set()));
    if (begins) on.add(n);
    else on.delete(n);
    setLayer(lane.layer(irqHandlers), step, on.size > 0 ? ON : OFF);
    if (cpu === undefined) return;
    const { irqs } = this.#runningAt(n);
    nest(irqs, lane.object, begins);
    setLayer(cpu.layer(cpuHandlers), step, irqs.length > 0 ? ON : OFF);
  }

  #system(step: number, begins: boolean, lane: Lane): void {
    const { owner } = lane;
    if (owner === undefined) return;
    const { vectors } = this.#runningAt(Number(owner.path.slice('cpu/'.length)));
    nest(vectors, lane.object, begins);
    setLayer(owner.layer(cpuSystem), step, vectors.length > 0 ? ON : OFF);
  }

  /** Events of a CPU are missing: what runs there is not known until its next handler begins or ends. */
  #gap(step: number, n: number, mark: number): void {
    const cpu = this.#cpuLane(n);
    if (cpu === undefined) return;
    cpu.push(step, mark);
    const running = this.#runningAt(n);
    for (const object of running.irqs) {
      const lane = this.tree.laneOf(object);
      const on = this.#runningOn.get(lane);
      on?.delete(n);
      if (!on?.size) setLayer(lane.layer(irqHandlers), step, UNKNOWN);
    }
    running.irqs.length = 0;
    running.vectors.length = 0;
    for (const spec of [cpuHandlers, cpuSystem]) {
      const layer = cpu.layer(spec);
      if (layer && layer.values.length > 0) setLayer(layer, step, UNKNOWN);
    }
  }

  /** Takes down the object that a changed cell belongs to. */
  #noteChange(cell: number): void {
    const { world } = this.trace;
    const changed = this.#changed;
    // Mostly it is the object that changed last.
    const last = changed[changed.length - 1];
    if (last !== undefined && cell >= world.base(last) && cell < world.base(last) + world.type(last)!.size) return;
    const object = world.objectOfCell(cell);
    if (!changed.includes(object)) changed.push(object);
  }

  /** Looks anew at the layers of an object that has changed, and at those of others that depend on it. */
  #layers(object: number, step: number): void {
    const { world } = this.trace;
    const type = world.type(object)!;
    if (layersOf.has(type)) this.#refresh(object, step);
    if (type === msixCap) {
      const above = world.node(object)!.parent!;
      this.#refresh(above.object, step);
      for (const entry of above.children.get('msix')?.children.values() ?? []) this.#refresh(entry.object, step);
    } else if (type === kvmRoute) {
      this.#noteRoute(object);
    } else if (type === msixEntry) {
      for (const route of this.#routes.get(object) ?? []) this.#refresh(route, step);
    }
  }

  #refresh(object: number, step: number): void {
    if (object < 0 || !(this.tree.has(object) || this.#state.present(object))) return;
    for (const layer of this.tree.laneOf(object).layers)
      if (layer.spec.value) setLayer(layer, step, layerValue(layer.spec, this.#state, object));
  }

  #noteRoute(route: number): void {
    const entry = this.#state.num(route, kvmRoute.at.entry);
    if (entry < 0) return;
    let routes = this.#routes.get(entry);
    if (routes === undefined) this.#routes.set(entry, (routes = new Set()));
    routes.add(route);
  }

  /** A config write that falls into the MSI capability of a function is an event of that capability too. */
  #writeMsi(dev: number, step: number, mark: number): void {
    const { table, world } = this.trace;
    const start = this.#state.num(dev, device.at.msiAt);
    const offset = table.word(step, CFG_OFFSET);
    if (start < 0 || offset + table.word(step, CFG_SIZE) <= start || offset >= start + MSI_BYTES) return;
    const msi = world.node(dev)?.children.get('msi')?.object ?? -1;
    if (msi >= 0) this.tree.laneOf(msi).push(step, mark);
  }
}

/** Begins or ends something in a stack: an end ends all that began inside, a begin ends an earlier one of the same. */
function nest(stack: number[], what: number, begins: boolean): void {
  const at = stack.lastIndexOf(what);
  if (at >= 0) stack.length = at;
  if (begins) stack.push(what);
}

/** The value of a layer after an event. */
export function layerAt(layer: Layer, step: number): number {
  const index = layer.changeAt(step);
  return index < 0 ? ABSENT : layer.values.at(index);
}
