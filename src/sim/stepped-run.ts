import type { Trace } from '../trace/trace.ts';
import { operations } from './catalogue.ts';
import type { Machine } from './machine.ts';
import { type Operation, prepare } from './operation.ts';
import { type Recorder, TraceRecorder } from './recorder.ts';
import type { Setup } from './setup.ts';

/** An operation with the place in the run at which it was done: after that many scheduled actions. */
export interface DoneOperation {
  readonly after: number;
  readonly operation: Operation;
}

/** Why something cannot be simulated. */
export class SimulationError extends Error {}

/** Actions in a row without any event before a step gives up looking for one. */
const MOST_SILENT = 100_000;

/** A system that runs action by action, with operations of the user in between. */
export class SteppedRun {
  readonly recorder: Recorder;
  readonly setup: Setup;
  readonly machine: Machine;
  readonly #done: DoneOperation[] = [];
  readonly #began: number[] = [];
  #ahead: readonly DoneOperation[];
  #actions = 0;

  /** `ahead`: operations that will be done at their place in the run. A subclass calls `catchUp` when it has started. */
  constructor(setup: Setup, ahead: readonly DoneOperation[]) {
    this.setup = setup;
    this.machine = setup.machine;
    this.recorder = setup.machine.recorder;
    this.#ahead = ahead;
  }

  /** The trace of a run that records into one. */
  get trace(): Trace {
    if (!(this.recorder instanceof TraceRecorder)) throw new Error('this run records into no trace');
    return this.recorder.trace;
  }

  /** Operations that were done, in order. */
  get done(): readonly DoneOperation[] {
    return this.#done;
  }

  /** Operations that are still to come. */
  get ahead(): readonly DoneOperation[] {
    return this.#ahead;
  }

  /** For each operation that was done, the number of events before it. */
  get began(): readonly number[] {
    return this.#began;
  }

  /** Operations that were done before or right after an event. */
  doneBy(step: number): readonly DoneOperation[] {
    return this.#done.filter((_, i) => this.#began[i]! <= step);
  }

  /** Scheduled actions done so far. */
  get actions(): number {
    return this.#actions;
  }

  /** Whether no further action is due. */
  get finished(): boolean {
    return this.machine.waiting === 0;
  }

  /** Starts an operation; a text says why it cannot be done. */
  protected start(operation: Operation): string | undefined {
    const prepared = prepare(operations, this.setup, operation);
    if (typeof prepared === 'string') return prepared;
    const { spec, object, values } = prepared;
    const { machine } = this;
    const before = machine.become(spec.actor);
    try {
      const actions = spec.run(this.setup, object, values);
      if (actions !== undefined) machine.start(spec.actor, actions);
    } finally {
      machine.become(before);
    }
    return undefined;
  }

  /** Does the operations that are due before the next action. */
  protected catchUp(): void {
    while (this.#ahead[0] && this.#ahead[0].after <= this.#actions) {
      const [{ operation }, ...rest] = this.#ahead as [DoneOperation, ...DoneOperation[]];
      this.#ahead = rest;
      const problem = this.perform(operation);
      if (problem !== undefined) throw new SimulationError(`operation after ${this.#actions} actions: ${problem}`);
    }
  }

  /** Does an operation now; a text says why it cannot be done. Its first events are there when this returns. */
  perform(operation: Operation): string | undefined {
    const before = this.recorder.length;
    const problem = this.start(operation);
    if (problem !== undefined) return problem;
    this.#done.push({ after: this.#actions, operation });
    this.#began.push(before);
    return undefined;
  }

  /** Actions wait, and none of them makes an event any more. A subclass may say so by an event. */
  protected stalls(): void {}

  /** Does scheduled actions until one makes an event; false when no further action is due, or none makes an event any more. */
  step(): boolean {
    const before = this.recorder.length;
    for (let silent = 0; silent < MOST_SILENT; silent++) {
      if (!this.machine.step()) return false;
      this.#actions++;
      this.catchUp();
      if (this.recorder.length > before) return true;
    }
    this.stalls();
    return this.recorder.length > before;
  }

  /** Goes on until `until` returns true (it is asked after every action that made events), until the end, or for `most` events. */
  run(until?: () => boolean, most = Number.POSITIVE_INFINITY): void {
    while (this.recorder.length < most && this.step()) if (until?.()) return;
  }
}
