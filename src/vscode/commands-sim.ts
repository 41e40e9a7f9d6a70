import * as vscode from 'vscode';
import type { Until } from '../session/run-to.ts';
import type { Operation, OperationSpec } from '../sim/operation.ts';
import type { Recipe, Simulation } from '../sim/simulation.ts';
import { textUri } from './branch-text.ts';
import { type Handlers, say } from './handlers.ts';
import { type FileArgument, isRow, toUri } from './selected.ts';
import type { OpenTrace, Sessions } from './sessions.ts';
import {
  askArguments,
  askSeed,
  pickObject,
  pickOperation,
  pickPolicy,
  pickScenario,
  scenarioFrom,
  seedOf,
  soundScenario,
} from './sim-input.ts';
import type { Simulations } from './simulations.ts';
import { showText } from './text.ts';

/** What the commands of the simulator use. */
export interface SimShop {
  readonly sessions: Sessions;
  readonly simulations: Simulations;
  readonly log: vscode.LogOutputChannel;
}

type Find = (file: FileArgument | undefined) => OpenTrace | undefined;

/** Shows why a scenario cannot be simulated and writes it to the log. */
function complain(log: vscode.LogOutputChannel, what: string, error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  log.error(`${what}: ${error instanceof Error ? error.stack : text}`);
  void vscode.window.showErrorMessage(`${what}: ${text.replace(/\.?$/, '.')}`);
}

/** The operation that an argument names: an operation as data, or its name. */
function operationOf(value: unknown): Operation | undefined {
  if (typeof value === 'string' && value !== '') return { op: value };
  if (typeof value === 'object' && value !== null && 'op' in value && typeof value.op === 'string')
    return value as Operation;
  return undefined;
}

const pathOf = (object: unknown): string | undefined =>
  typeof object === 'string' ? object : isRow(object) ? object.node.path : undefined;

/** Commands that run simulations. Each takes the trace as its last argument. */
export function runCommands({ sessions, simulations, log }: SimShop, find: Find): Handlers {
  const simulated = (file: FileArgument | undefined): OpenTrace | undefined => {
    const trace = find(file);
    if (trace && !trace.branch) say(`${trace.label} was read from a file; only simulated runs can do that`);
    return trace?.branch ? trace : undefined;
  };
  const start = async (recipe: Recipe): Promise<number | undefined> => {
    try {
      void vscode.commands.executeCommand('workbench.view.extension.irqscope');
      const trace = await simulations.start(recipe);
      trace.session.move({ to: 'first' });
      void showText(trace.uri).catch((error: unknown) => log.warn(`${trace.label}: its text is not shown: ${error}`));
      return trace.session.cursor;
    } catch (error) {
      complain(log, recipe.scenario.title, error);
      return undefined;
    }
  };
  const go = async (until: Until, trace: OpenTrace | undefined): Promise<number | undefined> => {
    if (!trace) return undefined;
    sessions.activate(trace);
    return simulations.runTo(trace, until);
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
            : await pickScenario();
        if (!picked) return undefined;
        // A user who picks a scenario is asked for the seed too; a caller who names one is not.
        const asked = seedOf(seed) ?? (given || uri ? 1 : await askSeed(1));
        return asked === undefined ? undefined : start({ scenario: picked, seed: asked, settings: {}, operations: [] });
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
      if (!recipe) return void say(`${trace.label} holds no scenario`);
      if ('problem' in recipe) return void complain(log, trace.label, new Error(recipe.problem));
      const { length } = trace.session.trace;
      const { cursor } = trace.session;
      if ((await start(recipe)) === undefined) return undefined;
      const run = sessions.active!;
      while (run.session.trace.length < length && !run.session.grow());
      run.session.grown(true);
      if (cursor >= 0) run.session.move({ to: 'step', step: Math.min(cursor, run.session.trace.length - 1) });
      return run.session.cursor;
    },
    runTo: async (until?: unknown, file?: FileArgument) => {
      const trace = find(file);
      const place = trace && (isUntil(until) ? until : await askUntil(trace));
      return place && go(place, trace);
    },
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
      return asked === undefined ? undefined : start({ ...recipe, seed: asked });
    },
    changePolicy: async (name?: unknown, value?: unknown, file?: FileArgument) => {
      const recipe = simulated(file)?.branch?.recipe;
      if (!recipe) return undefined;
      const now = { ...recipe.scenario.policies, ...recipe.settings };
      const given = typeof name === 'string' && typeof value === 'string' ? ([name, value] as const) : undefined;
      const choice = given ?? (await pickPolicy(now));
      if (!choice) return undefined;
      // Another design makes other events, so the operations of this run have no place in it.
      return start({ ...recipe, settings: { ...recipe.settings, [choice[0]]: choice[1] }, operations: [] });
    },
  };
}

