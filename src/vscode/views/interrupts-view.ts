import * as vscode from 'vscode';
import { counted } from '../../base/counted.ts';
import type { Step } from '../../base/ids.ts';
import type { Slices } from '../../base/slices.ts';
import { showsAll } from '../../check/check-trace.ts';
import { foundAt } from '../../check/found.ts';
import { listing } from '../../query/interrupts/list.ts';
import { comparedRows, type InterruptList, type InterruptNode, makingRows } from '../../view/interrupts/rows.ts';
import { interruptMarkdown } from '../../view/interrupts/text.ts';
import type { Checks } from '../check/checks.ts';
import { setContext } from '../contexts.ts';
import type { OpenTrace, Sessions } from '../sessions.ts';
import { RefreshGate } from './refresh-gate.ts';
import { RowOperations } from './row-operations.ts';
import { finish } from './slices.ts';
import { Throttle } from './throttle.ts';
import { isDamaged, troubleIn } from './trouble.ts';

/** The editor shows refreshes at once that are at least this far apart; see OutlineView. */
const STEP_MS = 220;
const LOADING_MS = 250;
/** A list takes a part of the time at most: with very many interrupts the view follows a moving cursor less often. */
const SHARE = 3;
/** Milliseconds of making a list before other work of the editor has its turn. */
const SLICE_MS = 10;

/** A list that is being made: of which trace, after which step, and whether those never used stand among the others. */
interface Job {
  readonly trace: OpenTrace | undefined;
  readonly step: Step;
  readonly all: boolean;
  /** Resolves when it is shown or given up. */
  done: Promise<void>;
}

/** The view Interrupts: one row for each interrupt of the active trace at the cursor, the worst first. */
export class InterruptsView implements vscode.TreeDataProvider<InterruptNode>, vscode.Disposable {
  readonly tree: vscode.TreeView<InterruptNode>;
  readonly #sessions: Sessions;
  readonly #checks: Checks;
  readonly #operations: RowOperations;
  readonly #gate = new RefreshGate<InterruptNode>();
  readonly #throttle: Throttle;
  readonly #watches: vscode.Disposable;
  #rows: readonly InterruptNode[] = [];
  #byId: ReadonlyMap<string, InterruptNode> = new Map();
  /** The rows that the editor knows, by their ids; what they show now is in `#byId`. */
  readonly #elements = new Map<string, InterruptNode>();
  /** Those that were never used stand among the others. */
  #all = false;
  /** Something changed while the view was hidden. */
  #stale = true;
  #job: Job | undefined;
  /** What the list shows changed while it was made, though the cursor did not move. */
  #again = false;
  /** Milliseconds of work that the last list took, or more if one was given up that took longer. */
  cost = 0;
  /** The longest slice so far, in milliseconds. */
  longest = 0;

  readonly onDidChangeTreeData: vscode.Event<InterruptNode[] | undefined> = this.#gate.onDidChange;

  constructor(sessions: Sessions, checks: Checks) {
    this.#sessions = sessions;
    this.#checks = checks;
    this.#operations = new RowOperations(sessions);
    const apart = (): number => Math.max(sessions.active?.load === 'loading' ? LOADING_MS : STEP_MS, this.cost * SHARE);
    this.#throttle = new Throttle(() => void this.#refresh(), apart);
    this.tree = vscode.window.createTreeView('irqscope.interrupts', {
      treeDataProvider: this.#gate.provider(this),
      showCollapseAll: true,
    });
    this.#watches = vscode.Disposable.from(
      this.tree,
      this.#gate,
      this.tree.onDidChangeVisibility(({ visible }) => {
        if (visible && this.#stale) void this.#refresh();
      }),
      this.tree.onDidChangeSelection(({ selection: [row] }) => {
        if (row && row.path !== '') sessions.active?.session.select(row.path);
      }),
      checks.onDidChange((trace) => {
        if (trace === sessions.active) this.#throttle.ask();
      }),
      sessions.onDidChange(({ what, trace }) => {
        if (what === 'active') void this.#refresh();
        else if (trace === sessions.active && (what === 'cursor' || what === 'trace')) this.#throttle.ask();
      }),
    );
    void this.#refresh();
  }

