// What may stand at a place of a filter that is being written.
import { FilterError, WORD } from './ast.ts';
import { isRelation } from './related-names.ts';
import { type Token, tokens } from './tokens.ts';

/** Something that is open: a parenthesis, or an `after`: before its time, behind the time, behind what events have in common. */
export type Open = 'paren' | 'after' | 'waited' | 'common';

/** What is expected at a place. `joint`: `&&`, `||`, or the end of what is open. */
export type Expected =
  | { readonly what: 'name' }
  | { readonly what: 'state' }
  /** Behind a name in `state(`. */
  | { readonly what: 'close'; readonly name: string }
  /** Behind a name. */
  | { readonly what: 'relation'; readonly name: string }
  /** `list`: in a list, so that another one may follow. */
  | { readonly what: 'value'; readonly name: string; readonly list: boolean }
  | { readonly what: 'wait' }
  | { readonly what: 'same' }
  | { readonly what: 'joint'; readonly list: boolean };

/** A place: what is expected there, what is written of it so far, and which stretch of the text a completion replaces. */
export interface WritingPlace {
  readonly expected: Expected;
  readonly part: string;
  /** The quote that the part stands in; empty for none. */
  readonly quote: string;
  readonly from: number;
  readonly to: number;
  /** What is open there, the innermost last. */
  readonly open: readonly Open[];
}

const RELATIONS = new Set(['==', '!=', '<', '<=', '>', '>=', '~']);

/** Reads what stands in front of a place, piece by piece. */
class Reader {
  expected: Expected = { what: 'name' };
  readonly open: Open[] = [];
  /** The name whose values stand in the list at hand. */
  #listed = '';
  /** `state(` or `after(` was begun: the next parenthesis belongs to it. */
  #call: 'state' | 'after' | undefined;

  take({ type, text }: Token, next: Token | undefined): void {
    const { what } = this.expected;
    if (type !== 'sign') this.#word(text, next?.type === 'sign' && next.text === '(');
    else if (text === ')') this.#close();
    else if (text === '&&' || text === '||') this.expected = { what: 'name' };
    else if (text === '(' && what === 'name') {
      this.open.push(this.#call === 'after' ? 'after' : 'paren');
      this.#call = undefined;
    } else if (text === ',') this.#comma();
    else if (this.expected.what === 'relation' && RELATIONS.has(text))
      this.expected = { what: 'value', name: this.expected.name, list: false };
  }

  #word(text: string, call: boolean): void {
    const { expected } = this;
    switch (expected.what) {
      case 'name':
        if (call && (text === 'state' || text === 'after')) this.#call = text;
        if (call && text === 'state') this.expected = { what: 'state' };
        else if (!call || text !== 'after') this.expected = { what: 'relation', name: text };
        break;
      case 'state':
        this.expected = { what: 'close', name: isRelation(text) ? `state(${text})` : text };
        break;
      case 'relation':
        if (text === 'in') this.expected = { what: 'value', name: expected.name, list: true };
        break;
      case 'value':
        this.#listed = expected.name;
        this.expected = { what: 'joint', list: expected.list };
        break;
      case 'wait':
      case 'same':
        this.open[this.open.length - 1] = expected.what === 'wait' ? 'waited' : 'common';
        this.expected = { what: 'joint', list: false };
    }
  }

  #close(): void {
    if (this.#call === 'state') {
      this.#call = undefined;
      if (this.expected.what === 'close') this.expected = { what: 'relation', name: this.expected.name };
    } else {
      this.open.pop();
      this.expected = { what: 'joint', list: false };
    }
  }

  #comma(): void {
    const { expected } = this;
    if (expected.what === 'joint' && expected.list) this.expected = { what: 'value', name: this.#listed, list: true };
    else if (this.open.at(-1) === 'after') this.expected = { what: 'wait' };
    else if (this.open.at(-1) === 'waited') this.expected = { what: 'same' };
  }
}

/** The pieces in front of a place, and the part of a text in quotes that was begun there. */
function piecesBefore(text: string): { pieces: Token[]; quoted: number } {
  try {
    return { pieces: tokens(text).slice(0, -1), quoted: -1 };
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    // An open quote, or half an operator: what stands in front of it is whole.
    const pieces = tokens(text.slice(0, error.at)).slice(0, -1);
    return { pieces, quoted: /["']/.test(text[error.at] ?? '') ? error.at : -1 };
  }
}

/** The place at a column (from 0) of a filter. */
export function placeAt(text: string, column: number): WritingPlace {
  const before = text.slice(0, column);
  const { pieces, quoted } = piecesBefore(before);
  const last = pieces.at(-1);
  const end = last?.end ?? 0;
  let [part, quote, from, to] = ['', '', column, column];
  if (quoted >= 0) {
    [part, quote, from] = [before.slice(quoted + 1), before[quoted]!, quoted];
    const close = text.indexOf(quote, column);
    if (close >= 0) to = close + 1;
  } else if (last?.type === 'word' && end === column) {
    pieces.pop();
    [part, from] = [last.text, last.at];
    WORD.lastIndex = column;
    to = column + (WORD.exec(text)?.[0].length ?? 0);
  } else if (
    before.slice(end).trim() !== '' ||
    (last?.type === 'sign' && end === column && /[=&|<>!]$/.test(last.text))
  ) {
    // An operator that is being written.
    const begun = before.slice(end).trim() === '' ? pieces.pop()!.text : before.slice(end).trim();
    [part, from] = [begun, column - begun.length];
  }
  const reader = new Reader();
  for (const [i, piece] of pieces.entries()) reader.take(piece, pieces[i + 1]);
  return { expected: reader.expected, part, quote, from, to, open: reader.open };
}
