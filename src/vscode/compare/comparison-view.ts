import * as vscode from 'vscode';
import { byName } from '../../base/by-name.ts';
import type { Step } from '../../base/ids.ts';
import type { Slices } from '../../base/slices.ts';
import type { Place } from '../../query/diff/places.ts';
import type { ComparedParts } from '../../view/comparison/parts.ts';
import type { ComparisonRow } from '../../view/comparison/rows.ts';
import { plain } from '../../view/outline/explain.ts';
import { setContext } from '../contexts.ts';
import type { OpenTrace, Sessions } from '../sessions.ts';
import { RefreshGate } from '../views/refresh-gate.ts';
import { finish } from '../views/slices.ts';
import type { ShownComparison } from './compared-timeline.ts';

/** What is compared: the events of two traces, or their states after two steps (of one trace or of two). */
export interface Compared {
  readonly a: OpenTrace;
  readonly b: OpenTrace;
  readonly steps?: readonly [a: Step, b: Step];
}

/** What came of a comparison: its rows, a line about it, and where the traces differ (undefined where states are compared). */
interface Found {
  readonly rows: readonly ComparisonRow[];
  readonly summary: string;
  readonly places: ((side: 'a' | 'b', most: number) => readonly Place[]) | undefined;
  /** What the lanes of both show; undefined where states of two traces are compared. */
  readonly parts: ComparedParts | undefined;
  /** The row about an event of a trace, or about an object. */
  readonly rowAbout: (place: PickedPlace) => ComparisonRow | undefined;
}

/** An event of one of the traces, or an object of it. */
export type PickedPlace = Parameters<ShownComparison['picked']>[0];

/** An event that a row leads to: a step of trace A, or of B. */
export interface VisitedSteps {
  readonly stepA?: Step;
  readonly stepB?: Step;
}

/** Numbers of comparisons lie above those of traces. */
const FIRST_NUMBER = 2 ** 32;

/** The code that compares is loaded when it is needed first. */
async function loadMachinery() {
  const [events, states, places, rows, stateRows, parts] = await Promise.all([
    import('../../query/diff/compare.ts'),
    import('../../query/diff/states.ts'),
    import('../../query/diff/places.ts'),
    import('../../view/comparison/rows.ts'),
    import('../../view/comparison/state-rows.ts'),
    import('../../view/comparison/parts.ts'),
  ]);
  return { ...events, ...states, ...places, ...rows, ...stateRows, ...parts };
}

/** A comparison that takes longer than this many milliseconds shows a notification with which it can be given up. */
const SLOW_MS = 1000;
/** Milliseconds of comparing before other work of the editor has its turn. */
const SLICE_MS = 20;

const COLORS: Readonly<Record<string, string>> = byName({
  'diff-added': 'gitDecoration.addedResourceForeground',
  'diff-removed': 'gitDecoration.deletedResourceForeground',
  'diff-modified': 'gitDecoration.modifiedResourceForeground',
  pass: 'testing.iconPassed',
});

const sourcesOf = ({ a, b }: Compared): number =>
  [a, b].reduce((sum, { session }) => sum + session.trace.sources.length, 0);

/** The view *Comparison*: what differs between two traces or two states. It takes no room while nothing is compared. */
export class ComparisonView implements vscode.TreeDataProvider<ComparisonRow>, vscode.Disposable {
  readonly tree: vscode.TreeView<ComparisonRow>;
  readonly #gate = new RefreshGate<ComparisonRow>();
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly #visited = new vscode.EventEmitter<VisitedSteps>();
  readonly #watches: vscode.Disposable;
  readonly #sessions: Sessions;
  #compared: Compared | undefined;
  #found: Found | undefined;
  /** The comparison as a timeline shows it. */
  #lanes: ShownComparison | undefined;
  /** What is being compared. */
  #pending: Compared | undefined;
  /** Number of the comparison that was asked for last: an older one that is still under way is given up. */
  #asked = 0;
  /** How many sources the traces that are compared have. */
  #sources = 0;
  /** Number of the comparison that is shown. */
  #shown = 0;

