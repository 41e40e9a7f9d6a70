import type { PciFunction } from '../device/pci-function.ts';
import type { Composed, Destination } from '../irq/domain.ts';

/** What a remap domain drives: the table of a remapping unit in memory, and the cache of the unit. */
export interface RemapTable {
  /** Every function has a table of its own. */
  readonly perDevice: boolean;
  /** Takes a free entry for a function; its index, or a negative errno. */
  take(device: PciFunction): number;
  /** Gives an entry back. */
  give(device: PciFunction, index: number): void;
  /** The message that names an entry. */
  compose(index: number): Composed;
  /** Writes an entry; undefined: not present. */
  program(device: PciFunction, index: number, target: Destination | undefined): void;
  /** Writes an entry that posts to the descriptor at an address; a negative errno when the unit cannot post. */
  post(device: PciFunction, index: number, descriptor: number, vector: number): number;
  /** Puts the invalidation of an entry into the queue and does not wait: the unit carries it out later. */
  queue(device: PciFunction, index: number): void;
  /** Invalidates what the unit has cached of an entry, and waits until the unit has done it. */
  invalidate(device: PciFunction, index: number): void;
}
