import { illegal } from '../model/events/outcome.ts';
import { typeOfPath } from '../model/paths.ts';
import { World } from '../model/world.ts';
import { Source } from '../trace/source.ts';
import { Trace } from '../trace/trace.ts';
import { install, operations } from './catalogue.ts';
import { designOf, settingsProblem } from './design.ts';
import { plantedFault } from './faults/faults.ts';
import { Planting, type Truth } from './faults/planting.ts';
import { Machine, type Tamper } from './machine.ts';
import { operationProblem } from './operation.ts';
import { type Recorder, TraceRecorder } from './recorder.ts';
import { nanoseconds, type Scenario, type Task } from './scenario-schema.ts';
import { Setup } from './setup.ts';
import { type DoneOperation, SimulationError, SteppedRun } from './stepped-run.ts';
import { MODEL_TIME } from './stream.ts';
import { watchRules } from './watch.ts';

export type { DoneOperation } from './stepped-run.ts';
export { SimulationError } from './stepped-run.ts';

/** All that determines a run: the same recipe gives the same events. */
export interface Recipe {
  readonly scenario: Scenario;
  readonly seed: number;
  /** Values of policies that differ from the scenario's own. */
  readonly settings: Readonly<Record<string, string>>;
  /** Operations of the user, in the order in which they were done. */
  readonly operations: readonly DoneOperation[];
  /** Number of events after which the run was told to end; it ends by itself, or is ended by hand, when absent. */
  readonly events?: number | undefined;
}

/** The first operation of a workload that no system could do: nothing of it runs then. */
function workloadProblem(workload: readonly Task[]): string | undefined {
  for (const [i, task] of workload.entries()) {
    const problem = operationProblem(operations, task);
    if (problem !== undefined) return `workload.${i}: ${problem}`;
  }
  return undefined;
}

/** The same for the operations of the user in a saved run. */
function replayProblem(done: readonly DoneOperation[]): string | undefined {
  for (const { after, operation } of done) {
    const problem = operationProblem(operations, operation);
    if (problem !== undefined) return `operation after ${after} actions: ${problem}`;
  }
  return undefined;
}

/** The system of a recipe before anything was put into it. */
function setupOf(
  { scenario, seed, settings: own, operations: done }: Recipe,
  recorder: Recorder,
  tamper: ((machine: Machine) => Tamper) | undefined,
): Setup {
  const settings = { ...scenario.policies, ...own };
  const problem = settingsProblem(settings) ?? workloadProblem(scenario.workload) ?? replayProblem(done);
  if (problem !== undefined) throw new SimulationError(problem);
  const machine = new Machine(recorder, seed, scenario.jitter);
  const design = designOf(settings);
  const fault = plantedFault(design.fault);
  if (fault !== undefined) machine.tamper = new Planting(machine, fault, seed);
  else if (tamper !== undefined) machine.tamper = tamper(machine);
  return new Setup(machine, scenario, design);
}

/** A run of a recipe that goes on step by step. */
export class Simulation extends SteppedRun {
  #stalled = false;
  readonly #recipe: Recipe;

  /**
   * Starts a run: only the set-up of the system is done. Throws SimulationError on an unsound recipe. `tamper`: what watches where parts
   * could go wrong when the recipe plants no fault.
   */
  constructor(
    recipe: Recipe,
    recorder: Recorder = new TraceRecorder(newTrace(recipe.scenario.title)),
    tamper?: (machine: Machine) => Tamper,
  ) {
    super(setupOf(recipe, recorder, tamper), recipe.operations);
    this.#recipe = recipe;
    if (recipe.scenario.watch.length > 0) watchRules(this.machine, recipe.scenario.watch);
    install(this.setup);
    for (const task of recipe.scenario.workload) this.#schedule(task);
    this.catchUp();
  }

  /** The fault that was planted so far; undefined while none was. */
  get planted(): Truth | undefined {
    const { tamper } = this.machine;
    return tamper instanceof Planting ? tamper.truth : undefined;
  }

  /** The recipe that makes exactly this run, up to here. */
  get recipe(): Recipe {
    return { ...this.#recipe, operations: [...this.done] };
  }

  /** Makes the same run again, with the operations that were done and those that are still to come. */
  again(): Simulation {
    return new Simulation({ ...this.#recipe, operations: [...this.done, ...this.ahead] });
  }

  /**
   * Makes the same run again, up to the action that made a step (-1: only the set-up), with the operations that were done
   * by then and none of the later ones.
   */
  upTo(step: number): Simulation {
    const again = new Simulation({ ...this.#recipe, operations: this.doneBy(step) });
    again.run(() => again.trace.length > step, step + 1);
    return again;
  }

  /** What still waits waits for what does not come, such as a virtual CPU that the host does not run any more: an event says so once. */
  protected override stalls(): void {
    const { machine } = this;
    if (this.#stalled) return;
    this.#stalled = true;
    const some = machine.waiting === 1 ? '1 action waits' : `${machine.waiting} actions wait`;
    machine.as(WORKLOAD, () =>
      machine.emit(illegal, machine.world.object(typeOfPath('workload'), 'workload'), {
        rule: 'stalled',
        text: `${some} for what does not come, such as a virtual CPU that does not run any more: the run ends here`,
      }),
    );
  }

  /** The system at hand cannot do an operation of the workload: an event says so, and the run goes on. */
  #refused({ op, object = 'workload' }: Task, problem: string): void {
    const { machine } = this;
    const text = problem.startsWith(op) ? problem : `${op}: ${problem}`;
    machine.as(WORKLOAD, () =>
      machine.emit(illegal, machine.world.object(typeOfPath(object), object), { rule: 'refused', text }),
    );
  }

  /** One occurrence of a task after the other: the next is put on the agenda when one is done. */
  #schedule(task: Task): void {
    const first = nanoseconds(task.at);
    const every = nanoseconds(task.every ?? 0);
    const times = task.times ?? 1;
    let turn = 0;
    const occur = (): void => {
      const problem = this.start(task);
      if (problem !== undefined) this.#refused(task, problem);
      if (++turn < times) this.machine.at(first + turn * every, WORKLOAD, occur);
    };
    this.machine.at(first, WORKLOAD, occur);
  }
}

const WORKLOAD = { layer: 'user', name: 'workload', cpu: -1 } as const;

/** An empty trace for a simulated run. */
export function newTrace(title: string): Trace {
  const variant = 'simulated';
  const source = new Source({ file: title, format: 'simulation', variant, clock: 'model time', time: MODEL_TIME });
  return new Trace(new World(), source);
}
