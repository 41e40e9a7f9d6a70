/**
 * The compressed data of a gzip member (DEFLATE, RFC 1951), as a stream. Every rule of the format is held against the
 * data: the complement of a stored length, code sets that are complete and not oversubscribed, codes and distances that exist.
 */
import { type Damage, damaged } from './damage.ts';

/** How far back a match may reach (RFC 1951 2). */
const WINDOW = 1 << 15;
/** Bytes of output that are gathered before they are handed on. */
const BATCH = 1 << 17;
const LONGEST_MATCH = 258;
const MOST_BITS = 15;
/** Bytes behind the input that reads may touch. */
const PAD = 8;

/** Base and number of extra bits of length symbols 257 to 285 (RFC 1951 3.2.5). */
const LENGTH_BITS = Uint8Array.from('00000000111122223333444455550', Number);
const LENGTH_BASE = bases(LENGTH_BITS, 3);
LENGTH_BASE[28] = LONGEST_MATCH;
/** The same of distance symbols 0 to 29. */
const DISTANCE_BITS = Uint8Array.from({ length: 30 }, (_, i) => Math.max(0, (i >> 1) - 1));
const DISTANCE_BASE = bases(DISTANCE_BITS, 1);
/** The order in which the lengths of the code length codes stand (3.2.7). */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

function bases(bits: Uint8Array, first: number): Uint16Array {
  const all = new Uint16Array(bits.length);
  let base = first;
  for (const [i, extra] of bits.entries()) {
    all[i] = base;
    base += 1 << extra;
  }
  return all;
}

/** The codes of one alphabet: the entry of the next bits is `symbol << 4 | bits`, 0 for bits that are no code. */
class Codes {
  readonly table = new Uint16Array(1 << MOST_BITS);
  mask = 0;

  /** Takes the lengths of the codes of all symbols; false when they are no set of codes. */
  build(lengths: Uint8Array, singleAllowed: boolean): boolean {
    const count = new Uint16Array(MOST_BITS + 1);
    for (const n of lengths) count[n]!++;
    count[0] = 0;
    let most = MOST_BITS;
    while (most > 0 && count[most] === 0) most--;
    let left = 1;
    for (let n = 1; n <= most; n++) {
      left = left * 2 - count[n]!;
      if (left < 0) return false;
    }
    if (left > 0 && !(singleAllowed && most <= 1)) return false;
    const { table } = this;
    const size = 1 << most;
    this.mask = size - 1;
    if (left > 0) table.fill(0, 0, size);
    const next = new Uint16Array(MOST_BITS + 2);
    for (let n = 1; n <= most; n++) next[n + 1] = (next[n]! + count[n]!) << 1;
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      const bits = lengths[symbol]!;
      if (bits === 0) continue;
      const entry = (symbol << 4) | bits;
      const step = 1 << bits;
      for (let i = reversed(next[bits]!++, bits); i < size; i += step) table[i] = entry;
    }
    return true;
  }
}

/** The lowest `bits` bits of a code, the first bit last: codes stand in the data with their first bit lowest. */
function reversed(code: number, bits: number): number {
  let from = code;
  let to = 0;
  for (let i = 0; i < bits; i++) {
    to = (to << 1) | (from & 1);
    from >>>= 1;
  }
  return to;
}

/** Code lengths of blocks of type 1 (3.2.6). */
const FIXED_LITERALS = Uint8Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8));
const FIXED_DISTANCES = new Uint8Array(32).fill(5);

type Block = 'none' | 'stored' | 'coded' | 'end';

export class Inflate {
  readonly #hand: (chunk: Uint8Array) => void;
  readonly #literals = new Codes();
  readonly #distances = new Codes();
  readonly #out = new Uint8Array(WINDOW + BATCH + LONGEST_MATCH);
  #written = 0;
  #handed = 0;
  #in = new Uint8Array(1 << 12);
  #inEnd = 0;
  /** Bit of the input that comes next. */
  #pos = 0;
  /** Offset of the first byte of the input in the source. */
  #base = 0;
  #block: Block = 'none';
  #last = false;
  /** Bytes that a stored block still has. */
  #stored = 0;

  constructor(hand: (chunk: Uint8Array) => void) {
    this.#hand = hand;
  }

  /** Begins the data of a member, at an offset of the source. */
  begin(offset: number): void {
    this.#written = this.#handed = this.#inEnd = this.#pos = 0;
    this.#base = offset;
    this.#block = 'none';
    this.#last = false;
  }

