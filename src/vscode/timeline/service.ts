import type * as v from 'valibot';
import type { Notice, Peer } from '../../protocol/rpc.ts';
import { fromHost, fromView, MOST_ARRANGED, MOST_FOUND, questions } from '../../protocol/timeline.ts';
import type { Session } from '../../session/session.ts';
import { LaneIndex } from '../../view/lanes/lanes.ts';
import { ComparedAnswers, type ShownComparison } from '../compare/compared-timeline.ts';
import { QueryService } from '../events/query-service.ts';
import type { Answers, ServiceOptions } from './answers.ts';
import { NOTHING, type ShownTrace } from './messages.ts';
import { TraceAnswers } from './trace-answers.ts';

/** Milliseconds of sorting events into lanes before other work gets its turn. */
const SLICE_MS = 8;
const SLICE_EVENTS = 2000;
/** Milliseconds between two messages about a trace that grows. */
const GROWTH_MS = 250;

/**
 * The host's end of one timeline: sorts the events of what is shown into lanes, a slice at a time, hands on what the
 * webview asks, and tells it about changes.
 */
export class TimelineService {
  readonly #peer: Peer;
  readonly #options: ServiceOptions;
  readonly #query: QueryService;
  /** A trace keeps its lanes, also while another one is shown. */
  readonly #indexes = new WeakMap<Session, LaneIndex>();
  /** A comparison keeps its lanes too. */
  readonly #compared = new WeakMap<ShownComparison, ComparedAnswers>();
  #answers: Answers | undefined;
  /** How many lanes with hits the webview knows, and of which searches. */
  #hitLanes = 0;
  #hits: Answers['hits'] = [];
  #laneCount = -1;
  #pumping = false;
  /** What could not be sorted: it is not tried again. */
  #broken: Answers | undefined;
  #telling: (() => void) | undefined;
  #disposed = false;
  /** The page itself told how its lanes are arranged. */
  #hearing = false;
  /** The page does not know yet how the lanes are to be arranged. */
  #layoutDue = true;

