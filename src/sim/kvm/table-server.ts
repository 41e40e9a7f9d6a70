import type { ObjectId } from '../../base/ids.ts';
import { pbaRead, tblRead, tblWrite } from '../../model/events/msix.ts';
import { illegal } from '../../model/events/outcome.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { kvmRoute } from '../../model/things/virt.ts';
import type { Design } from '../design.ts';
import type { PciFunction, Served } from '../device/pci-function.ts';
import type { Actions, Machine } from '../machine.ts';
import { allOnes, type EntryPart, entryParts, type GuestAccess, type KernelServer } from './guest-mmio.ts';
import type { KvmTable, KvmTables } from './kvm-tables.ts';

/** A design in which KVM serves tables: the policies that its parts follow. */
export type TableDesign = Pick<
  Design,
  | 'missingEntry'
  | 'defineTable'
  | 'stillClaims'
  | 'pbaRead'
  | 'pbaAlwaysZero'
  | 'msixNotify'
  | 'qwordSplit'
  | 'userMemory'
> & { readonly msixOwner: Exclude<Design['msixOwner'], 'user'> };

/** How KVM serves tables; undefined where it serves none. What an owner has no use for is not asked of the design. */
export function tableDesign(design: Design): TableDesign | undefined {
  const { msixOwner } = design;
  if (msixOwner === 'user') return undefined;
  const writesMessages = msixOwner === 'perEntry' || msixOwner === 'kernel' || msixOwner === 'umem';
  const shares = msixOwner === 'maskBit' || msixOwner === 'perEntry' || msixOwner === 'cache';
  return {
    msixOwner,
    missingEntry: design.missingEntry,
    defineTable: design.defineTable,
    stillClaims: design.stillClaims,
    pbaRead: design.pbaRead,
    pbaAlwaysZero: design.pbaAlwaysZero,
    msixNotify: writesMessages ? design.msixNotify : 'none',
    qwordSplit: shares ? design.qwordSplit : 'split',
    userMemory: msixOwner === 'umem' ? design.userMemory : 'pinned',
  };
}

/** What KVM needs of the machine around it. */
export interface ServeMachine {
  readonly machine: Machine;
  /** GSI whose route carries the message of an entry; undefined without one. */
  gsiOf(fn: PciFunction, index: number): number | undefined;
  /** Object of a route. */
  routeOf(gsi: number): number;
  /** Guest-physical address of an access. */
  addressOf(access: GuestAccess): number | undefined;
  /** What served the access at hand; followers of table writes read it. */
  byKernel(what: () => number[] | undefined): number[] | undefined;
  /** Returns to the VMM with an exit reason; the VMM does what belongs to it. */
  exitToVmm(vcpu: number, reason: string, done: () => void): Actions;
  /** The VMM learns that KVM changed an entry. */
  updated(table: KvmTable, index: number, fetch: boolean): void;
  /** KVM itself sets the route of an entry from the table. */
  routeFromTable(fn: PciFunction, index: number): void;
  /** The VMM serves an access itself. */
  user(access: GuestAccess): number[];
}

const BY_KERNEL: Served = { served: 'kernel', exits: 0 };
const NOTIFIED: Served = { served: 'kernel', exits: 1 };

/** KVM serving MSI-X tables in the kernel, in one of the designs that were proposed. */
export class TableServer implements KernelServer {
  readonly machine: Machine;
  readonly design: TableDesign;
  readonly tables: KvmTables;
  readonly #vm: ServeMachine;
  /** Reads that the routing cache had, and that it had not (design cache). */
  readonly cache = { hits: 0, misses: 0 };

  constructor(vm: ServeMachine, tables: KvmTables, design: TableDesign) {
    this.machine = vm.machine;
    this.#vm = vm;
    this.tables = tables;
    this.design = design;
  }

  *serve(access: GuestAccess, vcpu: number): Actions<number[] | undefined> {
    const address = this.#vm.addressOf(access);
    const table = address === undefined ? undefined : this.tables.at(address);
    if (table === undefined || table.fn !== access.fn) return undefined;
    return access.region === 'pba' ? this.#pending(table, access) : yield* this.#table(table, access, vcpu);
  }

