import type { CellId, ObjectId, Step } from '../base/ids.ts';
import { State } from '../model/state.ts';
import { vocabulary } from '../model/vocabulary.ts';
import { type EventRow, eventRow } from './row.ts';
import { BEFORE_FIRST, type Trace } from './trace.ts';

/** Looks at a trace from its first event to its last, with the state after each. Questions about a few objects or cells read the change log instead. */
export interface Observer {
  /**
   * The event at `step` changes a cell: the cell will hold `value`, of which the bits `known` are known. `state` still holds the old value.
   * Observers that do not need changes leave this method out.
   */
  change?(state: State, object: ObjectId, cell: CellId, value: number, known: number, step: Step): void;
  /** Takes the event at `step`; `state` is the state after it. The row is reused. */
  event(step: Step, row: EventRow, state: State): void;
}

/**
 * Takes observers over a trace, in slices, also while the trace still grows. No event is applied again: the log of the
 * trace tells what each one changed. All observers share one state, which they may not write to.
 */
export class Walk {
  readonly #trace: Trace;
  readonly #observers: readonly Observer[];
  readonly #askers: readonly Required<Observer>[];
  #state: State;
  #done = 0;

  /** `from`: the first event that is looked at. */
  constructor(trace: Trace, observers: readonly Observer[], from = 0) {
    this.#trace = trace;
    this.#observers = observers;
    this.#askers = observers.filter((o): o is Required<Observer> => o.change !== undefined);
    this.#state = from === 0 ? new State(trace.world) : trace.stateAt(from - 1);
    this.#done = from;
  }

  /** Number of events that the observers have seen. */
  get done(): number {
    return this.#done;
  }

  /** The state after the last event that the observers have seen. */
  get state(): State {
    return this.#state;
  }

  /** Goes back to an event that the observers have seen, because the trace changed from there on. */
  rewind(to: number): void {
    if (to >= this.#done) return;
    this.#state = this.#trace.stateAt(to - 1);
    this.#done = to;
  }

  /** Shows the observers the next `most` events, or as many as there are; says whether there are more. */
  advance(most = Number.POSITIVE_INFINITY): boolean {
    const trace = this.#trace;
    const end = Math.min(trace.length, this.#done + most);
    const row = eventRow(vocabulary[0]!);
    const { world, table, log } = trace;
    const state = this.#state;
    const cursor = log.read(this.#done, end - 1);
    let more = this.#done < end && cursor.next();
    let object: ObjectId = BEFORE_FIRST;
    let first = 0;
    let behind = 0;
    for (let step = this.#done; step < end; step++) {
      for (; more && cursor.step === step; more = cursor.next()) {
        if (!cursor.changes) continue;
        const { cell, value, known } = cursor;
        if (this.#askers.length > 0) {
          // In most cases it is the object that changed last.
          if (cell < first || cell >= behind) {
            object = world.objectOfCell(cell);
            first = world.base(object);
            behind = first + world.type(object)!.size;
          }
          for (const asker of this.#askers) asker.change(state, object, cell, value, known, step);
        }
        state.restore(cell, value, known);
      }
      table.read(step, row);
      for (const observer of this.#observers) observer.event(step, row, state);
    }
    this.#done = Math.max(this.#done, end);
    return this.#done < trace.length;
  }
}

/** Takes one observer over a whole trace. */
export function walk(trace: Trace, ...observers: readonly Observer[]): void {
  new Walk(trace, observers).advance();
}