  constructor(peer: Peer, options: ServiceOptions) {
    this.#peer = peer;
    this.#options = options;
    this.#query = new QueryService(peer, options.searcher, options.problem);
    peer.answer(questions.hello, () => {
      // A new page has no range marked.
      this.#answers?.mark(null);
      // The answer goes first: the webview cannot use lanes before it.
      options.after(0, () => {
        this.#laneCount = -1;
        this.#layoutDue = true;
        this.#tellLanes();
        this.#tellPlaces();
      });
      return this.#answers?.trace() ?? NOTHING;
    });
    peer.answer(questions.window, ({ trace, ...wanted }) => this.#asked(trace).window(wanted));
    peer.answer(questions.describe, ({ trace, ...stretch }) => this.#asked(trace).describe(stretch));
    peer.answer(questions.table, ({ trace, ...stretch }) => this.#asked(trace).table(stretch));
    peer.answer(questions.go, ({ trace, ...wanted }) => ({ step: this.#asked(trace).go(wanted) }));
    peer.hear(fromView.select, ({ trace, path, lane }) => {
      if (path !== '') this.#shown(trace)?.select(path, lane);
    });
    peer.hear(fromView.layout, ({ trace, lanes }) => {
      const answers = this.#shown(trace);
      if (!(answers instanceof TraceAnswers)) return;
      this.#hearing = true;
      answers.session.arrangeLanes(lanes);
      this.#hearing = false;
    });
    peer.hear(fromView.range, ({ trace, range }) => this.#shown(trace)?.mark(range));
    peer.hear(fromView.open, () => options.open());
    peer.hear(fromView.events, () => options.events?.());
    peer.hear(fromView.finding, ({ trace, ...name }) => this.#shown(trace)?.finding(name));
  }

  /** Shows another trace, or none. */
  show(shown: ShownTrace | undefined): void {
    if (this.#answers instanceof TraceAnswers ? shown === this.#answers.shown : shown === this.#answers) return;
    this.#turnTo(shown && new TraceAnswers(shown, this.#lanesOf(shown.session), this.#options));
  }

  /** Shows the lanes of two traces that are compared. */
  compare(shown: ShownComparison): void {
    const known = this.#compared.get(shown);
    if (known !== undefined && known === this.#answers) return;
    const answers = known ?? new ComparedAnswers(shown, (session) => this.#lanesOf(session), this.#options);
    this.#compared.set(shown, answers);
    this.#turnTo(answers);
    answers.link();
  }

  #turnTo(answers: Answers | undefined): void {
    // The range that is marked is that of the picture.
    if (this.#answers?.id !== answers?.id) this.#answers?.mark(null);
    this.#answers = answers;
    this.#laneCount = -1;
    this.#layoutDue = true;
    this.#query.show(answers);
    this.#tellAll();
    this.#pump();
  }

  /** More of the shown trace was read, or reading it has ended. */
  grown(): void {
    const answers = this.#answers;
    if (answers instanceof TraceAnswers && answers.index.stale) {
      const { shown } = answers;
      this.#turnTo(new TraceAnswers(shown, this.#lanesOf(shown.session), this.#options));
      return;
    }
    this.#tellSoon();
    this.#pump();
  }

  /** The cursor of a shown trace moved, or the selection changed. */
  moved(session: Session | undefined = this.#answers?.sessions[0]): void {
    if (session) this.#answers?.moved(session);
    this.#tell(fromHost.cursor, (answers) => answers.cursor());
    const searches = this.#answers?.sessions.flatMap(({ search }) => search ?? []) ?? [];
    if (searches.length === 0) return;
    this.#query.tell();
    // Of very many events those are drawn that are nearest to the cursor.
    if (searches.some(({ hits }) => hits.size > MOST_FOUND / searches.length))
      this.#tell(fromHost.found, (answers) => answers.found());
  }

  /** Of a comparison the other trace is active now. */
  turned(): void {
    this.#tellPlaces();
  }

  /** The user wants to see the place of events of the comparison that is shown: a step of trace A, one of B, or both. */
  reveal(stepA: number | undefined, stepB: number | undefined): void {
    if (this.#disposed || !(this.#answers instanceof ComparedAnswers)) return;
    const place = this.#answers.placeOf(stepA, stepB);
    if (place) this.#peer.tell(fromHost.reveal, { trace: this.#answers.id, ...place });
  }

  /** Other events are looked for, or none, or more of them were found. */
  searched(): void {
    this.#query.searched();
    this.#tell(fromHost.found, (answers) => answers.found());
    if (this.#answers && this.#answers.hits !== this.#hits) this.#tellHitLanes();
    this.#pump();
  }

  /** The lanes of the shown trace are to be arranged otherwise. */
  arranged(): void {
    if (this.#hearing) return;
    this.#layoutDue = true;
    if (this.#laneCount > 0) this.#tellLayout();
  }

  /** Another delivery path of a shown trace is shown, or none. */
  pathChanged(): void {
    this.#tell(fromHost.path, (answers) => answers.path());
  }

  /** More, fewer or other findings of a shown trace are known. */
  findingsChanged(): void {
    this.#tell(fromHost.findings, (answers) => answers.findings());
  }

  /** Another comparison is shown, or none. */
  differencesChanged(): void {
    this.#tell(fromHost.differences, (answers) => answers.differences());
  }

  dispose(): void {
    this.#disposed = true;
    this.#telling?.();
    this.#answers?.mark(null);
  }

  #lanesOf(session: Session): LaneIndex {
    const known = this.#indexes.get(session);
    if (known && !known.stale) return known;
    const index = new LaneIndex(session.trace);
    this.#indexes.set(session, index);
    return index;
  }

  /** What is shown, if it has this number. */
  #shown(id: number): Answers | undefined {
    return this.#answers?.id === id ? this.#answers : undefined;
  }

  #asked(id: number): Answers {
    const answers = this.#shown(id);
    if (!answers) throw new Error('another trace is shown now');
    return answers;
  }

  /** Sorts all events into lanes, and what a search found, with room for other work in between. */
  #pump(): void {
    const answers = this.#answers;
    if (this.#pumping || this.#disposed || !answers || answers === this.#broken || answers.idle) return;
    const lanes = !answers.complete;
    this.#pumping = true;
    const end = this.#options.now() + SLICE_MS;
    let more = true;
    try {
      while (more && this.#options.now() < end) more = answers.advance(SLICE_EVENTS);
    } catch (error) {
      // Another trace can still be shown.
      this.#broken = answers;
      this.#pumping = false;
      this.#options.problem(
        `the lanes cannot be made: ${error instanceof Error ? (error.stack ?? error.message) : error}`,
      );
      return;
    }
    this.#options.after(0, () => {
      this.#pumping = false;
      this.#pump();
    });
    if (lanes && answers.complete) this.#tellAll();
    else if (lanes) this.#tellSoon();
    if (!more && answers.hitLanes().length !== this.#hitLanes) this.#tellHitLanes();
  }

  /** Tells the webview about growth, but not too often. */
  #tellSoon(): void {
    this.#telling ??= this.#options.after(GROWTH_MS, () => {
      this.#telling = undefined;
      this.#tellAll();
    });
  }

  #tellAll(): void {
    if (this.#disposed) return;
    this.#telling?.();
    this.#telling = undefined;
    this.#peer.tell(fromHost.trace, this.#answers?.trace() ?? NOTHING);
    this.#tellLanes();
    this.#tellPlaces();
  }

  /** Tells where the cursor and everything else is that is drawn over the lanes. */
  #tellPlaces(): void {
    this.#tell(fromHost.cursor, (answers) => answers.cursor());
    this.pathChanged();
    this.differencesChanged();
    this.findingsChanged();
    if (this.#disposed) return;
    this.#query.tell();
    this.#tell(fromHost.found, (answers) => answers.found());
    this.#tellHitLanes();
  }

  #tellLanes(): void {
    const answers = this.#answers;
    if (!answers || this.#disposed) return;
    // Names can become known late, so they are sent again at the end in any case.
    const complete = answers.complete && answers.trace().status !== 'loading';
    const count = answers.laneCount + (complete ? 0.5 : 0);
    if (count === this.#laneCount) return;
    this.#laneCount = count;
    this.#peer.tell(fromHost.lanes, answers.lanes());
    if (complete) this.#tellLayout();
  }

  /** The lanes of a comparison arrange themselves. */
  #tellLayout(): void {
    const answers = this.#answers;
    const lanes = answers instanceof TraceAnswers ? answers.session.lanes : undefined;
    if (!answers || !lanes || !this.#layoutDue || this.#disposed) return;
    this.#layoutDue = false;
    this.#peer.tell(fromHost.layout, { trace: answers.id, lanes: lanes.slice(0, MOST_ARRANGED) });
  }

  #tellHitLanes(): void {
    this.#tell(fromHost.hitLanes, (answers) => {
      const lanes = answers.hitLanes();
      this.#hitLanes = lanes.length;
      this.#hits = answers.hits;
      return { trace: answers.id, search: this.#options.searcher.numberOf(answers.sessions[0]!), lanes };
    });
  }

  #tell<P extends v.GenericSchema>(what: Notice<P>, message: (answers: Answers) => v.InferOutput<P>): void {
    if (this.#answers && !this.#disposed) this.#peer.tell(what, message(this.#answers));
  }
}