  /** Takes bytes; returns how many bytes of the source, counted from its beginning, were used when the data ended, else undefined. */
  push(chunk: Uint8Array): number | undefined {
    this.#keep(chunk);
    try {
      while (this.#step());
    } finally {
      this.#give();
    }
    return this.#block === 'end' ? this.#base + ((this.#pos + 7) >> 3) : undefined;
  }

  #keep(chunk: Uint8Array): void {
    const used = this.#pos >> 3;
    const left = this.#inEnd - used;
    const end = left + chunk.length;
    const into = end + PAD > this.#in.length ? new Uint8Array(Math.max(end + PAD, this.#in.length * 2)) : this.#in;
    into.set(this.#in.subarray(used, this.#inEnd));
    into.set(chunk, left);
    into.fill(0, end, end + PAD);
    this.#in = into;
    this.#inEnd = end;
    this.#base += used;
    this.#pos &= 7;
  }

  /** Hands on what was unpacked and keeps the window. */
  #give(): void {
    const out = this.#out;
    const end = this.#written;
    if (end > this.#handed) {
      const chunk = out.subarray(this.#handed, end);
      this.#handed = end;
      this.#hand(chunk);
    }
    if (end < WINDOW * 2) return;
    out.copyWithin(0, end - WINDOW, end);
    this.#written = this.#handed = WINDOW;
  }

  #damaged(pos: number, what: string): Damage {
    return damaged(this.#base + (pos >> 3), what);
  }

  /** Does a part of the work; false when there is nothing left to do or more bytes are needed. */
  #step(): boolean {
    switch (this.#block) {
      case 'none':
        return this.#header();
      case 'stored':
        return this.#copy();
      case 'coded':
        return this.#decode();
      case 'end':
        return false;
    }
  }

