import type { Slices } from '../../base/slices.ts';
import { breathe } from '../platform.ts';

/** What to do with a work that is done in slices. */
export interface Slicing {
  /** Milliseconds of work before other work of the editor has its turn. */
  readonly ms: number;
  /** Whether it is still wanted; asked before each slice but the first. */
  readonly wanted: () => boolean;
  /** Is told how many milliseconds each slice took. */
  readonly took?: (ms: number) => void;
}

/** Makes bytes piece by piece, with room for other work in between; undefined when they are not wanted any more. */
export async function gathered(
  pieces: Iterable<Uint8Array>,
  { ms, wanted }: Slicing,
): Promise<readonly Uint8Array[] | undefined> {
  const all: Uint8Array[] = [];
  let started = performance.now();
  for (const piece of pieces) {
    all.push(piece);
    if (performance.now() - started < ms) continue;
    await breathe();
    if (!wanted()) return undefined;
    started = performance.now();
  }
  return all;
}

/** Takes a work to its end in slices, the first one at once; undefined when it is not wanted any more. */
export async function finish<T>(work: Slices<T>, { ms, wanted, took }: Slicing): Promise<T | undefined> {
  for (let started = performance.now(); ; ) {
    const next = work.next();
    const spent = performance.now() - started;
    if (!next.done && spent < ms) continue;
    took?.(spent);
    if (next.done) return next.value;
    await breathe();
    if (!wanted()) return undefined;
    started = performance.now();
  }
}
