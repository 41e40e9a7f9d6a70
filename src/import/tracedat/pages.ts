/** The pages of one CPU, as they lie in the file or in packed chunks. */
import type { CpuData } from './contents.ts';
import { type Bytes, Cursor, Trouble } from './file.ts';
import type { Pages } from './ring.ts';
import type { PartUnpacker } from './unpack.ts';

/** Bytes of one chunk at most, unpacked, or ten pages: that is what trace-cmd writes (PAGES_IN_CHUNK of lib/trace-cmd/trace-output.c). */
const LARGEST_CHUNK = 1 << 23;
const CHUNK_PAGES = 10;

/**
 * What may still be read, so that a damaged file cannot make its reader work for ever: no byte of the file twice, and no more than packers get
 * out of records.
 */
export class Allowance {
  #file: number;
  #unpacked: number;

  constructor(size: number) {
    this.#file = size;
    this.#unpacked = Math.max(1 << 28, size * 512);
  }

  /** Whether so many bytes may still come out of chunks. */
  has(size: number): boolean {
    return size <= this.#unpacked;
  }

  /** Takes bytes of the file; false when there are not as many. */
  file(size: number): boolean {
    this.#file -= size;
    return this.#file >= 0;
  }

  /** Takes bytes that come out of a chunk; false when there are not as many. */
  unpacked(size: number): boolean {
    this.#unpacked -= size;
    return this.#unpacked >= 0;
  }
}

/** One that forbids nothing. */
export const allAllowed = (): Allowance => new Allowance(Number.POSITIVE_INFINITY);

/** Pages that lie in the file as they are. */
export class PlainPages implements Pages {
  readonly #bytes: Bytes;
  readonly #size: number;
  readonly #wrong: (what: string) => void;
  readonly #to: number;
  readonly #end: number;
  #at: number;
  readonly skipped = false;

  /** `wrong` takes what is wrong, as the rest of a sentence that begins with `the file`. */
  constructor(
    bytes: Bytes,
    { cpu, at, size }: CpuData,
    pageSize: number,
    allowance: Allowance,
    wrong: (what: string) => void,
  ) {
    this.#bytes = bytes;
    this.#size = pageSize;
    this.#wrong = wrong;
    this.#at = at;
    this.#to = at + size;
    this.#end = Math.min(this.#to, bytes.size);
    if (size > 0 && at >= bytes.size) wrong(`ends at byte ${bytes.size}, before the data of CPU ${cpu} at byte ${at}`);
    else if (!allowance.file(this.#end - at)) {
      wrong(`names the same bytes for several CPUs: those of CPU ${cpu} at byte ${at} are not read`);
      this.#end = this.#to = at;
    }
  }

  next(into: Uint8Array): number {
    const at = this.#at;
    const size = Math.min(this.#size, this.#end - at);
    if (size < this.#size) {
      if (this.#end < this.#to && at <= this.#end)
        this.#wrong(`ends at byte ${this.#end}, within a page of records at byte ${at}`);
      this.#at = Number.POSITIVE_INFINITY;
      return -1;
    }
    into.set(this.#bytes.slice(at, size));
    this.#at = at + size;
    return at;
  }
}

/** Pages in packed chunks: how many there are, then each with its size packed and unpacked. */
export class PackedPages implements Pages {
  readonly #unpacker: PartUnpacker;
  readonly #bytes: Bytes;
  readonly #cursor: Cursor;
  readonly #size: number;
  readonly #allowance: Allowance;
  readonly #wrong: (what: string) => void;
  /** Bytes of all chunks, unpacked, as the file tells. */
  readonly unpacked: number;
  /** Where the first page would lie if nothing were packed, and the next one. */
  readonly first: number;
  #offset: number;
  #chunks: number;
  #chunk: Uint8Array = new Uint8Array(0);
  /** The memory of a chunk, used again for the next one. */
  #room: Uint8Array = new Uint8Array(0);
  #at = 0;
  skipped = false;

  /** `offset`: where the first page would lie in a file in which the pages of all CPUs follow each other unpacked. */
  constructor(
    unpacker: PartUnpacker,
    bytes: Bytes,
    { cpu, at, size }: CpuData,
    how: { readonly pageSize: number; readonly big: boolean; readonly offset: number },
    allowance: Allowance,
    wrong: (what: string) => void,
  ) {
    this.#unpacker = unpacker;
    this.#bytes = bytes;
    this.#size = how.pageSize;
    this.first = this.#offset = how.offset;
    this.#allowance = allowance;
    this.#wrong = wrong;
    this.#cursor = new Cursor(bytes, how.big, at, at + size);
    const there = Math.max(0, Math.min(size, bytes.size - at));
    if (size > 0 && there === 0) wrong(`ends at byte ${bytes.size}, before the data of CPU ${cpu} at byte ${at}`);
    const isOwn = allowance.file(there);
    if (!isOwn) wrong(`names the same bytes for several CPUs: those of CPU ${cpu} at byte ${at} are not read`);
    this.#chunks = there === 0 || !isOwn ? 0 : (this.#guard(() => this.#cursor.number(4, 'the data of a CPU')) ?? 0);
    this.unpacked = this.#sum();
  }

  /** Adds up what the file tells of the chunks. */
  #sum(): number {
    const c = this.#cursor;
    const { at } = c;
    let sum = 0;
    for (let i = 0; i < this.#chunks && c.left >= 8; i++) {
      const packed = c.number(4, 'a chunk');
      sum += c.number(4, 'a chunk');
      c.at += packed;
    }
    c.at = at;
    return sum;
  }

  next(into: Uint8Array): number {
    this.skipped = false;
    while (this.#at + this.#size > this.#chunk.length) if (!this.#nextChunk()) return -1;
    into.set(this.#chunk.subarray(this.#at, this.#at + this.#size));
    this.#at += this.#size;
    const offset = this.#offset;
    this.#offset += this.#size;
    return offset;
  }

  #guard<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      this.#wrong(error.message);
      return undefined;
    }
  }

  /** Unpacks the next chunk. One that is damaged is left out: the ones behind it can be read. */
  #nextChunk(): boolean {
    const c = this.#cursor;
    this.#at = 0;
    this.#chunk = new Uint8Array(0);
    if (this.#chunks === 0) return false;
    this.#chunks--;
    let size = 0;
    let isCut = true;
    const chunk = this.#guard(() => {
      const packed = c.number(4, 'a chunk of packed records');
      size = c.number(4, 'a chunk of packed records');
      const { at } = c;
      if (packed > c.left) c.bytes(packed, 'a chunk of packed records');
      c.at += packed;
      isCut = false;
      if (size > Math.max(LARGEST_CHUNK, CHUNK_PAGES * this.#size) || !this.#allowance.unpacked(size))
        throw new Trouble(`says at byte ${at} that ${size} bytes of records are packed there, which is too much`);
      return this.#unpacker.unpack(this.#bytes, at, packed, size, this.#room);
    });
    if (chunk !== undefined) {
      this.#chunk = chunk;
      if (chunk.length > this.#room.length) this.#room = chunk;
    } else {
      this.skipped = true;
      this.#offset += size;
      // Where one chunk ends early, there are no others.
      if (isCut) this.#chunks = 0;
    }
    return chunk !== undefined || this.#chunks > 0;
  }
}
