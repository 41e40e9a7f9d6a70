import * as vscode from 'vscode';
import { counted } from '../../base/counted.ts';
import type { Step } from '../../base/ids.ts';
import { showsAll } from '../../check/check-trace.ts';
import { foundAt } from '../../check/found.ts';
import { interruptsAt } from '../../query/interrupts/list.ts';
import { type InterruptNode, interruptRows, sameRow } from '../../view/interrupts/rows.ts';
import { interruptMarkdown } from '../../view/interrupts/text.ts';
import type { Checks } from '../check/checks.ts';
import { setContext } from '../contexts.ts';
import type { Sessions } from '../sessions.ts';
import { RefreshGate } from './refresh-gate.ts';
import { Throttle } from './throttle.ts';
import { isDamaged, troubleIn } from './trouble.ts';

/** The editor shows refreshes at once that are at least this far apart; see OutlineView. */
const STEP_MS = 220;
const LOADING_MS = 250;
/** A list takes part of the time at most: with very many interrupts the view follows a moving cursor less often. */
const SHARE = 8;

/** The view Interrupts: one row for each interrupt of the active trace at the cursor, the worst first. */
export class InterruptsView implements vscode.TreeDataProvider<InterruptNode>, vscode.Disposable {
  readonly tree: vscode.TreeView<InterruptNode>;
  readonly #sessions: Sessions;
  readonly #checks: Checks;
  readonly #gate = new RefreshGate<InterruptNode>();
  readonly #throttle: Throttle;
  readonly #watches: vscode.Disposable;
  #rows: readonly InterruptNode[] = [];
  readonly #byId = new Map<string, InterruptNode>();
  /** The rows that the editor knows, by their ids; what they show now is in `#byId`. */
  readonly #elements = new Map<string, InterruptNode>();
  /** Those that were never used stand among the others. */
  #all = false;
  /** Something changed while the view was hidden. */
  #stale = true;
  /** Milliseconds that the last list took. */
  cost = 0;

  readonly onDidChangeTreeData: vscode.Event<InterruptNode[] | undefined> = this.#gate.onDidChange;

  constructor(sessions: Sessions, checks: Checks) {
    this.#sessions = sessions;
    this.#checks = checks;
    const apart = (): number => Math.max(sessions.active?.load === 'loading' ? LOADING_MS : STEP_MS, this.cost * SHARE);
    this.#throttle = new Throttle(() => this.#refresh(), apart);
    this.tree = vscode.window.createTreeView('irqscope.interrupts', {
      treeDataProvider: this.#gate.provider(this),
      showCollapseAll: true,
    });
    this.#watches = vscode.Disposable.from(
      this.tree,
      this.#gate,
      this.tree.onDidChangeVisibility(({ visible }) => {
        if (visible && this.#stale) this.#refresh();
      }),
      this.tree.onDidChangeSelection(({ selection: [row] }) => {
        if (row && row.path !== '') sessions.active?.session.select(row.path);
      }),
      checks.onDidChange((trace) => {
        if (trace === sessions.active) this.#throttle.ask();
      }),
      sessions.onDidChange(({ what, trace }) => {
        if (what === 'active') this.#refresh();
        else if (trace === sessions.active && (what === 'cursor' || what === 'trace')) this.#throttle.ask();
      }),
    );
    this.#refresh();
  }

  /** The topmost rows. */
  get rows(): readonly InterruptNode[] {
    return this.#rows;
  }

