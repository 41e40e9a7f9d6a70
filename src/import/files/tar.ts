/**
 * tar archives: POSIX.1-1988 ustar, the GNU form, and pax headers (POSIX.1-2001 "pax Interchange Format"; GNU tar manual
 * "Basic Tar Format"). Only regular files are told; links, devices and folders are left out.
 */
import { textOf } from '../../base/bytes.ts';

const BLOCK = 512;
/** Bytes of a header of an archive that name the file that follows, at most: paths are not longer. */
const MOST_META = 1 << 20;
/** Digits of the length of a record of a pax header, and the blank behind them. */
const MOST_DIGITS = 8;

/** Where the parts of a header stand. */
const NAME = { at: 0, size: 100 };
const SIZE = { at: 124, size: 12 };
const MTIME = { at: 136, size: 12 };
const CHECKSUM = { at: 148, size: 8 };
const TYPE = 156;
const MAGIC = { at: 257, size: 6 };
const PREFIX = { at: 345, size: 155 };

/** A file of an archive as its header tells it. */
export interface ArchiveFile {
  readonly path: string;
  /** When it was changed, in milliseconds since 1970; undefined where the archive does not tell. */
  readonly modified: number | undefined;
}

/** What an archive is read into: the files one after the other. `data` is valid only during the call. */
export interface ArchiveTaker {
  file(file: ArchiveFile): void;
  data(chunk: Uint8Array): void;
  fileEnd(): void;
}

/** Whether a file begins like a tar archive: the checksum of the first header is right. */
export const isTar = (head: Uint8Array): boolean =>
  head.length >= BLOCK && head[0] !== 0 && hasChecksum(head.subarray(0, BLOCK));

/** The sum of all bytes of a header, those of the checksum counted as blanks. */
function hasChecksum(header: Uint8Array): boolean {
  const told = octal(header, CHECKSUM);
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= CHECKSUM.at && i < CHECKSUM.at + CHECKSUM.size ? 0x20 : header[i]!;
  return told === sum;
}

/** A number in octal digits, or in base 256 where the first bit is set; NaN for none. */
function octal(header: Uint8Array, { at, size }: { readonly at: number; readonly size: number }): number {
  if ((header[at]! & 0x80) !== 0) {
    let value = 0;
    for (let i = at + 1; i < at + size; i++) value = value * 256 + header[i]!;
    return value;
  }
  const text = textOf(header, at, at + size)
    .replaceAll('\0', ' ')
    .trim();
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
}

function field(header: Uint8Array, { at, size }: { readonly at: number; readonly size: number }): string {
  let end = at;
  while (end < at + size && header[end] !== 0) end++;
  return textOf(header, at, end);
}

/** What the member at hand is. */
type Member = 'file' | 'pax' | 'long-name' | 'other';

/** Reads an archive chunk by chunk. */
export class Tar {
  readonly #take: ArchiveTaker;
  readonly #header = new Uint8Array(BLOCK);
  #filled = 0;
  #member: Member = 'other';
  /** Bytes of the member that are still to come, and of the padding behind it. */
  #left = 0;
  #padding = 0;
  #meta: number[] = [];
  /** What pax and GNU headers said of the next file. */
  #path: string | undefined;
  #modified: number | undefined;
  #size: number | undefined;
  #ended = false;
  #offset = 0;
  /** What is wrong with the archive, if anything; nothing that was read before is lost. */
  problem: string | undefined;

