import type { ObjectId } from '../../base/ids.ts';
import { msixEntry } from '../../model/things/pci.ts';
import type { Machine } from '../machine.ts';
import { messageOf } from './msix-rules.ts';

/** Dwords of an entry that hold its message: address, upper address, data. */
const MESSAGE_WORDS = 3;

/**
 * The memory of a function that holds its MSI-X table. What software wrote is the fold; what a reset that the function makes by itself cleared, no
 * event tells: that memory reads zero until it is written again.
 */
export class TableMemory {
  readonly #of: { readonly machine: Machine };
  /** Once it was cleared: the dwords of each entry that were written since, a bit each. */
  #written: Map<ObjectId, number> | undefined;

  constructor(of: { readonly machine: Machine }) {
    this.#of = of;
  }

  /** Every message is gone; the mask bits read zero in the cleared memory too, so no entry is masked by it. */
  clear(): void {
    this.#written = new Map();
  }

  /** Software writes a part of an entry. */
  write(entry: ObjectId, offset: number, size: number): void {
    if (this.#written === undefined) return;
    let bits = this.#written.get(entry) ?? 0;
    for (let at = offset; at < offset + size; at += 4) bits |= 1 << (at >>> 2);
    this.#written.set(entry, bits);
  }

  #holds(entry: ObjectId, word: number): boolean {
    return (
      this.#written === undefined || word >= MESSAGE_WORDS || ((this.#written.get(entry) ?? 0) & (1 << word)) !== 0
    );
  }

  /** What a part of an entry reads, lowest dword first. */
  read(entry: ObjectId, offset: number, size: number): number[] {
    const { state } = this.#of.machine;
    return Array.from({ length: size / 4 }, (_, i) => {
      const word = (offset >>> 2) + i;
      return this.#holds(entry, word) ? state.get(entry, msixEntry.at.address + word) : 0;
    });
  }

  /** The message that an entry sends; undefined while it is not known. */
  message(entry: ObjectId): { readonly address: number; readonly data: number } | undefined {
    if (this.#written === undefined) return messageOf(this.#of.machine.state, entry);
    const [lo, hi, data] = this.read(entry, 0, 4 * MESSAGE_WORDS) as [number, number, number];
    return { address: lo + hi * 0x100000000, data };
  }
}
