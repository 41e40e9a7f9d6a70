import type { Step } from '../base/ids.ts';
import type { State } from '../model/state.ts';
import { changesBetween, type ObjectChange } from '../query/changes.ts';
import { isThrough, type PathView, pathAt } from '../query/delivery/path.ts';
import type { Search } from '../query/filter/search.ts';
import { eventAbout } from '../query/next.ts';
import { objectsBelow } from '../query/paths.ts';
import { RecordedKinds } from '../query/recorded-kinds.ts';
import { BEFORE_FIRST, type Trace } from '../trace/trace.ts';
import { Stops } from './stops.ts';

/** A movement of the cursor, as a value. Keys, palette, timeline and other extensions all send these. */
export type Move =
  | { readonly to: 'step'; readonly step: Step }
  | { readonly to: 'next' }
  | { readonly to: 'previous' }
  | { readonly to: 'first' }
  | { readonly to: 'last' }
  /** The last event at or before a time (decimal seconds as the trace prints them). */
  | { readonly to: 'time'; readonly time: string }
  /** The last event whose record stands at or before a line (1-based). */
  | { readonly to: 'line'; readonly line: number; readonly file?: string | undefined }
  /** The next or previous event about an object or anything below it. */
  | { readonly to: 'nextOf' | 'previousOf'; readonly path: string };

/** Why a movement was not possible. */
export interface Refusal {
  readonly refused: string;
}

/** What brings further events at the end of a trace: a simulation that makes them, or a file that grows. */
export interface Continuation {
  /** Whether no further event is due. */
  readonly finished: boolean;
  /** Makes the next events; false when no further event is due. Throws when it cannot go on. */
  step(): boolean;
  /** Why there is no further event now, in words; left out: the simulation has ended. */
  readonly waits?: string;
}

/** What a session tells its listeners. */
export type SessionChange =
  | 'cursor'
  | 'trace'
  | 'selection'
  | 'options'
  | 'path'
  | 'stops'
  | 'search'
  | 'range'
  | 'lanes';

/** Events that the user marked, both ends included. */
export interface StepRange {
  readonly from: Step;
  readonly to: Step;
}

/**
 * One opened trace: where the cursor is, what is selected, what is shown. The cursor stands *after* an event: the views
 * show the state after that event.
 */
