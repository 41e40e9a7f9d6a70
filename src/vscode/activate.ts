import * as vscode from 'vscode';
import { OUTLINES } from '../view/outline/rows.ts';
import type { IrqScopeApi } from './api.ts';
import { BranchText } from './branch-text.ts';
import { registerCommands } from './commands/commands.ts';
import { watchContexts } from './contexts.ts';
import { Opener } from './opening.ts';
import type { Platform } from './platform.ts';
import { toUri } from './selected.ts';
import { Sessions } from './sessions.ts';
import { Simulations } from './simulations.ts';
import { showStatus } from './status-bar.ts';
import { TextSync } from './text-sync.ts';
import { TimelinePanel } from './timeline.ts';
import { Marks } from './views/marks.ts';
import { OutlineView } from './views/outline-view.ts';
import { PathTree } from './views/path-view.ts';
import { TracesView } from './views/traces-view.ts';

/** What tests use besides the API. It may change at any time. */
export interface Internals {
  readonly sessions: Sessions;
  readonly views: readonly OutlineView[];
  readonly simulations: Simulations;
  readonly traces: TracesView;
  readonly marks: Marks;
  readonly texts: TextSync;
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
  const marks = new Marks();
  const views = OUTLINES.map((name) => new OutlineView(name, sessions, marks));
  const simulations = new Simulations(sessions);
  const traces = new TracesView(sessions, simulations);
  const texts = new TextSync(sessions, context);
  const showTimeline = async (): Promise<void> => {
    // Beside the text: the trace is read before the editor shows its text, and the text would then cover the timeline.
    await opener.textsShown;
    TimelinePanel.show(context, sessions, log);
  };
  context.subscriptions.push(
    log,
    sessions,
    opener,
    marks,
    simulations,
    new BranchText(sessions),
    ...views,
    traces,
    new PathTree(sessions),
    watchContexts(sessions),
    showStatus(sessions),
    texts,
    TimelinePanel.register(context, sessions, log),
    registerCommands({ sessions, simulations, opener, views, log, showTimeline }),
  );
  // Only the user's own setting counts: a folder that was just opened must not make the extension read files.
  const start = toUri(vscode.workspace.getConfiguration('irqscope').inspect<string>('openOnStart')?.globalValue);
  if (start) void opener.open(start);
  log.info(`started in ${(performance.now() - started).toFixed(1)} ms`);
  return {
    version: 1,
    internals: { sessions, simulations, views, traces, marks, texts },
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
