import { bytesAt } from '../base/bytes.ts';
import type { TraceBuilder } from '../trace/builder.ts';
import { type Block, LineSplitter } from './lines.ts';
import type { Heard } from './text/headings.ts';

/** Reads the bytes of one source, in order, into the builder it was made with. */
export interface Importer {
  /** Takes the next bytes of the source, unpacked. */
  push(chunk: Uint8Array): void;
  /**
   * Brings accounting and facts of the source up to date with the bytes so far; may be called at any moment and any number
   * of times, so that a source that still grows can be shown like any other.
   */
  settle(): void;
  /** The source has ended: reads what was kept back, then settles. */
  end(): void;
  /** The same in slices; what an importer has that can read most of its source only when it is whole. */
  ending?(): Generator<void, void>;
}

/** Reads the lines of one source, in order; what an importer of a text format implements. */
export interface LineReader {
  /** Takes one line (see TakeLine); the builder has its line and offset already. */
  line(buf: Uint8Array, start: number, end: number, cut: boolean, open: boolean): void;
  /** Brings accounting and facts of the source up to date; see Importer. */
  settle(): void;
  /** The source has ended: reads what was kept back. `settle` is called after it. */
  end?(): void;
}

/** What a line is to a reader of records. */
export type Form = 0 | 1 | 2 | 3;
/** No record of the format. */
export const NO_RECORD = 0;
/** It has the form of a record, and its event is not known. */
export const UNKNOWN_RECORD = 1;
/** A record of a known event whose arguments have no known form: perhaps the next line continues it. */
export const PART_OF_RECORD = 2;
/** A record of a known event with arguments of a known form. */
export const WHOLE_RECORD = 3;

/** How a line was read. */
export type Outcome = 0 | 1 | 2;
/** The line is not in the form in which the format prints records; nothing happened. */
export const FOREIGN = 0;
/** The line was read and counted. */
export const TAKEN = 1;
/** A record whose arguments have no known form; it was not counted. */
export const BROKEN = 2;

/** Reads the records of one source that stand in lines of text; what surrounds them is undone before (see text/). */
export interface RecordReader {
  /** Reads a line if it is a record exactly as the format prints it. The builder has its line and offset. */
  line(buf: Uint8Array, start: number, end: number): Outcome;
  /**
   * Reads the plain lines of a block one after another as `line` reads one; begins a record of the builder for each that needs one. Gives how the
   * line at hand was read that is none; TAKEN when there is no further plain line.
   */
  block?(block: Block): Outcome;
  /**
   * What a line is, without any effect. `evidence` tells afterwards how many values were found in it, and `stamp` its time:
   * seconds, or NaN.
   */
  form(buf: Uint8Array, start: number, end: number): Form;
  readonly evidence: number;
  readonly stamp: number;
  /**
   * Takes a line that the format prints between its records, exactly as it does, and that can be nothing else: the word under which it counts.
   * Undefined for any other line; `note` hears of those that are no record of any format. The builder has its line and offset.
   */
  beside?(buf: Uint8Array, start: number, end: number): string | undefined;
  /** Reads a record that `form` knows, and counts it: as skipped when it cannot be read. `open`: the source ended within it. True when something behind it was left out. */
  record(buf: Uint8Array, start: number, end: number, open: boolean): boolean;
  /**
   * Takes a line that is no record: what it is called in the accounting, '' when it was counted already, undefined when
   * it does not belong to the format.
   */
  note(buf: Uint8Array, start: number, end: number): string | undefined;
  /** Hears a line that says what those behind it are; also before the source has begun. */
  hear?(heard: Heard): void;
  /** Takes over what the reader of the same format heard before the source began. */
  follow?(before: RecordReader): void;
  /** The source has ended: reads what was kept back. `settle` is called after it. */
  end?(): void;
  /** Brings accounting and facts of the source up to date; see Importer. */
  settle(): void;
}

/** The byte order mark that some editors put in front of UTF-8 text. */
export const BOM = new Uint8Array([0xef, 0xbb, 0xbf]);

/** Makes an importer of a reader of lines. */
export class LineImporter implements Importer {
  readonly #out: TraceBuilder;
  readonly #reader: LineReader;
  readonly #lines: LineSplitter;

  constructor(out: TraceBuilder, reader: LineReader) {
    this.#out = out;
    this.#reader = reader;
    this.#lines = new LineSplitter((buf, start, end, line, offset, cut, open) => {
      out.begin(line, offset);
      const bom = line === 1 && bytesAt(buf, start, end, BOM) ? BOM.length : 0;
      reader.line(buf, start + bom, end, cut, open);
    });
  }

  push(chunk: Uint8Array): void {
    this.#lines.push(chunk);
  }

  settle(): void {
    this.#out.accounting.lines = this.#lines.lines;
    this.#out.noteTime();
    this.#reader.settle();
  }

  end(): void {
    this.#lines.end();
    this.#reader.end?.();
    this.settle();
  }
}
