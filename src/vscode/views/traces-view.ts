import * as vscode from 'vscode';
import { type TraceInfo, traceInfo } from '../../query/info.ts';
import { total } from '../../trace/accounting.ts';
import { code, plain } from '../../view/outline/explain.ts';
import { hasRecipe, type OpenTrace, type Sessions } from '../sessions.ts';
import type { Simulations } from '../simulations.ts';
import { Throttle } from './throttle.ts';

/** How often the numbers of a trace that is being read are updated. */
const LOADING_MS = 250;

/** A row of the view Traces: a trace or branch, a number of its accounting, or a line that was skipped. */
export interface TraceRow {
  readonly id: string;
  readonly trace: OpenTrace;
  readonly parent: TraceRow | undefined;
  /** What it is within its trace; the empty text for the trace itself. */
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly icon: string;
  readonly tooltip?: string;
  /** A line of the source to go to. */
  readonly line?: number;
  readonly below?: readonly Omit<TraceRow, 'id' | 'trace' | 'parent'>[];
}

type Part = Omit<TraceRow, 'id' | 'trace' | 'parent'>;

const count = (n: number): string => n.toLocaleString('en');
const sum = (tally: Readonly<Record<string, number>>): number => Object.values(tally).reduce((a, b) => a + b, 0);

/** The rows of a tally, most frequent first as the answer has them. */
const tallied = (tally: Readonly<Record<string, number>>, icon: string): Part[] =>
  Object.entries(tally).map(([name, n]) => ({ name, label: name, description: count(n), icon }));

function skippedParts(info: TraceInfo): Part[] {
  return Object.entries(info.skipped).map(([reason, n]) => ({
    name: reason,
    label: reason,
    description: count(n),
    icon: 'warning',
    below: info.samples
      .filter((sample) => sample.reason === reason)
      .map(({ line }) => ({ name: `${line}`, label: `line ${line}`, description: '', icon: 'go-to-file', line })),
  }));
}

/** The format of a trace and how its lines were read, as rows. */
function accountingParts(info: TraceInfo): Part[] {
  const unknown = sum(info.unknown);
  const skipped = sum(info.skipped);
  const without = sum(info.withoutEffect);
  const others = sum(info.others);
  const part = (name: string, label: string, description: string, icon: string, tooltip: string, below?: Part[]) =>
    ({ name, label, description, icon, tooltip, ...(below && below.length > 0 ? { below } : {}) }) satisfies Part;
  const clock = [info.clock, info.start !== null && info.end !== null ? `${info.start} to ${info.end}` : ''];
  return [
    ...(info.problem === undefined
      ? []
      : [
          part(
            'problem',
            'Problem',
            info.problem,
            'warning',
            'The source is damaged; the trace holds what was read up to there.',
          ),
        ]),
    part(
      'format',
      'Format',
      [info.format, info.variant].filter(Boolean).join(', '),
      'file-code',
      'IRQScope tells the format from the content.',
    ),
    part('clock', 'Clock', clock.filter(Boolean).join(', '), 'watch', 'Clock of the stamps, first and last of them.'),
    part(
      'records',
      'Records',
      `${count(info.records)} in ${count(info.lines)} lines`,
      'list-ordered',
      'Lines that are trace records.',
    ),
    part(
      'understood',
      'Understood',
      count(info.understood),
      'pass',
      'Records that became events, or that are known and change nothing in the interrupt system.',
      without > 0
        ? [
            {
              name: 'without',
              label: 'Without effect',
              description: count(without),
              icon: 'circle-outline',
              tooltip: 'Known records that change nothing in the interrupt system.',
              below: tallied(info.withoutEffect, 'circle-outline'),
            },
          ]
        : [],
    ),
    part(
      'unknown',
      'Unknown',
      unknown === 0 ? '0' : `${count(unknown)} of ${Object.keys(info.unknown).length} kinds`,
      unknown === 0 ? 'pass' : 'question',
      'Records of events that IRQScope does not know, by name.',
      tallied(info.unknown, 'question'),
    ),
    part(
      'skipped',
      'Skipped',
      count(skipped),
      skipped === 0 ? 'pass' : 'warning',
      'Records that could not be read, by reason, with the first lines.',
      skippedParts(info),
    ),
    part(
      'lost',
      'Lost',
      info.gaps > 0 ? `${count(info.lost)}, and ${count(info.gaps)} gaps of unknown size` : count(info.lost),
      info.lost + info.gaps === 0 ? 'pass' : 'warning',
      'Events that the recorder says it lost.',
    ),
    part(
      'others',
      'Other lines',
      count(others),
      'circle-outline',
      'Lines that are no records.',
      tallied(info.others, 'circle-outline'),
    ),
  ];
}

