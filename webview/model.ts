import type { TimeBase } from '../src/base/time.ts';
import type { CursorMessage, LanesMessage, LayerMessage, TraceMessage } from '../src/protocol/timeline.ts';
import type { AxisKind, LaneRow } from '../src/view/lanes/values.ts';
import type { Memory } from './memory.ts';
import { cursorPlace, type Range } from './overlay.ts';
import { Rows, type ShownRow } from './rows.ts';
import { unitOf } from './ticks.ts';
import { Viewport } from './viewport.ts';

/** What is shown of a trace. */
type View = Pick<Memory, 'axis' | 'fitted' | 'from' | 'to' | 'focused'>;

const NO_TIME: TimeBase = { base: 0n, ticks: false, digits: 6 };

/** What the timeline shows, as the host told it and the user arranged it; knows nothing of the page. */
export class Model {
  readonly viewport = new Viewport();
  readonly rows = new Rows();
  trace: TraceMessage | undefined;
  layers: readonly LayerMessage[] = [];
  cursor: CursorMessage | undefined;
  range: Range | undefined;
  /** Lane that keys act upon; -1 for none. */
  focused = -1;
  time: TimeBase = NO_TIME;
  #selection = '';
  /** What was shown of other traces when they were left. */
  readonly #left = new Map<number, View>();
  /** What an earlier page left and is not used up yet. */
  #memory: Memory | undefined;

  /** Path of the lane that had the focus in an earlier page, until that lane is there. */
  #wanted: string | undefined;

  constructor(memory: Memory | undefined) {
    this.#memory = memory;
    this.#wanted = memory?.focused;
    if (!memory) return;
    for (const [path, open] of memory.turned) this.rows.turned.set(path, open);
    this.rows.setFilter(memory.filter);
  }

  /** Smallest difference between two places. */
  get unit(): number {
    return unitOf(this.viewport.axis, this.time);
  }

  get focusedRow(): ShownRow | undefined {
    return this.rows.rows[this.rows.indexOf(this.focused)];
  }

  /** Place of the cursor, where it has one. */
  get cursorPlace(): number | undefined {
    return cursorPlace(this.cursor, this.viewport.axis);
  }

  /** The row that the cursor's event is shown in: its lane, or the closed group that its lane is in; -1 for none. */
  get cursorRow(): number {
    let lane = this.cursor?.lane ?? -1;
    while (lane >= 0) {
      const row = this.rows.indexOf(lane);
      if (row >= 0) return row;
      lane = this.rows.byId(lane)?.parent ?? -1;
    }
    return -1;
  }

  /** Takes what the host says of the trace; returns whether it is another one. */
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
      this.focused = -1;
      viewport.fitted = true;
    }
    // Which axis suits a trace shows when there are events.
    if (other || before?.indexed === 0 || trace.axis === 'step') viewport.axis = trace.axis;
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

  /**
   * Takes where the cursor is. Returns whether it moved, and the lane that other views have selected meanwhile, or -1.
   */
  setCursor(cursor: CursorMessage): { moved: boolean; selected: number } {
    if (cursor.trace !== this.trace?.id) return { moved: false, selected: -1 };
    const first = this.cursor === undefined;
    const moved = cursor.step !== this.cursor?.step;
    this.cursor = cursor;
    const place = this.cursorPlace;
    // While the trace is read the cursor goes with its end, and a page that comes back shows what it showed: then the
    // picture stays where it is.
    if (moved && !first && place !== undefined && this.trace.status !== 'loading') this.viewport.reveal(place);
    if (cursor.selection === this.#selection) return { moved, selected: -1 };
    this.#selection = cursor.selection;
    return { moved, selected: this.#laneAbout(cursor.selection) };
  }

  /** The user chose a lane here: the same selection coming back is no news. Returns its path. */
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
    // The two axes have no formula between them: what stays in view is the cursor, and how large the view is.
    const centre = this.cursorPlace ?? (viewport.extent.from + viewport.extent.to) / 2;
    const half = (length() * share) / 2;
    viewport.show(centre - half, centre + half);
  }

  /** Tells the viewport how long the axis is; `width` when the room for it changed. */
  applyExtent(width = this.viewport.width): void {
    const [from, to] = this.trace?.extents[this.viewport.axis] ?? [0, 0];
    this.viewport.resize(width, { from, to }, this.unit);
  }

  /** A row as the host is asked for it: an open group without events of its own stands for all that is in it. */
  rowOf({ lane, deep }: ShownRow): LaneRow {
    return { lane: lane.id, deep: deep || lane.events === 0 };
  }

  #view(): View {
    const { axis, fitted, from, to } = this.viewport;
    return { axis, fitted, from, to, focused: this.rows.byId(this.focused)?.path ?? '' };
  }

  #goBack({ axis, fitted, from, to, focused }: View): void {
    if (this.trace?.axis !== 'step') this.setAxis(axis);
    if (!fitted) this.viewport.show(from, to);
    this.#wanted = focused;
  }

  /** What a later page needs to go on from here. */
  remember(page: Pick<Memory, 'namesWidth' | 'scrollTop' | 'legend'>): Memory {
    const { turned, filter } = this.rows;
    return { ...page, ...this.#view(), trace: this.trace?.name ?? '', turned: [...turned], filter };
  }

  /** Shows the part that an earlier page showed, once the trace is there as it was then. */
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
    // The lane that had the focus may have been found already.
    const wanted = this.#wanted;
    this.#goBack(memory);
    this.#wanted = wanted;
  }

  /** The lane of an object, or of the nearest thing above it that has one; -1 for none. */
  #laneAbout(path: string): number {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const lane = this.rows.byPath(path.slice(0, end));
      if (lane) return lane.id;
    }
    return -1;
  }
}
