/** Huffman coded literals of zstd (RFC 8878 4.2). */
import { BackwardBits } from './backward.ts';
import { fseRoom, readFse, type Wrong } from './fse.ts';

/** Longest code (4.2.1). */
const MOST_BITS = 11;
/** Most weights that are told: there are 256 symbols, and the weight of the last one follows from the others (4.2.1). */
const MOST_WEIGHTS = 255;

/** The codes of all symbols: the entry of the next `log` bits is `symbol << 4 | bits`. */
export interface HuffmanTable {
  log: number;
  readonly entries: Uint16Array;
}

/** Room for the codes of any block. */
export const huffmanRoom = (): HuffmanTable => ({ log: 0, entries: new Uint16Array(1 << MOST_BITS) });

const bits = new BackwardBits();
/** The weights of a block, and the table that tells them, while they are read. */
const weights = new Uint8Array(MOST_WEIGHTS + 2);
const MOST_WEIGHT_LOG = 6;
const table = fseRoom(MOST_WEIGHT_LOG);

/** Reads the weights that a table of FSE symbols says (4.2.1.2): two states take turns until the bits are used up. Returns how many. */
function fseWeights(b: Uint8Array, start: number, end: number, wrong: Wrong): number {
  const from = readFse(b, start, end, MOST_WEIGHT_LOG, 255, table, wrong);
  if (!bits.begin(b, from, end)) throw wrong(from, 'the weights of the literals have no end mark');
  let state = bits.read(table.log);
  let other = bits.read(table.log);
  if (bits.left < 0) throw wrong(from, 'the weights of the literals are too short');
  let count = 0;
  while (count < MOST_WEIGHTS) {
    weights[count++] = table.symbols[state]!;
    const next = table.bases[state]! + bits.read(table.bits[state]!);
    state = other;
    other = next;
    if (bits.left >= 0) continue;
    weights[count++] = table.symbols[state]!;
    if (count <= MOST_WEIGHTS) return count;
  }
  throw wrong(from, 'more weights than symbols');
}

/** Reads the description of a table into a table; returns the offset of the byte behind it. */
export function readHuffman(b: Uint8Array, start: number, end: number, into: HuffmanTable, wrong: Wrong): number {
  const header = b[start]!;
  const stop = start + 1 + (header < 128 ? header : (header - 126) >> 1);
  if (stop > end) throw wrong(start, 'the weights of the literals do not fit');
  let count = header - 127;
  if (header < 128) count = fseWeights(b, start + 1, stop, wrong);
  else for (let i = 0; i < count; i++) weights[i] = (b[start + 1 + (i >> 1)]! >> (i & 1 ? 0 : 4)) & 15;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const weight = weights[i]!;
    if (weight > MOST_BITS) throw wrong(start, 'a weight of the literals is too large');
    sum += weight > 0 ? 1 << (weight - 1) : 0;
  }
  const log = sum === 0 ? 0 : 32 - Math.clz32(sum);
  const rest = (1 << log) - sum;
  if (sum === 0 || log > MOST_BITS || (rest & (rest - 1)) !== 0)
    throw wrong(start, 'the weights of the literals do not add up');
  weights[count++] = 32 - Math.clz32(rest);
  let ones = 0;
  for (let i = 0; i < count; i++) if (weights[i] === 1) ones++;
  if (ones < 2) throw wrong(start, 'the weights of the literals do not add up');
  const { entries } = into;
  let at = 0;
  for (let weight = 1; weight <= log; weight++) {
    const size = 1 << (weight - 1);
    for (let symbol = 0; symbol < count; symbol++) {
      if (weights[symbol] !== weight) continue;
      const entry = (symbol << 4) | (log + 1 - weight);
      for (const end = at + size; at < end; at++) entries[at] = entry;
    }
  }
  into.log = log;
  return stop;
}

/** Decodes one stream of literals, bytes `start` to `end`, into `out` from `to` to `stop`; it must fit exactly. */
export function decodeHuffman(
  b: Uint8Array,
  start: number,
  end: number,
  { log, entries }: HuffmanTable,
  out: Uint8Array,
  to: number,
  stop: number,
  wrong: Wrong,
): void {
  const last = end > start ? b[end - 1]! : 0;
  if (last === 0) throw wrong(end - 1, 'the literals have no end mark');
  const mask = (1 << log) - 1;
  // `left` counts from the first bit of the stream; a code that begins before it reads zeros.
  let left = (end - start) * 8 - 8 + (31 - Math.clz32(last));
  let at = to;
  for (; at < stop && left >= log; at++) {
    const from = left - log;
    const i = start + (from >> 3);
    const entry = entries[((b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16)) >>> (from & 7)) & mask]!;
    out[at] = entry >> 4;
    left -= entry & 15;
  }
  const low = b[start]! | (b[start + 1]! << 8);
  for (; at < stop && left >= 0; at++) {
    const entry = entries[((low & ((1 << left) - 1)) << (log - left)) & mask]!;
    out[at] = entry >> 4;
    left -= entry & 15;
  }
  if (left !== 0 || at < stop) throw wrong(start, 'the literals do not fit their bits');
}
