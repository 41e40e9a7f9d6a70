/** Finite State Entropy tables of zstd (RFC 8878 4.1): what a state says, and which state follows. */
import type { Damage } from './damage.ts';

export interface FseTable {
  /** Bits of a state. */
  log: number;
  readonly symbols: Uint8Array;
  /** Of each state: how many bits are read, and what they are added to, for the next state. */
  readonly bits: Uint8Array;
  readonly bases: Uint16Array;
}

/** Room for a table with states of so many bits: a packed block may bring three tables, and there are many blocks. */
export const fseRoom = (mostLog: number): FseTable => ({
  log: 0,
  symbols: new Uint8Array(1 << mostLog),
  bits: new Uint8Array(1 << mostLog),
  bases: new Uint16Array(1 << mostLog),
});

/** What makes an error at a place of the block. */
export type Wrong = (at: number, what: string) => Damage;

const highestBit = (n: number): number => 31 - Math.clz32(n);

/** Distributions while they are read: symbols have one byte. */
const MOST_SYMBOLS = 256;
const probabilities = new Int16Array(MOST_SYMBOLS + 1);
const next = new Uint16Array(MOST_SYMBOLS + 1);

/** Fills a table with the first `count` of the probabilities. */
function fill(table: FseTable, count: number, log: number): FseTable {
  const { symbols, bits, bases } = table;
  const size = 1 << log;
  let high = size;
  for (let symbol = 0; symbol < count; symbol++) {
    const probability = probabilities[symbol]!;
    if (probability === -1) symbols[--high] = symbol;
    next[symbol] = Math.abs(probability);
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  for (let symbol = 0; symbol < count; symbol++) {
    const probability = probabilities[symbol]!;
    for (let i = 0; i < probability; i++) {
      symbols[at] = symbol;
      do at = (at + step) & (size - 1);
      while (at >= high);
    }
  }
  for (let state = 0; state < size; state++) {
    const n = next[symbols[state]!]!++;
    bits[state] = log - highestBit(n);
    bases[state] = (n << bits[state]!) - size;
  }
  table.log = log;
  return table;
}

/** The table of a distribution: the probability of each symbol, -1 for "less than one". */
export function fseTable(distribution: readonly number[], log: number): FseTable {
  probabilities.set(distribution);
  return fill(fseRoom(log), distribution.length, log);
}

/** Makes a table always say one symbol. */
export function fseConstant(table: FseTable, symbol: number): FseTable {
  table.log = 0;
  table.symbols[0] = symbol;
  table.bits[0] = 0;
  table.bases[0] = 0;
  return table;
}

/** Reads a distribution (4.1.1) from bytes `start` to `end` into a table that has room for it; returns the offset of the byte behind it. */
export function readFse(
  b: Uint8Array,
  start: number,
  end: number,
  mostLog: number,
  mostSymbol: number,
  table: FseTable,
  wrong: Wrong,
): number {
  let pos = start * 8;
  const take = (count: number): number => {
    const i = pos >> 3;
    const bits =
      ((b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16) | (b[i + 3]! << 24)) >>> (pos & 7)) & ((1 << count) - 1);
    pos += count;
    return bits;
  };
  const log = take(4) + 5;
  if (log > mostLog) throw wrong(start, 'a table of symbols is too large');
  let symbols = 0;
  let left = 1 << log;
  while (left > 0 && symbols <= mostSymbol && pos <= end * 8) {
    const count = highestBit(left + 1) + 1;
    const half = (1 << (count - 1)) - 1;
    const short = (1 << count) - 2 - left;
    let value = take(count);
    if ((value & half) < short) {
      pos--;
      value &= half;
    } else if (value > half) value -= short;
    const probability = value - 1;
    left -= Math.abs(probability);
    probabilities[symbols++] = probability;
    if (probability !== 0) continue;
    for (let more = 3; more === 3 && pos <= end * 8; ) {
      more = take(2);
      for (let i = 0; i < more && symbols <= mostSymbol + 1; i++) probabilities[symbols++] = 0;
    }
  }
  if (left !== 0 || symbols > mostSymbol + 1 || pos > end * 8) throw wrong(start, 'a table of symbols does not add up');
  fill(table, symbols, log);
  return (pos + 7) >> 3;
}
