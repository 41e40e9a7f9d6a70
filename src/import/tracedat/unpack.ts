/** Packed parts of a trace.dat file (lib/trace-cmd/trace-compress.c): each was packed alone, and its sizes stand in front of it. */

import type { Helpers } from '../helpers.ts';
import { Damage, Pieces } from '../packed/damage.ts';
import { Unzlib } from '../packed/zlib.ts';
import { Unzstd } from '../packed/zstd.ts';
import { type Bytes, Trouble } from './file.ts';

/** Packings that trace-cmd knows (trace-compress-zstd.c, trace-compress-zlib.c), by their names in the file. */
const READERS = { zstd: Unzstd, zlib: Unzlib };

/** Bytes that one part has at most when it is unpacked. The largest is the list of symbols: ten million bytes. */
const LARGEST_PART = 2 ** 28;
/** Bytes that are handed to the unpacker at a time. */
const STEP = 1 << 20;

const NO_ROOM = new Uint8Array(0);

/** Unpacks parts, one after the other. */
export class PartUnpacker {
  readonly #packing: keyof typeof READERS;
  readonly #quick: Helpers['unzstd'];
  /** The unpacker, if it stands at the end of a part. */
  #pieces: Pieces | undefined;
  #out: Uint8Array = new Uint8Array(0);
  #size = 0;
  #most = 0;
  #wrong = false;

  /** The unpacker of a packing by its name; undefined when it is not known. */
  static of(packing: string, helpers: Helpers): PartUnpacker | undefined {
    return packing === 'zstd' || packing === 'zlib' ? new PartUnpacker(packing, helpers) : undefined;
  }

  private constructor(packing: keyof typeof READERS, helpers: Helpers) {
    this.#packing = packing;
    this.#quick = packing === 'zstd' ? helpers.unzstd : undefined;
  }

  /**
   * What `packed` bytes from `at` on, which are there, hold: `size` bytes, which belong to the caller; in the memory of `room` where that is
   * large enough. Throws Trouble.
   */
  unpack(bytes: Bytes, at: number, packed: number, size: number, room: Uint8Array = NO_ROOM): Uint8Array {
    const where = `from byte ${at} to ${at + packed}`;
    if (size > LARGEST_PART)
      throw new Trouble(`says that ${size} bytes are packed ${where}; at most ${LARGEST_PART} are read`);
    const quick = this.#quick?.(bytes.slice(at, packed), size);
    if (quick?.length === size) return quick;
    // The size may be a lie: room is made as bytes come.
    this.#out = room.length >= size ? room : new Uint8Array(Math.min(size, Math.max(1 << 16, packed * 16)));
    this.#size = 0;
    this.#most = size;
    this.#wrong = false;
    const pieces = this.#pieces ?? this.#begin();
    this.#pieces = undefined;
    try {
      for (let done = 0; done < packed; done += STEP)
        pieces.push(bytes.slice(at + done, Math.min(STEP, packed - done)));
      pieces.end();
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      this.#wrong = true;
    }
    if (this.#wrong || this.#size !== size) throw new Trouble(`has damaged ${this.#packing} data ${where}`);
    this.#pieces = pieces;
    return this.#out.subarray(0, size);
  }

  #begin(): Pieces {
    const problem = (): void => {
      this.#wrong = true;
    };
    return new Pieces(new READERS[this.#packing]({ data: (chunk) => this.#take(chunk), problem }));
  }

  #take(chunk: Uint8Array): void {
    const size = this.#size + chunk.length;
    if (size > this.#most) throw new Damage('holds more than was told');
    if (size > this.#out.length) {
      const wider = new Uint8Array(Math.min(this.#most, Math.max(size, this.#out.length * 2)));
      wider.set(this.#out.subarray(0, this.#size));
      this.#out = wider;
    }
    this.#out.set(chunk, this.#size);
    this.#size = size;
  }
}
