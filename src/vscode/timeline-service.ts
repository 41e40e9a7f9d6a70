import type { Step } from '../base/ids.ts';
import { timeText } from '../base/time.ts';
import type { Severity } from '../check/rule.ts';
import type { After, Peer } from '../protocol/rpc.ts';
import {
  type CursorMessage,
  type Description,
  type DifferencesMessage,
  type FoundMessage,
  fromHost,
  fromView,
  type LaneMessage,
  type LayerMessage,
  MOST_DIFFERENCES,
  MOST_FINDINGS,
  MOST_FOUND,
  MOST_HOPS,
  type PathMessage,
  questions,
  type TableReply,
  type TraceMessage,
} from '../protocol/timeline.ts';
import { packWindow } from '../protocol/window.ts';
import type { Place } from '../query/diff/places.ts';
import { eventText, timeOf } from '../query/events.ts';
import { nearestSteps } from '../query/filter/nearest-steps.ts';
import type { Session } from '../session/session.ts';
import { eventsBetween, layersAt, nearestTo, neighbourOf } from '../view/lanes/find.ts';
import { LaneIndex } from '../view/lanes/lanes.ts';
import type { AxisKind, LaneRow } from '../view/lanes/values.ts';
import { windowOf } from '../view/lanes/window.ts';
import type { LayerSpec } from '../view/presentation/layer.ts';

/** What the timeline needs of an open trace. */
export interface ShownTrace {
  readonly id: number;
  readonly label: string;
  readonly session: Session;
  readonly load: 'loading' | 'ready' | 'stopped' | 'failed';
  readonly progress: number | undefined;
  readonly error: string | undefined;
}

export interface ServiceOptions {
  readonly after: After;
  /** Milliseconds, for measuring slices of work. */
  readonly now: () => number;
  /** The user wants to open a trace. */
  readonly open: () => void;
  /** Where a trace differs from the one that it is compared with. */
  readonly differences?: (trace: ShownTrace, most: number) => readonly Place[];
  /** The findings of a trace, the worst first. */
  readonly findings?: (trace: ShownTrace) => readonly { readonly step: Step; readonly severity: Severity }[];
}

/** Milliseconds of sorting events into lanes before other work gets its turn. */
const SLICE_MS = 8;
const SLICE_EVENTS = 2000;
/** Milliseconds between two messages about a trace that grows. */
const GROWTH_MS = 250;
const TOOLTIP_EVENTS = 8;
const TABLE_ROWS = 200;
/** Longest text of an event that is sent. */
const LONGEST_TEXT = 400;

const NOTHING: TraceMessage = {
  id: 0,
  status: 'none',
  name: '',
  problem: '',
  events: 0,
  indexed: 0,
  progress: -1,
  axis: 'step',
  time: { base: '0', ticks: false, digits: 6 },
  extents: { time: [0, 0], step: [0, 0] },
};

const clip = (text: string): string => (text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text);

/**
 * The host's end of one timeline: sorts the events of the shown trace into lanes, a slice at a time, answers what the
 * webview asks, and tells it about changes.
 */
export class TimelineService {
  readonly #peer: Peer;
  readonly #options: ServiceOptions;
  /** A trace keeps its lanes, also while another one is shown. */
  readonly #indexes = new WeakMap<Session, LaneIndex>();
  #shown: ShownTrace | undefined;
  #index: LaneIndex | undefined;
  #laneCount = -1;
  #pumping = false;
  #telling: (() => void) | undefined;
  #disposed = false;