  constructor(take: ArchiveTaker) {
    this.#take = take;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.#ended) {
      if (this.#left > 0) at += this.#body(chunk.subarray(at, at + this.#left));
      else if (this.#padding > 0) {
        const skipped = Math.min(this.#padding, chunk.length - at);
        this.#padding -= skipped;
        at += skipped;
      } else at += this.#head(chunk.subarray(at, at + BLOCK - this.#filled));
    }
    this.#offset += chunk.length;
  }

  end(): void {
    if (this.#left > 0) {
      this.problem ??= `the archive is cut off: ${this.#left} bytes of its last file are missing`;
      if (this.#member === 'file') this.#take.fileEnd();
    } else if (!this.#ended && this.#filled > 0) this.problem ??= 'the archive is cut off within a header';
  }

  #head(piece: Uint8Array): number {
    this.#header.set(piece, this.#filled);
    this.#filled += piece.length;
    if (this.#filled < BLOCK) return piece.length;
    this.#filled = 0;
    this.#open();
    return piece.length;
  }

  #open(): void {
    const header = this.#header;
    if (header.every((byte) => byte === 0)) {
      this.#ended = true;
      return;
    }
    if (!hasChecksum(header)) {
      this.problem ??= `the archive is damaged near byte ${this.#offset}: a header of a file has a wrong checksum`;
      this.#ended = true;
      return;
    }
    const type = String.fromCharCode(header[TYPE]!);
    const told = octal(header, SIZE);
    this.#left = this.#size ?? (Number.isNaN(told) ? 0 : told);
    this.#padding = (BLOCK - (this.#left % BLOCK)) % BLOCK;
    this.#member =
      type === '0' || type === '\0' || type === '7'
        ? 'file'
        : type === 'x'
          ? 'pax'
          : type === 'L'
            ? 'long-name'
            : 'other';
    this.#meta = [];
    if (this.#member !== 'file') {
      // What is told of the next file is told once more only where two headers stand before it.
      if (this.#left === 0) this.#close();
      return;
    }
    const modified = octal(header, MTIME);
    this.#take.file({
      path: this.#path ?? nameIn(header),
      modified: this.#modified ?? (Number.isNaN(modified) || modified === 0 ? undefined : modified * 1000),
    });
    this.#forget();
    if (this.#left === 0) this.#close();
  }

  #body(piece: Uint8Array): number {
    if (this.#member === 'file') this.#take.data(piece);
    else if (this.#member !== 'other' && this.#meta.length < MOST_META) for (const byte of piece) this.#meta.push(byte);
    this.#left -= piece.length;
    if (this.#left === 0) this.#close();
    return piece.length;
  }

  #close(): void {
    if (this.#member === 'file') this.#take.fileEnd();
    else if (this.#member === 'long-name') this.#path = textOf(new Uint8Array(this.#meta)).replace(/\0.*$/s, '');
    else if (this.#member === 'pax') this.#pax(new Uint8Array(this.#meta));
    this.#meta = [];
    if (this.#member === 'other') this.#forget();
  }

  /** Records `LENGTH NAME=VALUE` of a pax header; LENGTH counts all bytes of the record, so that a value may hold line ends. */
  #pax(meta: Uint8Array): void {
    for (let at = 0; at < meta.length; ) {
      const [head, digits] = /^(\d{1,7}) /.exec(textOf(meta, at, Math.min(meta.length, at + MOST_DIGITS))) ?? [];
      const end = at + Number(digits ?? 0);
      // What is no record ends the header.
      if (head === undefined || end <= at + head.length || end > meta.length) return;
      const text = textOf(meta, at + head.length, end - 1);
      const equals = text.indexOf('=');
      this.#keyword(text.slice(0, Math.max(0, equals)), text.slice(equals + 1));
      at = end;
    }
  }

  #keyword(name: string, value: string): void {
    if (name === 'path') this.#path = value;
    else if (name === 'mtime' && Number.isFinite(Number(value))) this.#modified = Number(value) * 1000;
    else if (name === 'size' && /^\d{1,15}$/.test(value)) this.#size = Number(value);
  }

  #forget(): void {
    this.#path = undefined;
    this.#modified = undefined;
    this.#size = undefined;
  }
}

/** The path in a header; only ustar archives divide it in two. */
function nameIn(header: Uint8Array): string {
  const name = field(header, NAME);
  const prefix = field(header, MAGIC) === 'ustar' ? field(header, PREFIX) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}