export class Session {
  readonly trace: Trace;
  /** Its breakpoints and checkpoints. */
  readonly stops: Stops = new Stops(() => this.#tell('stops'));
  #cursor: Step = BEFORE_FIRST;
  #state: State;
  #before: State;
  #changes: readonly ObjectChange[] | undefined;
  #selection: string | undefined;
  #onlyChanged = false;
  #path: PathView | undefined;
  #search: Search | undefined;
  #range: StepRange | undefined;
  #lanes: readonly string[] | undefined;
  /** How many sources there were when the steps were looked up that are kept here. */
  #sources: number;
  /** The step at which the cursor has to stand, once the sources that joined are folded up to there. */
  #due: Step | undefined;
  readonly #recorded: RecordedKinds;
  #loading = true;
  readonly #continuation: Continuation | undefined;
  /** The error with which the continuation stopped. */
  #stuck: string | undefined;
  readonly #listeners = new Set<(change: SessionChange) => void>();

  /** `continuation`: what makes further events when the cursor steps beyond the last one. */
  constructor(trace: Trace, continuation?: Continuation) {
    this.trace = trace;
    this.#recorded = new RecordedKinds(trace);
    this.#continuation = continuation;
    this.#sources = trace.sources.length;
    this.#loading = continuation === undefined;
    this.#state = trace.stateAt(BEFORE_FIRST);
    this.#before = this.#state;
  }

  /** Step of the cursor, -1 before the first event. */
  get cursor(): Step {
    return this.#cursor;
  }

  /** The state after the event at the cursor. Not to be written to. */
  get state(): State {
    return this.#state;
  }

  /** The state just before the event at the cursor. Not to be written to. */
  get before(): State {
    return this.#before;
  }

  /** What the event at the cursor changed. */
  get changes(): readonly ObjectChange[] {
    this.#changes ??= this.#cursor < 0 ? [] : changesBetween(this.#before, this.#state);
    return this.#changes;
  }

  /** Path of the selected object. */
  get selection(): string | undefined {
    return this.#selection;
  }

  /** The delivery path that is shown. */
  get path(): PathView | undefined {
    return this.#path;
  }

  /** Whether trees show only what the current step changed. */
  get onlyChanged(): boolean {
    return this.#onlyChanged;
  }

  /** Whether the source is still being read. */
  get loading(): boolean {
    return this.#loading;
  }

  /** Whether stepping beyond the last event can make further ones. */
  get growing(): boolean {
    return this.#continuation !== undefined && this.#stuck === undefined && !this.#continuation.finished;
  }

  /** Why the simulation cannot go on; undefined while it can, or when it came to its end. */
  get stuck(): string | undefined {
    return this.#stuck;
  }

  /** Calls `listener` after every change; the returned function removes the listener. */
  onChange(listener: (change: SessionChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  select(path: string | undefined): void {
    if (path === this.#selection) return;
    this.#selection = path;
    this.#tell('selection');
  }

  showOnlyChanged(on: boolean): void {
    this.#onlyChanged = on;
    this.#tell('options');
  }

  /** Shows the path of the delivery that an event belongs to; says why there is none. */
  showPath(step: Step): PathView | Refusal {
    return this.#showPath(step, pathAt(this.trace, step, this.#recorded));
  }

  /** Shows the path of the delivery that one of some events is a hop of, `step` before the others and the later ones first; else as `showPath`. */
  showWay(step: Step, others: readonly Step[]): PathView | Refusal {
    const steps = [step, ...[...others].sort((a, b) => b - a)];
    for (const one of steps) {
      const path = pathAt(this.trace, one, this.#recorded);
      if (path === undefined || !isThrough(path, steps)) continue;
      // What is asked about is all of the events: the path goes through one of them.
      const { near: _, ...way } = path;
      return this.#showPath(one, way);
    }
    return this.showPath(step);
  }

  #showPath(step: Step, path: PathView | undefined): PathView | Refusal {
    if (path === undefined) {
      const about = step >= 0 && step < this.trace.length ? this.trace.world.path(this.trace.table.object(step)) : '';
      const none = about === '' ? '' : `, and the trace shows none through ${about}`;
      return { refused: `the event at step ${step} belongs to no delivery${none}` };
    }
    this.#path = path;
    this.#tell('path');
    return path;
  }

  /** The search whose hits are shown. */
  get search(): Search | undefined {
    return this.#search;
  }

  /** Shows the hits of a search, or of none any more. */
  showSearch(search: Search | undefined): void {
    if (search === this.#search) return;
    this.#search = search;
    this.#tell('search');
  }

  /** The caller took the search farther. */
  searched(): void {
    this.#tell('search');
  }

  /** The events that the user marked on the timeline. */
  get range(): StepRange | undefined {
    return this.#range;
  }

  /** Marks events, or none any more. */
  mark(range: StepRange | undefined): void {
    if (range?.from === this.#range?.from && range?.to === this.#range?.to) return;
    this.#range = range;
    this.#tell('range');
  }

  /** The paths of the lanes that the timeline shows, in order; undefined while it arranges them by itself. */
  get lanes(): readonly string[] | undefined {
    return this.#lanes;
  }

  /** Arranges the lanes of the timeline. */
  arrangeLanes(paths: readonly string[]): void {
    this.#lanes = paths;
    this.#tell('lanes');
  }

  /** Shows no path any more. */
  hidePath(): void {
    if (this.#path === undefined) return;
    this.#path = undefined;
    this.#tell('path');
  }

  /**
   * The path that is shown follows the cursor to an event of another delivery. At an event that belongs to none it stays.
   */
  followPath(): void {
    const step = this.#cursor;
    if (this.#path === undefined || this.#path.hops.some((hop) => hop.step === step)) return;
    const path = pathAt(this.trace, step, this.#recorded);
    if (path === undefined || !path.hops.some((hop) => hop.step === step)) return;
    this.#path = path;
    this.#tell('path');
  }

  /** The caller has read more of the source; `done`: all of it. */
  grown(done: boolean): void {
    this.#loading = !done;
    this.#renumber();
    this.#tell('trace');
    if (this.#due !== undefined && this.#due < this.trace.length) this.#go(this.#due);
  }

  /**
   * Further sources joined the first one: the events that are kept by their steps have other ones now. Says whether that was so. The caller
   * tells of the cursor, which no user has moved.
   */
  #renumber(): boolean {
    const { trace } = this;
    if (trace.sources.length === this.#sources) return false;
    const wasAlone = this.#sources === 1;
    this.#sources = trace.sources.length;
    const now = (step: Step): Step => (wasAlone ? trace.stepSinceAlone(step) : step);
    const cursor = now(this.#cursor);
    const [hop] = this.#path?.hops ?? [];
    const range = this.#range && { from: now(this.#range.from), to: now(this.#range.to) };
    // What was looked at before is looked at again: the state, too, has passed other events by now.
    this.#stand(Math.min(cursor, trace.length - 1));
    this.#due = cursor < trace.length ? undefined : cursor;
    this.stops.renumber(now);
    this.mark(range);
    if (hop && (now(hop.step) >= trace.length || 'refused' in this.showPath(now(hop.step)))) this.hidePath();
    return true;
  }

  /**
   * Makes the next events at the end of a trace that can grow, without telling the listeners (`grown` does). Returns why there
   * are none, if there are none.
   */
  grow(): Refusal | undefined {
    if (this.#stuck === undefined) {
      try {
        if (this.#continuation?.step()) return undefined;
      } catch (error) {
        this.#stuck = error instanceof Error ? error.message : String(error);
      }
    }
    if (this.#stuck !== undefined) return { refused: `the simulation cannot go on: ${this.#stuck}` };
    if (this.#continuation === undefined) return { refused: 'this is the last event' };
    return { refused: this.#continuation.waits ?? 'the simulation has ended: no further event is due' };
  }

  /** The step that a movement leads to, without moving the cursor. */
  target(move: Move): Step | Refusal {
    const { length } = this.trace;
    const last = length - 1;
    const within = (step: Step, refused: string): Step | Refusal =>
      Number.isInteger(step) && step >= 0 && step <= last ? step : { refused };
    switch (move.to) {
      case 'step':
        return within(
          move.step,
          last < 0 ? 'the trace has no events' : `there is no step ${move.step}; the trace has steps 0 to ${last}`,
        );
      case 'next':
        return within(
          this.#cursor + 1,
          this.#loading ? 'this is the last event read so far' : 'this is the last event',
        );
      case 'previous':
        return this.#cursor === 0 ? BEFORE_FIRST : within(this.#cursor - 1, 'this is before the first event');
      case 'first':
        return within(0, 'the trace has no events');
      case 'last':
        return within(last, 'the trace has no events');
      case 'time': {
        const step = this.trace.stepAtTime(move.time);
        if (step === undefined) return { refused: `${move.time} is no time of this trace's clock` };
        return within(step, `the first event is later than ${move.time}`);
      }
      case 'line':
        return within(this.trace.lastAtLine(move.line, move.file), `there is no event at or before line ${move.line}`);
      case 'nextOf':
      case 'previousOf':
        return this.#eventOf(move.path, move.to === 'nextOf' ? 1 : -1);
    }
  }

  /** Moves the cursor. If the trace can grow, `next` at the last event makes the next one. */
  move(move: Move): Step | Refusal {
    const renumbered = this.#renumber();
    if (move.to === 'next' && this.#continuation && this.#cursor === this.trace.length - 1) {
      const refusal = this.grow();
      if (refusal) return refusal;
      this.#tell('trace');
    }
    const target = this.target(move);
    if (renumbered && (typeof target === 'object' || target === this.#cursor)) this.#tell('cursor');
    if (typeof target === 'object') return target;
    this.#go(target);
    return target;
  }

  #go(step: Step): void {
    this.#due = undefined;
    if (step === this.#cursor) return;
    if (step === this.#cursor + 1) {
      this.#changes = undefined;
      this.#before = this.#state;
      this.#state = this.#before.fork();
      this.trace.advance(this.#state, step - 1, step);
      this.#cursor = step;
    } else this.#stand(step);
    this.#tell('cursor');
  }

  /** Puts the cursor to a step, with the states around it. */
  #stand(step: Step): void {
    this.#changes = undefined;
    this.#before = this.trace.stateAt(step - 1);
    this.#state = this.#before.fork();
    if (step >= 0) this.trace.advance(this.#state, step - 1, step);
    this.#cursor = step;
  }

  #eventOf(path: string, direction: 1 | -1): Step | Refusal {
    const node = this.trace.world.find(path);
    if (!node) return { refused: `the trace never names ${path}` };
    const step = eventAbout(this.trace, objectsBelow(node), this.#cursor, direction);
    if (step >= 0) return step;
    return { refused: `there is no ${direction > 0 ? 'later' : 'earlier'} event about ${path}` };
  }

  #tell(change: SessionChange): void {
    for (const listener of [...this.#listeners]) listener(change);
  }
}
