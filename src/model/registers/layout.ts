// The short form in which registers are written.

import { type Access, type Bits, Field, type FieldText } from '../field.ts';
import type { Layout, OtherLayout, Register } from '../register.ts';

/** What only some fields have: the value after reset, names of single values, and that they are shown as an address. */
type More = Pick<FieldText, 'reset' | 'values' | 'address'>;

/** Names that `reserved` makes. */
type Reserved = `reserved${number}`;

/** Bit `at` of a register. */
export function bit<const N extends string>(
  name: N,
  at: number,
  access: Access,
  meaning: string,
  more: More = {},
): Field<N> {
  return new Field(name, at, at, { access, meaning, ...more });
}

/** Bits `hi` to `lo` (inclusive) of a register. */
export function bits<const N extends string>(
  name: N,
  hi: number,
  lo: number,
  access: Access,
  meaning: string,
  more: More = {},
): Field<N> {
  return new Field(name, hi, lo, { access, meaning, ...more });
}

/** Reserved bits `hi` to `lo`; named by their lowest bit, so that several of them keep distinct names. */
export function reserved<const L extends number>(
  hi: number,
  lo: L,
  access: Access = 'RsvdZ',
  meaning = 'Reserved.',
): Field<`reserved${L}`> {
  return new Field(`reserved${lo}` as const, hi, lo, { access, meaning });
}

/** The fields with every bit of 0 to `width` - 1 that none of them covers made reserved (RsvdZ); sorted by bit. */
export function withReserved<N extends string>(
  width: number,
  fields: readonly Field<N>[],
): readonly Field<N | Reserved>[] {
  const all: Field<N | Reserved>[] = [];
  let next = 0;
  const gap = (end: number): void => {
    while (next < end) {
      // A field has at most 53 bits: a wider gap is divided at the end of a word.
      const to = end - next > 53 ? (next | 31) + 1 : end;
      all.push(reserved(to - 1, next));
      next = to;
    }
  };
  for (const field of [...fields].sort((a, b) => a.lo - b.lo)) {
    gap(field.lo);
    all.push(field);
    next = field.hi + 1;
  }
  gap(width);
  return all;
}

function byName<N extends string>(fields: readonly Field<N>[]): Layout<N>['f'] {
  return Object.fromEntries(fields.map((field) => [field.name, field])) as unknown as Layout<N>['f'];
}

/** A register or table entry of `width` bits; `fields` covers every bit once. */
export function register<N extends string>(
  name: string,
  width: number,
  meaning: string,
  spec: string,
  fields: readonly Field<N>[],
  layouts?: readonly OtherLayout[],
): Register<N> {
  return {
    name,
    width,
    words: Math.ceil(width / 32),
    meaning,
    spec,
    fields,
    f: byName(fields),
    ...(layouts ? { layouts } : {}),
  };
}

/** Another layout of a register of `width` bits, for content in which `field` is 1. */
export function layoutIf<N extends string>(width: number, field: Field, fields: readonly Field<N>[]): OtherLayout<N> {
  return {
    words: Math.ceil(width / 32),
    fields,
    f: byName(fields),
    when: (content: Bits) => field.read(content) === 1,
  };
}
