import type { TimeBase } from '../base/time.ts';
import { parseTime } from '../base/time.ts';
import { PAGE_BYTES, type Snapshot, State } from '../model/state.ts';
import { apply } from '../model/vocabulary.ts';
import type { World } from '../model/world.ts';
import { type Accounting, emptyAccounting } from './accounting.ts';
import { ChangeLog } from './change-log.ts';
import { BLOCK, BLOCK_BITS } from './object-blocks.ts';
import type { EventRow } from './row.ts';
import { EventTable } from './table.ts';

/**
 * Words of the change log between two keyframes, at least: what one replay reads to reach a step. Keyframes are farther
 * apart where states are large, so that all of them together take at most half of what the log takes.
 */
export const KEYFRAME_WORDS = 1 << 16;

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

/** A frozen state after so many events. */
interface Keyframe {
  readonly events: number;
  readonly state: Snapshot;
}

/** The state after no event at all. */
export const BEFORE_FIRST = -1;

/** What happened: the events of one source, and the state at any of them. Grows while its source is read. */
export class Trace {
  readonly world: World;
  readonly table = new EventTable();
  readonly accounting: Accounting = emptyAccounting();
  readonly meta: TraceMeta;
  /** What every event changed. */
  readonly log = new ChangeLog();
  readonly #keyframes: Keyframe[] = [];
  readonly #head: State;
  /** Words of the log, and pages that the head had copied, at the last keyframe. */
  #keyWords = 0;
  #keyCopied = 0;

  constructor(world: World, meta: TraceMeta) {
    this.world = world;
    this.meta = meta;
    this.#head = new State(world);
    this.#head.watcher = this.log;
    this.#keyframes.push({ events: 0, state: this.#head.snapshot() });
  }

  /** How many events there are. */
  get length(): number {
    return this.table.length;
  }

  /** The state after the last event so far; only the builder may write to it, through `append`. */
  get head(): State {
    return this.#head;
  }

  /** Bytes that the trace takes beside its texts and objects: table, log and keyframes. */
  get bytes(): number {
    const pages = this.#head.copied * PAGE_BYTES;
    return this.table.bytes + this.log.bytes + pages + this.#keyframes.reduce((sum, k) => sum + k.state.length * 8, 0);
  }

  /** Appends an event and applies it to the head state. */
  append(row: EventRow): void {
    this.table.push(row);
    this.log.begin(row.object, row.time);
    apply(this.#head, row.kind, row);
    this.log.end();
    if (this.log.words - this.#keyWords >= KEYFRAME_WORDS) this.#maybeKeyframe();
  }

  /** Takes a keyframe when the log since the last one takes twice the bytes that the keyframe costs. */
  #maybeKeyframe(): void {
    const { words } = this.log;
    const cost = (this.#head.copied - this.#keyCopied) * PAGE_BYTES + this.#head.pages * 8;
    if ((words - this.#keyWords) * 4 < 2 * cost) return;
    this.#keyframes.push({ events: this.length, state: this.#head.snapshot() });
    this.#keyWords = words;
    this.#keyCopied = this.#head.copied;
  }

  /** The state after event `step` (0-based); `BEFORE_FIRST` is the state before any event. Owned by the caller. */
  stateAt(step: number): State {
    const last = Math.min(Math.max(step, BEFORE_FIRST), this.length - 1);
    let low = 0;
    let high = this.#keyframes.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#keyframes[middle]!.events <= last + 1) low = middle;
      else high = middle - 1;
    }
    const frame = this.#keyframes[low]!;
    const state = new State(this.world, frame.state);
    this.log.replay(state, frame.events - 1, last);
    return state;
  }

  /** Brings a state that stands after event `from` to after event `to` (not before `from`). */
  advance(state: State, from: number, to: number): void {
    this.log.replay(state, from, to);
  }

  /** The last step at or before a time, or -1. Times need not be sorted: it is the last one of all that qualify. */
  lastAtTime(time: number): number {
    const { blocks } = this.log;
    for (let from = (this.length - 1) >>> BLOCK_BITS; ; from--) {
      const block = this.length === 0 ? -1 : blocks.lastAtTime(from, time);
      if (block < 0) return -1;
      for (let step = Math.min(this.length, (block + 1) * BLOCK) - 1; step >= block * BLOCK; step--)
        if (this.table.time(step) <= time) return step;
      from = block;
    }
  }

  /** The last step at or before a time given as text; undefined when the text is no time of this clock. */
  stepAtTime(text: string): number | undefined {
    const time = parseTime(text, this.meta.time);
    return time === undefined ? undefined : this.lastAtTime(time);
  }
}
