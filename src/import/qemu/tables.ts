import { hex64 } from '../../base/hex.ts';
import { tblBind, tblSeen, tblShift } from '../../model/events/msix.ts';
import { ENTRY_BYTES, MSIX_ENTRIES } from '../../model/registers/pci.ts';
import { msixEntry, table } from '../../model/things/pci.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { entryObject } from '../objects.ts';
import type { Holders } from './holders.ts';

export const PAGE = 4096;

const pageOf = (address: number): number => address - (address % PAGE);

/** Where a BAR answers. */
export interface Range {
  readonly base: number;
  readonly size: number;
  /** The log does not tell the size, which is at least this. */
  readonly open?: boolean;
}

/** A function as the tables see it. */
export interface TableOwner {
  readonly object: number;
  /** Where its BARs answer now, by number. */
  readonly bars: readonly (Range | undefined)[];
  /**
   * Where its MSI-X table is taken to start, while no read of the capability told it: BAR, and offset of the lowest page
   * in which an access fell. Emulated tables start on a page; those of assigned devices may not.
   */
  guess: { readonly bar: number; readonly offset: number } | undefined;
}

/** What the tables ask of the map of functions. */
export interface Owners {
  all(): Iterable<TableOwner>;
  /** BAR and offset of a function's MSI-X table, when its capability is known. */
  layout(object: number): { bar: number; offset: number } | undefined;
}

/** The function of a table, and the address where it starts. */
interface Place {
  readonly owner: number;
  readonly start: number;
}

/** Key of a region: the emulator's pointer of it, or the page where the log prints none. */
const keyOf = (address: number, region: string): string => (region === '' ? String(pageOf(address)) : region);

/**
 * Which of the entries that were counted from a place is the first of a table that starts so many bytes behind it. None is where that is
 * half an entry: their bytes were taken for those of other fields, so nothing of them is known.
 */
const firstEntry = (bytes: number): number => (bytes % ENTRY_BYTES === 0 ? bytes / ENTRY_BYTES : MSIX_ENTRIES);

/** A run of an unknown table, named after a page. */
interface Part {
  /** Address of its first access, and of the page of that. */
  readonly address: number;
  readonly page: number;
  readonly object: number;
}

/**
 * MSI-X tables: accesses come with an address only. Their function is the one whose BAR holds it; until that is known
 * the entries are `table/<page>/msix/<n>`, and move when it becomes known. They also get other numbers when it turns out
 * where the table starts.
 */
export class Tables {
  readonly #out: TraceBuilder;
  readonly #owners: Owners;
  readonly #holders: Holders;
  /** Parts without an owner, by the emulator's pointer of the memory region, or by page where the log prints none. */
  readonly #parts = new Map<string, Part[]>();
  /** Tables whose function something else than its BAR told, by the same keys. */
  readonly #told = new Map<string, Place>();

  constructor(out: TraceBuilder, owners: Owners, holders: Holders) {
    this.#out = out;
    this.#owners = owners;
    this.#holders = holders;
  }

