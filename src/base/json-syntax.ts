/** Where a text is no JSON, and what was expected there. */
export interface SyntaxFault {
  /** Index of the character at which it goes wrong; the length of the text where it ends too early. */
  readonly at: number;
  /** On one line, as `expected a comma or ], found "x"`. */
  readonly problem: string;
}

const SPACE = /[ \t\n\r\uFEFF]*/y;
const STRING = /"(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const WORD = /true|false|null/y;
const COMMENT = /\/\/[^\n\r]*|\/\*(?:[^*]|\*(?!\/))*\*\//y;
/** Characters of what was found that a message shows. */
const MOST_SHOWN = 20;

/** What may come next. */
type Wanted = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | 'more';

const WORDS: Readonly<Record<Wanted, string>> = {
  value: 'a value',
  'value or ]': 'a value or ]',
  key: 'a key in quotation marks',
  'key or }': 'a key in quotation marks or }',
  ':': 'a colon behind the key',
  more: '',
};

/** Finds the first place where a text is no JSON document (RFC 8259); undefined where it is one. */
export function syntaxFault(text: string): SyntaxFault | undefined {
  let at = 0;
  const open: ('{' | '[')[] = [];
  let wanted: Wanted = 'value';
  const takes = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.test(text) && pattern.lastIndex > at;
    if (found) at = pattern.lastIndex;
    return found;
  };
  const takesString = (): boolean => {
    const end = stringEnd(text, at);
    if (end < 0) return false;
    at = end;
    return true;
  };
  const close = (sign: string): boolean => {
    if ((sign === '}' && open.at(-1) !== '{') || (sign === ']' && open.at(-1) !== '[')) return false;
    open.pop();
    at++;
    wanted = 'more';
    return true;
  };
  for (;;) {
    takes(SPACE);
    const sign = text[at];
    if (sign === undefined) return wanted === 'more' && open.length === 0 ? undefined : fault(text, at, wanted, open);
    if (wanted === 'more') {
      if (sign === ',' && open.length > 0) {
        at++;
        wanted = open.at(-1) === '{' ? 'key' : 'value';
      } else if (!((sign === '}' || sign === ']') && close(sign))) return fault(text, at, wanted, open);
    } else if (wanted === ':') {
      if (sign !== ':') return fault(text, at, wanted, open);
      at++;
      wanted = 'value';
    } else if (wanted === 'key' || wanted === 'key or }') {
      if (wanted === 'key or }' && sign === '}') close(sign);
      else if (takesString()) wanted = ':';
      else return fault(text, at, wanted, open);
    } else if (wanted === 'value or ]' && sign === ']') close(sign);
    else if (sign === '{' || sign === '[') {
      open.push(sign);
      at++;
      wanted = sign === '{' ? 'key or }' : 'value or ]';
    } else if (takesString() || takes(NUMBER) || takes(WORD)) wanted = 'more';
    else return fault(text, at, wanted, open);
  }
}

function fault(text: string, at: number, wanted: Wanted, open: readonly ('{' | '[')[]): SyntaxFault {
  const inside = open.at(-1);
  const expected =
    wanted === 'more' ? (inside === undefined ? 'the end' : `a comma or ${inside === '{' ? '}' : ']'}`) : WORDS[wanted];
  return { at, problem: `expected ${expected}, found ${foundAt(text, at)}` };
}

/** What stands at a place, up to the next blank. */
function foundAt(text: string, at: number): string {
  const rest = /^\S+/.exec(text.slice(at, at + MOST_SHOWN))?.[0] ?? '';
  if (rest === '') return 'the end of the text';
  if (rest.startsWith('"') && stringEnd(text, at) < 0)
    return 'a text that is not ended, or has a sign that must be escaped';
  // A sign alone says it; of a word all is shown.
  return /^[^\w"'-]/.test(rest) ? rest[0]! : rest.replace(/[,}\]:].*$/, '');
}

/** The index behind a text in quotation marks; -1 where none stands there. A control character in it must be escaped. */
function stringEnd(text: string, at: number): number {
  STRING.lastIndex = at;
  if (!STRING.test(text)) return -1;
  for (let i = at; i < STRING.lastIndex; i++) if (text.charCodeAt(i) < 0x20) return -1;
  return STRING.lastIndex;
}

/** A text in which comments, up to the end of a line or between their two marks, became blanks, so that every other character keeps its place. */
export function withoutComments(text: string): string {
  let out = '';
  for (let at = 0; at < text.length; ) {
    const end = text[at] === '"' ? stringEnd(text, at) : -1;
    if (end >= 0) {
      out += text.slice(at, end);
      at = end;
      continue;
    }
    COMMENT.lastIndex = at;
    const [comment] = COMMENT.exec(text) ?? [];
    out += comment === undefined ? text[at]! : comment.replaceAll(/[^\n\r]/g, ' ');
    at += comment?.length ?? 1;
  }
  return out;
}
