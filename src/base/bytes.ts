/** ASCII codes that the byte parsers name. */
export const LF = 10;
export const CR = 13;
export const SPACE = 32;
export const HASH = 35;
export const QUOTE = 39;
export const PAREN_OPEN = 40;
export const PAREN_CLOSE = 41;
export const MINUS = 45;
export const DOT = 46;
export const ZERO = 48;
export const COLON = 58;
export const LESS = 60;
export const EQUALS = 61;
export const AT = 64;
export const BRACKET_OPEN = 91;
export const BRACKET_CLOSE = 93;

const encoder = new TextEncoder();
// A byte order mark is a character of a text like any other; readers of files skip the one at the start.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The UTF-8 bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/**
 * The same bytes, whose `slice` copies. That of a Buffer of Node does not: it shows the memory of the Buffer, and what keeps it keeps
 * what is read into that memory later.
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The text of bytes `start` to `end` (exclusive); what is not UTF-8 becomes U+FFFD. */
export function textOf(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = '';
  for (let i = start; i < end && i - start < 64; i++) {
    const byte = bytes[i]!;
    if (byte >= 128) return decoder.decode(bytes.subarray(start, end));
    text += String.fromCharCode(byte);
  }
  return end - start > 64 ? decoder.decode(bytes.subarray(start, end)) : text;
}

/** Whether a byte is 0-9. */
export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 48 && byte <= 57;
}

/** The value of a hexadecimal digit, or -1. */
export function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 48 && byte <= 57) return byte - 48;
  if (byte >= 97 && byte <= 102) return byte - 87;
  if (byte >= 65 && byte <= 70) return byte - 55;
  return -1;
}

/** The value of each byte as a hexadecimal digit, or -1. */
export const HEX_DIGITS = Int8Array.from({ length: 256 }, (_, byte) => hexDigit(byte));

/** The unsigned 32-bit number in four bytes, the lowest first. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/** FNV-1a over bytes `start` to `end` (exclusive), as an unsigned 32-bit number. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash >>> 0;
}

/** Whether `bytes` holds exactly `wanted` at `start`. */
export function bytesAt(bytes: Uint8Array, start: number, end: number, wanted: Uint8Array): boolean {
  const length = wanted.length;
  if (end - start < length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== wanted[i]) return false;
  return true;
}

/** Bits of four bytes: bit 5 of each, and bit 7 of each. */
const BLANKS = 0x20202020;
const HIGHEST = 0x80808080;

/** Where the first control character (a byte below 32) stands in bytes `start` to `end` (exclusive); `end` when there is none. */
export function controlAt(bytes: DataView, start: number, end: number): number {
  let at = start;
  for (const stop = end - 8; at <= stop; at += 8) {
    const first = bytes.getInt32(at, true);
    const second = bytes.getInt32(at + 4, true);
    // Bit 7 is set in the lowest byte that is below 32, and perhaps in bytes above it.
    const inFirst = (first - BLANKS) & ~first & HIGHEST;
    const inSecond = (second - BLANKS) & ~second & HIGHEST;
    if ((inFirst | inSecond) === 0) continue;
    return inFirst === 0 ? at + 4 + lowestByte(inSecond) : at + lowestByte(inFirst);
  }
  while (at < end && bytes.getUint8(at) >= 32) at++;
  return at;
}

/** The number of the lowest byte of a word in which a bit is set. */
function lowestByte(word: number): number {
  return (31 - Math.clz32(word & -word)) >> 3;
}

/** The number that six decimal digits at `at` make; -1 where something else stands there. */
export function sixDigits(bytes: Uint8Array, at: number): number {
  if (at + 6 > bytes.length) return -1;
  const a = bytes[at]! - 48;
  const b = bytes[at + 1]! - 48;
  const c = bytes[at + 2]! - 48;
  const d = bytes[at + 3]! - 48;
  const e = bytes[at + 4]! - 48;
  const f = bytes[at + 5]! - 48;
  // A number outside 0 to 9 has the sign bit set, or makes 9 less it negative.
  if ((a | b | c | d | e | f | (9 - a) | (9 - b) | (9 - c) | (9 - d) | (9 - e) | (9 - f)) < 0) return -1;
  return a * 100_000 + b * 10_000 + c * 1000 + d * 100 + e * 10 + f;
}

let viewed: Uint8Array = new Uint8Array(0);
let view = new DataView(viewed.buffer);

