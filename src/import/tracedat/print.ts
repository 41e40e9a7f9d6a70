/**
 * What the kernel prints of a record, made from the print format of its event: conversions as vsnprintf of lib/vsprintf.c makes them, and the
 * helpers of include/trace/stages/stage3_trace_output.h.
 */

import { byName } from '../../base/by-name.ts';
import { textOf } from '../../base/bytes.ts';
import { type Expression, fieldsIn, type PrintFormat } from './expression.ts';
import type { Field } from './format.ts';
import type { RecordBytes } from './record.ts';

/** What printing needs beside the record: names of addresses, and texts that the kernel keeps outside of the ring buffer. */
export interface Texts {
  /** `symbol`, or with the offset `symbol+0x1/0x2`; undefined for an address without a name. */
  readonly symbol: (address: bigint, offset: boolean) => string | undefined;
  /** The text at an address of the kernel. */
  readonly kernelText: (address: bigint) => string | undefined;
}

type Value = bigint | string | undefined;

/** A conversion of a print format: `%`, flags, width, precision, size of the argument, letter. */
const CONVERSION = /%([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?(hh|h|ll|l|L|q|j|z|t)?([a-zA-Z%])([A-Za-z0-9]*)/g;
/** Letters that may follow `%p`. */
const POINTER_WORDS = /^(?:[sSfFB]R?b?|x|K|p?[A-Za-z]\w*)/;
/** Columns that a conversion fills at most. */
const WIDEST = 256;

/** A part of a print format: text, or a conversion with its arguments. */
export interface Part {
  readonly literal: string;
  readonly flags: string;
  readonly width: Expression | number | undefined;
  readonly precision: Expression | number | undefined;
  /** Bytes of the argument. */
  readonly bytes: number;
  /** The letter, '' for text; for `%p` the letters behind it, too. */
  readonly letter: string;
  readonly argument: Expression | undefined;
}

const literalPart = (literal: string): Part => ({
  literal,
  flags: '',
  width: undefined,
  precision: undefined,
  bytes: 0,
  letter: '',
  argument: undefined,
});

const SIZES: Readonly<Record<string, number>> = byName({ hh: 1, h: 2, ll: 8, L: 8, q: 8, j: 8 });

/** The parts of a print format. `long`: bytes of a `long` of the kernel. */
export function partsOf({ text, args }: PrintFormat, long: number): Part[] {
  const parts: Part[] = [];
  let at = 0;
  let next = 0;
  const number = (word: string | undefined): Expression | number | undefined =>
    word === undefined ? undefined : word === '*' ? args[next++] : Math.min(WIDEST, Number(word));
  CONVERSION.lastIndex = 0;
  for (let m = CONVERSION.exec(text); m !== null; m = CONVERSION.exec(text)) {
    if (m.index > at) parts.push(literalPart(text.slice(at, m.index)));
    const [, flags, wide, precise, size, letter, behind] = m as unknown as string[];
    const words = letter === 'p' ? (POINTER_WORDS.exec(behind!)?.[0] ?? '') : '';
    at = CONVERSION.lastIndex = m.index + m[0].length - behind!.length + words.length;
    if (letter === '%') {
      parts.push(literalPart('%'));
      continue;
    }
    const width = number(wide);
    const precision = m[0].includes('.') ? (number(precise) ?? 0) : undefined;
    const bytes = letter === 'p' ? long : size === undefined ? 4 : (SIZES[size] ?? long);
    parts.push({
      literal: '',
      flags: flags!,
      width,
      precision,
      bytes,
      letter: letter! + words,
      argument: args[next++],
    });
  }
  if (at < text.length) parts.push(literalPart(text.slice(at)));
  return parts;
}

/** Types of casts, by their width in bits; negative ones are signed. `long` is 0. */
const TYPES: Readonly<Record<string, number>> = byName({
  u8: 8,
  u16: 16,
  u32: 32,
  u64: 64,
  s8: -8,
  s16: -16,
  s32: -32,
  s64: -64,
  bool: 1,
});

/** A value as a type in C holds it; types that are not known change nothing. */
function cast(type: string, value: bigint, long: number): bigint {
  if (type.includes('*')) return value;
  const plain = TYPES[type.replace(/^_+/, '')];
  if (plain !== undefined)
    return plain === 1 ? BigInt(value !== 0n) : plain > 0 ? BigInt.asUintN(plain, value) : BigInt.asIntN(-plain, value);
  const bits = /\bchar\b/.test(type)
    ? 8
    : /\bshort\b/.test(type)
      ? 16
      : /\blong long\b/.test(type)
        ? 64
        : /\blong\b/.test(type)
          ? long * 8
          : 32;
  if (!/\b(?:char|short|int|long|unsigned|signed)\b/.test(type)) return value;
  return /\bunsigned\b/.test(type) ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value);
}

const BINARY: Readonly<Record<string, (a: bigint, b: bigint) => bigint | undefined>> = byName({
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
  '&': (a, b) => a & b,
  '==': (a, b) => BigInt(a === b),
  '!=': (a, b) => BigInt(a !== b),
  '<': (a, b) => BigInt(a < b),
  '>': (a, b) => BigInt(a > b),
  '<=': (a, b) => BigInt(a <= b),
  '>=': (a, b) => BigInt(a >= b),
  '<<': (a, b) => (b < 0n || b > 63n ? undefined : BigInt.asIntN(64, a << b)),
  '>>': (a, b) => (b < 0n || b > 63n ? undefined : a >> b),
  '+': (a, b) => BigInt.asIntN(64, a + b),
  '-': (a, b) => BigInt.asIntN(64, a - b),
  '*': (a, b) => BigInt.asIntN(64, a * b),
  '/': (a, b) => (b === 0n ? undefined : a / b),
  '%': (a, b) => (b === 0n ? undefined : a % b),
});

/** Prints parts of the print format of one event. */
export class Printer {
  readonly #fields: ReadonlyMap<string, Field>;
  readonly #texts: Texts;
  /** Reads what trace_printk() keeps in binary; see bprint.ts. */
  readonly #special: ((name: string, record: RecordBytes) => string | undefined) | undefined;

  constructor(
    fields: ReadonlyMap<string, Field>,
    texts: Texts,
    special?: (name: string, record: RecordBytes) => string | undefined,
  ) {
    this.#fields = fields;
    this.#texts = texts;
    this.#special = special;
  }

  /** Whether fields may stand for more than they hold. */
  get isSpecial(): boolean {
    return this.#special !== undefined;
  }

  /** Whether what parts print depends on nothing but the numbers of some fields, and on which. */
  numbersIn(parts: readonly Part[]): readonly Field[] | undefined {
    if (this.#special !== undefined) return undefined;
    const names = new Set<string>();
    for (const { argument, width, precision } of parts)
      for (const each of [argument, width, precision]) if (typeof each === 'object') fieldsIn(each, names);
    const fields = [...names].map((name) => this.#fields.get(name));
    return fields.every((field) => field?.shape === 'number') ? (fields as Field[]) : undefined;
  }

  /** What the kernel prints; `?` stands for what is not known, and a number for a name that is not. */
  print(parts: readonly Part[], record: RecordBytes): string {
    let out = '';
    for (const part of parts) out += part.letter === '' ? part.literal : (this.#convert(part, record) ?? '?');
    return out;
  }

  /** The number of an argument. */
  number(expression: Expression, record: RecordBytes): bigint | undefined {
    const value = this.#value(expression, record);
    return typeof value === 'bigint' ? value : undefined;
  }

  #convert(part: Part, record: RecordBytes): string | undefined {
    const { argument, letter } = part;
    if (argument === undefined) return undefined;
    const width = this.#size(part.width, record);
    const precision = this.#size(part.precision, record);
    let value = this.#value(argument, record);
    // A pointer to a text that lies in the memory of the kernel.
    if (letter === 's' && typeof value === 'bigint')
      value = this.#texts.kernelText(BigInt.asUintN(64, value)) ?? hex(value);
    if (value === undefined) return undefined;
    return convert(part, value, width, precision, this.#texts);
  }

  #size(of: Expression | number | undefined, record: RecordBytes): number | undefined {
    if (of === undefined || typeof of === 'number') return of;
    const value = this.number(of, record);
    return value === undefined ? undefined : Math.min(WIDEST, Math.max(0, Number(value)));
  }

  #value(e: Expression, record: RecordBytes): Value {
    switch (e.is) {
      case 'number':
        return e.value;
      case 'text':
        return e.text;
      case 'field':
        return this.#field(e.name, record);
      case 'cast': {
        const value = this.#value(e.of, record);
        return typeof value === 'bigint' ? cast(e.type, value, record.long) : value;
      }
      case 'unary': {
        const value = this.#value(e.of, record);
        if (typeof value !== 'bigint') return undefined;
        if (e.op === '!') return BigInt(value === 0n);
        return e.op === '-' ? -value : e.op === '~' ? ~value : e.op === '+' ? value : undefined;
      }
      case 'binary':
        return this.#binary(e.op, e.left, e.right, record);
      case 'choice': {
        const of = this.#value(e.of, record);
        return typeof of === 'bigint' ? this.#value(of === 0n ? e.no : e.yes, record) : undefined;
      }
      case 'call':
        return this.#call(e.name, e.args, record);
      case 'element':
      case 'list':
      case 'name':
        return undefined;
    }
  }

  #binary(op: string, left: Expression, right: Expression, record: RecordBytes): Value {
    const a = this.#value(left, record);
    if (typeof a !== 'bigint') return undefined;
    if (op === '&&' && a === 0n) return 0n;
    if (op === '||' && a !== 0n) return 1n;
    const b = this.#value(right, record);
    if (typeof b !== 'bigint') return undefined;
    return op === '&&' || op === '||' ? BigInt(b !== 0n) : BINARY[op]?.(a, b);
  }

  #field(name: string, record: RecordBytes): Value {
    const field = this.#fields.get(name);
    if (field === undefined) return undefined;
    const special = this.#special?.(name, record);
    if (special !== undefined) return special;
    if (field.shape === 'number') return record.wide(field);
    return field.shape === 'bytes'
      ? undefined
      : record.text(field)
        ? textOf(record.buf, record.start, record.stop)
        : undefined;
  }

  #call(name: string, args: readonly Expression[], record: RecordBytes): Value {
    const [first] = args;
    if (first === undefined) return undefined;
    const field = first.is === 'name' ? this.#fields.get(first.name) : undefined;
    switch (name) {
      case '__get_str':
      case '__get_rel_str':
        return field !== undefined && record.text(field) ? textOf(record.buf, record.start, record.stop) : undefined;
      case '__get_bitmask':
      case '__get_rel_bitmask':
      case '__get_cpumask':
      case '__get_rel_cpumask':
        return field === undefined ? undefined : maskText(field, record);
      case '__print_symbolic':
      case '__print_symbolic_u64':
        return this.#symbolic(first, args.slice(1), record);
      case '__print_flags':
      case '__print_flags_u64':
        return this.#flags(first, args, record);
      default:
        return undefined;
    }
  }

  /** trace_print_symbols_seq of kernel/trace/trace_output.c: the name of a value, else its number. */
  #symbolic(of: Expression, names: readonly Expression[], record: RecordBytes): Value {
    const value = this.number(of, record);
    if (value === undefined) return undefined;
    for (const each of names) {
      if (each.is !== 'list') continue;
      const [key, text] = each.items;
      const known = key === undefined ? undefined : this.number(key, record);
      // Names of numbers that the kernel did not resolve are left out.
      if (known === undefined || text?.is !== 'text') continue;
      if (BigInt.asUintN(64, known) === BigInt.asUintN(64, value)) return text.text;
    }
    return hex(value);
  }

  /** trace_print_flags_seq: the names of all bits that are set, and the rest of the value as a number. */
  #flags(of: Expression, [, between, ...names]: readonly Expression[], record: RecordBytes): Value {
    const value = this.number(of, record);
    if (value === undefined || between?.is !== 'text') return undefined;
    let left = BigInt.asUintN(64, value);
    const texts: string[] = [];
    for (const each of names) {
      if (each.is !== 'list') continue;
      const [key, text] = each.items;
      const mask = key === undefined ? undefined : this.number(key, record);
      if (mask === undefined || text?.is !== 'text') continue;
      const bits = BigInt.asUintN(64, mask);
      if (bits === 0n || (left & bits) !== bits) continue;
      texts.push(text.text);
      left &= ~bits;
    }
    if (left !== 0n) texts.push(hex(left));
    return texts.join(between.text);
  }
}