  /** Shows those that were never used among the others, or in a row of their own. */
  toggleNeverUsed(): void {
    this.#all = !this.#all;
    setContext('neverUsed', this.#all);
    this.#refresh();
  }

  /** The step of the last event about an interrupt at or before the cursor; -1 when there is none. */
  lastEvent(path: string): Step {
    const all = [...this.#byId.values()];
    const row = all.find(({ id }) => id === path) ?? all.find(({ below }) => below.some((part) => part.path === path));
    return row?.interrupt?.row.last?.step ?? -1;
  }

  getChildren(row?: InterruptNode): InterruptNode[] {
    if (!row) this.#elements.clear();
    return (row ? (this.#now(row)?.below ?? []) : this.#rows).map((child) => {
      const known = this.#elements.get(child.id);
      if (known) return known;
      this.#elements.set(child.id, child);
      return child;
    });
  }

  getParent(row: InterruptNode): InterruptNode | undefined {
    return row.parent && (this.#elements.get(row.parent.id) ?? row.parent);
  }

  getTreeItem(element: InterruptNode): vscode.TreeItem {
    const row = this.#now(element) ?? element;
    const { None, Collapsed } = vscode.TreeItemCollapsibleState;
    const { label, description, icon, color, spoken } = row.text;
    const item = new vscode.TreeItem(label, row.role === 'object' ? None : Collapsed);
    item.id = row.id;
    item.description = description;
    item.iconPath = new vscode.ThemeIcon(icon, color === undefined ? undefined : new vscode.ThemeColor(color));
    item.contextValue = row.role;
    item.accessibilityInformation = { label: spoken };
    if (row.role === 'object') {
      const { active } = this.#sessions;
      const command = { command: 'irqscope.showObject', title: 'Show Object', arguments: [row.path, active?.uri] };
      item.command = command;
    }
    return item;
  }

  resolveTreeItem(item: vscode.TreeItem, element: InterruptNode): vscode.TreeItem {
    const row = this.#now(element);
    if (row?.role === 'interrupt') item.tooltip = new vscode.MarkdownString(interruptMarkdown(row.interrupt!));
    return item;
  }

  dispose(): void {
    this.#throttle.dispose();
    this.#watches.dispose();
  }

  /** What a row that the editor knows shows now. */
  #now(row: InterruptNode): InterruptNode | undefined {
    if (row.role !== 'object') return this.#byId.get(row.id);
    return row.parent && this.#byId.get(row.parent.id)?.below.find(({ id }) => id === row.id);
  }

  #refresh(): void {
    this.#stale = !this.tree.visible;
    if (this.#stale) return;
    const before = this.#rows;
    const known = new Map(this.#byId);
    const started = performance.now();
    this.#rows = this.#list();
    this.cost = performance.now() - started;
    this.#byId.clear();
    for (const row of this.#rows) {
      this.#byId.set(row.id, row);
      if (row.role === 'never') for (const below of row.below) this.#byId.set(below.id, below);
    }
    const used = this.#rows.filter(({ role }) => role === 'interrupt').length;
    this.tree.description = this.#summary(used);
    const order = (rows: readonly InterruptNode[]): string => rows.map(({ id }) => id).join('\n');
    if (order(before) !== order(this.#rows)) this.#gate.refresh(undefined);
    else this.#refreshSome(known);
  }

  /** How many interrupts there are, and what is missing in the trace: some may be missing with it. */
  #summary(used: number): string {
    const { active } = this.#sessions;
    if (!active || used === 0) return '';
    return [counted(used, 'interrupt'), ...(isDamaged(active) ? ['damaged'] : []), ...troubleIn(active)].join(' · ');
  }

  /** Refreshes the rows that look different now, where the order is the same. */
  #refreshSome(before: ReadonlyMap<string, InterruptNode>): void {
    const rows: InterruptNode[] = [];
    for (const row of this.#rows) {
      const old = before.get(row.id);
      const element = this.#elements.get(row.id);
      const same = old !== undefined && sameRow(old, row);
      const parts = row.role === 'never' && old !== undefined && !sameIds(old.below, row.below);
      if (element && (!same || parts)) rows.push(element);
    }
    if (rows.length > 0) this.#gate.refresh(rows);
  }

  #list(): InterruptNode[] {
    const { active } = this.#sessions;
    if (!active) return [];
    const { trace, state, cursor } = active.session;
    const findings = foundAt(this.#checks.of(active)?.findings ?? [], cursor);
    // A branch of a trace that was read shows no more of the time before it than that trace did.
    const complete = showsAll(trace);
    return interruptRows(trace.world, interruptsAt(trace, state, cursor, { findings, complete }), this.#all);
  }
}

const sameIds = (a: readonly InterruptNode[], b: readonly InterruptNode[]): boolean =>
  a.length === b.length && a.every(({ id }, i) => id === b[i]!.id);
