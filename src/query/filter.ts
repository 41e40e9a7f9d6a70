import { isPattern, textMatcher } from '../base/path-pattern.ts';
import { vocabulary } from '../model/vocabulary.ts';
import { nearest } from './nearest.ts';

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
const isTime = (text: string): boolean => /^\d+(?:\.\d{1,9})?$/.test(text);
const FLAG_TEXTS: Readonly<Record<string, boolean>> = { true: true, false: false, '1': true, '0': false };

/** The flag that a text stands for. */
export function flagOf(text: string): boolean | undefined {
  return Object.hasOwn(FLAG_TEXTS, text) ? FLAG_TEXTS[text] : undefined;
}

interface Token {
  readonly type: 'word' | 'quoted' | 'sign' | 'end';
  readonly text: string;
  readonly at: number;
}

const SIGNS = ['&&', '||', '==', '!=', '<=', '>=', '<', '>', '~', '!', '(', ')', ','];
const WORD = /[^\s()&|!=<>~,"']+/y;
const RELATIONS = new Set(['==', '!=', '<', '<=', '>', '>=', '~']);
const ORDERS = new Set(['<', '<=', '>', '>=']);
const HINTS: Readonly<Record<string, string>> = { '=': '==', '&': '&&', '|': '||' };
/** Deepest nesting of parentheses and `!`. The parser is recursive and would run out of stack at a much deeper one. */
const DEEPEST = 100;

function tokens(text: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && /\s/.test(text[at]!)) at++;
    if (at >= text.length) break;
    const char = text[at]!;
    if (char === '"' || char === "'") {
      const [content, end] = quoted(text, at);
      found.push({ type: 'quoted', text: content, at });
      at = end;
      continue;
    }
    const sign = SIGNS.find((s) => text.startsWith(s, at));
    if (sign !== undefined) {
      found.push({ type: 'sign', text: sign, at });
      at += sign.length;
      continue;
    }
    WORD.lastIndex = at;
    const word = WORD.exec(text);
    if (!word) throw new FilterError(at, `expected \`${HINTS[char]}\`, found \`${char}\``);
    found.push({ type: 'word', text: word[0], at });
    at += word[0].length;
  }
  found.push({ type: 'end', text: '', at: text.length });
  return found;
}

function quoted(text: string, start: number): [content: string, end: number] {
  const mark = text[start]!;
  let content = '';
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === mark) return [content, at + 1];
    if (text[at] === '\\') at++;
    content += text[at] ?? '';
  }
  throw new FilterError(start, `the quote ${mark} that starts here is never closed`);
}

const named = (token: Token): string =>
  token.type === 'end' ? 'the end' : token.type === 'quoted' ? `"${token.text}"` : `\`${token.text}\``;

const article = (types: ReadonlySet<ValueType>): string =>
  [...types]
    .map((t) => (t === 'number' ? 'a number' : t === 'time' ? 'a time' : t === 'flag' ? 'true or false' : 'a text'))
    .filter((t, i, all) => all.indexOf(t) === i)
    .join(' or ');

