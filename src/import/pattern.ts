import {
  bytesAt,
  bytesOf,
  EQUALS,
  HEX_DIGITS,
  LESS,
  MINUS,
  Scanner,
  SPACE,
  sameAt,
  viewOf,
  wordsOf,
  ZERO,
} from '../base/bytes.ts';

/**
 * A print format of a trace event, compiled to read bytes. `{name:t}` captures: `u` decimal, `d` signed decimal, `x`
 * hexadecimal with or without 0x, `n` a number in C notation, `w` a word (up to a blank or the text that follows in the
 * pattern), `m` one word or several, as few as the rest of the pattern allows, `s` any text up to the text that follows, `r` the rest of the line (no match when a person wrote a remark behind
 * it), `a` all of the rest. `« … »` may be missing: then its captures are missing too. A `…` at the end lets more text follow.
 */
export type CaptureNames<F extends string> = F extends `${string}{${infer N}:${string}}${infer R}`
  ? N | CaptureNames<R>
  : never;

/** What a piece of a pattern reads. */
const TEXT = 0;
const DECIMAL = 1;
const HEX = 2;
const NUMBER = 3;
const REST = 4;
const ALL = 5;
const WORD = 6;
const STRING = 7;
const WORDS = 8;
const MAYBE = 9;
const BLANKS = 10;
type Reads =
  | typeof TEXT
  | typeof DECIMAL
  | typeof HEX
  | typeof NUMBER
  | typeof REST
  | typeof ALL
  | typeof WORD
  | typeof STRING
  | typeof WORDS
  | typeof MAYBE
  | typeof BLANKS;

const CAPTURES = { u: DECIMAL, d: DECIMAL, x: HEX, n: NUMBER, r: REST, a: ALL, w: WORD, s: STRING } as const;

const NONE: Uint8Array = new Uint8Array(0);

/** A piece of a pattern. All pieces have the same members, so that code which reads them need not ask which it has. */
class Op {
  readonly reads: Reads;
  /** The capture that it fills, or -1. */
  readonly slot: number;
  /** TEXT: what must stand there; WORD and STRING: what stands behind them, empty where that is not told. */
  readonly bytes: Uint8Array;
  /** The words of `bytes` (see `wordsOf`). */
  readonly words: Int32Array;
  /** MAYBE: what may be missing; WORDS: all that follows. */
  readonly ops: readonly Op[];
  /** BLANKS: so many at least. */
  readonly least: number;

  constructor(reads: Reads, { slot = -1, bytes = NONE, ops = [] as readonly Op[], least = 0 }) {
    this.reads = reads;
    this.slot = slot;
    this.bytes = bytes;
    this.words = Int32Array.from(wordsOf(bytes, 0, bytes.length));
    this.ops = ops;
    this.least = least;
  }
}

/** Captures of the last match: numbers as 32-bit halves (0 for texts), texts as byte ranges of the buffer; `got` 0 means missing. */
export interface Captures {
  readonly lo: Uint32Array;
  readonly hi: Uint32Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly got: Uint8Array;
}

