/**
 * What people, loggers and tools put in front of a line. A peeler takes one such thing off the beginning of a line; several may
 * stand one before the other. Which ones a line has is decided by what is left: it must be a record.
 */

import { byName } from '../../base/by-name.ts';
import type { Undone } from './undone.ts';

/** Takes something off the beginning of a line. */
export interface Peeler {
  readonly word: Undone;
  /** Matches what is taken off, at the beginning of the line. */
  readonly form: RegExp;
  /** The text that takes the place of what was taken off; nothing when left out. */
  readonly instead?: (match: RegExpExecArray) => string;
  /** What was taken off opens something: the mark that closes it, and what stands behind the mark, are taken off too. */
  readonly closing?: Closing;
}

/** Where a text ends that something encloses, and the text itself when it is not the same there; undefined when nothing closes it. */
export type Closing = (text: string) => { readonly end: number; readonly text?: string } | undefined;

const ESCAPES: Readonly<Record<string, string>> = byName({ n: ' ', r: ' ', t: ' ' });

/** A string in double quotes, of JSON, C or a table (CSV): a quote in it is escaped or doubled. */
const doubleQuoted: Closing = (text) => {
  let plain = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    const next = text[at + 1];
    if (char === '\\' && next !== undefined) {
      plain += ESCAPES[next] ?? next;
      at++;
    } else if (char === '"' && next === '"' && at > 0) {
      plain += '"';
      at++;
    } else if (char === '"') return plain.length === at ? { end: at } : { end: at, text: plain.trimEnd() };
    else plain += char;
  }
  return undefined;
};

/** What ends with the last one of a mark. Where the mark opens and closes, marks within come in pairs: without one more, nothing closes it. */
const upTo =
  (mark: string): Closing =>
  (text) => {
    const pairs = mark.length === 1 && text.split(mark).length % 2 === 1;
    const end = pairs ? -1 : text.lastIndexOf(mark);
    return end < 0 ? undefined : { end };
  };

/** What a form at the end of the line closes. */
const before =
  (form: RegExp): Closing =>
  (text) => {
    const end = text.search(form);
    return end < 0 ? undefined : { end };
  };

/** Marks that enclose a text, in characters of one byte each, and what closes them. */
const ENCLOSING: readonly (readonly [open: string, closing: Closing])[] = [
  ['"', doubleQuoted],
  ["'", upTo("'")],
  ['`', upTo('`')],
  ['\xe2\x80\x9c', upTo('\xe2\x80\x9d')],
  ['\xe2\x80\x98', upTo('\xe2\x80\x99')],
  ['\xe2\x80\x9e', upTo('\xe2\x80')],
  ['\xc2\xab', upTo('\xc2\xbb')],
];

