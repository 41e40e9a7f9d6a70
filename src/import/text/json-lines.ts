/**
 * Text that stands as strings in JSON or JavaScript: `\n` ends a line there. Systrace and catapult pages hold traces like
 * that, and so does what was copied out of a log system. Lines are told apart in the bytes, so a string of any length is read.
 */

import { byName } from '../../base/by-name.ts';
import { bytesOf, CR, hexDigit, LF, textOf } from '../../base/bytes.ts';
import { LONGEST_LINE, type TakeLine } from '../lines.ts';

const DOUBLE_QUOTE = 34;
const BACKSLASH = 92;
const SIMPLE: Readonly<Record<string, number>> = byName({
  b: 8,
  t: 9,
  f: 12,
  r: 13,
  '"': 34,
  "'": 39,
  '/': 47,
  '\\': 92,
});
const encoder = new TextEncoder();
/** What stands for a line end, and for quotes and backslashes, in a string within a string. */
const NESTED = /\\(["\\/nrt])/g;
const NESTED_MARKS: Readonly<Record<string, string>> = byName({ n: '\n', r: '', t: ' ' });

/** How a file of JSON begins. */
export const JSON_FILE = /^\ufeff?\s*[[{]\s*(?:["{[\]}]|$)/;
/** Strings of JSON that may stand within one another. */
const MOST_NESTED = 16;

/**
 * A line in which a string of its own stands, without the escapes of that string; its line ends are real then. Where the line is JSON as a
 * whole, its strings are read as those of a file are, and so on within them.
 */
export function withoutNesting(line: Uint8Array, deep = 0): Uint8Array {
  if (deep < MOST_NESTED && JSON_FILE.test(textOf(line.subarray(0, Math.min(line.length, 200))))) {
    const parts: Uint8Array[] = [];
    const json = new JsonLines((buf, start, end) => {
      const part = buf.slice(start, end);
      parts.push(part.includes(BACKSLASH) ? withoutNesting(part, deep + 1) : part);
    });
    json.push(line);
    json.end();
    return joinLines(parts);
  }
  return deep > 0 ? line : bytesOf(textOf(line).replace(NESTED, (_, mark: string) => NESTED_MARKS[mark] ?? mark));
}

/** Some lines with line ends between them. */
function joinLines(lines: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(lines.reduce((sum, { length }) => sum + length + 1, 0));
  let at = 0;
  for (const line of lines) {
    all.set(line, at);
    at += line.length;
    all[at++] = LF;
  }
  return all.subarray(0, Math.max(0, at - 1));
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
  /** The first half of a pair of UTF-16, when it came last; else 0. */
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
      if (this.#escape === undefined) this.#plain(byte);
      else this.#inEscape(byte);
    }
  }

  /** The source has ended. */
  end(): void {
    this.#endSurrogate();
    if (this.#length > 0) this.#emit(true);
  }

  #plain(byte: number): void {
    if (byte === BACKSLASH) {
      this.#escape = [];
      return;
    }
    this.#endSurrogate();
    if (byte === LF) {
      this.#part();
      this.#line++;
      this.#lineOffset = this.#offset;
    } else if (byte === DOUBLE_QUOTE) {
      this.#part();
      this.#inString = !this.#inString;
      this.#lineOffset = this.#offset;
    } else this.#keep(byte);
  }

  #inEscape(byte: number): void {
    const bytes = this.#escape!;
    const kind = String.fromCharCode(bytes[0] ?? byte);
    if (kind === 'u') {
      this.#inUnicode(bytes, byte);
      return;
    }
    this.#escape = undefined;
    this.#endSurrogate();
    if (kind === 'n') this.#endLine();
    else if (byte === LF) {
      // A backslash at the end of a line continues a string of JavaScript: nothing stands for it.
      this.#line++;
      if (this.#length === 0) this.#lineOffset = this.#offset;
    } else if (byte === CR) this.#escape = [];
    else if (SIMPLE[kind] !== undefined) this.#keep(SIMPLE[kind]);
    else {
      this.#keep(BACKSLASH);
      this.#keep(byte);
    }
  }

  /** Takes `u` or one of the four digits behind it. Where a digit is missing, no escape begins: its bytes stand for themselves. */
  #inUnicode(bytes: number[], byte: number): void {
    if (bytes.length > 0 && hexDigit(byte) < 0) {
      this.#escape = undefined;
      this.#endSurrogate();
      for (const raw of [BACKSLASH, ...bytes]) this.#keep(raw);
      this.#plain(byte);
      return;
    }
    bytes.push(byte);
    if (bytes.length < 5) return;
    this.#escape = undefined;
    this.#unicode(bytes.slice(1).reduce((code, digit) => code * 16 + hexDigit(digit), 0));
  }

  /** Takes a code unit of UTF-16: the first half of a pair waits for the second. */
  #unicode(code: number): void {
    const high = this.#highSurrogate;
    if (high !== 0 && code >= 0xdc00 && code < 0xe000) {
      this.#highSurrogate = 0;
      this.#keepCharacter(0x10000 + (high - 0xd800) * 0x400 + code - 0xdc00);
      return;
    }
    this.#endSurrogate();
    if (code >= 0xd800 && code < 0xdc00) this.#highSurrogate = code;
    else if (code === LF) this.#endLine();
    else this.#keepCharacter(code);
  }

  /** An escape stands for a line end. */
  #endLine(): void {
    this.byEscape = true;
    this.#emit(false);
    this.byEscape = false;
  }

  /** The first half of a pair without the second is no character: U+FFFD stands for it. */
  #endSurrogate(): void {
    if (this.#highSurrogate === 0) return;
    this.#highSurrogate = 0;
    this.#keepCharacter(0xfffd);
  }

  #keepCharacter(code: number): void {
    for (const byte of encoder.encode(String.fromCodePoint(code))) this.#keep(byte);
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
