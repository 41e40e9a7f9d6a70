import { f64Column, i16Column, u16Column, u32Column, WordPool } from '../base/columns.ts';
import type { ObjectId, Step, TextId } from '../base/ids.ts';
import { firstWhere } from '../base/search.ts';
import type { EventKind } from '../model/event.ts';
import { vocabulary } from '../model/vocabulary.ts';
import type { EventRow } from './row.ts';

/** The events of a trace by their step, whether they come from one source or from several. */
export interface EventList {
  /** How many events there are. */
  readonly length: number;
  /** Bytes that the columns take. */
  readonly bytes: number;
  kindNumber(step: Step): number;
  kind(step: Step): EventKind;
  /** Units since the base of the clock (see TimeBase), NaN unknown. */
  time(step: Step): number;
  /** CPU that the record names, or -1. */
  cpu(step: Step): number;
  object(step: Step): ObjectId;
  /** Who recorded it (thread or comm-pid), 0 unknown. */
  task(step: Step): TextId;
  /** Line in its source, from 1. */
  line(step: Step): number;
  /** Byte offset in its uncompressed source. */
  offset(step: Step): number;
  /** One word of an event's arguments. */
  word(step: Step, index: number): number;
  /** Arguments that this version does not know (see EventRow), 0 none. */
  extra(step: Step): TextId;
  /** Fills a row with an event; its arguments are not copied. */
  read(step: Step, into: EventRow): EventRow;
}

/**
 * The events of one source in its own order, one column per property. Columns: `kind` number in the vocabulary; `time` units since the
 * base of the source (see TimeBase), NaN unknown; `cpu` or -1; `object` number in the world; `task` text number of who
 * recorded it (thread or comm-pid), 0 unknown; `line` 1-based; `offset` byte in the (uncompressed) source; `args` start
 * of the arguments in the word pool.
 */
export class EventTable implements EventList {
  readonly #kind = u16Column();
  readonly #time = f64Column();
  readonly #cpu = i16Column();
  readonly #object = u32Column();
  readonly #task = u32Column();
  readonly #line = u32Column();
  readonly #offset = f64Column();
  readonly #args = u32Column();
  readonly #pool = new WordPool();
  /** Few events have any. */
  readonly #extra = new Map<number, TextId>();

  /** How many events there are. */
  get length(): number {
    return this.#kind.length;
  }

  /** Bytes that the columns take. */
  get bytes(): number {
    const columns = [this.#kind, this.#time, this.#cpu, this.#object, this.#task, this.#line, this.#offset, this.#args];
    return columns.reduce((sum, c) => sum + c.bytes, this.#pool.bytes);
  }

  /** Appends an event. */
  push(row: EventRow): void {
    const { kind } = row;
    if (row.extra !== 0) this.#extra.set(this.length, row.extra);
    this.#kind.push(kind.number);
    this.#time.push(row.time);
    this.#cpu.push(row.cpu);
    this.#object.push(row.object);
    this.#task.push(row.task);
    this.#line.push(row.line);
    this.#offset.push(row.offset);
    this.#args.push(this.#pool.append(row.words, row.at, kind.size));
  }

  kindNumber(step: Step): number {
    return this.#kind.get(step);
  }

  kind(step: Step): EventKind {
    return vocabulary[this.#kind.get(step)]!;
  }

  time(step: Step): number {
    return this.#time.get(step);
  }

  cpu(step: Step): number {
    return this.#cpu.get(step);
  }

  object(step: Step): ObjectId {
    return this.#object.get(step);
  }

  task(step: Step): TextId {
    return this.#task.get(step);
  }

  line(step: Step): number {
    return this.#line.get(step);
  }

  offset(step: Step): number {
    return this.#offset.get(step);
  }

  /** One word of an event's arguments. */
  word(step: Step, index: number): number {
    const start = this.#args.get(step);
    return this.#pool.segment(start)[this.#pool.offset(start) + index]!;
  }

  extra(step: Step): TextId {
    return this.#extra.size === 0 ? 0 : (this.#extra.get(step) ?? 0);
  }

  /** Fills a row with an event; its arguments are not copied. */
  read(step: Step, into: EventRow): EventRow {
    const start = this.#args.get(step);
    into.kind = vocabulary[this.#kind.get(step)]!;
    into.time = this.#time.get(step);
    into.cpu = this.#cpu.get(step);
    into.object = this.#object.get(step);
    into.task = this.#task.get(step);
    into.line = this.#line.get(step);
    into.offset = this.#offset.get(step);
    into.words = this.#pool.segment(start);
    into.at = this.#pool.offset(start);
    into.extra = this.extra(step);
    return into;
  }

  /** The last step whose record stands at or before a line (1-based), or -1. */
  lastAtLine(line: number): number {
    return firstWhere(0, this.length, (row) => this.#line.get(row) > line) - 1;
  }
}
