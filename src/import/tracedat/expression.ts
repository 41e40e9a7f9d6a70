import { byName } from '../../base/by-name.ts';

/** The C expressions in the print format of an event, which say how its fields become what the kernel prints. */

/** One expression. Names and calls that are not known are kept: a value that depends on them is not known either. */
export type Expression =
  | { readonly is: 'number'; readonly value: bigint }
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'field'; readonly name: string }
  | { readonly is: 'name'; readonly name: string }
  | { readonly is: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly is: 'list'; readonly items: readonly Expression[] }
  | { readonly is: 'cast'; readonly type: string; readonly of: Expression }
  | { readonly is: 'unary'; readonly op: string; readonly of: Expression }
  | { readonly is: 'binary'; readonly op: string; readonly left: Expression; readonly right: Expression }
  | { readonly is: 'choice'; readonly of: Expression; readonly yes: Expression; readonly no: Expression }
  | { readonly is: 'element'; readonly of: Expression; readonly index: Expression };

/** A print format: the text with conversions, and its arguments. */
export interface PrintFormat {
  readonly text: string;
  readonly args: readonly Expression[];
}

/** Parentheses within each other that are followed; the formats of the kernel have a dozen. */
const DEEPEST = 100;
/** Names in a list of the kernel, characters and arguments of a print format, at most. */
const MOST_ITEMS = 4096;
const LONGEST_TEXT = 4096;
const MOST_ARGUMENTS = 256;
const TOKEN =
  /\s*(?:("[^"\\]*(?:\\.[^"\\]*)*"|'(?:[^'\\]|\\.){1,8}')|(0[xX][\da-fA-F]+|\d+)[uUlL]*|([A-Za-z_]\w*)|(->|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>?:,(){}[\].=;]))/y;
const NAME = /^[A-Za-z_]/;

/** Binary operators by how strongly they bind. */
const LEVELS: Readonly<Record<string, number>> = byName({
  '||': 1,
  '&&': 2,
  '|': 3,
  '^': 4,
  '&': 5,
  '==': 6,
  '!=': 6,
  '<': 7,
  '>': 7,
  '<=': 7,
  '>=': 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '%': 10,
});

const ESCAPES: Readonly<Record<string, string>> = byName({ n: '\n', t: '\t', r: '\r', '0': '\0', a: '\x07' });

/** The text that a C literal stands for, its quotes included in `literal`. */
export const unescaped = (literal: string): string =>
  literal.slice(1, -1).replace(/\\(x[\da-fA-F]{1,2}|[0-7]{1,3}|.)/gs, (_, code: string) => {
    if (/^x./.test(code)) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 0xff);
    return ESCAPES[code] ?? code;
  });

/** The print format in a description of an event; undefined when it is not understood. */
export function parsePrint(source: string): PrintFormat | undefined {
  const tokens = tokensOf(source);
  if (tokens === undefined) return undefined;
  try {
    const parser = new Parser(tokens);
    return parser.format();
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error;
    return undefined;
  }
}

class NotUnderstood extends Error {}

function tokensOf(source: string): string[] | undefined {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const from = TOKEN.lastIndex;
    const m = TOKEN.exec(source);
    if (m === null) return source.slice(from).trim() === '' ? tokens : undefined;
    tokens.push((m[1] ?? m[2] ?? m[3] ?? m[4])!);
  }
  return tokens;
}

class Parser {
  readonly #tokens: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  format(): PrintFormat {
    const text = this.#literal();
    const args: Expression[] = [];
    while (this.#take(',')) args.push(this.#expression());
    if (text.length > LONGEST_TEXT || args.length > MOST_ARGUMENTS) throw new NotUnderstood();
    if (this.#at < this.#tokens.length) throw new NotUnderstood();
    return { text, args };
  }

  get #next(): string | undefined {
    return this.#tokens[this.#at];
  }

  #take(token: string): boolean {
    if (this.#next !== token) return false;
    this.#at++;
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw new NotUnderstood();
  }