  /** The topmost rows. */
  get rows(): readonly InterruptNode[] {
    return this.#rows;
  }

  /** Shows those that were never used among the others, or in a row of their own; resolves when the list is there. */
  toggleNeverUsed(): Promise<void> {
    this.#all = !this.#all;
    setContext('neverUsed', this.#all);
    return this.#refresh();
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
    const operations = row.role === 'never' ? [] : this.#operations.on(row.node);
    item.contextValue = [row.role, ...operations].join(' ');
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
    this.#job = undefined;
    this.#throttle.dispose();
    this.#watches.dispose();
  }

  /** What a row that the editor knows shows now. */
  #now(row: InterruptNode): InterruptNode | undefined {
    if (row.role !== 'object') return this.#byId.get(row.id);
    return row.parent && this.#byId.get(row.parent.id)?.below.find(({ id }) => id === row.id);
  }

  /**
   * Makes the list again, in slices. One that is being made is given up when the cursor has moved on; when only something else changed, it is
   * shown, and then made again.
   */
  #refresh(): Promise<void> {
    this.#stale = !this.tree.visible;
    const { active: trace } = this.#sessions;
    const step = trace?.session.cursor ?? -1;
    const before = this.#job;
    if (!this.#stale && before?.trace === trace && before?.step === step && before.all === this.#all) {
      this.#again = true;
      return before.done;
    }
    this.#again = false;
    const job: Job = { trace, step, all: this.#all, done: Promise.resolve() };
    this.#job = this.#stale ? undefined : job;
    if (!this.#stale) job.done = this.#make(job);
    return job.done;
  }

  async #make(job: Job): Promise<void> {
    let spent = 0;
    try {
      const list = await finish(this.#list(job), {
        ms: SLICE_MS,
        wanted: () => this.#job === job,
        took: (ms) => {
          spent += ms;
          this.longest = Math.max(this.longest, ms);
        },
      });
      this.cost = list === undefined ? Math.max(this.cost, spent) : spent;
      if (list === undefined || this.#job !== job) return;
      this.#stale = !this.tree.visible;
      if (!this.#stale) this.#show(list);
    } finally {
      if (this.#job === job) {
        this.#job = undefined;
        if (this.#again) this.#throttle.ask();
      }
    }
  }

  #show({ rows, byId, moved, changed, used }: InterruptList): void {
    this.#rows = rows;
    this.#byId = byId;
    this.tree.description = this.#summary(used);
    const known = changed.flatMap(({ id }) => this.#elements.get(id) ?? []);
    if (moved) this.#gate.refresh(undefined);
    else if (known.length > 0) this.#gate.refresh(known);
  }

  /** How many interrupts there are, and what is missing in the trace: some may be missing with it. */
  #summary(used: number): string {
    const { active } = this.#sessions;
    if (!active || used === 0) return '';
    return [counted(used, 'interrupt'), ...(isDamaged(active) ? ['damaged'] : []), ...troubleIn(active)].join(' · ');
  }

  *#list({ trace: active, step, all }: Job): Slices<InterruptList> {
    if (!active) return yield* comparedRows(this.#rows, this.#byId, []);
    const { trace, state } = active.session;
    const checked = this.#checks.of(active);
    const findings = foundAt(checked?.findings ?? [], step, checked?.suppressed);
    // A branch of a trace that was read shows no more of the time before it than that trace did.
    const complete = showsAll(trace);
    const list = yield* listing(trace, state, step, { findings, complete });
    const rows = yield* makingRows(trace.world, list, all);
    return yield* comparedRows(this.#rows, this.#byId, rows);
  }
}
