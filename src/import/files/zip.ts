/**
 * zip archives (APPNOTE.TXT 4.3), read one file after the other as they stand: local header, data, and the sizes and checksum behind
 * it where the header does not tell them. The table of contents at the end is not needed.
 */
import { textOf, wordAt } from '../../base/bytes.ts';
import { crc32 } from '../packed/crc32.ts';
import { Damage, damaged, type PieceReader, Pieces } from '../packed/damage.ts';
import { Inflate } from '../packed/inflate.ts';
import type { ArchiveTaker } from './tar.ts';

/** Signature of the header of a file, and of what may stand in front of the sizes behind its data. */
const LOCAL = 0x04034b50;
const DESCRIPTOR = 0x08074b50;
/** Bytes of the header of a file in front of its name (4.3.7). */
const HEADER = 30;
/** Methods of packing (4.4.5). */
const STORED = 0;
const DEFLATED = 8;
/** Bit 3 of the flags: sizes and checksum stand behind the data (4.4.4). Bit 0: the data is encrypted. */
const BEHIND = 1 << 3;
const ENCRYPTED = 1;
/** The version that is needed for sizes of 64 bits (4.4.3.2). */
const ZIP64 = 45;

/** Whether a file begins like a zip archive: with the header of a file. */
export const isZip = (head: Uint8Array): boolean => head.length >= 4 && wordAt(head, 0) === LOCAL;

/** Reads an archive chunk by chunk. */
export class Zip {
  readonly #take: ArchiveTaker;
  readonly #pieces: Pieces;
  readonly #reader: Files;
  #ended = false;
  /** What is wrong with the archive, if anything; nothing that was read before is lost. */
  problem: string | undefined;

  constructor(take: ArchiveTaker) {
    this.#take = take;
    this.#reader = new Files(take, (problem) => {
      this.problem ??= problem;
    });
    this.#pieces = new Pieces(this.#reader);
  }

  push(chunk: Uint8Array): void {
    this.#guard(() => this.#pieces.push(chunk));
  }

  end(): void {
    this.#guard(() => this.#pieces.end());
    if (this.#reader.open) this.#take.fileEnd();
  }

  #guard(work: () => void): void {
    if (this.#ended) return;
    try {
      work();
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      this.#ended = true;
      this.problem ??= `the zip archive ${error.message}`;
    }
  }
}

/** Reads the files of an archive. */
class Files implements PieceReader {
  readonly #take: ArchiveTaker;
  readonly #tell: (problem: string) => void;
  readonly #inflate: Inflate;
  #state: 'header' | 'stored' | 'deflated' | 'behind' | 'rest' = 'header';
  #name = '';
  #flags = 0;
  #version = 0;
  #left = 0;
  #crc = 0;
  #told = 0;
  /** A file was begun and is not ended yet. */
  open = false;

  constructor(take: ArchiveTaker, tell: (problem: string) => void) {
    this.#take = take;
    this.#tell = tell;
    this.#inflate = new Inflate((chunk) => this.#data(chunk));
  }

  take(bytes: Uint8Array, at: number): number {
    switch (this.#state) {
      case 'header':
        return this.#header(bytes, at);
      case 'stored': {
        const used = Math.min(this.#left, bytes.length);
        if (this.open) this.#data(bytes.subarray(0, used));
        this.#left -= used;
        if (this.#left === 0) this.#close();
        return used;
      }
      case 'deflated': {
        const end = this.#inflate.push(bytes);
        if (end === undefined) return bytes.length;
        if ((this.#flags & BEHIND) === 0) this.#close();
        else this.#state = 'behind';
        return end - at;
      }
      case 'behind':
        return this.#behind(bytes);
      case 'rest':
        return bytes.length;
    }
  }

  end(at: number, left: number): void {
    if (this.#state !== 'rest' || left > 0) throw new Damage(`is cut off at byte ${at}`);
  }

  #data(chunk: Uint8Array): void {
    this.#crc = crc32(chunk, this.#crc);
    this.#take.data(chunk);
  }

  #header(bytes: Uint8Array, at: number): number {
    if (bytes.length < 4) return 0;
    if (wordAt(bytes, 0) !== LOCAL) {
      // The table of contents.
      this.#state = 'rest';
      return bytes.length;
    }
    if (bytes.length < HEADER) return 0;
    const half = (i: number): number => bytes[i]! | (bytes[i + 1]! << 8);
    const [names, extra] = [half(26), half(28)];
    if (bytes.length < HEADER + names + extra) return 0;
    this.#version = half(4);
    this.#flags = half(6);
    const method = half(8);
    this.#told = wordAt(bytes, 14);
    this.#left = wordAt(bytes, 18);
    this.#crc = 0;
    this.#name = textOf(bytes, HEADER, HEADER + names);
    const size = HEADER + names + extra;
    const behind = (this.#flags & BEHIND) !== 0;
    const readable = (this.#flags & ENCRYPTED) === 0 && (method === STORED || method === DEFLATED);
    if (behind && (method !== DEFLATED || !readable))
      throw damaged(at, `${this.#name} is packed so that its end cannot be found; pack the archive with deflate`);
    if (!readable) this.#tell(`${this.#name} is encrypted or not packed with deflate, and was left out`);
    else if (!this.#name.endsWith('/')) {
      this.open = true;
      this.#take.file({ path: this.#name, modified: undefined });
    }
    if (method === DEFLATED && readable) {
      this.#state = 'deflated';
      this.#inflate.begin(at + size);
    } else {
      this.#state = 'stored';
      if (this.#left === 0) this.#close();
    }
    return size;
  }

  /** Checksum and sizes behind the data. */
  #behind(bytes: Uint8Array): number {
    const sizes = this.#version >= ZIP64 ? 16 : 8;
    if (bytes.length < 4) return 0;
    const start = wordAt(bytes, 0) === DESCRIPTOR ? 4 : 0;
    if (bytes.length < start + 4 + sizes) return 0;
    this.#told = wordAt(bytes, start);
    this.#close();
    return start + 4 + sizes;
  }

  #close(): void {
    this.#state = 'header';
    if (!this.open) return;
    this.open = false;
    this.#take.fileEnd();
    if (this.#crc !== this.#told) this.#tell(`${this.#name} is damaged: its checksum is not that of the data`);
  }
}