/** Commands that put operations into a run, or into a trace that was read. Arguments: an object (or a row), the trace. */
export function injectCommands({ sessions, simulations, log }: SimShop, find: Find): Handlers {
  const inject = async (trace: OpenTrace, operation: Operation): Promise<number | undefined> => {
    const result = await simulations.inject(trace, operation);
    if ('refused' in result) {
      void vscode.window.showWarningMessage(`${operation.op}: ${result.refused.replace(/\.?$/, '.')}`);
      return undefined;
    }
    sessions.activate(result);
    if (result !== trace) {
      say(`${trace.label} does not change; this is the branch ${result.label}`);
      await showText(result.uri).catch((error: unknown) =>
        log.warn(`${result.label}: its text is not shown: ${error}`),
      );
    }
    return result.session.cursor;
  };
  /** Asks for what is missing, then does it. */
  const complete = async (
    trace: OpenTrace,
    spec: OperationSpec,
    object: string | undefined,
    given: Readonly<Record<string, unknown>>,
  ): Promise<number | undefined> => {
    const { fitsObject } = await import('../sim/operation.ts');
    const suits = object !== undefined && fitsObject(spec, object);
    const path = spec.on.length === 0 ? '' : suits ? object : await pickObject(trace, spec);
    if (path === undefined) return undefined;
    const operation = await askArguments(spec, path === '' ? given : { ...given, object: path });
    return operation && inject(trace, operation);
  };
  const named =
    (name: string) =>
    (object?: unknown, file?: FileArgument): Promise<number | undefined> | undefined => {
      const trace = find(isRow(file) ? undefined : file);
      const spec = trace && sessions.operationsFor(trace).get(name);
      if (!spec) return undefined;
      return complete(trace, spec, pathOf(object) ?? trace.session.selection, {});
    };
  return {
    inject: async (what?: unknown, file?: FileArgument) => {
      const trace = find(isRow(file) || Array.isArray(file) ? undefined : file);
      if (!trace) return undefined;
      const given = operationOf(what);
      const row = isRow(what) ? what.node.path : undefined;
      const object = row ?? given?.object ?? trace.session.selection;
      const operations = sessions.operationsFor(trace);
      const spec = given ? operations.get(given.op) : await pickOperation(operations, object, row === undefined);
      if (spec) return complete(trace, spec, object, given ?? {});
      if (given) say(`${given.op} cannot be done to ${trace.label}`);
      return undefined;
    },
    injectMask: named('entry.mask'),
    injectUnmask: named('entry.unmask'),
    injectRaise: named('device.raise'),
  };
}

