import { hex64 } from '../../base/hex.ts';
import { effectivelyMasked, tableSize, tblBind, tblSeen } from '../../model/events/msix.ts';
import {
  BAR_64BIT,
  ENTRY_BYTES,
  MSIX_ENTRIES,
  msixPba,
  msixTable,
  offsetBytes,
  pciBar,
} from '../../model/registers/pci.ts';
import { msixCap, msixEntry, table } from '../../model/things/pci.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { entryObject } from '../objects.ts';

const PAGE = 4096;

/** The address bits of a BAR register of memory space. */
const baseOf = (value: number): number => (value & pciBar.f.base.mask) >>> 0;

interface Range {
  base: number;
  size: number;
}

interface Function {
  readonly object: number;
  name: string;
  /** Where its BARs answer now, by number. */
  readonly bars: (Range | undefined)[];
  /** The BAR registers, where the log has no mapping events. */
  config?: (ConfigBar | undefined)[];
}

interface ConfigBar {
  size: number;
  low: number;
  high: number;
  wide: boolean;
  /** All ones were written: the next read is the size mask. */
  sizing: boolean;
}

/** An MSI-X table that was accessed: by the emulator's pointer of its memory region, or by page where it prints none. */
interface SeenTable {
  /** Address of the first access. */
  readonly address: number;
  /** Address of the page of the first access. */
  readonly page: number;
  /** The function that it belongs to, -1 while unknown. */
  owner: number;
  /** Where it starts in the BAR of its owner, when that was taken from the first access; -1 otherwise. */
  offset: number;
  /** Object of the table while its owner is unknown, else -1. */
  object: number;
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
  readonly #functions = new Map<number, Function>();
  readonly #tables = new Map<string, SeenTable>();
  readonly #messages = new Map<number, Map<number, Set<number>>>();
  readonly #held = new Map<number, { address: number; data: number }>();

  constructor(out: TraceBuilder) {
    this.#out = out;
  }