  #endBlock(): true {
    this.#block = this.#last ? 'end' : 'none';
    return true;
  }

  #bits(pos: number): number {
    const b = this.#in;
    const i = pos >> 3;
    return (b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16) | (b[i + 3]! << 24)) >>> (pos & 7);
  }

  #header(): boolean {
    const pos = this.#pos;
    if (pos + 3 > this.#inEnd * 8) return false;
    const bits = this.#bits(pos);
    const type = (bits >> 1) & 3;
    if (type === 3) throw this.#damaged(pos, 'no block type 3 exists');
    const done = type === 0 ? this.#storedHeader(pos + 3) : type === 1 ? this.#fixed(pos + 3) : this.#dynamic(pos + 3);
    if (done) this.#last = (bits & 1) === 1;
    return done;
  }

  #storedHeader(pos: number): boolean {
    const at = (pos + 7) >> 3;
    if (at + 4 > this.#inEnd) return false;
    const b = this.#in;
    const size = b[at]! | (b[at + 1]! << 8);
    if (size !== ((b[at + 2]! | (b[at + 3]! << 8)) ^ 0xffff))
      throw this.#damaged(at * 8, 'a stored length and its complement differ');
    this.#pos = (at + 4) * 8;
    this.#stored = size;
    this.#block = 'stored';
    return true;
  }

  #copy(): boolean {
    if (this.#stored === 0) return this.#endBlock();
    const at = this.#pos >> 3;
    const size = Math.min(this.#stored, this.#inEnd - at, this.#out.length - this.#written);
    this.#out.set(this.#in.subarray(at, at + size), this.#written);
    this.#written += size;
    this.#pos += size * 8;
    this.#stored -= size;
    if (this.#written === this.#out.length) this.#give();
    return this.#stored === 0 || this.#pos >> 3 < this.#inEnd;
  }

  #fixed(pos: number): true {
    this.#literals.build(FIXED_LITERALS, false);
    this.#distances.build(FIXED_DISTANCES, false);
    this.#pos = pos;
    this.#block = 'coded';
    return true;
  }

  /** Reads the code sets of a block (3.2.7). */
  #dynamic(start: number): boolean {
    const end = this.#inEnd * 8;
    if (start + 14 > end) return false;
    const counts = this.#bits(start);
    const literals = (counts & 31) + 257;
    const distances = ((counts >> 5) & 31) + 1;
    if (literals > 286 || distances > 30) throw this.#damaged(start, 'more codes than there are symbols');
    const some = ((counts >> 10) & 15) + 4;
    let pos = start + 14;
    if (pos + some * 3 > end) return false;
    const first = new Uint8Array(19);
    for (let i = 0; i < some; i++, pos += 3) first[ORDER[i]!] = this.#bits(pos) & 7;
    const codes = this.#literals;
    if (!codes.build(first, false)) throw this.#damaged(start, 'the code lengths are no set of codes');
    const all = literals + distances;
    const lengths = new Uint8Array(all);
    for (let i = 0; i < all; ) {
      const bits = this.#bits(pos);
      const entry = codes.table[bits & codes.mask]!;
      const length = entry & 15;
      const symbol = entry >> 4;
      const extra = symbol < 16 ? 0 : symbol === 16 ? 2 : symbol === 17 ? 3 : 7;
      if (pos + length + extra > end) return false;
      pos += length + extra;
      if (symbol < 16) {
        lengths[i++] = symbol;
        continue;
      }
      if (symbol === 16 && i === 0) throw this.#damaged(pos, 'a code length repeats one that does not exist');
      const times = ((bits >> length) & ((1 << extra) - 1)) + (symbol === 18 ? 11 : 3);
      if (i + times > all) throw this.#damaged(pos, 'more code lengths than codes');
      lengths.fill(symbol === 16 ? lengths[i - 1]! : 0, i, i + times);
      i += times;
    }
    if (lengths[256] === 0) throw this.#damaged(pos, 'the codes have no end of block');
    if (!codes.build(lengths.subarray(0, literals), true) || !this.#distances.build(lengths.subarray(literals), true))
      throw this.#damaged(pos, 'the codes are no set of codes');
    this.#pos = pos;
    this.#block = 'coded';
    return true;
  }

  /** Decodes symbols until the block, the input or the room for output ends. */
  #decode(): boolean {
    const b = this.#in;
    const end = this.#inEnd * 8;
    const out = this.#out;
    const room = out.length - LONGEST_MATCH;
    const literals = this.#literals.table;
    const literalMask = this.#literals.mask;
    const distances = this.#distances.table;
    const distanceMask = this.#distances.mask;
    let pos = this.#pos;
    let to = this.#written;
    let more = false;
    for (;;) {
      if (to > room) {
        more = true;
        break;
      }
      let i = pos >> 3;
      let bits = (b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16) | (b[i + 3]! << 24)) >>> (pos & 7);
      const entry = literals[bits & literalMask]!;
      let next = pos + (entry & 15);
      // Bits behind the input read as zeros: a code is only believed when it ends inside.
      if (next > end || (entry === 0 && pos + MOST_BITS > end)) break;
      const symbol = entry >> 4;
      if (symbol < 256) {
        if (entry === 0) {
          this.#written = to;
          throw this.#damaged(pos, 'no such code');
        }
        out[to++] = symbol;
        pos = next;
        continue;
      }
      if (symbol === 256) {
        this.#written = to;
        this.#pos = next;
        return this.#endBlock();
      }
      if (symbol > 285) {
        this.#written = to;
        throw this.#damaged(pos, 'no such length');
      }
      const lengthBits = LENGTH_BITS[symbol - 257]!;
      const length = LENGTH_BASE[symbol - 257]! + ((bits >>> (entry & 15)) & ((1 << lengthBits) - 1));
      next += lengthBits;
      i = next >> 3;
      bits = (b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16) | (b[i + 3]! << 24)) >>> (next & 7);
      const back = distances[bits & distanceMask]!;
      const which = back >> 4;
      const extra = which < 30 ? DISTANCE_BITS[which]! : 0;
      if (next + (back === 0 ? MOST_BITS : (back & 15) + extra) > end) break;
      next += back & 15;
      i = next >> 3;
      bits = (b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16)) >>> (next & 7);
      const distance = DISTANCE_BASE[which]! + (bits & ((1 << extra) - 1));
      if (back === 0 || which > 29 || distance > to) {
        this.#written = to;
        throw this.#damaged(pos, 'a distance that leads to nothing');
      }
      pos = next + extra;
      if (distance === 1 && length > 16) {
        out.fill(out[to - 1]!, to, to + length);
        to += length;
      } else for (const stop = to + length; to < stop; to++) out[to] = out[to - distance]!;
    }
    this.#pos = pos;
    this.#written = to;
    if (more) this.#give();
    return more;
  }
}
