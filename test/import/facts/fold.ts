// What the tests compute on their own from the lines of a QEMU log, to hold the importer against: regular expressions
// and maps only, nothing of the code under test.
import type { SourceLine } from '../../helpers/fixtures.ts';

/** A memory access as a log line prints it. */
export interface Access {
  readonly write: boolean;
  readonly cpu: number;
  readonly address: number;
  readonly value: bigint;
  readonly size: number;
  readonly region: string;
}

const ACCESS =
  /memory_region_ops_(read|write) cpu (-?\d+) mr 0x[0-9a-f]+ addr (0x[0-9a-f]+) value (0x[0-9a-f]+) size (\d) name '([^']+)'/;

export function accessOf(text: string): Access | undefined {
  const m = ACCESS.exec(text);
  if (!m) return undefined;
  return {
    write: m[1] === 'write',
    cpu: Number(m[2]),
    address: Number(m[3]),
    value: BigInt(m[4]!),
    size: Number(m[5]),
    region: m[6]!,
  };
}

/** One MSI-X entry as a fold over the accesses makes it: bytes as far as they were seen, and how often it was written. */
export interface FoldedEntry {
  readonly bytes: (number | undefined)[];
  writes: number;
  reads: number;
}

/** Where the MSI-X tables of a capture lie: `<bdf>` with BAR and offset, as lspci of the same run prints it. */
export type TablePlaces = readonly (readonly [bdf: string, bar: number, offset: number])[];

const MAPPING = /pci_update_mappings_add \S+ ([0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]) (\d),(0x[0-9a-f]+)\+(0x[0-9a-f]+)/;

/** Folds the accesses of region `msix-table` into the entries of all tables, following BARs as they are mapped. */
export class TableFold {
  readonly entries = new Map<string, FoldedEntry>();
  /** Accesses that lay in no BAR known at that time. */
  strays = 0;
  readonly #places: TablePlaces;
  readonly #bases = new Map<string, number>();

  constructor(places: TablePlaces) {
    this.#places = places;
  }

  take(line: SourceLine): void {
    const mapping = MAPPING.exec(line.text);
    if (mapping) this.#bases.set(`${mapping[1]} ${mapping[2]}`, Number(mapping[3]));
    const access = accessOf(line.text);
    if (access?.region !== 'msix-table') return;
    for (const [bdf, bar, offset] of this.#places) {
      const start = (this.#bases.get(`${bdf} ${bar}`) ?? Number.NaN) + offset;
      if (!(access.address >= start && access.address < start + 0x1000)) continue;
      this.#store(`device/0000:${bdf}/msix/${Math.floor((access.address - start) / 16)}`, access);
      return;
    }
    this.strays++;
  }

  #store(path: string, access: Access): void {
    let entry = this.entries.get(path);
    if (!entry) this.entries.set(path, (entry = { bytes: new Array(16).fill(undefined), writes: 0, reads: 0 }));
    if (access.write) entry.writes++;
    else entry.reads++;
    for (let i = 0; i < access.size; i++)
      entry.bytes[(access.address % 16) + i] = Number((access.value >> BigInt(8 * i)) & 0xffn);
  }
}

/** Bytes as one hexadecimal number the way answers print it; null while one of them is unknown. */
export function hexOf(bytes: readonly (number | undefined)[]): string | null {
  if (bytes.includes(undefined)) return null;
  return `0x${bytes.reduceRight<bigint>((sum, b) => (sum << 8n) | BigInt(b!), 0n).toString(16)}`;
}
