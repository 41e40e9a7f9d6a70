/**
 * Text that stands as strings in JSON or JavaScript: `\n` ends a line there. Systrace and catapult pages hold traces like
 * that, and so does what was copied out of a log system. Lines are told apart in the bytes, so a string of any length is read.
 */
import { bytesOf, CR, hexDigit, LF, textOf } from '../../base/bytes.ts';
import { LONGEST_LINE, type TakeLine } from '../lines.ts';

const DOUBLE_QUOTE = 34;
const BACKSLASH = 92;
const SIMPLE: Readonly<Record<string, number>> = { b: 8, t: 9, f: 12, r: 13, '"': 34, "'": 39, '/': 47, '\\': 92 };
const encoder = new TextEncoder();
/** What stands for a line end, and for quotes and backslashes, in a string within a string. */
const NESTED = /\\(["\\/nrt])/g;
const NESTED_MARKS: Readonly<Record<string, string>> = { n: '\n', r: '', t: ' ' };

/** A line in which a string of its own stands, without the escapes of that string; its line ends are real then. */
export function withoutNesting(line: Uint8Array): Uint8Array {
  return bytesOf(textOf(line).replace(NESTED, (_, mark: string) => NESTED_MARKS[mark] ?? mark));
}

/** Splits a stream of bytes into the lines of its strings. Several of them may stand on one line of the source: they share its number. */
export class JsonLines {
  readonly #take: TakeLine;
  #out = new Uint8Array(4096);
  #length = 0;
  #cut = false;
  #inString = false;
  /** Whether the line at hand ends with an escaped line end: nothing but a string that holds lines has those. */
  byEscape = false;
  /** What of an escape has come: its bytes behind the backslash. */
  #escape: number[] | undefined;
  #highSurrogate = 0;
  #line = 1;
  #offset = 0;
  #lineOffset = 0;
  #taken = 0;

  constructor(take: TakeLine) {
    this.#take = take;
  }

  /** Lines taken so far. */
  get lines(): number {
    return this.#taken;
  }

  /** Takes the next bytes of the source. */
  push(chunk: Uint8Array): void {
    for (const byte of chunk) {
      this.#offset++;
      if (this.#escape !== undefined) this.#inEscape(byte);
      else if (byte === BACKSLASH) this.#escape = [];
      else if (byte === LF) {
        this.#part();
        this.#line++;
        this.#lineOffset = this.#offset;
      } else if (byte === DOUBLE_QUOTE) {
        this.#part();
        this.#inString = !this.#inString;
        this.#lineOffset = this.#offset;
      } else this.#keep(byte);
    }
  }

  /** The source has ended. */
  end(): void {
    if (this.#length > 0) this.#emit(true);
  }

  #inEscape(byte: number): void {
    const bytes = this.#escape!;
    bytes.push(byte);
    const kind = String.fromCharCode(bytes[0]!);
    if (kind === 'u' && bytes.length < 5) return;
    this.#escape = undefined;
    if (kind === 'n') {
      this.byEscape = true;
      this.#emit(false);
      this.byEscape = false;
    } else if (bytes[0] === LF) {
      // A backslash at the end of a line continues a string of JavaScript: nothing stands for it.
      this.#line++;
      if (this.#length === 0) this.#lineOffset = this.#offset;
    } else if (bytes[0] === CR) this.#escape = [];
    else if (kind === 'u') this.#unicode(bytes);
    else if (SIMPLE[kind] !== undefined) this.#keep(SIMPLE[kind]);
    else {
      this.#keep(BACKSLASH);
      this.#keep(byte);
    }
  }

  #unicode(digits: readonly number[]): void {
    let code = 0;
    for (const byte of digits.slice(1)) {
      const value = hexDigit(byte);
      if (value < 0) {
        for (const raw of [BACKSLASH, ...digits]) this.#keep(raw);
        return;
      }
      code = code * 16 + value;
    }
    if (code >= 0xd800 && code < 0xdc00) {
      this.#highSurrogate = code;
      return;
    }
    const low = code >= 0xdc00 && code < 0xe000 && this.#highSurrogate !== 0;
    const point = low ? 0x10000 + (this.#highSurrogate - 0xd800) * 0x400 + code - 0xdc00 : code;
    this.#highSurrogate = 0;
    for (const byte of encoder.encode(String.fromCodePoint(point))) this.#keep(byte);
  }

  #keep(byte: number): void {
    if (this.#length >= LONGEST_LINE) {
      this.#cut = true;
      return;
    }
    if (this.#length === this.#out.length) {
      const wider = new Uint8Array(this.#out.length * 2);
      wider.set(this.#out);
      this.#out = wider;
    }
    this.#out[this.#length++] = byte;
  }

  /** What stands between two strings, or from the last line end to the end of a string: no line when it is empty or punctuation. */
  #part(): void {
    if (this.#length > (this.#inString ? 0 : 3)) this.#emit(false);
    else this.#length = 0;
  }

  #emit(open: boolean): void {
    this.#taken++;
    const end = this.#length > 0 && this.#out[this.#length - 1] === CR ? this.#length - 1 : this.#length;
    this.#take(this.#out, 0, end, this.#line, this.#lineOffset, this.#cut, open);
    this.#length = 0;
    this.#cut = false;
    this.#lineOffset = this.#offset;
  }
}
