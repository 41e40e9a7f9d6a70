import type { Step } from '../base/time.ts';
import type { State } from '../model/state.ts';
import { resolvePath } from '../query/paths.ts';
import type { Refusal, Session } from './session.ts';

/** Where to run to, from the cursor on. */
export type Until =
  /** The next event of a kind. */
  | { readonly to: 'kind'; readonly kind: string }
  /** The next event that changes an object or anything below it, or one key of an object. */
  | { readonly to: 'change'; readonly path: string }
  /** The next event that tells of something gone wrong: dropped, refused, faulted, illegal, or not to be told. */
  | { readonly to: 'finding' }
  /** The end of the trace; where it can grow, of the simulation. */
  | { readonly to: 'end' };

/** Events that one run makes at most: a scenario need not have an end. */
export const MOST_EVENTS = 1_000_000;

const FINDING = /^(drop|illegal|untold|lost)$|\.(fault|error|abort|warn)$/;

/** Whether events of a kind tell of something gone wrong. */
export const isFinding = (kind: string): boolean => FINDING.test(kind);

/** A run of the cursor to a place that is not known yet. It is done in pieces, so that others get to work in between. */
export class RunTo {
  readonly #session: Session;
  readonly #until: Until;
  readonly #most: number;
  readonly #from: number;
  #at: number;
  #state: State | undefined;
  /** The event looked at changed what is asked for. */
  #hit = false;

  constructor(session: Session, until: Until, most = MOST_EVENTS) {
    this.#session = session;
    this.#until = until;
    this.#most = most;
    this.#from = session.trace.length;
    this.#at = session.cursor;
  }

  /** Events that this run made so far. */
  get made(): number {
    return this.#session.trace.length - this.#from;
  }

  /** Looks at the next events, so many at most. Where it led, once that is known; the cursor is there then. */
  look(events: number): Step | Refusal | undefined {
    const { trace } = this.#session;
    const grew = trace.length;
    const result = this.#look(events);
    if (trace.length > grew) this.#session.grown(true);
    return typeof result === 'number' ? this.#session.move({ to: 'step', step: result }) : result;
  }

  #look(events: number): number | Refusal | undefined {
    const { trace } = this.#session;
    for (let i = 0; i < events; i++) {
      if (this.#at + 1 >= trace.length) {
        if (this.made >= this.#most) return this.#end(`nothing was found in ${this.#most} further events`);
        const refusal = this.#session.growing ? this.#session.grow() : { refused: this.#nothing() };
        if (refusal) return this.#session.growing || this.#at >= 0 ? this.#end(refusal.refused) : refusal;
      }
      this.#at++;
      if (this.#matches(this.#at)) return this.#at;
    }
    return undefined;
  }

  /** The search has come to the end of what there is. */
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
      case 'finding':
        return 'nothing goes wrong later';
      case 'end':
        return 'this is the last event';
    }
  }

  #matches(step: number): boolean {
    const { trace } = this.#session;
    switch (this.#until.to) {
      case 'kind':
        return trace.table.kind(step).name === this.#until.kind;
      case 'finding':
        return isFinding(trace.table.kind(step).name);
      case 'change':
        return this.#changes(step, this.#until.path);
      case 'end':
        return false;
    }
  }

  #changes(step: number, path: string): boolean {
    const { trace } = this.#session;
    let state = this.#state;
    if (state === undefined) {
      state = trace.stateAt(step - 1);
      state.watch = (cell, changes) => {
        if (changes && !this.#hit) this.#hit = this.#covers(cell, path);
      };
      this.#state = state;
    }
    this.#hit = false;
    trace.advance(state, step - 1, step);
    return this.#hit;
  }

  #covers(cell: number, path: string): boolean {
    const { world } = this.#session.trace;
    const object = world.objectOfCell(cell);
    const own = world.path(object);
    if (own === path || own.startsWith(`${path}/`)) return true;
    const target = resolvePath(world, path);
    if (!target || target.object !== object) return false;
    if (!target.cell || !target.type) return true;
    const first = world.base(object) + target.type.at[target.cell.name]!;
    return cell >= first && cell < first + target.cell.words;
  }
}
