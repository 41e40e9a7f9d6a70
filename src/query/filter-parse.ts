import { isPattern, textMatcher } from '../base/path-pattern.ts';
import { vocabulary } from '../model/vocabulary.ts';
import {
  argumentOf,
  type Filter,
  FilterError,
  filterNames,
  flagOf,
  isNumber,
  isTime,
  type Literal,
  type Range,
  type Relation,
  typesOf,
  type ValueType,
} from './filter.ts';
import { nearest } from './nearest.ts';

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
