import { tableSize } from '../../model/events/msix.ts';
import { BAR_64BIT, ENTRY_BYTES, msixPba, msixTable, offsetBytes, pciBar } from '../../model/registers/pci.ts';
import { msixCap } from '../../model/things/pci.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { Holders } from './holders.ts';
import { PAGE, type Range, type TableOwner, Tables } from './tables.ts';

/** The address bits of a BAR register of memory space. */
const baseOf = (value: number): number => (value & pciBar.f.base.mask) >>> 0;

/** Pages of which the functions that answer there are remembered. */
const MOST_PAGES = 4096;

interface Function extends TableOwner {
  name: string;
  readonly bars: (Range | undefined)[];
  /** The BAR registers, where the log has no mapping events. */
  config?: (ConfigBar | undefined)[];
}

/** Where an entry of an MSI-X table lies: address, the emulator's name for the region, number of the entry. */
interface VfioEntry {
  readonly address: number;
  readonly region: string;
  readonly index: number;
}

interface ConfigBar {
  size: number;
  low: number;
  high: number;
  wide: boolean;
  /** All ones were written: the next read is the size mask. */
  sizing: boolean;
}

/**
 * Which guest-physical address belongs to which function: BAR mappings as they come and go, MSI-X capabilities as they
 * become known, and the tables that were accessed before their owner was known.
 */
export class PciMap {
  /** The log has mapping events, so BAR registers need not be followed. */
  mapped = false;
  readonly #out: TraceBuilder;
  readonly #guests = new Map<string, number>();
  /** An entry of the table of a VFIO device, while its function is not known. */
  readonly #waiting = new Map<string, VfioEntry>();
  readonly #functions = new Map<number, Function>();
  /** The functions that may answer in a page, while no BAR changes. */
  readonly #near = new Map<number, readonly Function[]>();
  /** The messages that entries hold, and the tables that they lie in. */
  readonly holders: Holders;
  readonly tables: Tables;

