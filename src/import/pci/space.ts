/**
 * The config space of one function as bytes, each known or not, and the lists of capabilities in it. Damaged bytes can make a list a
 * circle, or lead it out of its part: each place is visited once, and only places that a capability can have.
 */

import { BAR_64BIT, BRIDGE_HEADER, headerType, pciBar } from '../../model/registers/pci.ts';
import {
  atsControl,
  dvsecHeader,
  dvsecId,
  EXTENDED,
  extendedCapability,
  pasidControl,
  priControl,
  SIOV,
  siovCapabilities,
  sriovControl,
} from '../../model/registers/pci-extended.ts';

/** Bytes of the config space of a PCI Express function, and of a conventional one. */
export const LARGEST = 4096;
const CONVENTIONAL = 256;
/** Bytes of the header that all functions have. */
const HEADER = 64;
/** Bytes that the kernel gives of a config space: the header, that of a CardBus bridge, a conventional and a PCI Express one. */
export const SIZES: readonly number[] = [HEADER, 128, CONVENTIONAL, LARGEST];

/** Config space offsets. */
const HEADER_TYPE = 0x0e;
const BAR0 = 0x10;
/** Extended capabilities have offsets of dwords. */
const ALIGNED = 4;

/** What extended capabilities say. */
export interface Features {
  readonly ats?: boolean;
  readonly pri?: boolean;
  readonly pasid?: boolean;
  readonly vfs?: number;
  readonly totalVfs?: number;
  readonly ims?: boolean;
}

/** A base address register as its bytes tell it: how large the region is, they do not tell. */
export interface Bar {
  readonly bar: number;
  readonly lo: number;
  readonly hi: number;
  readonly io: boolean;
}

export class ConfigSpace {
  readonly #bytes = new Uint8Array(LARGEST);
  readonly #known = new Uint8Array(LARGEST);
  #count = 0;

  /** How many bytes are known. */
  get count(): number {
    return this.#count;
  }

  /** Takes the byte at an offset; offsets beyond the largest config space are left out. */
  put(offset: number, byte: number): void {
    if (offset < 0 || offset >= LARGEST) return;
    if (this.#known[offset] === 0) this.#count++;
    this.#known[offset] = 1;
    this.#bytes[offset] = byte;
  }

  /** `size` bytes (1, 2 or 4) from an offset on, the lowest first; -1 while one of them is not known. */
  read(offset: number, size: number): number {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) {
      if (this.#known[offset + i] !== 1) return -1;
      value = value * 256 + this.#bytes[offset + i]!;
    }
    return value;
  }

  /** Whether the header is known and reads all ones: nothing answers there. */
  get answersNot(): boolean {
    for (let at = 0; at < HEADER; at++) if (this.#known[at] !== 1 || this.#bytes[at] !== 0xff) return false;
    return true;
  }

  /** The extended capabilities, as far as the list is known: offset and ID. */
  *extended(): Generator<{ readonly at: number; readonly id: number }> {
    const { id, next } = extendedCapability.f;
    const seen = new Set<number>();
    let at = CONVENTIONAL;
    while (at >= CONVENTIONAL && at < LARGEST && at % ALIGNED === 0 && !seen.has(at)) {
      seen.add(at);
      const word = this.read(at, 4);
      // All zeros or all ones at the first place: there is none.
      if (word <= 0 || id.of(word) === id.max) return;
      yield { at, id: id.of(word) };
      at = next.of(word);
    }
  }

  /** What the extended capabilities say; undefined when none of them says anything of interest. */
  features(): Features | undefined {
    let found: Features | undefined;
    const flag = (at: number, field: { in(word: number): boolean }): boolean | undefined => {
      const word = this.read(at, 2);
      return word < 0 ? undefined : field.in(word);
    };
    const add = (name: keyof Features, value: boolean | number | undefined): void => {
      if (value !== undefined) found = { ...found, [name]: value };
    };
    for (const { at, id } of this.extended()) {
      if (id === EXTENDED.ats) add('ats', flag(at + AT.ats, atsControl.f.enable));
      else if (id === EXTENDED.pri) add('pri', flag(at + AT.pri, priControl.f.enable));
      else if (id === EXTENDED.pasid) add('pasid', flag(at + AT.pasid, pasidControl.f.enable));
      else if (id === EXTENDED.sriov) {
        const on = flag(at + AT.sriov, sriovControl.f.enable);
        const [total, count] = [this.read(at + AT.totalVfs, 2), this.read(at + AT.vfs, 2)];
        add('totalVfs', total < 0 ? undefined : total);
        add('vfs', on === false ? 0 : on === undefined || count < 0 ? undefined : count);
      } else if (id === EXTENDED.dvsec && this.#isSiov(at)) {
        const word = this.read(at + AT.siov, 4);
        add('ims', word < 0 ? undefined : siovCapabilities.f.ims.in(word));
      }
    }
    return found;
  }

  #isSiov(at: number): boolean {
    const [first, second] = [this.read(at + AT.dvsec, 4), this.read(at + AT.dvsecId, 2)];
    if (first < 0 || second < 0) return false;
    return dvsecHeader.f.vendor.of(first) === SIOV.vendor && dvsecId.f.id.of(second) === SIOV.id;
  }

  /** The base address registers that hold an address. */
  bars(): Bar[] {
    const type = this.read(HEADER_TYPE, 1);
    if (type < 0) return [];
    const layout = headerType.f.layout.of(type);
    const most = layout === 0 ? 6 : layout === BRIDGE_HEADER ? 2 : 0;
    const found: Bar[] = [];
    for (let bar = 0; bar < most; bar++) {
      const word = this.read(BAR0 + 4 * bar, 4);
      if (word < 0) continue;
      const io = pciBar.f.space.in(word);
      const wide = !io && pciBar.f.type.of(word) === BAR_64BIT;
      const hi = wide && bar + 1 < most ? this.read(BAR0 + 4 * (bar + 1), 4) : 0;
      // Of I/O ports bits 1:0 are none of the address.
      const lo = (word & (io ? ~3 : pciBar.f.base.mask)) >>> 0;
      if (hi >= 0 && (lo !== 0 || hi !== 0)) found.push({ bar, lo, hi, io });
      if (wide) bar++;
    }
    return found;
  }
}

/** Where registers lie in their capabilities. */
export const AT = {
  ats: 6,
  pri: 4,
  pasid: 6,
  sriov: 8,
  totalVfs: 0x0e,
  vfs: 0x10,
  dvsec: 4,
  dvsecId: 8,
  siov: 0x14,
} as const;
