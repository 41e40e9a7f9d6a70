import type { FileSource } from '../platform.ts';

/** Bytes at the end of what was read that are compared, to see that the file is still the same one. */
const COMPARED = 256;

/** How far a file that grows was read, and by what it is known again. */
export class Tail {
  /** Bytes that were read. */
  read = 0;
  /** The last of them. */
  #last = new Uint8Array(0);
  #identity: string | undefined;
  #modified = 0;

  /** The file is read from its beginning. */
  begin({ identity, modified }: FileSource): void {
    this.read = 0;
    this.#last = new Uint8Array(0);
    this.#identity = identity;
    this.#modified = modified;
  }

  /** These bytes were read. */
  take(chunk: Uint8Array): void {
    this.read += chunk.length;
    const both = new Uint8Array(this.#last.length + Math.min(chunk.length, COMPARED));
    both.set(this.#last);
    both.set(chunk.subarray(Math.max(0, chunk.length - COMPARED)), this.#last.length);
    this.#last = both.slice(Math.max(0, both.length - COMPARED));
  }

  /** Another file has the name now. */
  isReplaced({ identity }: FileSource): boolean {
    return identity !== this.#identity;
  }

  /** All of the file as it is now was read. */
  isWhole({ identity, size }: FileSource): boolean {
    return identity === this.#identity && size === this.read;
  }

  /**
   * Hands over what the file has more than was read, until `take` says that it wants no more. False when the file does not go on from what was
   * read: another one has its name, or it was cut.
   */
  async appended(source: FileSource, take: (fresh: Uint8Array) => boolean): Promise<boolean> {
    const { size = 0, modified } = source;
    if (this.isReplaced(source) || size < this.read) return false;
    if (size === this.read && modified === this.#modified) return true;
    this.#modified = modified;
    let skip = this.#last.length;
    for await (const chunk of source.chunks(this.read - skip)) {
      // A piece is never shorter than the bytes that are compared, unless the file is.
      if (skip > 0 && (chunk.length < skip || this.#last.some((byte, i) => chunk[i] !== byte))) return false;
      const fresh = chunk.subarray(skip);
      skip = 0;
      if (fresh.length === 0) continue;
      this.take(fresh);
      if (!take(fresh)) return true;
    }
    return skip === 0;
  }
}
