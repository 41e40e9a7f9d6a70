import type { Step } from '../base/ids.ts';
import type { Refusal, Session } from './session.ts';
import { type Stop, stopText } from './stop.ts';
import { anyFinder, type Finder, finderOf } from './until.ts';
import { earliest, GoneWrong, type Judge } from './wrong.ts';

/** Where to run to, from the cursor on: the next event at which a stop says to stop, or one of these. */
export type Until =
  | Stop
  /** The next event at which an enabled breakpoint of the session says to stop. */
  | { readonly to: 'breakpoint' }
  /**
   * What goes wrong next: an event that tells of a problem (a drop, a refusal, a fault, an illegal access, an effect that the trace
   * cannot tell, a loss of events), one since which something stands wrong at the end of the trace (see `standingAtEnd`), or one at
   * which a rule found something.
   */
  | { readonly to: 'finding' }
  /** The end of the trace, or of the simulation if the trace can grow. */
  | { readonly to: 'end' };

/** The finder of the breakpoints of a session. */
export const breakpointFinder = ({ trace, stops }: Session): Finder =>
  anyFinder(stops.breakpoints.filter((b) => b.enabled).map(({ stop }) => finderOf(trace, stop)));

/** Most events that one run makes: a scenario need not have an end. */
export const MOST_EVENTS = 1_000_000;

/** A run of the cursor to a place that is not known yet. It is done in pieces, so that other work can be done in between. */
export class RunTo {
  readonly #session: Session;
  readonly #until: Until;
  readonly #most: number;
  readonly #from: number;
  readonly #start: number;
  #at: number;
  #told: string | undefined;
  /** What goes wrong in the trace. */
  readonly #wrong: GoneWrong;
  /**
   * Where a search for a finding stands, while rules have not judged all events up to there: at an event that tells of a problem
   * (`found`), behind an event at which a rule found something, or at the end (`refusal`).
   */
  #held: { readonly found: number; readonly to: Step; readonly refusal?: Refusal } | undefined;
  /** Finds the stops; undefined for a run to a finding or to the end. */
  readonly #finder: Finder | undefined;

  /** `judge`: what rules find, for a search for a finding. Throws FilterError for a filter that cannot be read. */
  constructor(session: Session, until: Until, most = MOST_EVENTS, judge?: Judge) {
    this.#session = session;
    this.#until = until;
    this.#most = most;
    this.#wrong = new GoneWrong(session, judge);
    this.#from = session.trace.length;
    this.#start = session.cursor;
    this.#at = session.cursor;
    if (until.to === 'breakpoint') this.#finder = breakpointFinder(session);
    else if (until.to !== 'finding' && until.to !== 'end') this.#finder = finderOf(session.trace, until);
  }

  /** What a search for a finding has found, in words; undefined while it has found nothing. */
  get told(): string | undefined {
    return this.#told;
  }

  /** Whether the search goes on only when rules have judged more events. */
  get waits(): boolean {
    return this.#held !== undefined;
  }

  /** Events that this run made so far. */
  get made(): number {
    return this.#session.trace.length - this.#from;
  }

  /** Looks at the next `events` events at most. Returns the step that was found, with the cursor on it, or why there is none; undefined while the search goes on. */
  look(events: number): Step | Refusal | undefined {
    const { trace } = this.#session;
    const grew = trace.length;
    const result = this.#until.to === 'finding' ? this.#lookForWrong(events) : this.#look(events);
    if (trace.length > grew) this.#session.grown(true);
    return typeof result === 'number' ? this.#session.move({ to: 'step', step: result }) : result;
  }

  /** The same for what goes wrong. A rule may tell of an event only when it has judged later ones. */
  #lookForWrong(events: number): number | Refusal | undefined {
    const wrong = this.#wrong;
    const from = this.#start + 1;
    if (this.#held === undefined && wrong.finding(from, this.#at) >= 0) this.#held = { found: -1, to: this.#at };
    if (this.#held === undefined) {
      const result = this.#look(events);
      if (result === undefined) return undefined;
      const last = this.#session.trace.length - 1;
      this.#held =
        typeof result === 'number' ? { found: result, to: result } : { found: -1, to: last, refusal: result };
    }
    const { found, to, refusal } = this.#held;
    if (wrong.lags(refusal ? Number.POSITIVE_INFINITY : to)) return undefined;
    this.#held = undefined;
    const step = earliest(found, wrong.since(from, to), wrong.finding(from, to));
    // What a rule had found may be suppressed by now.
    if (step < 0) return refusal;
    this.#told = wrong.told(step);
    return step;
  }

  #look(events: number): number | Refusal | undefined {
    const { trace } = this.#session;
    if (this.#finder?.ready(this.#at + 1, events) === false) return undefined;
    for (let left = events; left > 0; ) {
      if (this.#at + 1 >= trace.length) {
        const { growing } = this.#session;
        if (this.made >= this.#most)
          return this.#end(`nothing was found in ${this.#most} further events${this.#wanted}`);
        const refusal = growing ? this.#session.grow() : { refused: this.#nothing() };
        if (refusal && this.#until.to === 'finding' && this.#session.stuck === undefined)
          return { refused: this.#nothing() };
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
      case 'filter':
        return `no later event fits ${stopText(this.#until)}`;
      case 'breakpoint':
        return this.#session.stops.breakpoints.some((b) => b.enabled)
          ? 'no breakpoint stops at a later event'
          : 'there is no breakpoint that is on';
      case 'finding':
        return this.#wrong.nothing(this.#start);
      case 'end':
        return 'this is the last event';
    }
  }

  /** The first step from `from` to `to` (both included) that is asked for; -1 for none. */
  #find(from: number, to: number): number {
    if (this.#finder !== undefined) return this.#finder.first(from, to);
    return this.#until.to === 'finding' ? this.#wrong.first(from, to) : -1;
  }

  get #wanted(): string {
    return this.#until.to === 'finding' ? `; looked for ${this.#wrong.lookedFor}` : '';
  }
}
