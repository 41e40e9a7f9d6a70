import * as vscode from 'vscode';
import { counted } from '../../base/counted.ts';
import type { Severity } from '../../check/rule.ts';
import { explainFinding, explainLack, explainRule } from '../../view/findings/explain.ts';
import { type FindingRow, findingId, makingFindingRows, rowWithId, topFinding } from '../../view/findings/rows.ts';
import type { OpenTrace, Sessions } from '../sessions.ts';
import { RefreshGate } from '../views/refresh-gate.ts';
import { finish } from '../views/slices.ts';
import { type Checked, type Checks, isCut } from './checks.ts';

const ICONS: Readonly<Record<Severity, readonly [string, string]>> = {
  error: ['error', 'list.errorForeground'],
  security: ['shield', 'list.errorForeground'],
  warning: ['warning', 'list.warningForeground'],
  info: ['info', 'list.deemphasizedForeground'],
};

/** How long a row waits for the editor to ask for rows, and how often it looks. */
const PATIENCE_MS = 10_000;
const LOOK_MS = 20;

/** Milliseconds of making rows before other work of the editor has its turn. */
const SLICE_MS = 10;

/** Severities that the badge counts. */
const COUNTED: ReadonlySet<Severity> = new Set<Severity>(['error', 'security', 'warning']);

/** The view Findings: what is wrong in the active trace, the worst first, with the evidence. */
export class FindingsView implements vscode.TreeDataProvider<FindingRow>, vscode.Disposable {
  readonly tree: vscode.TreeView<FindingRow>;
  readonly #sessions: Sessions;
  readonly #checks: Checks;
  readonly #gate = new RefreshGate<FindingRow>();
  readonly #watches: vscode.Disposable;
  #rows: readonly FindingRow[] = [];
  /** A row stays the same object as long as there is a row of its id: the editor knows rows by it. */
  #byId = new Map<string, FindingRow>();
  /** Ids of the rows that the user opened or closed, and how. The editor asks for what is below an open row after each refresh. */
  readonly #turned = new Map<string, boolean>();
  /** What the rows were made of, and of which trace. */
  #made = '';
  #trace: OpenTrace | undefined;
  /** The rows that are being made: of which trace, and when they are there or given up. */
  #job: { readonly trace: OpenTrace | undefined; done: Promise<void> } | undefined;
  /** More became known while the rows were made. */
  #again = false;
  /** The editor scrolls to a row. */
  #revealing: Promise<unknown> | undefined;
  /** The longest slice of making rows so far, in milliseconds. */
  longest = 0;
  /** The editor has not been told of these rows. */
  #stale = false;
  /** The editor has asked for rows once. Until then it needs no refresh: it asks by itself when the view comes up. */
  #asked = false;
  /** Traces of which all was judged once. */
  readonly #judged = new WeakSet<OpenTrace>();
  /** Traces whose first finding was shown already. */
  readonly #shown = new WeakSet<OpenTrace>();

  readonly onDidChangeTreeData: vscode.Event<FindingRow[] | undefined> = this.#gate.onDidChange;

