import type { ObjectId } from '../base/ids.ts';

/** Events of a block: 4096. */
export const BLOCK_BITS = 12;
export const BLOCK = 1 << BLOCK_BITS;

const NO_BLOCKS = new Uint32Array(0);

/**
 * In which blocks of events each object occurs: as the object of an event, or because an event wrote one of its cells. A search
 * for the events of one object reads these blocks and no others. Also the earliest time of each block, by which a search
 * finds the last event at or before a time.
 */
export class ObjectBlocks {
  /** Block in which each object was noted last, plus one; 0 none. */
  #last = new Uint32Array(256);
  readonly #lists: (Uint32Array | undefined)[] = [];
  #counts = new Uint32Array(256);
  #block = 1;
  #events = 0;
  #minima = new Float64Array(16);
  #bytes = 0;

  /** Bytes that the lists take. */
  get bytes(): number {
    return this.#bytes + this.#last.byteLength + this.#counts.byteLength + this.#minima.byteLength;
  }

  /** The next event is about an object; `time` is its time, NaN unknown. */
  begin(object: ObjectId, time: number): void {
    const block = this.#events++ >>> BLOCK_BITS;
    if (block >= this.#block) this.#block = block + 1;
    if (block === this.#minima.length) {
      const wider = new Float64Array(block * 2);
      wider.set(this.#minima);
      this.#minima = wider;
    }
    if ((this.#events & (BLOCK - 1)) === 1) this.#minima[block] = Number.POSITIVE_INFINITY;
    if (time < this.#minima[block]!) this.#minima[block] = time;
    this.note(object);
  }

  /** The event at hand writes a cell of an object. */
  note(object: ObjectId): void {
    if (this.#last[object] === this.#block) return;
    this.#add(object);
  }

  /** The blocks in which an object occurs, in order. */
  of(object: ObjectId): Uint32Array {
    return this.#lists[object]?.subarray(0, this.#counts[object]!) ?? NO_BLOCKS;
  }

  /** The last block, `from` or earlier, in which some event is at or before a time; -1 for none. */
  lastAtTime(from: number, time: number): number {
    let block = from;
    while (block >= 0 && !(this.#minima[block]! <= time)) block--;
    return block;
  }

  /** Forgets all events but the first `events`. */
  truncate(events: number): void {
    this.#events = events;
    const block = events >>> BLOCK_BITS;
    this.#block = block + 1;
    for (let object = 0; object < this.#lists.length; object++) {
      const list = this.#lists[object];
      if (list === undefined) continue;
      let count = this.#counts[object]!;
      while (count > 0 && list[count - 1]! > block) count--;
      this.#counts[object] = count;
      // If an object was noted earlier in the block that is cut, it stays noted: its list may hold a block too many, but never lacks one.
      this.#last[object] = count > 0 ? list[count - 1]! + 1 : 0;
    }
  }

  #add(object: ObjectId): void {
    if (object >= this.#last.length) {
      const size = Math.max(object + 1, this.#last.length * 2);
      const last = new Uint32Array(size);
      last.set(this.#last);
      this.#last = last;
      const counts = new Uint32Array(size);
      counts.set(this.#counts);
      this.#counts = counts;
    }
    if (this.#last[object] === this.#block) return;
    this.#last[object] = this.#block;
    const count = this.#counts[object]!;
    let list = this.#lists[object];
    if (list === undefined || count === list.length) {
      const wider = new Uint32Array(count === 0 ? 2 : count * 2);
      if (list) wider.set(list);
      this.#bytes += wider.byteLength - (list?.byteLength ?? -64);
      this.#lists[object] = list = wider;
    }
    list[count] = this.#block - 1;
    this.#counts[object] = count + 1;
  }
}
