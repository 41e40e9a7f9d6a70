import { hexText, hexWords } from '../../base/hex.ts';
import { type Bits, type FieldValue, fieldsFor, fieldValue, type Register } from '../../model/register.ts';

/** What a value means as one kind of thing. */
export interface Reading {
  /** The kind, as `--as` names it. */
  readonly kind: string;
  /** The value in the form of answers: `0x2500000014`, `0xfee004b8/0x0`, several words with blanks between them. */
  readonly value: string;
  /** What it means, on one line. */
  readonly text: string;
  /** Its fields by name, and what follows from them. */
  readonly fields: Readonly<Record<string, FieldValue>>;
  /** The same fields with their bits and meanings, in order. */
  readonly rows: readonly Row[];
  /** How likely it is that this is meant: the higher the likelier; 0 when the value cannot be one of this kind. */
  readonly likely: number;
}

/** One field of a reading. */
export interface Row {
  readonly name: string;
  readonly value: FieldValue;
  /** Bit range within the register, such as `19:5`; empty for what was derived. */
  readonly bits: string;
  /** The name of the value, and what the field means. */
  readonly meaning: string;
}

/** The words of a number of up to `width` bits, lowest first. */
export function wordsOf(value: bigint, width: number): number[] {
  return Array.from({ length: Math.ceil(width / 32) }, (_, i) => Number((value >> BigInt(32 * i)) % (1n << 32n)));
}

/** Whether a number has at most `width` bits. */
export const fitsIn = (value: bigint, width: number): boolean => value < 1n << BigInt(width);

/** A register that holds a value, field by field. */
export interface Decoded {
  readonly value: string;
  readonly bits: Bits;
  readonly fields: Record<string, FieldValue>;
  readonly rows: Row[];
  /** Bit ranges of reserved fields that are not 0, as text; empty when there are none. */
  readonly reserved: string;
}

const range = (hi: number, lo: number): string => (hi === lo ? String(hi) : `${hi}:${lo}`);

/** Reads a register of which every bit is known. */
export function decode(register: Register, value: bigint): Decoded {
  const words = wordsOf(value, register.width);
  const bits = { words, known: words.map(() => 0xffffffff) };
  const fields: Record<string, FieldValue> = {};
  const rows: Row[] = [];
  const reserved: string[] = [];
  for (const field of fieldsFor(register, bits)) {
    const content = fieldValue(field, bits);
    if (field.access.startsWith('Rsvd')) {
      if (Number(content) !== 0) reserved.push(range(field.hi, field.lo));
      continue;
    }
    fields[field.name] = content;
    const name = field.values?.[Number(content)];
    const meaning = name === undefined ? field.meaning : `${name}. ${field.meaning}`;
    rows.push({ name: field.name, value: content, bits: range(field.hi, field.lo), meaning });
  }
  return { value: hexWords(words), bits, fields, rows, reserved: reserved.join(', ') };
}

/** Adds what follows from the fields. */
export function derive(
  decoded: Pick<Decoded, 'fields' | 'rows'>,
  name: string,
  value: FieldValue,
  meaning: string,
): void {
  decoded.fields[name] = value;
  decoded.rows.push({ name, value, bits: '', meaning });
}

/** A reading of a register; what is said of it is followed by the reserved bits that are set. */
export function readingOf(kind: string, decoded: Omit<Decoded, 'bits'>, text: string, likely: number): Reading {
  const { value, fields, rows, reserved } = decoded;
  const note = reserved === '' ? '' : `; reserved bits ${reserved} are set`;
  return { kind, value, text: `${text}${note}`, fields, rows, likely: reserved === '' ? likely : 0 };
}

/** A number in decimal and hexadecimal, in decimal alone below 10. */
export const both = (value: number): string => (value < 10 ? String(value) : `${value} (${hexText(value)})`);

/** Parts of a sentence that apply, with commas. */
export const listed = (...parts: readonly (string | false | undefined)[]): string =>
  parts.filter((part) => part !== false && part !== undefined && part !== '').join(', ');