  /** Notes that a function exists. */
  seen(object: number, name: string): void {
    if (!this.#functions.has(object)) this.#functions.set(object, { object, name, bars: [] });
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
    if (base > 0) this.map(object, bar, base, config.size > 0 ? config.size : PAGE);
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
    if (old.config !== undefined) f.config ??= old.config;
    for (const seen of this.#tables.values()) if (seen.owner === from) seen.owner = to;
    for (const [host, guest] of this.#guests) if (guest === from) this.#guests.set(host, to);
    const { world } = this.#out;
    for (const entry of [...this.#held.keys()])
      if (world.path(entry).startsWith(`${world.path(from)}/`)) this.#drop(entry);
    for (const node of [...(world.node(to)?.children.get('msix')?.children.values() ?? [])])
      this.noteMessage(node.object);
  }

  /** A BAR answers at an address from now on (size 0: not at all). Binds tables that lie in it. */
  map(object: number, bar: number, base: number, size: number): void {
    const f = this.#functions.get(object);
    if (f === undefined || bar > 6) return;
    f.bars[bar] = size > 0 ? { base, size } : undefined;
    if (size > 0) this.bindTables();
  }

  /** Moves tables whose owner is known now to that owner. Called when a mapping or a capability became known. */
  bindTables(): void {
    for (const seen of this.#tables.values()) {
      if (seen.owner >= 0) continue;
      const place = this.#place(seen.address, seen);
      if (place === undefined || seen.object < 0) continue;
      const { world } = this.#out;
      this.#out.emit(
        tblBind
          .put()
          .device(place.owner)
          .first((place.start - seen.page) / ENTRY_BYTES),
        seen.object,
      );
      for (const node of world.node(seen.object)?.children.get('msix')?.children.values() ?? [])
        this.#drop(node.object);
      const entries = world.node(place.owner)?.children.get('msix')?.children.values() ?? [];
      for (const node of [...entries]) this.noteMessage(node.object);
      seen.object = -1;
    }
  }

  /**
   * The function whose BAR holds an address, and the address where its MSI-X table starts. While no read
   * of the capability has told that, the table is taken to start on the page of its first access: emulated ones do.
   */
  #place(address: number, seen: SeenTable): { owner: number; start: number } | undefined {
    for (const f of this.#functions.values()) {
      for (let bar = 0; bar < f.bars.length; bar++) {
        const range = f.bars[bar];
        if (range === undefined || address < range.base || address >= range.base + range.size) continue;
        const layout = this.#layout(f.object);
        if (layout !== undefined && layout.bar !== bar) continue;
        if (layout === undefined && seen.owner !== f.object) seen.offset = Math.max(0, seen.page - range.base);
        seen.owner = f.object;
        return { owner: f.object, start: range.base + (layout?.offset ?? seen.offset) };
      }
    }
    return undefined;
  }

  /** BAR and offset of a function's MSI-X table, when its capability is known. */
  #layout(object: number): { bar: number; offset: number } | undefined {
    const { world, state } = this.#out;
    const cap = world.node(object)?.children.get('msixcap')?.object ?? -1;
    const word = cap < 0 ? -1 : state.num(cap, msixCap.at.table);
    return word < 0 ? undefined : { bar: msixTable.f.bir.of(word), offset: offsetBytes(word) };
  }

  /**
   * The table entry at an address that the log says lies in an MSI-X table; `region` is the emulator's name for that
   * table (its pointer), or empty. Emits what becomes known on the way.
   */
  entryAt(address: number, region: string): number {
    const page = address - (address % PAGE);
    const key = region === '' ? String(page) : region;
    let seen = this.#tables.get(key);
    if (seen === undefined) this.#tables.set(key, (seen = { address, page, owner: -1, offset: -1, object: -1 }));
    const place = this.#place(address, seen);
    const index = place === undefined ? -1 : Math.floor((address - place.start) / ENTRY_BYTES);
    if (place !== undefined && index >= 0 && index < MSIX_ENTRIES)
      return entryObject(this.#out.world, place.owner, index);
    return this.#unknownEntry(seen, address);
  }

  #unknownEntry(seen: SeenTable, address: number): number {
    const { world } = this.#out;
    const base = Math.min(seen.page, address - (address % PAGE));
    const hi = Math.floor(base / 0x100000000);
    const path = `table/${hex64(hi, base >>> 0)}`;
    const object = world.object(table, path);
    if (seen.object !== object && base === seen.page) {
      seen.object = object;
      this.#out.emit(tblSeen.put().address(base >>> 0, hi), object);
    }
    return world.child(msixEntry, object, 'msix', Math.floor((address - base) / ENTRY_BYTES));
  }

  /** Whether an address lies in an MSI-X table whose place is fully known; for logs that do not name regions. */
  inKnownTable(address: number): boolean {
    for (const f of this.#functions.values()) {
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
    for (const f of this.#functions.values()) {
      const cap = world.node(f.object)?.children.get('msixcap')?.object ?? -1;
      const word = cap < 0 ? -1 : state.num(cap, msixCap.at.pba);
      const range = word < 0 ? undefined : f.bars[msixPba.f.bir.of(word)];
      if (range === undefined) continue;
      const start = range.base + offsetBytes(word);
      if (address >= start && address < start + 256) return { owner: f.object, first: (address - start) * 8 };
    }
    return undefined;
  }

  /** Notes which message an entry (or MSI capability) holds now, to tell later who sent it. */
  noteMessage(entry: number, address?: number, data?: number): void {
    const { state, world } = this.#out;
    if (entry < 0) return;
    this.#drop(entry);
    let lo = address ?? -1;
    let word = data ?? -1;
    if (address === undefined && world.type(entry) === msixEntry && state.present(entry)) {
      lo = state.num(entry, msixEntry.at.address);
      word = state.num(entry, msixEntry.at.data);
    }
    if (lo <= 0 || word < 0) return;
    let byData = this.#messages.get(lo);
    if (byData === undefined) this.#messages.set(lo, (byData = new Map()));
    let holders = byData.get(word);
    if (holders === undefined) byData.set(word, (holders = new Set()));
    holders.add(entry);
    this.#held.set(entry, { address: lo, data: word });
  }

  #drop(entry: number): void {
    const old = this.#held.get(entry);
    if (old) this.#messages.get(old.address)?.get(old.data)?.delete(entry);
    this.#held.delete(entry);
  }

  /**
   * Who holds a message: `hint` if it does, else the only unmasked holder, else -1. Where the function that sent it is
   * known (`sender`, else -1), only what belongs to that counts.
   */
  holderOf(address: number, data: number, hint: number, sender: number): number {
    const holders = this.#messages.get(address)?.get(data);
    if (holders === undefined) return -1;
    const { world } = this.#out;
    const ownedBy = (object: number): number => {
      const parent = world.node(object)?.parent;
      return (world.type(object) === msixEntry ? parent?.parent : parent)?.object ?? -1;
    };
    if (holders.has(hint) && (sender < 0 || ownedBy(hint) === sender)) return hint;
    let found = -1;
    for (const entry of holders) {
      if (sender >= 0 && ownedBy(entry) !== sender) continue;
      if (world.type(entry) === msixEntry && effectivelyMasked(this.#out.state, entry) === true) continue;
      if (found >= 0) return -1;
      found = entry;
    }
    return found;
  }
}
