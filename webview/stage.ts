import type { Peer } from '../src/protocol/rpc.ts';
import { type FindingsMessage, questions } from '../src/protocol/timeline.ts';
import { perFrame, setText } from './dom.ts';
import { pinCovers } from './draw/findings.ts';
import { type Layout, NARROWEST, RULER } from './layout.ts';
import type { Model } from './model.ts';
import type { Names } from './names.ts';
import { drawFlags, drawOverlay, rangeText } from './overlay.ts';
import { drawLanes, drawRuler, type Scene } from './picture.ts';
import type { ShownRow } from './rows.ts';
import { ROW } from './shapes.ts';
import { noLaneText } from './states.ts';
import { readTheme, type Theme } from './theme.ts';
import { Windows } from './windows.ts';

/** Most of the width that the names may have. */
const WIDEST = 0.7;
/** Rows that are fetched above and below those on display, as a share of these. */
const SPARE_ROWS = 0.5;

/** Milliseconds between two windows that are fetched because a search went on, and how much longer than an answer takes. */
const SEARCH_MS = 400;
const SEARCH_SHARE = 5;

/** What the stage needs of the rest. */
export interface StageParts {
  readonly layout: Layout;
  readonly model: Model;
  readonly names: Names;
  readonly peer: Peer;
  /** Called after the lanes were drawn. */
  readonly drawn: () => void;
  readonly problem: (error: unknown) => void;
}

/** Draws the model into the page, as often as something changed and no oftener than the screen shows it. */
export class Stage {
  theme: Theme = readTheme();
  /** Lane under the pointer, -1 for none. */
  hovered = -1;
  /** Pixel of the picture that the pointer is at. */
  pointer: number | undefined;
  namesWidth: number;
  /** Scroll position of an earlier page, until there are rows to scroll. */
  scrollTo: number | undefined;
  readonly #parts: StageParts;
  readonly #windows: Windows;
  /** Whether the lanes must be drawn again, or only what lies over them. */
  #stale = true;
  #seen = { search: 0, searched: 0, at: 0 };
  readonly #frame = perFrame(() => this.#draw());

