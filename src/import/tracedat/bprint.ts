/**
 * What trace_printk() keeps in binary: the address of a format, and its arguments one behind the other (vbin_printf and bstr_printf of
 * lib/vsprintf.c).
 */
import { textOf } from '../../base/bytes.ts';
import type { Field } from './format.ts';
import { convert, partsOf, type Texts } from './print.ts';
import type { RecordBytes } from './record.ts';

/** The text of a format whose arguments lie in bytes `at` to `end` of the record's buffer. */
export function binaryText(format: string, record: RecordBytes, field: Field, texts: Texts): string | undefined {
  if (!record.range(field)) return undefined;
  const { buf, view, little, long, stop: end } = record;
  const from = record.start;
  let at = from;
  /** The next argument of so many bytes, which begins at a multiple of its size; the largest begin at a multiple of four. */
  const next = (bytes: number): bigint | undefined => {
    const step = Math.min(4, bytes);
    at = from + Math.ceil((at - from) / step) * step;
    if (at + bytes > end) return undefined;
    const start = at;
    at += bytes;
    if (bytes === 8) return view.getBigUint64(start, little);
    return BigInt(
      bytes === 4 ? view.getUint32(start, little) : bytes === 2 ? view.getUint16(start, little) : view.getUint8(start),
    );
  };
  const text = (): string | undefined => {
    const stop = buf.indexOf(0, at);
    if (stop < 0 || stop >= end) return undefined;
    const start = at;
    at = stop + 1;
    return textOf(buf, start, stop);
  };
  let out = '';
  // Arguments are not expressions here: they come in the order of the conversions.
  for (const part of partsOf({ text: format, args: STARS }, long)) {
    if (part.letter === '') {
      out += part.literal;
      continue;
    }
    const sizes: (number | undefined)[] = [];
    for (const size of [part.width, part.precision]) {
      if (typeof size !== 'object') sizes.push(size);
      else {
        const n = next(4);
        if (n === undefined) return undefined;
        sizes.push(Math.min(256, Number(n)));
      }
    }
    const [width, precision] = sizes;
    // Pointers that stand for more than an address were printed when they were recorded.
    const isText = part.letter === 's' || /^p(?![sSfFBxK]?$)/.test(part.letter);
    const value = isText ? text() : next(part.letter === 'c' ? 1 : part.bytes);
    if (value === undefined) return undefined;
    const letter = typeof value === 'string' ? 's' : part.letter;
    const converted = convert({ ...part, letter }, value, width, precision, texts);
    if (converted === undefined) return undefined;
    out += converted;
  }
  return out;
}

/** Stands for arguments: `*` is followed wherever it stands. */
const STARS = Array.from({ length: 64 }, () => ({ is: 'name', name: '*' }) as const);
