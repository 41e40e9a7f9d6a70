import * as vscode from 'vscode';
import { Messenger } from 'vscode-messenger';
import { Peer } from '../protocol/rpc.ts';
import { findingId } from '../view/findings/rows.ts';
import type { Checks } from './check/checks.ts';
import type { FindingsView } from './check/findings-view.ts';
import type { ComparisonView } from './compare/comparison-view.ts';
import type { Searcher } from './events/searcher.ts';
import type { OpenTrace, Sessions } from './sessions.ts';
import { TIMELINE } from './text.ts';
import type { ShownFinding, ShownTrace } from './timeline-messages.ts';
import { timelinePage } from './timeline-page.ts';
import { TimelineService } from './timeline-service.ts';
import { after, fillPage } from './webview.ts';

/** What the timeline uses of the extension. */
export interface TimelineParts {
  readonly context: vscode.ExtensionContext;
  readonly sessions: Sessions;
  readonly comparison: ComparisonView;
  readonly checks: Checks;
  readonly searcher: Searcher;
  readonly findings: FindingsView;
  readonly log: vscode.LogOutputChannel;
}

/** The timeline of the active trace, in a panel beside the text. There is one panel; it follows the active trace. */
export class TimelinePanel {
  static #current: TimelinePanel | undefined;
  readonly #panel: vscode.WebviewPanel;
  readonly #sessions: Sessions;
  readonly #service: TimelineService;

  /** Shows the timeline, beside the editor when it is new. */
  static show(parts: TimelineParts): void {
    if (TimelinePanel.#current) {
      TimelinePanel.#current.#panel.reveal(undefined, false);
      return;
    }
    const column = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: false };
    const panel = vscode.window.createWebviewPanel(TIMELINE, 'Timeline', column, { enableScripts: true });
    TimelinePanel.#current = new TimelinePanel(panel, parts);
  }

  /** Brings back the timeline that was open when the window was closed. */
  static register(parts: TimelineParts): vscode.Disposable {
    return vscode.window.registerWebviewPanelSerializer(TIMELINE, {
      deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
        const before = TimelinePanel.#current;
        before?.close();
        TimelinePanel.#current = new TimelinePanel(panel, parts);
        return Promise.resolve();
      },
    });
  }

  private constructor(panel: vscode.WebviewPanel, parts: TimelineParts) {
    const { context, sessions, comparison, checks, searcher, log } = parts;
    this.#panel = panel;
    this.#sessions = sessions;
    const icon = (theme: string): vscode.Uri =>
      vscode.Uri.joinPath(context.extensionUri, 'media', `timeline-${theme}.svg`);
    panel.iconPath = { light: icon('light'), dark: icon('dark') };
    const problem = (text: string): void => log.warn(`timeline: ${text}`);
    const messenger = new Messenger();
    const peer = new Peer(messenger, messenger.registerWebviewPanel(panel), { after, problem });
    const openOf = ({ session }: ShownTrace): OpenTrace | undefined =>
      sessions.all.find((trace) => trace.session === session);
    this.#service = new TimelineService(peer, {
      ...{ after, now: () => performance.now(), searcher, problem },
      open: () => void vscode.commands.executeCommand('irqscope.openTrace'),
      events: () => void vscode.commands.executeCommand('irqscope.showEvents'),
      differences: (trace, most) => comparison.placesIn(trace, most),
      findings: (trace) => checks.of(openOf(trace))?.findings ?? [],
      finding: (trace, finding) => void showFinding(parts, openOf(trace), finding),
    });
    const compared = comparison.onDidCompare(() => this.#service.differencesChanged());
    const judged = checks.onDidChange((trace) => {
      if (trace === sessions.active) this.#service.findingsChanged();
    });
    const disposables = [this.#follow(), compared, judged, { dispose: () => this.#service.dispose() }];
    panel.onDidDispose(() => {
      if (TimelinePanel.#current === this) TimelinePanel.#current = undefined;
      for (const part of disposables) part.dispose();
    });
    this.#showActive();
    fillPage(panel.webview, context, { script: 'timeline.js', styles: ['timeline.css', 'query.css'] }, timelinePage);
  }

  /** Closes the panel. */
  close(): void {
    this.#panel.dispose();
  }

  #showActive(): void {
    const { active } = this.#sessions;
    this.#panel.title = active ? `Timeline: ${active.label}` : 'Timeline';
    this.#service.show(active);
  }

  /** Follows the active trace. A hidden webview gets no messages; it asks for everything when it is shown again. */
  #follow(): vscode.Disposable {
    return this.#sessions.onDidChange(({ what, trace }) => {
      if (what === 'active') this.#showActive();
      if (trace !== this.#sessions.active || trace === undefined) return;
      if (what === 'trace') this.#service.grown();
      if (what === 'cursor' || what === 'selection') this.#service.moved();
      if (what === 'path') this.#service.pathChanged();
      if (what === 'search') this.#service.searched();
      if (what === 'lanes') this.#service.arranged();
    });
  }
}

/** Goes to a finding and shows it in the view Findings. */
async function showFinding(
  { findings }: TimelineParts,
  trace: OpenTrace | undefined,
  { rule, step, object }: ShownFinding,
): Promise<void> {
  if (!trace) return;
  await vscode.commands.executeCommand('irqscope.goToFinding', { rule: rule.id, step, object }, trace.uri);
  await findings.reveal(findingId({ rule, step, object }), true);
}
