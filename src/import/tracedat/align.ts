/**
 * Which part of a print format a capture of a rule stands for. The pattern of the rule reads the format itself, with a mark in the place of
 * each conversion: where a capture finds a mark, it would find what the kernel prints there.
 */
import { bytesOf } from '../../base/bytes.ts';
import { captures, type Pattern } from '../pattern.ts';
import type { Expression, PrintFormat } from './expression.ts';
import { type Part, partsOf } from './print.ts';

/** What a capture stands for: a number, or parts that are printed. */
export type Found = { readonly number: Expression } | { readonly parts: readonly Part[] };

/** A pattern that reads a print format, by its number, and what its captures stand for. */
export interface Alignment {
  readonly pattern: number;
  /** By the names of the captures. */
  readonly found: ReadonlyMap<string, Found>;
}

/** The first mark of a number; it looks the same in decimal and in hexadecimal. */
const MARK = 1_000_000;
/** Conversions that a format has at most: marks must stay apart. */
const MOST = 100;

/** The first of several patterns that reads what a print format prints; undefined when none does. `long`: bytes of a `long`. */
export function align(patterns: readonly Pattern[], format: PrintFormat, long: number): Alignment | undefined {
  const parts = partsOf({ ...format, text: format.text.trimEnd() }, long);
  if (parts.length > MOST) return undefined;
  const starts: number[] = [];
  let text = '';
  for (const [i, part] of parts.entries()) {
    starts.push(text.length);
    text += part.letter === '' ? part.literal : /^[diuxXo]/.test(part.letter) ? String(MARK + i) : `S${i}`;
  }
  // Marks and formats are ASCII: characters are bytes.
  const bytes = bytesOf(text);
  if (bytes.length !== text.length) return undefined;
  starts.push(text.length);
  for (const [number, pattern] of patterns.entries()) {
    if (!pattern.match(bytes, 0, bytes.length)) continue;
    const found = foundIn(pattern, parts, starts);
    if (found !== undefined) return { pattern: number, found };
  }
  return undefined;
}

function foundIn(pattern: Pattern, parts: readonly Part[], starts: readonly number[]): Map<string, Found> | undefined {
  const found = new Map<string, Found>();
  for (const [name, slot] of Object.entries<number>(pattern.slot)) {
    if (captures.got[slot] === 0) continue;
    if (pattern.numbers.has(slot)) {
      const n = captures.lo[slot]!;
      const mark = n >= MARK && n < MARK + MOST ? n - MARK : Number(n.toString(16)) - MARK;
      const argument = parts[mark]?.argument;
      if (argument === undefined) return undefined;
      found.set(name, { number: argument });
    } else {
      const within = partsWithin(parts, starts, captures.start[slot]!, captures.end[slot]!);
      if (within === undefined) return undefined;
      found.set(name, { parts: within });
    }
  }
  return found;
}

/** The parts in a range of the marked text; undefined where a conversion lies in it only half. */
function partsWithin(parts: readonly Part[], starts: readonly number[], from: number, to: number): Part[] | undefined {
  const within: Part[] = [];
  for (const [i, part] of parts.entries()) {
    const [start, end] = [Math.max(from, starts[i]!), Math.min(to, starts[i + 1]!)];
    if (start >= end) continue;
    if (part.letter === '') within.push({ ...part, literal: part.literal.slice(start - starts[i]!, end - starts[i]!) });
    else if (start === starts[i] && end === starts[i + 1]) within.push(part);
    else return undefined;
  }
  return within;
}
