import type { SourceId, Step } from '../base/ids.ts';
import { firstWhere } from '../base/search.ts';
import type { TimeBase } from '../base/time.ts';
import { parseTime } from '../base/time.ts';
import { PAGE_BYTES, type Snapshot, State } from '../model/state.ts';
import { apply, vocabulary } from '../model/vocabulary.ts';
import type { World } from '../model/world.ts';
import { ChangeLog } from './change-log.ts';
import { commonSteps, MergedEvents, mergeOrder } from './merge.ts';
import { BLOCK, BLOCK_BITS } from './object-blocks.ts';
import { type EventRow, eventRow } from './row.ts';
import type { Source } from './source.ts';
import type { EventList } from './table.ts';

/** Words of the change log between two keyframes, at least: what one replay reads to reach a step. */
export const KEYFRAME_WORDS = 1 << 16;

/**
 * Bytes of the change log between two keyframes for each byte that a keyframe costs. Keyframes are farther apart where
 * states are large: together they take at most 4/3 of what the log takes, and a replay costs in proportion to a state.
 */
const KEYFRAME_SHARE = 0.75;

/** A frozen state after so many events. */
interface Keyframe {
  readonly events: number;
  readonly state: Snapshot;
  /** Words of the log, and pages that the head had copied, when the keyframe was taken. */
  readonly words: number;
  readonly copied: number;
}

/** The state after no event at all. */
export const BEFORE_FIRST = -1;

/** Events that one slice of a refold applies. */
const SLICE = 1 << 15;

/**
 * What happened: the events of one source or of several on one clock, and the state at any of them. A trace of one source
 * grows while that source is read; `join` adds further sources.
 */
export class Trace {
  readonly world: World;
  readonly #sources: Source[];
  #events: EventList;
  #merged: MergedEvents | undefined;
  /** What every event changed. */
  readonly log = new ChangeLog();
  readonly #keyframes: Keyframe[] = [];
  #head: State;

  constructor(world: World, source: Source) {
    this.world = world;
    this.#sources = [source];
    this.#events = source.events;
    this.#head = new State(world);
    this.#head.watcher = this.log;
    this.#keyframes.push({ events: 0, state: this.#head.snapshot(), words: 0, copied: 0 });
  }

  /** Where the events come from, in the order in which the sources were given. */
  get sources(): readonly Source[] {
    return this.#sources;
  }

  /** The source that was given first: its clock is that of the trace. */
  get first(): Source {
    return this.#sources[0]!;
  }

