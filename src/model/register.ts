import { hexWords } from '../base/hex.ts';

/**
 * How software may touch a field. RO read only, RW read/write, RW1C write one to clear, RsvdP reserved and to be
 * preserved, RsvdZ reserved and to be written zero, HW written by hardware while software only reads it.
 */
export type Access = 'RO' | 'RW' | 'RW1C' | 'RsvdP' | 'RsvdZ' | 'HW';

/** Bits `hi` to `lo` (inclusive) of a register, as its specification describes them. */
export interface Field {
  readonly name: string;
  readonly hi: number;
  readonly lo: number;
  readonly access: Access;
  /** What the field means, in one or two sentences. */
  readonly meaning: string;
  /** Value after reset, where the specification defines one. */
  readonly reset?: number;
  /** Names of single values. */
  readonly values?: Readonly<Record<number, string>>;
}

/** A register or table entry as data: the one place where its layout is written. */
export interface Register {
  readonly name: string;
  /** Bits: 8 to 128. */
  readonly width: number;
  readonly meaning: string;
  /** Where the layout is defined: specification section or source file. */
  readonly spec: string;
  readonly fields: readonly Field[];
  /**
   * Other layouts of the same bits, chosen by their content: the first whose `when` returns true replaces `fields`.
   * `when` gets a function that returns a bit range as a number, or null when not all of its bits are known.
   */
  readonly layouts?: readonly { readonly when: (bits: BitsOf) => boolean; readonly fields: readonly Field[] }[];
}

/** Reads bits `hi` to `lo` (at most 53) of a value of which some bits may be unknown; null when any of them is. */
export type BitsOf = (hi: number, lo: number) => number | null;

/** A register's content: 32-bit words, lowest first, and which of their bits are known (1 = known). */
export interface Bits {
  readonly words: ArrayLike<number>;
  readonly known: ArrayLike<number>;
}

/** A field's value: a number, a boolean for single bits, a hexadecimal text beyond 53 bits, null when unknown. */
export type FieldValue = number | boolean | string | null;

/** Bits `hi` to `lo` as words, lowest first; undefined when any of these bits is unknown. */
function extract({ words, known }: Bits, hi: number, lo: number): number[] | undefined {
  const out: number[] = [];
  for (let at = lo; at <= hi; at += 32) {
    const width = Math.min(32, hi - at + 1);
    const mask = width === 32 ? 0xffffffff : (1 << width) - 1;
    const index = at >>> 5;
    const shift = at & 31;
    const pick = (from: ArrayLike<number>): number => {
      const low = (from[index] ?? 0) >>> shift;
      const high = shift === 0 ? 0 : (from[index + 1] ?? 0) << (32 - shift);
      return ((low | high) & mask) >>> 0;
    };
    if (pick(known) !== mask >>> 0) return undefined;
    out.push(pick(words));
  }
  return out;
}

/** A reader of bit ranges of a value. */
export function bitsOf(bits: Bits): BitsOf {
  return (hi, lo) => {
    const words = extract(bits, hi, lo);
    return words === undefined ? null : words[0]! + (words[1] ?? 0) * 0x100000000;
  };
}

/** The fields that describe a register holding this content (its layout may depend on the content). */
export function fieldsFor(register: Register, bits: Bits): readonly Field[] {
  const read = bitsOf(bits);
  return register.layouts?.find((layout) => layout.when(read))?.fields ?? register.fields;
}

/** The value of one field. */
export function fieldValue(field: Field, bits: Bits): FieldValue {
  const words = extract(bits, field.hi, field.lo);
  if (words === undefined) return null;
  const width = field.hi - field.lo + 1;
  if (width === 1) return words[0] === 1;
  if (width > 53) return hexWords(words);
  return words[0]! + (words[1] ?? 0) * 0x100000000;
}

/** A register as answers print it: `value` is lower-case hexadecimal, null while any bit is unknown. */
export interface RegisterView {
  value: string | null;
  fields: Record<string, FieldValue>;
}

/** The content of a register with its fields by name; reserved fields are left out. */
export function viewRegister(register: Register, bits: Bits): RegisterView {
  const whole = extract(bits, register.width - 1, 0);
  const fields: Record<string, FieldValue> = {};
  for (const field of fieldsFor(register, bits)) {
    if (!field.access.startsWith('Rsvd')) fields[field.name] = fieldValue(field, bits);
  }
  return { value: whole === undefined ? null : hexWords(whole), fields };
}

/** The bits of a register that a software write changes, as words, lowest first. */
export function writableMask(register: Register): number[] {
  const words = new Array<number>(Math.ceil(register.width / 32)).fill(0);
  for (const field of register.fields) {
    if (field.access !== 'RW') continue;
    for (let bit = field.lo; bit <= field.hi; bit++) words[bit >>> 5] = (words[bit >>> 5]! | (1 << (bit & 31))) >>> 0;
  }
  return words;
}

/** The words of a register with the given field values, other bits zero; throws on a field that it does not have. */
export function packRegister(
  register: Register,
  values: Readonly<Record<string, number | bigint>>,
  layout?: readonly Field[],
): number[] {
  let value = 0n;
  for (const [name, v] of Object.entries(values)) {
    const field = (layout ?? register.fields).find((f) => f.name === name);
    if (!field) throw new Error(`${register.name} has no field ${name}`);
    value |= (BigInt(v) & ((1n << BigInt(field.hi - field.lo + 1)) - 1n)) << BigInt(field.lo);
  }
  return Array.from({ length: Math.ceil(register.width / 32) }, (_, i) =>
    Number((value >> BigInt(32 * i)) & 0xffffffffn),
  );
}
