import { setImmediate } from 'node:timers/promises';
import { shown, shownJson, shownLines } from '../base/visible.ts';
import { writeFailure } from './out-file.ts';

/** Characters gathered before they are handed on. */
const BATCH = 1 << 16;
/** Milliseconds of work after which signals and a closed pipe get a chance to be noticed. */
const PATIENCE = 50;
/** Calls of `due` between two looks at the clock. */
const CALLS = 256;

/** The part of a stream that output needs. */
export interface Sink {
  write(text: string | Uint8Array, done: (error?: Error | null) => void): boolean;
}

/** Thrown when the reader of the output has ended, as `head` does: the command ends too, without an error. */
export class ReaderGone extends Error {}

/** Standard output, written in batches; waits for a slow reader, so that memory never holds the whole answer. */
export class Output {
  readonly #sink: Sink;
  #waiting: string[] = [];
  #size = 0;
  #calls = 0;
  #rested = performance.now();
  #used = false;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** Adds text of one or several lines; control characters in it are written out, as a terminal may show it. */
  add(text: string): void {
    this.raw(shownLines(text));
  }

  /** Adds a piece of a JSON document, or a JSON document with its line end. */
  json(text: string): void {
    this.raw(shownJson(text));
  }

  /** Adds the bytes of a file, as they are. */
  raw(text: string): void {
    this.#waiting.push(text);
    this.#size += text.length;
    this.#used = true;
  }

  /** Adds a line. */
  line(text = ''): void {
    this.raw(`${shown(text)}\n`);
  }

  /** Whether anything was added yet. */
  get used(): boolean {
    return this.#used;
  }

  /** Whether it is time to `rest`; asked after every bit of work. */
  get due(): boolean {
    if (this.#size >= BATCH) return true;
    if (++this.#calls < CALLS) return false;
    this.#calls = 0;
    return performance.now() - this.#rested > PATIENCE;
  }

  /**
   * Hands a full batch on and waits until it is taken. A pipe takes it at once, and then nothing else has had its turn: signals are
   * noticed only in the pause that follows where the last one is some time ago.
   */
  async rest(): Promise<void> {
    if (this.#size >= BATCH) await this.flush();
    if (performance.now() - this.#rested <= PATIENCE) return;
    await setImmediate();
    this.#rested = performance.now();
  }

  /** Hands everything on and waits until it is taken. */
  async flush(): Promise<void> {
    const text = this.#waiting.join('');
    this.#waiting = [];
    this.#size = 0;
    if (text !== '') await this.#write(text);
  }

  /** Hands everything on, and these bytes behind it. */
  async bytes(bytes: Uint8Array): Promise<void> {
    await this.flush();
    this.#used = true;
    if (bytes.length > 0) await this.#write(bytes);
  }

  async #write(text: string | Uint8Array): Promise<void> {
    await new Promise<void>((done, fail) => {
      this.#sink.write(text, (error) => {
        if (!error) done();
        else
          fail(
            (error as NodeJS.ErrnoException).code === 'EPIPE'
              ? new ReaderGone()
              : writeFailure('standard output', error),
          );
      });
    });
  }
}
