import * as v from 'valibot';
import { AXES, MOST_BINS } from '../view/lanes/values.ts';
import { LONGEST_NAME, notice, request } from './rpc.ts';
import { packedWindow } from './window.ts';

const whole = v.pipe(v.number(), v.safeInteger());
const natural = v.pipe(whole, v.minValue(0));
const place = v.pipe(v.number(), v.finite());
const axis = v.picklist(AXES);
/** Which trace of a comparison; empty where one trace is shown alone. */
const side = v.picklist(['', 'a', 'b']);
const nothing = v.strictObject({});
/** A name that a page sends: the host looks it up, and repeats it in its log where it finds none. */
const name = v.pipe(v.string(), v.maxLength(LONGEST_NAME));

/** How to print the times of a trace: see TimeBase. */
const timeBase = v.strictObject({
  base: v.pipe(v.string(), v.regex(/^-?\d+$/)),
  ticks: v.boolean(),
  digits: v.pipe(natural, v.maxValue(9)),
});
const extent = v.strictTuple([place, place]);

/** The trace that the timeline shows, or the two traces of a comparison. */
const trace = v.strictObject({
  /** Number of the trace, 0 for none. Every question names it; the host refuses questions about another trace. */
  id: natural,
  status: v.picklist(['none', 'loading', 'ready', 'error']),
  name: v.string(),
  /** What is wrong, as a text to show. */
  problem: v.string(),
  /** How many sources it has: when another one joins, the events have other steps. */
  sources: natural,
  /** Number of events read so far, and how many of them are sorted into lanes. */
  events: natural,
  indexed: natural,
  /** Share of the file that was read, -1 when that is not known. */
  progress: v.pipe(v.number(), v.minValue(-1), v.maxValue(1)),
  /** The axis to show first; any other than `time` also says that there is no choice of axes. */
  axis,
  time: timeBase,
  /** First and last place on each axis. */
  extents: v.strictObject({ time: extent, step: extent, order: extent }),
  /** Names of the traces A and B of a comparison; empty for one trace. */
  sides: v.pipe(v.array(v.string()), v.maxLength(2)),
});
export type TraceMessage = v.InferOutput<typeof trace>;

const layer = v.strictObject({
  name: v.string(),
  on: v.string(),
  off: v.string(),
  style: v.picklist(['mask', 'pending', 'run', 'hold', 'stale']),
  place: v.picklist(['band', 'strip']),
});
export type LayerMessage = v.InferOutput<typeof layer>;

const lane = v.strictObject({
  id: natural,
  /** Number of the lane above it in the tree, or -1. */
  parent: v.pipe(whole, v.minValue(-1)),
  path: v.string(),
  /** The trace of a comparison that the lane is of. */
  side,
  /** Of a lane of trace B: the lane of A that stands above it for the same thing, or -1. */
  twin: v.pipe(whole, v.minValue(-1)),
  label: v.string(),
  detail: v.string(),
  events: natural,
  /** Its layers, as indices into the list of layers. */
  layers: v.array(natural),
});
export type LaneMessage = v.InferOutput<typeof lane>;

/** All lanes, in display order, each after the lane above it in the tree. */
const lanes = v.strictObject({ trace: natural, layers: v.array(layer), lanes: v.array(lane) });
export type LanesMessage = v.InferOutput<typeof lanes>;

/** Where an event is drawn: its step, its place on the axis of times (in a comparison on that of both traces), and its lane (-1: none). */
const onLane = { step: natural, time: place, lane: v.pipe(whole, v.minValue(-1)) };

/** Where the cursor is. In a comparison that of the active trace. */
const cursor = v.strictObject({
  trace: natural,
  /** Step, -1 before the first event. */
  step: v.pipe(whole, v.minValue(-1)),
  /** Its place on the time axis, or on that of both traces. */
  time: place,
  /** Lane of the event there, -1 for none. */
  lane: v.pipe(whole, v.minValue(-1)),
  /** The time with all digits, and what happened, one line each. */
  label: v.string(),
  text: v.string(),
  /** Path of the selected object, empty for none. */
  selection: v.string(),
  /** The trace of a comparison that it is in. */
  side,
  /** Where the cursor of the other trace is, if that is known. */
  other: v.pipe(v.array(v.strictObject(onLane)), v.maxLength(1)),
});
export type CursorMessage = v.InferOutput<typeof cursor>;

