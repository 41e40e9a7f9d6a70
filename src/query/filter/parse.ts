import { isPattern, textMatcher } from '../../base/path-pattern.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import { nearest } from '../nearest.ts';
import { type Filter, FilterError, type Literal, type Range, type Relation } from './ast.ts';
import { kindsByObject } from './names.ts';
import { article, type Operand, readOperand } from './operand.ts';
import { isRelation, relationNames } from './related-names.ts';
import { type Token, TokenReader, wrong } from './tokens.ts';
import { flagOf, hasUnit, isBackwards, isNumber, isTime, type ValueType } from './values.ts';

const RELATIONS = new Set(['==', '!=', '<', '<=', '>', '>=', '~']);
const ORDERS = new Set(['<', '<=', '>', '>=']);
/** Deepest nesting of parentheses, `!` and `after`. The parser is recursive and would run out of stack at a much deeper one. */
const DEEPEST = 100;

const isTimed = (types: ReadonlySet<ValueType>): boolean => types.has('time') || types.has('span');
const isText = (types: ReadonlySet<ValueType>): boolean => types.has('text') || types.has('path');

/** Whether a word says what two events have in common. */
const isSame = (word: string): boolean => word === 'same' || (isRelation(word) && word !== 'object');

class Parser {
  readonly #from: TokenReader;
  #depth = 0;
  /** How many `after(` are open: a time with a unit ends a list there. */
  #afters = 0;

  constructor(text: string) {
    this.#from = new TokenReader(text);
  }

  whole(): Filter {
    const filter = this.#or();
    const rest = this.#from.peek();
    if (rest.type !== 'end') throw wrong(rest, 'expected `&&`, `||` or the end');
    return filter;
  }

