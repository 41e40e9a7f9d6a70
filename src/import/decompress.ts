import { Damage, type PieceReader, Pieces, type UnpackingEvents } from './packed/damage.ts';
import { Gunzip } from './packed/gzip.ts';
import { isZstd, Unzstd } from './packed/zstd.ts';

/** How a source is packed; its first bytes tell it. */
export type Packing = 'none' | 'gzip' | 'zstd';

/** How many bytes are enough to tell the packing. */
export const PACKING_BYTES = 4;

/** The packing of a source, from its first bytes. */
export function packingOf(head: Uint8Array): Packing {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  return isZstd(head) ? 'zstd' : 'none';
}

const readers: Readonly<Record<Exclude<Packing, 'none'>, new (events: UnpackingEvents) => PieceReader>> = {
  gzip: Gunzip,
  zstd: Unzstd,
};

/**
 * Unpacks a source chunk by chunk, with any known packing. Chunks, those pushed and those that `take` gets, are valid
 * only during the call. What `take` throws goes to the caller. Damage in the middle ends the source there; a wrong checksum or bytes
 * behind the data do not: `problem` says what is wrong and where, and nothing that was unpacked is lost.
 */
export class Unpacker {
  readonly #take: (chunk: Uint8Array) => void;
  #packing: Packing | undefined;
  #pieces: Pieces | undefined;
  #head: Uint8Array = new Uint8Array(0);
  #problem: string | undefined;
  #ended = false;

  constructor(take: (chunk: Uint8Array) => void) {
    this.#take = take;
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
    if (this.#packing !== undefined) {
      this.#feed(chunk);
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
    if (this.#packing === undefined) this.#open();
    if (this.#pieces && !this.#ended) this.#guard(() => this.#pieces!.end());
  }

  #open(): void {
    const head = this.#head;
    this.#head = new Uint8Array(0);
    const packing = packingOf(head);
    this.#packing = packing;
    if (packing !== 'none')
      this.#pieces = new Pieces(new readers[packing]({ data: this.#take, problem: (problem) => this.#note(problem) }));
    this.#feed(head);
  }

  #feed(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.#ended) return;
    if (this.#pieces) this.#guard(() => this.#pieces!.push(chunk));
    else this.#take(chunk);
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      this.#ended = true;
      this.#note(error);
    }
  }

  #note(problem: Damage): void {
    this.#problem ??= `the ${this.#packing} data ${problem.message}`;
  }
}
