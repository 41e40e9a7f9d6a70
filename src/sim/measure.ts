import type { ObjectId } from '../base/ids.ts';
import { cpuAccept } from '../model/events/cpu.ts';
import { dropped, untold } from '../model/events/outcome.ts';
import { kvmExit, kvmUserspace } from '../model/events/virt.ts';
import type { State } from '../model/state.ts';
import { irq, vector } from '../model/things/irq.ts';
import type { World } from '../model/world.ts';
import { argumentOf, type EventRow } from '../trace/row.ts';
import type { Recorder } from './recorder.ts';
import type { Simulation } from './simulation.ts';

/** What a run cost, and the fates of its causes. */
export interface Measures {
  readonly events: number;
  /** Model time of the last event in nanoseconds. */
  readonly time: number;
  /** Interrupt causes that arose in devices. */
  readonly causes: number;
  readonly delivered: number;
  /** Causes that were combined with another one into one interrupt. */
  readonly merged: number;
  /** Causes that software served without an interrupt. */
  readonly withdrawn: number;
  /** Causes that still wait behind a mask. */
  readonly pending: number;
  /** Causes that ended undelivered. */
  readonly lost: number;
  /** Causes whose fate the trace cannot tell. */
  readonly untold: number;
  /** Causes delivered more than once. */
  readonly duplicated: number;
  /** Causes that reached another irq than the one of their vector. */
  readonly misdelivered: number;
  /** Exits of virtual CPUs, and how many of them went on to user space. */
  readonly exits: number;
  readonly userExits: number;
  /** From raise to delivery in nanoseconds: median, 99th percentile; null when nothing was delivered. */
  readonly latency: number | null;
  readonly latency99: number | null;
  /** How often causes ended undelivered, by reason. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** Watches the events of a run on their way to another recorder and counts. */
export class Meter implements Recorder {
  readonly #inner: Recorder;
  readonly #reasons = new Map<number, number>();
  /** Object in which each cause arose that no CPU has accepted yet. */
  readonly #raised = new Map<number, number>();
  #newest = 0;
  #exits = 0;
  #userExits = 0;
  #misdelivered = 0;
  #duplicated = 0;
  #last = 0;

  constructor(inner: Recorder) {
    this.#inner = inner;
  }

  get world(): World {
    return this.#inner.world;
  }

  get state(): State {
    return this.#inner.state;
  }

  get length(): number {
    return this.#inner.length;
  }

  record(row: EventRow): void {
    this.#inner.record(row);
    const { kind, time, object, words, at } = row;
    this.#last = time;
    if (kind === kvmExit) this.#exits++;
    else if (kind === kvmUserspace) this.#userExits++;
    else if (kind === dropped || kind === untold) {
      const cell = kind === dropped ? dropped.read(words, at).reason : untold.read(words, at).what;
      this.#reasons.set(cell, (this.#reasons.get(cell) ?? 0) + 1);
    }
    const cause = argumentOf(row, 'cause');
    if (cause === undefined) return;
    this.#cause(object, cause);
    if (kind === cpuAccept) this.#arrived(object, cause);
  }

  /** The first event that names a cause tells where it arose. */
  #cause(object: ObjectId, cause: number): void {
    if (cause <= this.#newest) return;
    this.#newest = cause;
    this.#raised.set(cause, object);
  }

  #arrived(object: ObjectId, cause: number): void {
    const from = this.#raised.get(cause);
    this.#raised.delete(cause);
    if (from === undefined) {
      // It was accepted before: its origin is forgotten at the first time.
      this.#duplicated++;
      return;
    }
    const { state, world } = this;
    const virq = state.num(object, vector.at.irq);
    const target = virq < 0 ? -1 : world.objectAt(`irq/${virq}`);
    const device = world.strings.text(state.num(target, irq.at.device));
    const hwirq = state.num(target, irq.at.hwirq);
    // device/<bdf>/msix/<i>, device/<bdf>/ims/<i>, ntb/<bdf>/peer/<n>/desc/<i>
    const segments = world.path(from).split('/');
    const bdf = segments[1];
    const index = segments.at(-1);
    if (target < 0 || device !== bdf || String(hwirq) !== index) this.#misdelivered++;
  }

  /** The measures of a run that this meter watched. */
  measures(simulation: Simulation): Measures {
    const { ledger } = simulation.machine;
    const tally = ledger.tally();
    const latency = (p: number): number | null => {
      const value = ledger.latency(p);
      return Number.isNaN(value) ? null : value;
    };
    const reasons = [...this.#reasons]
      .map(([text, times]) => [this.world.strings.text(text), times] as const)
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    return {
      events: this.length,
      time: this.#last,
      causes: ledger.causes,
      delivered: tally.delivered,
      merged: tally.merged,
      withdrawn: tally.withdrawn,
      pending: tally.pending,
      lost: tally.dropped,
      untold: tally.untold,
      duplicated: this.#duplicated,
      misdelivered: this.#misdelivered,
      exits: this.#exits,
      userExits: this.#userExits,
      latency: latency(0.5),
      latency99: latency(0.99),
      reasons: Object.fromEntries(reasons),
    };
  }
}