  constructor(out: TraceBuilder) {
    this.#out = out;
    this.holders = new Holders(out);
    this.tables = new Tables(
      out,
      { all: () => this.#functions.values(), layout: (f) => this.#layout(f) },
      this.holders,
    );
  }

  /** Notes that a function exists. */
  seen(object: number, name: string): void {
    if (!this.#functions.has(object)) this.#functions.set(object, { object, name, bars: [], guess: undefined });
  }

  /** Takes the device model's name where the function was first seen without it; false when it has one already. */
  rename(object: number, name: string): boolean {
    const f = this.#functions.get(object);
    if (f === undefined || f.name !== '') return false;
    f.name = name;
    return true;
  }

  /** Ties a VFIO device of the host to the guest's function; false when that was known already. */
  pair(host: string, guest: number): boolean {
    if (this.#guests.get(host) === guest) return false;
    this.#guests.set(host, guest);
    return true;
  }

  /** An entry at an address is that of a vector of an assigned device: its table is that of the function that the guest sees. */
  entryOfVfio(host: string, { address, region, index }: VfioEntry): void {
    const guest = this.guestOf(host);
    if (guest >= 0) this.tables.tell(address, region, guest, index);
    else this.#waiting.set(host, { address, region, index });
  }

  /** The function of a VFIO device became known, and that was told: its table is known, too. */
  paired(host: string): void {
    const entry = this.#waiting.get(host);
    this.#waiting.delete(host);
    if (entry !== undefined) this.entryOfVfio(host, entry);
  }

  /** The guest's function of a VFIO device of the host, or -1. */
  guestOf(host: string): number {
    return this.#guests.get(host) ?? -1;
  }

  /**
   * A BAR as config accesses show it, for logs without mapping events: software writes all ones, reads the size mask
   * back, then writes the base. Of 64-bit BARs the lower half has bits 2:1 = 2. `bar` is 0 to 5.
   */
  configBar(object: number, bar: number, value: number, write: boolean): void {
    const f = this.#functions.get(object);
    if (f === undefined) return;
    const config = (f.config ??= [])[bar] ?? (f.config[bar] = { size: 0, low: 0, high: 0, wide: false, sizing: false });
    const below = f.config[bar - 1];
    if (below?.wide) {
      if (write && value !== 0xffffffff) below.high = value;
      this.#mapConfig(object, bar - 1, below);
      return;
    }
    if (write) {
      config.sizing = value === 0xffffffff;
      if (config.sizing) return;
      config.low = baseOf(value);
    } else {
      const { space, type } = pciBar.f;
      config.wide = !space.in(value) && type.of(value) === BAR_64BIT;
      if (config.sizing && baseOf(value) !== 0) config.size = (~baseOf(value) + 1) >>> 0;
    }
    this.#mapConfig(object, bar, config);
  }

  #mapConfig(object: number, bar: number, config: ConfigBar): void {
    const base = config.high * 0x100000000 + config.low;
    if (base > 0) this.map(object, bar, base, config.size > 0 ? config.size : PAGE, config.size === 0);
  }

  /** Whether a function was seen before. */
  knows(object: number): boolean {
    return this.#functions.has(object);
  }

  /** The only function with that device model name, or -1 when there is none or more than one. */
  byName(name: string): number {
    let found = -1;
    for (const f of this.#functions.values()) {
      if (f.name !== name) continue;
      if (found >= 0) return -1;
      found = f.object;
    }
    return found;
  }

  /** The device model's name of a function; empty while it is not known. */
  nameOf(object: number): string {
    return this.#functions.get(object)?.name ?? '';
  }

  /** The functions that were seen so far. */
  all(): number[] {
    return [...this.#functions.keys()];
  }

  /** The functions that were seen so far with that device model name. */
  named(name: string): number[] {
    return [...this.#functions.values()].filter((f) => f.name === name).map((f) => f.object);
  }

  /** A function that was known by name only turned out to be another one: what is remembered of it goes there. */
  moved(from: number, to: number): void {
    const old = this.#functions.get(from);
    if (old === undefined) return;
    this.#functions.delete(from);
    this.seen(to, old.name);
    const f = this.#functions.get(to)!;
    if (f.name === '') f.name = old.name;
    for (const [n, range] of old.bars.entries()) f.bars[n] ??= range;
    this.#near.clear();
    if (old.config !== undefined) f.config ??= old.config;
    f.guess ??= old.guess;
    for (const [host, guest] of this.#guests) if (guest === from) this.#guests.set(host, to);
    this.holders.dropBelow(from);
    this.holders.noteFunction(to);
  }

  /** A BAR answers at an address from now on (size 0: not at all; `open`: it may be larger). Binds tables that lie in it. */
  map(object: number, bar: number, base: number, size: number, open = false): void {
    const f = this.#functions.get(object);
    if (f === undefined || bar > 6) return;
    f.bars[bar] = size > 0 ? { base, size, open } : undefined;
    this.#near.clear();
    if (size > 0) this.tables.bind();
  }

  /** BAR and offset of a function's MSI-X table, when its capability is known. */
  #layout(object: number): { bar: number; offset: number } | undefined {
    const { world, state } = this.#out;
    const cap = world.node(object)?.children.get('msixcap')?.object ?? -1;
    const word = cap < 0 ? -1 : state.num(cap, msixCap.at.table);
    return word < 0 ? undefined : { bar: msixTable.f.bir.of(word), offset: offsetBytes(word) };
  }

  /** The functions that may answer in the page of an address; for logs that do not name regions, which ask this of every access. */
  #answering(address: number): readonly Function[] {
    const page = Math.floor(address / PAGE);
    const known = this.#near.get(page);
    if (known !== undefined) return known;
    const touches = ({ base, size, open }: Range): boolean =>
      page >= Math.floor(base / PAGE) && (open === true || page * PAGE < base + size);
    const found = [...this.#functions.values()].filter((f) => f.bars.some((range) => range && touches(range)));
    if (this.#near.size >= MOST_PAGES) this.#near.clear();
    this.#near.set(page, found);
    return found;
  }

  /** Whether an address lies in an MSI-X table whose place is fully known; for logs that do not name regions. */
  inKnownTable(address: number): boolean {
    for (const f of this.#answering(address)) {
      const layout = this.#layout(f.object);
      const range = layout && f.bars[layout.bar];
      if (layout === undefined || range === undefined) continue;
      const start = range.base + layout.offset;
      const size = Math.max(1, tableSize(this.#out.state, f.object));
      if (address >= start && address < start + size * ENTRY_BYTES) return true;
    }
    return false;
  }

  /** The function whose pending bit array holds an address, with the number of the first vector there. */
  pbaAt(address: number): { owner: number; first: number } | undefined {
    const { world, state } = this.#out;
    for (const f of this.#answering(address)) {
      const cap = world.node(f.object)?.children.get('msixcap')?.object ?? -1;
      const word = cap < 0 ? -1 : state.num(cap, msixCap.at.pba);
      const range = word < 0 ? undefined : f.bars[msixPba.f.bir.of(word)];
      if (range === undefined) continue;
      const start = range.base + offsetBytes(word);
      if (address >= start && address < start + 256) return { owner: f.object, first: (address - start) * 8 };
    }
    return undefined;
  }
}