/** The view of an array of bytes, in which several of them are read at once. Calls for the same array one after another cost nothing. */
export function viewOf(bytes: Uint8Array): DataView {
  if (bytes !== viewed) {
    viewed = bytes;
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  return view;
}

/**
 * Bytes `start` to `end` (exclusive) as words of four, as `sameAt` compares them. The last four may overlap those before; fewer than four are one word
 * with nothing behind them.
 */
export function wordsOf(bytes: Uint8Array, start: number, end: number): number[] {
  const words: number[] = [];
  for (let at = start; at < end; at += 4) {
    const from = Math.max(start, Math.min(at, end - 4));
    let word = 0;
    for (let i = 0; i < 4 && from + i < end; i++) word |= bytes[from + i]! << (8 * i);
    words.push(word);
  }
  return words;
}

/** Whether `length` bytes whose words (see `wordsOf`) begin at `from` in `words` stand at `start`; `bytes` must be that long. */
export function sameAt(bytes: DataView, start: number, length: number, words: Int32Array, from: number): boolean {
  let word = from;
  if (length < 4) {
    for (let i = 0; i < length; i++) if (bytes.getUint8(start + i) !== ((words[word]! >> (8 * i)) & 0xff)) return false;
    return true;
  }
  const last = start + length - 4;
  for (let at = start; at < last; at += 4) if (bytes.getInt32(at, true) !== words[word++]) return false;
  return bytes.getInt32(last, true) === words[word];
}

/** Whether `wanted` stands anywhere in bytes `start` to `end` (exclusive). */
export function bytesWithin(bytes: Uint8Array, start: number, end: number, wanted: Uint8Array): boolean {
  const [first] = wanted;
  for (let at = start; at <= end - wanted.length; at++)
    if (bytes[at] === first && bytesAt(bytes, at, end, wanted)) return true;
  return false;
}

/**
 * Reads numbers and words from a range of bytes without making strings. A failed read returns false and leaves
 * `pos` where it was. Numbers are 64 bits wide, in `lo` and `hi` (unsigned 32-bit halves); larger ones wrap.
 */
export class Scanner {
  buf: Uint8Array = new Uint8Array(0);
  pos = 0;
  end = 0;
  /** Bits 31:0 of the last number. */
  lo = 0;
  /** Bits 63:32 of the last number. */
  hi = 0;

  /** Points the scanner at bytes `start` to `end` (exclusive). */
  on(buf: Uint8Array, start: number, end: number): this {
    this.buf = buf;
    this.pos = start;
    this.end = end;
    return this;
  }

  /** An unsigned or (with a leading '-') two's complement decimal number. */
  dec(): boolean {
    const { buf, end } = this;
    let at = this.pos;
    const negative = at < end && buf[at] === MINUS;
    if (negative) at++;
    const first = at;
    let value = 0;
    while (at < end) {
      const digit = buf[at]! - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      at++;
    }
    if (at === first) return false;
    if (at - first > 15) return this.#wideDec(first, at, negative);
    this.lo = value >>> 0;
    this.hi = value > 0xffffffff ? Math.floor(value / 0x100000000) >>> 0 : 0;
    if (negative) this.#negate();
    this.pos = at;
    return true;
  }

  /** A hexadecimal number, with or without 0x. */
  hex(): boolean {
    const { buf, end } = this;
    let at = this.pos;
    if (at + 1 < end && buf[at] === ZERO && (buf[at + 1] === 120 || buf[at + 1] === 88)) at += 2;
    const first = at;
    let lo = 0;
    let hi = 0;
    while (at < end) {
      const digit = HEX_DIGITS[buf[at]!]!;
      if (digit < 0) break;
      hi = (hi << 4) | (lo >>> 28);
      lo = (lo << 4) | digit;
      at++;
    }
    if (at === first) return false;
    this.lo = lo >>> 0;
    this.hi = hi >>> 0;
    this.pos = at;
    return true;
  }

  /** A number in C notation: 0x… is hexadecimal, else decimal. */
  number(): boolean {
    const { buf, pos, end } = this;
    if (pos + 1 < end && buf[pos] === ZERO && (buf[pos + 1] === 120 || buf[pos + 1] === 88)) return this.hex();
    return this.dec();
  }

  /** The given bytes. */
  literal(wanted: Uint8Array): boolean {
    if (!bytesAt(this.buf, this.pos, this.end, wanted)) return false;
    this.pos += wanted.length;
    return true;
  }

  #negate(): void {
    this.lo = (~this.lo + 1) >>> 0;
    this.hi = (~this.hi + (this.lo === 0 ? 1 : 0)) >>> 0;
  }

  #wideDec(first: number, at: number, negative: boolean): boolean {
    let value = 0n;
    for (let i = first; i < at; i++) value = value * 10n + BigInt(this.buf[i]! - 48);
    this.lo = Number(value & 0xffffffffn);
    this.hi = Number((value >> 32n) & 0xffffffffn);
    if (negative) this.#negate();
    this.pos = at;
    return true;
  }
}