const SLASH = 47;
const LOWER_X = 120;
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
    const { got } = captures;
    for (let i = 0; i < this.#count; i++) got[i] = 0;
    let at = run(this.#ops, viewOf(buf), buf, start, end);
    if (at < 0 || this.#open) return at >= 0;
    while (at < end && buf[at] === SPACE) at++;
    return at === end;
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
      if (leading) ops.push(new Op(BLANKS, { least: 0 }));
      const rest = leading ? piece.slice(leading.length) : piece;
      if (/^ {2,}$/.test(rest)) ops.push(new Op(BLANKS, { least: 1 }));
      else if (rest !== '') ops.push(new Op(TEXT, { bytes: bytesOf(rest) }));
    }
  };
  for (let m = token.exec(format); m !== null; m = token.exec(format)) {
    text(format.slice(at, m.index));
    at = m.index + m[0].length;
    if (m[3] !== undefined) {
      ops.push(new Op(MAYBE, { ops: compile(m[3], names, true) }));
      continue;
    }
    const slot = names.push(m[1]!) - 1;
    const kind = m[2] as keyof typeof CAPTURES | 'm';
    if (kind === 'm') {
      ops.push(new Op(WORDS, { slot, ops: compile(format.slice(at), names, true) }));
      return ops;
    }
    const behind = kind === 'w' || kind === 's' ? /^[^{«]+/.exec(format.slice(at))?.[0] : undefined;
    ops.push(new Op(CAPTURES[kind], { slot, bytes: behind === undefined ? NONE : bytesOf(behind) }));
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

/** Reads what the pieces of a pattern read from `start` on; returns where that ends, or -1 where something else stands. */
function run(ops: readonly Op[], view: DataView, buf: Uint8Array, start: number, end: number): number {
  let at = start;
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i]!;
    switch (op.reads) {
      case TEXT: {
        const { length } = op.bytes;
        if (end - at < length || !sameAt(view, at, length, op.words, 0)) return -1;
        at += length;
        break;
      }
      case BLANKS: {
        const from = at;
        while (at < end && buf[at] === SPACE) at++;
        if (at - from < op.least) return -1;
        break;
      }
      case DECIMAL:
        at = decimal(buf, at, end, op.slot);
        if (at < 0) return -1;
        break;
      case HEX:
        at = hexadecimal(buf, at, end, op.slot);
        if (at < 0) return -1;
        break;
      case NUMBER:
        at = isHex(buf, at, end) ? hexadecimal(buf, at, end, op.slot) : decimal(buf, at, end, op.slot);
        if (at < 0) return -1;
        break;
      case REST:
        if (hasRemark(buf, at, end)) return -1;
        keepText(op.slot, at, textEnd(buf, at, end));
        at = end;
        break;
      case ALL:
        keepText(op.slot, at, textEnd(buf, at, end));
        at = end;
        break;
      case WORD: {
        const stop = wordEnd(buf, at, end, op.bytes);
        keepText(op.slot, at, stop);
        at = stop;
        break;
      }
      case WORDS:
        return runWords(op, view, buf, at, end);
      case STRING: {
        const stop = op.bytes.length === 0 ? end : find(buf, at, end, op.bytes);
        if (stop < 0) return -1;
        keepText(op.slot, at, stop);
        at = stop;
        break;
      }
      case MAYBE: {
        const stop = run(op.ops, view, buf, at, end);
        if (stop >= 0) at = stop;
        else forget(op.ops);
        break;
      }
    }
  }
  return at;
}

/** Takes one word, and one more as long as the rest does not fit behind them. */
function runWords({ slot, ops }: Op, view: DataView, buf: Uint8Array, start: number, end: number): number {
  for (let stop = wordEnd(buf, start, end, NONE); stop > start; ) {
    keepText(slot, start, stop);
    const behind = run(ops, view, buf, stop, end);
    if (behind >= 0) return behind;
    while (stop < end && buf[stop] === SPACE) stop++;
    if (stop === end) return -1;
    while (stop < end && buf[stop] !== SPACE) stop++;
  }
  return -1;
}

/** A part that is missing has no captures, though its beginning may have matched. */
function forget(ops: readonly Op[]): void {
  for (const { slot } of ops) if (slot >= 0) captures.got[slot] = 0;
}

/** Digits of a decimal number that fits into 32 bits, whatever they are. */
const SAFE_DIGITS = 9;

/** A decimal number at `start`, perhaps with a minus; returns where it ends, or -1. */
function decimal(buf: Uint8Array, start: number, end: number, slot: number): number {
  const stop = Math.min(end, start + SAFE_DIGITS + 1);
  let at = start;
  let value = 0;
  for (; at < stop; at++) {
    const digit = buf[at]! - 48;
    if (digit < 0 || digit > 9) break;
    value = (Math.imul(value, 10) + digit) | 0;
  }
  if (at === start || at - start > SAFE_DIGITS) return scanner.on(buf, start, end).dec() ? keep(slot) : -1;
  captures.lo[slot] = value;
  captures.hi[slot] = 0;
  captures.got[slot] = 1;
  return at;
}

/** Whether a number begins with 0x. */
const isHex = (buf: Uint8Array, start: number, end: number): boolean =>
  start + 1 < end && buf[start] === ZERO && (buf[start + 1]! | 32) === LOWER_X;

/** A hexadecimal number at `start`, with or without 0x; returns where it ends, or -1. */
function hexadecimal(buf: Uint8Array, start: number, end: number, slot: number): number {
  const first = isHex(buf, start, end) ? start + 2 : start;
  let at = first;
  let lo = 0;
  let hi = 0;
  for (; at < end; at++) {
    const digit = HEX_DIGITS[buf[at]!]!;
    if (digit < 0) break;
    hi = (hi << 4) | (lo >>> 28);
    lo = (lo << 4) | digit;
  }
  if (at === first) return -1;
  captures.lo[slot] = lo;
  captures.hi[slot] = hi;
  captures.got[slot] = 1;
  return at;
}

/** Keeps the number that the scanner read; returns where it ends. */
function keep(slot: number): number {
  captures.lo[slot] = scanner.lo;
  captures.hi[slot] = scanner.hi;
  captures.got[slot] = 1;
  return scanner.pos;
}

function keepText(slot: number, start: number, end: number): void {
  captures.start[slot] = start;
  captures.end[slot] = end;
  captures.lo[slot] = 0;
  captures.hi[slot] = 0;
  captures.got[slot] = 1;
}

/** Where the rest of the line ends, without the blanks that an editor or a terminal put behind it. */
function textEnd(buf: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && buf[at - 1] === SPACE) at--;
  return at;
}

/** Where a word ends: at a blank, or at the first byte of what stands behind it. */
function wordEnd(buf: Uint8Array, start: number, end: number, behind: Uint8Array): number {
  const first = behind.length === 0 ? SPACE : behind[0];
  let at = start;
  while (at < end && buf[at] !== SPACE && buf[at] !== first) at++;
  return at;
}

function find(buf: Uint8Array, start: number, end: number, wanted: Uint8Array): number {
  const last = end - wanted.length;
  const first = wanted[0];
  for (let at = start; at <= last; at++) if (buf[at] === first && bytesAt(buf, at, end, wanted)) return at;
  return -1;
}
