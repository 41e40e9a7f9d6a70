import { parseWords } from '../base/hex.ts';
import type { EventKind } from '../model/event.ts';
import type { ArgSpec } from '../model/event-args.ts';
import type { Namespace } from '../model/namespace.ts';
import { typeOfPath } from '../model/paths.ts';

/** An event written out: its kind by name, its object by path, its arguments by name. */
export interface PlainEvent {
  readonly kind: string;
  readonly object: string;
  readonly fields: Readonly<Record<string, number | string | boolean | null | undefined>>;
}

/** What is wrong with a plain event: the wrong argument and what was expected. */
export interface PlainProblem {
  readonly problem: string;
}

/** What gives objects and texts their numbers: a world, or one system of it. */
export type Names = Pick<Namespace, 'objectAt' | 'object' | 'strings'>;

/** Longest path that is read. The tree of the state is as deep as its paths have segments, so they need a limit. */
export const LONGEST_PATH = 1024;

/** The object at a path, of the type that the path has. */
export function objectOf(world: Names, path: string): number {
  const known = world.objectAt(path);
  return known >= 0 ? known : world.object(typeOfPath(path), path);
}

/**
 * Writes the arguments of a plain event into the words of its kind, whose `written` can then be emitted. Returns what is
 * wrong, if anything; arguments that the kind does not have are wrong too.
 */
export function packArguments(world: Names, kind: EventKind, fields: PlainEvent['fields']): PlainProblem | undefined {
  const { words } = kind;
  words.fill(0);
  for (const name of Object.keys(fields)) {
    if (fields[name] !== undefined && !kind.args.some((a) => a.name === name))
      return { problem: `${kind.name} has no argument ${name}` };
  }
  for (const arg of kind.args) {
    const value = fields[arg.name];
    if (value === undefined || value === null) {
      if (!arg.optional) return { problem: `${kind.name} needs ${arg.name}` };
      continue;
    }
    if (arg.optional) words[0]! |= arg.bit;
    if (!packOne(world, arg, value, words))
      return { problem: `${kind.name}: ${arg.name}=${clipped(String(value))} is no ${EXPECTED[arg.type]}` };
  }
  return undefined;
}

/** A value as messages show it: they stand in a list, and a hostile value may be long. */
const clipped = (value: string): string => (value.length > 40 ? `${value.slice(0, 40)}…` : value);

const EXPECTED: Readonly<Record<ArgSpec['type'], string>> = {
  u: 'number from 0 to 4294967295',
  i: 'number from -2147483648 to 2147483647',
  x: '32-bit hexadecimal number',
  xx: '64-bit hexadecimal number',
  xxxx: '128-bit hexadecimal number',
  flag: 'flag (true or false)',
  s: 'text',
  o: `object path of at most ${LONGEST_PATH} characters`,
};

function packOne(world: Names, arg: ArgSpec, value: number | string | boolean, words: Uint32Array): boolean {
  const { at } = arg;
  switch (arg.type) {
    case 'flag':
      if (typeof value !== 'boolean' && value !== 'true' && value !== 'false') return false;
      words[at] = value === true || value === 'true' ? 1 : 0;
      return true;
    case 's':
      words[at] = world.strings.intern(String(value));
      return true;
    case 'o':
      if (String(value).length > LONGEST_PATH) return false;
      words[at] = objectOf(world, String(value));
      return true;
    case 'i': {
      const n = Number(value);
      if (!Number.isInteger(n) || n < -0x80000000 || n > 0x7fffffff) return false;
      words[at] = n >>> 0;
      return true;
    }
    case 'u':
    case 'x':
    case 'xx':
    case 'xxxx': {
      const parts = typeof value === 'boolean' ? undefined : parseWords(String(value), arg.words);
      if (parts === undefined) return false;
      for (const [i, part] of parts.entries()) words[at + i] = part;
      return true;
    }
  }
}
