import * as vscode from 'vscode';
import { counted } from '../../base/counted.ts';
import type { Step } from '../../base/ids.ts';
import { type Kin, likest } from '../../view/comparison/likest.ts';
import type { ComparisonRow } from '../../view/comparison/rows.ts';
import type { ComparisonView } from '../compare/comparison-view.ts';
import type { Opener } from '../opening.ts';
import { pickOne } from '../pick.ts';
import { type FileArgument, toUri } from '../selected.ts';
import type { OpenTrace, Sessions } from '../sessions.ts';
import { type Handlers, say } from './handlers.ts';

/** What commands of comparisons use. */
export interface CompareServices {
  readonly sessions: Sessions;
  readonly opener: Opener;
  readonly comparison: ComparisonView;
  /** Shows the timeline; `both`: the lanes of both traces that are compared, or of the active one alone; undefined: as before. */
  readonly showTimeline: (both?: boolean) => Promise<void>;
}

interface Choice extends vscode.QuickPickItem {
  readonly take: () => Promise<OpenTrace | 'steps' | undefined>;
}

/** Commands that compare traces, and that lead from a difference to its events. */
export function compareCommands(
  { sessions, opener, comparison, showTimeline }: CompareServices,
  find: (file: FileArgument | undefined) => OpenTrace | undefined,
): Handlers {
  const show = async (a: OpenTrace, b: OpenTrace, steps?: readonly [Step, Step]): Promise<string | undefined> => {
    const summary = await comparison.show({ a, b, ...(steps ? { steps } : {}) });
    if (summary !== undefined)
      await vscode.commands.executeCommand('irqscope.comparison.focus', { preserveFocus: true });
    return summary;
  };
  /** Opens a trace beside the active one, which stays active. */
  const openBeside = async (uri: vscode.Uri, active: OpenTrace): Promise<OpenTrace | undefined> => {
    const open = sessions.find(uri) ?? (await opener.open(uri));
    sessions.activate(active);
    return open;
  };
  const compareSteps = async (first?: unknown, second?: unknown, file?: FileArgument): Promise<string | undefined> => {
    const trace = find(file);
    if (!trace) return undefined;
    const a = await stepOf(trace, first, 'A, the first step', trace.session.cursor);
    if (a === undefined) return undefined;
    const b = await stepOf(trace, second, 'B, the second step', trace.session.trace.length - 1);
    return b === undefined ? undefined : show(trace, trace, [a, b]);
  };
  const go = (row: unknown, inB: boolean): Step | undefined => {
    const { compared } = comparison;
    const { stepA, stepB } = (row ?? {}) as Partial<ComparisonRow>;
    if (!compared) return void say('nothing is compared');
    const toB = inB ? stepB !== undefined : stepA === undefined;
    const step = toB ? stepB : stepA;
    if (step === undefined) return void say('the row leads to no event of that trace');
    const trace = toB ? compared.b : compared.a;
    sessions.activate(trace);
    const reached = trace.session.move({ to: 'step', step });
    comparison.visit(toB ? { stepB: step } : { stepA: step });
    return typeof reached === 'number' ? reached : void say(reached.refused);
  };
  /** The nearest difference behind the cursor, or before it. */
  const step = (forward: boolean, file: FileArgument | undefined): Step | undefined => {
    const trace = find(file);
    if (!trace) return undefined;
    const { cursor } = trace.session;
    const steps = comparison.placesIn(trace, Number.POSITIVE_INFINITY).map((place) => place.step);
    if (steps.length === 0) return void say(`${trace.label} is not compared, or nothing differs`);
    const ahead = steps.filter((at) => (forward ? at > cursor : at < cursor));
    if (ahead.length === 0) return void say(`no difference ${forward ? 'behind' : 'before'} this step`);
    const to = ahead.reduce((x, y) => (forward ? Math.min(x, y) : Math.max(x, y)));
    sessions.activate(trace);
    const reached = trace.session.move({ to: 'step', step: to });
    comparison.visit(trace === comparison.compared?.a ? { stepA: to } : { stepB: to });
    return typeof reached === 'number' ? reached : void say(reached.refused);
  };
  return {
    compareWith: async (other?: FileArgument, file?: FileArgument) => {
      // A menu of the view Traces passes the row of the trace that is compared.
      const row = typeof other === 'object' && 'trace' in other;
      const trace = find(row ? other : file);
      if (!trace) return undefined;
      const given = row ? undefined : toUri(other);
      const chosen = given ? await openBeside(given, trace) : await pickOther(sessions, trace, openBeside);
      if (chosen === 'steps') return compareSteps(undefined, undefined, trace.uri);
      return chosen && show(trace, chosen);
    },
    compareSteps,
    goToDifference: (row?: unknown) => go(row, false),
    goToDifferenceInB: (row?: unknown) => go(row, true),
    nextDifference: (file?: FileArgument) => step(true, file),
    previousDifference: (file?: FileArgument) => step(false, file),
    showComparisonTimeline: async () => {
      if (comparison.lanes) await showTimeline(true);
      else say('nothing is compared of which lanes can be shown');
    },
    closeComparison: () => comparison.close(),
  };
}

/** The step that an argument gives, or that the user types. */
async function stepOf(trace: OpenTrace, given: unknown, what: string, value: Step): Promise<Step | undefined> {
  const last = trace.session.trace.length - 1;
  const read = (text: string): Step | string => {
    const step = /^\s*\d+\s*$/.test(text) ? Number(text) : -1;
    return step < 0 || step > last ? `Give a step from 0 to ${last}.` : step;
  };
  if (typeof given === 'number') {
    const step = read(String(given));
    return typeof step === 'number' ? step : void say(step);
  }
  const text = await vscode.window.showInputBox({
    title: `Compare Two Steps of ${trace.label}`,
    prompt: `${what}: the state after this event is compared`,
    value: String(Math.max(0, value)),
    validateInput: (input) => {
      const step = read(input);
      return typeof step === 'string' ? step : undefined;
    },
  });
  const step = text === undefined ? undefined : read(text);
  return typeof step === 'number' ? step : undefined;
}

const kinOf = ({ branch, session }: OpenTrace): Kin => ({
  scenario: branch?.recipe?.scenario.title,
  format: session.trace.first.format,
});

/** Asks what a trace is compared with: another open trace, a file, or another step of its own. */
async function pickOther(
  sessions: Sessions,
  trace: OpenTrace,
  openBeside: (uri: vscode.Uri, active: OpenTrace) => Promise<OpenTrace | undefined>,
): Promise<OpenTrace | 'steps' | undefined> {
  const others = sessions.all.filter((other) => other !== trace);
  const open = likest(kinOf(trace), others, kinOf).map(
    (other): Choice => ({
      label: other.label,
      description: counted(other.session.trace.length, 'event'),
      detail: other.branch ? 'simulated' : vscode.workspace.asRelativePath(other.uri),
      take: async () => other,
    }),
  );
  const file: Choice = {
    label: '$(folder-opened) A File…',
    take: async () => {
      const [uri] =
        (await vscode.window.showOpenDialog({ title: `Compare ${trace.label} with`, openLabel: 'Compare' })) ?? [];
      return uri && openBeside(uri, trace);
    },
  };
  const steps: Choice = { label: '$(git-compare) Two Steps of This Trace…', take: async () => 'steps' };
  const chosen = await pickOne([...open, file, steps], {
    title: `Compare ${trace.label} with`,
    placeholder: `Trace B, to compare with ${trace.label} as trace A`,
    namesOf: ({ label }) => [label],
  });
  return chosen?.take();
}
