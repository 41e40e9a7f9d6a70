import { CR, controlAt, LF, viewOf } from '../base/bytes.ts';

const TAB = 9;

/** Longest line that is read; a longer one is only counted. */
export const LONGEST_LINE = 1 << 20;

/**
 * Takes one line: bytes `start` to `end` (exclusive) without its line end, its number (1-based) and its byte offset in
 * the source. `cut`: the line is longer than LONGEST_LINE and only its beginning is given. `open`: the source ended
 * without a line end.
 */
export type TakeLine = (
  buf: Uint8Array,
  start: number,
  end: number,
  line: number,
  offset: number,
  cut: boolean,
  open: boolean,
) => void;

/**
 * A run of lines in a piece of the source. Plain ones are found in it one after another: whole, not empty, and without control characters but tabs, as almost
 * all lines of logs are.
 */
export class Block {
  buf: Uint8Array = new Uint8Array(0);
  /** The same bytes. */
  view = new DataView(this.buf.buffer);
  /** The line at hand: its bytes, its number, and its byte offset in the source. */
  start = 0;
  end = 0;
  line = 0;
  offset = 0;
  /** Where the line behind it begins. */
  at = 0;
  /** Byte offset in the source of the first byte. */
  base = 0;
  /** A line ended with CR LF. */
  crlf = false;

  /** Goes to the next line if it is a plain one. False: it is another one, or does not end in this piece. */
  next(): boolean {
    const { buf, view, at } = this;
    const { length } = buf;
    let end = controlAt(view, at, length);
    while (end < length && buf[end] === TAB) end = controlAt(view, end + 1, length);
    if (end === length || end === at || end - at > LONGEST_LINE) return false;
    let behind = end + 1;
    if (buf[end] !== LF) {
      if (buf[end] !== CR || buf[behind] !== LF) return false;
      behind++;
      this.crlf = true;
    }
    this.line++;
    this.offset = this.base + at;
    this.start = at;
    this.end = end;
    this.at = behind;
    return true;
  }
}

/** Takes all plain lines of a block, up to where `next` finds none. */
export type TakeBlock = (block: Block) => void;

/** Splits a stream of bytes into lines; LF and CR LF end a line. Holds at most one unfinished line. */
export class LineSplitter {
  readonly #take: TakeLine;
  readonly #blanks: ((count: number) => void) | undefined;
  readonly #plain: TakeBlock | undefined;
  readonly #block = new Block();
  #carry = new Uint8Array(4096);
  #carried = 0;
  #cut = false;
  #line = 0;
  /** Byte offset of the next byte to come. */
  #offset = 0;
  /** Byte offset of the line at hand. */
  #lineOffset = 0;

  /**
   * `blanks` takes so many empty lines at once, without it each of them is a line like others; `plain` takes plain lines, without it they are taken
   * like others.
   */
  constructor(take: TakeLine, blanks?: (count: number) => void, plain?: TakeBlock) {
    this.#take = take;
    this.#blanks = blanks;
    this.#plain = plain;
  }

  /** Whether a line ended with CR LF. */
  crlf = false;

  /** Lines taken so far. */
  get lines(): number {
    return this.#line;
  }

  /** Takes the next bytes of the source. */
  push(chunk: Uint8Array): void {
    let pos = 0;
    const length = chunk.length;
    if (this.#carried > 0 || this.#cut) {
      const end = chunk.indexOf(LF);
      if (end < 0) {
        this.#keep(chunk, 0, length);
        this.#offset += length;
        return;
      }
      this.#keep(chunk, 0, end);
      this.#emit(this.#carry, 0, this.#carried, false);
      this.#carried = 0;
      this.#cut = false;
      pos = end + 1;
      this.#lineOffset = this.#offset + pos;
    }
    const block = this.#block;
    if (this.#plain !== undefined) {
      block.buf = chunk;
      block.view = viewOf(chunk);
      block.base = this.#offset;
    }
    for (;;) {
      if (this.#plain !== undefined) {
        block.at = pos;
        block.line = this.#line;
        this.#plain(block);
        pos = block.at;
        this.#line = block.line;
        this.#lineOffset = this.#offset + pos;
        this.crlf ||= block.crlf;
      }
      if (chunk[pos] === LF && this.#blanks !== undefined) {
        const from = pos;
        while (chunk[pos] === LF) pos++;
        this.#line += pos - from;
        this.#lineOffset = this.#offset + pos;
        this.#blanks(pos - from);
      }
      const end = chunk.indexOf(LF, pos);
      if (end < 0) break;
      if (end - pos > LONGEST_LINE) {
        this.#cut = true;
        this.#emit(chunk, pos, pos + LONGEST_LINE, false);
        this.#cut = false;
      } else {
        this.#emit(chunk, pos, end, false);
      }
      pos = end + 1;
      this.#lineOffset = this.#offset + pos;
    }
    if (pos < length) this.#keep(chunk, pos, length);
    this.#offset += length;
  }

  /** The source has ended: takes the bytes after the last line end, if there are any. */
  end(): void {
    if (this.#carried > 0 || this.#cut) this.#emit(this.#carry, 0, this.#carried, true);
    this.#carried = 0;
  }

  #emit(buf: Uint8Array, start: number, end: number, open: boolean): void {
    this.#line++;
    let stop = end;
    if (end > start && buf[end - 1] === CR) {
      this.crlf = true;
      stop--;
    }
    this.#take(buf, start, stop, this.#line, this.#lineOffset, this.#cut, open);
  }

  #keep(chunk: Uint8Array, from: number, to: number): void {
    let count = to - from;
    if (this.#carried + count > LONGEST_LINE) {
      count = LONGEST_LINE - this.#carried;
      this.#cut = true;
    }
    if (this.#carried + count > this.#carry.length) {
      const wider = new Uint8Array(Math.max(this.#carry.length * 2, this.#carried + count));
      wider.set(this.#carry.subarray(0, this.#carried));
      this.#carry = wider;
    }
    this.#carry.set(chunk.subarray(from, from + count), this.#carried);
    this.#carried += count;
  }
}
