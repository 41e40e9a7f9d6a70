import * as vscode from 'vscode';
import type { ObjectChange } from '../../query/changes.ts';
import { Outline } from '../../view/outline/outline.ts';
import type { OutlineRow } from '../../view/outline/rows.ts';
import { type OutlineName, outlineOf } from '../../view/presentation/sections.ts';
import type { OpenTrace, Sessions } from '../sessions.ts';
import { type Mark, type Marks, rowUri } from './marks.ts';
import { RefreshGate } from './refresh-gate.ts';
import { RowOperations } from './row-operations.ts';
import { Throttle } from './throttle.ts';

/**
 * The editor delays a refresh by 200 ms, and each further refresh starts the delay again: while a key is held it would show
 * nothing until the key is released. Refreshes at least this far apart are shown at once.
 */
const STEP_MS = 220;
const LOADING_MS = 250;
/** How long a view that is not visible may need to come up. */
const COMING_UP_MS = 500;

/** If a step has more marks than this, the editor is not told about them one by one. */
const MANY_MARKS = 1000;

/** One of the views Domains, Devices and CPUs: the outline of the active trace. */
export class OutlineView implements vscode.TreeDataProvider<OutlineRow>, vscode.Disposable {
  readonly name: OutlineName;
  readonly tree: vscode.TreeView<OutlineRow>;
  readonly #sessions: Sessions;
  readonly #marks: Marks;
  readonly #outlines = new Map<OpenTrace, Outline>();
  readonly #gate = new RefreshGate<OutlineRow>();
  readonly #throttle: Throttle;
  readonly #watches: vscode.Disposable[];
  /** The marks that the editor was told of last, by row: the editor gets these until it is told again. */
  #marked = new Map<string, Mark>();
  #markedTrace = 0;
  #markedChanges: readonly ObjectChange[] | undefined;
  /** Something changed while the view was hidden: the whole view is drawn again when it is shown. */
  #stale = false;
  #selecting = false;
  /** The last search for a row on the screen. */
  #revealed: Promise<boolean> = Promise.resolve(true);
  readonly #operations: RowOperations;
  /** Rows that the user has expanded. A row that does not exist at some steps is expanded again when it comes back. */
  readonly #expanded = new Set<string>();

  readonly onDidChangeTreeData: vscode.Event<OutlineRow[] | undefined> = this.#gate.onDidChange;

