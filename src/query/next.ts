import type { ObjectId } from '../base/ids.ts';
import type { Trace } from '../trace/trace.ts';
import { blockOf, stepsOf, Watched } from './watched.ts';

/** The next (1) or previous (-1) event about any of some objects, after or before a step; -1 for none. */
export function eventAbout(trace: Trace, objects: readonly ObjectId[], from: number, direction: 1 | -1): number {
  const { table } = trace;
  const wanted = new Set(objects);
  const blocks = new Watched(trace, objects);
  const last = trace.length - 1;
  const start = from + direction;
  if (start < 0 || start > last) return -1;
  if (direction > 0) {
    for (let block = blocks.nextBlock(blockOf(start)); block <= blockOf(last); block = blocks.nextBlock(block + 1)) {
      const [first, end] = stepsOf(trace, block);
      for (let step = Math.max(first, start); step <= end; step++) if (wanted.has(table.object(step))) return step;
    }
    return -1;
  }
  for (let block = blocks.previousBlock(blockOf(start)); block >= 0; block = blocks.previousBlock(block - 1)) {
    const [first, end] = stepsOf(trace, block);
    for (let step = Math.min(end, start); step >= first; step--) if (wanted.has(table.object(step))) return step;
  }
  return -1;
}
