import * as vscode from 'vscode';
import { count, counted } from '../../base/counted.ts';
import { traceInfo } from '../../query/info.ts';
import { code, plain } from '../../view/outline/explain.ts';
import { lineOf } from '../check/lines.ts';
import { say } from '../commands/handlers.ts';
import type { Platform } from '../platform.ts';
import { hasRecipe, type OpenTrace, type Sessions } from '../sessions.ts';
import type { Simulations } from '../simulations.ts';
import { RefreshGate } from './refresh-gate.ts';
import { hasSources, sourceParts } from './source-parts.ts';
import { stopParts } from './stop-parts.ts';
import { Throttle } from './throttle.ts';
import { accountingParts, type Part, recipeParts, type TraceRow } from './trace-parts.ts';
import { isDamaged, troubleIn, unknownIn } from './trouble.ts';

/** What the explorer and the desktop hand over when files are dragged. */
const URIS = 'text/uri-list';

/**
 * What the view says while it is empty. It is a message and no welcome text: where a view shows its welcome text, the editor shows no tree
 * of it, and nothing can be dropped there.
 */
const NONE =
  'No trace is open. Files, folders and archives that you drop below this text, or open together, become one trace.';

/** Characters of a line that a tooltip shows. */
const LONGEST_LINE = 1000;

/** How often the numbers of a trace that is being read are updated. */
const LOADING_MS = 250;

const LOAD: Readonly<Record<OpenTrace['load'], string>> = {
  loading: 'loading~spin',
  ready: 'file',
  stopped: 'debug-pause',
  failed: 'error',
};