/** Most events of a delivery path that are drawn. */
export const MOST_HOPS = 1000;

/** The delivery path that is shown: its events in order, with their lanes (-1: none). Empty when no path is shown. */
const path = v.strictObject({
  trace: natural,
  hops: v.pipe(v.array(v.strictObject({ ...onLane, seen: v.boolean() })), v.maxLength(MOST_HOPS)),
});
export type PathMessage = v.InferOutput<typeof path>;

/** Most differences that are drawn. */
export const MOST_DIFFERENCES = 2000;

/**
 * Where the trace differs from another one that it is compared with: an event that tells something else, one that only this trace
 * has, or the place of one that only the other has. Empty while nothing is compared, and where the lanes of both traces are shown: their
 * windows hold the differences.
 */
const differences = v.strictObject({
  trace: natural,
  places: v.pipe(
    v.array(
      v.strictObject({
        ...onLane,
        kind: v.picklist(['changed', 'here', 'missing']),
      }),
    ),
    v.maxLength(MOST_DIFFERENCES),
  ),
});
export type DifferencesMessage = v.InferOutput<typeof differences>;

/** Most findings that are drawn. */
export const MOST_FINDINGS = 2000;

/** Where findings show: the event, its lane (-1: none) and its time in words, how bad it is, and what it says of which object. */
const findings = v.strictObject({
  trace: natural,
  places: v.pipe(
    v.array(
      v.strictObject({
        ...onLane,
        severity: v.picklist(['error', 'security', 'warning', 'info']),
        label: v.string(),
        rule: v.string(),
        title: v.string(),
        object: v.string(),
        side,
      }),
    ),
    v.maxLength(MOST_FINDINGS),
  ),
});
export type FindingsMessage = v.InferOutput<typeof findings>;

/** Most events of a search that are drawn. */
export const MOST_FOUND = 2000;

/** The events that a search found, those nearest to the cursor. Empty while nothing is looked for. */
const found = v.strictObject({
  trace: natural,
  places: v.pipe(v.array(v.strictObject(onLane)), v.maxLength(MOST_FOUND)),
});
export type FoundMessage = v.InferOutput<typeof found>;

/** The lanes that have events which fit, by their numbers, so far; `search`: number of the search, 0 for none. */
const hitLanes = v.strictObject({ trace: natural, search: natural, lanes: v.array(natural) });
export type HitLanesMessage = v.InferOutput<typeof hitLanes>;

/** Most lanes of an arrangement. */
export const MOST_ARRANGED = 5000;

/** Paths of the lanes that are shown, in order: lanes with others below them are open where one of those is among them. */
const layout = v.strictObject({ trace: natural, lanes: v.pipe(v.array(v.string()), v.maxLength(MOST_ARRANGED)) });
export type LayoutMessage = v.InferOutput<typeof layout>;
/** The same from the page: lanes with longer paths are left out. */
const arranged = v.strictObject({ trace: natural, lanes: v.pipe(v.array(name), v.maxLength(MOST_ARRANGED)) });

const row = v.strictObject({ lane: natural, deep: v.boolean() });
const range = { axis, from: place, to: place };

const windowQuestion = v.strictObject({
  trace: natural,
  axis,
  from: place,
  size: v.pipe(place, v.gtValue(0)),
  bins: v.pipe(whole, v.minValue(1), v.maxValue(MOST_BINS)),
  rows: v.pipe(v.array(row), v.maxLength(1000)),
});
export type WindowQuestion = v.InferOutput<typeof windowQuestion>;

/**
 * `indexed`: number of events that were sorted into lanes when the window was made. `search`: number of the search whose hits it tells apart, 0 for
 * none; `searched`: events that it had asked about.
 */
