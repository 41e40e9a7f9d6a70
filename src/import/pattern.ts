import { bytesOf, EQUALS, LESS, MINUS, Scanner, SPACE } from '../base/bytes.ts';

/**
 * A print format of a trace event, compiled to read bytes. `{name:t}` captures: `u` decimal, `d` signed decimal, `x`
 * hexadecimal with or without 0x, `n` a number in C notation, `w` a word (up to a blank or the text that follows in the
 * pattern), `m` one word or several, as few as the rest of the pattern allows, `s` any text up to the text that follows, `r` the rest of the line (no match when a person wrote a remark behind
 * it), `a` all of the rest. `« … »` may be missing: then its captures are missing too. A `…` at the end lets more text follow.
 */
export type CaptureNames<F extends string> = F extends `${string}{${infer N}:${string}}${infer R}`
  ? N | CaptureNames<R>
  : never;

type Op =
  | { readonly do: 'text'; readonly bytes: Uint8Array }
  | { readonly do: 'u' | 'x' | 'n' | 'r' | 'a'; readonly slot: number }
  | { readonly do: 'w' | 's'; readonly slot: number; readonly until: Uint8Array | undefined }
  | { readonly do: 'm'; readonly slot: number; readonly rest: readonly Op[] }
  | { readonly do: 'maybe'; readonly ops: readonly Op[] }
  | { readonly do: 'blanks'; readonly least: 0 | 1 };

/** Captures of the last match: numbers as 32-bit halves (0 for texts), texts as byte ranges of the buffer; `got` 0 means missing. */
export interface Captures {
  readonly lo: Uint32Array;
  readonly hi: Uint32Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly got: Uint8Array;
}

const SLASH = 47;
/** Most captures of a pattern. */
const MOST = 24;
const scanner = new Scanner();

/** The captures of the last match of any pattern: read them before the next match. */
export const captures: Captures = {
  lo: new Uint32Array(MOST),
  hi: new Uint32Array(MOST),
  start: new Int32Array(MOST),
  end: new Int32Array(MOST),
  got: new Uint8Array(MOST),
};

export class Pattern<F extends string = string> {
  /** Capture number of each name. */
  readonly slot: { readonly [K in CaptureNames<F>]: number };
  /** The captures that are numbers. */
  readonly numbers: ReadonlySet<number>;
  /** The captures that are words. */
  readonly words: ReadonlySet<number>;
  readonly #ops: readonly Op[];
  readonly #open: boolean;
  readonly #count: number;

  constructor(format: F) {
    const names: string[] = [];
    this.#open = format.endsWith('…');
    this.#ops = compile(this.#open ? format.slice(0, -1) : format, names);
    this.slot = Object.fromEntries(names.map((name, i) => [name, i])) as { readonly [K in CaptureNames<F>]: number };
    this.#count = names.length;
    if (names.length > MOST) throw new Error(`a pattern has at most ${MOST} captures: ${format}`);
    const ofKind = (form: RegExp) => new Set([...format.matchAll(form)].map((m) => names.indexOf(m[1]!)));
    this.numbers = ofKind(/\{(\w+):[udxn]\}/g);
    this.words = ofKind(/\{(\w+):w\}/g);
  }

