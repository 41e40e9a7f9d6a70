/** Bytes of a trace.dat file: kept as they come, and read by numbers in the byte order of the file. */
import { textOf } from '../../base/bytes.ts';

const BLOCK_BITS = 20;
const BLOCK = 1 << BLOCK_BITS;
/** Bytes of a file that are kept at most; what stands behind is not read. */
export const LARGEST_FILE = 2 ** 31;

/** Why a part of the file cannot be read, as the rest of a sentence that begins with `the file`. */
export class Trouble extends Error {}

/** Bytes that are there and do not change. */
export interface Bytes {
  readonly size: number;
  /** They are those of the whole file. */
  readonly isFile: boolean;
  /** Bytes from `at` on, `size` of them, which must be there: in place where that is possible, else copied. */
  slice(at: number, size: number): Uint8Array;
}

/** The bytes of a file, in blocks: nothing is copied when it grows, and a page of a ring buffer lies in one block. */
export class FileBytes implements Bytes {
  readonly isFile = true;
  readonly #blocks: Uint8Array[] = [];
  #size = 0;
  #beyond = 0;

  /** How many bytes are kept. */
  get size(): number {
    return this.#size;
  }

  /** How many bytes came behind the largest size that is kept. */
  get beyond(): number {
    return this.#beyond;
  }

  /** Takes the next bytes. */
  push(chunk: Uint8Array): void {
    const size = Math.min(chunk.length, LARGEST_FILE - this.#size);
    this.#beyond += chunk.length - size;
    for (let from = 0; from < size; ) {
      const at = this.#size & (BLOCK - 1);
      if (at === 0) this.#blocks.push(new Uint8Array(BLOCK));
      const part = chunk.subarray(from, Math.min(size, from + BLOCK - at));
      this.#blocks.at(-1)!.set(part, at);
      this.#size += part.length;
      from += part.length;
    }
  }

  slice(at: number, size: number): Uint8Array {
    const first = Math.floor(at / BLOCK);
    const start = at - first * BLOCK;
    if (start + size <= BLOCK) return (this.#blocks[first] ?? NOTHING).subarray(start, start + size);
    const out = new Uint8Array(size);
    for (let done = 0; done < size; ) {
      const block = Math.floor((at + done) / BLOCK);
      const from = at + done - block * BLOCK;
      const part = this.#blocks[block]!.subarray(from, from + size - done);
      out.set(part, done);
      done += part.length;
    }
    return out;
  }
}

const NOTHING = new Uint8Array(0);

/** Bytes that lie in one piece. */
export class Piece implements Bytes {
  readonly isFile = false;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  slice(at: number, size: number): Uint8Array {
    return this.#bytes.subarray(at, at + size);
  }
}

/** Longest text that ends with a NUL. */
const LONGEST_TEXT = 1 << 16;

/** Reads numbers and texts one behind the other. What is not there throws Trouble: `what` names what was being read. */
export class Cursor {
  readonly #bytes: Bytes;
  readonly #big: boolean;
  readonly #end: number;
  readonly #place: (at: number) => string;
  at: number;

  /** `place` tells of a position where it stands in the file, as `at byte 17`. */
  constructor(bytes: Bytes, big: boolean, at = 0, end = bytes.size, place = (n: number): string => `at byte ${n}`) {
    this.#bytes = bytes;
    this.#big = big;
    this.at = at;
    this.#end = Math.min(end, bytes.size);
    this.#place = place;
  }

  /** Bytes that are left. */
  get left(): number {
    return Math.max(0, this.#end - this.at);
  }

  /** Where the cursor stands, in words. */
  get place(): string {
    return this.#place(this.at);
  }

  /** The next bytes. */
  bytes(size: number, what: string): Uint8Array {
    if (size > this.left) throw this.#short(what);
    const bytes = this.#bytes.slice(this.at, size);
    this.at += size;
    return bytes;
  }

  #short(what: string): Trouble {
    const { isFile, size } = this.#bytes;
    const whole = isFile && this.#end === size;
    return new Trouble(
      whole ? `ends at byte ${this.#end}, within ${what} ${this.place}` : `has too few bytes for ${what} ${this.place}`,
    );
  }

  /** An unsigned number of 1, 2, 4 or 8 bytes; above 2^53 it is not exact. */
  number(size: number, what: string): number {
    const bytes = this.bytes(size, what);
    let n = 0;
    for (let i = 0; i < size; i++) n = n * 256 + bytes[this.#big ? i : size - 1 - i]!;
    return n;
  }

  /** An unsigned number of 8 bytes. */
  wide(what: string): bigint {
    const bytes = this.bytes(8, what);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, !this.#big);
  }

  /** A text that ends with a NUL. */
  text(what: string): string {
    const most = Math.min(this.left, LONGEST_TEXT);
    const bytes = this.#bytes.slice(this.at, most);
    const end = bytes.indexOf(0);
    if (end < 0) {
      throw most < LONGEST_TEXT ? this.#short(what) : new Trouble(`has no end of ${what} ${this.place}`);
    }
    this.at += end + 1;
    return textOf(bytes, 0, end);
  }
}