  readonly onDidChangeTreeData: vscode.Event<ComparisonRow[] | undefined> = this.#gate.onDidChange;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
    this.tree = vscode.window.createTreeView('irqscope.comparison', {
      treeDataProvider: this.#gate.provider(this),
      showCollapseAll: true,
    });
    this.#watches = vscode.Disposable.from(
      this.tree,
      this.#gate,
      this.#changed,
      this.#visited,
      sessions.onDidChange(({ what, trace }) => {
        if (what === 'trace') this.#joined(trace);
        if (what !== 'closed') return;
        if (trace === this.#pending?.a || trace === this.#pending?.b) this.#giveUp();
        if (trace === this.#compared?.a || trace === this.#compared?.b) this.#clear();
      }),
    );
    setContext('comparison', false);
  }

  /** The user went to an event of a row. */
  readonly onDidVisit: vscode.Event<VisitedSteps> = this.#visited.event;

  /** Another comparison is shown, or none. */
  readonly onDidCompare: vscode.Event<undefined> = this.#changed.event;

  /** Where a trace differs from the one that it is compared with; nothing where it is not compared. */
  placesIn({ id }: { readonly id: number }, most: number): readonly Place[] {
    const { a, b } = this.#compared ?? {};
    if (this.#found?.places === undefined || (id !== a?.id && id !== b?.id)) return [];
    return this.#found.places(id === a?.id ? 'a' : 'b', most);
  }

  /** What is compared, as a timeline of both traces shows it; undefined while nothing is. */
  get lanes(): ShownComparison | undefined {
    return this.#lanes;
  }

  /** Tells that the user went to an event of a row: a step of trace A or of B. */
  visit(steps: VisitedSteps): void {
    this.#visited.fire(steps);
  }

  /** Selects the row about an event or an object, if the view is on display. */
  async select(place: PickedPlace): Promise<void> {
    const row = this.tree.visible ? this.#found?.rowAbout(place) : undefined;
    if (row) await this.#gate.showing(() => this.tree.reveal(row, { select: true, focus: false }));
  }

  /** What is compared now. */
  get compared(): Compared | undefined {
    return this.#compared;
  }

  /** The topmost rows. */
  get rows(): readonly ComparisonRow[] {
    return this.#found?.rows ?? [];
  }

  getChildren(row?: ComparisonRow): ComparisonRow[] {
    return [...(row ? row.below() : this.rows)];
  }

  getParent(row: ComparisonRow): ComparisonRow | undefined {
    return row.parent;
  }

  getTreeItem(row: ComparisonRow): vscode.TreeItem {
    const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
    const leads = row.kind === 'subject' || row.kind === 'numbers';
    const item = new vscode.TreeItem(row.label, leads ? (row.open ? Expanded : Collapsed) : None);
    item.id = `${this.#shown} ${row.id}`;
    item.description = row.description;
    const color = COLORS[row.icon];
    if (row.icon !== '')
      item.iconPath = new vscode.ThemeIcon(row.icon, color === undefined ? undefined : new vscode.ThemeColor(color));
    if (row.tooltip.length > 0) item.tooltip = new vscode.MarkdownString(row.tooltip.map(plain).join('\n\n'));
    // Which of the two traces the row can lead to.
    const places = [row.stepA === undefined ? '' : 'a', row.stepB === undefined ? '' : 'b'].join('');
    item.contextValue = `${row.kind} ${places}`.trimEnd();
    item.accessibilityInformation = { label: [row.label, row.description].filter(Boolean).join(', ') };
    if (places !== '')
      item.command = { command: 'irqscope.goToDifference', title: 'Go to Difference', arguments: [row] };
    return item;
  }

  /**
   * Compares, shows what was found, and gives it in one line; undefined when another comparison was asked for meanwhile, one of the traces
   * was closed, or the user gave it up.
   */
  async show(compared: Compared): Promise<string | undefined> {
    this.#giveUp();
    const asked = this.#asked;
    this.#pending = compared;
    const work = this.#compare(compared, asked);
    const slow = setTimeout(() => this.#offerToCancel(work, asked), SLOW_MS);
    const { a, b } = compared;
    let found: Found | undefined;
    try {
      const options = { location: vscode.ProgressLocation.Window, title: 'Comparing traces' };
      found = await vscode.window.withProgress(options, () => work);
    } finally {
      clearTimeout(slow);
      if (asked === this.#asked) this.#pending = undefined;
    }
    if (found === undefined || asked !== this.#asked) return undefined;
    this.#compared = compared;
    this.#sources = sourcesOf(compared);
    this.#shown = asked;
    this.#found = found;
    this.#lanes = found.parts && this.#lanesOf(compared, found.parts);
    this.tree.description = a === b ? a.label : `${a.label} ↔ ${b.label}`;
    this.tree.message = found.summary;
    setContext('comparison', true);
    this.#gate.refresh(undefined);
    this.#changed.fire(undefined);
    return found.summary;
  }

  /** Further sources joined a trace that is compared: its events have other steps. Of two steps nothing is compared any more. */
  #joined(trace: OpenTrace): void {
    const compared = this.#compared;
    if (!compared || (trace !== compared.a && trace !== compared.b)) return;
    if (sourcesOf(compared) === this.#sources) return;
    this.#clear();
    if (compared.steps === undefined) void this.show(compared);
  }

  #lanesOf({ a, b }: Compared, found: ComparedParts): ShownComparison {
    const sessions = this.#sessions;
    return {
      ...{ id: FIRST_NUMBER + this.#shown, a, b, found },
      active: () => (sessions.active === b ? 'b' : 'a'),
      activate: (side) => sessions.activate(side === 'a' ? a : b),
      picked: (place) => void this.select(place),
    };
  }

  /** Shows no comparison any more, and gives up the one that is under way. */
  close(): void {
    this.#giveUp();
    this.#clear();
  }

  #clear(): void {
    this.#compared = undefined;
    this.#found = undefined;
    this.#lanes = undefined;
    setContext('comparison', false);
    this.#gate.refresh(undefined);
    this.#changed.fire(undefined);
  }

  dispose(): void {
    this.#giveUp();
    this.#watches.dispose();
  }

  #giveUp(): void {
    this.#asked++;
    this.#pending = undefined;
  }

  /** Shows a comparison that takes long as a notification with a button that ends it. */
  #offerToCancel(work: Promise<unknown>, asked: number): void {
    const title = 'Comparing traces';
    const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
    void vscode.window.withProgress(options, async (_, token) => {
      const cancelled = new Promise<void>((done) => {
        token.onCancellationRequested(() => {
          if (asked === this.#asked) this.#giveUp();
          done();
        });
      });
      const over = work.then(
        () => undefined,
        () => undefined,
      );
      await Promise.race([over, cancelled]);
    });
  }

  /** What a comparison finds; undefined when it is given up. */
  async #compare({ a, b, steps }: Compared, asked: number): Promise<Found | undefined> {
    await Promise.all([a.loaded, b.loaded]);
    const machinery = await loadMachinery();
    const [x, y] = [a.session.trace, b.session.trace];
    if (steps) {
      const found = await this.#finish(machinery.comparingStates(x, steps[0], y, steps[1]), asked);
      if (found === undefined) return undefined;
      const rows = machinery.stateRows(found);
      return {
        rows,
        summary: machinery.stateSummary(found, ...steps),
        places: undefined,
        parts: x === y ? new machinery.ComparedSteps(steps, found) : undefined,
        rowAbout: ({ step = -1, path = step < 0 ? '' : x.world.path(x.table.object(step)) }) =>
          machinery.rowOfObject(rows, path),
      };
    }
    const comparison = await this.#finish(machinery.comparing(x, y), asked);
    if (comparison === undefined) return undefined;
    const rows = machinery.comparisonRows(comparison);
    const parts = new machinery.ComparedEvents(comparison);
    return {
      rows,
      summary: machinery.summaryOf(comparison),
      places: (side, most) => machinery.placesIn(comparison, side, most),
      parts,
      rowAbout: ({ side, step = -1 }) => {
        const difference = parts.difference(side === 'a' ? 0 : 1, step);
        return difference && machinery.rowOfDifference(comparison, rows, difference);
      },
    };
  }

  /** Takes a work to its end in slices; undefined when it is given up. */
  async #finish<T>(work: Slices<T>, asked: number): Promise<T | undefined> {
    const wanted = (): boolean => asked === this.#asked;
    return wanted() ? finish(work, { ms: SLICE_MS, wanted }) : undefined;
  }
}
