import type { ObjectId } from '../base/ids.ts';
import { kindOf } from '../model/event.ts';
import type { Written } from '../model/event-args.ts';
import { other } from '../model/events/notes.ts';
import type { Namespace } from '../model/namespace.ts';
import type { State } from '../model/state.ts';
import { World } from '../model/world.ts';
import { type Accounting, countSkipped, tally } from './accounting.ts';
import { type EventRow, eventRow, MOST_CPU } from './row.ts';
import { Source } from './source.ts';
import { Trace } from './trace.ts';

/** What importers write to: sets where they stand in the source, then emits events and counts records. */
export class TraceBuilder {
  readonly trace: Trace;
  /** The objects of the system that the source tells of. */
  readonly world: Namespace;
  readonly source: Source;
  /** The record at hand, and the event that is being emitted. */
  readonly row: EventRow = eventRow(other);
  readonly #root: World;
  readonly #system: string;
  #taskBytes: Uint8Array | undefined;
  #taskStart = 0;
  #taskEnd = 0;
  /** The text number of what `setTask` told, -1 while it was not looked up. */
  #told = -1;
  #emitted = 0;

  /** `world` and `system`: where the objects go, for a source that joins others; a world of its own otherwise. */
  constructor(file: string, world = new World(), system = '') {
    this.#root = world;
    this.#system = system;
    this.world = world.space(system);
    this.source = new Source({ file });
    this.trace = new Trace(world, this.source);
  }

  /** A builder for another source that stands in the same file and tells of the same system. */
  beside(): TraceBuilder {
    return new TraceBuilder(this.source.file, this.#root, this.#system);
  }

  /** Sets who recorded the record at hand: bytes `start` to `end` of a buffer that does not change until the next record. */
  setTask(buf: Uint8Array, start: number, end: number): void {
    this.#taskBytes = buf;
    this.#taskStart = start;
    this.#taskEnd = end;
    this.#told = -1;
  }

  /** Who recorded the record at hand is who `setTask` told last. False, and nothing happened, where no caller asked who that is. */
  setTaskAgain(): boolean {
    if (this.#told < 0) return false;
    this.row.task = this.#told;
    return true;
  }

  /** Sets who recorded the record at hand, as a text. */
  setTaskText(text: string): void {
    this.#taskBytes = undefined;
    this.row.task = this.world.strings.intern(text);
  }

  /** Who recorded the record at hand: text number, 0 unknown. It is looked up only when a caller asks: most records emit nothing. */
  get task(): number {
    if (this.#taskBytes !== undefined) {
      this.row.task = this.world.strings.internBytes(this.#taskBytes, this.#taskStart, this.#taskEnd);
      this.#taskBytes = undefined;
      this.#told = this.row.task;
    }
    return this.row.task;
  }

  /** Line (1-based) of the record at hand. */
  get line(): number {
    return this.row.line;
  }

  /** Byte offset of the record at hand. */
  get offset(): number {
    return this.row.offset;
  }

  /** Time of the record at hand in stored units, NaN unknown. */
  get time(): number {
    return this.row.time;
  }

  set time(time: number) {
    this.row.time = time;
  }

  /** CPU of the record at hand, or -1. */
  get cpu(): number {
    return this.row.cpu;
  }

  /** A number that no CPU can have becomes -1. */
  set cpu(cpu: number) {
    this.row.cpu = cpu > MOST_CPU ? -1 : cpu;
  }

  get accounting(): Accounting {
    return this.source.accounting;
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
    const { row } = this;
    row.line = line;
    row.offset = offset;
    row.time = Number.NaN;
    row.cpu = -1;
    row.task = 0;
    row.extra = 0;
    this.#taskBytes = undefined;
    this.#emitted = 0;
  }

  /** Keeps the time of the record at hand for the span of the trace; called once more when the source has ended. */
  noteTime(): void {
    this.saw(this.row.time);
  }

  /** Keeps the time of a record that is only counted. */
  saw(time: number): void {
    const { source } = this;
    if (Number.isNaN(time)) return;
    if (!(source.start <= time)) source.start = time;
    if (!(source.end >= time)) source.end = time;
  }

  /** Emits an event, written with the `put` of its kind, about an object. */
  emit(event: Written, object: ObjectId): void {
    const kind = kindOf(event);
    const { row } = this;
    row.kind = kind;
    row.words = kind.words;
    row.object = object;
    if (this.#taskBytes !== undefined) row.task = this.task;
    this.trace.append(row);
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
    const { unknown, unknownAt } = this.accounting;
    if (!unknown.has(name)) unknownAt.set(name, this.line);
    tally(unknown, name);
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
