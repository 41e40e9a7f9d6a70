import type { Reference } from './reference.ts';
import type { Register } from './register.ts';

/**
 * How a cell reads. `reg`: a register described as data; `num`: a number; `int`: a signed number; `flag`: a boolean;
 * `count`: a number that starts at 0; `hex`: a bare value of up to 64 bits; `text`: the number of a text;
 * `object`: the number of an object, shown as its path.
 */
export type CellKind = 'reg' | 'num' | 'int' | 'flag' | 'count' | 'hex' | 'text' | 'object';

/** One key of an object: its cells, and what it means. */
export interface CellSpec {
  readonly name: string;
  readonly kind: CellKind;
  /** How many 32-bit cells it takes, lowest word first. */
  readonly words: number;
  readonly register?: Register;
  readonly meaning: string;
  /** How the value names another object, where it does. */
  readonly ref?: Reference;
  /** Kept out of answers and trees: bookkeeping that other keys are derived from. */
  readonly hidden?: boolean;
}

/** A kind of object with its keys in the order in which they are shown. */
export interface ObjectType {
  readonly name: string;
  /** What such an object is. */
  readonly meaning: string;
  readonly cells: readonly CellSpec[];
  /** First cell of each key; cell 0 is the presence of the object. */
  readonly at: Readonly<Record<string, number>>;
  /** All cells, presence included. */
  readonly size: number;
  /** Answers and trees leave such objects out: they hold what keys of others show. */
  readonly hidden: boolean;
}

type CellInput = Omit<CellSpec, 'name' | 'words' | 'kind'> & { readonly kind: CellKind; readonly words?: number };

/** Makes an object type; `at` is typed by the names of its keys. */
export function objectType<const C extends Readonly<Record<string, CellInput>>>(
  name: string,
  meaning: string,
  keys: C,
): ObjectType & { readonly at: { readonly [K in keyof C]: number } } {
  const cells: CellSpec[] = [];
  const at: Record<string, number> = {};
  let next = 1;
  for (const [key, spec] of Object.entries(keys)) {
    const words = spec.words ?? (spec.register ? Math.ceil(spec.register.width / 32) : 1);
    cells.push({ ...spec, name: key, words });
    at[key] = next;
    next += words;
  }
  const hidden = cells.length > 0 && cells.every((cell) => cell.hidden === true);
  return { name, meaning, cells, at: at as { readonly [K in keyof C]: number }, size: next, hidden };
}
