import * as vscode from 'vscode';
import { Messenger } from 'vscode-messenger';
import { type After, Peer } from '../protocol/rpc.ts';
import type { Checks } from './check/checks.ts';
import type { ComparisonView } from './compare/comparison-view.ts';
import type { Sessions } from './sessions.ts';
import { TIMELINE } from './text.ts';
import { timelinePage } from './timeline-page.ts';
import { TimelineService } from './timeline-service.ts';

const after: After = (ms, then) => {
  const timer = setTimeout(then, ms);
  return () => clearTimeout(timer);
};

function nonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The timeline of the active trace, in a panel beside the text. There is one panel; it follows the active trace. */
export class TimelinePanel {
  static #current: TimelinePanel | undefined;
  readonly #panel: vscode.WebviewPanel;
  readonly #sessions: Sessions;
  readonly #service: TimelineService;
  readonly #log: vscode.LogOutputChannel | undefined;
  readonly #comparison: ComparisonView;

  /** Shows the timeline, beside the editor when it is new. */
  static show(
    context: vscode.ExtensionContext,
    sessions: Sessions,
    comparison: ComparisonView,
    checks: Checks,
    log?: vscode.LogOutputChannel,
  ): void {
    if (TimelinePanel.#current) {
      TimelinePanel.#current.#panel.reveal(undefined, false);
      return;
    }
    const column = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: false };
    const panel = vscode.window.createWebviewPanel(TIMELINE, 'Timeline', column, { enableScripts: true });
    TimelinePanel.#current = new TimelinePanel(panel, context, sessions, comparison, checks, log);
  }

  /** Brings back the timeline that was open when the window was closed. */
  static register(
    context: vscode.ExtensionContext,
    sessions: Sessions,
    comparison: ComparisonView,
    checks: Checks,
    log?: vscode.LogOutputChannel,
  ): vscode.Disposable {
    return vscode.window.registerWebviewPanelSerializer(TIMELINE, {
      deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
        const before = TimelinePanel.#current;
        before?.close();
        TimelinePanel.#current = new TimelinePanel(panel, context, sessions, comparison, checks, log);
        return Promise.resolve();
      },
    });
  }

  private constructor(
    panel: vscode.WebviewPanel,
    context: vscode.ExtensionContext,
    sessions: Sessions,
    comparison: ComparisonView,
    checks: Checks,
    log: vscode.LogOutputChannel | undefined,
  ) {
    this.#panel = panel;
    this.#sessions = sessions;
    this.#log = log;
    this.#comparison = comparison;
    const { webview } = panel;
    const files = vscode.Uri.joinPath(context.extensionUri, 'dist', 'webview');
    const file = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(files, name)).toString();
    const icon = (theme: string): vscode.Uri =>
      vscode.Uri.joinPath(context.extensionUri, 'media', `timeline-${theme}.svg`);
    panel.iconPath = { light: icon('light'), dark: icon('dark') };
    webview.options = { enableScripts: true, localResourceRoots: [files] };
    const messenger = new Messenger();
    const receiver = messenger.registerWebviewPanel(panel);
    const peer = new Peer(messenger, receiver, { after, problem: (text) => this.#log?.warn(`timeline: ${text}`) });
    this.#service = new TimelineService(peer, {
      after,
      now: () => performance.now(),
      open: () => void vscode.commands.executeCommand('irqscope.openTrace'),
      differences: (trace, most) => this.#comparison.placesIn(trace, most),
      findings: ({ session }) => checks.of(sessions.all.find((trace) => trace.session === session))?.findings ?? [],
    });
    const compared = comparison.onDidCompare(() => this.#service.differencesChanged());
    const judged = checks.onDidChange((trace) => {
      if (trace === sessions.active) this.#service.findingsChanged();
    });
    const parts = [this.#follow(), compared, judged, { dispose: () => this.#service.dispose() }];
    panel.onDidDispose(() => {
      if (TimelinePanel.#current === this) TimelinePanel.#current = undefined;
      for (const part of parts) part.dispose();
    });
    this.#showActive();
    webview.html = timelinePage({
      cspSource: webview.cspSource,
      nonce: nonce(),
      script: file('timeline.js'),
      style: file('timeline.css'),
    });
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
    });
  }
}
