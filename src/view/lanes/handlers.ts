import type { ObjectId, Step } from '../../base/ids.ts';
import { sysEntry, sysExit } from '../../model/events/cpu.ts';
import { irqEntry, irqExit } from '../../model/events/irq.ts';
import { bufferStart, lost } from '../../model/events/notes.ts';
import type { Namespace } from '../../model/namespace.ts';
import { irq as irqType } from '../../model/things/irq.ts';
import type { Trace } from '../../trace/trace.ts';
import { cpuHandlers, cpuSystem, irqHandlers, type LayerSpec } from '../presentation/layer.ts';
import { type Lane, type Layer, setLayer } from './tree.ts';
import { OFF, ON, UNKNOWN } from './values.ts';

const IRQ_ENTRY = irqEntry.number;
const IRQ_EXIT = irqExit.number;
const SYS_ENTRY = sysEntry.number;
const SYS_EXIT = sysExit.number;

/** Events of a CPU are missing before an event. */
export interface Gap {
  readonly step: Step;
  /** The system of the CPU, and its number there. */
  readonly space: Namespace;
  readonly n: number;
}

/** Whether events of a kind, given by its number, say that events of a CPU are missing. */
export const isGap = (kind: number): boolean => kind === lost.number || kind === bufferStart.number;

/** Follows what runs, by the events of one lane; the layers of begins and ends of handlers come from here. */
export interface Running {
  /** Takes further steps of the lane, in order. */
  take(steps: Uint32Array): void;
  /** All events up to a step were taken. */
  settle(step: Step): void;
}

/** What follows the handlers of a lane; undefined for lanes that have none. */
export function runningIn(trace: Trace, lane: Lane, gaps: readonly Gap[]): Running | undefined {
  // The lane is being filled: its layers as they are.
  const layer = (spec: LayerSpec): Layer | undefined => lane.set.find((l) => l.spec === spec);
  const own = layer(irqHandlers);
  if (own) return new IrqRunning(trace, own, trace.world.spaceOf(lane.object), gaps);
  const irqs = layer(cpuHandlers);
  const system = layer(cpuSystem);
  return irqs && system ? new CpuRunning(trace, lane, irqs, system) : undefined;
}

/** The handlers of one irq, on whatever CPUs they run. */
class IrqRunning implements Running {
  readonly #trace: Trace;
  readonly #layer: Layer;
  readonly #space: Namespace;
  readonly #gaps: readonly Gap[];
  readonly #on: number[] = [];
  #gap = 0;

  constructor(trace: Trace, layer: Layer, space: Namespace, gaps: readonly Gap[]) {
    this.#trace = trace;
    this.#layer = layer;
    this.#space = space;
    this.#gaps = gaps;
  }

  take(steps: Uint32Array): void {
    const { table, world } = this.#trace;
    for (const step of steps) {
      const kind = table.kindNumber(step);
      if ((kind !== IRQ_ENTRY && kind !== IRQ_EXIT) || world.type(table.object(step)) !== irqType) continue;
      this.settle(step);
      const n = table.cpu(step);
      const at = this.#on.indexOf(n);
      if (kind === IRQ_ENTRY && at < 0) this.#on.push(n);
      else if (kind === IRQ_EXIT && at >= 0) this.#on.splice(at, 1);
      setLayer(this.#layer, step, this.#on.length > 0 ? ON : OFF);
    }
  }

  /** What runs on a CPU whose events are missing is not known until its next handler begins or ends. */
  settle(step: Step): void {
    for (; this.#gap < this.#gaps.length && this.#gaps[this.#gap]!.step < step; this.#gap++) {
      const gap = this.#gaps[this.#gap]!;
      const at = gap.space === this.#space ? this.#on.indexOf(gap.n) : -1;
      if (at < 0) continue;
      this.#on.splice(at, 1);
      if (this.#on.length === 0) setLayer(this.#layer, gap.step, UNKNOWN);
    }
  }
}

/** The handlers and system vectors on one CPU. They nest: the end of one ends what began inside it. */
class CpuRunning implements Running {
  readonly #trace: Trace;
  readonly #lane: Lane;
  readonly #layers: readonly [irqs: Layer, system: Layer];
  readonly #stacks: readonly [irqs: ObjectId[], system: ObjectId[]] = [[], []];

  constructor(trace: Trace, lane: Lane, irqs: Layer, system: Layer) {
    this.#trace = trace;
    this.#lane = lane;
    this.#layers = [irqs, system];
  }

  take(steps: Uint32Array): void {
    const { table, world } = this.#trace;
    for (const step of steps) {
      const kind = table.kindNumber(step);
      if (isGap(kind)) this.#lose(step);
      else if (kind === IRQ_ENTRY || kind === IRQ_EXIT) {
        const object = table.object(step);
        if (world.type(object) === irqType) this.#nest(0, object, kind === IRQ_ENTRY, step);
      } else if (kind === SYS_ENTRY || kind === SYS_EXIT) {
        const object = table.object(step);
        if (world.node(object)?.parent?.parent?.path === this.#lane.path)
          this.#nest(1, object, kind === SYS_ENTRY, step);
      }
    }
  }

  settle(): void {}

  #nest(which: 0 | 1, object: ObjectId, begins: boolean, step: Step): void {
    const stack = this.#stacks[which];
    const at = stack.lastIndexOf(object);
    if (at >= 0) stack.length = at;
    if (begins) stack.push(object);
    setLayer(this.#layers[which], step, stack.length > 0 ? ON : OFF);
  }

  #lose(step: Step): void {
    for (const which of [0, 1] as const) {
      this.#stacks[which].length = 0;
      const layer = this.#layers[which];
      if (layer.values.length > 0) setLayer(layer, step, UNKNOWN);
    }
  }
}
