/**
 * Lines of a kernel log of which the bytes alone show that they tell of no interrupt and are no record of any format: most lines of a log. The test
 * knows beginnings and bytes of what the reader and the search look for; lines that it does not pass may still tell nothing.
 */
import {
  BRACKET_CLOSE,
  bytesAt,
  bytesOf,
  COLON,
  DOT,
  hexDigit,
  isDigit,
  MINUS,
  SPACE,
  ZERO,
} from '../../base/bytes.ts';
import { isNameByte } from '../names.ts';
import { LIKELY_FORMS } from './messages.ts';

/** Bytes of words that make a line more than one of the log: what was left out of it, where a boot begins, what a logger puts in front. */
const OTHER_WORDS = ['uppr', 'ropp', 'isse', 'epea', 'ux v', 'nel:'];

/** Bytes that no such line has: marks of addresses, escapes, quotes. */
const MARKS: ReadonlySet<number> = new Set(bytesOf('<@\\"&'));
/** Beginnings of lines that QEMU prints. */
const BEGINNINGS = ['IR table ', 'Servicing ', 'SMI: '].map(bytesOf);

const [PLUS, COMMA, BRACKET, UNDERSCORE, LAST] = [43, 44, 91, 95, 126];
const [ATA, ITS, CPU] = ['ata', 'its', 'cpu'];
const X = 120;

/** Bits of a byte that are the same for both cases of a letter. */
const FOLD = 31;
/** What three bytes may be: nothing; a word; `ata`, which is one with a digit behind; `its`, where a word begins; `cpu`, with both. */
const WORD = 1;
const WITH_DIGIT = 2;
const ALONE = 3;
const ALONE_WITH_DIGIT = 4;
const threes = new Uint8Array(1 << 15);
/** A bit for each four bytes. */
const fours = new Uint8Array((1 << 20) / 8);

const folded = (text: string): number => bytesOf(text).reduce((all, byte) => (all << 5) | (byte & FOLD), 0);

for (const text of [...LIKELY_FORMS.map(([, bytes]) => bytes), ...OTHER_WORDS]) {
  const bits = folded(text);
  if (text.length === 4) fours[bits >> 3]! |= 1 << (bits & 7);
  else if (text.length === 3)
    threes[bits] = text === ATA ? WITH_DIGIT : text === ITS ? ALONE : text === CPU ? ALONE_WITH_DIGIT : WORD;
}

/** `isEvent`: whether a word of a trace is the name of an event. */
export type IsEvent = (buf: Uint8Array, start: number, end: number) => boolean;

/** Whether bytes `start` to `end` (exclusive), behind the stamp of a line, tell nothing. */
export function isSilent(buf: Uint8Array, start: number, whole: number, isEvent: IsEvent): boolean {
  let end = whole;
  while (end > start && buf[end - 1] === SPACE) end--;
  const first = buf[start]! | 32;
  if (end - start < 2 || first < 97 || first > 122) return false;
  // A line of digits alone may end with 0x and sixteen of them.
  if (end - start >= 18 && hexDigit(buf[end - 1]) >= 0 && (buf[end - 17]! | 32) === X && buf[end - 18] === ZERO)
    return false;
  if (BEGINNINGS.some((beginning) => bytesAt(buf, start, end, beginning))) return false;
  let three = 0;
  let four = 0;
  let word = start;
  let underscores = false;
  let colons = 0;
  for (let at = start; at < end; at++) {
    const byte = buf[at]!;
    if (byte < SPACE || byte > LAST) return false;
    four = ((four << 5) | (byte & FOLD)) & 0xfffff;
    three = four & 0x7fff;
    if ((fours[four >> 3]! & (1 << (four & 7))) !== 0 && at - start >= 3) return false;
    const found = threes[three]!;
    if (found !== 0 && at - start >= 2 && isWord(found, buf, at, start)) return false;
    if (isNameByte(byte)) {
      if (byte === UNDERSCORE) underscores = true;
      continue;
    }
    if (underscores && isEvent(buf, word, at)) return false;
    underscores = false;
    word = at + 1;
    if (byte === SPACE) continue;
    if (MARKS.has(byte)) return false;
    const next = at + 1 < end ? buf[at + 1]! : SPACE;
    if (byte === COLON) {
      if (at + 1 === end || (next === SPACE && buf[at + 2] === SPACE)) return false;
      if (next === SPACE && colons++ === 0 && isDigit(buf[at + 2]) && isWordOnly(buf, start, at)) return false;
      // A time.
      if (at - start > 7 && buf[at - 7] === DOT && isDigit(buf[at - 1])) return false;
    } else if (byte === BRACKET) {
      const close = digitsEnd(buf, at + 1, end);
      const behind = close + 1 < end ? buf[close + 1] : SPACE;
      if (close > at + 1 && buf[close] === BRACKET_CLOSE && (behind === SPACE || behind === MINUS)) return false;
    } else if (byte === MINUS || byte === PLUS) {
      if (next === SPACE || next === COMMA || buf[digitsEnd(buf, at + 1, end)] === SPACE) return false;
    }
  }
  return !underscores || !isEvent(buf, word, end);
}

/** Whether the three bytes that end at `at` are what `found` says. */
function isWord(found: number, buf: Uint8Array, at: number, start: number): boolean {
  const alone = at - 3 < start || !isNameByte(buf[at - 3]!);
  if (found === WORD || found === ALONE) return found === WORD || alone;
  if (found === WITH_DIGIT) return isDigit(buf[at + 1]);
  return alone && isDigit(buf[at + (buf[at + 1] === SPACE ? 2 : 1)]);
}

function digitsEnd(buf: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isDigit(buf[at])) at++;
  return at;
}

const isWordOnly = (buf: Uint8Array, start: number, end: number): boolean => {
  for (let at = start; at < end; at++) if (!isNameByte(buf[at]!)) return false;
  return true;
};
