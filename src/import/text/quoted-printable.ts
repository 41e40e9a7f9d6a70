/** Quoted-printable, in which mail travels (RFC 2045 6.7): `=3D` is a byte, `=` at the end of a line continues it. */
import { EQUALS, SPACE } from '../../base/bytes.ts';

const TAB = 9;
const NEWLINE = 10;
/** Longest line of the encoding, without the line end. */
const LONGEST = 76;

/** The value of a digit that the encoding uses (upper case), or -1. */
function digit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 48 && byte <= 57) return byte - 48;
  return byte >= 65 && byte <= 70 ? byte - 55 : -1;
}

/** Where a line ends without blanks, which may have been added on the way. */
export function lineEnd(buf: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && (buf[at - 1] === SPACE || buf[at - 1] === TAB)) at--;
  return at;
}

/** Decodes bytes `start` to `end` of one line; what is no valid escape stays as it is. */
export function decodeLine(buf: Uint8Array, start: number, end: number): Uint8Array {
  const out = new Uint8Array(end - start);
  let to = 0;
  for (let at = start; at < end; at++) {
    const high = buf[at] === EQUALS ? digit(buf[at + 1]) : -1;
    const low = high < 0 || at + 2 >= end ? -1 : digit(buf[at + 2]);
    if (low < 0) out[to++] = buf[at]!;
    else {
      out[to++] = high * 16 + low;
      at += 2;
    }
  }
  return out.subarray(0, to);
}

/** The header of a mail or of a part of it that tells the encoding of what follows: true for this one, undefined for other lines. */
export function encodingHeader(line: string): boolean | undefined {
  const encoding = /^Content-Transfer-Encoding:\s*(\S+)/i.exec(line)?.[1];
  return encoding === undefined ? undefined : /^quoted-printable;?$/i.test(encoding);
}

/**
 * Whether bytes `0` to `length` are encoded so, though no header tells it: every `=` is part of an escape, and there is
 * an escaped `=` or a full line that ends with one.
 */
export function looksEncoded(buf: Uint8Array, length: number): boolean {
  let sure = 0;
  let lineStart = 0;
  for (let at = 0; at < length; at++) {
    if (buf[at] === NEWLINE) lineStart = at + 1;
    if (buf[at] !== EQUALS) continue;
    const next = buf[at + 1] === 13 ? buf[at + 2] : buf[at + 1];
    if (next === NEWLINE) {
      // Encoders break lines near the limit, and some programs do not keep it.
      if (at + 1 - lineStart > LONGEST - 12) sure++;
    } else if (at + 2 < length) {
      if (digit(buf[at + 1]) < 0 || digit(buf[at + 2]) < 0) return false;
      if (buf[at + 1] === 51 && buf[at + 2] === 68) sure++;
    }
  }
  return sure > 0;
}
