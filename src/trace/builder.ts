import type { EventKind } from '../model/event.ts';
import type { State } from '../model/state.ts';
import { World } from '../model/world.ts';
import { type Accounting, countSkipped, tally } from './accounting.ts';
import { Trace } from './trace.ts';

/** Longest run of argument words that any event kind has. */
const MOST_WORDS = 64;

/** What importers write to: sets where they stand in the source, then emits events and counts records. */
export class TraceBuilder {
  readonly trace: Trace;
  readonly world: World;
  /** Arguments of the event to come, in the layout of its kind; kinds with optional arguments need word 0 set. */
  readonly words = new Uint32Array(MOST_WORDS);
  /** Line (1-based) and byte offset of the record at hand. */
  line = 0;
  offset = 0;
  /** Time of the record at hand in stored units, NaN unknown. */
  time = Number.NaN;
  /** CPU of the record at hand, or -1. */
  cpu = -1;
  #task = 0;
  #taskBytes: Uint8Array | undefined;
  #taskStart = 0;
  #taskEnd = 0;
  #emitted = 0;

  constructor(file: string) {
    this.world = new World();
    this.trace = new Trace(this.world, {
      file,
      format: '',
      variant: '',
      clock: 'unknown',
      cpus: 0,
      time: { base: 0n, ticks: false, digits: 6 },
      start: Number.NaN,
      end: Number.NaN,
    });
  }

  /** Who recorded the record at hand: bytes `start` to `end` of a buffer that stays as it is until the next record. */
  setTask(buf: Uint8Array, start: number, end: number): void {
    this.#taskBytes = buf;
    this.#taskStart = start;
    this.#taskEnd = end;
  }

  /** The same, given as text. */
  setTaskText(text: string): void {
    this.#taskBytes = undefined;
    this.#task = this.world.strings.intern(text);
  }

  /** Who recorded the record at hand: text number, 0 unknown. Looked up only when somebody asks: most records emit nothing. */
  get task(): number {
    if (this.#taskBytes !== undefined) {
      this.#task = this.world.strings.internBytes(this.#taskBytes, this.#taskStart, this.#taskEnd);
      this.#taskBytes = undefined;
    }
    return this.#task;
  }

  get accounting(): Accounting {
    return this.trace.accounting;
  }

  /** The state after all events emitted so far. */
  get state(): State {
    return this.trace.head;
  }

  /** Events emitted since the record at hand began. */
  get emitted(): number {
    return this.#emitted;
  }

  /** Starts a record. */
  begin(line: number, offset: number): void {
    this.noteTime();
    this.line = line;
    this.offset = offset;
    this.time = Number.NaN;
    this.cpu = -1;
    this.#task = 0;
    this.#taskBytes = undefined;
    this.#emitted = 0;
  }

  /** Keeps the time of the record at hand for the span of the trace; called once more when the source has ended. */
  noteTime(): void {
    const { meta } = this.trace;
    if (Number.isNaN(this.time)) return;
    if (Number.isNaN(meta.start)) meta.start = this.time;
    meta.end = this.time;
  }

  /** Emits an event about an object; its arguments are in `words`. */
  emit(kind: EventKind, object: number): void {
    this.trace.append(kind.number, this.time, this.cpu, object, this.task, this.line, this.offset, this.words);
    this.#emitted++;
  }

  /** Counts the record at hand as understood. */
  understood(): void {
    this.accounting.records++;
    this.accounting.understood++;
  }

  /** Counts the record at hand as known and deliberately without effect. */
  withoutEffect(name: string): void {
    this.understood();
    tally(this.accounting.withoutEffect, name);
  }

  /** Counts the record at hand as one of an event that is not known. */
  unknown(name: string): void {
    this.accounting.records++;
    tally(this.accounting.unknown, name);
  }

  /** Counts the record at hand as one that could not be read. */
  skipped(reason: string): void {
    countSkipped(this.accounting, reason, this.line, this.offset);
  }

  /** Counts the line at hand as no record. */
  other(what: string): void {
    tally(this.accounting.others, what);
  }
}
