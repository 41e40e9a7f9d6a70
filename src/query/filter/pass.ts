// Filters put to the events of a trace.
import type { CellId, ObjectId, Step } from '../../base/ids.ts';
import type { State } from '../../model/state.ts';
import type { EventRow } from '../../trace/row.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Observer } from '../../trace/walk.ts';
import type { Filter } from './ast.ts';
import { type Compiled, compileWith, relatedAt } from './compile.ts';
import { stateSource } from './follow.ts';
import { Joins } from './joins.ts';
import { relatedBy } from './related.ts';
import { YES } from './value-tests.ts';

/**
 * A filter as a test of the events of a trace. For an event that lacks what the filter asks about (no such argument, no CPU, no stamp, a value
 * that is not known in the state), neither a comparison nor its negation holds. Make the test after the first records of the trace were read: only then is the
 * base of its times known.
 *
 * A filter without state and `after` looks at the event alone, in any order. Others go over the trace once when they are asked about steps in rising
 * order; a question about an earlier step makes them begin again. The trace may grow meanwhile.
 */
export function compileFilter(filter: Filter, trace: Trace): (step: Step) => boolean {
  const pass = new Pass(filter, trace);
  const { needs, ask } = pass.compiled;
  if (!needs.state && !needs.past) return (step) => ask(step) === YES;
  return (step) => pass.holds(step);
}

class Pass {
  readonly compiled: Compiled;
  #seen = -1;
  #answer = false;

  constructor(filter: Filter, trace: Trace) {
    const joins = new Joins(trace.world);
    this.compiled = compileWith(filter, trace, joins, stateSource(trace, joins));
  }

  holds(step: Step): boolean {
    const { ask, pasts } = this.compiled;
    if (pasts.length === 0) return ask(step) === YES;
    if (step === this.#seen) return this.#answer;
    if (step < this.#seen) {
      this.#seen = -1;
      for (const past of pasts) past.reset();
    }
    for (let before = this.#seen + 1; before < step; before++) for (const past of pasts) past.see(before);
    this.#answer = ask(step) === YES;
    for (const past of pasts) past.see(step);
    this.#seen = step;
    return this.#answer;
  }
}

/**
 * The object of a related name (`entry`, `irq`, see docs/filter.md) of the event at a step, -1 for none. Ask in rising order, as a filter is asked.
 */
export function relatedObject(name: string, trace: Trace): (step: Step) => ObjectId {
  const joins = new Joins(trace.world);
  return relatedAt(relatedBy(name, trace.world, joins), trace, stateSource(trace, joins));
}

/** A filter as an observer of a walk, for those who walk over a trace anyway: rules, searches. */
export class FilterObserver implements Observer {
  readonly #compiled: Compiled;
  readonly #joins: Joins;
  #state: State | undefined;
  #holds = false;

  /** The walk has to begin at the first event if the filter looks at earlier events (`needsPast`). */
  constructor(filter: Filter, trace: Trace) {
    this.#joins = new Joins(trace.world);
    this.#compiled = compileWith(filter, trace, this.#joins, () => this.#state!);
  }

  /** Whether the filter looks at events before the one that it is asked about. */
  get needsPast(): boolean {
    return this.#compiled.needs.past;
  }

  /** Whether the filter holds for the event that was seen last. */
  get holds(): boolean {
    return this.#holds;
  }

  change(_state: State, _object: ObjectId, cell: CellId): void {
    this.#joins.changed(cell);
  }

  event(step: Step, _row: EventRow, state: State): void {
    const { ask, pasts } = this.#compiled;
    this.#state = state;
    this.#holds = ask(step) === YES;
    for (const past of pasts) past.see(step);
  }
}
