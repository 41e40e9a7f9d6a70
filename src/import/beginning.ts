/** How the record before began: most records begin like it, with the same task on the same CPU or in the same second, and what that says is read once. */
import { sameAt, viewOf } from '../base/bytes.ts';

/** Longer beginnings are not kept. */
const LONGEST = 64;
/** Shorter ones are not worth it. */
const SHORTEST = 4;

export class Beginning {
  /** Bytes that are kept; 0 when there is none. */
  length = 0;
  readonly #words = new Int32Array(LONGEST / 4);

  /** Whether bytes `start` to `end` (exclusive) begin like that. */
  isAt(buf: Uint8Array, start: number, end: number): boolean {
    const { length } = this;
    return length > 0 && start + length <= end && sameAt(viewOf(buf), start, length, this.#words, 0);
  }

  /** Keeps bytes `start` to `end` (exclusive), which lie in the buffer; nothing when they are too few or too many. */
  keep(buf: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.length = length < SHORTEST || length > LONGEST ? 0 : length;
    const view = viewOf(buf);
    for (let at = 0; at < this.length; at += 4)
      this.#words[at >> 2] = view.getInt32(start + Math.min(at, length - 4), true);
  }

  /** Nothing begins like that any more. */
  forget(): void {
    this.length = 0;
  }
}

/** Bytes by which a place for a beginning is chosen. */
const KEYED = 32;
/** Places for beginnings. */
const PLACES = 256;

/** The place, out of `PLACES`, for how a line begins that starts at `start`: lines with the same beginning have mostly the same one. 0 for short lines. */
export function placeOf(buf: Uint8Array, start: number, end: number): number {
  if (end - start < KEYED) return 0;
  const view = viewOf(buf);
  let hash = 0;
  for (let at = start; at < start + KEYED; at += 4) {
    hash = Math.imul(hash ^ view.getInt32(at, true), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash & (PLACES - 1);
}

/** One thing for each place. */
export const places = <T>(make: () => T): readonly T[] => Array.from({ length: PLACES }, make);
