import type { ObjectId, Step } from '../../base/ids.ts';
import { Random } from '../../base/random.ts';
import type { EventKind } from '../../model/event.ts';
import type { EventRow } from '../../trace/row.ts';
import type { ArgsOf, DeclaredKind, Machine, Tamper } from '../machine.ts';

/**
 * What of a planted fault does not follow from a part that goes wrong. `line`: the part prints what the rule reads, in the words of Linux. `act`: the
 * fault is the very event that the rule looks for, such as a call that nobody must make. No plant may put in what would be the outcome of something:
 * that would only show that the rule knows it.
 */
export type Stated = 'line' | 'act';

/** A fault that the simulator can plant: one rule of the failure catalogue must find it. */
export interface PlantedFault {
  /** Name of the fault: the value of the policy, such as `F01` or, where a rule has several, `F24-early`. */
  readonly id: string;
  /** Id of the rule that must find it, where that is another text than `id`. */
  readonly rule?: string;
  /** Bundled scenario in which it can be planted. */
  readonly scenario: string;
  /** Values of other policies that the scenario needs for it. */
  readonly settings?: Readonly<Record<string, string>>;
  /** What goes wrong, in one sentence. */
  readonly how: string;
  /** What is stated rather than simulated; absent: all that the rule looks for follows from a part that goes wrong. */
  readonly stated?: Stated;
  /** In how many places of the scenario it can be planted; the seed chooses one. A run must have at least so many. */
  readonly places: number;
  /**
   * Sees every event before it is recorded, and may leave it out, change its arguments or put others before it. Absent
   * where a part of the simulator asks `machine.tamper?.strikes(id, object)` and then behaves badly itself.
   */
  readonly watch?: (planting: Planting) => (event: EventRow) => void;
}

/** A `watch` for what a part calls `spoils`: the fault is found at the n-th event of a kind about that object from then on. */
export const blamedAt =
  (shows: EventKind, nth = 1) =>
  (planting: Planting) => {
    let left = nth;
    return ({ kind, object }: EventRow): void => {
      if (kind === shows && object === planting.blamed && --left === 0) planting.tell(object);
    };
  };

/** Where a fault was planted: known from the planting, not from any rule. */
export interface Truth {
  readonly step: Step;
  readonly object: ObjectId;
}

/** Plants one fault in a run, once, at a place that the seed chooses. */
export class Planting implements Tamper {
  readonly machine: Machine;
  readonly fault: PlantedFault;
  /** What was planted; undefined until then. */
  truth: Truth | undefined;
  /** Time at which a part of the simulator went wrong; NaN while none did. */
  struckAt = Number.NaN;
  /** The object that the part said it went wrong with, -1: none. */
  blamed: ObjectId = -1;
  /** Places before the chosen one. */
  #left: number;
  readonly #watch: ((event: EventRow) => void) | undefined;
  #kept = true;
  #busy = false;
  #event: EventRow | undefined;
  readonly #later: (() => void)[] = [];

  constructor(machine: Machine, fault: PlantedFault, seed: number) {
    this.machine = machine;
    this.fault = fault;
    this.#left = new Random(seed ^ 0x5f3759df).integer(0, fault.places - 1);
    this.#watch = fault.watch?.(this);
  }

  /** A part of the simulator went wrong: a `watch` that looks for what it led to asks this. */
  get struck(): boolean {
    return !Number.isNaN(this.struckAt);
  }

  /** A place where the fault could be planted: true at the chosen one, once in a run. */
  here(): boolean {
    return this.#left-- === 0;
  }

  /** Says where the fault is to be found: at the event at hand (or the next one), or at another step. */
  tell(object: ObjectId, step: Step = this.machine.recorder.length): void {
    this.truth ??= { step, object };
  }

  /** Leaves the event at hand out: nothing of it reaches the state or the trace. */
  drop(): void {
    this.#kept = false;
  }

  /** Puts an event before the one at hand, at the same time and by the same actor. */
  add<K extends DeclaredKind>(kind: K, object: ObjectId, args: ArgsOf<K>): void {
    const event = this.#event;
    if (event === undefined) {
      this.machine.emit(kind, object, args);
      return;
    }
    const { kind: own, object: about, time, cpu, task } = event;
    const words = own.words.slice();
    this.machine.emit(kind, object, args);
    own.words.set(words);
    Object.assign(event, { kind: own, object: about, time, cpu, task, words: own.words });
  }

  /** Does something once the event at hand was recorded. */
  after(what: () => void): void {
    this.#later.push(what);
  }

  spoils(id: string, object: ObjectId): boolean {
    if (!this.strikes(id, undefined)) return false;
    this.blamed = object;
    return true;
  }

  strikes(id: string, object: ObjectId | undefined, step?: Step): boolean {
    if (id !== this.fault.id || !this.here()) return false;
    if (object !== undefined) this.tell(object, step);
    this.struckAt = this.machine.now;
    return true;
  }

  passes(event: EventRow): boolean {
    if (this.#busy || this.#watch === undefined) return true;
    this.#busy = true;
    this.#event = event;
    this.#kept = true;
    this.#watch(event);
    this.#event = undefined;
    this.#busy = false;
    return this.#kept;
  }

  recorded(): void {
    if (this.#busy) return;
    this.#busy = true;
    for (const what of this.#later.splice(0)) what();
    this.#busy = false;
  }
}