  /**
   * The table entry at an address that the log says lies in an MSI-X table, and the byte of it; `region` is the emulator's name for that
   * table (its pointer), or empty. Emits what becomes known on the way. A table starts at a multiple of 8 bytes (PCIe 7.7.2.3), which need
   * not be one of an entry's 16: the byte is counted from the start of the table where that is known.
   */
  entryAt(address: number, region: string): { readonly entry: number; readonly offset: number } {
    const place = this.#place(address, keyOf(address, region));
    const index = place === undefined ? -1 : Math.floor((address - place.start) / ENTRY_BYTES);
    if (place !== undefined && index >= 0 && index < MSIX_ENTRIES)
      return {
        entry: entryObject(this.#out.world, place.owner, index),
        offset: (address - place.start) % ENTRY_BYTES,
      };
    const part = this.#part(address, region);
    const within = address - part.page;
    return {
      entry: this.#out.world.child(msixEntry, part.object, 'msix', Math.floor(within / ENTRY_BYTES)),
      offset: within % ENTRY_BYTES,
    };
  }

  /** Moves entries whose place is known now. Called when a mapping or a capability became known. */
  bind(): void {
    for (const owner of this.#owners.all()) this.#renumber(owner);
    if (this.#parts.size === 0) return;
    const { world } = this.#out;
    for (const [key, parts] of this.#parts) {
      // The lowest page comes first: where no capability tells it, the table starts there.
      parts.sort((a, b) => a.page - b.page);
      const rest = parts.filter((part) => {
        const place = this.#place(part.address, key);
        if (place === undefined || place.start >= part.page + MSIX_ENTRIES * ENTRY_BYTES) return true;
        for (const node of world.node(part.object)?.children.get('msix')?.children.values() ?? [])
          this.#holders.drop(node.object);
        this.#out.emit(
          tblBind
            .put()
            .device(place.owner)
            .first(firstEntry(place.start - part.page)),
          part.object,
        );
        this.#holders.noteFunction(place.owner);
        return false;
      });
      if (rest.length === 0) this.#parts.delete(key);
      else this.#parts.set(key, rest);
    }
  }

  /** The capability shows that the table starts elsewhere than assumed: its entries get their right numbers. */
  #renumber(owner: TableOwner): void {
    if (owner.guess === undefined) return;
    const layout = this.#owners.layout(owner.object);
    if (layout === undefined) return;
    if (layout.bar === owner.guess.bar) this.#shift(owner, layout.offset);
    owner.guess = undefined;
  }

  #shift(owner: TableOwner, offset: number): void {
    const { guess } = owner;
    if (guess === undefined || guess.offset === offset) return;
    this.#holders.dropBelow(owner.object);
    this.#out.emit(tblShift.put().first(firstEntry(offset - guess.offset)), owner.object);
    this.#holders.noteFunction(owner.object);
  }

  /** The region at an address is the table of a function, whose entry `index` lies there. A BAR that holds the address tells it better. */
  tell(address: number, region: string, owner: number, index: number): void {
    const key = keyOf(address, region);
    const start = address - (address % ENTRY_BYTES) - index * ENTRY_BYTES;
    const known = this.#place(address, key);
    if (start < 0 || (known?.owner === owner && known.start === start)) return;
    this.#told.set(key, { owner, start });
    this.bind();
  }

  /** The function whose table an address lies in, and where that starts; `key`: of the region. */
  #place(address: number, key: string): Place | undefined {
    const told = this.#told.get(key);
    const inTold = told !== undefined && address >= told.start && address < told.start + MSIX_ENTRIES * ENTRY_BYTES;
    return this.#inBar(address) ?? (inTold ? told : undefined);
  }

  /** The function whose BAR holds an address, and the address where its MSI-X table starts. */
  #inBar(address: number): Place | undefined {
    for (const f of this.#owners.all()) {
      for (let bar = 0; bar < f.bars.length; bar++) {
        const range = f.bars[bar];
        if (range === undefined || address < range.base || address >= range.base + range.size) continue;
        const layout = this.#owners.layout(f.object);
        if (layout !== undefined) {
          if (layout.bar !== bar) continue;
          return { owner: f.object, start: range.base + layout.offset };
        }
        const offset = Math.max(0, pageOf(address) - range.base);
        if (f.guess?.bar !== bar) f.guess = { bar, offset };
        else if (offset < f.guess.offset) {
          this.#shift(f, offset);
          f.guess = { bar, offset };
        }
        return { owner: f.object, start: range.base + f.guess.offset };
      }
    }
    return undefined;
  }

  /** The part of an unknown table that an address lies in. */
  #part(address: number, region: string): Part {
    const { world } = this.#out;
    const page = pageOf(address);
    const key = keyOf(address, region);
    let parts = this.#parts.get(key);
    if (parts === undefined) this.#parts.set(key, (parts = []));
    const known = parts.find((p) => address >= p.page && address < p.page + MSIX_ENTRIES * ENTRY_BYTES);
    if (known !== undefined) return known;
    const hi = Math.floor(page / 0x100000000);
    const object = world.object(table, `table/${hex64(hi, page >>> 0)}`);
    const part = { address, page, object };
    parts.push(part);
    if (!this.#out.state.present(object)) this.#out.emit(tblSeen.put().address(page >>> 0, hi), object);
    return part;
  }
}