/** Marks that open and close alike, from the surest on. */
const PAIRED: readonly (readonly [mark: string, form: RegExp, closing: Closing])[] = [
  ['"', /\\.|"/g, doubleQuoted],
  ['`', /`/g, upTo('`')],
  ['**', /\*\*/g, upTo('**')],
  ["'", /(?<!\w)'|'(?!\w)/g, upTo("'")],
];
const CELL = /^[\s>]*\|/;

/** What closes a mark that is open at the end of a text: a quote that nothing in it closed, the bar of a table; undefined when none is. */
export function closingOf(prefix: string): Closing | undefined {
  for (const [mark, form, closing] of PAIRED) {
    const count = (prefix.match(form) ?? []).filter((found) => found === mark).length;
    if (count % 2 === 1) return closing;
  }
  const other = ENCLOSING.find(([open]) => open.length > 1 && prefix.includes(open));
  if (other !== undefined) return other[1];
  return CELL.test(prefix) ? before(/ \|\s*$/) : undefined;
}

const ISO = String.raw`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?`;
const CLOCK = String.raw`\d\d:\d\d:\d\d(?:[.,]\d{1,9})?`;
const SYSLOG_TIME = String.raw`[A-Z][a-z]{2} [ \d]\d ${CLOCK}`;
/** `host program[pid]: `; systemd also prints `host unit[pid]: `. */
const WHO = String.raw`[\w.-]+ [A-Za-z(_][^\s:\[\]]*(?:\[\d+\])?:(?: |$)`;
/** Printed by the kernel in front of each line (kernel/printk/printk.c, print_time and print_caller). */
const PRINTK = String.raw`\[ *\d+\.\d{3,9}\](?:\[ *[TC]\d+\])? ?`;

const peeler = (word: Undone, form: string, instead?: Peeler['instead']): Peeler => ({
  word,
  form: new RegExp(`^(?:${form})`),
  ...(instead === undefined ? {} : { instead }),
});

const enclosed = (word: Undone, form: string, closing: Closing): Peeler => ({ ...peeler(word, form), closing });

/** The event of `tp_printk` stands alone behind the stamp of the kernel log, which is then its time, and its CPU if the caller is one. */
const TP_PRINTK = String.raw`(?:<\d{1,3}>)?\[ *(\d+\.\d{6})\](?:\[ *([TC])(\d+)\])? (?=[a-z]\w+: )`;

/**
 * Prefixes with a form of their own: no line of a format begins like that. What a more special form matches stands
 * before the general one.
 */
export const SURE: readonly Peeler[] = [
  peeler('quoted', String.raw`[ \t]{0,3}>(?: ?>)*(?: |(?=\t)|$|(?=\S))`),
  enclosed('quoted', String.raw`[ \t]{0,3}\|(?: ?\|)*(?: |$|(?=\d))`, before(/ \|\s*$/)),
  ...ENCLOSING.map(([open, closing]) => enclosed('enclosed', `[bru]?${open}`, closing)),
  enclosed('enclosed', String.raw`\*\*(?=\S| )`, upTo('**')),
  enclosed('code-fence', String.raw`\{(?:code|noformat|quote)[^}]{0,80}\}`, before(/\{(?:code|noformat|quote)\}\s*$/)),
  peeler('quoted', String.raw`bq\. `),
  peeler('prefix:tp_printk', TP_PRINTK, (m) => `${m[2] === 'C' ? `[${m[3]!.padStart(3, '0')}] ` : ''}${m[1]}: `),
  // RFC 5424: <PRI>VERSION TIME HOST APP PROCID MSGID STRUCTURED-DATA MESSAGE.
  peeler(
    'prefix:syslog',
    String.raw`<\d{1,3}>\d{1,2} (?:${ISO}|-) \S+ \S+ \S+ \S+ (?:-|(?:\[(?:[^\]\\]|\\.)*\])+) (?:\xef\xbb\xbf)?`,
  ),
  // RFC 3164, as it travels.
  peeler('prefix:syslog', String.raw`<\d{1,3}>${SYSLOG_TIME} ${WHO}`),
  peeler('prefix:journal', `(?:[A-Z][a-z]{2} )?${ISO}(?: [A-Z]{2,5})? ${WHO}`),
  peeler('prefix:journal', `${SYSLOG_TIME} ${WHO}`),
  peeler('prefix:journal', String.raw`\[ *\d+\.\d{3,9}(?: <[ .\d]*>)?\] ${WHO}`),
  peeler('prefix:journal', String.raw`\d{9,10}\.\d{6} ${WHO}`),
  peeler('prefix:kubernetes', `${ISO} std(?:out|err) [FP] `),
  peeler('prefix:gitlab', String.raw`${ISO} \d\d[OE]\+? ?`),
  peeler('prefix:github-actions', String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z `),
  peeler('prefix:jenkins', String.raw`\[${ISO}\] `),
  peeler('prefix:jenkins', String.raw`\[?${CLOCK}\]? {1,2}(?=\S| {6})`),
  peeler('prefix:dmesg', String.raw`[a-z]+ *:[a-z]+ *: (?=\[)`),
  peeler('prefix:dmesg', String.raw`<\d{1,3}>(?:${PRINTK})?`),
  peeler('prefix:dmesg', PRINTK),
  peeler('prefix:dmesg', String.raw`\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\] ?`),
  peeler('prefix:dmesg', String.raw`\[(?:[A-Z][a-z]{2} ?\d\d? \d\d:\d\d| *\+ *\d+\.\d+|<? *\d+\.\d+>?)\] ?`),
  peeler('prefix:logcat', String.raw`\d\d-\d\d ${CLOCK} +\d+ +\d+ [VDIWEF] [^:]{1,40}: `),
  peeler('prefix:time', `${ISO} `),
  peeler('prefix:time', `${SYSLOG_TIME} `),
  peeler('prefix:kubernetes', String.raw`\[pod/\S+\] `),
  peeler('prefix:docker', String.raw`[\w.-]+ *\| ?`),
  peeler(
    'prefix:chat',
    String.raw`(?:\[${CLOCK.slice(0, -1)}\]|\[\d\d?:\d\d(?: [AP]M)?\]) (?:<[^>]{1,30}>|[\w.-]{1,30}:) `,
  ),
  peeler('prefix:chat', String.raw`<[ @+]?[A-Za-z][\w.|-]{0,30}> `),
];

/** What may stand in front of a record, and may as well be its beginning: taken off only when the line is no record as it is. */
export const POSSIBLE: readonly Peeler[] = [
  peeler('line-numbers', String.raw`\d{1,9}[:-](?=\D|\d+@)`),
  peeler('line-numbers', String.raw`[\w./+-]+[:-]\d{1,9}[:-]`),
  peeler('prefix:dmesg', String.raw`\[ *[TC]\d+\] ?`),
  peeler('commented', String.raw` *(?:#+|//+|/\*+|\*+|;+|--|%|rem |::|dnl ) ?`),
  peeler('diff', String.raw`[+-](?=[ \t\w<(\[])`),
  peeler('indented', String.raw`[ \t]+`),
  peeler('line-numbers', String.raw`\d{1,9}(?:[:|.)] ?| +)(?=\D|\d+@)`),
  peeler('prefix:prompt', String.raw`(?:\(qemu\)|\$|[\w.-]+@[\w.-]+:\S*[#$]) `),
  peeler('prefix:file', String.raw`[\w./+-]+\.(?:log|txt|trace|out)[:-]`),
  peeler('prefix:program', String.raw`(?:[\w.-]+ )?[A-Za-z][\w./-]*(?:\[\d+\])?: ?`),
  peeler('prefix:text', String.raw`\[[^\]]{1,40}\] ?`),
];
