import * as vscode from 'vscode';
import { Peer } from '../../protocol/rpc.ts';
import { findingId } from '../../view/findings/rows.ts';
import type { Checks } from '../check/checks.ts';
import type { FindingsView } from '../check/findings-view.ts';
import type { ShownComparison } from '../compare/compared-timeline.ts';
import type { ComparisonView } from '../compare/comparison-view.ts';
import type { Searcher } from '../events/searcher.ts';
import { HostMessenger } from '../host-messenger.ts';
import type { OpenTrace, Sessions } from '../sessions.ts';
import { TIMELINE } from '../text.ts';
import { after, fillPage } from '../webview.ts';
import type { ShownFinding, ShownTrace } from './messages.ts';
import { timelinePage } from './page.ts';
import { TimelineService } from './service.ts';

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

/**
 * The timeline in a panel beside the text. There is one panel. It follows the active trace, and shows the lanes of both traces of a comparison
 * while one of them is active, once the user has asked for that.
 */
export class TimelinePanel {
  static #current: TimelinePanel | undefined;
  readonly #panel: vscode.WebviewPanel;
  readonly #sessions: Sessions;
  readonly #comparison: ComparisonView;
  readonly #service: TimelineService;
  /** The user wants to see both traces that are compared, not the active one alone. */
  #both: boolean;

  /** Shows the timeline, beside the editor when it is new. `both`: of both traces that are compared; undefined: as before. */
  static show(parts: TimelineParts, both?: boolean): void {
    const known = TimelinePanel.#current;
    if (known) {
      known.#both = both ?? known.#both;
      known.#showActive();
      known.#panel.reveal(undefined, false);
      return;
    }
    const column = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: false };
    const panel = vscode.window.createWebviewPanel(TIMELINE, 'Timeline', column, { enableScripts: true });
    TimelinePanel.#current = new TimelinePanel(panel, parts, both);
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

  private constructor(panel: vscode.WebviewPanel, parts: TimelineParts, both = false) {
    const { context, sessions, comparison, checks, searcher, log } = parts;
    this.#panel = panel;
    this.#sessions = sessions;
    this.#comparison = comparison;
    this.#both = both;
    const icon = (theme: string): vscode.Uri =>
      vscode.Uri.joinPath(context.extensionUri, 'media', `timeline-${theme}.svg`);
    panel.iconPath = { light: icon('light'), dark: icon('dark') };
    const problem = (text: string): void => log.warn(`timeline: ${text}`);
    const messenger = new HostMessenger(log);
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
    const compared = comparison.onDidCompare(() => {
      if (!comparison.compared) this.#both = false;
      this.#showActive();
      this.#service.differencesChanged();
    });
    const visited = comparison.onDidVisit(({ stepA, stepB }) => this.#service.reveal(stepA, stepB));
    const judged = checks.onDidChange((trace) => {
      if (this.#shows(trace)) this.#service.findingsChanged();
    });
    const disposables = [this.#follow(), compared, visited, judged, { dispose: () => this.#service.dispose() }];
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

  /** The comparison that is shown in the place of the active trace. */
  get #compared(): ShownComparison | undefined {
    const { lanes } = this.#comparison;
    const { active } = this.#sessions;
    return this.#both && lanes && (active === lanes.a || active === lanes.b) ? lanes : undefined;
  }

  /** Whether the timeline is about a trace. */
  #shows(trace: OpenTrace | undefined): boolean {
    const compared = this.#compared;
    if (trace === undefined || compared === undefined) return trace === this.#sessions.active;
    return trace === compared.a || trace === compared.b;
  }

  #showActive(): void {
    const { active } = this.#sessions;
    const compared = this.#compared;
    if (compared) {
      const { a, b } = compared;
      this.#panel.title = `Timeline: ${a === b ? a.label : `${a.label} ↔ ${b.label}`}`;
      this.#service.compare(compared);
      return;
    }
    this.#panel.title = active ? `Timeline: ${active.label}` : 'Timeline';
    this.#service.show(active);
  }

  /** Follows the active trace, or both that are compared. A hidden webview gets no messages; it asks for everything when it is shown again. */
  #follow(): vscode.Disposable {
    return this.#sessions.onDidChange(({ what, trace }) => {
      if (what === 'active') this.#showActive();
      if (what === 'active' && this.#compared) this.#service.turned();
      if (trace === undefined || !this.#shows(trace)) return;
      if (what === 'trace') this.#service.grown();
      if (what === 'cursor' || what === 'selection') this.#service.moved(trace.session);
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
