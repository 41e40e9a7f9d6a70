import { hexText } from '../base/hex.ts';
import type { FieldValue } from '../model/register.ts';
import type { Reading } from '../query/explain/explain.ts';

/** Characters of the widest cell that others are aligned to. */
const WIDEST = 40;

/** A value of a field as it is shown: numbers from 10 on also in hexadecimal, flags as 0 and 1, what is not told as a question mark. */
export function readingValue(value: FieldValue): string {
  if (value === null) return '?';
  if (typeof value === 'boolean') return value ? '1' : '0';
  return typeof value === 'number' && value > 9 ? `${value} (${hexText(value)})` : String(value);
}

/** The fields of a reading as rows of a table: name, bits, value, meaning. */
export const readingRows = ({ rows }: Reading): readonly (readonly [string, string, string, string])[] =>
  rows.map(({ name, bits, value, meaning }) => [name, bits, readingValue(value), meaning]);

/** The fields of a reading on one line: `shv 1, handle 37 (0x25)`. */
export const readingFields = ({ rows }: Reading): string =>
  rows.map(({ name, value }) => `${name} ${readingValue(value)}`).join(', ');

/** A reading as text to be pasted: kind and value, what it means, a line for each field. */
export function readingText(reading: Reading): string {
  const rows = readingRows(reading);
  // A long text does not push the meanings of all other fields to the right.
  const widths = [0, 1, 2].map((i) =>
    Math.max(0, ...rows.map((row) => row[i]!.length).filter((length) => length <= WIDEST)),
  );
  const lines = rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
  return [`${reading.kind} ${reading.value}: ${reading.text}`, ...lines, ''].join('\n');
}