/** The view Traces: what is open, how far it is read, and how its lines were read. */
export class TracesView implements vscode.TreeDataProvider<TraceRow>, vscode.Disposable {
  readonly tree: vscode.TreeView<TraceRow>;
  readonly #platform: Platform;
  readonly #sessions: Sessions;
  readonly #simulations: Simulations;
  readonly #gate = new RefreshGate<TraceRow>();
  readonly #throttle = new Throttle(
    () => this.#gate.refresh(undefined),
    () => LOADING_MS,
  );
  readonly #watch: vscode.Disposable;
  #rows: ReadonlyMap<OpenTrace, TraceRow> = new Map();
  /** The row of a trace stays the same object: the editor knows rows by it. */
  readonly #rowOf = new WeakMap<OpenTrace, TraceRow>();
  /** Traces that branches have left: they are shown expanded. */
  readonly #parents = new Set<OpenTrace>();

  readonly onDidChangeTreeData: vscode.Event<TraceRow[] | undefined> = this.#gate.onDidChange;

  constructor(sessions: Sessions, simulations: Simulations, platform: Platform) {
    this.#platform = platform;
    this.#sessions = sessions;
    this.#simulations = simulations;
    this.tree = vscode.window.createTreeView('irqscope.traces', {
      treeDataProvider: this.#gate.provider(this),
      dragAndDropController: {
        dragMimeTypes: [],
        dropMimeTypes: [URIS, 'files'],
        handleDrop: (row, data) => this.drop(row, data),
      },
    });
    this.#watch = sessions.onDidChange(({ what }) => {
      if (what !== 'cursor' && what !== 'selection') this.#throttle.ask();
    });
  }

  getChildren(row?: TraceRow): TraceRow[] {
    if (!row) {
      // The one opened last comes first.
      this.#rows = this.#traceRows();
      this.tree.message = this.#rows.size === 0 ? NONE : '';
      return [...this.#rows.values()].filter(({ parent }) => parent === undefined);
    }
    const { trace } = row;
    const parts =
      row.name === ''
        ? [...stopParts(trace), ...recipeParts(trace), ...fileParts(trace)]
        : (row.below ?? row.more?.() ?? []);
    return [
      ...(row.name === '' ? [...this.#rows.values()].filter(({ parent }) => parent?.id === row.id) : []),
      ...parts.map((part) => ({ ...part, id: `${row.id}/${part.name}`, trace, parent: row })),
    ];
  }

  getParent(row: TraceRow): TraceRow | undefined {
    return row.parent;
  }

  getTreeItem(row: TraceRow): vscode.TreeItem {
    const { trace } = row;
    const isTrace = row.name === '';
    const active = isTrace && trace === this.#sessions.active;
    const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
    const item = new vscode.TreeItem(
      row.label,
      isTrace
        ? trace === this.#sessions.all[0] || this.#parents.has(trace)
          ? Expanded
          : Collapsed
        : row.more || (row.below && row.below.length > 0)
          ? row.expanded
            ? Expanded
            : Collapsed
          : None,
    );
    item.id = row.id;
    item.description = row.description;
    const color = row.icon === 'warning' ? new vscode.ThemeColor('list.warningForeground') : undefined;
    item.iconPath = new vscode.ThemeIcon(row.icon, color);
    item.contextValue = isTrace ? contextOf(trace) : row.of ? 'stop' : (row.role ?? 'part');
    // Of a line, the tooltip is its text: it is read when the user asks for it.
    if (row.line === undefined) item.tooltip = isTrace ? traceTooltip(trace, active) : partTooltip(row);
    item.accessibilityInformation = {
      label: [row.label, row.description, active ? 'active trace' : ''].filter(Boolean).join(', '),
    };
    if (row.line !== undefined)
      item.command = {
        command: 'irqscope.revealLine',
        title: 'Reveal Line',
        arguments: [trace.uri, row.line, row.source],
      };
    else if (row.step !== undefined && row.step >= 0)
      item.command = { command: 'irqscope.goToStep', title: 'Go to Step…', arguments: [row.step, trace.uri] };
    else if (row.of && 'checkpoint' in row.of)
      item.command = {
        command: 'irqscope.goToCheckpoint',
        title: 'Go to Checkpoint…',
        arguments: [row.of.checkpoint, trace.uri],
      };
    else if (isTrace)
      item.command = { command: 'irqscope.switchTraceRow', title: 'Make Active', arguments: [trace.uri] };
    return item;
  }

  /** A row of a line shows that line. */
  async resolveTreeItem(item: vscode.TreeItem, row: TraceRow): Promise<vscode.TreeItem> {
    const { trace, line, source } = row;
    const text = line === undefined ? undefined : await lineOf(this.#platform, trace, line, source);
    if (text !== undefined) item.tooltip = new vscode.MarkdownString(code(text.slice(0, LONGEST_LINE)));
    else item.tooltip ??= row.label;
    return item;
  }

  /** Files that are dropped on the view are opened as one trace; on a trace, they are joined to it. */
  async drop(row: TraceRow | undefined, data: vscode.DataTransfer): Promise<void> {
    const text = await data.get(URIS)?.asString();
    const listed = (text ?? '')
      .split(/\r?\n/)
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => vscode.Uri.parse(line, true));
    // Files of the desktop come one by one; a browser does not say where they lie.
    const dropped = [...data].flatMap(([, item]) => item.asFile() ?? []);
    const files = listed.length > 0 ? listed : dropped.flatMap(({ uri }) => uri ?? []);
    if (files.length === 0) {
      if (dropped.length > 0) say('the browser does not tell where dropped files lie; Open Trace… opens them');
      return;
    }
    if (row === undefined || row.trace.branch)
      await vscode.commands.executeCommand('irqscope.openTrace', files[0], files);
    else await vscode.commands.executeCommand('irqscope.addToTrace', files, row.trace.uri);
  }

  dispose(): void {
    this.#throttle.dispose();
    vscode.Disposable.from(this.tree, this.#watch, this.#gate).dispose();
  }

  /** The rows of all traces, each branch below the trace that it left. */
  #traceRows(): Map<OpenTrace, TraceRow> {
    const rows = new Map<OpenTrace, TraceRow>();
    this.#parents.clear();
    const add = (trace: OpenTrace): TraceRow => {
      const known = rows.get(trace);
      if (known) return known;
      const left = this.#simulations.parentOf(trace);
      if (left) this.#parents.add(left);
      const fresh = this.#traceRow(trace, left && add(left));
      const row = this.#rowOf.get(trace);
      if (row) Object.assign(row, fresh);
      else this.#rowOf.set(trace, fresh);
      rows.set(trace, row ?? fresh);
      return row ?? fresh;
    };
    for (const trace of this.#sessions.all.toReversed()) add(trace);
    return rows;
  }

  #traceRow(trace: OpenTrace, parent: TraceRow | undefined): TraceRow {
    const { length } = trace.session.trace;
    const damaged = isDamaged(trace);
    const percent = trace.progress === undefined ? '' : ` ${Math.floor(trace.progress * 100)} %`;
    const states = {
      loading: `reading${percent}`,
      stopped: `stopped at${percent}`,
      failed: 'reading failed',
      ready: '',
    };
    const active = trace === this.#sessions.active;
    return {
      id: `trace/${trace.id}`,
      trace,
      parent,
      name: '',
      label: trace.label,
      description: [
        active ? 'active' : '',
        states[trace.load],
        trace.follow === undefined ? '' : trace.follow === 'paused' ? 'following paused' : 'following',
        trace.further > 0 ? `${counted(trace.further, 'more excerpt')}, shown when it is not followed` : '',
        damaged ? 'damaged' : '',
        trace.branch?.parent ? `from step ${trace.branch.step}` : '',
        trace.session.growing ? `${count(length)}+ events` : counted(length, 'event'),
        unknownIn(trace),
        ...troubleIn(trace),
      ]
        .filter(Boolean)
        .join(' · '),
      icon:
        damaged && trace.load === 'ready'
          ? 'warning'
          : active && trace.load === 'ready'
            ? 'target'
            : trace.branch
              ? branchIcon(trace)
              : LOAD[trace.load],
    };
  }
}

const branchIcon = ({ branch }: OpenTrace): string => (branch?.parent ? 'git-branch' : 'beaker');

/** The context value that menus use: the kind of a trace, and what can be done with it. */
function contextOf(trace: OpenTrace): string {
  if (trace.load === 'loading') return 'trace.loading';
  const { branch } = trace;
  if (branch) return `trace branch${branch.recipe ? ' scenario' : ''}`;
  const joined = trace.files.filter(({ skipped }) => !skipped).length > 1;
  return `trace file${joined ? ' joined' : ''}${hasRecipe(trace) ? ' recipe' : ''}${trace.follow === undefined ? '' : ' followed'}`;
}

/** The files of a trace and how they were read, as rows. */
function fileParts(trace: OpenTrace): Part[] {
  if (hasSources(trace)) return sourceParts(trace);
  const { session } = trace;
  const { sources } = session.trace;
  const info = traceInfo(session.trace);
  const unknownAt = new Map(sources.flatMap(({ accounting }) => [...accounting.unknownAt]));
  return accountingParts(info, { ...session.trace.first.accounting, unknownAt });
}

/** The whole text of a row, which a narrow view cuts off, and what it means. */
function partTooltip({ label, description, tooltip }: TraceRow): string {
  const whole = description === '' ? label : `${label}: ${description}`;
  return tooltip === undefined || tooltip === description ? whole : `${whole}\n\n${tooltip}`;
}

function traceTooltip(trace: OpenTrace, active: boolean): vscode.MarkdownString {
  const { format, variant, events, problem } = traceInfo(trace.session.trace);
  const text = new vscode.MarkdownString(`**${plain(trace.label)}**${active ? ' (active)' : ''}\n\n`);
  if (!trace.branch) text.appendMarkdown(`${code(vscode.workspace.asRelativePath(trace.uri))}\n\n`);
  text.appendMarkdown(plain(`${format}, ${variant}: ${counted(events, 'event')}`));
  if (problem !== null)
    text.appendMarkdown(`\n\nThe file is damaged: ${plain(problem)}. The trace holds what was read before that.`);
  if (trace.error !== undefined) text.appendMarkdown(`\n\nReading failed: ${plain(trace.error)}`);
  if (trace.load === 'stopped') text.appendMarkdown('\n\nReading was stopped. Open the file again to read all of it.');
  return text;
}
