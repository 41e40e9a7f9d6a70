import { byName } from '../../base/by-name.ts';
import { FilterError, WORD } from './ast.ts';

/** A piece of a filter's text. */
export interface Token {
  readonly type: 'word' | 'quoted' | 'sign' | 'end';
  readonly text: string;
  /** Where it begins, from 0. */
  readonly at: number;
  /** Where it ends; the character there is no part of it. */
  readonly end: number;
}

const SIGNS = ['&&', '||', '==', '!=', '<=', '>=', '<', '>', '~', '!', '(', ')', ','];
const HINTS: Readonly<Record<string, string>> = byName({ '=': '==', '&': '&&', '|': '||' });

/** What other languages of filters write in words. */
const WORDS: Readonly<Record<string, string>> = byName({
  ...{ and: '&&', or: '||', not: '!', eq: '==', is: '==', ne: '!=', lt: '<', le: '<=', gt: '>', ge: '>=' },
  ...{ contains: '~', matches: '~', like: '~' },
});

/** The sign that another language writes as this word, as messages name it; empty for none. */
export function signMeant(word: string): string {
  const sign = WORDS[word.toLowerCase()];
  return sign === undefined ? '' : `; did you mean \`${sign}\`?`;
}

/** What may have been meant by a word that cannot stand where it stands: a sign, or a unit that was set off from its number. */
function hint(token: Token): string {
  if (token.type !== 'word') return '';
  const sign = signMeant(token.text);
  if (sign !== '') return sign;
  return /^(ns|us|µs|ms|s)$/.test(token.text) ? '; a unit follows its number without a space, as in `5ms`' : '';
}

/** The pieces of a filter, the last one being its end; throws FilterError for what is no piece. */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && /\s/.test(text[at]!)) at++;
    if (at >= text.length) break;
    const char = text[at]!;
    if (char === '"' || char === "'") {
      const [content, end] = quoted(text, at);
      found.push({ type: 'quoted', text: content, at, end });
      at = end;
      continue;
    }
    const sign = SIGNS.find((s) => text.startsWith(s, at));
    if (sign !== undefined) {
      found.push({ type: 'sign', text: sign, at, end: at + sign.length });
      at += sign.length;
      continue;
    }
    WORD.lastIndex = at;
    const word = WORD.exec(text);
    if (!word) throw new FilterError(at, `expected \`${HINTS[char]}\`, found \`${char}\``);
    found.push({ type: 'word', text: word[0], at, end: at + word[0].length });
    at += word[0].length;
  }
  found.push({ type: 'end', text: '', at: text.length, end: text.length });
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

/** A piece as messages name it. */
export const named = (token: Token): string =>
  token.type === 'end' ? 'the end' : token.type === 'quoted' ? `"${token.text}"` : `\`${token.text}\``;

/** The pieces of a filter, one after the other. */
export class TokenReader {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string) {
    this.#tokens = tokens(text);
  }

  /** The piece `ahead` of the next one. */
  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)]!;
  }

  take(): Token {
    return this.#tokens[Math.min(this.#next++, this.#tokens.length - 1)]!;
  }

  /** Takes a sign if it is the next piece. */
  sign(text: string): boolean {
    const token = this.peek();
    if (token.type !== 'sign' || token.text !== text) return false;
    this.#next++;
    return true;
  }

  /** Whether the piece `ahead` of the next one is a sign. */
  isSign(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.type === 'sign' && token.text === text;
  }

  /** Takes a sign that has to stand here. */
  need(text: string): void {
    if (!this.sign(text)) throw wrong(this.peek(), `expected \`${text}\``);
  }
}

/** An error at a piece: what was expected there. */
export const wrong = (token: Token, expected: string): FilterError =>
  new FilterError(token.at, `${expected}, found ${named(token)}${hint(token)}`);