const hex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`;

/** One conversion. */
export function convert(
  { letter, flags, bytes }: Pick<Part, 'letter' | 'flags' | 'bytes'>,
  value: bigint | string,
  width: number | undefined,
  precision: number | undefined,
  texts: Texts,
): string | undefined {
  if (typeof value === 'string') {
    if (letter !== 's') return undefined;
    return padded(precision === undefined ? value : value.slice(0, precision), flags, width);
  }
  switch (letter[0]) {
    case 'd':
    case 'i': {
      const n = BigInt.asIntN(bytes * 8, value);
      return padded(n.toString(), flags, width);
    }
    case 'u':
      return padded(BigInt.asUintN(bytes * 8, value).toString(), flags, width);
    case 'x':
    case 'X': {
      const digits = BigInt.asUintN(bytes * 8, value).toString(16);
      const all = `${flags.includes('#') ? '0x' : ''}${precision === undefined ? digits : digits.padStart(precision, '0')}`;
      return padded(letter === 'X' ? all.toUpperCase() : all, flags, width);
    }
    case 'o':
      return padded(BigInt.asUintN(bytes * 8, value).toString(8), flags, width);
    case 'c':
      return padded(String.fromCharCode(Number(value & 0xffn)), flags, width);
    case 'p':
      return padded(pointer(letter.slice(1), BigInt.asUintN(bytes * 8, value), bytes, texts), flags, width);
    default:
      return undefined;
  }
}

/** Addresses: as the name of what stands there, or as a number. */
function pointer(words: string, address: bigint, bytes: number, texts: Texts): string {
  const name = /^[sfSFB]/.test(words) ? texts.symbol(address, /^[SFB]/.test(words)) : undefined;
  return (
    name ??
    `${words === '' || words === 'x' || words === 'K' ? '' : '0x'}${address.toString(16).padStart(/^[sfSFB]/.test(words) ? 0 : bytes * 2, '0')}`
  );
}

function padded(text: string, flags: string, width: number | undefined): string {
  if (width === undefined || text.length >= width) return text;
  if (flags.includes('-')) return text.padEnd(width);
  if (!flags.includes('0')) return text.padStart(width);
  const sign = /^(?:-|0[xX])/.exec(text)?.[0] ?? '';
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}

/** A mask of CPUs as `%*pb` prints it: 32 bits in eight digits, the highest first, with commas (bitmap_string of lib/vsprintf.c). */
export function maskText(field: Field, record: RecordBytes): string | undefined {
  if (!record.range(field)) return undefined;
  const { view, little, start, long } = record;
  const size = record.stop - start;
  if (size === 0 || size % 4 !== 0) return undefined;
  const words: string[] = [];
  for (let at = 0; at < size; at += 4) {
    // The mask is an array of longs: where the high half of one stands first, halves change places.
    const half = little || long === 4 || size % 8 !== 0 ? at : at ^ 4;
    words.unshift(
      view
        .getUint32(start + half, little)
        .toString(16)
        .padStart(8, '0'),
    );
  }
  return words.join(',');
}
