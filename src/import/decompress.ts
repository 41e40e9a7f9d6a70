import { Gunzip } from 'fflate';
import { Decompress } from 'fzstd';

/** How a source is packed; its first bytes tell it. */
export type Packing = 'none' | 'gzip' | 'zstd';

/** How many bytes are enough to tell the packing. */
export const PACKING_BYTES = 4;

/** The packing of a source, from its first bytes. */
export function packingOf(head: Uint8Array): Packing {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd) return 'zstd';
  return 'none';
}

/** Bytes of a gzip member beside its data: 10 in front, 8 behind (RFC 1952 2.3). */
const EMPTY_GZIP = 18;

/** The last four bytes, or all that there are, of some bytes and of a chunk behind them. */
function lastFour(before: Uint8Array, chunk: Uint8Array): Uint8Array {
  if (chunk.length >= 4) return chunk.slice(-4);
  const all = new Uint8Array(before.length + chunk.length);
  all.set(before);
  all.set(chunk, before.length);
  return all.slice(-4);
}

/** Four bytes as an unsigned number, the lowest byte first. */
const littleEndian = (b: Uint8Array): number => new DataView(b.buffer, b.byteOffset).getUint32(0, true);

/**
 * Unpacks a source chunk by chunk, with any known packing. Chunks, those pushed and those that `take` gets, are valid
 * only during the call. What `take` throws goes to the caller. Damage in the middle ends the source there: `problem` says so, and nothing that was
 * unpacked before is lost.
 */
export class Unpacker {
  readonly #take: (chunk: Uint8Array) => void;
  #push: ((chunk: Uint8Array, last: boolean) => void) | undefined;
  #packing: Packing | undefined;
  #head: Uint8Array = new Uint8Array(0);
  #problem: string | undefined;
  /** The error that `take` threw, which is no error of the packing. */
  #thrown: { readonly error: unknown } | undefined;
  #ended = false;
  /** Of gzip: how many bytes the current member has and gave, and the last bytes of the source, which tell the latter. */
  #packedSize = 0;
  #size = 0;
  #tail: Uint8Array = new Uint8Array(0);

  constructor(take: (chunk: Uint8Array) => void) {
    this.#take = (chunk) => {
      try {
        if (chunk.length > 0) take(chunk);
      } catch (error) {
        this.#thrown = { error };
        throw error;
      }
    };
  }

  /** The packing, once enough bytes came in. */
  get packing(): Packing {
    return this.#packing ?? 'none';
  }

  /** What is wrong with the packed data, if anything. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Takes the next bytes of the source. */
  push(chunk: Uint8Array): void {
    if (this.#push) {
      this.#feed(chunk, false);
      return;
    }
    const head = new Uint8Array(this.#head.length + chunk.length);
    head.set(this.#head);
    head.set(chunk, this.#head.length);
    this.#head = head;
    if (head.length >= PACKING_BYTES) this.#open();
  }

  /** The source has ended. */
  end(): void {
    if (!this.#push) this.#open();
    if (this.#packing !== 'none') this.#feed(new Uint8Array(0), true);
    // What unpacks gzip takes some cuts between two symbols for the end; the size behind the data tells.
    if (this.#packing === 'gzip')
      this.#ended = this.#packedSize >= EMPTY_GZIP && littleEndian(this.#tail) === this.#size >>> 0;
    if (this.#packing !== 'none' && !this.#ended && this.#problem === undefined)
      this.#problem = `the ${this.#packing} data is cut off`;
  }

  #open(): void {
    this.#packing = packingOf(this.#head);
    this.#push = this.#opener(this.#packing);
    const head = this.#head;
    this.#head = new Uint8Array(0);
    this.#feed(head, false);
  }

  #opener(packing: Packing): (chunk: Uint8Array, last: boolean) => void {
    if (packing === 'gzip') {
      const gunzip = new Gunzip((data) => {
        this.#size += data.length;
        this.#take(data);
      });
      let taken = 0;
      gunzip.onmember = (start) => {
        this.#size = 0;
        this.#packedSize = taken - start;
      };
      // It keeps what it could not use yet, so it gets a copy: the chunk is the caller's.
      return (chunk, last) => {
        this.#tail = lastFour(this.#tail, chunk);
        taken += chunk.length;
        this.#packedSize += chunk.length;
        gunzip.push(new Uint8Array(chunk), last);
      };
    }
    if (packing === 'zstd') {
      const zstd = new Decompress((data, last) => {
        this.#take(data);
        if (last) this.#ended = true;
      });
      return (chunk, last) => zstd.push(new Uint8Array(chunk), last);
    }
    return (chunk) => this.#take(chunk);
  }

  #feed(chunk: Uint8Array, last: boolean): void {
    if (this.#problem !== undefined) return;
    try {
      this.#push!(chunk, last);
    } catch (error) {
      if (this.#thrown !== undefined) throw this.#thrown.error;
      const what = error instanceof Error ? error.message : String(error);
      this.#problem = /unexpected EOF/i.test(what)
        ? `the ${this.#packing} data is cut off`
        : `the ${this.#packing} data is damaged: ${what}`;
    }
  }
}
