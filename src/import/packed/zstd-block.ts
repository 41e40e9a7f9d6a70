/** Compressed blocks of zstd (RFC 8878 3.1.1.3): literals, and sequences that say how they and matches follow each other. */
import { BackwardBits } from './backward.ts';
import { type FseTable, fseConstant, fseRoom, fseTable, readFse, type Wrong } from './fse.ts';
import { decodeHuffman, type HuffmanTable, huffmanRoom, readHuffman } from './huffman.ts';

/** Most bytes that a block has, unpacked or packed (3.1.1.2.4). */
export const LARGEST_BLOCK = 1 << 17;

/** Bits that any place of a stream has behind it in the four bytes there, at least. */
const MOST_AT_ONCE = 25;
/** Bits of an offset that no window reaches: then all numbers stay within 31 bits. */
const MOST_OFFSET_BITS = 29;

/** Extra bits and bases of the codes of literal and match lengths (3.1.1.3.2.1.1). */
const LITERAL_BITS = extraBits(16, [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
const MATCH_BITS = extraBits(32, [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
const LITERAL_BASE = bases(LITERAL_BITS, 0);
const MATCH_BASE = bases(MATCH_BITS, 3);

/** The first codes have no extra bits. */
function extraBits(without: number, behind: readonly number[]): Uint8Array {
  return Uint8Array.from([...Array<number>(without).fill(0), ...behind]);
}

function bases(bits: Uint8Array, first: number): Int32Array {
  const all = new Int32Array(bits.length);
  let base = first;
  for (const [i, extra] of bits.entries()) {
    all[i] = base;
    base += 2 ** extra;
  }
  return all;
}

/** The distributions that need no description (3.1.1.3.2.2). */
const DEFAULT_LITERALS = fseTable(
  [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1],
  6,
);
const DEFAULT_MATCHES = fseTable(
  [
    1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
  ],
  6,
);
const DEFAULT_OFFSETS = fseTable(
  [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1],
  5,
);

/** One of the three alphabets of sequences: its limits, and the table that the last block used. */
class Alphabet {
  readonly #mostLog: number;
  readonly #mostSymbol: number;
  readonly #default: FseTable;
  readonly #own: FseTable;
  table: FseTable | undefined;

  constructor(mostLog: number, mostSymbol: number, otherwise: FseTable) {
    this.#mostLog = mostLog;
    this.#mostSymbol = mostSymbol;
    this.#default = otherwise;
    this.#own = fseRoom(mostLog);
  }

  /** Reads the table of a block in one of the four modes; returns the offset of the byte behind it. */
  read(mode: number, b: Uint8Array, at: number, end: number, wrong: Wrong): number {
    if (mode === 0) this.table = this.#default;
    else if (mode === 1) {
      if (at >= end || b[at]! > this.#mostSymbol) throw wrong(at, 'no such code');
      this.table = fseConstant(this.#own, b[at]!);
      return at + 1;
    } else if (mode === 2) {
      const stop = readFse(b, at, end, this.#mostLog, this.#mostSymbol, this.#own, wrong);
      this.table = this.#own;
      return stop;
    } else if (this.table === undefined) throw wrong(at, 'a table is repeated that does not exist');
    return at;
  }
}

/** Unpacks the compressed blocks of one frame, in order. */
export class Blocks {
  readonly #literals = new Uint8Array(LARGEST_BLOCK);
  #literalSize = 0;
  /** Literals that sequences used. */
  #literal = 0;
  readonly #codes = huffmanRoom();
  #huffman: HuffmanTable | undefined;
  readonly #literalLengths = new Alphabet(9, 35, DEFAULT_LITERALS);
  readonly #offsets = new Alphabet(8, 31, DEFAULT_OFFSETS);
  readonly #matchLengths = new Alphabet(9, 52, DEFAULT_MATCHES);
  readonly #recent = new Int32Array(3);
  readonly #bits = new BackwardBits();

  /** A frame begins. */
  begin(): void {
    this.#huffman = undefined;
    this.#literalLengths.table = this.#offsets.table = this.#matchLengths.table = undefined;
    this.#recent.set([1, 4, 8]);
  }

  /**
   * Unpacks the block of bytes 0 to `size` into `out` from `to`, at most to `stop`; a match reaches back at most `reach`
   * bytes from `to`, and never further than `window`. Returns where the unpacked bytes end.
   */
  unpack(
    b: Uint8Array,
    size: number,
    out: Uint8Array,
    to: number,
    stop: number,
    reach: number,
    window: number,
    wrong: Wrong,
  ): number {
    const at = this.#readLiterals(b, size, stop - to, wrong);
    return this.#sequences(b, at, size, out, to, stop, reach, window, wrong);
  }

  /** Reads the literals section (3.1.1.3.1); returns the offset of the byte behind it. */
  #readLiterals(b: Uint8Array, end: number, most: number, wrong: Wrong): number {
    const type = b[0]! & 3;
    const format = (b[0]! >> 2) & 3;
    const out = this.#literals;
    const fits = (at: number, size: number): void => {
      if (size > most || at > end) throw wrong(0, 'the literals do not fit the block');
    };
    if (type < 2) {
      const header = format === 1 ? 2 : format === 3 ? 3 : 1;
      const size = header === 1 ? b[0]! >> 3 : (b[0]! | (b[1]! << 8) | (header === 3 ? b[2]! << 16 : 0)) >> 4;
      const used = header + (type === 0 ? size : 1);
      fits(used, size);
      if (type === 0) out.set(b.subarray(header, used));
      else out.fill(b[header]!, 0, size);
      this.#literalSize = size;
      return used;
    }
    const header = format < 2 ? 3 : format + 2;
    const width = format < 2 ? 10 : format === 2 ? 14 : 18;
    let sizes = 0;
    for (let i = header - 1; i >= 0; i--) sizes = sizes * 256 + (i < end ? b[i]! : 0);
    const size = Math.floor(sizes / 16) % 2 ** width;
    const stop = header + Math.floor(sizes / 2 ** (4 + width));
    fits(stop, size);
    let at = header;
    if (type === 2) {
      at = readHuffman(b, at, stop, this.#codes, wrong);
      this.#huffman = this.#codes;
    }
    const table = this.#huffman;
    if (table === undefined) throw wrong(0, 'the codes of the literals are repeated and do not exist');
    if (format === 0) decodeHuffman(b, at, stop, table, out, 0, size, wrong);
    else this.#fourStreams(b, at, stop, table, size, wrong);
    this.#literalSize = size;
    return stop;
  }

  #fourStreams(b: Uint8Array, start: number, stop: number, table: HuffmanTable, size: number, wrong: Wrong): void {
    const part = (size + 3) >> 2;
    let at = start + 6;
    if (at > stop || part * 3 > size) throw wrong(start, 'the literals do not fit their bits');
    for (let i = 0; i < 4; i++) {
      const end = i === 3 ? stop : at + (b[start + 2 * i]! | (b[start + 2 * i + 1]! << 8));
      if (end > stop) throw wrong(start, 'the literals do not fit their bits');
      decodeHuffman(b, at, end, table, this.#literals, part * i, i === 3 ? size : part * (i + 1), wrong);
      at = end;
    }
  }

  /** Reads the sequences section (3.1.1.3.2) and carries it out. */
  #sequences(
    b: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    to: number,
    stop: number,
    reach: number,
    window: number,
    wrong: Wrong,
  ): number {
    let at = start;
    if (at >= end) throw wrong(at, 'the block has no sequences section');
    let count = b[at++]!;
    if (count === 255) {
      count = 0x7f00 + (b[at]! | (b[at + 1]! << 8));
      at += 2;
    } else if (count > 127) count = ((count - 128) << 8) | b[at++]!;
    if (count === 0 && at !== end) throw wrong(at, 'bytes behind the last sequence');
    this.#literal = 0;
    let next = to;
    if (count > 0) {
      if (at >= end) throw wrong(at, 'the sequences do not fit the block');
      const modes = b[at++]!;
      if (modes & 3) throw wrong(at - 1, 'reserved bits are set');
      at = this.#literalLengths.read(modes >> 6, b, at, end, wrong);
      at = this.#offsets.read((modes >> 4) & 3, b, at, end, wrong);
      at = this.#matchLengths.read((modes >> 2) & 3, b, at, end, wrong);
      if (!this.#bits.begin(b, at, end)) throw wrong(end - 1, 'the sequences have no end mark');
      next = this.#carryOut(count, out, to, stop, Math.min(window, reach), window, at, wrong);
    }
    const rest = this.#literalSize - this.#literal;
    if (next + rest > stop) throw wrong(at, 'more literals than the block holds');
    out.set(this.#literals.subarray(this.#literal, this.#literalSize), next);
    return next + rest;
  }

  /**
   * Carries out `count` sequences. Most time of unpacking is spent here: bits are read in place, several codes from one word of 32 bits where
   * they fit.
   */
  #carryOut(
    count: number,
    out: Uint8Array,
    to: number,
    stop: number,
    reach: number,
    window: number,
    at: number,
    wrong: Wrong,
  ): number {
    const bits = this.#bits;
    const literals = this.#literals;
    const size = this.#literalSize;
    const lengths = this.#literalLengths.table!;
    const offsets = this.#offsets.table!;
    const matches = this.#matchLengths.table!;
    const { symbols: lengthSymbols, bits: lengthStep, bases: lengthBases } = lengths;
    const { symbols: offsetSymbols, bits: offsetStep, bases: offsetBases } = offsets;
    const { symbols: matchSymbols, bits: matchStep, bases: matchBases } = matches;
    const recent = this.#recent;
    let recent0 = recent[0]!;
    let recent1 = recent[1]!;
    let recent2 = recent[2]!;
    let lengthState = bits.read(lengths.log);
    let offsetState = bits.read(offsets.log);
    let matchState = bits.read(matches.log);
    const { bytes: b, start } = bits;
    let { left: bitsLeft } = bits;
    let next = to;
    let literal = 0;
    for (let left = count; left > 0; left--) {
      const offsetCode = offsetSymbols[offsetState]!;
      const matchCode = matchSymbols[matchState]!;
      const lengthCode = lengthSymbols[lengthState]!;
      const matchBits = MATCH_BITS[matchCode]!;
      const lengthBits = LITERAL_BITS[lengthCode]!;
      let match = MATCH_BASE[matchCode]!;
      let length = LITERAL_BASE[lengthCode]!;
      const noLiterals = length === 0;
      let value: number;
      const extra = offsetCode + matchBits + lengthBits;
      if (extra <= MOST_AT_ONCE && bitsLeft >= extra) {
        bitsLeft -= extra;
        const i = start + (bitsLeft >> 3);
        const word = (b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16) | (b[i + 3]! << 24)) >>> (bitsLeft & 7);
        length += word & ((1 << lengthBits) - 1);
        match += (word >>> lengthBits) & ((1 << matchBits) - 1);
        value = (1 << offsetCode) + ((word >>> (lengthBits + matchBits)) & ((1 << offsetCode) - 1));
      } else {
        bits.left = bitsLeft;
        if (offsetCode > MOST_OFFSET_BITS) throw wrong(at, 'an offset that leads to nothing');
        value = (1 << offsetCode) + (bits.read(offsetCode) | 0);
        match += bits.read(matchBits);
        length += bits.read(lengthBits);
        bitsLeft = bits.left;
      }
      // One of the last three offsets, or a new one (3.1.1.5).
      let offset = value - 3;
      if (value > 3) {
        recent2 = recent1;
        recent1 = recent0;
        recent0 = offset;
      } else {
        const which = noLiterals ? value : value - 1;
        offset = which === 0 ? recent0 : which === 1 ? recent1 : which === 2 ? recent2 : recent0 - 1;
        if (which > 1) recent2 = recent1;
        if (which > 0) recent1 = recent0;
        recent0 = offset;
      }
      if (left > 1) {
        const lengthMore = lengthStep[lengthState]!;
        const matchMore = matchStep[matchState]!;
        const offsetMore = offsetStep[offsetState]!;
        const more = lengthMore + matchMore + offsetMore;
        if (more <= MOST_AT_ONCE && bitsLeft >= more) {
          bitsLeft -= more;
          const i = start + (bitsLeft >> 3);
          const word = (b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16) | (b[i + 3]! << 24)) >>> (bitsLeft & 7);
          offsetState = offsetBases[offsetState]! + (word & ((1 << offsetMore) - 1));
          matchState = matchBases[matchState]! + ((word >>> offsetMore) & ((1 << matchMore) - 1));
          lengthState = lengthBases[lengthState]! + ((word >>> (offsetMore + matchMore)) & ((1 << lengthMore) - 1));
        } else {
          bits.left = bitsLeft;
          lengthState = lengthBases[lengthState]! + bits.read(lengthMore);
          matchState = matchBases[matchState]! + bits.read(matchMore);
          offsetState = offsetBases[offsetState]! + bits.read(offsetMore);
          bitsLeft = bits.left;
        }
      }
      if (bitsLeft < 0) throw wrong(at, 'the sequences do not fit their bits');
      if (literal + length > size || next + length + match > stop)
        throw wrong(at, 'a sequence is longer than the block');
      if (length > 32) out.set(literals.subarray(literal, literal + length), next);
      else for (let i = 0; i < length; i++) out[next + i] = literals[literal + i]!;
      literal += length;
      next += length;
      if (offset < 1 || offset > window || offset > reach + (next - to))
        throw wrong(at, 'an offset that leads to nothing');
      const end = next + match;
      if (match > 64 && (offset >= match || offset === 1)) copyLong(out, next, offset, match);
      else for (let from = next - offset, into = next; into < end; ) out[into++] = out[from++]!;
      next = end;
    }
    if (bitsLeft !== 0) throw wrong(at, 'the sequences do not fit their bits');
    recent[0] = recent0;
    recent[1] = recent1;
    recent[2] = recent2;
    this.#literal = literal;
    return next;
  }
}

function copyLong(out: Uint8Array, to: number, offset: number, length: number): void {
  if (offset === 1) out.fill(out[to - 1]!, to, to + length);
  else out.copyWithin(to, to - offset, to - offset + length);
}
