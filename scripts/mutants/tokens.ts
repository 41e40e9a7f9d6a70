// The tokens of a TypeScript file that are code at run time: no comments, types, imports, strings or text of templates.
import { stripTypeScriptTypes } from 'node:module';

export interface Token {
  kind: 'word' | 'number' | 'string' | 'regex' | 'sign';
  text: string;
  /** Offset of the first character in the source file. */
  start: number;
  end: number;
}

const SIGNS = [
  ...['>>>=', '...', '===', '!==', '**=', '<<=', '>>=', '>>>', '&&=', '||=', '??='],
  ...['=>', '==', '!=', '<=', '>=', '&&', '||', '??', '?.', '++', '--', '+=', '-=', '*=', '/=', '%=', '&=', '|='],
  ...['^=', '<<', '>>', '**'],
];
const WORD = /[\p{ID_Start}$_#][\p{ID_Continue}$]*/uy;
const NUMBER = /0[xX][\da-fA-F_]+n?|0[bB][01_]+n?|0[oO][0-7_]+n?|\d[\d_]*(?:\.[\d_]+)?(?:[eE][+-]?\d+)?n?/y;
const REGEX = /\/(?:[^\\/[\n]|\\.|\[(?:[^\\\]\n]|\\.)*\])+\/[a-z]*/y;
const BLANK = /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const BEFORE_VALUE = /^(?:return|typeof|case|in|of|new|delete|void|throw|else|do|yield|await|instanceof)$/;

/** Whether a token ends a value, so that what follows is an operator and not the start of another value. */
export function endsValue(token: Token | undefined): boolean {
  if (token === undefined) return false;
  if (token.kind === 'sign') return token.text === ')' || token.text === ']';
  return token.kind !== 'word' || !BEFORE_VALUE.test(token.text);
}

/** The end of the plain text of a template from `at`: the offset of its closing backquote or of the next `${`. */
function templateText(text: string, at: number): number {
  let end = at;
  while (end < text.length && text[end] !== '`' && !(text[end] === '$' && text[end + 1] === '{'))
    end += text[end] === '\\' ? 2 : 1;
  return end;
}

function quoted(text: string, at: number): number {
  let end = at + 1;
  while (end < text.length && text[end] !== text[at]) end += text[end] === '\\' ? 2 : 1;
  return end + 1;
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** The tokens of a source; offsets are those of the source. Node replaces types by blanks of the same length. */
export function tokens(source: string): Token[] {
  const text = stripTypeScriptTypes(source);
  const found: Token[] = [];
  // For each open template, how many braces are open inside its current `${`.
  const templates: number[] = [];
  let at = 0;
  const add = (kind: Token['kind'], end: number): void => {
    found.push({ kind, text: text.slice(at, end), start: at, end });
    at = end;
  };
  const addTemplate = (): void => {
    const stop = templateText(text, at + 1);
    if (text[stop] === '$') templates.push(0);
    add('string', stop + (text[stop] === '$' ? 2 : 1));
  };
  while (at < text.length) {
    const blank = match(BLANK, text, at);
    if (blank !== undefined) {
      at += blank.length;
      continue;
    }
    const c = text[at]!;
    const top = templates.length - 1;
    if (c === '}' && templates[top] === 0) {
      templates.pop();
      addTemplate();
    } else if (c === '`') addTemplate();
    else if (c === "'" || c === '"') add('string', quoted(text, at));
    else if (/\d/.test(c)) add('number', at + match(NUMBER, text, at)!.length);
    else if (c === '/' && !endsValue(found.at(-1)) && match(REGEX, text, at) !== undefined)
      add('regex', at + match(REGEX, text, at)!.length);
    else {
      const word = match(WORD, text, at);
      if (word !== undefined) add('word', at + word.length);
      else {
        if (c === '{' && top >= 0) templates[top]!++;
        if (c === '}' && top >= 0) templates[top]!--;
        add('sign', at + (SIGNS.find((sign) => text.startsWith(sign, at))?.length ?? 1));
      }
    }
  }
  return withoutImports(found);
}

/** Leaves out `import … ;` and `export … from … ;`. */
function withoutImports(found: Token[]): Token[] {
  const kept: Token[] = [];
  for (let i = 0; i < found.length; i++) {
    const begins = i === 0 || found[i - 1]!.text === ';' || found[i - 1]!.text === '}';
    const next = found[i + 1]?.text;
    const imports = found[i]!.text === 'import' && next !== '(' && next !== '.';
    const exports = found[i]!.text === 'export' && (next === '{' || next === '*');
    if (begins && (imports || exports)) while (i < found.length && found[i]!.text !== ';') i++;
    else kept.push(found[i]!);
  }
  return kept;
}
