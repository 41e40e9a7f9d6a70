import type { Step } from '../base/ids.ts';
import type { EventKind } from '../model/event.ts';
import { eventText } from '../query/events.ts';
import { type Standing, standingAtEnd, WRONG_TEXT } from '../query/standing.ts';
import type { Refusal, Session } from './session.ts';
import { type Stop, stopText } from './stop.ts';
import { anyFinder, type Finder, finderOf } from './until.ts';

/** Where to run to, from the cursor on: the next event at which a stop says to stop, or one of these. */
export type Until =
  | Stop
  /** The next event at which an enabled breakpoint of the session says to stop. */
  | { readonly to: 'breakpoint' }
  /**
   * What goes wrong next: an event that tells of a problem (a drop, a refusal, a fault, an illegal access, an effect that the trace
   * cannot tell, a loss of events), or one since which something stands wrong at the end of the trace (see `standingAtEnd`).
   */
  | { readonly to: 'finding' }
  /** The end of the trace, or of the simulation if the trace can grow. */
  | { readonly to: 'end' };

/** The finder of the breakpoints of a session. */
export const breakpointFinder = ({ trace, stops }: Session): Finder =>
  anyFinder(stops.breakpoints.filter((b) => b.enabled).map(({ stop }) => finderOf(trace, stop)));

/** Most events that one run makes: a scenario need not have an end. */
export const MOST_EVENTS = 1_000_000;

/** Whether events of a kind tell of a problem. */
export const isFinding = ({ role }: EventKind): boolean => role === 'fault' || role === 'loss';

/** What a search for a finding looks for, for the message when there is none. */
const LOOKED_FOR =
  'a drop, a refusal, a fault, an illegal access, an effect that the trace cannot tell, a loss of events, ' +
  `a cause that was ${WRONG_TEXT.masked}, or an interrupt that was ${WRONG_TEXT.untaken}`;

/** Most paths that a message names. */
const NAMED = 3;

/** A run of the cursor to a place that is not known yet. It is done in pieces, so that other work can be done in between. */
export class RunTo {
  readonly #session: Session;
  readonly #until: Until;
  readonly #most: number;
  readonly #from: number;
  readonly #start: number;
  #at: number;
  /** What stands wrong at the end; looked up when the end is there. */
  #standing: readonly Standing[] | undefined;
  #told: string | undefined;
  /** Finds the stops; undefined for a run to a finding or to the end. */
  readonly #finder: Finder | undefined;

  /** Throws FilterError for a filter that cannot be read. */
  constructor(session: Session, until: Until, most = MOST_EVENTS) {
    this.#session = session;
    this.#until = until;
    this.#most = most;
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
    if (this.#finder?.ready(this.#at + 1, events) === false) return undefined;
    for (let left = events; left > 0; ) {
      if (this.#at + 1 >= trace.length) {
        const { growing } = this.#session;
        if (this.made >= this.#most)
          return this.#end(`nothing was found in ${this.#most} further events${this.#wanted}`);
        const refusal = growing ? this.#session.grow() : { refused: this.#nothing() };
        if (refusal && this.#until.to === 'finding' && this.#session.stuck === undefined) return this.#atLast();
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
        return this.#nothingWrong();
      case 'end':
        return 'this is the last event';
    }
  }

  /** The first step from `from` to `to` (both included) that is asked for; -1 for none. */
  #find(from: number, to: number): number {
    if (this.#finder !== undefined) return this.#finder.first(from, to);
    return this.#until.to === 'finding' ? this.#finding(from, to) : -1;
  }

  #finding(from: number, to: number): number {
    const { trace } = this.#session;
    const event = first(from, to, (step) => isFinding(trace.table.kind(step)));
    const wrong = this.#begins(from, event < 0 ? to : event);
    const found = wrong.length > 0 ? wrong[0]!.since : event;
    if (found >= 0) this.#tell(found, wrong);
    return found;
  }

  /** What stands wrong at the end; nothing while the trace can grow, because there is no end yet. */
  #wrong(): readonly Standing[] {
    const { trace, growing, loading } = this.#session;
    if (growing || loading) return [];
    this.#standing ??= standingAtEnd(trace);
    return this.#standing;
  }

  /** What stands wrong since the first step from `from` to `to` (both included) that has such things. */
  #begins(from: number, to: number): readonly Standing[] {
    const within = this.#wrong().filter(({ since }) => since >= from && since <= to);
    return within.filter(({ since }) => since === within[0]!.since);
  }

  /** The end of a search for a finding. Only now, when the run is over, it shows since when something behind the search stands wrong. */
  #atLast(): number | Refusal {
    const wrong = this.#begins(this.#start + 1, this.#at);
    if (wrong.length === 0) return { refused: this.#nothing() };
    this.#tell(wrong[0]!.since, wrong);
    return wrong[0]!.since;
  }

  #tell(step: Step, wrong: readonly Standing[]): void {
    const { trace } = this.#session;
    const { table } = trace;
    const parts = wrong.map((s) => `${s.path} is ${WRONG_TEXT[s.wrong]}, to the end of the trace`);
    const kind = table.kind(step);
    if (isFinding(kind)) parts.unshift(`${kind.meaning.replace(/\.$/, '')} (${eventText(trace, step)})`);
    const all = wrong.length > 0 && this.#wrong().length > wrong.length ? `. At the end ${this.#counts()}` : '';
    this.#told = `step ${step}: ${parts.join('; ')}${all}`;
  }

  /** The message of a search that found nothing: what it looked for, and what stands wrong since before it began. */
  #nothingWrong(): string {
    const from = this.#start < 0 ? '' : ` after step ${this.#start}`;
    const looked = `nothing goes wrong${from}${this.#wanted}`;
    const counts = this.#counts();
    return counts === '' ? looked : `${looked}. Since earlier steps ${counts}`;
  }

  /** How many causes and interrupts stand wrong at the end; empty for none. */
  #counts(): string {
    const standing = this.#wrong();
    return (['masked', 'untaken'] as const)
      .map((wrong) => standing.filter((s) => s.wrong === wrong))
      .filter((all) => all.length > 0)
      .map(countText)
      .join(', and ');
  }

  get #wanted(): string {
    return this.#until.to === 'finding' ? `; looked for ${LOOKED_FOR}` : '';
  }
}

/** How many causes or interrupts stand wrong, and where: `2 interrupts are accepted and never taken (vcpu/0/vector/49 since step 30, …)`. */
function countText(all: readonly Standing[]): string {
  const { wrong } = all[0]!;
  const what = wrong === 'masked' ? 'cause' : 'interrupt';
  const named = all.slice(-NAMED).map(({ path, since }) => `${path} since step ${since}`);
  const more = all.length > NAMED ? '…, ' : '';
  return `${all.length} ${what}${all.length === 1 ? ' is' : 's are'} ${WRONG_TEXT[wrong]} (${more}${named.join(', ')})`;
}

function first(from: number, to: number, matches: (step: Step) => boolean): number {
  for (let step = from; step <= to; step++) if (matches(step)) return step;
  return -1;
}
