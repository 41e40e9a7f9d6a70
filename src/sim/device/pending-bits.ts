import type { ObjectId } from '../../base/ids.ts';
import { effectivelyMasked } from '../../model/masking.ts';
import { msixEntry } from '../../model/things/pci.ts';
import type { Machine } from '../machine.ts';

/** What a read of so many bytes of the pending bit array of a function shows, from a vector (a multiple of 32) on: words, the lowest first. */
export function pendingWords(machine: Machine, fn: ObjectId, first: number, size: number): number[] {
  const { state, tamper, world } = machine;
  const entries = world.node(fn)?.children.get('msix')?.children;
  const words: number[] = [];
  for (let i = 0; i < size * 8; i++) {
    const entry = entries?.get(String(first + i))?.object ?? -1;
    const pending = entry >= 0 && state.flag(entry, msixEntry.at.pending) === true;
    const set = pending
      ? !tamper?.strikes('F02', entry)
      : entry >= 0 && effectivelyMasked(state, entry) === false && tamper?.strikes('I-P2', entry) === true;
    if ((i & 31) === 0) words.push(0);
    if (set) words[i >>> 5] = (words[i >>> 5]! | (1 << (i & 31))) >>> 0;
  }
  return words;
}
