import type { Step } from '../../base/ids.ts';
import type { Namespace } from '../../model/namespace.ts';
import type { Trace } from '../../trace/trace.ts';
import { showsHandlers } from '../delivery/lost-events.ts';
import { isSnapshot } from '../snapshot.ts';

interface Span {
  readonly from: Step;
  readonly to: Step;
}

/**
 * When the sources of a trace tell of handlers: of what comes in front of their first record, or behind their last one, while others go on,
 * nobody knows whether it was handled.
 */
export class HandlerTimes {
  /** By system; a trace of one source tells of handlers all the time. */
  readonly #spans = new Map<Namespace, Span[]>();
  readonly #always: boolean;

  constructor(trace: Trace) {
    const { sources, world } = trace;
    this.#always = sources.length === 1;
    if (this.#always) return;
    for (const [i, source] of sources.entries()) {
      const { length } = source.events;
      if (source.derived || isSnapshot(source) || length === 0 || !showsHandlers(source)) continue;
      const space = world.space(source.system);
      const span = { from: trace.stepOf(i, 0), to: trace.stepOf(i, length - 1) };
      const spans = this.#spans.get(space);
      if (spans === undefined) this.#spans.set(space, [span]);
      else spans.push(span);
    }
  }

  /** Whether a system told of its handlers at a step; at step -1, before all, as it did at all. */
  tells(system: Namespace, step: Step): boolean {
    if (this.#always || step < 0) return true;
    return (this.#spans.get(system) ?? []).some(({ from, to }) => from <= step && step <= to);
  }
}