const windowReply = v.strictObject({ indexed: natural, search: natural, searched: natural, window: packedWindow });
export type WindowReply = v.InferOutput<typeof windowReply>;

const description = v.strictObject({
  /** What its layers hold here. */
  layers: v.array(v.string()),
  /** The first few events. */
  events: v.array(v.strictObject({ time: v.string(), text: v.string() })),
  /** How many there are. */
  count: natural,
});
export type Description = v.InferOutput<typeof description>;

const goQuestion = v.strictObject({
  trace: natural,
  row,
  axis,
  to: v.picklist(['nearest', 'next', 'previous']),
  x: place,
});
/** The step that the cursor stands at now, or -1 when there was no such event. */
const goReply = v.strictObject({ step: v.pipe(whole, v.minValue(-1)) });

const tableReply = v.strictObject({
  rows: v.array(
    v.strictObject({
      /** -1: an event that only the other trace of a comparison has; then `time` and `text` are empty. */
      step: v.pipe(whole, v.minValue(-1)),
      time: v.string(),
      text: v.string(),
      /** In a comparison, what the other trace has there, or why that was not compared. */
      other: v.string(),
    }),
  ),
  count: natural,
});
export type TableReply = v.InferOutput<typeof tableReply>;

/** Questions of the webview. */
export const questions = {
  /** The webview is ready: the host answers with its trace and sends lanes and cursor. */
  hello: request('timeline/hello', nothing, trace),
  /** What to draw for a part of the timeline. */
  window: request('timeline/window', windowQuestion, windowReply),
  /** What a lane holds between two places, for a tooltip. */
  describe: request('timeline/describe', v.strictObject({ trace: natural, row, ...range }), description),
  /** Events of a lane between two places, for the table beside the picture. */
  table: request('timeline/table', v.strictObject({ trace: natural, row, ...range }), tableReply),
  /** Moves the cursor to an event of a lane: the one nearest to `x`, or the next or previous one. */
  go: request('timeline/go', goQuestion, goReply),
} as const;

/** What the host sends without being asked. */
export const fromHost = {
  /** Another trace, or more of this one. */
  trace: notice('timeline/trace', trace),
  /** The lanes or their names changed. */
  lanes: notice('timeline/lanes', lanes),
  /** The cursor moved, or the selection changed. */
  cursor: notice('timeline/cursor', cursor),
  /** More, fewer or other findings are known. */
  findings: notice('timeline/findings', findings),
  /** Another path is shown, or none. */
  path: notice('timeline/path', path),
  /** Another comparison is shown, or none. */
  differences: notice('timeline/differences', differences),
  /** Other events are looked for, or none. */
  found: notice('timeline/found', found),
  /** The user wants to see a place of a lane (-1: of whatever lane). */
  reveal: notice(
    'timeline/reveal',
    v.strictObject({ trace: natural, time: place, lane: v.pipe(whole, v.minValue(-1)) }),
  ),
  /** Events were found in other lanes. */
  hitLanes: notice('timeline/hit-lanes', hitLanes),
  /** The lanes are to be arranged like this. */
  layout: notice('timeline/layout', layout),
} as const;

/** What the webview sends without expecting an answer. */
export const fromView = {
  /** The user chose a lane: the trees show its object. */
  select: notice('timeline/select', v.strictObject({ trace: natural, path: name, lane: natural })),
  /** The user arranged the lanes. */
  layout: notice('timeline/arranged', arranged),
  /** The user wants to open a trace. */
  open: notice('timeline/open', nothing),
  /** The user wants to see the list of events. */
  events: notice('timeline/events', nothing),
  /** The user marked a stretch of the axis, or none any more. */
  range: notice('timeline/range', v.strictObject({ trace: natural, range: v.nullable(v.strictObject(range)) })),
  /** The user wants to see a finding: it is told by its rule, its event, the path of its object, and the trace of a comparison. */
  finding: notice(
    'timeline/finding',
    v.strictObject({ trace: natural, rule: name, step: natural, object: name, side }),
  ),
} as const;
