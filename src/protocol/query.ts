import * as v from 'valibot';
import { MOST_COMPLETIONS } from '../query/filter/limits.ts';
import { notice, request } from './rpc.ts';

const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Longest filter that a page may send. */
export const LONGEST_FILTER = 4000;
const filter = v.pipe(v.string(), v.maxLength(LONGEST_FILTER));

/** A text that is being typed, and the place of the caret in it. */
const typing = v.strictObject({ trace: natural, text: filter, column: natural });

/** What is wrong with a text, and how it can go on at the caret. */
const typed = v.strictObject({
  /** Null for a whole filter. `at`: place in the text, from 0; `missing`: it ends too early, and nothing in it is wrong. */
  problem: v.nullable(v.strictObject({ at: natural, message: v.string(), missing: v.boolean() })),
  /** `text` goes in the place of the stretch `from` to `to`. */
  completions: v.pipe(
    v.array(v.strictObject({ text: v.string(), what: v.string(), from: natural, to: natural })),
    v.maxLength(MOST_COMPLETIONS),
  ),
});
export type Typed = v.InferOutput<typeof typed>;
export type CompletionMessage = Typed['completions'][number];

/** How far the search for the events of a trace that fit a filter has come. */
const search = v.strictObject({
  trace: natural,
  /** Number of the search: each one has its own. */
  id: natural,
  /** The filter; empty when nothing is looked for. */
  filter: v.string(),
  state: v.picklist(['none', 'running', 'stopped', 'done']),
  /** Events that fit, of the `done` that were asked about, of the `total` that there are. */
  hits: natural,
  done: natural,
  total: natural,
  /** Which of the hits the cursor stands at, from 0; -1 for none. */
  at: v.pipe(v.number(), v.safeInteger(), v.minValue(-1)),
});
export type SearchMessage = v.InferOutput<typeof search>;

const which = v.strictObject({ trace: natural });

/** What pages with a box for filters ask. */
export const queryQuestions = {
  /** What is wrong with the text in the box, and how it can go on. */
  typed: request('query/typed', typing, typed),
} as const;

/** What the host tells such pages. */
export const queryFromHost = {
  /** Another search, more of it, or the cursor stands at another hit. */
  search: notice('query/search', search),
} as const;

/** What such pages tell the host. */
export const queryFromView = {
  /** The user looks for events; the empty text ends the search. */
  look: notice('query/look', v.strictObject({ trace: natural, filter })),
  /** Moves the cursor to a hit, as soon as it is known. */
  hit: notice('query/hit', v.strictObject({ trace: natural, to: v.picklist(['next', 'previous']) })),
  /** Stops the search, which keeps what it found. */
  stop: notice('query/stop', which),
} as const;
