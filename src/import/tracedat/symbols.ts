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

/** Names of addresses: read from the text when the first one is asked for. */
export class Symbols {
  readonly #load: () => Uint8Array;
  #text: Uint8Array = new Uint8Array(0);
  /** Addresses in their order, and where the name of each begins in the text. */
  #addresses: Float64Array | undefined;
  #names: Uint32Array = new Uint32Array(0);
  readonly #known = new Map<string, string | undefined>();

  constructor(load: () => Uint8Array) {
    this.#load = load;
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
    const all = this.#addresses ?? this.#read();
    const last = firstWhere(0, all.length, (i) => all[i]! > address) - 1;
    const start = all[last];
    if (start === undefined) return undefined;
    // Of several names of one address the kernel takes the first.
    const first = firstWhere(0, last, (i) => all[i]! >= start);
    const [name, module] = this.#nameAt(this.#names[first]!);
    if (!offset) return name;
    const size = (all[last + 1] ?? start) - start;
    return `${name}+0x${(address - start).toString(16)}/0x${size.toString(16)}${module}`;
  }

  /** A name, and its module in brackets. */
  #nameAt(at: number): [string, string] {
    const text = this.#text;
    let end = at;
    while (end < text.length && text[end] !== LF && text[end] !== TAB && text[end] !== SPACE) end++;
    let stop = end;
    while (stop < text.length && text[stop] !== LF) stop++;
    return [textOf(text, at, end), textOf(text, end, stop).replace(/^\s*(?=\S)/, ' ')];
  }

  /** Lines are `address type name`, and `[module]` behind a tab. */
  #read(): Float64Array {
    const text = (this.#text = this.#load());
    const most = Math.ceil(text.length / SHORTEST_LINE);
    const addresses = new Float64Array(most);
    const names = new Uint32Array(most);
    let count = 0;
    let sorted = true;
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
        sorted = sorted && (count === 0 || address >= addresses[count - 1]!);
        addresses[count] = address;
        names[count++] = i + 3;
        i += 3;
      }
      while (i < text.length && text[i] !== LF) i++;
      at = i + 1;
    }
    const all = addresses.subarray(0, count);
    if (sorted) {
      this.#names = names.slice(0, count);
      return (this.#addresses = all.slice());
    }
    const order = new Uint32Array(count);
    for (let i = 0; i < count; i++) order[i] = i;
    order.sort((a, b) => all[a]! - all[b]! || a - b);
    this.#names = order.map((i) => names[i]!);
    return (this.#addresses = Float64Array.from(order, (i) => all[i]!));
  }
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
