import { World } from '../model/world.ts';
import { Trace } from '../trace/trace.ts';
import { installers, operations, policies } from './catalogue.ts';
import { Machine, type Proc } from './machine.ts';
import { type Operation, prepare } from './operation.ts';
import { type Recorder, TraceRecorder } from './recorder.ts';
import { nanoseconds, type Scenario, type Task } from './scenario.ts';
import { MODEL_TIME } from './stream.ts';
import { System } from './system.ts';

/** An operation with the place in the run at which it was done: after that many scheduled actions. */
export interface Done {
  readonly after: number;
  readonly operation: Operation;
}

/** What a run is made of, all of it: the same recipe gives the same events. */
export interface Recipe {
  readonly scenario: Scenario;
  readonly seed: number;
  /** Values of policies that differ from the scenario's own. */
  readonly settings: Readonly<Record<string, string>>;
  /** Operations that a person did, in the order in which they were done. */
  readonly operations: readonly Done[];
}

/** Why something cannot be simulated. */
export class SimulationError extends Error {}

/** Actions in a row without any event before a step gives up looking for one. */
const MOST_SILENT = 100_000;

/** A run of a recipe that can be taken further step by step. */
export class Simulation {
  readonly recorder: Recorder;
  readonly system: System;
  readonly machine: Machine;
  readonly #recipe: Recipe;
  readonly #done: Done[] = [];
  readonly #began: number[] = [];
  #ahead: readonly Done[];
  #actions = 0;

  /** Starts a run; nothing but the set-up of the system has happened then. Throws SimulationError on an unsound recipe. */
  constructor(recipe: Recipe, recorder: Recorder = new TraceRecorder(newTrace(recipe.scenario.title))) {
    this.#recipe = recipe;
    this.#ahead = recipe.operations;
    this.recorder = recorder;
    const { scenario } = recipe;
    const settings = new Map(Object.entries({ ...scenario.policies, ...recipe.settings }));
    for (const [name, value] of settings) {
      const known = policies.get(name);
      if (!known) throw new SimulationError(`there is no policy ${name}`);
      if (!known.values.some((v) => v.value === value))
        throw new SimulationError(
          `policy ${name} is one of ${known.values.map((v) => v.value).join(', ')}, not ${value}`,
        );
    }
    this.machine = new Machine(recorder, recipe.seed, scenario.jitter);
    this.system = new System(this.machine, scenario, settings);
    for (const install of installers) install(this.system);
    for (const task of scenario.workload) this.#schedule(task, 0);
    this.#catchUp();
  }

  /** The trace of a run that records into one. */
  get trace(): Trace {
    if (!(this.recorder instanceof TraceRecorder)) throw new Error('this run records into no trace');
    return this.recorder.trace;
  }

  /** What would make exactly this run, up to here. */
  get recipe(): Recipe {
    return { ...this.#recipe, operations: [...this.#done] };
  }

  /** For each operation of the recipe how many events there were before it. */
  get began(): readonly number[] {
    return this.#began;
  }

  /** Scheduled actions done so far. */
  get actions(): number {
    return this.#actions;
  }

  /** Whether nothing more is due. */
  get finished(): boolean {
    return this.machine.waiting === 0;
  }

  /** One occurrence of a task after the other: the next is put on the agenda when one is done. */
  #schedule(task: Task, turn: number): void {
    const time = nanoseconds(task.at) + turn * nanoseconds(task.every ?? 0);
    this.machine.at(time, WORKLOAD, () => {
      const problem = this.#start(task);
      if (problem !== undefined) throw new SimulationError(`workload: ${problem}`);
      if (turn + 1 < (task.times ?? 1)) this.#schedule(task, turn + 1);
    });
  }

  #start(operation: Operation): string | undefined {
    const prepared = prepare(operations, this.system, operation);
    if (typeof prepared === 'string') return prepared;
    const { spec, object, values } = prepared;
    this.machine.start(spec.actor, spec.run(this.system, object, values) as Proc<unknown>);
    return undefined;
  }

  /** Operations of the recipe that are due before the next action. */
  #catchUp(): void {
    while (this.#ahead[0] && this.#ahead[0].after <= this.#actions) {
      const [{ operation }, ...rest] = this.#ahead as [Done, ...Done[]];
      this.#ahead = rest;
      const problem = this.perform(operation);
      if (problem !== undefined) throw new SimulationError(`operation after ${this.#actions} actions: ${problem}`);
    }
  }

  /** Does an operation now; a text says why it cannot be done. Its first events are there when this returns. */
  perform(operation: Operation): string | undefined {
    const before = this.recorder.length;
    const problem = this.#start(operation);
    if (problem !== undefined) return problem;
    this.#done.push({ after: this.#actions, operation });
    this.#began.push(before);
    return undefined;
  }

  /** Does the next scheduled action that makes an event; false when nothing is due any more. */
  step(): boolean {
    const before = this.recorder.length;
    for (let silent = 0; silent < MOST_SILENT; silent++) {
      if (!this.machine.step()) return false;
      this.#actions++;
      this.#catchUp();
      if (this.recorder.length > before) return true;
    }
    return false;
  }

  /** Goes on until `until` says so (asked after every action that made events), the end, or `most` events. */
  run(until?: () => boolean, most = Number.POSITIVE_INFINITY): void {
    while (this.recorder.length < most && this.step()) if (until?.()) return;
  }
}

const WORKLOAD = { layer: 'user', name: 'workload', cpu: -1 } as const;

/** An empty trace for a simulated run. */
export function newTrace(title: string): Trace {
  return new Trace(new World(), {
    file: title,
    format: 'simulation',
    variant: 'simulated',
    clock: 'model time',
    cpus: 0,
    time: MODEL_TIME,
    start: Number.NaN,
    end: Number.NaN,
  });
}
