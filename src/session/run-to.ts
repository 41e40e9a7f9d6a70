import type { Step } from '../base/time.ts';
import type { EventKind } from '../model/event.ts';
import { HistorySearch } from '../query/history.ts';
import { resolvePath } from '../query/paths.ts';
import type { Refusal, Session } from './session.ts';

/** Where to run to, from the cursor on. */
export type Until =
  /** The next event of a kind. */
  | { readonly to: 'kind'; readonly kind: string }
  /** The next event that changes an object or anything below it, or one key of an object. */
  | { readonly to: 'change'; readonly path: string }
  /** The next event that tells of a problem: a drop, a refusal, a fault, an illegal access, or an effect that the trace cannot tell. */
  | { readonly to: 'finding' }
  /** The end of the trace, or of the simulation if the trace can grow. */
  | { readonly to: 'end' };

/** Most events that one run makes: a scenario need not have an end. */
export const MOST_EVENTS = 1_000_000;

/** Whether events of a kind tell of a problem. */
export const isFinding = ({ role }: EventKind): boolean => role === 'fault' || role === 'loss';

/** A run of the cursor to a place that is not known yet. It is done in pieces, so that other work can be done in between. */
export class RunTo {
  readonly #session: Session;
  readonly #until: Until;
  readonly #most: number;
  readonly #from: number;
  #at: number;

  constructor(session: Session, until: Until, most = MOST_EVENTS) {
    this.#session = session;
    this.#until = until;
    this.#most = most;
    this.#from = session.trace.length;
    this.#at = session.cursor;
  }

  /** Events that this run made so far. */
  get made(): number {
    return this.#session.trace.length - this.#from;
  }

  /** Looks at the next `events` events at most. Returns the step that was found, with the cursor on it, or why there is none; undefined while the search goes on. */
  look(events: number): Step | Refusal | undefined {
    const { trace } = this.#session;
    const grew = trace.length;
    const result = this.#look(events);
    if (trace.length > grew) this.#session.grown(true);
    return typeof result === 'number' ? this.#session.move({ to: 'step', step: result }) : result;
  }

  #look(events: number): number | Refusal | undefined {
    const { trace } = this.#session;
    for (let left = events; left > 0; ) {
      if (this.#at + 1 >= trace.length) {
        if (this.made >= this.#most) return this.#end(`nothing was found in ${this.#most} further events`);
        const refusal = this.#session.growing ? this.#session.grow() : { refused: this.#nothing() };
        if (refusal) return this.#session.growing || this.#at >= 0 ? this.#end(refusal.refused) : refusal;
      }
      const to = Math.min(trace.length - 1, this.#at + left);
      const found = this.#find(this.#at + 1, to);
      if (found >= 0) return (this.#at = found);
      left -= to - this.#at;
      this.#at = to;
    }
    return undefined;
  }

  /** The search has reached the last event. */
  #end(why: string): number | Refusal {
    const last = this.#session.trace.length - 1;
    return this.#until.to === 'end' && last >= 0 ? last : { refused: why };
  }

  #nothing(): string {
    switch (this.#until.to) {
      case 'kind':
        return `there is no later event ${this.#until.kind}`;
      case 'change':
        return `nothing changes ${this.#until.path} later`;
      case 'finding':
        return 'no later event tells of a problem';
      case 'end':
        return 'this is the last event';
    }
  }

  /** The first step from `from` to `to` (both included) that is asked for; -1 for none. */
  #find(from: number, to: number): number {
    const { table } = this.#session.trace;
    const until = this.#until;
    switch (until.to) {
      case 'kind':
        return first(from, to, (step) => table.kind(step).name === until.kind);
      case 'finding':
        return first(from, to, (step) => isFinding(table.kind(step)));
      case 'change':
        return this.#change(from, to, until.path);
      case 'end':
        return -1;
    }
  }

  #change(from: number, to: number, path: string): number {
    const { trace } = this.#session;
    // The object may come into the world only with a later event.
    const target = resolvePath(trace.world, path);
    if (target === undefined) return -1;
    for (const { step } of new HistorySearch(trace, target, false).entriesIn(from, to)) return step;
    return -1;
  }
}

function first(from: number, to: number, matches: (step: number) => boolean): number {
  for (let step = from; step <= to; step++) if (matches(step)) return step;
  return -1;
}
