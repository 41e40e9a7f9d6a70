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
  let text = textOf(line);
  for (const [word, form] of MARKS) if (words.includes(word)) text = text.replace(form, '');
  return bytesOf(text.trim());
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