/** What made a simulated run: scenario, seed, policies and operations. */
function recipeParts(trace: OpenTrace): Part[] {
  const { branch } = trace;
  if (!branch) return [];
  const { recipe, operations, parent, step } = branch;
  const part = (
    name: string,
    label: string,
    description: string,
    icon: string,
    tooltip: string,
    below?: Part[],
  ): Part => ({
    name,
    label,
    description,
    icon,
    tooltip,
    ...(below && below.length > 0 ? { below } : {}),
  });
  const settings = Object.entries(recipe?.settings ?? {});
  return [
    ...(parent
      ? [part('left', 'Left', `${parent.name} after step ${step}`, 'git-branch', 'Where this branch begins.')]
      : []),
    ...(recipe ? [part('scenario', 'Scenario', recipe.scenario.title, 'beaker', recipe.scenario.description)] : []),
    ...(recipe?.scenario.look ? [part('look', 'Look', recipe.scenario.look, 'eye', recipe.scenario.look)] : []),
    ...(recipe
      ? [
          part(
            'seed',
            'Seed',
            String(recipe.seed),
            'symbol-number',
            'The same scenario, seed and operations give the same events.',
          ),
        ]
      : []),
    ...settings.map(([name, value]) =>
      part(`set ${name}`, name, value, 'settings', 'A policy that was set for this run.'),
    ),
    part(
      'operations',
      'Operations',
      String(operations.length),
      'zap',
      'What was injected, in order.',
      operations.map((operation, i) => ({
        name: `${i}`,
        label: operation.op,
        description: operation.object ?? '',
        icon: 'zap',
        tooltip: JSON.stringify(operation),
      })),
    ),
  ];
}

const LOAD: Readonly<Record<OpenTrace['load'], string>> = {
  loading: 'loading~spin',
  ready: 'file',
  stopped: 'debug-pause',
  failed: 'error',
};

