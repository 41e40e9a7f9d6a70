import {
  eventsFromHost,
  eventsQuestions,
  type ListCursor,
  type ListTrace,
  MOST_COPIED,
  type RowMessage,
} from '../../protocol/events.ts';
import type { After, Peer } from '../../protocol/rpc.ts';
import type { Session } from '../../session/session.ts';
import { ListedEvents, type ListRow, rowsText, widestTime } from '../../view/events/rows.ts';
import { QueryService } from './query-service.ts';
import type { Searcher } from './searcher.ts';

/** What the list needs of an open trace. */
export interface ListedTrace {
  readonly id: number;
  readonly label: string;
  readonly session: Session;
  readonly load: 'loading' | 'ready' | 'stopped' | 'failed';
}

export interface EventsOptions {
  readonly after: After;
  readonly searcher: Searcher;
  /** Puts a text on the clipboard. `all`: how many rows were wanted, `copied`: how many are in it. */
  readonly copy: (text: string, copied: number, all: number) => Promise<void>;
  /** Gets the errors of messages that expect no answer. */
  readonly problem: (text: string) => void;
}

/** Milliseconds between two messages about a trace that grows. */
const GROWTH_MS = 250;
/** Longest text of a cell that is sent. */
const LONGEST_TEXT = 400;

/** What a page of one file shows while the trace of that is not there. */
export interface Missing {
  readonly name: string;
  /** It is on its way. */
  readonly loading: boolean;
}

const NOTHING: Missing = { name: '', loading: false };

const clip = (text: string): string => (text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text);
const rowMessage = (row: ListRow): RowMessage => ({ ...row, object: clip(row.object), text: clip(row.text) });

/** The host's end of the list of events: gives the rows that are asked for, moves the cursor, copies. */
export class EventsService {
  readonly #peer: Peer;
  readonly #options: EventsOptions;
  readonly #query: QueryService;
  #shown: ListedTrace | undefined;
  #missing = NOTHING;
  #telling: (() => void) | undefined;

  constructor(peer: Peer, options: EventsOptions) {
    this.#peer = peer;
    this.#options = options;
    this.#query = new QueryService(peer, options.searcher, options.problem);
    peer.answer(eventsQuestions.hello, () => {
      // The answer goes first.
      options.after(0, () => {
        this.#query.tell();
        this.#tellCursor();
      });
      return this.#traceMessage();
    });
    peer.answer(eventsQuestions.rows, ({ trace, from, count }) => {
      const listed = this.#listedOf(trace);
      return { trace, search: this.#search, from, rows: listed?.rows(from, count).map(rowMessage) ?? [] };
    });
    peer.answer(eventsQuestions.go, ({ trace, search, row }) => {
      const step = search === this.#search ? (this.#listedOf(trace)?.stepAt(row) ?? -1) : -1;
      return { moved: step >= 0 && typeof this.#shown!.session.move({ to: 'step', step }) === 'number' };
    });
    peer.answer(eventsQuestions.copy, async ({ trace, search, from, to }) => {
      const listed = search === this.#search ? this.#listedOf(trace) : undefined;
      const all = listed ? Math.min(to + 1, listed.length) - from : 0;
      // The list may have become shorter, or another one: then nothing goes on the clipboard.
      if (!listed || all <= 0) return { copied: 0 };
      const rows = listed.rows(from, Math.min(all, MOST_COPIED));
      await options.copy(rowsText(rows, search !== 0), rows.length, all);
      return { copied: rows.length };
    });
  }

  /** Lists the events of another trace, or none; `missing`: of which file none is there. */
  show(shown: ListedTrace | undefined, missing: Missing = NOTHING): void {
    this.#shown = shown;
    this.#missing = missing;
    this.#query.show(shown && { id: shown.id, sessions: [shown.session] });
    this.#tell();
  }

  /** More of the trace was read. */
  grown(): void {
    this.#telling ??= this.#options.after(GROWTH_MS, () => this.#tell());
  }

  /** The cursor moved. */
  moved(): void {
    this.#tellCursor();
    if (this.#shown?.session.search) this.#query.tell();
  }

  /** Other events are looked for, or none, or more of them were found. */
  searched(): void {
    this.#query.searched();
    this.#tellCursor();
  }

  dispose(): void {
    this.#telling?.();
    this.#shown = undefined;
  }

  /** Number of the search whose hits are listed. */
  get #search(): number {
    return this.#shown ? this.#options.searcher.numberOf(this.#shown.session) : 0;
  }

  #listedOf(trace: number): ListedEvents | undefined {
    if (!this.#shown || trace !== this.#shown.id) return undefined;
    const { session } = this.#shown;
    return new ListedEvents(session.trace, session.search);
  }

  #tell(): void {
    this.#telling?.();
    this.#telling = undefined;
    this.#peer.tell(eventsFromHost.trace, this.#traceMessage());
    this.#query.tell();
    this.#tellCursor();
  }

  #tellCursor(): void {
    const shown = this.#shown;
    if (!shown) return;
    const { search, cursor, trace } = shown.session;
    const place = new ListedEvents(trace, search).rowOf(cursor);
    const message: ListCursor = { trace: shown.id, search: this.#search, step: cursor, ...place };
    this.#peer.tell(eventsFromHost.cursor, message);
  }

  #traceMessage(): ListTrace {
    const shown = this.#shown;
    if (!shown) {
      const { name, loading } = this.#missing;
      return { id: 0, status: loading ? 'loading' : 'none', name, sources: 0, events: 0, widest: '' };
    }
    const { trace } = shown.session;
    return {
      id: shown.id,
      status: shown.load === 'loading' ? 'loading' : shown.load === 'failed' ? 'error' : 'ready',
      name: shown.label,
      sources: trace.sources.length,
      events: trace.length,
      widest: widestTime(trace),
    };
  }
}
