import { counted } from '../../src/base/counted.ts';
import {
  eventsFromHost,
  eventsQuestions,
  type ListCursor,
  type ListTrace,
  MOST_ROWS,
  type RowMessage,
  type RowsReply,
} from '../../src/protocol/events.ts';
import { queryFromHost, type SearchMessage } from '../../src/protocol/query.ts';
import type { Peer } from '../../src/protocol/rpc.ts';
import { make, perFrame, setText } from '../dom.ts';
import { listenToFind, queryActions } from '../query/actions.ts';
import { QueryBox } from '../query/box.ts';
import { Hits } from '../query/hits.ts';
import { Newest } from '../query/newest.ts';
import { COLUMNS, makeHead, type RowLook, RowPool } from './rows.ts';
import { ROW, Scroll } from './scroll.ts';
import { Selection } from './selection.ts';

/** Rows that are kept, besides those on display. */
const KEPT = 3000;
/** Wheels that count in lines turn so many rows with each. */
const WHEEL_LINES = 1;

const complain = (error: unknown): void => console.warn(`events: ${error}`);

/** The list of events: only the rows on display are in the page, and only they and some around them are fetched. */
export class EventList {
  readonly #peer: Peer;
  readonly #box: QueryBox;
  readonly #hits: Hits;
  readonly #total = make('span', 'total', { role: 'status' });
  readonly #grid: HTMLElement;
  readonly #heads = make('div', 'heads', { role: 'rowgroup' }, makeHead());
  readonly #scroller: HTMLElement;
  readonly #content = make('div', 'content', { role: 'presentation' });
  readonly #view = make('div', 'view', { role: 'rowgroup' });
  readonly #message = make('div', 'message', { role: 'status' });
  readonly #pool = new RowPool(this.#view);
  readonly #scroll = new Scroll();
  readonly #selection = new Selection();
  readonly #known = new Map<number, RowMessage>();
  readonly #questions: Newest<{ from: number; count: number; trace: number }, RowsReply>;
  readonly #draw = perFrame(() => this.#drawNow());
  #trace: ListTrace | undefined;
  #search: SearchMessage | undefined;
  #cursor: ListCursor | undefined;
  /** Movements of the cursor that began here and are not answered yet. */
  #going = 0;
  /** Where the scroll bar was put last. */
  #put = 0;
  /** The row that is to come into sight, once the list has a height. */
  #wanted: number | undefined;

