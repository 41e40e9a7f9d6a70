/** The names of the events of a format, looked up by their bytes. */
import { bytesOf, sameAt, viewOf, wordsOf } from '../base/bytes.ts';

/** 1 for every byte that a name may hold: a letter, a digit or `_`. */
const NAME_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => (/\w/.test(String.fromCharCode(byte)) ? 1 : 0));

/** Whether a byte can be part of the name of a trace event. */
export function isNameByte(byte: number): boolean {
  return NAME_BYTES[byte] === 1;
}

/** Room in the table for each name: few share a place. */
const ROOM = 4;

/** Takes one more byte into a hash. */
const mixed = (hash: number, byte: number): number => ((hash << 5) | (hash >>> 27)) ^ byte;

/** A hash table over the words of a vocabulary; each has a number. */
export class NameTable {
  readonly #slots: Int16Array;
  readonly #mask: number;
  readonly #lengths: Uint8Array;
  /** The words of all names (see `wordsOf`). */
  readonly #words: Int32Array;
  /** Where each name begins there. */
  readonly #starts: Int32Array;
  /** Where the name ended that `read` found last. */
  end = 0;

  constructor(names: readonly string[]) {
    let size = 64;
    while (size < names.length * ROOM) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Int16Array(size).fill(-1);
    this.#lengths = Uint8Array.from(names, ({ length }) => length);
    this.#starts = new Int32Array(names.length);
    const words: number[] = [];
    for (const [i, name] of names.entries()) {
      const bytes = bytesOf(name);
      if (bytes.length > 255) throw new Error(`a name has at most 255 bytes: ${name}`);
      this.#starts[i] = words.length;
      words.push(...wordsOf(bytes, 0, bytes.length));
      let slot = this.#slot(bytes.reduce(mixed, 0));
      while (this.#slots[slot]! >= 0) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = i;
    }
    this.#words = Int32Array.from(words);
  }

  #slot(hash: number): number {
    return (Math.imul(hash, 0x9e3779b1) >>> 16) & this.#mask;
  }

  /** Where a name, by its number, ends that stands at byte `start`; 0 where another one stands there. More of a longer name may follow. */
  isAt(number: number, buf: Uint8Array, start: number, end: number): number {
    const length = this.#lengths[number]!;
    const stop = start + length;
    return stop <= end && sameAt(viewOf(buf), start, length, this.#words, this.#starts[number]!) ? stop : 0;
  }

  /** The number of the name that stands at `start`, as far as bytes of names go, or -1; `end` tells how far that is. */
  read(buf: Uint8Array, start: number, end: number): number {
    let hash = 0;
    let at = start;
    for (; at < end; at++) {
      const byte = buf[at]!;
      if (NAME_BYTES[byte] === 0) break;
      hash = mixed(hash, byte);
    }
    this.end = at;
    return this.#known(hash, buf, start, at);
  }

  /** The number of the name at bytes `start` to `end` (exclusive), or -1. */
  find(buf: Uint8Array, start: number, end: number): number {
    let hash = 0;
    for (let at = start; at < end; at++) hash = mixed(hash, buf[at]!);
    return this.#known(hash, buf, start, end);
  }

  #known(hash: number, buf: Uint8Array, start: number, end: number): number {
    const length = end - start;
    for (let slot = this.#slot(hash); ; slot = (slot + 1) & this.#mask) {
      const i = this.#slots[slot]!;
      if (i < 0) return -1;
      if (this.#lengths[i] === length && this.isAt(i, buf, start, end) > 0) return i;
    }
  }
}
