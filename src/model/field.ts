import type { ObjectId } from '../base/ids.ts';

/**
 * How software may touch a field. RO read only, RW read/write, RW1C write one to clear, RsvdP reserved and to be
 * preserved, RsvdZ reserved and to be written zero, HW written by hardware while software only reads it.
 */
export type Access = 'RO' | 'RW' | 'RW1C' | 'RsvdP' | 'RsvdZ' | 'HW';

/** A register's content: 32-bit words, lowest first, and which of their bits are known (1 = known). */
export interface Bits {
  readonly words: ArrayLike<number>;
  readonly known: ArrayLike<number>;
}

/** Where fields are read from: cells of 32 bits that objects have, as a `State` keeps them. */
export interface Cells {
  /** The bits of a cell; bits that are not known read 0. */
  get(object: ObjectId, cell: number): number;
  /** Which bits of a cell are known. */
  known(object: ObjectId, cell: number): number;
}

/** What a specification says about a field, apart from its bits. */
export interface FieldText {
  readonly access: Access;
  /** What the field means, in one or two sentences. */
  readonly meaning: string;
  /** Value after reset, where the specification defines one. */
  readonly reset?: number | undefined;
  /** Names of single values. */
  readonly values?: Readonly<Record<number, string>> | undefined;
  /** The upper bits of an address, whose lower ones are 0: shown as the address, not shifted down. */
  readonly address?: boolean | undefined;
}

/** A mask of `width` bits, 1 to 32, as an unsigned number. */
const ones = (width: number): number => (width === 32 ? 0xffffffff : (1 << width) - 1);

/**
 * Bits `hi` to `lo` (inclusive, at most 53) of a register: what its specification says of them, and the ways to read
 * and write them. `word`, `shift`, `mask` and `max` are computed once, and no method allocates.
 *
 * Methods that take one word mean the word with number `word` of the register (0: bits 31:0). Those that take `cells`
 * mean the register that starts at cell `cell` of an object.
 */
export class Field<N extends string = string> implements FieldText {
  readonly name: N;
  readonly hi: number;
  readonly lo: number;
  readonly access: Access;
  readonly meaning: string;
  readonly reset: number | undefined;
  readonly values: Readonly<Record<number, string>> | undefined;
  readonly address: boolean | undefined;
  /** The word of the register in which the field starts. */
  readonly word: number;
  /** Position of the lowest bit in that word. */
  readonly shift: number;
  /** The bits of the field in that word, in place. */
  readonly mask: number;
  /** The largest value that the field can hold. */
  readonly max: number;
  /** The bits of the field in the next word, in place; 0 for a field that lies in one word. */
  readonly highMask: number;

  constructor(name: N, hi: number, lo: number, text: FieldText) {
    const width = hi - lo + 1;
    const inWord = Math.min(width, 32 - (lo & 31));
    if (width < 1 || width > 53 || width - inWord > 32) throw new Error(`field ${name} cannot be bits ${hi} to ${lo}`);
    this.name = name;
    this.hi = hi;
    this.lo = lo;
    this.access = text.access;
    this.meaning = text.meaning;
    this.reset = text.reset;
    this.values = text.values;
    this.address = text.address;
    this.word = lo >>> 5;
    this.shift = lo & 31;
    this.mask = (ones(inWord) << this.shift) >>> 0;
    this.max = 2 ** width - 1;
    this.highMask = width === inWord ? 0 : ones(width - inWord);
  }

  /** The value in a word of which every bit is known; `next` is the word after it, for a field that goes on there. */
  of(word: number, next = 0): number {
    const low = (word & this.mask) >>> this.shift;
    return this.highMask === 0 ? low : low + this.#high(next);
  }

  /** Whether any bit of the field is set in a word: for fields of one bit. */
  in(word: number): boolean {
    return (word & this.mask) !== 0;
  }

  /** A field of one bit in a word of which only the bits in `known` are known; undefined when it is not. */
  flagIn(word: number, known: number): boolean | undefined {
    return (known & this.mask) === 0 ? undefined : (word & this.mask) !== 0;
  }

  /** The value of the field in an object's register, or -1 while any of its bits is unknown. */
  get(cells: Cells, object: ObjectId, cell: number): number {
    const at = cell + this.word;
    if ((cells.known(object, at) & this.mask) >>> 0 !== this.mask) return -1;
    const low = (cells.get(object, at) & this.mask) >>> this.shift;
    if (this.highMask === 0) return low;
    if ((cells.known(object, at + 1) & this.highMask) >>> 0 !== this.highMask) return -1;
    return low + this.#high(cells.get(object, at + 1));
  }

  /** A field of one bit in an object's register; undefined while unknown. */
  flag(cells: Cells, object: ObjectId, cell: number): boolean | undefined {
    const at = cell + this.word;
    return (cells.known(object, at) & this.mask) === 0 ? undefined : (cells.get(object, at) & this.mask) !== 0;
  }

  /** The field in an object's register as answers print it: a boolean for one bit, else a number; null while unknown. */
  value(cells: Cells, object: ObjectId, cell: number): number | boolean | null {
    const value = this.get(cells, object, cell);
    if (value < 0) return null;
    return this.hi === this.lo ? value !== 0 : value;
  }

  /** The value of the field in the words of a register, or null when any of its bits is unknown. */
  read({ words, known }: Bits): number | null {
    const at = this.word;
    if (((known[at] ?? 0) & this.mask) >>> 0 !== this.mask) return null;
    if (((known[at + 1] ?? 0) & this.highMask) >>> 0 !== this.highMask) return null;
    return this.of(words[at] ?? 0, words[at + 1] ?? 0);
  }

  /** A value in place in its word, other bits 0; bits of the value beyond the field are left out. */
  put(value: number): number {
    return ((value << this.shift) & this.mask) >>> 0;
  }

  /** A word with the field replaced by a value, other bits as they are. */
  insert(word: number, value: number): number {
    return ((word & ~this.mask) | ((value << this.shift) & this.mask)) >>> 0;
  }

  /** What the bits in the next word add to the value. */
  #high(next: number): number {
    return ((next & this.highMask) >>> 0) * 2 ** (32 - this.shift);
  }
}
