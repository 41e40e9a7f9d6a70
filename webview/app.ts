import { queryFromHost } from '../src/protocol/query.ts';
import { isName, type Peer } from '../src/protocol/rpc.ts';
import { fromHost, fromView, questions } from '../src/protocol/timeline.ts';
import { Arrangement } from './arrangement.ts';
import { setText, settled } from './dom.ts';
import { type Actions, listenToKeys, listenToPointer, listenToWheel } from './input.ts';
import { type Controls, type Layout, listenToSplitter, makeLayout } from './layout.ts';
import { Legend } from './legend.ts';
import { readMemory } from './memory.ts';
import { Model } from './model.ts';
import { Names } from './names.ts';
import type { Range } from './overlay.ts';
import { listenToFind, queryActions } from './query/actions.ts';
import { nameOf, type ShownRow } from './rows.ts';
import { ROW } from './shapes.ts';
import { SpokenTable } from './spoken-table.ts';
import { Stage } from './stage.ts';
import { StateView } from './states.ts';
import { watchTheme } from './theme.ts';
import { placeText } from './ticks.ts';
import { setPressed } from './toolkit.ts';
import { laneContent, pinsTarget, Tooltip, type TooltipTarget } from './tooltip.ts';

/** The editor keeps this state when it destroys the page, and gives it to the next page. */
interface Store {
  getState(): unknown;
  setState(state: unknown): void;
}

/** The tooltip lists the events within this many pixels of the pointer. */
const REACH = 4;
const NAMES_WIDTH = 230;

const complain = (error: unknown): void => console.warn(`timeline: ${error}`);