  constructor(name: OutlineName, sessions: Sessions, marks: Marks) {
    this.name = name;
    this.#sessions = sessions;
    this.#operations = new RowOperations(sessions);
    this.#marks = marks;
    this.#throttle = new Throttle(
      () => this.#refresh(),
      () => (sessions.active?.load === 'loading' ? LOADING_MS : STEP_MS),
    );
    marks.add(name, (trace, id) => this.#markOf(trace, id));
    this.tree = vscode.window.createTreeView(`irqscope.${name}`, {
      treeDataProvider: this.#gate.provider(this),
      showCollapseAll: true,
    });
    this.#watches = [
      this.tree,
      this.#gate,
      this.tree.onDidExpandElement(({ element }) => this.#expanded.add(element.id)),
      this.tree.onDidCollapseElement(({ element }) => this.#expanded.delete(element.id)),
      this.tree.onDidChangeSelection(({ selection }) => this.#selected(selection[0])),
      this.tree.onDidChangeVisibility(({ visible }) => {
        if (visible && this.#stale) this.#refreshAll();
      }),
      sessions.onDidChange(({ what, trace }) => {
        if (what === 'closed') this.#outlines.delete(trace);
        if (what === 'active') this.#refreshAll();
        else if (trace === sessions.active) {
          if (what === 'cursor' || what === 'trace') this.#throttle.ask();
          if (what === 'options') this.#refreshAll();
          if (what === 'selection') void this.#showSelection();
        }
      }),
    ];
  }

  /** The outline of the active trace. */
  get outline(): Outline | undefined {
    const { active } = this.#sessions;
    if (!active) return undefined;
    let outline = this.#outlines.get(active);
    if (!outline) this.#outlines.set(active, (outline = new Outline(this.name, active.session)));
    return outline;
  }

  getChildren(row?: OutlineRow): OutlineRow[] {
    const { outline } = this;
    // The editor may still ask for a row of the trace that was active before.
    if (row && outline?.known(row.id) !== row) return [];
    return outline?.children(row) ?? [];
  }

  getParent(row: OutlineRow): OutlineRow | undefined {
    return row.parent;
  }

  getTreeItem(row: OutlineRow): vscode.TreeItem {
    const { outline } = this;
    const { active } = this.#sessions;
    // This row belongs to the trace that was active before.
    if (!outline || !active || outline.known(row.id) !== row) return new vscode.TreeItem('');
    const { label, highlight, description, collapsible, icon, spoken } = outline.text(row);
    const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
    const item = new vscode.TreeItem(
      { label, highlights: highlight ? [[highlight[0], highlight[1]]] : [] },
      collapsible ? (this.#expanded.has(row.id) ? Expanded : Collapsed) : None,
    );
    item.id = row.id;
    item.description = description;
    item.iconPath = new vscode.ThemeIcon(icon === '' ? 'blank' : icon);
    item.resourceUri = rowUri(this.name, active.id, row.id);
    item.accessibilityInformation = { label: spoken };
    item.contextValue = [kindOf(row), ...(row.kind === 'node' ? this.#operations.on(row.node) : [])].join(' ');
    return item;
  }

  resolveTreeItem(item: vscode.TreeItem, row: OutlineRow): vscode.TreeItem {
    const { outline } = this;
    if (outline?.known(row.id) === row) item.tooltip = new vscode.MarkdownString(outline.explain(row));
    return item;
  }

  /** Shows the row of an object path and selects it; false when there is none at the cursor. */
  reveal(path: string, focus: boolean): Promise<boolean> {
    // One after the other: of two that ask for the same rows at the same time, the editor fails one.
    // An error of the search before goes to the caller of that one; this one starts all the same.
    const search = (): Promise<boolean> => this.#reveal(path, focus);
    this.#revealed = this.#revealed.then(search, search);
    return this.#revealed;
  }

  async #reveal(path: string, focus: boolean): Promise<boolean> {
    const target = (): OutlineRow | undefined => {
      const { outline } = this;
      const row = outline?.row(path);
      return row && outline?.shown(row) ? row : undefined;
    };
    if (!target()) return false;
    // The view may be about to come up: opening a trace shows it.
    for (let waited = 0; !this.tree.visible && waited < COMING_UP_MS; waited += 50)
      await new Promise((done) => setTimeout(done, 50));
    // The editor finds only rows that it has been given.
    if (this.tree.visible) {
      this.#throttle.flush();
      await this.#gate.served();
    }
    const row = target();
    if (!row) return false;
    // The row may vanish with the next step, before the editor has scrolled there.
    return this.#gate
      .showing(() => this.tree.reveal(row, { select: true, focus, expand: false }))
      .then(
        () => {
          // The editor has expanded the rows above it. What it tells of that while it gets other rows is lost.
          for (let above = row.parent; above !== undefined; above = above.parent) this.#expanded.add(above.id);
          return true;
        },
        () => false,
      );
  }

  dispose(): void {
    this.#throttle.dispose();
    vscode.Disposable.from(...this.#watches).dispose();
  }

  #selected(row: OutlineRow | undefined): void {
    if (!row || !this.#sessions.active) return;
    this.#selecting = true;
    this.#sessions.active.session.select(row.path);
    this.#selecting = false;
  }

  /** The selection changed elsewhere, such as in the timeline. The view follows if it is visible. */
  async #showSelection(): Promise<void> {
    const path = this.#sessions.active?.session.selection;
    if (this.#selecting || path === undefined || !this.tree.visible || outlineOf(path) !== this.name) return;
    await this.reveal(path, false);
  }

  #refreshAll(): void {
    this.outline?.moved();
    this.#stale = !this.tree.visible;
    this.#gate.refresh(undefined);
    this.#refreshMarks();
  }

  #refresh(): void {
    const { outline } = this;
    if (!outline) return;
    if (!this.tree.visible) {
      this.#stale = true;
      return;
    }
    const rows = outline.moved();
    if (rows === undefined || rows.length > 0) this.#gate.refresh(rows);
    this.#refreshMarks();
  }

  #refreshMarks(): void {
    const { active } = this.#sessions;
    const { outline } = this;
    const old = [...this.#marked.keys()].map((id) => rowUri(this.name, this.#markedTrace, id));
    const rows = outline?.marked() ?? [];
    this.#marked = new Map();
    for (const row of rows.length > MANY_MARKS ? [] : rows) {
      const mark = outline && markIn(outline, row);
      if (mark) this.#marked.set(row.id, mark);
    }
    this.#markedTrace = active?.id ?? 0;
    this.#markedChanges = active?.session.changes;
    this.#marks.refresh([...old, ...[...this.#marked.keys()].map((id) => rowUri(this.name, this.#markedTrace, id))]);
  }

  /**
   * The mark of a row. The editor asks at any time, and keeps the answer until it is told about a change. So the
   * answer must be the one that the editor was told last, also when the cursor has moved since.
   */
  #markOf(trace: number, id: string): Mark | undefined {
    if (trace !== this.#markedTrace) return undefined;
    const { outline } = this;
    const known = this.#marked.get(id);
    if (known || this.#sessions.active?.session.changes !== this.#markedChanges) return known;
    // Rows that became visible after the editor was told last.
    const row = outline?.known(id);
    const mark = row && outline && markIn(outline, row);
    if (mark) this.#marked.set(id, mark);
    return mark;
  }
}

const kindOf = (row: OutlineRow): string =>
  row.kind === 'node' ? (row.node.object >= 0 ? 'object' : 'group') : row.kind;

/** The mark of a row. Marks of keys and fields do not pass to the rows above: those would show a dot instead of their letter. */
function markIn(outline: Outline, row: OutlineRow): Mark | undefined {
  const kind = outline.text(row).mark;
  return kind && { kind, propagate: row.kind === 'node' };
}
