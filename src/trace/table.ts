import { WordPool } from '../base/columns.ts';
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

/** Rows that a segment holds. A table grows by another segment and copies nothing. */
const SEGMENT_BITS = 15;
const SEGMENT = 1 << SEGMENT_BITS;
const MASK = SEGMENT - 1;

/**
 * The columns of a run of events. `kind` number in the vocabulary; `time` units since the
 * base of the source (see TimeBase), NaN unknown; `cpu` or -1; `object` number in the world; `task` text number of who
 * recorded it (thread or comm-pid), 0 unknown; `line` 1-based; `offset` byte in the (uncompressed) source; `args` start
 * of the arguments in the word pool.
 */
class Segment {
  readonly kind = new Uint16Array(SEGMENT);
  readonly time = new Float64Array(SEGMENT);
  readonly cpu = new Int16Array(SEGMENT);
  readonly object = new Uint32Array(SEGMENT);
  readonly task = new Uint32Array(SEGMENT);
  readonly line = new Uint32Array(SEGMENT);
  readonly offset = new Float64Array(SEGMENT);
  readonly args = new Uint32Array(SEGMENT);
}

/** What a table without rows has; nothing is written to it. */
const NO_ROWS = new Segment();

/** Bytes of a row. */
const ROW_BYTES = 2 + 8 + 2 + 4 + 4 + 4 + 8 + 4;

/** The events of one source in its own order, one column per property. */
export class EventTable implements EventList {
  readonly #segments: Segment[] = [];
  /** The segment of the last row. */
  #last = NO_ROWS;
  #length = 0;
  readonly #pool = new WordPool();
  /** Few events have any. */
  readonly #extra = new Map<number, TextId>();

  /** How many events there are. */
  get length(): number {
    return this.#length;
  }

  /** Bytes that the columns take. */
  get bytes(): number {
    return this.#segments.length * SEGMENT * ROW_BYTES + this.#pool.bytes;
  }

  /** Appends an event. */
  push(row: EventRow): void {
    const { kind } = row;
    const step = this.#length++;
    const i = step & MASK;
    if (i === 0) {
      this.#last = new Segment();
      this.#segments.push(this.#last);
    }
    if (row.extra !== 0) this.#extra.set(step, row.extra);
    const to = this.#last;
    to.kind[i] = kind.number;
    to.time[i] = row.time;
    to.cpu[i] = row.cpu;
    to.object[i] = row.object;
    to.task[i] = row.task;
    to.line[i] = row.line;
    to.offset[i] = row.offset;
    to.args[i] = this.#pool.append(row.words, row.at, kind.size);
  }

  kindNumber(step: Step): number {
    return this.#segments[step >>> SEGMENT_BITS]!.kind[step & MASK]!;
  }

  kind(step: Step): EventKind {
    return vocabulary[this.#segments[step >>> SEGMENT_BITS]!.kind[step & MASK]!]!;
  }

  time(step: Step): number {
    return this.#segments[step >>> SEGMENT_BITS]!.time[step & MASK]!;
  }

  cpu(step: Step): number {
    return this.#segments[step >>> SEGMENT_BITS]!.cpu[step & MASK]!;
  }

  object(step: Step): ObjectId {
    return this.#segments[step >>> SEGMENT_BITS]!.object[step & MASK]!;
  }

  task(step: Step): TextId {
    return this.#segments[step >>> SEGMENT_BITS]!.task[step & MASK]!;
  }

  line(step: Step): number {
    return this.#segments[step >>> SEGMENT_BITS]!.line[step & MASK]!;
  }

  offset(step: Step): number {
    return this.#segments[step >>> SEGMENT_BITS]!.offset[step & MASK]!;
  }

  /** One word of an event's arguments. */
  word(step: Step, index: number): number {
    const start = this.#segments[step >>> SEGMENT_BITS]!.args[step & MASK]!;
    return this.#pool.segment(start)[this.#pool.offset(start) + index]!;
  }

  extra(step: Step): TextId {
    return this.#extra.size === 0 ? 0 : (this.#extra.get(step) ?? 0);
  }

  /** Fills a row with an event; its arguments are not copied. */
  read(step: Step, into: EventRow): EventRow {
    const from = this.#segments[step >>> SEGMENT_BITS]!;
    const i = step & MASK;
    const start = from.args[i]!;
    into.kind = vocabulary[from.kind[i]!]!;
    into.time = from.time[i]!;
    into.cpu = from.cpu[i]!;
    into.object = from.object[i]!;
    into.task = from.task[i]!;
    into.line = from.line[i]!;
    into.offset = from.offset[i]!;
    into.words = this.#pool.segment(start);
    into.at = this.#pool.offset(start);
    into.extra = this.extra(step);
    return into;
  }

  /** The last step whose record stands at or before a line (1-based), or -1. */
  lastAtLine(line: number): number {
    return firstWhere(0, this.length, (row) => this.#segments[row >>> SEGMENT_BITS]!.line[row & MASK]! > line) - 1;
  }
}
