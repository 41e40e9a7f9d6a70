import type { TimeBase } from '../src/base/time.ts';
import type { SearchMessage } from '../src/protocol/query.ts';
import type {
  CursorMessage,
  DifferencesMessage,
  FindingsMessage,
  FoundMessage,
  HitLanesMessage,
  LanesMessage,
  LayerMessage,
  LayoutMessage,
  PathMessage,
  TraceMessage,
} from '../src/protocol/timeline.ts';
import type { AxisKind, LaneRow } from '../src/view/lanes/values.ts';
import type { Memory } from './memory.ts';
import { cursorPlace, type Range } from './overlay.ts';
import { Rows, type ShownRow } from './rows.ts';
import { unitOf } from './ticks.ts';
import { Viewport } from './viewport.ts';

/** The part of a trace on display: axis, range and focus. */
type View = Pick<Memory, 'axis' | 'fitted' | 'from' | 'to' | 'focused'>;

const NO_TIME: TimeBase = { base: 0n, ticks: false, digits: 6 };

/** The content of the timeline: what the host told, and how the user arranged it. It does not depend on the page. */
export class Model {
  readonly viewport = new Viewport();
  readonly rows = new Rows();
  trace: TraceMessage | undefined;
  layers: readonly LayerMessage[] = [];
  cursor: CursorMessage | undefined;
  range: Range | undefined;
  /** The events of the delivery path that is shown, in order. */
  path: PathMessage['hops'] = [];
  /** Where the trace differs from the one that it is compared with. */
  differences: DifferencesMessage['places'] = [];
  /** Where findings show. */
  findings: FindingsMessage['places'] = [];
  /** The events that a search found, nearest to the cursor. */
  found: FoundMessage['places'] = [];
  /** The search whose hits are told apart; undefined for none. */
  search: SearchMessage | undefined;
  /** Events that do not fit are left out, not dimmed. */
  hitsOnly = false;
  /** The lanes with hits, and the search that they are of. */
  #hitLanes: { readonly search: number; readonly lanes: ReadonlySet<number> } = { search: 0, lanes: new Set() };
  /** The lane that the keys act on; -1 for none. */
  focused = -1;
  time: TimeBase = NO_TIME;
  #selection = '';
  /** The view of each other trace, saved when the user left that trace. */
  readonly #left = new Map<number, View>();
  /** The part of the memory of an earlier page that is still to be restored. */
  #memory: Memory | undefined;

  /** The path of the lane that had the focus in an earlier page. It is kept until the host sends that lane. */
  #wanted: string | undefined;

  constructor(memory: Memory | undefined) {
    this.#memory = memory;
    this.#wanted = memory?.focused;
    if (!memory) return;
    for (const [path, open] of memory.turned) this.rows.turned.set(path, open);
    this.rows.setFilter(memory.filter);
    this.hitsOnly = memory.hitsOnly;
  }

  /** The smallest difference between two places on the axis. */
  get unit(): number {
    return unitOf(this.viewport.axis, this.time);
  }

  get focusedRow(): ShownRow | undefined {
    return this.rows.rows[this.rows.indexOf(this.focused)];
  }

  /** The place of the cursor on the axis; undefined if it has none. */
  get cursorPlace(): number | undefined {
    return cursorPlace(this.cursor, this.viewport.axis);
  }

  /** The marked range with its end at the cursor; where none is marked, the cursor's place alone. */
  get rangeToCursor(): Range | undefined {
    const place = this.cursorPlace;
    return place === undefined ? this.range : { from: this.range?.from ?? place, to: place };
  }

  /** Where the cursor of the other trace of a comparison is: its place on the axis, and its row (-1: none). */
  get otherCursor(): { readonly place: number; readonly row: number } | undefined {
    const [other] = this.cursor?.other ?? [];
    return other && { place: other.time, row: this.rowShowing(other.lane) };
  }

  /** The row that shows the event at the cursor: its lane, or the closed group that contains the lane; -1 for none. */
  get cursorRow(): number {
    return this.rowShowing(this.cursor?.lane ?? -1);
  }

  /** The row that shows a lane, or the closed group that contains it; -1 for none. */
  rowShowing(of: number): number {
    let lane = of;
    while (lane >= 0) {
      const row = this.rows.indexOf(lane);
      if (row >= 0) return row;
      lane = this.rows.above(lane);
    }
    return -1;
  }

  /** Stores what the host says about the trace. Returns true if it is another trace than before. */
  setTrace(trace: TraceMessage): boolean {
    const before = this.trace;
    const other = trace.id !== before?.id;
    this.trace = trace;
    this.time = { ...trace.time, base: BigInt(trace.time.base) };
    const { viewport } = this;
    if (other) {
      if (before && before.id !== 0) this.#left.set(before.id, this.#view());
      this.rows.setLanes([]);
      this.range = undefined;
      this.cursor = undefined;
      this.path = [];
      this.differences = [];
      this.findings = [];
      this.found = [];
      this.search = undefined;
      this.#chooseLanes();
      this.focused = -1;
      viewport.fitted = true;
    }
    // The host knows the right axis only when the trace has events.
    if (other || before?.indexed === 0 || trace.axis !== 'time') viewport.axis = trace.axis;
    this.applyExtent();
    const left = other ? this.#left.get(trace.id) : undefined;
    if (left) this.#goBack(left);
    this.#recall();
    return other;
  }

  setLanes({ trace, layers, lanes }: LanesMessage): void {
    if (trace !== this.trace?.id) return;
    this.layers = layers;
    this.rows.setLanes(lanes);
    const wanted = this.#wanted === undefined ? undefined : this.rows.byPath(this.#wanted);
    if (wanted) this.#wanted = undefined;
    const focused = wanted ?? this.rows.byId(this.focused) ?? this.rows.rows[0]?.lane;
    this.focused = focused?.id ?? -1;
  }

