import { textOf } from '../base/bytes.ts';
import { Unpacker } from './decompress.ts';
import { LineSplitter } from './lines.ts';
import { Utf16 } from './utf16.ts';

/**
 * Takes some lines out of a source that is read again: plain or packed, in UTF-8 or UTF-16, numbered from 1 as the trace numbers
 * them, without their line ends. `push` all of it in order, then `end`.
 */
export class LineReader {
  readonly texts = new Map<number, string>();
  readonly #last: number;
  readonly #splitter: LineSplitter;
  readonly #utf16 = new Utf16((chunk) => this.#splitter.push(chunk));
  readonly #unpacker = new Unpacker((chunk) => this.#utf16.push(chunk));

  constructor(wanted: Iterable<number>) {
    const lines = new Set(wanted);
    this.#last = Math.max(0, ...lines);
    this.#splitter = new LineSplitter((buf, start, end, line) => {
      if (lines.has(line)) this.texts.set(line, textOf(buf, start, end));
    });
  }

  /** Whether all lines were read: the rest of the source need not be. */
  get done(): boolean {
    return this.#splitter.lines >= this.#last;
  }

  /** Takes the next bytes of the source. */
  push(chunk: Uint8Array): void {
    this.#unpacker.push(chunk);
  }

  /** The source has ended. */
  end(): void {
    this.#unpacker.end();
    this.#utf16.end();
    this.#splitter.end();
  }
}
