import * as vscode from 'vscode';
import { OUTLINES } from '../view/outline/rows.ts';
import type { IrqScopeApi } from './api.ts';
import { BranchText } from './branch-text.ts';
import { Checks } from './check/checks.ts';
import { FindingMarks, WitnessMarks } from './check/finding-marks.ts';
import { showFindingsStatus } from './check/findings-status.ts';
import { FindingsView } from './check/findings-view.ts';
import { Problems } from './check/problems.ts';
import { QuickFixes } from './check/quick-fixes.ts';
import { UserFiles } from './check/user-files.ts';
import { registerCommands } from './commands/commands.ts';
import { ComparisonView } from './compare/comparison-view.ts';
import { ComparisonTexts } from './comparison-text.ts';
import { watchContexts } from './contexts.ts';
import { registerEvents } from './events/events-view.ts';
import { Searcher } from './events/searcher.ts';
import { TraceEditor } from './events/trace-editor.ts';
import { Opener } from './opening.ts';
import type { Platform } from './platform.ts';
import { registerScenarioEditing } from './scenario/scenario-editing.ts';
import { toUri } from './selected.ts';
import { Sessions } from './sessions.ts';
import { Simulations } from './simulations.ts';
import { Follower } from './sources/follow.ts';
import { showStatus } from './status-bar.ts';
import { keepStops } from './stops/keep.ts';
import { TextSync } from './text-sync.ts';
import { TimelinePanel, type TimelineParts } from './timeline/panel.ts';
import { Funnels } from './views/funnels.ts';
import { InterruptsView } from './views/interrupts-view.ts';
import { Marks } from './views/marks.ts';
import { OutlineView } from './views/outline-view.ts';
import { PathTree } from './views/path-view.ts';
import { TracesView } from './views/traces-view.ts';
import { after } from './webview.ts';

/** What tests use besides the API. It may change at any time. */
export interface Internals {
  readonly sessions: Sessions;
  readonly views: readonly OutlineView[];
  readonly simulations: Simulations;
  readonly traces: TracesView;
  readonly marks: Marks;
  readonly texts: TextSync;
  readonly witnesses: WitnessMarks;
  readonly checks: Checks;
  readonly findings: FindingsView;
  readonly interrupts: InterruptsView;
  readonly problems: Problems;
  readonly files: UserFiles;
  readonly comparison: ComparisonView;
  readonly paths: PathTree;
  readonly follower: Follower;
}

/** Starts the extension in either extension host. */
export function activateWith(
  platform: Platform,
  context: vscode.ExtensionContext,
): IrqScopeApi & { readonly internals: Internals } {
  const started = performance.now();
  const log = vscode.window.createOutputChannel('IRQScope', { log: true });
  const sessions = new Sessions(platform);
  const opener = new Opener(sessions, log);
  const follower = new Follower(platform, sessions, log, (trace) => checks.caughtUp(trace));
  const marks = new Marks();
  const views = OUTLINES.map((name) => new OutlineView(name, sessions, marks));
  const simulations = new Simulations(sessions);
  const traces = new TracesView(sessions, simulations, platform);
  const { commands, version } = manifestOf(context);
  const files = new UserFiles();
  const checks = new Checks(sessions, files, log);
  const findings = new FindingsView(sessions, checks);
  const interrupts = new InterruptsView(sessions, checks);
  const problems = new Problems(sessions, checks, context.extensionUri);
  const witnesses = new WitnessMarks(checks, context.extensionUri);
  const comparison = new ComparisonView(sessions);
  const comparisons = new ComparisonTexts();
  const texts = new TextSync(sessions, context, (editor, trace) => witnesses.mark(editor, trace));
  const funnels = new Funnels(sessions);
  const paths = new PathTree(sessions, funnels);
  const searcher = new Searcher(after, () => performance.now());
  const timeline: TimelineParts = { context, sessions, comparison, checks, searcher, findings, log };
  const showTimeline = async (both?: boolean): Promise<void> => {
    // Beside the text: the trace is read before the editor shows its text, and the text would then cover the timeline.
    await opener.textsShown;
    TimelinePanel.show(timeline, both);
  };
  context.subscriptions.push(
    log,
    sessions,
    opener,
    follower,
    marks,
    simulations,
    new BranchText(sessions),
    ...views,
    traces,
    funnels,
    paths,
    comparison,
    comparisons,
    watchContexts(sessions),
    searcher,
    sessions.onDidChange((change) => {
      const { what, trace } = change;
      if (what === 'trace') searcher.grown(trace.session);
      if (what === 'closed') searcher.forget(trace.session);
      const filter = what === 'filter' ? change.filter : what === 'replaced' ? change.before.session.search?.text : '';
      if (trace && filter) searcher.look(trace.session, filter).catch((error) => log.warn(`${trace.label}: ${error}`));
    }),
    showStatus(sessions),
    keepStops(sessions, context.workspaceState),
    texts,
    files,
    checks,
    findings,
    interrupts,
    problems,
    witnesses,
    checks.onDidChange((trace) => (checks.of(trace) ? texts.mark(trace) : witnesses.forget(trace))),
    new QuickFixes(problems, commands),
    new FindingMarks(checks, views, () => sessions.active),
    showFindingsStatus(sessions, checks),
    TimelinePanel.register(timeline),
    registerScenarioEditing(),
    registerEvents({ context, sessions, searcher, log }),
    TraceEditor.register({ context, sessions, searcher, log, opener }),
    registerCommands({
      sessions,
      comparisons,
      simulations,
      opener,
      follower,
      views,
      log,
      showTimeline,
      checks,
      files,
      findings,
      interrupts,
      comparison,
      funnels,
      paths,
      searcher,
      platform,
      version,
    }),
  );
  // Only the user's own setting counts: a folder that was just opened must not make the extension read files.
  const start = toUri(vscode.workspace.getConfiguration('irqscope').inspect<string>('openOnStart')?.globalValue);
  if (start) void opener.open(start);
  log.info(`started in ${(performance.now() - started).toFixed(1)} ms`);
  return {
    version: 1,
    internals: {
      sessions,
      simulations,
      views,
      traces,
      marks,
      texts,
      witnesses,
      checks,
      findings,
      interrupts,
      problems,
      files,
      comparison,
      paths,
      follower,
    },
    open: async (uri, place = {}) => {
      await opener.goTo(await opener.read(uri), place);
    },
    get active() {
      const { active } = sessions;
      if (!active) return undefined;
      const { cursor, trace } = active.session;
      return { uri: active.uri, step: cursor, events: trace.length };
    },
    moveTo: (step) => typeof sessions.active?.session.move({ to: 'step', step }) === 'number',
  };
}

/** What package.json says of this extension. */
function manifestOf({ extension }: vscode.ExtensionContext): {
  readonly commands: ReadonlySet<string>;
  readonly version: string;
} {
  const { version, contributes } = extension.packageJSON as {
    readonly version: string;
    readonly contributes: { readonly commands: readonly { readonly command: string }[] };
  };
  return { version, commands: new Set(contributes.commands.map(({ command }) => command)) };
}
