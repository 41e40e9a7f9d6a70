import type { TimeBase } from '../base/time.ts';
import { parseTime } from '../base/time.ts';
import type { EventView } from '../model/event.ts';
import { type Snapshot, State } from '../model/state.ts';
import { apply, vocabulary } from '../model/vocabulary.ts';
import type { World } from '../model/world.ts';
import { type Accounting, emptyAccounting } from './accounting.ts';
import { EventTable } from './table.ts';

/** Events between two keyframes at first: a step is reached by one fork and at most this many events. */
export const KEYFRAME_EVERY = 2048;

/** Most keyframes that a trace keeps. When there are more, every second one goes and the distance doubles. */
export const MOST_KEYFRAMES = 1024;

/** What is known of where a trace comes from. */
export interface TraceMeta {
  /** Name of the source as the user gave it. */
  file: string;
  /** Format, such as `qemu-log`. */
  format: string;
  /** Variant of the format, in words. */
  variant: string;
  /** Clock of the stamps, as far as the source tells. */
  clock: string;
  /** CPUs that the header names or that were seen; 0 unknown. */
  cpus: number;
  time: TimeBase;
  /** Times of the first and last record, whether they became events or not; NaN while no record had a stamp. */
  start: number;
  end: number;
  /** What is wrong with the source as a whole, such as packed data that is cut off; nothing read before is lost. */
  problem?: string;
  /** Header lines of a trace file that say more than its format and clock, each `name value` without its `#`. */
  header?: readonly string[];
}

/** The state after no event at all. */
export const BEFORE_FIRST = -1;

/** What happened: the events of one source, and the state at any of them. Grows while its source is read. */
export class Trace {
  readonly world: World;
  readonly table = new EventTable();
  readonly accounting: Accounting = emptyAccounting();
  readonly meta: TraceMeta;
  #keyframes: Snapshot[] = [];
  #interval = KEYFRAME_EVERY;
  readonly #head: State;
  readonly #view: EventView = { object: 0, cpu: -1, words: new Uint32Array(0), at: 0 };

  constructor(world: World, meta: TraceMeta) {
    this.world = world;
    this.meta = meta;
    this.#head = new State(world);
    this.#keyframes.push(this.#head.snapshot());
  }

  /** How many events there are. */
  get length(): number {
    return this.table.length;
  }

  /** The state after the last event so far; only the builder may write to it, through `append`. */
  get head(): State {
    return this.#head;
  }

  /** Appends an event and applies it to the head state; `words` holds its arguments in the layout of its kind. */
  append(
    kind: number,
    time: number,
    cpu: number,
    object: number,
    task: number,
    line: number,
    offset: number,
    words: Uint32Array,
  ): void {
    this.table.push(kind, time, cpu, object, task, line, offset, words);
    const view = this.#view;
    view.object = object;
    view.cpu = cpu;
    view.words = words;
    view.at = 0;
    apply(this.#head, vocabulary[kind]!, view);
    if (this.table.length % this.#interval === 0) this.#keyframe();
  }

  #keyframe(): void {
    this.#keyframes.push(this.#head.snapshot());
    if (this.#keyframes.length <= MOST_KEYFRAMES) return;
    this.#keyframes = this.#keyframes.filter((_, i) => i % 2 === 0);
    this.#interval *= 2;
  }

  /** The state after event `step` (0-based); `BEFORE_FIRST` is the state before any event. Owned by the caller. */
  stateAt(step: number): State {
    const last = Math.min(Math.max(step, BEFORE_FIRST), this.length - 1);
    const frame = Math.floor((last + 1) / this.#interval);
    const state = new State(this.world, this.#keyframes[frame]!);
    this.advance(state, frame * this.#interval - 1, last);
    return state;
  }

  /** Brings a state that stands after event `from` to after event `to` (not before `from`). */
  advance(state: State, from: number, to: number): void {
    for (let step = from + 1; step <= to; step++) {
      apply(state, this.table.kind(step), this.table.view(step, this.#view));
    }
  }

  /** The last step at or before a time given as text; undefined when the text is no time of this clock. */
  stepAtTime(text: string): number | undefined {
    const time = parseTime(text, this.meta.time);
    return time === undefined ? undefined : this.table.lastAtTime(time);
  }
}
