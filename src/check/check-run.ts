import type { EventKind } from '../model/event.ts';
import { RecordedKinds } from '../query/recorded-kinds.ts';
import type { Trace } from '../trace/trace.ts';
import { Walk } from '../trace/walk.ts';
import { clockOf, orderOf, RuleCheck, showsAll } from './check-trace.ts';
import type { Rule } from './rule.ts';

/** So many events have their kinds noted in the time in which one event is judged. */
const LIGHT = 32;

/**
 * A check of a trace in small slices. A trace that was read is judged when it is whole, because rules ask which kinds of events
 * it holds. A run of the simulator is judged as it goes (`live`); what only its end shows, when it is over.
 */
export class CheckRun {
  readonly #trace: Trace;
  readonly #rules: readonly Rule[];
  readonly #live: boolean;
  /** The kinds of events that were found so far. */
  readonly #recorded: RecordedKinds;
  readonly #sources: number;
  #judging: { readonly check: RuleCheck; readonly walk: Walk } | undefined;
  readonly #cut: boolean;
  #ended = false;

  /** `cut`: reading did not reach the end of the trace, so nothing can be said of what its end would show. */
  constructor(trace: Trace, rules: readonly Rule[], live: boolean, cut = false) {
    this.#trace = trace;
    this.#rules = rules;
    this.#live = live;
    this.#cut = cut;
    this.#sources = trace.sources.length;
    this.#recorded = new RecordedKinds(trace);
    if (live) this.#judge();
  }

  /** What was found so far; undefined while no event was judged. */
  get check(): RuleCheck | undefined {
    return this.#judging?.check;
  }

  /** Whether the trace holds events of a kind, or may come to hold some. */
  holds(kind: EventKind): boolean {
    return this.#live || this.#recorded.known(kind);
  }

  /** Number of events that were judged. */
  get done(): number {
    return this.#judging?.walk.done ?? 0;
  }

  /** Whether the whole trace was judged, with its end. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether the trace is no longer the one that was judged: a source joined, or it went on behind its end. */
  get stale(): boolean {
    const { length, sources } = this.#trace;
    return sources.length !== this.#sources || length < this.done || (this.#ended && length > this.done);
  }

  /** Does the work of about `events` events; false when there is none left for now. A trace that was read has then ended. */
  advance(events: number): boolean {
    if (this.#ended) return false;
    if (this.#judging === undefined) {
      if (!this.#recorded.look(events * LIGHT)) this.#judge();
      return true;
    }
    const more = this.#judging.walk.advance(events);
    if (!more && !this.#live) this.end();
    return more;
  }

  /** The trace is over: no event follows, or none that was read. */
  end(): void {
    if (this.#ended || this.#judging === undefined) return;
    const { check, walk } = this.#judging;
    this.#ended = true;
    if (!this.#cut) check.end(this.#trace.length - 1, walk.state);
  }

  #judge(): void {
    const holds = (kind: EventKind): boolean => this.holds(kind);
    const trace = this.#trace;
    const check = new RuleCheck(this.#rules, trace.world, showsAll(trace), holds, orderOf(trace), clockOf(trace));
    this.#judging = { check, walk: new Walk(this.#trace, [check]) };
  }
}

/** Checks a whole trace at once. */
export function checkTrace(trace: Trace, rules: readonly Rule[]): RuleCheck {
  const run = new CheckRun(trace, rules, false);
  while (run.advance(Number.POSITIVE_INFINITY));
  return run.check!;
}
