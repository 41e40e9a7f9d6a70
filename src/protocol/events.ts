import * as v from 'valibot';
import { notice, request } from './rpc.ts';

const whole = v.pipe(v.number(), v.safeInteger());
const natural = v.pipe(whole, v.minValue(0));
const nothing = v.strictObject({});

/** Most rows of one answer. */
export const MOST_ROWS = 1000;
/** Most rows that are copied at once. */
export const MOST_COPIED = 50_000;

/** The trace whose events are listed. */
const trace = v.strictObject({
  /** Number of the trace, 0 for none. */
  id: natural,
  status: v.picklist(['none', 'loading', 'ready', 'error']),
  /** Its name; where none is there, that of the file whose trace is missing, or the empty text. */
  name: v.string(),
  /** How many sources it has: when another one joins, the events have other steps. */
  sources: natural,
  /** Number of events so far. */
  events: natural,
  /** A time that is as wide as that of any event. */
  widest: v.string(),
});
export type ListTrace = v.InferOutput<typeof trace>;

/** Where the cursor is in the list. `search`: number of the search whose hits are listed, 0 for all events. */
const cursor = v.strictObject({
  trace: natural,
  search: natural,
  /** Step, -1 before the first event. */
  step: v.pipe(whole, v.minValue(-1)),
  /** The first row whose event is not before the cursor; the number of rows when there is none. */
  row: natural,
  /** That row is the event of the cursor. */
  exact: v.boolean(),
});
export type ListCursor = v.InferOutput<typeof cursor>;

const row = v.strictObject({
  step: natural,
  time: v.string(),
  dt: v.string(),
  gap: v.string(),
  cpu: v.string(),
  kind: v.string(),
  object: v.string(),
  text: v.string(),
});
export type RowMessage = v.InferOutput<typeof row>;

const rowsQuestion = v.strictObject({
  trace: natural,
  from: natural,
  count: v.pipe(natural, v.minValue(1), v.maxValue(MOST_ROWS)),
});
export type RowsQuestion = v.InferOutput<typeof rowsQuestion>;

/** Rows of the list as it is now; `search` says of which list. */
const rowsReply = v.strictObject({
  trace: natural,
  search: natural,
  from: natural,
  rows: v.pipe(v.array(row), v.maxLength(MOST_ROWS)),
});
export type RowsReply = v.InferOutput<typeof rowsReply>;

const place = v.strictObject({ trace: natural, search: natural, row: natural });

/** Questions of the list. */
export const eventsQuestions = {
  /** The page is ready: the host answers with its trace, and tells cursor and search. */
  hello: request('events/hello', nothing, trace),
  rows: request('events/rows', rowsQuestion, rowsReply),
  /** Moves the cursor to the event of a row; false when the list is another one by now. */
  go: request('events/go', place, v.strictObject({ moved: v.boolean() })),
  /** Puts rows on the clipboard as text, both ends included: how many were copied. */
  copy: request(
    'events/copy',
    v.strictObject({ trace: natural, search: natural, from: natural, to: natural }),
    v.strictObject({ copied: natural }),
  ),
} as const;

/** What the host sends without being asked. */
export const eventsFromHost = {
  /** Another trace, or more of this one. */
  trace: notice('events/trace', trace),
  /** The cursor moved, or the list has other rows. */
  cursor: notice('events/cursor', cursor),
} as const;
