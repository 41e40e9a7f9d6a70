/** Lines that a mail program broke, put together again. */
import { bytesOf, textOf } from '../../base/bytes.ts';
import type { Undone } from './undone.ts';

/** Marks that stand on every line of a quoted or commented text; a logger's prefix stands on the first one only. */
const MARKS: readonly (readonly [Undone, RegExp])[] = [
  ['quoted', /^[ \t]{0,3}[>|](?: ?[>|])*/],
  ['commented', /^ *(?:#+|\/\/+|\/?\*+|;+|--|%)/],
  ['diff', /^[+-]/],
];

/** A line that may continue a record, without the marks that the record had, and without blanks at its ends. */
export function asMarked(line: Uint8Array, words: readonly Undone[]): Uint8Array {
  return bytesOf(withoutMarks(textOf(line), words).trim());
}

function withoutMarks(line: string, words: readonly Undone[]): string {
  let text = line;
  for (const [word, form] of MARKS) if (words.includes(word)) text = text.replace(form, '');
  return text;
}

/** The marks that a line begins with. */
export function marksOf(line: Uint8Array): Undone[] {
  const text = textOf(line, 0, Math.min(line.length, 80));
  return MARKS.filter(([, form]) => form.test(text)).map(([word]) => word);
}

/** A line that continues one which a terminal broke: without marks, with the blanks at its beginning, which belong to it. */
export function asBroken(line: Uint8Array, words: readonly Undone[]): Uint8Array {
  return bytesOf(withoutMarks(textOf(line), words).trimEnd());
}

/** Two pieces as they stood in one line. */
export function unbroken(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

/** Two pieces with something between them. */
export function joined(a: Uint8Array, glue: string, b: Uint8Array): Uint8Array {
  let end = a.length;
  while (end > 0 && a[end - 1] === 32) end--;
  const bytes = new Uint8Array(end + glue.length + b.length);
  bytes.set(a.subarray(0, end));
  bytes.set(bytesOf(glue), end);
  bytes.set(b, end + glue.length);
  return bytes;
}

/** The beginning of a record of ftrace: task, CPU, flags and time at most. The event follows on the next line. */
export const BEGINNING = /\S-\d+ +(?:\( *[\d-]+\) +)?\[\d{3}\](?: +[\w.#>*~]{3,9}(?: +\d+\.\d+:?)?)? *$/;
/** The name of an event behind the time of a record of ftrace. */
export const NAMED = /\d: +\w+: /;
/** A line that has a task and a CPU of its own. */
export const WITH_TASK = /-\d+ +(?:\( *[\d-]+\) +)?\[\d+\]/;
