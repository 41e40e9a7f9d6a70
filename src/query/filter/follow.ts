import type { CellId, Step } from '../../base/ids.ts';
import type { State } from '../../model/state.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Joins } from './joins.ts';

/** Follows the state of a trace from step to step, and tells which cells change on the way. */
class Follower {
  readonly #trace: Trace;
  readonly #changed: (cell: CellId) => void;
  #state: State | undefined;
  #at = 0;
  #cursor: ReturnType<Trace['log']['read']> | undefined;
  /** Events that the log had when the cursor was made. */
  #events = 0;
  #more = false;

  constructor(trace: Trace, changed: (cell: CellId) => void) {
    this.#trace = trace;
    this.#changed = changed;
  }

  /** The step after which the state stands. */
  get at(): Step {
    return this.#at;
  }

  /** The state after a step that is not before `at`. Not to be written to; it follows later calls. */
  go(step: Step): State {
    if (this.#state === undefined) return this.jump(step);
    if (step === this.#at) return this.#state;
    if (this.#cursor === undefined || this.#events !== this.#trace.log.events) {
      this.#events = this.#trace.log.events;
      this.#cursor = this.#trace.log.read(this.#at + 1, this.#events - 1);
      this.#more = this.#cursor.next();
    }
    const state = this.#state;
    const cursor = this.#cursor;
    for (; this.#more && cursor.step <= step; this.#more = cursor.next()) {
      if (!cursor.changes) continue;
      this.#changed(cursor.cell);
      state.restore(cursor.cell, cursor.value, cursor.known);
    }
    this.#at = step;
    return state;
  }

  /** The state after any step; the changes in between are not told. */
  jump(step: Step): State {
    this.#cursor = undefined;
    this.#at = step;
    this.#state = this.#trace.stateAt(step);
    return this.#state;
  }

  /** Whether a state is at hand. */
  get begun(): boolean {
    return this.#state !== undefined;
  }
}

/** With this many events between two questions, or four for each object, the state is taken from a keyframe: the references are then read again. */
const FAR = 1 << 14;

/** The state after any step, which `joins` follows: cheap where steps are asked about in rising order. */
export function stateSource(trace: Trace, joins: Joins): (step: Step) => State {
  const follower = new Follower(trace, (cell) => joins.changed(cell));
  return (step) => {
    const far = Math.max(FAR, trace.world.objects * 4);
    if (follower.begun && step >= follower.at && step - follower.at <= far) return follower.go(step);
    joins.reset();
    return follower.jump(step);
  };
}
