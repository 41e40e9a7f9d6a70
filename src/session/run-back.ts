import type { Step } from '../base/ids.ts';
import { breakpointFinder, type Until } from './run-to.ts';
import type { Refusal, Session } from './session.ts';
import { stopText } from './stop.ts';
import { type Finder, finderOf, testing } from './until.ts';
import { GoneWrong, type Judge } from './wrong.ts';

/** Events that are looked at together. Where the state is asked for, it is followed through each such stretch from its beginning. */
const STRETCH = 1 << 14;

/** A run of the cursor back to an event before it, which is not known yet. It is done in pieces, so that other work can be done in between. */
export class RunBack {
  readonly #session: Session;
  readonly #until: Until;
  readonly #finder: Finder;
  readonly #stretch: number;
  readonly #wrong: GoneWrong;
  #before: Step;
  #told: string | undefined;

  /** `judge`: what rules have found, for a search for a finding. Throws FilterError for a filter that cannot be read. `end`: back to the first event. */
  constructor(session: Session, until: Until, stretch = STRETCH, judge?: Judge) {
    this.#stretch = stretch;
    this.#session = session;
    this.#until = until;
    this.#before = session.cursor;
    this.#wrong = new GoneWrong(session, judge);
    this.#finder = backFinder(session, until, this.#wrong);
  }

  /** What a search for a finding has found, in words; undefined while it has found nothing. */
  get told(): string | undefined {
    return this.#told;
  }

  /** Looks at one stretch of events. Returns the step that was found, with the cursor on it, or why there is none; undefined while the search goes on. */
  look(): Step | Refusal | undefined {
    if (!this.#finder.ready(this.#before, this.#stretch)) return undefined;
    if (this.#before <= 0) return { refused: this.#nothing() };
    const from = Math.max(0, this.#before - this.#stretch);
    const found = this.#finder.last(from, this.#before - 1);
    if (found >= 0 && this.#until.to === 'finding') this.#told = this.#wrong.told(found);
    if (found >= 0) return this.#session.move({ to: 'step', step: found });
    this.#before = from;
    return undefined;
  }

  #nothing(): string {
    switch (this.#until.to) {
      case 'kind':
        return `there is no earlier event ${this.#until.kind}`;
      case 'change':
        return `nothing changes ${this.#until.path} earlier`;
      case 'filter':
        return `no earlier event fits ${stopText(this.#until)}`;
      case 'breakpoint':
        return this.#session.stops.breakpoints.some((b) => b.enabled)
          ? 'no breakpoint stops at an earlier event'
          : 'there is no breakpoint that is on';
      case 'finding':
        return `nothing goes wrong before step ${this.#session.cursor}`;
      case 'end':
        return 'this is the first event';
    }
  }
}

function backFinder(session: Session, until: Until, wrong: GoneWrong): Finder {
  switch (until.to) {
    case 'breakpoint':
      return breakpointFinder(session);
    case 'end':
      return testing((step) => step === 0);
    case 'finding':
      return {
        ready: () => true,
        first: (from, to) => wrong.first(from, to),
        last: (from, to) => wrong.last(from, to),
      };
    default:
      return finderOf(session.trace, until);
  }
}
