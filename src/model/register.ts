import { hexWords } from '../base/hex.ts';
import type { Bits, Field } from './field.ts';

export type { Access, Bits, Field } from './field.ts';

/** Fields that together cover every bit of a register; `f` has them by name. */
export interface Layout<N extends string = string> {
  /** 32-bit words that the fields take. */
  readonly words: number;
  readonly fields: readonly Field<N>[];
  /** The fields by name; a name that the layout does not have is an error of the compiler. */
  readonly f: { readonly [K in N]: Field<K> };
}

/** Another layout of the same bits. */
export interface OtherLayout<N extends string = string> extends Layout<N> {
  /** Whether content that is known this far is laid out in this way. */
  readonly when: (bits: Bits) => boolean;
}

/** A register or table entry as data: the one place where its layout is written. */
export interface Register<N extends string = string> extends Layout<N> {
  readonly name: string;
  /** Bits: 8 to 128. */
  readonly width: number;
  readonly meaning: string;
  /** Where the layout is defined: specification section or source file. */
  readonly spec: string;
  /** Other layouts, chosen by the content: the first whose `when` returns true replaces `fields`. */
  readonly layouts?: readonly OtherLayout[];
}

/** A field's value: a number, a boolean for single bits, a hexadecimal text beyond 53 bits, null when unknown. */
export type FieldValue = number | boolean | string | null;

/** How a register that holds this content is laid out: as one of its other layouts, or as itself. */
export function layoutFor(register: Register, bits: Bits): Layout {
  return register.layouts?.find((layout) => layout.when(bits)) ?? register;
}

/** The fields that describe a register holding this content. */
export const fieldsFor = (register: Register, bits: Bits): readonly Field[] => layoutFor(register, bits).fields;

/** The value of one field; of upper bits of an address, that address. */
export function fieldValue(field: Field, bits: Bits): FieldValue {
  const value = field.read(bits);
  if (value !== null && field.address === true) return value * 2 ** field.lo;
  return value !== null && field.hi === field.lo ? value === 1 : value;
}

/** A register as answers print it: `value` is lower-case hexadecimal, null while any bit is unknown. */
export interface RegisterView {
  value: string | null;
  fields: Record<string, FieldValue>;
}

/** The content of a register as hexadecimal text, null while any bit is unknown. */
function wholeValue({ width }: Register, { words, known }: Bits): string | null {
  const out: number[] = [];
  for (let lo = 0; lo < width; lo += 32) {
    const mask = width - lo >= 32 ? 0xffffffff : (1 << (width - lo)) - 1;
    if (((known[lo >>> 5] ?? 0) & mask) >>> 0 !== mask) return null;
    out.push(((words[lo >>> 5] ?? 0) & mask) >>> 0);
  }
  return hexWords(out);
}

/** The content of a register with its fields by name; reserved fields are left out. */
export function viewRegister(register: Register, bits: Bits): RegisterView {
  const fields: Record<string, FieldValue> = {};
  for (const field of fieldsFor(register, bits)) {
    if (!field.access.startsWith('Rsvd')) fields[field.name] = fieldValue(field, bits);
  }
  return { value: wholeValue(register, bits), fields };
}

/** The bits of a register that a software write changes, as words, lowest first. */
export function writableMask(register: Register): number[] {
  const words = new Array<number>(register.words).fill(0);
  for (const { access, word, mask, highMask } of register.fields) {
    if (access !== 'RW') continue;
    words[word] = (words[word]! | mask) >>> 0;
    if (highMask !== 0) words[word + 1] = (words[word + 1]! | highMask) >>> 0;
  }
  return words;
}

/** The bits of a register's last cell that lie beyond its width: a cell has 32 bits, a register may have fewer. */
export const beyondMask = ({ width }: Register): number => ((width & 31) === 0 ? 0 : (-1 << (width & 31)) >>> 0);

/** Whether any bit that must be 0 (RsvdZ) is set in content of which every bit is known. */
export function reservedSet(register: Register, bits: Bits): boolean {
  return fieldsFor(register, bits).some((field) => field.access === 'RsvdZ' && field.read(bits) !== 0);
}

/** The words of a layout with the given field values, other bits zero. Bits of a value beyond its field are left out. */
export function packRegister<N extends string>(
  { words: count, f }: Layout<N>,
  values: { readonly [K in NoInfer<N>]?: number | bigint },
): number[] {
  const words = new Array<number>(count).fill(0);
  for (const name of Object.keys(values) as N[]) {
    const field: Field | undefined = f[name];
    if (field === undefined) throw new Error(`there is no field ${name}`);
    const value = Number(values[name] ?? 0);
    const { word, shift, highMask } = field;
    words[word] = (words[word]! | field.put(value % 2 ** 32)) >>> 0;
    if (highMask !== 0) words[word + 1] = (words[word + 1]! | (Math.floor(value / 2 ** (32 - shift)) & highMask)) >>> 0;
  }
  return words;
}