  constructor(sessions: Sessions, checks: Checks) {
    this.#sessions = sessions;
    this.#checks = checks;
    this.tree = vscode.window.createTreeView('irqscope.findings', {
      treeDataProvider: this.#gate.provider(this),
      showCollapseAll: true,
    });
    this.#watches = vscode.Disposable.from(
      this.tree,
      this.#gate,
      this.tree.onDidExpandElement(({ element }) => this.#turned.set(element.id, true)),
      this.tree.onDidCollapseElement(({ element }) => this.#turned.set(element.id, false)),
      this.tree.onDidChangeVisibility(({ visible }) => {
        if (visible) this.#draw();
      }),
      checks.onDidChange((trace) => {
        if (trace === sessions.active) void this.#refresh();
      }),
      sessions.onDidChange(({ what }) => {
        if (what === 'active') void this.#refresh();
      }),
    );
    void this.#refresh();
  }

  /** The topmost rows. */
  get rows(): readonly FindingRow[] {
    return this.#rows;
  }

  getChildren(row?: FindingRow): FindingRow[] {
    if (!row) this.#asked = true;
    return [...(row ? row.below : this.#rows)];
  }

  getParent(row: FindingRow): FindingRow | undefined {
    return row.parent;
  }

  getTreeItem(row: FindingRow): vscode.TreeItem {
    const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
    const open = this.#turned.get(row.id) ?? (row.kind === 'severity' && row.severity !== 'info');
    // A finding stands on one event at least, its own.
    const leaf = row.kind !== 'finding' && row.below.length === 0;
    const item = new vscode.TreeItem(row.label, leaf ? None : open ? Expanded : Collapsed);
    item.id = row.id;
    item.description = row.description;
    item.iconPath = iconOf(row);
    // What is suppressed can be told again; anything else can be suppressed.
    item.contextValue = row.kind === 'finding' && isApart(row) ? 'finding suppressed' : row.kind;
    item.accessibilityInformation = { label: [row.label, row.description].filter(Boolean).join(', ') };
    if (row.finding && row.step !== undefined) {
      const place = { rule: row.finding.rule.id, step: row.finding.step, object: row.finding.object, at: row.step };
      item.command = { command: 'irqscope.goToFinding', title: 'Go to Finding', arguments: [place] };
    }
    return item;
  }

  resolveTreeItem(item: vscode.TreeItem, row: FindingRow): vscode.TreeItem {
    const { active } = this.#sessions;
    const checked = this.#checks.of(active);
    if (!active || !checked) return item;
    const text = row.finding
      ? explainFinding(active.session.trace, row.finding)
      : row.kind === 'lack'
        ? explainLack(row.rule!, checked.holds)
        : row.rule
          ? explainRule(row.rule)
          : '';
    if (text !== '') item.tooltip = new vscode.MarkdownString(text);
    return item;
  }

  /** Shows the row of a finding, or the first one, and selects it; false when there is none. */
  async reveal(id: string | undefined, focus: boolean): Promise<boolean> {
    while (this.#job || this.#revealing) await (this.#job?.done ?? this.#revealing);
    const trace = this.#trace;
    const find = (): FindingRow | undefined => (id === undefined ? topFinding(this.#rows) : rowWithId(this.#rows, id));
    if (!find()) return false;
    if (!this.tree.visible) {
      if (!focus) return false;
      await vscode.commands.executeCommand('irqscope.findings.focus');
    }
    this.#draw();
    await this.#known();
    // The editor does not know the rows of a view that is not on the screen, nor those that it has not asked for yet.
    if (!(await this.#gate.served()) || this.#stale || !this.tree.visible) return false;
    // A row of another trace may have the same id.
    if (this.#job || trace !== this.#trace) return false;
    const row = find();
    if (!row) return false;
    // The editor asks for the rows above this one. A refresh meanwhile would make it forget some of them.
    const revealing = Promise.resolve(this.tree.reveal(row, { select: true, focus, expand: false })).then(
      () => true,
      () => false,
    );
    this.#revealing = revealing;
    const revealed = await revealing;
    this.#revealing = undefined;
    if (this.#stale && this.tree.visible) this.#draw();
    return revealed;
  }

  /** Resolves when the editor has asked for the topmost rows, or does not ask for long. */
  async #known(): Promise<void> {
    for (const end = Date.now() + PATIENCE_MS; !this.#asked && Date.now() < end; )
      await new Promise((done) => setTimeout(done, LOOK_MS));
  }

  dispose(): void {
    this.#job = undefined;
    this.#watches.dispose();
  }

  /** Shows what is known of the active trace now. Its rows are made in slices; what becomes known meanwhile is shown when they are there. */
  #refresh(): Promise<void> {
    const { active } = this.#sessions;
    const checked = this.#checks.of(active);
    if (active && checked?.done) this.#judged.add(active);
    this.tree.message = this.#message(active, checked);
    const worth = checked?.findings.filter(({ severity }) => COUNTED.has(severity)).length ?? 0;
    this.tree.badge = worth === 0 ? undefined : { value: worth, tooltip: counted(worth, 'finding') };
    const before = this.#job;
    this.#again = before !== undefined && before.trace === active;
    if (before && this.#again) return before.done;
    const job = { trace: active, done: Promise.resolve() };
    this.#job = job;
    job.done = this.#make(job, checked);
    return job.done;
  }

  async #make(job: { readonly trace: OpenTrace | undefined }, checked: Checked | undefined): Promise<void> {
    const { trace } = job;
    try {
      const work = trace && checked ? makingFindingRows(trace.session.trace, checked) : undefined;
      const took = (ms: number): void => {
        this.longest = Math.max(this.longest, ms);
      };
      const rows = work ? await finish(work, { ms: SLICE_MS, wanted: () => this.#job === job, took }) : [];
      if (rows && this.#job === job) this.#take(trace, rows);
    } finally {
      if (this.#job === job) {
        this.#job = undefined;
        if (this.#again) void this.#refresh();
        // The editor asks a view that is not on the screen for nothing.
        else if (this.tree.visible) this.#draw();
      }
    }
  }

  /** Puts rows in the place of those that were there. */
  #take(trace: OpenTrace | undefined, rows: readonly FindingRow[]): void {
    const made = `${trace?.id} ${JSON.stringify(idsOf(rows))}`;
    if (made === this.#made) return;
    this.#made = made;
    // Rows of another trace are others, whatever they are called.
    if (trace !== this.#trace) this.#byId.clear();
    this.#trace = trace;
    const kept = new Map<string, FindingRow>();
    this.#rows = rows.map((row) => this.#keep(row, undefined, kept));
    this.#byId = kept;
    this.#stale = true;
  }

  /** Says how far the first judgement of a trace is, and what came of it where no row tells it. */
  #message(trace: OpenTrace | undefined, checked: Checked | undefined): string {
    if (!trace || !checked) return '';
    const { done, failed, findings, share, summary } = checked;
    if (!done) return this.#judged.has(trace) ? '' : `checking ${Math.floor(share * 100)} %`;
    return failed !== undefined || isCut(trace) || findings.length === 0 ? summary : '';
  }

  /** The row that the editor knows by the id of a new one, with what the new one says; or the new one. */
  #keep(row: FindingRow, parent: FindingRow | undefined, kept: Map<string, FindingRow>): FindingRow {
    const known = this.#byId.get(row.id);
    const { id, kind, label, description, severity, finding, rule, step } = row;
    const same = known ? Object.assign(known, { label, description, severity, finding, rule, step }) : row;
    kept.set(id, same);
    // What a finding stands on never changes, and is made when it is asked for.
    if (kind === 'finding') return Object.assign(same, { parent });
    return Object.assign(same, { parent, below: row.below.map((one) => this.#keep(one, same, kept)) });
  }

  #draw(): void {
    if (this.#revealing) return;
    if (this.#stale && this.#asked) this.#gate.refresh(undefined);
    this.#stale = false;
    this.#showWorst();
  }

  /** Who opened a trace sees what is wrong first. A view that is not on the screen shows it when it comes up. */
  #showWorst(): void {
    const { active } = this.#sessions;
    const checked = this.#checks.of(active);
    if (!active || !checked?.done || this.#job || !this.tree.visible || this.#shown.has(active)) return;
    this.#shown.add(active);
    const [worst] = checked.findings;
    // What is only worth knowing opens no group by itself.
    if (worst && COUNTED.has(worst.severity)) void this.reveal(findingId(worst), false);
  }
}

/** Whether a row stands below those that are suppressed. */
const isApart = ({ parent, kind }: FindingRow): boolean =>
  kind === 'suppressed' || (parent !== undefined && isApart(parent));

const idsOf = (rows: readonly FindingRow[]): unknown[] =>
  rows.map((row) => [row.id, row.description, row.kind === 'finding' ? [] : idsOf(row.below)]);

function iconOf({ kind, severity }: FindingRow): vscode.ThemeIcon {
  if (kind === 'evidence') return new vscode.ThemeIcon('debug-stackframe-dot');
  if (kind === 'suppressed') return new vscode.ThemeIcon('mute');
  if (kind === 'blind') return new vscode.ThemeIcon('eye-closed');
  if (kind === 'lack' || severity === undefined) return new vscode.ThemeIcon('circle-slash');
  const [icon, color] = ICONS[severity];
  return new vscode.ThemeIcon(icon, new vscode.ThemeColor(color));
}
