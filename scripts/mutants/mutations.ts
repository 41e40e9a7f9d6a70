// What a mutant is: one small change of one place in a source file.
import { endsValue, type Token, tokens } from './tokens.ts';

/** A place of a source and the texts that can stand there instead. */
export interface Site {
  kind: Kind;
  start: number;
  end: number;
  texts: string[];
}

export type Kind = 'boundary' | 'equality' | 'logic' | 'sum' | 'bits' | 'constant' | 'mask' | 'condition' | 'statement';

const OPERATORS: Record<string, [Kind, string]> = {
  '<': ['boundary', '<='],
  '<=': ['boundary', '<'],
  '>': ['boundary', '>='],
  '>=': ['boundary', '>'],
  '===': ['equality', '!=='],
  '!==': ['equality', '==='],
  '==': ['equality', '!='],
  '!=': ['equality', '=='],
  '&&': ['logic', '||'],
  '||': ['logic', '&&'],
  '+': ['sum', '-'],
  '-': ['sum', '+'],
  '+=': ['sum', '-='],
  '-=': ['sum', '+='],
  '&': ['bits', '|'],
  '|': ['bits', '&'],
  '&=': ['bits', '|='],
  '|=': ['bits', '&='],
};
/** A statement that starts with one of these words is more than an expression. */
const KEYWORDS = new Set(
  (
    'if for while do switch return throw try const let var function class case default break continue ' +
    'export import static async get set super else new await yield delete void'
  ).split(' '),
);

/** All places of a source where a mutant can be made. */
export function sites(source: string): Site[] {
  const all = tokens(source);
  const found: Site[] = [];
  for (let i = 0; i < all.length; i++) {
    const token = all[i]!;
    const add = (site: Site | undefined): void => {
      if (site !== undefined) found.push(site);
    };
    if (token.kind === 'sign') add(operator(all, i));
    if (token.kind === 'number') add(constant(token));
    if (token.text === 'if' && all[i + 1]?.text === '(') add(condition(source, all, i + 1));
    if (token.kind === 'word') add(statement(all, i));
  }
  return found;
}

function operator(all: Token[], i: number): Site | undefined {
  const token = all[i]!;
  const rule = Object.hasOwn(OPERATORS, token.text) ? OPERATORS[token.text] : undefined;
  if (rule === undefined || !endsValue(all[i - 1])) return undefined;
  // A sum of texts has no difference that makes sense.
  const ofTexts = [all[i - 1], all[i + 1]].some((beside) => beside?.kind === 'string');
  if (rule[0] === 'sum' && ofTexts) return undefined;
  return { kind: rule[0], start: token.start, end: token.end, texts: [rule[1]] };
}

/** A decimal number becomes one more or one less; a hexadecimal one has one of its bits flipped. */
function constant(token: Token): Site | undefined {
  const { start, end } = token;
  const big = token.text.endsWith('n') ? 'n' : '';
  const digits = token.text.replaceAll('_', '').replace('n', '');
  if (/^\d+$/.test(digits)) {
    const value = BigInt(digits);
    const texts = [value + 1n, value - 1n].filter((v) => v >= 0n).map((v) => `${v}${big}`);
    return { kind: 'constant', start, end, texts };
  }
  if (!/^0x/i.test(digits)) return undefined;
  const value = BigInt(digits);
  const texts = Array.from({ length: (digits.length - 2) * 4 }, (_, bit) => value ^ (1n << BigInt(bit)));
  return { kind: 'mask', start, end, texts: texts.map((v) => `0x${v.toString(16)}${big}`) };
}

/** Index of the bracket that closes the one at `i`, or -1. */
function closing(all: Token[], i: number): number {
  let depth = 0;
  for (let j = i; j < all.length; j++) {
    const { kind, text } = all[j]!;
    if (kind !== 'sign') continue;
    if (text === '(' || text === '[' || text === '{') depth++;
    if ((text === ')' || text === ']' || text === '}') && --depth === 0) return j;
  }
  return -1;
}

function condition(source: string, all: Token[], open: number): Site | undefined {
  const close = closing(all, open);
  if (close < 0) return undefined;
  const start = all[open]!.end;
  const end = all[close]!.start;
  return { kind: 'condition', start, end, texts: [`!(${source.slice(start, end)})`] };
}

/** A call or an assignment that stands alone and holds no function and no block. */
function statement(all: Token[], i: number): Site | undefined {
  const before = all[i - 1];
  if (before === undefined || !/^[;{})]$/.test(before.text) || KEYWORDS.has(all[i]!.text)) return undefined;
  if (before.text === ')' && !followsCondition(all, i - 1)) return undefined;
  let acts = false;
  for (let j = i; j < all.length; j++) {
    const { kind, text, end } = all[j]!;
    if (kind === 'string' && text.endsWith('${')) return undefined;
    if (kind !== 'sign') continue;
    if (text === ';') return acts ? { kind: 'statement', start: all[i]!.start, end, texts: [';'] } : undefined;
    if (/^[})\]{]$|^=>$/.test(text)) return undefined;
    if (text === '(' || text === '[') {
      acts ||= text === '(';
      const close = closing(all, j);
      if (close < 0 || all.slice(j, close).some((t) => t.text === '=>' || t.text === '{')) return undefined;
      j = close;
    } else if (/^(?:[^=!<>]=|=|\+\+|--|>>>?=|<<=|&&=|\|\|=|\?\?=)$/.test(text)) acts = true;
  }
  return undefined;
}

/** Whether the bracket that closes at `i` belongs to an `if`, `for` or `while`. */
function followsCondition(all: Token[], i: number): boolean {
  let depth = 0;
  for (let j = i; j >= 0; j--) {
    const { kind, text } = all[j]!;
    if (kind !== 'sign') continue;
    if (text === ')') depth++;
    if (text === '(' && --depth === 0) return /^(?:if|for|while)$/.test(all[j - 1]?.text ?? '');
  }
  return false;
}
