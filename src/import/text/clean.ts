/**
 * Bytes inside a line that a terminal, a browser or an editor put there: colours, no-break blanks, tabs, HTML. A line
 * that holds none of them is never copied.
 */

import { byName } from '../../base/by-name.ts';
import { bytesOf } from '../../base/bytes.ts';
import type { Undone } from './undone.ts';

const ESC = 27;
const AMPERSAND = 38;
const LESS = 60;
const CARET = 94;
/** First bytes, in UTF-8, of the blanks and marks that are looked for: U+00A0 and U+00AD, U+1680, U+2000…U+206F, U+3000, U+FEFF. */
const WIDE = [0xc2, 0xe1, 0xe2, 0xe3, 0xef];

/** 1 for every byte that `clean` may have something to do with. */
const SPECIAL = new Uint8Array(256);
for (let byte = 0; byte < 32; byte++) SPECIAL[byte] = 1;
for (const byte of [AMPERSAND, CARET, 127, ...WIDE]) SPECIAL[byte] = 1;

/** Where a special byte stands at or behind `from`; `end` when there is none. */
export function specialAt(buf: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && SPECIAL[buf[at]!] === 0) at++;
  return at;
}

const BS = '\u0008';
const BELL = '\u0007';
const ESCAPE = '\u001b';
/** What a control string (OSC, APC, DCS, PM) holds: it ends before the next escape or bell, so a line is read once, however many begin in it. */
const STRING = String.raw`(?:[^${BELL}${ESCAPE}^]|\^(?![G[]))*`;
/** Control sequences of terminals (ECMA-48: CSI, OSC, APC, DCS, PM, two-byte escapes), also in the form that `cat -v` gives them. */
const ANSI = new RegExp(
  String.raw`(?:${ESCAPE}|\^\[)(?:\[[0-?]*[ -/]*[@-~]|[\]_P^]${STRING}(?:${BELL}|\^G|(?:${ESCAPE}|\^\[)\\)|[()][0-9A-B]|[=>78cDEHMNOZ])`,
  'g',
);
/** Blanks of typography. */
const BLANKS = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g;
/** Marks without width. */
const MARKS = /\u200b|\u200c|\u200d|\u200e|\u200f|\u2060|\ufeff|\u00ad/g;
/** Control characters but tab, line end and escape. */
const [NUL, TAB_BEFORE, VT, SUB, FS, US, DEL] = ['\u0000', BS, '\u000b', '\u001a', '\u001c', '\u001f', '\u007f'];
const CONTROLS = new RegExp(`[${NUL}-${TAB_BEFORE}${VT}-${SUB}${FS}-${US}${DEL}]`, 'g');
const ENTITY = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos|nbsp|larr|rarr|minus|ndash));/g;
const NAMED: Readonly<Record<string, string>> = byName({
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  larr: '←',
  rarr: '→',
  minus: '-',
  ndash: '-',
});
/** Elements of HTML that text is wrapped in; `<idle>` and `<...>` are none. */
const TAGS =
  /<\/?(?:a|b|blockquote|body|br|code|div|em|font|h[1-6]|head|hr|html|i|li|ol|p|pre|samp|script|small|span|strong|table|tbody|td|th|tr|tt|u|ul)(?:\s[^<>]*)?\/?>|<!--|-->|<!\[CDATA\[|\]\]>/gi;

/** What `cat -n` and `nl` put in front. */
const NUMBERED = /^ *\d{1,9}\t/;
/** What `gh run view --log` puts in front of the stamp. */
const JOB_AND_STEP = /^[^\t]{1,80}\t[^\t]{1,80}\t(?=\ufeff?\d{4}-\d\d-\d\dT)/;

/** Elements that end a line. */
const BREAKS = /<(?:br|\/p|\/div|\/li|\/tr)\s*\/?>(?=.)/gi;
/** Elements that stand beside others: the number of a line, a cell. */
const CELLS = /<\/(?:a|td|th)\s*>/gi;

