/**
 * Types of event arguments. `u` number; `i` signed number; `x` hexadecimal, 32 bits; `xx` hexadecimal, 64 bits;
 * `xxxx` hexadecimal, 128 bits; `flag`; `s` text; `o` an object, shown as its path.
 */
export type ArgType = 'u' | 'i' | 'x' | 'xx' | 'xxxx' | 'flag' | 's' | 'o';

/** An argument type, or with '?' one that events may lack. */
export type ArgInput = ArgType | `${ArgType}?`;

/** The arguments of an event kind as they are declared: name and type. */
export type Args = Readonly<Record<string, ArgInput>>;

const WORDS: Readonly<Record<ArgType, number>> = { u: 1, i: 1, x: 1, xx: 2, xxxx: 4, flag: 1, s: 1, o: 1 };

/** One argument of an event kind. */
export interface ArgSpec {
  readonly name: string;
  readonly type: ArgType;
  /** Whether events may lack it: the source does not always tell. */
  readonly optional: boolean;
  /** First word, counted from the start of the event's run of words. */
  readonly at: number;
  /** Words: 1, 2 or 4, lowest first. */
  readonly words: number;
  /** Its bit in word 0 of kinds that have optional arguments; 0 for the others. */
  readonly bit: number;
}

/** Lays out the arguments of a kind: word 0 says which optional ones are there, if it has any; the values follow. */
export function argSpecs(args: Args): ArgSpec[] {
  const inputs = Object.entries(args);
  let next = inputs.some(([, type]) => type.endsWith('?')) ? 1 : 0;
  let nextBit = 1;
  return inputs.map(([name, input]) => {
    const type = input.replace('?', '') as ArgType;
    const optional = input.endsWith('?');
    const spec = { name, type, optional, at: next, words: WORDS[type], bit: optional ? nextBit : 0 };
    next += spec.words;
    if (optional) nextBit <<= 1;
    return spec;
  });
}

type Optional<A> = { [K in keyof A]: A[K] extends `${ArgType}?` ? K : never }[keyof A];
type Required<A> = Exclude<keyof A, Optional<A>>;
type Base<T> = T extends `${infer B extends ArgType}?` ? B : T;

/** A word of an argument that takes several, lowest first. */
export type WordOf = (word: number) => number;

type Read<T> = T extends 'xx' | 'xxxx' ? WordOf : T extends 'flag' ? boolean : number;

/**
 * The arguments of an event by name: numbers (texts and objects by their number), flags, and functions of the word for
 * arguments wider than 32 bits. An argument that the event lacks is undefined; a wide one reads 0, and `has` tells.
 */
export type Reader<A> = {
  readonly [K in keyof A]: A[K] extends `${infer B extends ArgType}?`
    ? B extends 'xx' | 'xxxx'
      ? WordOf
      : Read<B> | undefined
    : Read<A[K]>;
} & {
  /** Whether an optional argument is there. */
  readonly has: { readonly [K in Optional<A>]: boolean };
};

/** Value of an argument as one names it: texts as they are, wide values as a number up to 2^53, a bigint or words, the lowest first. */
export type ArgValue = number | bigint | boolean | string | readonly number[];

type Given<T> = T extends 'flag'
  ? boolean
  : T extends 's'
    ? string
    : T extends 'xx' | 'xxxx'
      ? number | bigint | readonly number[]
      : number;

/** The arguments of an event by name, for `Machine.emit`: those that are not optional must be there. */
export type Named<A> = { readonly [K in Required<A>]: Given<A[K]> } & {
  readonly [K in Optional<A>]?: Given<Base<A[K]>> | undefined;
};

type Words<T> = T extends 'xxxx'
  ? [w0: number, w1: number, w2: number, w3: number]
  : T extends 'xx'
    ? [lo: number, hi: number]
    : T extends 'flag'
      ? [value: boolean]
      : [value: number];

/** Where a writer keeps its kind: no argument can have this name. */
export const KIND = Symbol('kind');
declare const MISSING: unique symbol;