  /** Literals one behind the other are one text. */
  #literal(): string {
    if (this.#next?.[0] !== '"') throw new NotUnderstood();
    let text = '';
    while (this.#next?.[0] === '"') text += unescaped(this.#tokens[this.#at++]!);
    return text;
  }

  #expression(): Expression {
    if (++this.#depth > DEEPEST) throw new NotUnderstood();
    const of = this.#binary(1);
    let result = of;
    if (this.#take('?')) {
      const yes = this.#expression();
      this.#expect(':');
      result = { is: 'choice', of, yes, no: this.#expression() };
    }
    this.#depth--;
    return result;
  }

  #binary(least: number): Expression {
    let left = this.#unary();
    for (;;) {
      const op = this.#next ?? '';
      const level = LEVELS[op];
      if (level === undefined || level < least) return left;
      this.#at++;
      left = { is: 'binary', op, left, right: this.#binary(level + 1) };
    }
  }

  #unary(): Expression {
    if (++this.#depth > DEEPEST) throw new NotUnderstood();
    try {
      const op = this.#next;
      if (op === '-' || op === '!' || op === '~' || op === '+' || op === '&' || op === '*') {
        this.#at++;
        return { is: 'unary', op, of: this.#unary() };
      }
      const type = this.#cast();
      return type === undefined ? this.#postfix() : { is: 'cast', type, of: this.#unary() };
    } finally {
      this.#depth--;
    }
  }

  /** `(type)` in front of an operand. */
  #cast(): string | undefined {
    if (this.#next !== '(') return undefined;
    let at = this.#at + 1;
    while (NAME.test(this.#tokens[at] ?? '') || (this.#tokens[at] === '*' && at > this.#at + 1)) at++;
    const behind = this.#tokens[at + 1] ?? '';
    const words = this.#tokens.slice(this.#at + 1, at);
    if (words.length === 0 || words[0] === 'REC' || this.#tokens[at] !== ')' || !/^[\w"'(~!]/.test(behind))
      return undefined;
    this.#at = at + 1;
    return words.join(' ');
  }

  #postfix(): Expression {
    let left = this.#primary();
    for (;;) {
      if (this.#take('->') || this.#take('.')) {
        const name = this.#tokens[this.#at++] ?? '';
        if (!NAME.test(name)) throw new NotUnderstood();
        left = left.is === 'name' && left.name === 'REC' ? { is: 'field', name } : { is: 'name', name: `?${name}` };
      } else if (this.#take('[')) {
        left = { is: 'element', of: left, index: this.#expression() };
        this.#expect(']');
      } else if (this.#take('(')) {
        left = { is: 'call', name: left.is === 'name' ? left.name : '?', args: this.#list(')') };
      } else return left;
    }
  }

  #list(end: string): Expression[] {
    const items: Expression[] = [];
    if (this.#take(end)) return items;
    do {
      // A list may end with a comma.
      if (this.#next === end) break;
      items.push(this.#expression());
      if (items.length > MOST_ITEMS) throw new NotUnderstood();
    } while (this.#take(','));
    this.#expect(end);
    return items;
  }

  #primary(): Expression {
    const token = this.#next;
    if (token === undefined) throw new NotUnderstood();
    if (token[0] === '"') return { is: 'text', text: this.#literal() };
    this.#at++;
    if (token[0] === "'") return { is: 'number', value: BigInt(unescaped(token).charCodeAt(0) || 0) };
    if (/^\d/.test(token)) return { is: 'number', value: numberOf(token) };
    if (NAME.test(token)) return { is: 'name', name: token };
    if (token === '{') return { is: 'list', items: this.#list('}') };
    if (token !== '(') throw new NotUnderstood();
    const inner = this.#expression();
    this.#expect(')');
    return inner;
  }
}

/** A number as C writes it: 0x hexadecimal, 0 octal. */
const numberOf = (token: string): bigint =>
  BigInt(/^0[0-7]+$/.test(token) ? `0o${token.slice(1)}` : /^0\d/.test(token) ? '0' : token);

/** The names of the fields that an expression depends on. */
export function fieldsIn(expression: Expression, into = new Set<string>()): Set<string> {
  switch (expression.is) {
    case 'field':
      into.add(expression.name);
      break;
    case 'call': {
      const [first, ...rest] = expression.args;
      // `__get_str(name)` names a field without REC.
      if (first?.is === 'name' && expression.name.startsWith('__get_')) into.add(first.name);
      else if (first !== undefined) fieldsIn(first, into);
      for (const arg of rest) fieldsIn(arg, into);
      break;
    }
    case 'list':
      for (const item of expression.items) fieldsIn(item, into);
      break;
    case 'cast':
    case 'unary':
      fieldsIn(expression.of, into);
      break;
    case 'binary':
      fieldsIn(expression.left, into);
      fieldsIn(expression.right, into);
      break;
    case 'choice':
      for (const part of [expression.of, expression.yes, expression.no]) fieldsIn(part, into);
      break;
    case 'element':
      fieldsIn(expression.of, into);
      fieldsIn(expression.index, into);
      break;
    case 'number':
    case 'text':
    case 'name':
      break;
  }
  return into;
}