  /** The clock of the trace. */
  get time(): TimeBase {
    const { time } = this.first;
    if (this.#sources.length === 1) return time;
    return { ...time, digits: Math.max(...this.#sources.map((s) => s.time.digits)) };
  }

  /** The clock for the time from one event to another: no finer than the coarser one of their sources. */
  between(from: Step, to: Step): TimeBase {
    const { time } = this;
    if (this.#sources.length === 1) return time;
    return { ...time, digits: Math.min(...[from, to].map((step) => this.#sources[this.sourceOf(step)]!.time.digits)) };
  }

  /** The events by their step. */
  get table(): EventList {
    return this.#events;
  }

  /** Number of the source that an event comes from. */
  sourceOf(step: Step): SourceId {
    return this.#merged === undefined ? 0 : this.#merged.source(step);
  }

  /**
   * The step of an event that was at `step` while the trace had its first source only. What keeps steps asks for them again when the
   * number of sources has changed: the events of those that joined lie between the others.
   */
  stepSinceAlone(step: Step): Step {
    return step < 0 ? step : this.stepOf(0, step);
  }

  /** The place of an event among those of its source. */
  rowOf(step: Step): number {
    return this.#merged === undefined ? step : this.#merged.order.rows[step]!;
  }

  /** The step of an event of a source, by its place there; -1 for none. */
  stepOf(source: SourceId, row: number): number {
    return this.#stepOf(source, row < this.#sources[source]!.events.length ? row : -1);
  }

  /** How many events there are; while sources join, how many of them were folded so far. */
  get length(): number {
    return this.log.events;
  }

  /** The state after the last event so far; only the builder may write to it, through `append`. */
  get head(): State {
    return this.#head;
  }

  /** Bytes that the trace takes beside its texts and objects: table, log and keyframes. */
  get bytes(): number {
    const pages = this.#head.copied * PAGE_BYTES;
    return (
      this.table.bytes +
      this.log.bytes +
      pages +
      this.#keyframes.reduce((sum, k) => sum + k.state.starts.length * 12, 0)
    );
  }

  /** Appends an event of the only source and applies it to the head state. */
  append(row: EventRow): void {
    this.first.events.push(row);
    this.#apply(row);
  }

  #apply(row: EventRow): void {
    const { log } = this;
    log.begin(row.object, row.time);
    apply(this.#head, row.kind, row);
    log.end();
    if (log.words - this.#keyframes.at(-1)!.words >= KEYFRAME_WORDS) this.#maybeKeyframe();
  }

  /** Takes a keyframe when the log grew enough since the last one: by three quarters of the bytes that the keyframe costs. */
  #maybeKeyframe(): void {
    const { words, events } = this.log;
    const last = this.#keyframes.at(-1)!;
    const cost = (this.#head.copied - last.copied) * PAGE_BYTES + this.#head.pages * 12;
    if ((words - last.words) * 4 < KEYFRAME_SHARE * cost) return;
    this.#keyframes.push({ events, state: this.#head.snapshot(), words, copied: this.#head.copied });
  }

  /**
   * Adds sources, whose events name objects of this trace's world, and folds again from the first step at which the order
   * of events differs. Returns that step. Callers also call it, without sources, after a source grew or its offset changed.
   */
  join(...sources: readonly Source[]): number {
    const work = this.joining(...sources);
    for (;;) {
      const at = work.next();
      if (at.done) return at.value;
    }
  }

  /** The same in slices; between two slices the trace answers up to the step that was reached. */
  *joining(...sources: readonly Source[]): Generator<void, number> {
    const before = this.#merged ?? new MergedEvents(this.#sources, mergeOrder(this.#sources, this.time), this.time);
    this.#sources.push(...sources);
    const merged = new MergedEvents(this.#sources, mergeOrder(this.#sources, this.time), this.time);
    const from = Math.min(commonSteps(before, merged), this.log.events);
    this.#rewind(from);
    this.#merged = merged;
    this.#events = merged;
    const row = eventRow(vocabulary[0]!);
    for (let step = from; step < merged.length; step++) {
      this.#apply(merged.read(step, row));
      if ((step - from) % SLICE === SLICE - 1) yield;
    }
    return from;
  }

  /** Forgets what event number `events` and the later ones did. */
  #rewind(events: number): void {
    this.#head = this.stateAt(events - 1);
    this.log.truncate(events);
    while (this.#keyframes.at(-1)!.events > events) this.#keyframes.pop();
    // The new head copies pages from here on. What it copied before belongs to no keyframe.
    const last = this.#keyframes.at(-1)!;
    this.#keyframes[this.#keyframes.length - 1] = { ...last, copied: this.#head.copied };
    this.#head.watcher = this.log;
  }

  /** The state after event `step` (0-based); `BEFORE_FIRST` is the state before any event. Owned by the caller. */
  stateAt(step: Step): State {
    const last = Math.min(Math.max(step, BEFORE_FIRST), this.log.events - 1);
    const keyframes = this.#keyframes;
    const after = firstWhere(1, keyframes.length, (i) => keyframes[i]!.events > last + 1);
    const frame = keyframes[after - 1]!;
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
    const time = parseTime(text, this.time);
    return time === undefined ? undefined : this.lastAtTime(time);
  }

  /**
   * The last step whose record stands at or before a line (1-based) of a source, or of a file, in which several sources may stand; -1 for
   * none. Without either, of the file of the first source.
   */
  lastAtLine(line: number, where: SourceId | string = this.first.file): number {
    if (typeof where === 'number') return this.#stepOf(where, this.#sources[where]?.events.lastAtLine(line) ?? -1);
    let step = -1;
    let nearest = 0;
    for (const [id, { file, events }] of this.#sources.entries()) {
      const row = file === where ? events.lastAtLine(line) : -1;
      if (row < 0 || events.line(row) <= nearest) continue;
      nearest = events.line(row);
      step = this.#stepOf(id, row);
    }
    return step;
  }

  #stepOf(source: SourceId, row: number): number {
    return this.#merged === undefined || row < 0 ? row : this.#merged.stepOf(source, row);
  }
}
