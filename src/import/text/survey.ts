/** A first look at a file of text: what holds for all of it and must be known before its first line is read. */
import { LF, textOf } from '../../base/bytes.ts';
import { type Bare, bareLog } from '../dmesg/bare.ts';
import { PART_OF_RECORD, WHOLE_RECORD } from '../importer.ts';
import { LineSplitter } from '../lines.ts';
import { clean } from './clean.ts';
import { Finder } from './find.ts';
import { TEXT_FORMATS } from './formats.ts';
import { asMarked, joined } from './join.ts';
import { JSON_FILE, JsonLines, withoutNesting } from './json-lines.ts';
import { encodingHeader, looksEncoded } from './quoted-printable.ts';
import { Stream } from './streams.ts';
import type { Undone } from './undone.ts';

export interface Survey {
  /** The file is quoted-printable from its beginning. */
  readonly quotedPrintable: boolean;
  /** The text stands in strings of JSON or JavaScript. */
  readonly json: boolean;
  /** The file is a page of HTML. */
  readonly html: boolean;
  /** A record is broken into lines somewhere. */
  readonly wrapped: boolean;
  /** A terminal broke the lines: so many bytes fit into one. 0 when that is not so. */
  readonly columns: number;
  /** The records end with a backslash, as a line break of Markdown does. */
  readonly hardBreaks: boolean;
  /** It is a kernel log without stamps, or messages of one stand in it. */
  readonly kernelLog: Bare | undefined;
}

/** So many lines are looked at. */
const MOST_LINES = 1000;
/** How pages of HTML begin, and pieces of them their lines. */
const HTML = /<(?:!doctype html|html|script|pre)\b|^\s*<(?:p|div|br|table|tr|td|li|code|span|blockquote)\b/im;

/** No terminal is narrower. */
const LEAST_COLUMNS = 40;
const BACKSLASH = 92;

/** The record on the line before. */
interface Before {
  readonly bytes: Uint8Array;
  readonly by: Stream;
  /** What was undone to find it. */
  readonly words: readonly Undone[];
  readonly form: number;
  /** How many of its values show that it is one. */
  readonly evidence: number;
}

/** Whether a line continues a record: together they are a whole record, with more values than the record had alone. */
function continues({ bytes: first, by, evidence }: Before, rest: Uint8Array): boolean {
  return ['', ' '].some((glue) => {
    const bytes = joined(first, glue, rest);
    return by.reader.form(bytes, 0, bytes.length) === WHOLE_RECORD && by.reader.evidence > evidence;
  });
}

/** Looks at the first bytes of a file. */
export function survey(head: Uint8Array): Survey {
  const seekers = TEXT_FORMATS.map((format) => new Stream(format));
  /** The same, the one first whose record was found last. */
  let order: readonly Stream[] = seekers;
  const finder = new Finder<Stream>();
  const html = HTML.test(textOf(head, 0, Math.min(head.length, 4096)));
  let records = 0;
  let wrapped = false;
  let encoded = false;
  let before: Before | undefined;
  let hardBreaks = 0;
  /** Bytes of the line before, and of the longest one; how often a line of so many was the first part of a record. */
  let length = 0;
  let longest = 0;
  const parts = new Map<number, number>();
  let lines = 0;
  const look = (buf: Uint8Array, start: number, end: number): void => {
    const lengthBefore = length;
    length = end - start;
    longest = Math.max(longest, lines < MOST_LINES ? length : 0);
    if (lines++ >= MOST_LINES || start === end) {
      before = undefined;
      return;
    }
    const words = new Set<Undone>();
    const line = clean(buf, start, end, words, html) ?? buf.slice(start, end);
    const found = finder.find(order, line, 0, line.length);
    if (found !== undefined && found.form >= PART_OF_RECORD) {
      records++;
      if (found.by !== order[0]) order = [found.by, ...seekers.filter((seeker) => seeker !== found.by)];
      if (line.at(-1) === BACKSLASH) hardBreaks++;
      const { by, form, peeled } = found;
      before = {
        bytes: found.buf.slice(found.start, found.end),
        by,
        words: peeled.map(({ word }) => word),
        form,
        evidence: by.reader.evidence,
      };
      return;
    }
    encoded ||= encodingHeader(textOf(line, 0, Math.min(line.length, 100))) === true;
    if (before !== undefined) {
      const rest = asMarked(line, before.words);
      if (continues(before, rest)) {
        wrapped = true;
        parts.set(lengthBefore, (parts.get(lengthBefore) ?? 0) + 1);
      }
      before = before.form < WHOLE_RECORD ? { ...before, bytes: joined(before.bytes, ' ', rest) } : undefined;
    }
  };
  const splitter = new LineSplitter(look);
  const last = head.lastIndexOf(LF);
  splitter.push(head.subarray(0, last < 0 ? head.length : last + 1));
  splitter.end();
  return {
    quotedPrintable: !encoded && looksEncoded(head, Math.max(0, last)),
    json: inJson(head, seekers, records, html),
    html,
    wrapped,
    columns: longest >= LEAST_COLUMNS && isMost(parts.get(longest) ?? 0, parts) ? longest : 0,
    hardBreaks: hardBreaks * 2 > records,
    kernelLog: records === 0 ? bareLog(textOf(head, 0, Math.max(0, last)) || textOf(head)) : undefined,
  };
}

/** Whether a number is more than half of the sum of a tally. */
function isMost(count: number, tally: ReadonlyMap<number, number>): boolean {
  let sum = 0;
  for (const n of tally.values()) sum += n;
  return count * 2 > sum;
}

/** Whether the records stand in strings: as many are found there, and line ends are escaped. */
function inJson(head: Uint8Array, seekers: readonly Stream[], plain: number, html: boolean): boolean {
  if (plain > 0 && !head.includes(BACKSLASH) && !JSON_FILE.test(textOf(head, 0, Math.min(head.length, 200))))
    return false;
  const finder = new Finder<Stream>();
  let records = 0;
  let escaped = 0;
  let lines = 0;
  // As many lines of the file as were looked at before; each holds several strings.
  const json = new JsonLines((buf, start, end, line) => {
    if (line > MOST_LINES || lines++ >= MOST_LINES * 50 || start === end) return;
    const whole = clean(buf, start, end, new Set(), html) ?? buf.slice(start, end);
    const text = whole.includes(BACKSLASH) ? withoutNesting(whole) : whole;
    for (let from = 0; from < text.length && lines < MOST_LINES * 50; lines++) {
      const next = text.indexOf(LF, from);
      const to = next < 0 ? text.length : next;
      const found = finder.find(seekers, text, from, to);
      if (found !== undefined && found.form >= PART_OF_RECORD) {
        records++;
        if (json.byEscape || next >= 0 || from > 0) escaped++;
      }
      from = to + 1;
    }
  });
  json.push(head);
  if (JSON_FILE.test(textOf(head, 0, Math.min(head.length, 200)))) return records > 0 && records >= plain;
  return escaped > 0 && escaped * 2 >= plain;
}
