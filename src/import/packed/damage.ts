/** Why a packed source cannot be unpacked further; the message goes on after "the gzip data". */
export class Damage extends Error {}

/** The data cannot be what was written; `at` is a byte offset in the packed source. */
export const damaged = (at: number, what: string): Damage => new Damage(`is damaged at byte ${at}: ${what}`);

/** The source ended too early, after so many bytes. */
export const cutOff = (at: number): Damage => new Damage(`is cut off at byte ${at}`);

/** What an Unpacking hands on: unpacked bytes, valid during the call, and what is wrong though reading goes on. */
export interface UnpackingEvents {
  readonly data: (chunk: Uint8Array) => void;
  readonly problem: (problem: Damage) => void;
}

/** Unpacks one source of a known packing, chunk by chunk. */
export interface Unpacking {
  /** Takes the next bytes; throws Damage where it cannot go on. What it unpacked before was handed on. */
  push(chunk: Uint8Array): void;
  /** The source has ended; throws Damage when something is missing. */
  end(): void;
}

/** How one piece of a packed source is read. */
export interface PieceReader {
  /** Takes as many bytes as it can use, which begin at an offset of the source; 0 when it needs more than there are. */
  take(bytes: Uint8Array, at: number): number;
  /** The source has ended at an offset, with `left` bytes before it that were not used. */
  end(at: number, left: number): void;
}

/** Hands the bytes of a source to a reader of its pieces, and keeps those that are not enough yet. */
export class Pieces implements Unpacking {
  readonly #reader: PieceReader;
  #held: Uint8Array = new Uint8Array(1 << 12);
  /** Bytes in `#held`, and the offset of the first in the source. */
  #size = 0;
  #at = 0;

  constructor(reader: PieceReader) {
    this.#reader = reader;
  }

  push(chunk: Uint8Array): void {
    let bytes = chunk;
    const size = this.#size + chunk.length;
    if (this.#size > 0) {
      if (size > this.#held.length) {
        const wider = new Uint8Array(Math.max(size, this.#held.length * 2));
        wider.set(this.#held.subarray(0, this.#size));
        this.#held = wider;
      }
      this.#held.set(chunk, this.#size);
      bytes = this.#held.subarray(0, size);
    }
    let used = 0;
    while (used < bytes.length) {
      const taken = this.#reader.take(bytes.subarray(used), this.#at);
      if (taken === 0) break;
      used += taken;
      this.#at += taken;
    }
    this.#size = bytes.length - used;
    if (this.#size > this.#held.length) this.#held = bytes.slice(used);
    else if (this.#size > 0) this.#held.set(bytes.subarray(used));
  }

  end(): void {
    this.#reader.end(this.#at + this.#size, this.#size);
  }
}