/** An event with its arguments, ready to be emitted; with a `Missing`, one that lacks arguments which are not optional. */
export interface Written<Missing = never> {
  readonly [KIND]: object;
  readonly [MISSING]?: Missing;
}

/**
 * Sets the arguments of an event, in any order: numbers and texts and objects by number, flags, wide values as words,
 * the lowest first. `Missing`: what must still be set before the event can be emitted.
 */
export type Writer<A, Missing extends keyof A = Required<A>> = {
  readonly [K in keyof A]: (...value: Words<Base<A[K]>>) => Writer<A, Exclude<Missing, K>>;
} & Written<Missing>;

/** A writer: `put` begins the arguments of an event; `written` is the same writer for code that fills the words itself. */
export interface MadeWriter<A extends Args> {
  readonly put: () => Writer<A>;
  readonly written: Written;
  /** Tells the writer of which kind it is. */
  readonly of: (kind: object) => void;
}

/** Makes the writer of a kind; it writes into `words`. */
export function makeWriter<A extends Args>(specs: readonly ArgSpec[], words: Uint32Array): MadeWriter<A> {
  const writer: Record<string | symbol, unknown> = {};
  for (const { name, type, at, bit, optional, words: width } of specs) {
    if (type === 'flag') {
      writer[name] = (value: boolean) => {
        if (optional) words[0]! |= bit;
        words[at] = value ? 1 : 0;
        return writer;
      };
    } else if (width === 1) {
      writer[name] = optional
        ? (value: number) => {
            words[0]! |= bit;
            words[at] = value;
            return writer;
          }
        : (value: number) => {
            words[at] = value;
            return writer;
          };
    } else if (width === 2) {
      writer[name] = (lo: number, hi: number) => {
        if (optional) words[0]! |= bit;
        words[at] = lo;
        words[at + 1] = hi;
        return writer;
      };
    } else {
      writer[name] = (w0: number, w1: number, w2: number, w3: number) => {
        if (optional) words[0]! |= bit;
        words[at] = w0;
        words[at + 1] = w1;
        words[at + 2] = w2;
        words[at + 3] = w3;
        return writer;
      };
    }
  }
  const typed = writer as unknown as Writer<A>;
  const clears = specs.some((spec) => spec.optional);
  return {
    put: clears
      ? () => {
          for (let i = 0; i < words.length; i++) words[i] = 0;
          return typed;
        }
      : () => typed,
    written: typed as unknown as Written,
    of: (kind) => {
      writer[KIND] = kind;
    },
  };
}

/** Makes the reader of a kind; `bind` points it at the words of an event. */
export function makeReader<A extends Args>(
  specs: readonly ArgSpec[],
): { readonly bind: (words: Uint32Array, at: number) => void; readonly reader: Reader<A> } {
  let words: Uint32Array = new Uint32Array(0);
  let start = 0;
  const reader = {};
  const has = {};
  const define = (on: object, name: string, get: () => unknown): void => {
    Object.defineProperty(on, name, { get, enumerable: true });
  };
  define(reader, 'has', () => has);
  for (const { name, type, at, bit, optional, words: width } of specs) {
    if (optional) define(has, name, () => (words[start]! & bit) !== 0);
    if (width > 1) {
      const read: WordOf = optional
        ? (word) => ((words[start]! & bit) === 0 ? 0 : words[start + at + word]!)
        : (word) => words[start + at + word]!;
      Object.defineProperty(reader, name, { value: read, enumerable: true });
      continue;
    }
    const value: () => number | boolean =
      type === 'flag'
        ? () => words[start + at] !== 0
        : type === 'i'
          ? () => words[start + at]! | 0
          : () => words[start + at]!;
    define(reader, name, optional ? () => ((words[start]! & bit) === 0 ? undefined : value()) : value);
  }
  return {
    bind: (from, at) => {
      words = from;
      start = at;
    },
    reader: reader as Reader<A>,
  };
}
