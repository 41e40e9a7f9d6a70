import { vocabulary } from '../model/vocabulary.ts';

/** How a name of an event is compared with a value. */
export type Relation = '==' | '!=' | '<' | '<=' | '>' | '>=' | '~';

/** A value as it was written. A quoted value is only a text: it is no number, and a `*` in it is no wildcard. */
export interface Literal {
  readonly text: string;
  readonly quoted: boolean;
}

/** Numbers or times from `from` to `to`, both included. */
export interface Range {
  readonly from: string;
  readonly to: string;
}

/** A condition on events, as a tree. `and` and `or` have at least two members. */
export type Filter =
  | { readonly op: 'and' | 'or'; readonly of: readonly Filter[] }
  | { readonly op: 'not'; readonly of: Filter }
  | { readonly op: 'flag'; readonly name: string }
  | { readonly op: 'compare'; readonly name: string; readonly relation: Relation; readonly value: Literal }
  | { readonly op: 'in'; readonly name: string; readonly items: readonly (Literal | Range)[] };

/** The kind of value that a name stands for. Arguments of several event kinds may share a name but have different kinds of value. */
export type ValueType = 'number' | 'time' | 'text' | 'path' | 'flag';

/** Thrown for a filter that cannot be read: where, what was expected there, what was found. */
export class FilterError extends Error {
  /** Position in the text, from 0. */
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** Names that every event has; an argument of the same name is written with `fields.` in front. */
export const commonNames: Readonly<Record<string, ValueType>> = {
  step: 'number',
  time: 'time',
  cpu: 'number',
  kind: 'text',
  object: 'path',
  task: 'text',
  line: 'number',
};

const FIELDS = 'fields.';
const argumentTypes = new Map<string, Set<ValueType>>();
for (const kind of vocabulary) {
  for (const arg of kind.args) {
    const types = argumentTypes.get(arg.name) ?? new Set();
    types.add(arg.type === 'flag' ? 'flag' : arg.type === 's' ? 'text' : arg.type === 'o' ? 'path' : 'number');
    argumentTypes.set(arg.name, types);
  }
}

/** Whether a name stands for something every event has, not for an argument. */
export function isCommon(name: string): boolean {
  return Object.hasOwn(commonNames, name);
}

/** The argument that a name stands for. */
export function argumentOf(name: string): string {
  return name.startsWith(FIELDS) ? name.slice(FIELDS.length) : name;
}

/** All names that a filter may use. */
export function filterNames(): string[] {
  const args = [...argumentTypes.keys()].map((name) => (isCommon(name) ? FIELDS + name : name));
  return [...Object.keys(commonNames), ...args.sort()];
}

/** What a name may stand for; empty when there is no such name. */
export function typesOf(name: string): ReadonlySet<ValueType> {
  if (isCommon(name)) return new Set([commonNames[name]!]);
  return argumentTypes.get(argumentOf(name)) ?? new Set();
}

/** Whether a text is a whole number as filters write it. */
export const isNumber = (text: string): boolean => /^(?:-?\d+|0x[0-9a-f]+)$/i.test(text);
/** Whether a text is a time in seconds. */
export const isTime = (text: string): boolean => /^-?\d+(?:\.\d{1,9})?$/.test(text);
const FLAG_TEXTS: Readonly<Record<string, boolean>> = { true: true, false: false, '1': true, '0': false };

/** The flag that a text stands for. */
export function flagOf(text: string): boolean | undefined {
  return Object.hasOwn(FLAG_TEXTS, text) ? FLAG_TEXTS[text] : undefined;
}

const literalText = ({ text, quoted: isQuoted }: Literal): string =>
  isQuoted ? `"${text.replaceAll(/["\\]/g, '\\$&')}"` : text;

/** A filter as text; reading it again gives the same filter. */
export function filterText(filter: Filter): string {
  switch (filter.op) {
    case 'flag':
      return filter.name;
    case 'compare':
      return `${filter.name} ${filter.relation} ${literalText(filter.value)}`;
    case 'in':
      return `${filter.name} in ${filter.items.map((i) => ('from' in i ? `${i.from}..${i.to}` : literalText(i))).join(', ')}`;
    case 'not':
      return filter.of.op === 'flag' || filter.of.op === 'not'
        ? `!${filterText(filter.of)}`
        : `!(${filterText(filter.of)})`;
    default:
      return filter.of
        .map((f) => (f.op === 'or' || (f.op === 'and' && filter.op === 'and') ? `(${filterText(f)})` : filterText(f)))
        .join(filter.op === 'and' ? ' && ' : ' || ');
  }
}
