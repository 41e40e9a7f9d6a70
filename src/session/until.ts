import type { Step } from '../base/ids.ts';
import { lowerBound } from '../base/search.ts';
import { FilterError, looksBack } from '../query/filter/ast.ts';
import { parseFilter } from '../query/filter/parse.ts';
import { compileFilter } from '../query/filter/pass.ts';
import { HistorySearch } from '../query/history.ts';
import { resolvePath } from '../query/paths.ts';
import type { Trace } from '../trace/trace.ts';
import type { Stop } from './stop.ts';

/** Finds the events at which to stop. */
export interface Finder {
  /**
   * Works its way to a step, by so many events at most: what lies before it may matter. Says whether it is there; until then no other question may be asked.
   */
  ready(step: Step, events: number): boolean;
  /** The first step from `from` to `to` (both included) at which to stop; -1 for none. */
  first(from: number, to: number): number;
  /** The last one. */
  last(from: number, to: number): number;
}

/** What is wrong with a stop, with the column in its filter; undefined for nothing. */
export function stopProblem(stop: { readonly to: string; readonly filter?: string }): string | undefined {
  try {
    if (stop.to === 'filter') parseFilter(stop.filter ?? '');
    return undefined;
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return `column ${error.at + 1}: ${error.message}`;
  }
}

/** Makes what finds the events to stop at. Throws FilterError for a text that is no filter. */
export function finderOf(trace: Trace, stop: Stop): Finder {
  switch (stop.to) {
    case 'kind':
      return testing((step) => trace.table.kind(step).name === stop.kind);
    case 'filter': {
      const filter = parseFilter(stop.filter);
      const holds = compileFilter(filter, trace);
      return looksBack(filter) ? inOrder(holds) : testing(holds);
    }
    case 'change':
      return changing(trace, stop.path);
  }
}

/** Finds what any of several finders finds. */
export function anyFinder(finders: readonly Finder[]): Finder {
  return {
    ready: (step, events) => finders.map((f) => f.ready(step, events)).every((ready) => ready),
    first: (from, to) => {
      const found = finders.map((f) => f.first(from, to)).filter((step) => step >= 0);
      return found.length === 0 ? -1 : Math.min(...found);
    },
    last: (from, to) => Math.max(-1, ...finders.map((f) => f.last(from, to))),
  };
}

/** Finds the events for which a test holds that may be asked anywhere, but is quick only in rising order. */
export function testing(holds: (step: Step) => boolean): Finder {
  return {
    ready: () => true,
    first: (from, to) => {
      for (let step = from; step <= to; step++) if (holds(step)) return step;
      return -1;
    },
    last: (from, to) => {
      let found = -1;
      for (let step = from; step <= to; step++) if (holds(step)) found = step;
      return found;
    },
  };
}

/** Finds the events for which a test holds that goes over the trace from its beginning; keeps what it found. */
function inOrder(holds: (step: Step) => boolean): Finder {
  const hits: Step[] = [];
  let done = 0;
  const go = (end: Step): void => {
    for (; done < end; done++) if (holds(done)) hits.push(done);
  };
  return {
    ready: (step, events) => {
      go(Math.min(step, done + events));
      return done >= step;
    },
    first: (from, to) => {
      for (;;) {
        const hit = hits[lowerBound(hits, from)];
        if (hit !== undefined) return hit <= to ? hit : -1;
        if (done > to) return -1;
        go(done + 1);
      }
    },
    last: (from, to) => {
      go(to + 1);
      const hit = hits[lowerBound(hits, to + 1) - 1];
      return hit !== undefined && hit >= from ? hit : -1;
    },
  };
}

function changing(trace: Trace, path: string): Finder {
  const steps = function* (from: number, to: number): Generator<Step> {
    // The object may come into the world only with a later event.
    const target = resolvePath(trace.world, path);
    if (target === undefined) return;
    for (const { step } of new HistorySearch(trace, target, false).entriesIn(from, to)) yield step;
  };
  return {
    ready: () => true,
    first: (from, to) => {
      for (const step of steps(from, to)) return step;
      return -1;
    },
    last: (from, to) => {
      let found = -1;
      for (const step of steps(from, to)) found = step;
      return found;
    },
  };
}
