import type { Step } from '../../base/ids.ts';
import type { Namespace } from '../../model/namespace.ts';
import type { Trace } from '../../trace/trace.ts';
import { type HandlerSource, handlerSources } from '../delivery/lost-events.ts';

/**
 * When the sources of a trace tell of handlers: of what comes in front of their first record, or behind their last one, while others go on,
 * nobody knows whether it was handled.
 */
export class HandlerTimes {
  /** By system; a trace of one source tells of handlers all the time. */
  readonly #spans = new Map<Namespace, HandlerSource[]>();
  readonly #always: boolean;

  constructor(trace: Trace) {
    this.#always = trace.sources.length === 1;
    if (this.#always) return;
    for (const told of handlerSources(trace)) {
      const space = trace.world.space(told.source.system);
      const spans = this.#spans.get(space);
      if (spans === undefined) this.#spans.set(space, [told]);
      else spans.push(told);
    }
  }

  /** Whether a system told of its handlers at a step; at step -1, before all, as it did at all. */
  tells(system: Namespace, step: Step): boolean {
    if (this.#always || step < 0) return true;
    return (this.#spans.get(system) ?? []).some(({ from, to }) => from <= step && step <= to);
  }
}