class Parser {
  readonly #tokens: Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.#tokens = tokens(text);
  }

  whole(): Filter {
    const filter = this.#or();
    const rest = this.#peek();
    if (rest.type !== 'end') throw this.#wrong(rest, 'expected `&&`, `||` or the end');
    return filter;
  }

  #peek(): Token {
    return this.#tokens[this.#next]!;
  }

  #take(): Token {
    return this.#tokens[Math.min(this.#next++, this.#tokens.length - 1)]!;
  }

  #sign(text: string): boolean {
    const token = this.#peek();
    if (token.type !== 'sign' || token.text !== text) return false;
    this.#next++;
    return true;
  }

  #wrong(token: Token, expected: string): FilterError {
    return new FilterError(token.at, `${expected}, found ${named(token)}`);
  }

  #or(): Filter {
    return this.#chain('or', '||', () => this.#chain('and', '&&', () => this.#unary()));
  }

  #chain(op: 'and' | 'or', sign: string, member: () => Filter): Filter {
    const of = [member()];
    while (this.#sign(sign)) of.push(member());
    return of.length === 1 ? of[0]! : { op, of };
  }

  #unary(): Filter {
    const token = this.#peek();
    if (++this.#depth > DEEPEST) throw new FilterError(token.at, `more than ${DEEPEST} levels of \`!\` and \`(\``);
    const filter = this.#member(token);
    this.#depth--;
    return filter;
  }

  #member(token: Token): Filter {
    if (this.#sign('!')) {
      const inner = this.#peek();
      const of = this.#unary();
      if (inner.type === 'word' && of.op !== 'flag')
        throw new FilterError(token.at, '`!` in front of a comparison needs parentheses: `!(…)`');
      return { op: 'not', of };
    }
    if (this.#sign('(')) {
      const inner = this.#or();
      if (!this.#sign(')')) throw this.#wrong(this.#peek(), 'expected `)`');
      return inner;
    }
    return this.#test();
  }

  #test(): Filter {
    const token = this.#take();
    if (token.type !== 'word') throw this.#wrong(token, 'expected a name, `!` or `(`');
    const name = token.text;
    const types = typesOf(name);
    if (types.size === 0) {
      const near = nearest(argumentOf(name), filterNames());
      const hint = near.length > 0 ? `; did you mean ${near.map((n) => `\`${n}\``).join(', ')}?` : '';
      throw new FilterError(token.at, `no event has anything called \`${name}\`${hint}`);
    }
    const sign = this.#peek();
    if (sign.type === 'word' && sign.text === 'in') {
      this.#next++;
      const items = [this.#item(name, types)];
      while (this.#sign(',')) items.push(this.#item(name, types));
      return { op: 'in', name, items };
    }
    if (sign.type === 'sign' && RELATIONS.has(sign.text)) {
      this.#next++;
      const relation = sign.text as Relation;
      if (relation === '~' && !types.has('text') && !types.has('path'))
        throw new FilterError(sign.at, `\`~\` compares texts, and \`${name}\` is ${article(types)}`);
      if (ORDERS.has(relation) && !types.has('number') && !types.has('time'))
        throw new FilterError(sign.at, `\`${relation}\` compares numbers, and \`${name}\` is ${article(types)}`);
      return { op: 'compare', name, relation, value: this.#value(name, types, relation) };
    }
    if (types.has('flag')) return { op: 'flag', name };
    throw this.#wrong(sign, `expected a comparison (==, !=, <, <=, >, >=, ~, in) after \`${name}\``);
  }

  #value(name: string, types: ReadonlySet<ValueType>, relation: Relation): Literal {
    const token = this.#take();
    if (token.type !== 'word' && token.type !== 'quoted') throw this.#wrong(token, `expected ${article(types)}`);
    const value: Literal = { text: token.text, quoted: token.type === 'quoted' };
    if (relation === '~') return value;
    const words = !ORDERS.has(relation);
    const fits =
      (words && (types.has('text') || types.has('path'))) ||
      (!value.quoted && types.has('number') && isNumber(value.text)) ||
      (!value.quoted && types.has('time') && isTime(value.text)) ||
      (!value.quoted && words && types.has('flag') && flagOf(value.text) !== undefined);
    if (!fits) throw this.#wrong(token, `\`${name}\` is ${article(types)}; expected such a value`);
    if (name === 'kind' && words) this.#knownKind(token, value);
    return value;
  }

  #knownKind(token: Token, value: Literal): void {
    const test = !value.quoted && isPattern(value.text) ? textMatcher(value.text) : (t: string) => t === value.text;
    if (vocabulary.some((kind) => test(kind.name))) return;
    const near = nearest(
      value.text.replaceAll('*', ''),
      vocabulary.map((kind) => kind.name),
    );
    const hint = near.length > 0 ? `; did you mean ${near.join(', ')}?` : '';
    throw new FilterError(token.at, `there is no event kind ${value.text}${hint}`);
  }

  #item(name: string, types: ReadonlySet<ValueType>): Literal | Range {
    const token = this.#peek();
    const ends = token.type === 'word' ? token.text.split('..') : [];
    if (ends.length !== 2) return this.#value(name, types, '==');
    const fits = (text: string): boolean =>
      (types.has('number') && isNumber(text)) || (types.has('time') && isTime(text));
    if (!fits(ends[0]!) || !fits(ends[1]!))
      throw this.#wrong(token, `a range goes from number to number, and \`${name}\` is ${article(types)}`);
    this.#next++;
    return { from: ends[0]!, to: ends[1]! };
  }
}

/** Reads a filter; throws FilterError when the text is no filter. */
export function parseFilter(text: string): Filter {
  return new Parser(text).whole();
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