// A byte order mark in the middle of a file is a mark like others: files were put one behind the other.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** A text as it was written over: each backspace takes back one character (`script` and the like keep both). */
function withoutOverwritten(text: string): string {
  if (!text.includes(BS)) return text;
  const kept: string[] = [];
  for (const char of text) {
    if (char === BS) kept.pop();
    else kept.push(char);
  }
  return kept.join('');
}

/** Undoes the marks of HTML in a text; elements only where it is a page of HTML: a name may hold what looks like one. */
function withoutHtml(text: string, page: boolean): string {
  return (page ? text.replace(BREAKS, '\n').replace(CELLS, ' ').replace(TAGS, '') : text).replace(
    ENTITY,
    (all, decimal: string | undefined, hex: string | undefined, name: string | undefined) => {
      if (name !== undefined) return NAMED[name]!;
      const code = decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal);
      return code <= 0x10ffff ? String.fromCodePoint(code) : all;
    },
  );
}

/**
 * The line in bytes `start` to `end` without such bytes, as bytes of its own; undefined when it holds none. Words for what was
 * undone go into `undone`. `page`: the file is a page of HTML.
 */
export function clean(
  buf: Uint8Array,
  start: number,
  end: number,
  undone: Set<Undone>,
  page: boolean,
): Uint8Array | undefined {
  const special = specialAt(buf, start, end) < end;
  const tags = page && buf.subarray(start, end).includes(LESS);
  if (!special && !tags) return undefined;
  const line = decoder.decode(buf.subarray(start, end));
  let text = line;
  const step = (word: Undone | undefined, next: string): void => {
    if (next !== text && word !== undefined) undone.add(word);
    text = next;
  };
  if (special) {
    step('ansi', withoutOverwritten(text.replace(ANSI, '')));
    step('html', withoutHtml(text, page));
    step('bom', text.replace(/^\ufeff/, ''));
    step('nbsp', text.replace(BLANKS, ' ').replace(MARKS, ''));
    step('line-numbers', text.replace(NUMBERED, ''));
    step('prefix:github-actions', text.replace(JOB_AND_STEP, ''));
    step('indented', text.replaceAll('\t', ' '));
    step(undefined, text.replace(CONTROLS, ''));
  } else step('html', withoutHtml(text, page));
  return text === line ? undefined : bytesOf(text);
}

/**
 * Tells of each line of a buffer whether it holds a byte that may be part of a text which a reader takes as it is: an escape of a
 * terminal, or, in a page of HTML, an entity. Other odd bytes keep a line from being a record, so it is looked at anyway.
 */
export class Watch {
  readonly #html: boolean;
  #buf: Uint8Array | undefined;
  #last = 0;
  #nextEscape = 0;
  #nextEntity = 0;

  constructor(html: boolean) {
    this.#html = html;
  }

  /** Lines of one buffer come in their order. */
  inLine(buf: Uint8Array, start: number, end: number): boolean {
    if (buf !== this.#buf || start <= this.#last) {
      this.#buf = buf;
      this.#last = start;
      this.#nextEscape = -1;
      this.#nextEntity = this.#html ? -1 : buf.length;
      // The buffer may be that of one line, and longer than it: the rest of it is looked at when a second line comes.
      const line = buf.subarray(start, end);
      return line.includes(ESC) || (this.#html && line.includes(AMPERSAND));
    }
    this.#last = start;
    if (this.#nextEscape < start) this.#nextEscape = next(buf, ESC, start);
    if (this.#nextEntity < start) this.#nextEntity = next(buf, AMPERSAND, start);
    return this.#nextEscape < end || this.#nextEntity < end;
  }
}

/** Where a byte stands at or behind `from`; the end of the buffer when nowhere. */
function next(buf: Uint8Array, byte: number, from: number): number {
  const at = buf.indexOf(byte, from);
  return at < 0 ? buf.length : at;
}