  setLayout({ trace, lanes }: LayoutMessage): void {
    if (trace === this.trace?.id) this.rows.arrangeLike(lanes);
  }

  setPath({ trace, hops }: PathMessage): void {
    if (trace === this.trace?.id) this.path = hops;
  }

  setFindings({ trace, places }: FindingsMessage): void {
    if (trace === this.trace?.id) this.findings = places;
  }

  setFound({ trace, places }: FoundMessage): void {
    if (trace === this.trace?.id) this.found = places;
  }

  setSearch(search: SearchMessage): void {
    if (search.trace !== this.trace?.id) return;
    this.search = search.state === 'none' ? undefined : search;
    this.#chooseLanes();
  }

  setHitLanes({ trace, search, lanes }: HitLanesMessage): void {
    if (trace !== this.trace?.id) return;
    this.#hitLanes = { search, lanes: new Set(lanes) };
    this.#chooseLanes();
  }

  setHitsOnly(on: boolean): void {
    this.hitsOnly = on;
    this.#chooseLanes();
  }

  /** Shows the lanes with hits only, once they are known. */
  #chooseLanes(): void {
    const { search, lanes } = this.#hitLanes;
    const known = this.search !== undefined && this.search.id === search;
    this.rows.setOnly(known && this.hitsOnly ? lanes : undefined);
  }

  setDifferences({ trace, places }: DifferencesMessage): void {
    if (trace === this.trace?.id) this.differences = places;
  }

  /**
   * Stores the position of the cursor. `moved`: the cursor is at another step than before. `selected`: the lane that another view selected, or -1.
   */
  setCursor(cursor: CursorMessage): { moved: boolean; selected: number } {
    if (cursor.trace !== this.trace?.id) return { moved: false, selected: -1 };
    const first = this.cursor === undefined;
    const moved = cursor.step !== this.cursor?.step;
    this.cursor = cursor;
    const place = this.cursorPlace;
    // The picture does not follow the cursor in two cases: while the trace is read, because the cursor moves with its end; and in a
    // page that comes back, because it shows the same part as before.
    if (moved && !first && place !== undefined && this.trace.status !== 'loading') this.viewport.reveal(place);
    if (cursor.selection === this.#selection) return { moved, selected: -1 };
    this.#selection = cursor.selection;
    return { moved, selected: this.#laneAbout(cursor.selection, cursor.side) };
  }

  /** Stores the lane that the user chose here, so that the same selection from the host changes nothing. Returns the path of the lane. */
  choose(lane: number): string {
    this.#wanted = undefined;
    this.#selection = this.rows.byId(lane)?.path ?? '';
    return this.#selection;
  }

  setAxis(axis: AxisKind): void {
    const { viewport } = this;
    if (axis === viewport.axis) return;
    const length = (): number => Math.max(this.unit, viewport.extent.to - viewport.extent.from);
    const share = (viewport.to - viewport.from) / length();
    viewport.axis = axis;
    this.range = undefined;
    this.applyExtent();
    if (viewport.fitted) return;
    // No formula leads from one axis to the other. The view keeps the cursor in its middle, and its share of the axis.
    const centre = this.cursorPlace ?? (viewport.extent.from + viewport.extent.to) / 2;
    const half = (length() * share) / 2;
    viewport.show(centre - half, centre + half);
  }

  /** Tells the viewport the length of the axis, and its `width` if that changed. */
  applyExtent(width = this.viewport.width): void {
    const [from, to] = this.trace?.extents[this.viewport.axis] ?? [0, 0];
    this.viewport.resize(width, { from, to }, this.unit);
  }

  /** The row in the form of a request to the host. An open group without events of its own shows the events of all lanes in it. */
  rowOf({ lane, deep }: ShownRow): LaneRow {
    return { lane: lane.id, deep: deep || lane.events === 0 };
  }

  #view(): View {
    const { axis, fitted, from, to } = this.viewport;
    return { axis, fitted, from, to, focused: this.rows.byId(this.focused)?.path ?? '' };
  }

  #goBack({ axis, fitted, from, to, focused }: View): void {
    if (this.trace?.axis === 'time') this.setAxis(axis);
    if (!fitted) this.viewport.show(from, to);
    this.#wanted = focused;
  }

  /** Everything that a later page needs to show the same picture. */
  remember(page: Pick<Memory, 'namesWidth' | 'scrollTop' | 'legend'>): Memory {
    const { turned, filter } = this.rows;
    const { hitsOnly } = this;
    return { ...page, ...this.#view(), trace: this.trace?.name ?? '', turned: [...turned], filter, hitsOnly };
  }

  /** Restores the view of an earlier page after the same trace is read and indexed. */
  #recall(): void {
    const memory = this.#memory;
    const { trace } = this;
    if (!memory || !trace || trace.id === 0) return;
    if (trace.name !== memory.trace) {
      this.#memory = undefined;
      this.#wanted = undefined;
      return;
    }
    if (trace.status === 'loading' || trace.indexed < trace.events || trace.events === 0) return;
    this.#memory = undefined;
    // An earlier call may have found the lane with the focus.
    const wanted = this.#wanted;
    this.#goBack(memory);
    this.#wanted = wanted;
  }

  /** The lane of an object, or of its nearest ancestor with a lane; -1 for none. */
  #laneAbout(path: string, side: CursorMessage['side']): number {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const lane = this.rows.byPath(path.slice(0, end), side);
      if (lane) return lane.id;
    }
    return -1;
  }
}
