/** A stretch of a text. */
export interface Stretch {
  readonly from: number;
  /** The character there is no part of it. */
  readonly to: number;
}

/** Keys and indexes that lead to a value of a document. */
export type DocumentPath = readonly (string | number)[];

const SPACE = /[\s\uFEFF]*/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const SIMPLE = /[^\s,:[\]{}"]+/y;

/** Goes through a text that JSON.parse took. */
class Reader {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get next(): string {
    this.#skip(SPACE);
    return this.#text[this.at] ?? '';
  }

  /** Takes a sign if it is the next one. */
  takes(sign: string): boolean {
    if (this.next !== sign) return false;
    this.at++;
    return true;
  }

  /** Takes a text or a key. */
  string(): Stretch {
    const from = this.#start();
    this.#skip(STRING);
    return { from, to: this.at };
  }

  /** Takes a whole value. */
  value(): Stretch {
    const from = this.#start();
    if (this.next === '"') return this.string();
    if (this.takes('{') || this.takes('[')) {
      for (let depth = 1; depth > 0 && this.next !== ''; ) {
        if (this.next === '"') this.string();
        else if (this.takes('{') || this.takes('[')) depth++;
        else if (this.takes('}') || this.takes(']')) depth--;
        else this.at++;
      }
    } else this.#skip(SIMPLE);
    return { from, to: this.at };
  }

  #start(): number {
    this.#skip(SPACE);
    return this.at;
  }

  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.at;
    if (pattern.test(this.#text)) this.at = pattern.lastIndex;
  }
}

/**
 * Where a value stands in the text of a JSON document. `key`: its key instead. Where the path leads to nothing, the nearest value above that
 * is there; of an object or a list then only the bracket that opens it.
 */
export function placeIn(text: string, path: DocumentPath, key = false): Stretch {
  const reader = new Reader(text);
  for (const [depth, part] of path.entries()) {
    const last = depth === path.length - 1;
    const above = openingOf(reader);
    if (typeof part === 'number') {
      if (!reader.takes('[')) return above;
      for (let i = 0; i < part; i++) {
        if (reader.next === ']') return above;
        reader.value();
        if (!reader.takes(',')) return above;
      }
      if (reader.next === ']') return above;
    } else {
      if (!reader.takes('{')) return above;
      for (;;) {
        if (reader.next !== '"') return above;
        const name = reader.string();
        reader.takes(':');
        if (JSON.parse(text.slice(name.from, name.to)) === part) {
          if (last && key) return name;
          break;
        }
        reader.value();
        if (!reader.takes(',')) return above;
      }
    }
  }
  return path.length === 0 ? openingOf(reader) : reader.value();
}

/** The sign that opens the value at hand, which stays to be read. */
function openingOf(reader: Reader): Stretch {
  const { next } = reader;
  return { from: reader.at, to: reader.at + (next === '' ? 0 : 1) };
}

/** Where JSON.parse found a text to be none, as far as its message tells it; the last character of the text where it stops too early. */
export function faultPlace(text: string, fault: string): Stretch {
  const told = / at position (\d+)/.exec(fault)?.[1] ?? Number.POSITIVE_INFINITY;
  const from = Math.min(Number(told), Math.max(0, text.trimEnd().length - 1));
  return { from, to: Math.min(text.length, from + 1) };
}
