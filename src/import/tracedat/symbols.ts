/** What the kernel keeps outside of the ring buffer: names of addresses (/proc/kallsyms) and texts (printk_formats). */
import { LF, SPACE, textOf } from '../../base/bytes.ts';
import { firstWhere } from '../../base/search.ts';
import { unescaped } from './expression.ts';
import type { Texts } from './print.ts';

/** Bytes of a line at least: a digit, a type, two blanks, and the line end behind a name. */
const SHORTEST_LINE = 5;
/** Digits of an address at most. */
const LONGEST_ADDRESS = 16;
const TAB = 9;
/** Of an address so many bits tell it from others: all above are equal (48 or 57 bits are used, and a double holds 53). */
const ADDRESS_BITS = 52;

/** The text with names of addresses, its addresses in their order, and where the name of each begins in it. */
export interface SymbolIndex {
  readonly text: Uint8Array;
  readonly addresses: Float64Array;
  readonly names: Uint32Array;
}

/** Names of addresses: read from the text when the first one is asked for. */
export class Symbols {
  readonly #load: () => Uint8Array;
  #index: SymbolIndex | undefined;
  /** Gives the index that is made elsewhere. */
  #elsewhere: (() => SymbolIndex | undefined) | undefined;
  readonly #known = new Map<string, string | undefined>();

  constructor(load: () => Uint8Array) {
    this.#load = load;
  }

  /** Has the index made elsewhere, until it is needed: what `make` gives waits for it. */
  prepare(make: (text: Uint8Array) => () => SymbolIndex | undefined): void {
    if (this.#index === undefined) this.#elsewhere ??= make(this.#load());
  }

  /** `symbol`, or with the offset `symbol+0x1/0x20 [module]` (sprint_symbol of kernel/kallsyms.c); undefined where there is none. */
  find(address: bigint, offset: boolean): string | undefined {
    const key = `${offset ? '+' : ''}${address}`;
    if (this.#known.has(key)) return this.#known.get(key);
    const name = this.#find(Number(BigInt.asUintN(ADDRESS_BITS, address)), offset);
    if (this.#known.size > 1 << 16) this.#known.clear();
    this.#known.set(key, name);
    return name;
  }

  #find(address: number, offset: boolean): string | undefined {
    const { addresses: all, names } = (this.#index ??= this.#elsewhere?.() ?? indexSymbols(this.#load()));
    const last = firstWhere(0, all.length, (i) => all[i]! > address) - 1;
    const start = all[last];
    if (start === undefined) return undefined;
    // Of several names of one address the kernel takes the first.
    const first = firstWhere(0, last, (i) => all[i]! >= start);
    const [name, module] = this.#nameAt(names[first]!);
    if (!offset) return name;
    const size = (all[last + 1] ?? start) - start;
    return `${name}+0x${(address - start).toString(16)}/0x${size.toString(16)}${module}`;
  }

  /** A name, and its module in brackets. */
  #nameAt(at: number): [string, string] {
    const { text } = this.#index!;
    let end = at;
    while (end < text.length && text[end] !== LF && text[end] !== TAB && text[end] !== SPACE) end++;
    let stop = end;
    while (stop < text.length && text[stop] !== LF) stop++;
    return [textOf(text, at, end), textOf(text, end, stop).replace(/^\s*(?=\S)/, ' ')];
  }
}

/** The index of a text. Its lines are `address type name`, and `[module]` behind a tab. */
export function indexSymbols(text: Uint8Array): SymbolIndex {
  const most = Math.ceil(text.length / SHORTEST_LINE);
  const addresses = new Float64Array(most);
  const names = new Uint32Array(most);
  let count = 0;
  // How many stand in their order: those of modules come behind the others.
  let sorted = 0;
  for (let at = 0; at < text.length; ) {
    // Of sixteen digits the first three tell nothing.
    let i = text[at + LONGEST_ADDRESS] === SPACE ? at + LONGEST_ADDRESS - ADDRESS_BITS / 4 : at;
    const stop = at + LONGEST_ADDRESS;
    let high = 0;
    let low = 0;
    for (; i < stop && text[i]! > SPACE; i++) {
      const byte = text[i]!;
      high = (high << 4) | (low >>> 28);
      low = (low << 4) | (byte >= 97 ? byte - 87 : byte - 48);
    }
    const address = (high >>> 0) * 2 ** 32 + (low >>> 0);
    // Without the rights to see addresses all of them are 0.
    if (address > 0 && text[i] === SPACE && text[i + 2] === SPACE) {
      if (sorted === count && (count === 0 || address >= addresses[count - 1]!)) sorted++;
      addresses[count] = address;
      names[count++] = i + 3;
      i += 3;
    }
    while (i < text.length && text[i] !== LF) i++;
    at = i + 1;
  }
  const all = addresses.subarray(0, count);
  const order = orderOf(all, sorted);
  const index = { text, addresses: new Float64Array(count), names: new Uint32Array(count) };
  for (let i = 0; i < count; i++) {
    index.names[i] = names[order[i]!]!;
    index.addresses[i] = all[order[i]!]!;
  }
  return index;
}

/** The places of numbers in ascending order, of equal ones the first first. The first `sorted` numbers ascend. */
function orderOf(all: Float64Array, sorted: number): Uint32Array {
  const rest = new Uint32Array(all.length - sorted);
  for (let i = 0; i < rest.length; i++) rest[i] = sorted + i;
  rest.sort((a, b) => all[a]! - all[b]! || a - b);
  const order = new Uint32Array(all.length);
  for (let at = 0, i = 0, k = 0; at < order.length; at++)
    order[at] = i < sorted && (k === rest.length || all[i]! <= all[rest[k]!]!) ? i++ : rest[k++]!;
  return order;
}

/** Bytes of printk_formats that are read. */
const LONGEST_LIST = 1 << 24;

/** The texts of printk_formats, by their addresses: lines `0xffffffff81000000 : "text"`. */
export function kernelTexts(text: Uint8Array): Map<bigint, string> {
  const texts = new Map<bigint, string>();
  for (const line of textOf(text, 0, Math.min(text.length, LONGEST_LIST)).split('\n')) {
    const m = /^0x([\da-f]{1,16}) : (".*")/.exec(line);
    if (m) texts.set(BigInt(`0x${m[1]}`), unescaped(m[2]!));
  }
  return texts;
}

/** Both, for printing. */
export function textsOf(symbols: Symbols, printk: ReadonlyMap<bigint, string>): Texts {
  return {
    symbol: (address, offset) => symbols.find(address, offset),
    kernelText: (address) => printk.get(address),
  };
}