  /** Whether bytes `start` to `end` (exclusive) have this form; on success `captures` holds what was captured. */
  match(buf: Uint8Array, start: number, end: number): boolean {
    for (let i = 0; i < this.#count; i++) captures.got[i] = 0;
    scanner.on(buf, start, end);
    if (!run(this.#ops)) return false;
    if (this.#open) return true;
    while (scanner.pos < end && buf[scanner.pos] === SPACE) scanner.pos++;
    return scanner.pos === end;
  }
}

/** `inside`: the format is a part that may be missing. */
function compile(format: string, names: string[], inside = false): Op[] {
  const ops: Op[] = [];
  const token = /\{(\w+):([udxnwmsra])\}|«([^»]*)»/g;
  let at = 0;
  const text = (part: string): void => {
    // Who copies a log may lose blanks: where a format has several, or begins with one, as many as there are fit.
    for (const piece of part.split(/( {2,})/)) {
      const leading = !inside && ops.length === 0 && /^ +/.exec(piece)?.[0];
      if (leading) ops.push({ do: 'blanks', least: 0 });
      const rest = leading ? piece.slice(leading.length) : piece;
      if (/^ {2,}$/.test(rest)) ops.push({ do: 'blanks', least: 1 });
      else if (rest !== '') ops.push({ do: 'text', bytes: bytesOf(rest) });
    }
  };
  for (let m = token.exec(format); m !== null; m = token.exec(format)) {
    text(format.slice(at, m.index));
    at = m.index + m[0].length;
    if (m[3] !== undefined) {
      ops.push({ do: 'maybe', ops: compile(m[3], names, true) });
      continue;
    }
    const slot = names.push(m[1]!) - 1;
    const kind = m[2] as 'u' | 'd' | 'x' | 'n' | 'w' | 'm' | 's' | 'r' | 'a';
    if (kind === 'm') {
      ops.push({ do: kind, slot, rest: compile(format.slice(at), names, true) });
      return ops;
    }
    if (kind === 'w' || kind === 's') {
      const next = /^[^{«]+/.exec(format.slice(at))?.[0];
      ops.push({ do: kind, slot, until: next === undefined ? undefined : bytesOf(next) });
    } else {
      ops.push({ do: kind === 'd' ? 'u' : kind, slot });
    }
  }
  text(format.slice(at));
  return ops;
}

/** 1 for every byte that a remark of a person may begin with. */
const REMARK_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => ([LESS, SLASH, 0xe2].includes(byte) ? 1 : 0));

/**
 * Whether a remark of a person stands behind a text: a blank, then an arrow that points back (`<-`, `<=`, `←`) or a comment mark (`//`).
 * No program prints that.
 */
export function hasRemark(buf: Uint8Array, start: number, end: number): boolean {
  for (let at = start + 1; at < end - 1; at++) {
    const byte = buf[at]!;
    if (REMARK_BYTES[byte] === 0 || buf[at - 1] !== SPACE) continue;
    const next = buf[at + 1];
    if (byte === SLASH) {
      if (next === SLASH && buf[at + 2] === SPACE) return true;
    } else if (byte === LESS ? next === MINUS || next === EQUALS : next === 0x86 && buf[at + 2] === 0x90) return true;
  }
  return false;
}

function run(ops: readonly Op[]): boolean {
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i]!;
    switch (op.do) {
      case 'text':
        if (!scanner.literal(op.bytes)) return false;
        break;
      case 'blanks': {
        const from = scanner.pos;
        while (scanner.pos < scanner.end && scanner.buf[scanner.pos] === SPACE) scanner.pos++;
        if (scanner.pos - from < op.least) return false;
        break;
      }
      case 'u':
        if (!scanner.dec()) return false;
        keep(op.slot);
        break;
      case 'x':
        if (!scanner.hex()) return false;
        keep(op.slot);
        break;
      case 'n':
        if (!scanner.number()) return false;
        keep(op.slot);
        break;
      case 'r':
        if (hasRemark(scanner.buf, scanner.pos, scanner.end)) return false;
        keepText(op.slot, textEnd());
        scanner.pos = scanner.end;
        break;
      case 'a':
        keepText(op.slot, textEnd());
        scanner.pos = scanner.end;
        break;
      case 'w':
        keepText(op.slot, wordEnd(op.until));
        break;
      case 'm':
        return runWords(op.slot, op.rest);
      case 's': {
        const stop = op.until === undefined ? scanner.end : find(op.until);
        if (stop < 0) return false;
        keepText(op.slot, stop);
        break;
      }
      case 'maybe': {
        const back = scanner.pos;
        if (run(op.ops)) break;
        scanner.pos = back;
        forget(op.ops);
        break;
      }
    }
  }
  return true;
}

/** Takes one word, and one more as long as the rest does not fit behind them. */
function runWords(slot: number, rest: readonly Op[]): boolean {
  const { buf, end, pos } = scanner;
  for (let stop = wordEnd(undefined); stop > pos; ) {
    scanner.pos = pos;
    keepText(slot, stop);
    if (run(rest)) return true;
    while (stop < end && buf[stop] === SPACE) stop++;
    if (stop === end) return false;
    while (stop < end && buf[stop] !== SPACE) stop++;
  }
  return false;
}

/** A part that is missing has no captures, though its beginning may have matched. */
function forget(ops: readonly Op[]): void {
  for (const op of ops) if ('slot' in op) captures.got[op.slot] = 0;
}

function keep(slot: number): void {
  captures.lo[slot] = scanner.lo;
  captures.hi[slot] = scanner.hi;
  captures.got[slot] = 1;
}

function keepText(slot: number, stop: number): void {
  captures.start[slot] = scanner.pos;
  captures.end[slot] = stop;
  captures.lo[slot] = captures.hi[slot] = 0;
  captures.got[slot] = 1;
  scanner.pos = stop;
}

/** Where the rest of the line ends, without the blanks that an editor or a terminal put behind it. */
function textEnd(): number {
  let at = scanner.end;
  while (at > scanner.pos && scanner.buf[at - 1] === SPACE) at--;
  return at;
}

function wordEnd(until: Uint8Array | undefined): number {
  const { buf, end } = scanner;
  let at = scanner.pos;
  const first = until?.[0];
  while (at < end && buf[at] !== SPACE && buf[at] !== first) at++;
  return at;
}

function find(wanted: Uint8Array): number {
  const { buf, end } = scanner;
  const last = end - wanted.length;
  for (let at = scanner.pos; at <= last; at++) {
    let i = 0;
    while (i < wanted.length && buf[at + i] === wanted[i]) i++;
    if (i === wanted.length) return at;
  }
  return -1;
}
