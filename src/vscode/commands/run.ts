import * as vscode from 'vscode';
import type { Until } from '../../session/run-to.ts';
import type { Recipe } from '../../sim/simulation.ts';
import type { Checks } from '../check/checks.ts';
import { breathe } from '../platform.ts';
import { type FileArgument, toUri } from '../selected.ts';
import type { OpenTrace } from '../sessions.ts';
import { askSeed, pickPolicy, pickScenario, scenarioFrom, seedOf, soundScenario } from '../sim-input.ts';
import { askUntil, type Direction } from '../stops/ask-until.ts';
import { showText } from '../text.ts';
import { type Handlers, say } from './handlers.ts';
import { complain, type Find, type SimServices } from './sim-services.ts';

/** What commands that run use. */
export interface RunServices extends SimServices {
  readonly checks: Checks;
}

/** Milliseconds of making events before other work of the editor has its turn. */
const SLICE_MS = 20;

/** Commands that run simulations. Each takes the trace as its last argument. */
export function runCommands({ sessions, simulations, checks, log }: RunServices, find: Find): Handlers {
  const simulated = (file: FileArgument | undefined): OpenTrace | undefined => {
    const trace = find(file);
    if (trace && !trace.branch) say(`only simulated runs can do that; ${trace.label} was read from a file`);
    return trace?.branch ? trace : undefined;
  };
  const start = async (recipe: Recipe): Promise<OpenTrace | undefined> => {
    try {
      void vscode.commands.executeCommand('workbench.view.extension.irqscope');
      const trace = await simulations.start(recipe);
      trace.session.move({ to: 'first' });
      void showText(trace).catch((error: unknown) => log.warn(`${trace.label}: its text is not shown: ${error}`));
      return trace;
    } catch (error) {
      complain(log, recipe.scenario.title, error);
      return undefined;
    }
  };
  const started = async (recipe: Recipe): Promise<number | undefined> => (await start(recipe))?.session.cursor;
  /** Makes the events of a run again, as many as there were, in slices; false when the run was closed meanwhile. */
  const made = async (run: OpenTrace, length: number): Promise<boolean> => {
    const { session } = run;
    for (let refused = false; !refused && session.trace.length < length; ) {
      const end = performance.now() + SLICE_MS;
      while (!refused && session.trace.length < length && performance.now() < end)
        refused = session.grow() !== undefined;
      session.grown(true);
      await breathe();
      if (!sessions.all.includes(run)) return false;
    }
    return true;
  };
  const go = async (
    until: Until,
    trace: OpenTrace | undefined,
    direction: Direction = 'to',
  ): Promise<number | undefined> => {
    if (!trace) return undefined;
    sessions.activate(trace);
    return simulations.runTo(trace, until, direction, checks);
  };
  const running = (direction: Direction) => async (until?: unknown, file?: FileArgument) => {
    const trace = find(file);
    const place = trace && (isUntil(until) ? until : await askUntil(trace, direction));
    return place && go(place, trace, direction);
  };
  return {
    startSimulation: async (scenario?: unknown, seed?: unknown) => {
      try {
        const bundled = typeof scenario === 'string' ? await bundledScenario(scenario) : undefined;
        const uri = bundled === undefined ? toUri(scenario) : undefined;
        const given = bundled ?? (isDocument(scenario) ? scenario : undefined);
        const picked = given
          ? await soundScenario(given, 'the scenario')
          : uri
            ? await scenarioFrom(uri)
            : await pickScenario(sessions.active?.branch?.recipe?.scenario.title);
        if (!picked) return undefined;
        // A user who picks a scenario is asked for the seed too; a caller who names one is not.
        const asked = seedOf(seed) ?? (given || uri ? 1 : await askSeed(1));
        return asked === undefined
          ? undefined
          : started({ scenario: picked, seed: asked, settings: {}, operations: [] });
      } catch (error) {
        complain(log, 'The scenario cannot be run', error);
        return undefined;
      }
    },
    resumeSimulation: async (file?: FileArgument) => {
      const trace = find(file);
      if (!trace) return undefined;
      const { recipeOf } = await simulations.simulator();
      const recipe = recipeOf(trace.session.trace);
      if (!recipe) return void say(`there is no scenario in ${trace.label}`);
      if ('problem' in recipe) return void complain(log, trace.label, new Error(recipe.problem));
      const { length } = trace.session.trace;
      const { cursor } = trace.session;
      const run = await start(recipe);
      if (!run || !(await made(run, length))) return undefined;
      if (cursor >= 0) run.session.move({ to: 'step', step: Math.min(cursor, run.session.trace.length - 1) });
      return run.session.cursor;
    },
    runTo: running('to'),
    runBackTo: running('back'),
    continue: (file?: FileArgument) => go({ to: 'breakpoint' }, find(file)),
    continueBack: (file?: FileArgument) => go({ to: 'breakpoint' }, find(file), 'back'),
    runToFinding: (file?: FileArgument) => go({ to: 'finding' }, find(file)),
    runAll: (file?: FileArgument) => go({ to: 'end' }, simulated(file)),
    resetSimulation: async (file?: FileArgument) => {
      const trace = simulated(file);
      if (!trace?.branch) return undefined;
      const result = await simulations.restart(trace.branch);
      if ('refused' in result) return void say(result.refused);
      if (result.session.cursor < 0) result.session.move({ to: 'first' });
      return result.session.cursor;
    },
    changeSeed: async (seed?: unknown, file?: FileArgument) => {
      const recipe = simulated(file)?.branch?.recipe;
      if (!recipe) return undefined;
      const asked = seedOf(seed) ?? (await askSeed(recipe.seed + 1));
      return asked === undefined ? undefined : started({ ...recipe, seed: asked });
    },
    changePolicy: async (name?: unknown, value?: unknown, file?: FileArgument) => {
      const recipe = simulated(file)?.branch?.recipe;
      if (!recipe) return undefined;
      const given = typeof name === 'string' && typeof value === 'string' ? ([name, value] as const) : undefined;
      const choice = given ?? (await pickPolicy(recipe));
      if (!choice) return undefined;
      // Another design makes other events, so the operations of this run have no place in it.
      return started({ ...recipe, settings: { ...recipe.settings, [choice[0]]: choice[1] }, operations: [] });
    },
  };
}

async function bundledScenario(id: string): Promise<object | undefined> {
  const { bundledScenarios } = await import('../../sim/bundled.ts');
  return bundledScenarios.find((scenario) => scenario.id === id)?.document as object | undefined;
}

const isDocument = (value: unknown): value is object => typeof value === 'object' && value !== null && 'title' in value;

/** Whether an argument says where to run to. A filter that cannot be read is told when the run begins. */
function isUntil(value: unknown): value is Until {
  if (typeof value !== 'object' || value === null || !('to' in value)) return false;
  const { to, kind, path, filter } = value as Record<string, unknown>;
  if (to === 'kind') return typeof kind === 'string';
  if (to === 'change') return typeof path === 'string';
  if (to === 'filter') return typeof filter === 'string';
  return to === 'finding' || to === 'end' || to === 'breakpoint';
}
