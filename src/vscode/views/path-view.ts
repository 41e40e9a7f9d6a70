import * as vscode from 'vscode';
import { byName } from '../../base/by-name.ts';
import { funnelRow } from '../../view/funnel-rows.ts';
import { plain } from '../../view/outline/explain.ts';
import { type PathRow, pathRows, pathTitle } from '../../view/path-rows.ts';
import { setContext } from '../contexts.ts';
import type { Sessions } from '../sessions.ts';
import type { Funnels } from './funnels.ts';
import { RefreshGate } from './refresh-gate.ts';
import { Throttle } from './throttle.ts';

/** How often the path follows a cursor that moves on and on. */
const FOLLOW_MS = 220;

const COLORS: Readonly<Record<string, string>> = byName({
  pass: 'testing.iconPassed',
  error: 'testing.iconFailed',
  question: 'testing.iconSkipped',
  warning: 'list.warningForeground',
});

/**
 * The view *Delivery Path*: the way of one interrupt in the active trace, and the stage funnel of all that pass an object. It takes no room while
 * neither is shown.
 */
export class PathTree implements vscode.TreeDataProvider<PathRow>, vscode.Disposable {
  readonly tree: vscode.TreeView<PathRow>;
  readonly #sessions: Sessions;
  readonly #funnels: Funnels;
  readonly #gate = new RefreshGate<PathRow>();
  readonly #watch: vscode.Disposable;
  readonly #follow = new Throttle(
    () => this.#sessions.active?.session.followPath(),
    () => FOLLOW_MS,
  );
  #rows: readonly PathRow[] = [];
  /** What the user asked for last stands at the top. */
  #first: 'path' | 'funnel' = 'path';

  readonly onDidChangeTreeData: vscode.Event<PathRow[] | undefined> = this.#gate.onDidChange;

  constructor(sessions: Sessions, funnels: Funnels) {
    this.#sessions = sessions;
    this.#funnels = funnels;
    this.tree = vscode.window.createTreeView('irqscope.path', { treeDataProvider: this.#gate.provider(this) });
    this.#watch = vscode.Disposable.from(
      sessions.onDidChange(({ what, trace }) => {
        if (what === 'active' || (what === 'path' && trace === sessions.active)) this.#refresh();
        if (what === 'cursor' && trace === sessions.active && trace.session.path) this.#follow.ask();
      }),
      funnels.onDidChange((trace) => {
        if (trace === sessions.active) this.#refresh();
      }),
    );
    this.#refresh();
  }

  /** The topmost rows. */
  get rows(): readonly PathRow[] {
    return this.#rows;
  }

  /** Puts the path or the funnel at the top. */
  lead(first: 'path' | 'funnel'): void {
    if (first === this.#first) return;
    this.#first = first;
    this.#refresh();
  }

  getChildren(row?: PathRow): PathRow[] {
    return [...(row === undefined ? this.#rows : (row.below ?? []))];
  }

  getParent(): undefined {
    return undefined;
  }

  getTreeItem(row: PathRow): vscode.TreeItem {
    const { Expanded, None } = vscode.TreeItemCollapsibleState;
    const item = new vscode.TreeItem(row.label, row.below ? Expanded : None);
    const { active } = this.#sessions;
    item.description = row.description;
    const color = COLORS[row.icon];
    item.iconPath = new vscode.ThemeIcon(row.icon, color === undefined ? undefined : new vscode.ThemeColor(color));
    item.tooltip = new vscode.MarkdownString(row.tooltip.map(plain).join('\n\n'));
    item.contextValue = row.kind;
    item.accessibilityInformation = { label: [row.label, row.description].filter(Boolean).join(', ') };
    if (row.kind === 'history' && active)
      item.command = { command: 'irqscope.showHistory', title: 'Show History', arguments: [row.object, active.uri] };
    if (row.step !== undefined && active)
      item.command = { command: 'irqscope.goToStep', title: 'Go to Step', arguments: [row.step, active.uri] };
    return item;
  }

  dispose(): void {
    this.#follow.dispose();
    vscode.Disposable.from(this.tree, this.#watch, this.#gate).dispose();
  }

  #refresh(): void {
    const { active } = this.#sessions;
    const path = active?.session.path;
    const funnel = this.#funnels.of(active);
    const parts = [path ? pathRows(path) : [], funnel ? [funnelRow(funnel)] : []];
    this.#rows = (this.#first === 'path' ? parts : parts.reverse()).flat();
    this.tree.description = path ? pathTitle(path) : (funnel?.object ?? '');
    setContext('path', path !== undefined || funnel !== undefined);
    this.#gate.refresh(undefined);
  }
}
