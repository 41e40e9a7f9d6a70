import type { Step } from '../../base/ids.ts';
import { StepSet } from '../../base/step-set.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Filter } from './ast.ts';
import { parseFilter } from './parse.ts';
import { compileFilter } from './pass.ts';

/**
 * A search for the events of a trace that fit a filter. It asks about the events in their order, some at a time, so that its caller
 * may do other work in between, or stop. The trace may grow meanwhile.
 */
export class Search {
  /** The filter as it was written. */
  readonly text: string;
  /** The events that fit, of those that were asked about. */
  readonly hits = new StepSet();
  readonly #trace: Trace;
  readonly #filter: Filter;
  #holds: ((step: Step) => boolean) | undefined;
  #done = 0;
  readonly #sources: number;

  /** Throws FilterError when the text is no filter. */
  constructor(trace: Trace, text: string) {
    this.text = text;
    this.#trace = trace;
    this.#filter = parseFilter(text);
    this.#sources = trace.sources.length;
  }

  /** Whether a source joined since: the events have other steps, and the search has to begin again. */
  get stale(): boolean {
    return this.#trace.sources.length !== this.#sources;
  }

  /** How many events were asked about: those below this step. */
  get done(): number {
    return this.#done;
  }

  /** Whether all events that the trace has so far were asked about. */
  get complete(): boolean {
    return this.#done >= this.#trace.length;
  }

  /** Asks about the next `most` events, or as many as there are; says whether there are more. */
  advance(most: number): boolean {
    const end = Math.min(this.#trace.length, this.#done + most);
    // A filter with times needs the clock, which the first records tell.
    if (end > 0) this.#holds ??= compileFilter(this.#filter, this.#trace);
    for (; this.#done < end; this.#done++) if (this.#holds!(this.#done)) this.hits.add(this.#done);
    return !this.complete;
  }

  /**
   * The hit that comes behind a step or in front of it; behind the last one comes the first, in front of the first one the last. -1 when there is none,
   * undefined while the events that decide it were not asked about.
   */
  neighbour(step: Step, to: 'next' | 'previous'): Step | undefined {
    const { hits } = this;
    const near = to === 'next' ? hits.from(step + 1) : this.#done >= step || this.complete ? hits.below(step) : -1;
    if (near >= 0) return near;
    if (!this.complete) return undefined;
    return hits.at(to === 'next' ? 0 : hits.size - 1);
  }
}
