import * as vscode from 'vscode';
import { plain } from '../../view/outline/explain.ts';
import { type PathRow, pathRows, pathTitle } from '../../view/path-rows.ts';
import { setContext } from '../contexts.ts';
import type { Sessions } from '../sessions.ts';
import { Throttle } from './throttle.ts';

/** How often the path follows a cursor that moves on and on. */
const FOLLOW_MS = 220;

const COLORS: Readonly<Record<string, string>> = {
  pass: 'testing.iconPassed',
  error: 'testing.iconFailed',
  question: 'testing.iconSkipped',
};

/** The view *Delivery Path*: the way of one interrupt in the active trace. It takes no room while no path is shown. */
export class PathTree implements vscode.TreeDataProvider<PathRow>, vscode.Disposable {
  readonly tree: vscode.TreeView<PathRow>;
  readonly #sessions: Sessions;
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly #watch: vscode.Disposable;
  readonly #follow = new Throttle(
    () => this.#sessions.active?.session.followPath(),
    () => FOLLOW_MS,
  );
  #rows: readonly PathRow[] = [];

  readonly onDidChangeTreeData: vscode.Event<undefined> = this.#changed.event;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
    this.tree = vscode.window.createTreeView('irqscope.path', { treeDataProvider: this });
    this.#watch = sessions.onDidChange(({ what, trace }) => {
      if (what === 'active' || (what === 'path' && trace === sessions.active)) this.#refresh();
      if (what === 'cursor' && trace === sessions.active && trace.session.path) this.#follow.ask();
    });
    this.#refresh();
  }

  getChildren(row?: PathRow): PathRow[] {
    return row === undefined ? [...this.#rows] : [];
  }

  getParent(): undefined {
    return undefined;
  }

  getTreeItem(row: PathRow): vscode.TreeItem {
    const item = new vscode.TreeItem(row.label);
    const { active } = this.#sessions;
    item.description = row.description;
    const color = COLORS[row.icon];
    item.iconPath = new vscode.ThemeIcon(row.icon, color === undefined ? undefined : new vscode.ThemeColor(color));
    item.tooltip = new vscode.MarkdownString(row.tooltip.map(plain).join('\n\n'));
    item.contextValue = row.kind;
    item.accessibilityInformation = { label: [row.label, row.description].filter(Boolean).join(', ') };
    if (row.step !== undefined && active)
      item.command = { command: 'irqscope.goToStep', title: 'Go to Step', arguments: [row.step, active.uri] };
    return item;
  }

  dispose(): void {
    this.#follow.dispose();
    vscode.Disposable.from(this.tree, this.#watch, this.#changed).dispose();
  }

  #refresh(): void {
    const path = this.#sessions.active?.session.path;
    this.#rows = path ? pathRows(path) : [];
    this.tree.description = path ? pathTitle(path) : '';
    setContext('path', path !== undefined);
    this.#changed.fire(undefined);
  }
}