/** Commands about branches and files. */
export function branchCommands({ sessions, simulations, log }: SimShop, find: Find): Handlers {
  return {
    renameBranch: async (file?: FileArgument, name?: unknown) => {
      const trace = find(file);
      if (!trace?.branch) return undefined;
      const value = trace.label;
      const asked =
        typeof name === 'string' ? name : await vscode.window.showInputBox({ title: 'Name of the Branch', value });
      if (asked !== undefined && asked.trim() !== '') await simulations.rename(trace, asked.trim());
      return trace.label;
    },
    compareBranches: async (file?: FileArgument, second?: FileArgument) => {
      const trace = find(file);
      if (!trace) return undefined;
      const other = toUri(second) ? find(second) : await pickOther(sessions, simulations.parentOf(trace), trace);
      if (!other) return undefined;
      const title = `${other.label} ↔ ${trace.label}`;
      await vscode.commands.executeCommand('vscode.diff', textUri(other), textUri(trace), title);
      return title;
    },
    saveTraceAs: async (file?: FileArgument, target?: unknown) => {
      const trace = find(file);
      if (!trace) return undefined;
      const uri = toUri(target) ?? (await pickTarget(`${fileName(trace.label)}.irqtrace`, 'irqtrace', 'Traces'));
      if (!uri) return undefined;
      try {
        const { irqtraceBytes } = await import('../trace/irqtrace.ts');
        const header = trace.branch?.header ?? trace.session.trace.first.header ?? [];
        const chunks = [...irqtraceBytes(trace.session.trace, header)];
        await vscode.workspace.fs.writeFile(uri, joined(chunks));
        return uri;
      } catch (error) {
        complain(log, `${uri.path} cannot be written`, error);
        return undefined;
      }
    },
    exportScenario: async (file?: FileArgument, target?: unknown) => {
      const trace = find(file);
      if (!trace) return undefined;
      if (!trace.branch?.recipe) return void say('only a simulated run has a scenario');
      const { scenarioWithOperations } = await simulations.simulator();
      const name = `${fileName(trace.label)}.scenario.json`;
      const uri = toUri(target) ?? (await pickTarget(name, 'json', 'Scenarios'));
      if (!uri) return undefined;
      const document = scenarioWithOperations(trace.branch.run as Simulation);
      try {
        await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(`${JSON.stringify(document, null, 2)}\n`));
        return uri;
      } catch (error) {
        complain(log, `${uri.path} cannot be written`, error);
        return undefined;
      }
    },
  };
}

async function bundledScenario(id: string): Promise<object | undefined> {
  const { bundledScenarios } = await import('../sim/bundled.ts');
  return bundledScenarios.find((scenario) => scenario.id === id)?.document as object | undefined;
}

const isDocument = (value: unknown): value is object => typeof value === 'object' && value !== null && 'title' in value;

function isUntil(value: unknown): value is Until {
  if (typeof value !== 'object' || value === null || !('to' in value)) return false;
  const { to, kind, path } = value as Record<string, unknown>;
  if (to === 'kind') return typeof kind === 'string';
  if (to === 'change') return typeof path === 'string';
  return to === 'finding' || to === 'end';
}

/** Asks where to run to: a problem, a change of the selected object, or a kind of event. */
async function askUntil(trace: OpenTrace): Promise<Until | undefined> {
  const { vocabulary } = await import('../model/vocabulary.ts');
  const { selection } = trace.session;
  interface Item extends vscode.QuickPickItem {
    readonly until?: Until;
  }
  const items: Item[] = [
    {
      label: 'Something gone wrong',
      description: 'a drop, a fault, an illegal access, an effect that the trace cannot tell',
      until: { to: 'finding' },
    },
    ...(selection === undefined
      ? []
      : [
          {
            label: `Change of ${selection}`,
            description: 'or of anything in it',
            until: { to: 'change', path: selection },
          } as Item,
        ]),
    { label: 'The end', description: 'until no further event is due', until: { to: 'end' } },
    { label: 'Kinds of events', kind: vscode.QuickPickItemKind.Separator },
    ...vocabulary.map(({ name, meaning }) => ({
      label: name,
      detail: meaning,
      until: { to: 'kind' as const, kind: name },
    })),
  ];
  const options = { title: 'Run to…', placeHolder: 'Where to stop', matchOnDescription: true, matchOnDetail: true };
  return (await vscode.window.showQuickPick<Item>(items, options))?.until;
}

/** Asks for the trace to compare with; for a branch, the run that it left comes first. */
async function pickOther(
  sessions: Sessions,
  parent: OpenTrace | undefined,
  trace: OpenTrace,
): Promise<OpenTrace | undefined> {
  const others = sessions.all.filter((other) => other !== trace && other !== parent);
  const items = (parent ? [parent, ...others] : others).map((other) => ({
    label: other.label,
    description: other === parent ? 'this branch left it' : `${other.session.trace.length} events`,
    trace: other,
  }));
  if (items.length === 0) say('there is no other trace to compare with');
  return (await vscode.window.showQuickPick(items, { title: `Compare ${trace.label} with` }))?.trace;
}

const fileName = (label: string): string => label.replaceAll(/[^\w.-]+/g, '-').replace(/\.(irqtrace|log|txt)$/, '');

function pickTarget(name: string, ending: string, kind: string): Thenable<vscode.Uri | undefined> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  return vscode.window.showSaveDialog({
    filters: { [kind]: [ending] },
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, name) } : {}),
  });
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
