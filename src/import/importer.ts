import { bytesAt } from '../base/bytes.ts';
import type { TraceBuilder } from '../trace/builder.ts';
import { LineSplitter } from './lines.ts';

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