/** The view Traces: what is open, how far it is read, and how its lines were read. */
export class TracesView implements vscode.TreeDataProvider<TraceRow>, vscode.Disposable {
  readonly tree: vscode.TreeView<TraceRow>;
  readonly #sessions: Sessions;
  readonly #simulations: Simulations;
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly #throttle = new Throttle(
    () => this.#changed.fire(undefined),
    () => LOADING_MS,
  );
  readonly #watch: vscode.Disposable;
  #rows: ReadonlyMap<OpenTrace, TraceRow> = new Map();
  /** Traces that branches have left: they are shown expanded. */
  readonly #parents = new Set<OpenTrace>();

  readonly onDidChangeTreeData: vscode.Event<undefined> = this.#changed.event;

  constructor(sessions: Sessions, simulations: Simulations) {
    this.#sessions = sessions;
    this.#simulations = simulations;
    this.tree = vscode.window.createTreeView('irqscope.traces', { treeDataProvider: this });
    this.#watch = sessions.onDidChange(({ what, trace }) => {
      if (what !== 'cursor' && what !== 'selection') this.#throttle.ask();
      if (what === 'active' && trace && this.tree.visible) void this.#reveal(trace);
    });
  }

  getChildren(row?: TraceRow): TraceRow[] {
    if (!row) {
      // The one opened last comes first.
      this.#rows = this.#traceRows();
      return [...this.#rows.values()].filter(({ parent }) => parent === undefined);
    }
    const { trace } = row;
    const parts =
      row.name === '' ? [...recipeParts(trace), ...accountingParts(traceInfo(trace.session.trace))] : (row.below ?? []);
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
        : row.below && row.below.length > 0
          ? Collapsed
          : None,
    );
    item.id = row.id;
    item.description = row.description;
    const color = row.icon === 'warning' ? new vscode.ThemeColor('list.warningForeground') : undefined;
    item.iconPath = new vscode.ThemeIcon(row.icon, color);
    item.contextValue = isTrace ? contextOf(trace) : 'part';
    item.tooltip = isTrace ? traceTooltip(trace, active) : row.tooltip;
    item.accessibilityInformation = {
      label: [row.label, row.description, active ? 'active trace' : ''].filter(Boolean).join(', '),
    };
    if (row.line !== undefined)
      item.command = { command: 'irqscope.revealLine', title: 'Reveal Line', arguments: [trace.uri, row.line] };
    else if (isTrace)
      item.command = { command: 'irqscope.switchTrace', title: 'Switch Active Trace…', arguments: [trace.uri] };
    return item;
  }

  dispose(): void {
    this.#throttle.dispose();
    vscode.Disposable.from(this.tree, this.#watch, this.#changed).dispose();
  }

  /** Scrolls to a trace that has become active. */
  async #reveal(trace: OpenTrace): Promise<void> {
    // The editor knows the row only after the refresh that was just requested.
    await new Promise((done) => setTimeout(done, LOADING_MS + 100));
    const row = this.#rows.get(trace);
    if (row && trace === this.#sessions.active) await this.tree.reveal(row, { select: false, focus: false });
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
      const row = this.#traceRow(trace, left && add(left));
      rows.set(trace, row);
      return row;
    };
    for (const trace of this.#sessions.all.toReversed()) add(trace);
    return rows;
  }

  #traceRow(trace: OpenTrace, parent: TraceRow | undefined): TraceRow {
    const { length, first } = trace.session.trace;
    const { accounting } = first;
    const trouble = [
      [total(accounting.unknown), 'unknown'],
      [total(accounting.skipped), 'skipped'],
      [accounting.lost, 'lost'],
    ].map(([n, what]) => (Number(n) > 0 ? `${count(Number(n))} ${what}` : ''));
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
        trace.branch?.parent ? `from step ${trace.branch.step}` : '',
        `${count(length)}${trace.session.growing ? '+' : ''} events`,
        ...trouble,
      ]
        .filter(Boolean)
        .join(' · '),
      icon: active && trace.load === 'ready' ? 'target' : trace.branch ? branchIcon(trace) : LOAD[trace.load],
    };
  }
}

const branchIcon = ({ branch }: OpenTrace): string => (branch?.parent ? 'git-branch' : 'beaker');

/** The context value that menus use: the kind of a trace, and what can be done with it. */
function contextOf(trace: OpenTrace): string {
  if (trace.load === 'loading') return 'trace.loading';
  const { branch } = trace;
  if (branch) return `trace branch${branch.recipe ? ' scenario' : ''}`;
  return hasRecipe(trace) ? 'trace recipe' : 'trace';
}

function traceTooltip(trace: OpenTrace, active: boolean): vscode.MarkdownString {
  const { first: meta, length } = trace.session.trace;
  const text = new vscode.MarkdownString(`**${plain(trace.label)}**${active ? ' (active)' : ''}\n\n`);
  if (!trace.branch) text.appendMarkdown(`${code(vscode.workspace.asRelativePath(trace.uri))}\n\n`);
  text.appendMarkdown(plain(`${meta.format}, ${meta.variant}: ${count(length)} events`));
  if (trace.error !== undefined) text.appendMarkdown(`\n\nReading failed: ${plain(trace.error)}`);
  if (trace.load === 'stopped') text.appendMarkdown('\n\nReading was stopped. Open the file again to read all of it.');
  return text;
}
