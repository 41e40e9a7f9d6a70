import { hexText } from '../../base/hex.ts';
// Which register owns which bytes of a BAR, which others are trapped with them, and what can still be mapped.

/** How often a register is used: when a driver starts, in errors and administration, or for every piece of work. */
export type Latency = 'init' | 'admin' | 'hot';

/** A register, or a table of equal ones, in a BAR. */
export interface RegionRegister {
  readonly name: string;
  /** First byte in the BAR, and bytes. */
  readonly offset: number;
  readonly size: number;
  readonly latency: Latency;
  /** The vector table and the pending bits, which the VMM emulates; a register that the driver must see written; or neither. */
  readonly kind?: 'vectors' | 'pending' | 'trapped';
}

/** A BAR: its size in bytes and its registers, which should not overlap. */
export interface RegionMap {
  readonly size: number;
  readonly registers: readonly RegionRegister[];
}

/** A run of bytes. */
export interface Area {
  readonly offset: number;
  readonly size: number;
}

/** The granularity at which memory is mapped into a guest. */
export const PAGE = 0x1000;

/** The register that owns a byte; undefined: none. */
export function ownerOf(map: RegionMap, byte: number): RegionRegister | undefined {
  return map.registers.find((r) => byte >= r.offset && byte < r.offset + r.size);
}

/** The pages that a register touches, by the offset of their first byte. */
export function pagesOf({ offset, size }: Area, page = PAGE): number[] {
  const first = Math.floor(offset / page);
  const last = Math.floor((offset + size - 1) / page);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * page);
}

/** The pages that cannot be mapped into the guest, because something in them has to be seen; in order. */
export function trappedPages(map: RegionMap, wanted: (r: RegionRegister) => boolean, page = PAGE): number[] {
  const pages = new Set(map.registers.filter(wanted).flatMap((r) => pagesOf(r, page)));
  return [...pages].sort((a, b) => a - b);
}

/** What VFIO_REGION_INFO_CAP_SPARSE_MMAP lists: the areas between the trapped pages. */
export function sparseAreas(map: RegionMap, trapped: readonly number[], page = PAGE): Area[] {
  const areas: Area[] = [];
  let at = 0;
  for (const hole of [...trapped, Math.ceil(map.size / page) * page]) {
    const end = Math.min(hole, map.size);
    if (end > at) areas.push({ offset: at, size: end - at });
    at = hole + page;
  }
  return areas;
}

/** Registers that are trapped only because they share a page with one that has to be. */
export function collateral(map: RegionMap, wanted: (r: RegionRegister) => boolean, page = PAGE): RegionRegister[] {
  const pages = new Set(trappedPages(map, wanted, page));
  return map.registers.filter((r) => !wanted(r) && pagesOf(r, page).some((p) => pages.has(p)));
}

/** Structures that a recommendation keeps apart and this layout does not. */
export interface LayoutFinding {
  /** `overlap`: two structures lie in the same bytes; `outside`: one does not fit into the BAR; `align`: a structure does not start on a page; `shared`: registers share its page; `hot`: one of these is used for every piece of work. */
  readonly rule: 'overlap' | 'outside' | 'align' | 'shared' | 'hot';
  readonly text: string;
}

const NAMES = { vectors: 'the vector table', pending: 'the pending bits', trapped: 'a trapped register' } as const;

/**
 * Looks at a layout: vector table, pending bits and registers that have to be trapped should start on a page of
 * their own (PCI: implementation note on MSI-X structures and other registers), above all away from hot registers.
 */
export function lintLayout(map: RegionMap, page = PAGE): LayoutFinding[] {
  const findings: LayoutFinding[] = [];
  for (const special of map.registers) {
    if (special.kind === undefined) continue;
    const what = `${special.name} (${NAMES[special.kind]})`;
    const end = special.offset + special.size;
    if (end > map.size)
      findings.push({
        rule: 'outside',
        text: `${what} ends at ${hexText(end)}: the BAR has ${hexText(map.size)} bytes`,
      });
    const later = map.registers.slice(map.registers.indexOf(special) + 1);
    for (const other of map.registers) {
      const told = other.kind !== undefined && !later.includes(other);
      if (other === special || told || other.offset >= end || special.offset >= other.offset + other.size) continue;
      findings.push({
        rule: 'overlap',
        text: `${what} overlaps ${other.name}: a write of one is a write of the other; a VMM refuses such a function (-EINVAL)`,
      });
    }
    if (special.offset % page !== 0)
      findings.push({
        rule: 'align',
        text: `${what} starts at ${hexText(special.offset)}: not aligned to ${hexText(page)}`,
      });
    const pages = new Set(pagesOf(special, page));
    const others = map.registers.filter((r) => r.kind === undefined && pagesOf(r, page).some((p) => pages.has(p)));
    if (others.length > 0)
      findings.push({ rule: 'shared', text: `${what} shares its page with ${others.map((r) => r.name).join(', ')}` });
    for (const hot of others)
      if (hot.latency === 'hot')
        findings.push({
          rule: 'hot',
          text: `${hot.name} is used for every piece of work and shares a page with ${what}`,
        });
  }
  return findings;
}
