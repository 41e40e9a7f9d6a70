/** What the kernel keeps outside of the ring buffer: names of addresses (/proc/kallsyms) and texts (printk_formats). */
import { LF, SPACE, textOf } from '../../base/bytes.ts';
import { firstWhere } from '../../base/search.ts';
import { unescaped } from './expression.ts';
import type { Texts } from './print.ts';

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
    const addresses: number[] = [];
    const names: number[] = [];
    for (let at = 0; at < text.length; ) {
      let end = text.indexOf(LF, at);
      if (end < 0) end = text.length;
      let address = 0;
      let i = at;
      for (; i < end && i < at + LONGEST_ADDRESS && text[i] !== SPACE; i++) {
        const byte = text[i]!;
        // Of sixteen digits the first three tell nothing.
        if (i - at >= LONGEST_ADDRESS - ADDRESS_BITS / 4 || text[at + LONGEST_ADDRESS] !== SPACE)
          address = address * 16 + (byte >= 97 ? byte - 87 : byte - 48);
      }
      // Without the rights to see addresses all of them are 0.
      if (address > 0 && text[i] === SPACE && text[i + 2] === SPACE) {
        addresses.push(address);
        names.push(i + 3);
      }
      at = end + 1;
    }
    const order = Uint32Array.from(addresses.keys());
    let sorted = true;
    for (let i = 1; i < addresses.length && sorted; i++) sorted = addresses[i]! >= addresses[i - 1]!;
    if (!sorted) order.sort((a, b) => addresses[a]! - addresses[b]! || a - b);
    this.#names = order.map((i) => names[i]!);
    return (this.#addresses = Float64Array.from(order, (i) => addresses[i]!));
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
