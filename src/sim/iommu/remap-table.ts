import type { PciFunction } from '../device/pci-function.ts';
import type { Composed, Destination } from '../irq/domain.ts';
import type { Actions } from '../machine.ts';

/** Entries that a block of so many messages takes: a power of two, because the function replaces low bits of the data. */
export const blockSize = (count: number): number => 2 ** Math.ceil(Math.log2(count));

/** The first index of a free block; undefined when there is none. */
export function freeBlock(
  taken: ReadonlySet<number>,
  first: number,
  entries: number,
  count: number,
): number | undefined {
  const size = blockSize(count);
  for (let at = Math.ceil(first / size) * size; at + size <= entries; at += size) {
    let free = true;
    for (let i = at; free && i < at + size; i++) free = !taken.has(i);
    if (free) return at;
  }
  return undefined;
}

/** What a remap domain drives: the table of a remapping unit in memory, and the cache of the unit. */
export interface RemapTable {
  /** Every function has a table of its own. */
  readonly perDevice: boolean;
  /** Takes a free entry for a function, or a block of neighbours that starts at a multiple of its size; the first index, or a negative errno. */
  take(device: PciFunction, count?: number): number;
  /** Gives an entry, or such a block, back. */
  give(device: PciFunction, index: number, count?: number): void;
  /** The message that names an entry, or (`sub`) the entry so far behind it: a function with several messages puts that number into the data. */
  compose(index: number, sub?: number): Composed;
  /** Writes an entry; undefined: not present. */
  program(device: PciFunction, index: number, target: Destination | undefined): void;
  /** Writes an entry that posts to the descriptor at an address; a negative errno when the unit cannot post. */
  post(device: PciFunction, index: number, descriptor: number, vector: number): number;
  /** Puts the invalidation of an entry into the queue and does not wait: the unit carries it out later. */
  queue(device: PciFunction, index: number): void;
  /** Invalidates what the unit has cached of an entry, and waits until the unit has done it. */
  invalidate(device: PciFunction, index: number): void;
  /** The same where the trace tells how long that takes; absent: it does not. */
  readonly submit?: ((device: PciFunction | undefined, index: number) => Actions) | undefined;
}
