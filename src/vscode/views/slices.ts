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
