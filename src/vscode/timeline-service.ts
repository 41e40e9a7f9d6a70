import type * as v from 'valibot';
import type { After, Notice, Peer } from '../protocol/rpc.ts';
import { fromHost, fromView, MOST_ARRANGED, MOST_DIFFERENCES, MOST_FOUND, questions } from '../protocol/timeline.ts';
import { packWindow } from '../protocol/window.ts';
import type { Place } from '../query/diff/places.ts';
import type { Session } from '../session/session.ts';
import { nearestTo, neighbourOf, stepsBetween } from '../view/lanes/find.ts';
import { LaneHits } from '../view/lanes/hits.ts';
import { LaneIndex } from '../view/lanes/lanes.ts';
import { windowOf } from '../view/lanes/window.ts';
import { QueryService } from './events/query-service.ts';
import type { Searcher } from './events/searcher.ts';
import {
  cursorMessage,
  describe,
  differencesMessage,
  findingsMessage,
  foundMessage,
  lanesMessage,
  NOTHING,
  pathMessage,
  type Scene,
  type ShownFinding,
  type ShownTrace,
  tableOf,
  traceMessage,
} from './timeline-messages.ts';

export interface ServiceOptions {
  readonly after: After;
  /** Milliseconds, for measuring slices of work. */
  readonly now: () => number;
  /** Looks for events. */
  readonly searcher: Searcher;
  /** Gets the errors of messages that expect no answer. */
  readonly problem: (text: string) => void;
  /** The user wants to open a trace. */
  readonly open: () => void;
  /** The user wants to see the list of events. */
  readonly events?: () => void;
  /** The user wants to see a finding of a trace. */
  readonly finding?: (trace: ShownTrace, finding: ShownFinding) => void;
  /** Where a trace differs from the one that it is compared with. */
  readonly differences?: (trace: ShownTrace, most: number) => readonly Place[];
  /** The findings of a trace, the worst first. */
  readonly findings?: (trace: ShownTrace) => readonly ShownFinding[];
}

/** Milliseconds of sorting events into lanes before other work gets its turn. */
const SLICE_MS = 8;
const SLICE_EVENTS = 2000;
/** Milliseconds between two messages about a trace that grows. */
const GROWTH_MS = 250;

/**
 * The host's end of one timeline: sorts the events of the shown trace into lanes, a slice at a time, answers what the
 * webview asks, and tells it about changes.
 */