  #or(): Filter {
    return this.#chain('or', '||', () => this.#chain('and', '&&', () => this.#unary()));
  }

  #chain(op: 'and' | 'or', sign: string, member: () => Filter): Filter {
    const of = [member()];
    while (this.#from.sign(sign)) of.push(member());
    return of.length === 1 ? of[0]! : { op, of };
  }

  #unary(): Filter {
    const token = this.#from.peek();
    if (++this.#depth > DEEPEST) throw new FilterError(token.at, `more than ${DEEPEST} levels of \`!\` and \`(\``);
    const filter = this.#member(token);
    this.#depth--;
    return filter;
  }

  #member(token: Token): Filter {
    const from = this.#from;
    if (from.sign('!')) {
      const inner = from.peek();
      const of = this.#unary();
      if (inner.type === 'word' && of.op !== 'flag' && of.op !== 'after')
        throw new FilterError(token.at, '`!` in front of a comparison needs parentheses: `!(…)`');
      return { op: 'not', of };
    }
    if (from.sign('(')) {
      const afters = this.#afters;
      this.#afters = 0;
      const inner = this.#or();
      from.need(')');
      this.#afters = afters;
      return inner;
    }
    if (token.type === 'word' && token.text === 'after' && from.isSign('(', 1)) return this.#after();
    return this.#test();
  }

  #after(): Filter {
    const from = this.#from;
    from.take();
    from.need('(');
    this.#afters++;
    const of = this.#or();
    this.#afters--;
    from.need(',');
    const token = from.take();
    if (token.type !== 'word' || !isTime(token.text) || token.text.startsWith('-'))
      throw wrong(token, 'expected a time such as `5ms` (units: ns, us, ms, s)');
    if (!from.sign(',')) {
      if (!from.sign(')')) throw wrong(from.peek(), 'expected `)`, or `,` and `same`');
      return { op: 'after', of, within: token.text };
    }
    const same = from.take();
    if (same.type !== 'word' || !isSame(same.text)) {
      const related = Object.keys(relationNames).filter((name) => name !== 'object');
      throw wrong(
        same,
        `expected \`same\` (the same object) or what both events have in common: ${related.join(', ')}`,
      );
    }
    from.need(')');
    return { op: 'after', of, within: token.text, same: same.text };
  }

  #test(): Filter {
    const from = this.#from;
    const operand = readOperand(from);
    const { name, types } = operand;
    const sign = from.peek();
    if (sign.type === 'word' && sign.text === 'in') {
      from.take();
      return { op: 'in', name, items: this.#list(operand) };
    }
    if (sign.type === 'sign' && RELATIONS.has(sign.text)) {
      from.take();
      const relation = sign.text as Relation;
      if (relation === '~' && !isText(types))
        throw new FilterError(sign.at, `\`~\` compares texts, and \`${name}\` is ${article(types)}`);
      if (ORDERS.has(relation) && !types.has('number') && !isTimed(types))
        throw new FilterError(sign.at, `\`${relation}\` compares numbers, and \`${name}\` is ${article(types)}`);
      return { op: 'compare', name, relation, value: this.#value(operand, relation) };
    }
    if (types.has('flag')) return { op: 'flag', name };
    throw wrong(sign, `expected a comparison (==, !=, <, <=, >, >=, ~, in) after \`${name}\``);
  }

  /** A list, perhaps in parentheses. */
  #list(operand: Operand): (Literal | Range)[] {
    const from = this.#from;
    const enclosed = from.sign('(');
    const items = [this.#item(operand)];
    while (from.isSign(',') && (enclosed || !this.#endsList())) {
      from.take();
      items.push(this.#item(operand));
    }
    if (enclosed) from.need(')');
    return items;
  }

  /** Whether what stands behind the comma is the time of the `after` that the list is in: the last word, or the last but one. */
  #endsList(): boolean {
    const from = this.#from;
    const next = from.peek(1);
    if (this.#afters === 0 || next.type !== 'word' || !isTime(next.text)) return false;
    return (
      hasUnit(next.text) ||
      from.isSign(')', 2) ||
      (from.isSign(',', 2) && from.isSign(')', 4) && isSame(from.peek(3).text))
    );
  }

  #value({ name, types }: Operand, relation: Relation): Literal {
    const token = this.#from.take();
    if (token.type !== 'word' && token.type !== 'quoted') throw wrong(token, `expected ${article(types)}`);
    const value: Literal = { text: token.text, quoted: token.type === 'quoted' };
    if (relation === '~') return value;
    const words = !ORDERS.has(relation);
    const fits =
      (words && isText(types)) ||
      (!value.quoted && types.has('number') && isNumber(value.text)) ||
      (!value.quoted && isTimed(types) && isTime(value.text)) ||
      (!value.quoted && words && types.has('flag') && flagOf(value.text) !== undefined);
    if (!fits)
      throw wrong(token, `\`${name}\` is ${article(types)}; expected such a value${this.#unitHint(token, types)}`);
    return name === 'kind' && words ? this.#knownKind(token, value) : value;
  }

  #unitHint(token: Token, types: ReadonlySet<ValueType>): string {
    return token.type === 'word' && hasUnit(token.text) && !isTimed(types)
      ? ' (only `time`, `dt` and `dt.…` have a unit)'
      : '';
  }

  /** A kind as the vocabulary names it; throws when there is none. */
  #knownKind(token: Token, value: Literal): Literal {
    const test = !value.quoted && isPattern(value.text) ? textMatcher(value.text) : (t: string) => t === value.text;
    if (vocabulary.some((kind) => test(kind.name))) return value;
    const byObject = kindsByObject(value.text);
    if (byObject.length === 1) return { ...value, text: byObject[0]!.name };
    const near = nearest(
      value.text.replaceAll('*', ''),
      vocabulary.map((kind) => kind.name),
    );
    const hint = near.length > 0 ? `; did you mean ${near.join(', ')}?` : '';
    throw new FilterError(token.at, `there is no event kind ${value.text}${hint}`);
  }

  #item(operand: Operand): Literal | Range {
    const { name, types } = operand;
    const token = this.#from.peek();
    const ends = token.type === 'word' ? token.text.split('..') : [];
    if (ends.length !== 2) return this.#value(operand, '==');
    const [from, to] = ends as [string, string];
    const fits = (text: string): boolean => (types.has('number') && isNumber(text)) || (isTimed(types) && isTime(text));
    if (!fits(from) || !fits(to))
      throw wrong(token, `a range goes from number to number, and \`${name}\` is ${article(types)}`);
    if (isTimed(types) && hasUnit(from) !== hasUnit(to))
      throw wrong(token, 'both ends of a range need a unit, or none');
    if (isBackwards(from, to)) throw wrong(token, `a range goes upwards, as in ${to}..${from}`);
    this.#from.take();
    return { from, to };
  }
}

/** Reads a filter; throws FilterError when the text is no filter. */
export function parseFilter(text: string): Filter {
  return new Parser(text).whole();
}
