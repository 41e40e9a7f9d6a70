import type { DocumentPath, Stretch } from './json-place.ts';

/** Where a caret stands in the text of a JSON document. */
export interface CaretPlace {
  /** Keys and indexes that lead there; the last one is the key whose value, or which itself, is at hand. */
  readonly path: DocumentPath;
  /** The caret stands in a key, or where one is expected. */
  readonly isKey: boolean;
  /** The inside of the text in quotation marks around the caret; undefined where there is none. It ends at the line's end where it is not closed. */
  readonly text?: Stretch;
}

/** An object or a list that is open at the caret. */
interface Open {
  readonly sign: '{' | '[';
  /** Where its sign stands. */
  readonly from: number;
  /** The key at hand of an object. */
  key: string;
  /** The index at hand of a list. */
  index: number;
  /** In an object: a value is next, not a key. */
  value: boolean;
}

/**
 * Finds where a caret stands in a JSON document that a user types: the text before it decides, so that what is not finished behind it does no
 * harm. Comments must have been blanked (`withoutComments`).
 */
export function caretPlace(text: string, caret: number): CaretPlace {
  const { open, text: around } = openAt(text, caret);
  return around === undefined ? placeOf(open) : { ...placeOf(open), text: around };
}

/**
 * A document of what stands before the object or list at hand, with all that is open closed: JSON also where the text at the caret and behind
 * it is none yet.
 */
export function closedBefore(text: string, caret: number): string {
  const { open } = openAt(text, caret);
  const above = open.slice(0, -1).reverse();
  const before = text.slice(0, open.at(-1)?.from ?? 0).replace(/,\s*$/, '');
  return `${before}${above.map(({ sign }) => (sign === '{' ? '}' : ']')).join('')}`;
}

function openAt(text: string, caret: number): { readonly open: readonly Open[]; readonly text?: Stretch } {
  const open: Open[] = [];
  for (let at = 0; at < caret; ) {
    const sign = text[at]!;
    const top = open.at(-1);
    if (sign === '"') {
      const end = inside(text, at + 1);
      if (caret <= end) return { open, text: { from: at + 1, to: end } };
      const from = at + 1;
      at = text[end] === '"' ? end + 1 : end;
      // A text before a colon is a key, also where the comma before it is missing.
      if (top?.sign === '{' && (!top.value || isColonNext(text, at))) {
        top.key = keyOf(text.slice(from, end));
        top.value = false;
      }
      continue;
    }
    if (sign === '{' || sign === '[') open.push({ sign, from: at, key: '', index: 0, value: false });
    else if (sign === '}' || sign === ']') open.pop();
    else if (sign === ':' && top) top.value = true;
    else if (sign === ',' && top) {
      top.index++;
      top.value = false;
    }
    at++;
  }
  return { open };
}

function placeOf(open: readonly Open[]): CaretPlace {
  const top = open.at(-1);
  return {
    path: open.map(({ sign, key, index }) => (sign === '[' ? index : key)),
    isKey: top?.sign === '{' && !top.value,
  };
}

const COLON = /\s*:/y;

function isColonNext(text: string, at: number): boolean {
  COLON.lastIndex = at;
  return COLON.test(text);
}

/** The end of a text in quotation marks: its closing mark, or the end of the line. */
function inside(text: string, from: number): number {
  let at = from;
  for (; at < text.length && text[at] !== '"' && text[at] !== '\n' && text[at] !== '\r'; at++)
    if (text[at] === '\\') at++;
  return Math.min(at, text.length);
}

function keyOf(written: string): string {
  try {
    return String(JSON.parse(`"${written}"`));
  } catch {
    return written;
  }
}