  constructor(peer: Peer, options: ServiceOptions) {
    this.#peer = peer;
    this.#options = options;
    peer.answer(questions.hello, () => {
      // The answer goes first: the webview cannot use lanes before it.
      options.after(0, () => {
        this.#laneCount = -1;
        this.#tellLanes();
        this.#tellCursor();
        this.#tellPath();
        this.#tellDifferences();
        this.#tellFindings();
        this.#tellFound();
      });
      return this.#traceMessage();
    });
    peer.answer(questions.window, ({ trace, ...wanted }) => {
      const index = this.#indexOf(trace);
      return { indexed: index.done, window: packWindow(windowOf(index, wanted)) };
    });
    peer.answer(questions.describe, ({ trace, row, axis, from, to }) =>
      this.#describe(this.#indexOf(trace), row, axis, from, to),
    );
    peer.answer(questions.table, ({ trace, row, axis, from, to }) =>
      this.#table(this.#indexOf(trace), row, axis, from, to),
    );
    peer.answer(questions.go, ({ trace, row, axis, to, x }) => {
      const index = this.#indexOf(trace);
      const { session } = this.#shown!;
      const step = to === 'nearest' ? nearestTo(index, row, axis, x) : neighbourOf(index, row, session.cursor, to);
      return { step: step >= 0 && typeof session.move({ to: 'step', step }) === 'number' ? step : -1 };
    });
    peer.hear(fromView.select, ({ trace, path }) => {
      if (trace === this.#shown?.id && path !== '') this.#shown.session.select(path);
    });
    peer.hear(fromView.open, () => options.open());
  }

  /** Shows another trace, or none. */
  show(trace: ShownTrace | undefined): void {
    if (trace === this.#shown) return;
    this.#shown = trace;
    this.#index = trace && this.#indexes.get(trace.session);
    if (trace && !this.#index) this.#indexes.set(trace.session, (this.#index = new LaneIndex(trace.session.trace)));
    this.#laneCount = -1;
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
    this.#tellCursor();
    // Of very many events those are drawn that are nearest to the cursor.
    if ((this.#shown?.session.found?.steps.length ?? 0) > MOST_FOUND) this.#tellFound();
  }

  /** Other events are looked for, or none. */
  searched(): void {
    this.#tellFound();
  }

  /** Another delivery path of the shown trace is shown, or none. */
  pathChanged(): void {
    this.#tellPath();
  }

  /** More, fewer or other findings of the shown trace are known. */
  findingsChanged(): void {
    this.#tellFindings();
  }

  /** Another comparison is shown, or none. */
  differencesChanged(): void {
    this.#tellDifferences();
  }

  dispose(): void {
    this.#disposed = true;
    this.#telling?.();
  }

  #indexOf(trace: number): LaneIndex {
    if (trace !== this.#shown?.id || !this.#index) throw new Error('another trace is shown now');
    return this.#index;
  }

  /** Sorts all events into lanes, with room for other work in between. */
  #pump(): void {
    if (this.#pumping || this.#disposed) return;
    const index = this.#index;
    if (!index || index.done >= index.trace.length) return;
    this.#pumping = true;
    const end = this.#options.now() + SLICE_MS;
    let more = true;
    while (more && this.#options.now() < end) more = index.advance(SLICE_EVENTS);
    this.#options.after(0, () => {
      this.#pumping = false;
      this.#pump();
    });
    if (more) this.#tellSoon();
    else this.#tellAll();
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
    this.#peer.tell(fromHost.trace, this.#traceMessage());
    this.#tellLanes();
    this.#tellCursor();
    this.#tellPath();
    this.#tellDifferences();
    this.#tellFindings();
    this.#tellFound();
  }

  #traceMessage(): TraceMessage {
    const shown = this.#shown;
    const index = this.#index;
    if (!shown || !index) return NOTHING;
    const { trace } = shown.session;
    const { base, ticks, digits } = trace.time;
    const last = index.done - 1;
    const time = index.axis('time');
    const extent = (x: (step: Step) => number): [number, number] => (last < 0 ? [0, 0] : [x(0), x(last)]);
    return {
      id: shown.id,
      status: shown.load === 'loading' ? 'loading' : shown.load === 'failed' ? 'error' : 'ready',
      name: shown.label,
      problem:
        shown.error ??
        trace.sources.find(({ problem }) => problem !== undefined)?.problem ??
        (shown.load === 'stopped' ? 'reading was stopped' : ''),
      events: trace.length,
      indexed: index.done,
      progress: shown.progress ?? -1,
      axis: index.natural,
      time: { base: base.toString(), ticks, digits },
      extents: { time: extent((step) => time.x(step)), step: [0, Math.max(0, last)] },
    };
  }

  #tellLanes(): void {
    const shown = this.#shown;
    const index = this.#index;
    if (!shown || !index || this.#disposed) return;
    const complete = index.done === index.trace.length && shown.load !== 'loading';
    // Names can become known late, so they are sent again at the end in any case.
    const count = complete ? index.tree.lanes.length + 0.5 : index.tree.lanes.length;
    if (count === this.#laneCount) return;
    this.#laneCount = count;
    const specs: LayerSpec[] = [];
    const numberOf = (spec: LayerSpec): number => {
      const known = specs.indexOf(spec);
      return known >= 0 ? known : specs.push(spec) - 1;
    };
    const lanes: LaneMessage[] = index.tree.list(shown.session.trace.head).map(({ layers, ...lane }) => ({
      ...lane,
      layers: layers.map(numberOf),
    }));
    const layers = specs.map(({ name, on, off, style, place }): LayerMessage => ({ name, on, off, style, place }));
    this.#peer.tell(fromHost.lanes, { trace: shown.id, layers, lanes });
  }

  #tellCursor(): void {
    const shown = this.#shown;
    const index = this.#index;
    if (!shown || !index || this.#disposed) return;
    const { cursor, trace, selection } = shown.session;
    const axis = index.axis('time');
    // While the trace is still being sorted, the cursor may be after the last sorted event.
    const stamp = cursor < 0 ? Number.NaN : cursor < axis.length ? axis.x(cursor) : trace.table.time(cursor);
    const message: CursorMessage = {
      trace: shown.id,
      step: cursor,
      time: Number.isNaN(stamp) ? (axis.length > 0 ? axis.x(0) : 0) : stamp,
      lane: index.laneOf(cursor)?.id ?? -1,
      label: cursor < 0 ? 'before the first event' : (timeOf(trace, cursor) ?? `step ${cursor}`),
      text: cursor < 0 ? '' : clip(eventText(trace, cursor)),
      selection: selection ?? '',
    };
    this.#peer.tell(fromHost.cursor, message);
  }

  #tellPath(): void {
    const shown = this.#shown;
    const index = this.#index;
    if (!shown || !index || this.#disposed) return;
    const axis = index.axis('time');
    const hops = (shown.session.path?.hops ?? [])
      .filter(({ step }) => step < axis.length)
      .slice(0, MOST_HOPS)
      .map(({ step, seen }): PathMessage['hops'][number] => ({
        ...{ step, seen, time: axis.x(step), lane: index.laneOf(step)?.id ?? -1 },
      }));
    this.#peer.tell(fromHost.path, { trace: shown.id, hops });
  }

  #tellFindings(): void {
    const shown = this.#shown;
    const index = this.#index;
    if (!shown || !index || this.#disposed) return;
    const axis = index.axis('time');
    const places = (this.#options.findings?.(shown) ?? [])
      .filter(({ step }) => step < axis.length)
      .slice(0, MOST_FINDINGS)
      .map(({ step, severity }) => ({ step, severity, time: axis.x(step), lane: index.laneOf(step)?.id ?? -1 }));
    this.#peer.tell(fromHost.findings, { trace: shown.id, places });
  }

  #tellDifferences(): void {
    const shown = this.#shown;
    const index = this.#index;
    if (!shown || !index || this.#disposed) return;
    const axis = index.axis('time');
    const places = (this.#options.differences?.(shown, MOST_DIFFERENCES) ?? [])
      .filter(({ step }) => step < axis.length)
      .map(({ step, kind, path }): DifferencesMessage['places'][number] => ({
        ...{ step, kind, time: axis.x(step), lane: index.tree.find(path)?.id ?? -1 },
      }));
    this.#peer.tell(fromHost.differences, { trace: shown.id, places });
  }

  #tellFound(): void {
    const shown = this.#shown;
    const index = this.#index;
    if (!shown || !index || this.#disposed) return;
    const axis = index.axis('time');
    const { found, cursor } = shown.session;
    const places = nearestSteps(found?.steps ?? [], cursor, MOST_FOUND)
      .filter((step) => step < axis.length)
      .map((step): FoundMessage['places'][number] => ({
        ...{ step, time: axis.x(step), lane: index.laneOf(step)?.id ?? -1 },
      }));
    this.#peer.tell(fromHost.found, { trace: shown.id, places });
  }

  #placeText(index: LaneIndex, step: Step): string {
    const { trace } = index;
    return timeOf(trace, step) ?? `step ${step}`;
  }

  #describe(index: LaneIndex, row: LaneRow, axis: AxisKind, from: number, to: number): Description {
    const { trace } = index;
    const { steps, count } = eventsBetween(index, row, axis, from, to, TOOLTIP_EVENTS);
    const layers = layersAt(index, row.lane, axis, (from + to) / 2).map((layer) => {
      const since = this.#placeText(index, layer.from);
      const lasts = layer.duration === undefined ? '' : `, ${layer.duration}`;
      return `${layer.name}: ${layer.value} since ${since}${lasts}`;
    });
    return {
      layers,
      events: steps.map((step) => ({ time: this.#placeText(index, step), text: clip(eventText(trace, step)) })),
      count,
    };
  }

  #table(index: LaneIndex, row: LaneRow, axis: AxisKind, from: number, to: number): TableReply {
    const { trace } = index;
    const { steps, count } = eventsBetween(index, row, axis, from, to, TABLE_ROWS);
    const { table } = trace;
    return {
      rows: steps.map((step) => ({
        step,
        time: timeText(table.time(step), trace.time) ?? '',
        text: clip(eventText(trace, step)),
      })),
      count,
    };
  }
}