export class TimelineService {
  readonly #peer: Peer;
  readonly #options: ServiceOptions;
  readonly #query: QueryService;
  /** A trace keeps its lanes, also while another one is shown. */
  readonly #indexes = new WeakMap<Session, LaneIndex>();
  #scene: Scene | undefined;
  #hits: LaneHits | undefined;
  /** How many lanes with hits the webview knows. */
  #hitLanes = 0;
  #laneCount = -1;
  #pumping = false;
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
      this.#scene?.shown.session.mark(undefined);
      // The answer goes first: the webview cannot use lanes before it.
      options.after(0, () => {
        this.#laneCount = -1;
        this.#layoutDue = true;
        this.#tellLanes();
        this.#tellPlaces();
      });
      return this.#scene ? traceMessage(this.#scene) : NOTHING;
    });
    peer.answer(questions.window, ({ trace, ...wanted }) => {
      const { index, shown } = this.#sceneOf(trace);
      const { search } = shown.session;
      const searched = search ? search.done : 0;
      const number = options.searcher.numberOf(shown.session);
      return { indexed: index.done, search: number, searched, window: packWindow(windowOf(index, wanted, search)) };
    });
    peer.answer(questions.describe, ({ trace, row, axis, from, to }) =>
      describe(this.#sceneOf(trace).index, row, axis, from, to),
    );
    peer.answer(questions.table, ({ trace, row, axis, from, to }) =>
      tableOf(this.#sceneOf(trace).index, row, axis, from, to),
    );
    peer.answer(questions.go, ({ trace, row, axis, to, x }) => {
      const { index, shown } = this.#sceneOf(trace);
      const { session } = shown;
      const step = to === 'nearest' ? nearestTo(index, row, axis, x) : neighbourOf(index, row, session.cursor, to);
      return { step: step >= 0 && typeof session.move({ to: 'step', step }) === 'number' ? step : -1 };
    });
    peer.hear(fromView.select, ({ trace, path }) => {
      if (trace === this.#scene?.shown.id && path !== '') this.#scene.shown.session.select(path);
    });
    peer.hear(fromView.layout, ({ trace, lanes }) => {
      if (trace !== this.#scene?.shown.id) return;
      this.#hearing = true;
      this.#scene.shown.session.arrangeLanes(lanes);
      this.#hearing = false;
    });
    peer.hear(fromView.range, ({ trace, range }) => {
      if (trace !== this.#scene?.shown.id) return;
      const { index, shown } = this.#scene;
      shown.session.mark(range === null ? undefined : stepsBetween(index.axis(range.axis), range.from, range.to));
    });
    peer.hear(fromView.open, () => options.open());
    peer.hear(fromView.events, () => options.events?.());
    peer.hear(fromView.finding, ({ trace, rule, step, object }) => {
      const { shown } = this.#scene ?? {};
      if (!shown || shown.id !== trace) return;
      const { world } = shown.session.trace;
      const found = options
        .findings?.(shown)
        .find((one) => one.rule.id === rule && one.step === step && world.path(one.object) === object);
      if (found) options.finding?.(shown, found);
    });
  }

  /** Shows another trace, or none. */
  show(shown: ShownTrace | undefined): void {
    if (shown === this.#scene?.shown) return;
    // The range that is marked is that of the picture.
    this.#scene?.shown.session.mark(undefined);
    this.#scene = shown && { shown, index: this.#lanesOf(shown.session) };
    this.#laneCount = -1;
    this.#layoutDue = true;
    this.#hits = undefined;
    this.#query.show(shown);
    this.#tellAll();
    this.#pump();
  }

  /** More of the shown trace was read, or reading it has ended. */
  grown(): void {
    this.#tellSoon();
    this.#pump();
  }

  /** The cursor of the shown trace moved, or the selection changed. */
  moved(): void {
    this.#tell(fromHost.cursor, cursorMessage);
    const { search } = this.#scene?.shown.session ?? {};
    if (!search) return;
    this.#query.tell();
    // Of very many events those are drawn that are nearest to the cursor.
    if (search.hits.size > MOST_FOUND) this.#tell(fromHost.found, foundMessage);
  }

  /** Other events are looked for, or none, or more of them were found. */
  searched(): void {
    const hits = this.#hits;
    this.#query.searched();
    this.#tell(fromHost.found, foundMessage);
    if (this.#scene && this.#hitsOf(this.#scene) !== hits) this.#tellHitLanes();
    this.#pump();
  }

  /** The lanes of the shown trace are to be arranged otherwise. */
  arranged(): void {
    if (this.#hearing) return;
    this.#layoutDue = true;
    if (this.#laneCount > 0) this.#tellLayout();
  }

  /** Another delivery path of the shown trace is shown, or none. */
  pathChanged(): void {
    this.#tell(fromHost.path, pathMessage);
  }

  /** More, fewer or other findings of the shown trace are known. */
  findingsChanged(): void {
    this.#tell(fromHost.findings, (scene) => findingsMessage(scene, this.#options.findings?.(scene.shown) ?? []));
  }

  /** Another comparison is shown, or none. */
  differencesChanged(): void {
    this.#tell(fromHost.differences, (scene) =>
      differencesMessage(scene, this.#options.differences?.(scene.shown, MOST_DIFFERENCES) ?? []),
    );
  }

  dispose(): void {
    this.#disposed = true;
    this.#telling?.();
    this.#scene?.shown.session.mark(undefined);
  }

  #lanesOf(session: Session): LaneIndex {
    const known = this.#indexes.get(session);
    const index = known ?? new LaneIndex(session.trace);
    if (!known) this.#indexes.set(session, index);
    return index;
  }

  #sceneOf(trace: number): Scene {
    if (!this.#scene || trace !== this.#scene.shown.id) throw new Error('another trace is shown now');
    return this.#scene;
  }

  /** Sorts all events into lanes, and what a search found, with room for other work in between. */
  #pump(): void {
    if (this.#pumping || this.#disposed || !this.#scene) return;
    const { index } = this.#scene;
    const lanes = index.done < index.trace.length;
    const hits = this.#hitsOf(this.#scene);
    if (!lanes && hits?.behind !== true) return;
    this.#pumping = true;
    const end = this.#options.now() + SLICE_MS;
    let more = true;
    while (more && this.#options.now() < end) {
      more = index.advance(SLICE_EVENTS);
      if (hits?.advance(SLICE_EVENTS)) more = true;
    }
    this.#options.after(0, () => {
      this.#pumping = false;
      this.#pump();
    });
    if (lanes && index.done === index.trace.length) this.#tellAll();
    else if (lanes) this.#tellSoon();
    if (!more && (this.#hits?.lanes.size ?? 0) !== this.#hitLanes) this.#tellHitLanes();
  }

  /** Which lanes of a scene have hits of its search. */
  #hitsOf({ index, shown }: Scene): LaneHits | undefined {
    const hits = shown.session.search?.hits;
    if (hits !== this.#hits?.hits) this.#hits = hits && new LaneHits(index, hits);
    return this.#hits;
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
    this.#peer.tell(fromHost.trace, this.#scene ? traceMessage(this.#scene) : NOTHING);
    this.#tellLanes();
    this.#tellPlaces();
  }

  /** Tells where the cursor and everything else is that is drawn over the lanes. */
  #tellPlaces(): void {
    this.#tell(fromHost.cursor, cursorMessage);
    this.pathChanged();
    this.differencesChanged();
    this.findingsChanged();
    if (this.#disposed) return;
    this.#query.tell();
    this.#tell(fromHost.found, foundMessage);
    this.#tellHitLanes();
  }

  #tellLanes(): void {
    if (!this.#scene || this.#disposed) return;
    const { shown, index } = this.#scene;
    const complete = index.done === index.trace.length && shown.load !== 'loading';
    // Names can become known late, so they are sent again at the end in any case.
    const count = complete ? index.tree.lanes.length + 0.5 : index.tree.lanes.length;
    if (count === this.#laneCount) return;
    this.#laneCount = count;
    this.#peer.tell(fromHost.lanes, lanesMessage(this.#scene));
    if (complete) this.#tellLayout();
  }

  #tellLayout(): void {
    const { lanes } = this.#scene?.shown.session ?? {};
    if (!this.#layoutDue || !lanes) return;
    this.#layoutDue = false;
    this.#tell(fromHost.layout, ({ shown }) => ({ trace: shown.id, lanes: lanes.slice(0, MOST_ARRANGED) }));
  }

  #tellHitLanes(): void {
    this.#tell(fromHost.hitLanes, (scene) => {
      const lanes = [...(this.#hitsOf(scene)?.lanes ?? [])];
      this.#hitLanes = lanes.length;
      return { trace: scene.shown.id, search: this.#options.searcher.numberOf(scene.shown.session), lanes };
    });
  }

  #tell<P extends v.GenericSchema>(what: Notice<P>, message: (scene: Scene) => v.InferOutput<P>): void {
    if (this.#scene && !this.#disposed) this.#peer.tell(what, message(this.#scene));
  }
}