  constructor(parts: StageParts, namesWidth: number) {
    this.#parts = parts;
    this.namesWidth = namesWidth;
    this.#windows = new Windows(
      (question) => parts.peer.ask(questions.window, question),
      () => this.redraw(),
      parts.problem,
    );
  }

  /** Forgets what was fetched: another trace. */
  clear(): void {
    this.#windows.clear();
  }

  /** Reads the colours again. */
  dress(): void {
    this.theme = readTheme();
    this.redraw();
  }

  /** Draws everything at the next frame. */
  redraw(): void {
    this.#stale = true;
    this.#frame();
  }

  /** Draws what lies over the lanes at the next frame. */
  redrawOver(): void {
    this.#frame();
  }

  /** Draws everything now. */
  drawNow(): void {
    this.#stale = true;
    this.#draw();
  }

  /** Fits everything to the room there is. */
  resize(): void {
    const { body, scroller, ruler, flags, lanes, overlay, stage, splitter } = this.#parts.layout;
    const most = Math.max(NARROWEST, body.clientWidth * WIDEST);
    this.namesWidth = Math.round(Math.max(NARROWEST, Math.min(most, this.namesWidth)));
    body.style.setProperty('--names', `${this.namesWidth}px`);
    splitter.setAttribute('aria-valuenow', String(this.namesWidth));
    splitter.setAttribute('aria-valuemax', String(Math.round(most)));
    const width = Math.max(1, scroller.clientWidth - this.namesWidth);
    const height = scroller.clientHeight;
    for (const surface of [ruler, flags]) surface.resize(width, RULER);
    for (const surface of [lanes, overlay]) surface.resize(width, height);
    stage.style.width = `${width}px`;
    stage.style.height = `${height}px`;
    this.#parts.model.applyExtent(width);
    // At once: an empty canvas would flash.
    this.drawNow();
  }

  /** Gives the scroller as much to scroll as there are rows. */
  fitContent(): void {
    const { content, scroller } = this.#parts.layout;
    content.style.height = `${this.#parts.model.rows.rows.length * ROW}px`;
    if (this.scrollTo === undefined || this.#parts.model.rows.rows.length === 0) return;
    scroller.scrollTop = this.scrollTo;
    this.scrollTo = undefined;
  }

  /** The findings whose pins are at a place of the picture, the worst first. */
  findingsAt(x: number, y: number): FindingsMessage['places'] {
    const { findings, viewport } = this.#parts.model;
    return findings.filter((one) => pinCovers({ ...this.#pointOf(one), severity: one.severity }, viewport, x, y));
  }

  /** Where an event is drawn: its place on the axis, and the middle of its row (undefined: no row). */
  #pointOf({ step, time, lane }: { readonly step: number; readonly time: number; readonly lane: number }): {
    readonly place: number;
    readonly row: number | undefined;
  } {
    const { model } = this.#parts;
    const row = model.rowShowing(lane);
    return {
      place: model.viewport.axis === 'step' ? step : time,
      row: this.#middleOf(row),
    };
  }

  /** The middle of a row by its number, measured from the top of the picture; undefined for none (-1). */
  #middleOf(row: number): number | undefined {
    return row < 0 ? undefined : row * ROW - this.#parts.layout.scroller.scrollTop + ROW / 2;
  }

  #draw(): void {
    const { ruler, flags, lanes, overlay, scroller, noLane } = this.#parts.layout;
    const model = this.#parts.model;
    const { viewport, rows } = model;
    if (this.#stale) {
      this.#stale = false;
      this.fitContent();
      const { scrollTop, clientHeight } = scroller;
      const first = Math.floor(scrollTop / ROW);
      const last = Math.min(rows.rows.length, Math.ceil((scrollTop + clientHeight) / ROW));
      const scene: Scene = {
        ...{ theme: this.theme, viewport, rows: rows.rows, layers: model.layers, time: model.time, unit: model.unit },
        ...{ fetched: this.#windows.fetched, scrollTop, focused: model.focused, hovered: this.hovered },
        ...{ cursor: model.cursor, hitsOnly: model.hitsOnly },
      };
      drawRuler(ruler, scene);
      drawLanes(lanes, scene);
      this.#parts.names.update(first, last, model.focused, this.hovered);
      this.#want(first, last);
      this.#describeView();
      const empty = rows.rows.length === 0 && rows.lanes.length > 0;
      setText(noLane, empty ? noLaneText(rows.filter, model.search, model.hitsOnly) : '');
      this.#parts.drawn();
    }
    const other = model.otherCursor;
    const over = {
      ...{
        theme: this.theme,
        viewport,
        time: model.time,
        cursor: model.cursor,
        range: model.range,
        pointer: this.pointer,
      },
      cursorRow: this.#middleOf(model.cursorRow),
      other: other && { place: other.place, row: this.#middleOf(other.row) },
      findings: model.findings.map((one) => ({ ...this.#pointOf(one), severity: one.severity })),
      differences: [
        ...model.differences.map((one) => ({ ...this.#pointOf(one), kind: one.kind })),
        // Where only hits are drawn, they need no brackets.
        ...(model.hitsOnly ? [] : model.found).map((one) => ({ ...this.#pointOf(one), kind: 'found' as const })),
      ],
      path: model.path.map((hop) => ({ ...this.#pointOf(hop), seen: hop.seen })),
    };
    drawOverlay(overlay, over);
    drawFlags(flags, over);
    const { range } = model;
    setText(this.#parts.layout.range, range ? `Δ ${rangeText(range, viewport.axis, model.time)}` : '');
  }

  #want(first: number, last: number): void {
    const { trace, rows, viewport } = this.#parts.model;
    if (!trace || trace.id === 0 || trace.indexed === 0) return;
    const spare = Math.ceil((last - first) * SPARE_ROWS);
    const asRow = ({ lane, deep }: ShownRow) => ({ lane: lane.id, deep });
    const needed = rows.rows.slice(first, last).map(asRow);
    const wanted = rows.rows.slice(Math.max(0, first - spare), last + spare).map(asRow);
    const { search, searched } = this.#searched();
    const { id, indexed } = trace;
    this.#windows.want({ trace: id, viewport, rows: wanted, needed, indexed, search, searched });
  }

  /** How far the search must be whose hits are drawn. While it goes on, not every bit of progress is fetched. */
  #searched(): { search: number; searched: number } {
    const { search } = this.#parts.model;
    if (!search) {
      this.#seen = { search: 0, searched: 0, at: 0 };
    } else if (search.id !== this.#seen.search || search.state !== 'running' || this.#isOld()) {
      this.#seen = { search: search.id, searched: search.done, at: Date.now() };
    }
    return this.#seen;
  }

  #isOld(): boolean {
    return Date.now() - this.#seen.at > Math.max(SEARCH_MS, SEARCH_SHARE * this.#windows.took);
  }

  /** The line below the picture: what part of the trace is shown, and the event at the cursor. */
  #describeView(): void {
    const { viewport, time, cursor, trace } = this.#parts.model;
    const { shown, event, corner } = this.#parts.layout;
    const { axis, from, to } = viewport;
    setText(shown, trace && trace.indexed > 0 ? `Shown: ${rangeText({ from, to }, axis, time)}` : '');
    setText(event, cursor ? [cursor.label, cursor.text].filter((part) => part !== '').join('  ') : '');
    event.title = event.textContent ?? '';
    const names = { time: time.ticks ? 'Time (ticks)' : 'Time (s)', step: 'Step', order: 'Place in both' };
    setText(corner, !trace || trace.id === 0 ? '' : names[axis]);
  }
}