/** The timeline. It connects the messages of the host, the input of the user, and the parts that draw. */
export class App implements Actions {
  readonly #peer: Peer;
  readonly #store: Store;
  readonly #model: Model;
  readonly #names: Names;
  readonly #tooltip = new Tooltip();
  readonly #legend = new Legend();
  readonly #spoken = new SpokenTable();
  readonly #layout: Layout;
  readonly #states: StateView;
  readonly #stage: Stage;
  readonly #arrangement = new Arrangement();
  readonly #later = settled(250, () => this.#afterwards());
  readonly #speak = settled(150, () => this.#announce());
  readonly #tellRange = settled(150, () => {
    const { trace, range, viewport } = this.#model;
    if (!trace || trace.id === 0) return;
    this.#peer.tell(fromView.range, { trace: trace.id, range: range ? { axis: viewport.axis, ...range } : null });
  });

  constructor(root: HTMLElement, peer: Peer, store: Store) {
    this.#peer = peer;
    this.#store = store;
    const memory = readMemory(store.getState());
    this.#model = new Model(memory);
    this.#names = new Names({
      rows: this.#model.rows,
      focus: (lane) => this.#focus(lane, true),
      choose: (lane) => this.#choose(lane),
      turn: (row, open) => this.#turn(row, open),
      hover: (lane) => this.#hover(lane),
    });
    const extras = [this.#tooltip.element, this.#legend.element, this.#spoken.element];
    this.#layout = makeLayout(root, this.#controls(), this.#names.element, extras);
    this.#layout.box.value = memory?.filter ?? '';
    this.#layout.hitsOnly.checked = memory?.hitsOnly === true;
    this.#stage = new Stage(
      {
        ...{ layout: this.#layout, model: this.#model, names: this.#names, peer, problem: complain },
        drawn: () => this.#later(),
      },
      memory?.namesWidth ?? NAMES_WIDTH,
    );
    this.#stage.scrollTo = memory?.scrollTop;
    this.#states = new StateView(this.#layout, () => peer.tell(fromView.open, {}));
    if (memory?.legend) this.#toggleLegend();
  }

  get viewport() {
    return this.#model.viewport;
  }

  /** Connects the page to the mouse, the keys and the host. */
  start(): void {
    const { overlay, flags, scroller, body } = this.#layout;
    for (const { canvas } of [overlay, flags]) {
      listenToWheel(canvas, this);
      listenToPointer(canvas, this);
    }
    listenToKeys(overlay.canvas, this);
    listenToFind(() => this.#layout.box.focus());
    listenToSplitter(
      this.#layout,
      () => this.#stage.namesWidth,
      (width) => {
        this.#stage.namesWidth = width;
        this.#stage.resize();
      },
    );
    scroller.addEventListener('scroll', () => this.#stage.redraw());
    new ResizeObserver(() => this.#stage.resize()).observe(body);
    watchTheme(() => {
      this.#stage.dress();
      this.#legend.paint(this.#stage.theme);
    });
    const model = this.#model;
    this.#peer.hear(fromHost.trace, (trace) => {
      const before = model.trace;
      if (model.setTrace(trace) || trace.sources !== before?.sources) {
        this.#stage.clear();
        this.#tooltip.hide();
      }
      this.#traceChanged();
    });
    this.#peer.hear(fromHost.lanes, (lanes) => {
      model.setLanes(lanes);
      this.#traceChanged();
    });
    this.#peer.hear(fromHost.cursor, (cursor) => {
      const { moved, selected } = model.setCursor(cursor);
      if (selected >= 0) this.#showLane(selected);
      if (moved) this.#speak();
      this.#stage.redraw();
    });
    this.#peer.hear(fromHost.layout, (layout) => this.#changed(() => model.setLayout(layout)));
    this.#peer.hear(fromHost.path, (path) => this.#changed(() => model.setPath(path)));
    this.#peer.hear(fromHost.findings, (findings) => this.#changed(() => model.setFindings(findings)));
    this.#peer.hear(fromHost.found, (found) => this.#changed(() => model.setFound(found)));
    this.#peer.hear(fromHost.differences, (differences) => this.#changed(() => model.setDifferences(differences)));
    this.#peer.hear(fromHost.reveal, ({ trace, time, lane }) => {
      if (trace !== model.trace?.id) return;
      model.viewport.reveal(time);
      this.#showLane(lane);
      this.#stage.redraw();
    });
    this.#peer.hear(fromHost.hitLanes, (lanes) => this.#changed(() => model.setHitLanes(lanes)));
    this.#peer.hear(queryFromHost.search, (search) => {
      if (search.trace !== model.trace?.id) return;
      this.#changed(() => model.setSearch(search));
      const { box, hits, hitsOnly } = this.#layout;
      box.show(search);
      hits.show(search);
      hitsOnly.element.hidden = search.state === 'none';
    });
    this.#peer.ask(questions.hello, {}).then((trace) => {
      const before = model.trace;
      if (model.setTrace(trace) || trace.sources !== before?.sources) this.#stage.clear();
      this.#traceChanged();
    }, complain);
    this.#stage.resize();
  }

  // Input of the user.

  #controls(): Controls {
    const { rows, viewport } = this.#model;
    return {
      query: {
        ...queryActions(
          this.#peer,
          () => this.#model.trace?.id ?? 0,
          () => this.#layout.hits.running,
          complain,
        ),
        words: (text) => this.#changed(() => rows.setFilter(text)),
      },
      hitsOnly: (on) => this.#changed(() => this.#model.setHitsOnly(on)),
      events: () => this.#peer.tell(fromView.events, {}),
      zoom: (factor) => {
        viewport.zoom(this.zoomCentre(), factor);
        this.viewChanged();
      },
      fit: () => {
        viewport.fit();
        this.viewChanged();
      },
      go: (to) => this.go(to),
      turnAll: (open) => this.#changed(() => rows.turnAll(open)),
      steps: (on) => {
        this.#model.setAxis(on ? 'step' : 'time');
        this.#tellRange();
        this.viewChanged();
      },
      legend: () => this.#toggleLegend(),
    };
  }

  viewChanged(): void {
    this.#tooltip.hide();
    this.#stage.redraw();
  }

  setRange(range: Range | undefined): void {
    this.#model.range = range;
    this.#stage.redrawOver();
    this.#tellRange();
  }

  markToCursor(): void {
    this.setRange(this.#model.rangeToCursor);
  }

  point(x: number, y: number, event: PointerEvent | undefined): void {
    this.#stage.pointer = event && x;
    const { canvas } = this.#layout.overlay;
    const row = event?.target === canvas ? this.#rowAt(y) : undefined;
    const pins = row ? this.#stage.findingsAt(x, y) : [];
    canvas.classList.toggle('over-pin', pins.length > 0);
    this.#hover(row?.lane.id ?? -1);
    if (!event || !row || !this.#model.trace) this.#tooltip.hide();
    else this.#tooltip.show(pinsTarget(pins) ?? this.#tooltipTarget(row, x), event.clientX, event.clientY);
    this.#stage.redrawOver();
  }

  pick(x: number, y: number, event: PointerEvent): void {
    const row = event.target === this.#layout.overlay.canvas ? this.#rowAt(y) : undefined;
    if (!row) return;
    this.#focus(row.lane.id, false);
    const [pin] = this.#stage.findingsAt(x, y);
    const { trace } = this.#model;
    if (pin && trace) {
      const { rule, step, object, side } = pin;
      if (isName(object)) this.#peer.tell(fromView.finding, { trace: trace.id, rule, step, object, side });
    } else this.#ask(row, 'nearest', this.viewport.place(x));
  }

  focusBy(rows: number): void {
    const all = this.#model.rows.rows;
    const at = this.#model.rows.indexOf(this.#model.focused);
    const row = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + rows))];
    if (!row) return;
    this.#focus(row.lane.id, false);
    this.#speak();
  }

  scrollBy(pages: number): void {
    const { scroller } = this.#layout;
    scroller.scrollTop += pages * scroller.clientHeight * 0.9;
  }

  go(to: 'nearest' | 'next' | 'previous'): void {
    const row = this.#model.focusedRow;
    if (row) this.#ask(row, to, this.#model.cursorPlace ?? this.viewport.place(this.viewport.width / 2));
  }

  toggleFocused(): void {
    const row = this.#model.focusedRow;
    if (row?.branch) this.#turn(row, !row.open);
  }

  zoomCentre(): number {
    const place = this.#model.cursorPlace;
    const pixel = place === undefined ? -1 : this.viewport.pixel(place);
    return pixel >= 0 && pixel <= this.viewport.width ? pixel : this.viewport.width / 2;
  }

  cancel(): void {
    this.#tooltip.hide();
    this.setRange(undefined);
  }

  #ask(row: ShownRow, to: 'nearest' | 'next' | 'previous', x: number): void {
    const { trace, viewport } = this.#model;
    if (!trace || trace.id === 0) return;
    const question = { trace: trace.id, row: this.#model.rowOf(row), axis: viewport.axis, to, x };
    this.#peer.ask(questions.go, question).catch(complain);
  }

  #tooltipTarget(row: ShownRow, pixel: number): TooltipTarget {
    const { viewport, trace } = this.#model;
    const { axis } = viewport;
    const { lane } = row;
    // The request is rounded, so that small movements repeat the same request.
    const x = Math.round(pixel / 3) * 3;
    const [from, to] = [viewport.place(x - REACH), viewport.place(x + REACH)];
    const wanted = this.#model.rowOf(row);
    return {
      key: JSON.stringify([trace?.id, trace?.indexed, wanted, axis, from, to]),
      ask: async () =>
        laneContent(
          [nameOf(lane), lane.detail].filter((part) => part !== '').join(' '),
          await this.#peer.ask(questions.describe, { trace: trace?.id ?? 0, row: wanted, axis, from, to }),
        ),
    };
  }

  #turn(row: ShownRow, open: boolean): void {
    this.#changed(() => this.#model.rows.turn(row.lane, open));
  }

  /** Changes the model and draws it again. */
  #changed(change: () => void): void {
    change();
    this.#stage.redraw();
  }

  #hover(lane: number): void {
    if (lane === this.#stage.hovered) return;
    this.#stage.hovered = lane;
    this.#stage.redraw();
  }

  #choose(lane: number): void {
    const { trace } = this.#model;
    const path = this.#model.choose(lane);
    if (trace && path !== '' && isName(path)) this.#peer.tell(fromView.select, { trace: trace.id, path, lane });
  }

  /** Gives a lane the focus and scrolls to it. `keys`: its name takes the keyboard focus too. */
  #focus(lane: number, keys: boolean): void {
    this.#model.focused = lane;
    const index = this.#model.rows.indexOf(lane);
    const { scroller } = this.#layout;
    const { scrollTop, clientHeight } = scroller;
    if (index >= 0 && index * ROW < scrollTop) scroller.scrollTop = index * ROW;
    if (index >= 0 && (index + 1) * ROW > scrollTop + clientHeight)
      scroller.scrollTop = (index + 1) * ROW - clientHeight;
    if (keys) {
      // Only a row that is in the page can take the keyboard focus.
      this.#stage.drawNow();
      this.#names.focusRow(index);
    }
    this.#stage.redraw();
  }

  #showLane(id: number): void {
    const lane = this.#model.rows.byId(id);
    if (!lane) return;
    this.#model.rows.reveal(lane);
    this.#stage.fitContent();
    this.#focus(id, false);
  }

  #toggleLegend(): void {
    this.#legend.toggle(!this.#legend.open, this.#stage.theme);
    setPressed(this.#layout.legendButton, this.#legend.open);
    this.#later();
  }

  // Drawing.

  #traceChanged(): void {
    const { trace, rows, viewport } = this.#model;
    const { steps } = this.#layout;
    if (!trace) return;
    steps.checked = viewport.axis !== 'time';
    steps.disabled = trace.axis !== 'time';
    steps.element.hidden = trace.axis === 'order';
    this.#states.update(trace, rows.lanes.length);
    this.#tooltip.forget();
    this.#stage.redraw();
  }

  #rowAt(y: number): ShownRow | undefined {
    return this.#model.rows.rows[Math.floor((y + this.#layout.scroller.scrollTop) / ROW)];
  }

  /** Work that waits until the user pauses: it saves the state and fills the table for screen readers. */
  #afterwards(): void {
    const { trace, viewport, time, focusedRow: row } = this.#model;
    const { overlay, scroller } = this.#layout;
    if (!trace || trace.id === 0) return;
    const page = { namesWidth: this.#stage.namesWidth, scrollTop: scroller.scrollTop, legend: this.#legend.open };
    this.#store.setState(this.#model.remember(page));
    this.#arrangement.tell(this.#peer, this.#model);
    const { axis, from, to } = viewport;
    const ends = [from, to].map((x) => placeText(x, axis, time)).join(' to ');
    overlay.canvas.setAttribute(
      'aria-label',
      `Timeline of ${trace.name}, ${ends}${row ? `, lane ${nameOf(row.lane)}` : ''}`,
    );
    if (!row || trace.indexed === 0) {
      this.#spoken.clear();
      return;
    }
    const question = { trace: trace.id, row: this.#model.rowOf(row), axis, from, to };
    const other = row.lane.side === '' ? '' : trace.sides[row.lane.side === 'a' ? 1 : 0];
    const name = nameOf(row.lane);
    void this.#spoken.fill(name, other ?? '', () => this.#peer.ask(questions.table, question));
  }

  /** Announces the position of the cursor to screen readers. */
  #announce(): void {
    const { cursor, trace, focusedRow: row } = this.#model;
    if (!cursor || trace?.status === 'loading') return;
    const lane = row ? `${nameOf(row.lane)} ${row.lane.detail}`.trim() : '';
    const place = cursor.step < 0 ? cursor.label : `step ${cursor.step}, ${cursor.label}`;
    const said = [place, cursor.text].filter((part) => part !== '').join(': ');
    setText(this.#layout.live, [lane, `${said.charAt(0).toUpperCase()}${said.slice(1)}`].filter(Boolean).join('. '));
  }
}
