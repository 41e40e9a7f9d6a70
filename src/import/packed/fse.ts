/** Finite State Entropy tables of zstd (RFC 8878 4.1): what a state says, and which state follows. */
import type { Damage } from './damage.ts';

export interface FseTable {
  /** Bits of a state. */
  readonly log: number;
  readonly symbols: Uint8Array;
  /** Of each state: how many bits are read, and what they are added to, for the next state. */
  readonly bits: Uint8Array;
  readonly bases: Uint16Array;
}

/** What makes an error at a place of the block. */
export type Wrong = (at: number, what: string) => Damage;

const highestBit = (n: number): number => 31 - Math.clz32(n);

/** The table of a distribution: the probability of each symbol, -1 for "less than one". */
export function fseTable(probabilities: readonly number[], log: number): FseTable {
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  const next = new Uint16Array(probabilities.length);
  let high = size;
  for (const [symbol, probability] of probabilities.entries()) {
    if (probability === -1) symbols[--high] = symbol;
    next[symbol] = Math.abs(probability);
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  for (const [symbol, probability] of probabilities.entries()) {
    for (let i = 0; i < probability; i++) {
      symbols[at] = symbol;
      do at = (at + step) & (size - 1);
      while (at >= high);
    }
  }
  const bits = new Uint8Array(size);
  const bases = new Uint16Array(size);
  for (let state = 0; state < size; state++) {
    const n = next[symbols[state]!]!++;
    bits[state] = log - highestBit(n);
    bases[state] = (n << bits[state]!) - size;
  }
  return { log, symbols, bits, bases };
}

/** The table that always says one symbol. */
export const fseConstant = (symbol: number): FseTable => ({
  log: 0,
  symbols: Uint8Array.of(symbol),
  bits: new Uint8Array(1),
  bases: new Uint16Array(1),
});

/** Reads a distribution (4.1.1) from bytes `start` to `end`; returns its table and the offset of the byte behind it. */
export function readFse(
  b: Uint8Array,
  start: number,
  end: number,
  mostLog: number,
  mostSymbol: number,
  wrong: Wrong,
): { table: FseTable; end: number } {
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
  const probabilities: number[] = [];
  let left = 1 << log;
  while (left > 0 && probabilities.length <= mostSymbol && pos <= end * 8) {
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
    probabilities.push(probability);
    if (probability !== 0) continue;
    for (let more = 3; more === 3 && pos <= end * 8; ) {
      more = take(2);
      for (let i = 0; i < more; i++) probabilities.push(0);
    }
  }
  if (left !== 0 || probabilities.length > mostSymbol + 1 || pos > end * 8)
    throw wrong(start, 'a table of symbols does not add up');
  return { table: fseTable(probabilities, log), end: (pos + 7) >> 3 };
}