  /** Reads of the pending bits; writes are the VMM's to refuse. */
  #pending(table: KvmTable, { fn, offset, size, value }: GuestAccess): number[] | undefined {
    const { design, machine } = this;
    if (value || design.pbaRead === 'exit' || offset % size !== 0 || (size !== 4 && size !== 8)) return undefined;
    const first = offset * 8;
    const set = this.tables.pending(table).filter((i) => i >= first && i < first + size * 8);
    const bits = Array.from({ length: size / 4 }, (_, word) =>
      set.reduce((all, i) => ((i - first) >>> 5 === word ? (all | (1 << ((i - first) & 31))) >>> 0 : all), 0),
    );
    if (design.pbaAlwaysZero === 'on') {
      const zero = bits.map(() => 0);
      machine.emit(pbaRead, fn.object, { first, size, value: zero, ...BY_KERNEL, stale: true });
      if (set.length > 0)
        machine.emit(illegal, fn.object, { rule: 'INV-PBA', text: `reads 0 while ${listed(set)} pending` });
      return zero;
    }
    if (fn.decodes === false) {
      this.#claims(fn.object, 'a read of the pending bits');
      machine.emit(pbaRead, fn.object, { first, size, value: bits, ...BY_KERNEL });
      return bits;
    }
    const gone = set.filter((i) => table.fn.gone(i));
    const words = fn.readPba(first, size, BY_KERNEL);
    if (gone.length > 0)
      machine.emit(illegal, fn.object, {
        rule: 'INV-PBA',
        text: `${listed(gone)} shown as pending whose cause the device took back: nobody asked the device model`,
      });
    return words;
  }

  #claims(object: ObjectId, what: string): void {
    this.machine.emit(illegal, object, {
      rule: 'INV-DECODE',
      text: `KVM serves ${what} while Memory Space Enable is 0: the function must not claim it`,
    });
  }

  *#table(table: KvmTable, access: GuestAccess, vcpu: number): Actions<number[] | undefined> {
    const { fn, offset, size, value } = access;
    const parts = entryParts(offset, size);
    const [part] = parts;
    if (part === undefined) return undefined;
    const aligned = (size === 4 || size === 8) && offset % size === 0;
    const dwords = Array.from({ length: aligned ? size / 4 : 1 }, (_, i) => (part.offset >>> 2) + i);
    const mine = dwords.map((dword) => this.#serves(table, part.index, dword, value !== undefined));
    if (!mine.includes(true)) return undefined;
    if (!aligned) return this.#discard(access, parts);
    if (this.design.userMemory === 'unmapped') {
      this.machine.emit(illegal, fn.entry(part.index), {
        rule: 'EFAULT',
        text: 'the memory of the VMM that holds the shadow is gone: the access goes to the VMM',
      });
      return undefined;
    }
    if (!mine.includes(false)) return yield* this.#whole(table, access, part, vcpu);
    return yield* this.#halves(table, access, part, mine, vcpu);
  }

  /** Not an aligned dword or qword: undefined by the specification, discarded. */
  #discard({ fn, size, value }: GuestAccess, parts: readonly EntryPart[]): number[] {
    for (const part of parts)
      this.machine.emit(illegal, fn.entry(part.index), {
        rule: 'U1',
        text: `${part.size} bytes at entry offset ${part.offset} of a ${value ? 'write' : 'read'} of ${size}: not an aligned dword or qword; discarded by KVM`,
      });
    return value ? [] : allOnes(size);
  }

  /** Whether KVM serves a dword of an entry: 0 and 1 address, 2 data, 3 vector control. */
  #serves(table: KvmTable, index: number, dword: number, write: boolean): boolean {
    switch (this.design.msixOwner) {
      case 'maskBit':
        return dword === 3;
      case 'perEntry':
        return dword === 3 || this.tables.holds(table.id, index);
      case 'cache':
        if (dword === 3 || write) return dword === 3;
        return this.#cached(table.fn, index) !== undefined;
      case 'kernel':
      case 'umem':
      case 'internal':
        return true;
    }
  }

  /** Object of the route that holds the message of an entry; counted. */
  #cached(fn: PciFunction, index: number): number | undefined {
    const gsi = this.#vm.gsiOf(fn, index);
    if (gsi === undefined) {
      this.cache.misses++;
      return undefined;
    }
    this.cache.hits++;
    return this.#vm.routeOf(gsi);
  }

  /** An access that KVM serves as a whole. */
  *#whole(table: KvmTable, access: GuestAccess, part: EntryPart, vcpu: number): Actions<number[]> {
    const { design, machine } = this;
    const { fn, size, value } = access;
    const message = value !== undefined && part.offset < 12;
    const notifies = message && design.msixNotify !== 'none';
    const served = notifies ? NOTIFIED : BY_KERNEL;
    const entry = fn.entry(part.index);
    if (fn.decodes === false) {
      this.#claims(entry, value ? 'a write' : 'a read');
      const words = value ? [...value] : this.#stored(entry, part.offset, size);
      machine.emit(value ? tblWrite : tblRead, entry, { offset: part.offset, size, value: words, ...served });
      return value ? [] : words;
    }
    const wrong = value === undefined && design.msixOwner === 'cache' ? this.#wrong(fn, part, size) : undefined;
    if (wrong) {
      machine.emit(tblRead, entry, { offset: part.offset, size, value: wrong, ...served, stale: true });
      machine.emit(illegal, entry, {
        rule: 'INV-CACHEEQ',
        text: 'the routing table that serves as cache holds another message than the table',
      });
      return wrong;
    }
    const words = this.#vm.byKernel(() => fn.table(part.index, part.offset, size, value, served)) ?? [];
    if (message && design.msixOwner === 'internal') this.#vm.routeFromTable(fn, part.index);
    if (notifies) {
      const own = design.msixNotify === 'updated';
      yield* this.#vm.exitToVmm(vcpu, own ? 'KVM_EXIT_MSIX_ENTRY_UPDATED' : 'KVM_EXIT_MMIO', () =>
        this.#vm.updated(table, part.index, own),
      );
    }
    return words;
  }

  #stored(entry: number, offset: number, size: number): number[] {
    const { state } = this.machine;
    return Array.from({ length: size / 4 }, (_, i) => state.get(entry, msixEntry.at.address + (offset >>> 2) + i));
  }

  /** What the cache shows of an entry when that differs from the table. */
  #wrong(fn: PciFunction, { index, offset }: EntryPart, size: number): number[] | undefined {
    if (offset >= 12) return undefined;
    const gsi = this.#vm.gsiOf(fn, index);
    if (gsi === undefined) return undefined;
    const { state } = this.machine;
    const entry = fn.entry(index);
    const words = this.#stored(entry, offset, size);
    const cells = [kvmRoute.at.address, kvmRoute.at.address + 1, kvmRoute.at.data];
    const cache = words.map((word, i) => {
      const cell = cells[(offset >>> 2) + i];
      return cell === undefined ? word : state.get(this.#vm.routeOf(gsi), cell);
    });
    return cache.some((word, i) => word !== words[i]) ? cache : undefined;
  }

  /** An aligned qword whose halves have two owners: data is the VMM's, vector control is KVM's. */
  *#halves(
    table: KvmTable,
    access: GuestAccess,
    part: EntryPart,
    mine: readonly boolean[],
    vcpu: number,
  ): Actions<number[]> {
    const { offset, value } = access;
    if (this.design.qwordSplit === 'user') {
      let words: number[] = [];
      yield* this.#vm.exitToVmm(vcpu, 'KVM_EXIT_MMIO', () => {
        words = this.#vm.user(access);
        if (value) this.tables.setEntry(table.id, part.index);
      });
      return value ? [] : words;
    }
    const words: number[] = [];
    for (const [i, kernel] of mine.entries()) {
      const half = { ...access, offset: offset + 4 * i, size: 4, ...(value ? { value: [value[i] ?? 0] } : {}) };
      const at = { ...part, offset: part.offset + 4 * i, size: 4 };
      if (kernel) words.push(...(yield* this.#whole(table, half, at, vcpu)));
      else
        yield* this.#vm.exitToVmm(vcpu, 'KVM_EXIT_MMIO', () => {
          words.push(...this.#vm.user(half));
        });
    }
    return value ? [] : words;
  }
}

const listed = (indexes: readonly number[]): string =>
  `${indexes.length === 1 ? 'vector' : 'vectors'} ${indexes.join(', ')} ${indexes.length === 1 ? 'is' : 'are'}`;