  constructor(root: HTMLElement, peer: Peer) {
    this.#peer = peer;
    const actions = queryActions(
      peer,
      () => this.#trace?.id ?? 0,
      () => this.#hits.running,
      complain,
    );
    this.#box = new QueryBox('Filter events: kind == send && entry.mask', actions);
    this.#hits = new Hits({ hit: actions.hit, stop: () => actions.stop(), clear: () => this.#box.clear() });
    this.#questions = new Newest(
      (question) => peer.ask(eventsQuestions.rows, question),
      (reply) => this.#take(reply),
      complain,
    );
    this.#scroller = make('div', 'scroller', { role: 'presentation' }, this.#content);
    this.#content.append(this.#view);
    this.#grid = make(
      'div',
      'grid',
      {
        ...{ role: 'grid', tabindex: '0', 'aria-label': 'Events', 'aria-multiselectable': 'true' },
        ...{ 'aria-readonly': 'true', 'aria-colcount': String(COLUMNS.length) },
      },
      this.#heads,
      this.#scroller,
      this.#message,
    );
    const toolbar = make(
      'div',
      'toolbar',
      { role: 'toolbar', 'aria-label': 'Events' },
      ...[this.#box.element, this.#hits.element, make('span', 'space'), this.#total],
    );
    root.replaceChildren(toolbar, this.#grid);
  }

  /** Connects the page to the mouse, the keys and the host. */
  start(): void {
    this.#grid.addEventListener('keydown', (event) => this.#onKey(event));
    this.#view.addEventListener('pointerdown', (event) => this.#onPointer(event));
    this.#scroller.addEventListener('scroll', () => this.#onScroll());
    this.#grid.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false });
    document.addEventListener('copy', (event) => this.#onCopy(event));
    listenToFind(() => this.#box.focus());
    new ResizeObserver(() => this.#draw()).observe(this.#scroller);
    this.#peer.hear(eventsFromHost.trace, (trace) => this.#setTrace(trace));
    this.#peer.hear(eventsFromHost.cursor, (cursor) => this.#setCursor(cursor));
    this.#peer.hear(queryFromHost.search, (search) => this.#setSearch(search));
    this.#peer.ask(eventsQuestions.hello, {}).then((trace) => this.#setTrace(trace), complain);
  }

  /** How many rows the list has. */
  get #rows(): number {
    return this.#search ? this.#search.hits : (this.#trace?.events ?? 0);
  }

  #setTrace(trace: ListTrace): void {
    if (trace.id !== this.#trace?.id || trace.sources !== this.#trace.sources) {
      this.#search = undefined;
      this.#cursor = undefined;
      this.#forget();
    }
    this.#trace = trace;
    this.#draw();
  }

  #setSearch(search: SearchMessage): void {
    if (search.trace !== this.#trace?.id) return;
    const before = this.#search?.id ?? 0;
    this.#search = search.state === 'none' ? undefined : search;
    if (search.id !== before) this.#forget();
    this.#box.show(search);
    this.#hits.show(search);
    this.#draw();
  }

  #setCursor(cursor: ListCursor): void {
    if (cursor.trace !== this.#trace?.id || cursor.search !== (this.#search?.id ?? 0)) return;
    const before = this.#cursor;
    this.#cursor = cursor;
    const moved = before?.step !== cursor.step || before.row !== cursor.row || before.exact !== cursor.exact;
    // The rows follow the cursor, but not one that was moved by a key here and is behind the next key already.
    if (moved && this.#going === 0) {
      if (cursor.exact) this.#selection.set(cursor.row);
      this.#reveal(Math.min(cursor.row, Math.max(0, this.#rows - 1)));
    }
    this.#draw();
  }

  /** The list is another one: nothing that is known of its rows is right any more. */
  #forget(): void {
    this.#known.clear();
    this.#questions.forget();
    this.#selection.set(-1);
    this.#cursor = undefined;
  }

  #take({ trace, search, from, rows }: RowsReply): void {
    if (trace === this.#trace?.id && search === (this.#search?.id ?? 0)) {
      if (this.#known.size > KEPT) this.#known.clear();
      for (const [i, row] of rows.entries()) this.#known.set(from + i, row);
    }
    this.#draw();
  }

  #reveal(row: number): void {
    this.#wanted = row;
    this.#draw();
  }

  // Input of the user.

  #onScroll(): void {
    const { scrollTop } = this.#scroller;
    // The list itself put the bar there.
    if (Math.abs(scrollTop - this.#put) < 1) return;
    this.#put = scrollTop;
    this.#wanted = undefined;
    this.#scroll.drag(scrollTop);
    this.#draw();
  }

  #onWheel(event: WheelEvent): void {
    if (event.ctrlKey || event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY / ROW : event.deltaY * WHEEL_LINES;
    this.#wanted = undefined;
    this.#scroll.by(lines);
    event.preventDefault();
    this.#draw();
  }

  #onPointer(event: PointerEvent): void {
    const row = RowPool.indexOf(event);
    if (row < 0 || event.button !== 0) return;
    if (event.shiftKey) this.#selection.extend(row);
    else this.#go(row);
    this.#draw();
  }

  #onKey(event: KeyboardEvent): void {
    const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
    const rows = this.#rows;
    if (altKey || rows === 0) return;
    if ((ctrlKey || metaKey) && key.toLowerCase() === 'a' && !shiftKey) this.#selection.all(rows);
    else if (ctrlKey || metaKey) return;
    else {
      const to = this.#target(key);
      if (to === undefined) return;
      const row = Math.max(0, Math.min(rows - 1, to));
      if (shiftKey) this.#selection.extend(row);
      else this.#go(row);
      this.#reveal(row);
    }
    event.preventDefault();
    // What is done here is not done by the editor too.
    event.stopPropagation();
    this.#draw();
  }

  /** The row that a key leads to; undefined for other keys. */
  #target(key: string): number | undefined {
    const { active } = this.#selection;
    // Without an active row the keys begin where the cursor is.
    const at = active >= 0 ? active : (this.#cursor?.row ?? 0);
    switch (key) {
      case 'ArrowDown':
        return active < 0 ? at : at + 1;
      case 'ArrowUp':
        return at - 1;
      case 'PageDown':
        return at + this.#scroll.page;
      case 'PageUp':
        return at - this.#scroll.page;
      case 'Home':
        return 0;
      case 'End':
        return this.#rows - 1;
      case 'Enter':
      case ' ':
      case 'Escape':
        return active < 0 ? undefined : active;
      default:
        return undefined;
    }
  }

  /** Selects a row and moves the cursor to its event. */
  #go(row: number): void {
    const trace = this.#trace?.id ?? 0;
    this.#selection.set(row);
    this.#going++;
    this.#peer.ask(eventsQuestions.go, { trace, search: this.#search?.id ?? 0, row }).then(
      () => this.#went(),
      (error: unknown) => {
        complain(error);
        this.#went();
      },
    );
  }

  /** A movement is answered: after the last one the active row is that of the cursor, wherever it went. */
  #went(): void {
    this.#going--;
    const range = this.#selection.range;
    if (this.#going === 0 && this.#cursor?.exact && range && range[0] === range[1])
      this.#selection.set(this.#cursor.row);
    this.#draw();
  }

  #onCopy(event: ClipboardEvent): void {
    const { range } = this.#selection;
    // In the box the text that is selected there is copied.
    if (document.activeElement !== this.#grid || !range || !this.#trace) return;
    event.preventDefault();
    const [from, to] = range;
    const question = { trace: this.#trace.id, search: this.#search?.id ?? 0, from, to };
    this.#peer.ask(eventsQuestions.copy, question).catch(complain);
  }

  // Drawing.

  #drawNow(): void {
    const rows = this.#rows;
    const { clientHeight } = this.#scroller;
    this.#scroll.resize(rows, clientHeight);
    if (this.#wanted !== undefined && clientHeight > 0) {
      this.#scroll.reveal(this.#wanted);
      this.#wanted = undefined;
    }
    this.#content.style.height = `${Math.max(clientHeight, this.#scroll.content)}px`;
    this.#view.style.height = `${clientHeight}px`;
    // The line of headings ends where the rows end, at the scroll bar.
    this.#heads.style.paddingRight = `${this.#scroller.offsetWidth - this.#scroller.clientWidth}px`;
    if (Math.abs(this.#scroller.scrollTop - this.#scroll.pixels) >= 1) this.#scroller.scrollTop = this.#scroll.pixels;
    this.#put = this.#scroller.scrollTop;
    const [first, end] = this.#scroll.range;
    const looks = Array.from({ length: end - first }, (_, i) => this.#look(first + i));
    this.#pool.show(looks, (index) => this.#known.get(index));
    this.#fetch(first, end);
    this.#describe(first, end);
  }

  #look(index: number): RowLook {
    const { active } = this.#selection;
    const cursor = this.#cursor?.row === index ? (this.#cursor.exact ? 'at' : 'above') : undefined;
    return {
      index,
      y: (index - this.#scroll.top) * ROW,
      selected: this.#selection.has(index),
      active: index === active,
      cursor,
    };
  }

  /** Fetches the rows on display that are not known, with a screen above and below them. */
  #fetch(first: number, end: number): void {
    const { id } = this.#trace ?? {};
    let missing = false;
    for (let row = first; row < end && !missing; row++) missing = !this.#known.has(row);
    if (!id || !missing) return;
    const spare = end - first;
    const from = Math.max(0, first - spare);
    this.#questions.want({ trace: id, from, count: Math.min(MOST_ROWS, end + spare - from) });
  }

  #describe(first: number, end: number): void {
    const { active } = this.#selection;
    const trace = this.#trace;
    const search = this.#search;
    this.#grid.setAttribute('aria-rowcount', String(this.#rows + 1));
    if (active >= first && active < end) this.#grid.setAttribute('aria-activedescendant', RowPool.id(active));
    else this.#grid.removeAttribute('aria-activedescendant');
    this.#grid.classList.toggle('filtered', search !== undefined);
    this.#grid.style.setProperty('--step', `${Math.max(5, String(trace?.events ?? 0).length + 1)}ch`);
    this.#grid.style.setProperty('--time', `${Math.max(6, (trace?.widest.length ?? 0) + 1)}ch`);
    setText(this.#total, trace && trace.id !== 0 ? counted(trace.events, 'event') : '');
    setText(this.#message, this.#rows > 0 ? '' : messageFor(trace, search));
    this.#message.hidden = this.#rows > 0;
  }
}

/** What stands in place of the rows when there is none. */
function messageFor(trace: ListTrace | undefined, search: SearchMessage | undefined): string {
  if (!trace || (trace.status === 'none' && trace.name === '')) return 'No trace is open.';
  if (trace.status === 'none') return `${trace.name} is closed. Open Trace… reads it again.`;
  if (search?.state === 'running') return 'Looking for events…';
  if (search?.state === 'stopped') return 'Up to where the search was stopped, no event fits.';
  if (search) return 'No event fits the filter.';
  return trace.status === 'loading' ? `Reading ${trace.name}…` : `${trace.name} has no events.`;
}
