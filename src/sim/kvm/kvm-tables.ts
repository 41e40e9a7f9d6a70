import { kvmIoctl, kvmTableDefine, kvmTableEntry, kvmTableRemove } from '../../model/events/virt.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { kvmEntrySource, kvmTable } from '../../model/things/virt.ts';
import { errno } from '../irq/domain.ts';
import type { ArgsOf, Machine } from '../machine.ts';
import type { EmulatedFunction } from './emulated-function.ts';

/** Guest-physical addresses below this are RAM of the guest. */
export const GUEST_RAM = 0x80000000;
/** Flag of KVM_GET_MSIX_ENTRY: KVM does not hold the entry (KVM_MSIX_FLAG_ENTRY of the first proposal). */
export const NOT_IN_KERNEL = 1;

/** A table that KVM serves. */
export interface KvmTable {
  readonly id: number;
  readonly fn: EmulatedFunction;
  readonly entries: number;
  readonly base: number;
  readonly pendingBase: number;
}

/** The contents of an entry as an ioctl carries them; undefined where the trace does not know them. */
interface Contents {
  readonly address?: number;
  readonly data?: number;
  readonly control?: number;
}

/** The calls of the proposal of 2010 about MSI-X tables in KVM, with their errors. Every call is an `ioctl` event. */
export class KvmTables {
  readonly machine: Machine;
  /** Object of the virtual machine. */
  readonly vm: number;
  /** Whether KVM_GET_MSIX_ENTRY of an entry that it does not hold is a flag; otherwise -EINVAL. */
  readonly flagsMissing: boolean;
  /** Whether KVM reaches the memory where the VMM wants tables to lie. */
  readonly reachable: boolean;
  readonly #tables = new Map<number, KvmTable>();

  constructor(machine: Machine, vm: number, flagsMissing: boolean, reachable: boolean) {
    this.machine = machine;
    this.vm = vm;
    this.flagsMissing = flagsMissing;
    this.reachable = reachable;
  }

  /** Object of a table. */
  object(id: number): number {
    return this.machine.world.child(kvmTable, this.vm, 'msix', id);
  }

  /** Object of an entry of a table, as KVM holds it. */
  entry(id: number, entry: number): number {
    return this.machine.world.child(kvmEntrySource, this.object(id), 'entry', entry);
  }

  /** The table with a number. */
  table(id: number): KvmTable | undefined {
    return this.#tables.get(id);
  }

  /** The table of a function. */
  of(fn: { readonly bdf: string }): KvmTable | undefined {
    return [...this.#tables.values()].find((t) => t.fn.bdf === fn.bdf);
  }

  /** The table whose entries or pending bits lie at a guest-physical address. */
  at(address: number): KvmTable | undefined {
    return [...this.#tables.values()].find(
      (t) =>
        (address >= t.base && address < t.base + 16 * t.entries) ||
        (address >= t.pendingBase && address < t.pendingBase + pendingBytes(t.entries)),
    );
  }

  #call(name: string, ret: number, args: Partial<ArgsOf<typeof kvmIoctl>> = {}): number {
    this.machine.emit(kvmIoctl, this.vm, { name, ret, ...args });
    return ret;
  }

  /** KVM_DEFINE_MSIX_TABLE. -EINVAL: 0 or more than 2048 entries, an address not aligned or in RAM; -EEXIST: in use, or overlaps; -EFAULT: it is to lie in memory that KVM does not reach. */
  define(id: number, fn: EmulatedFunction, entries: number, base: number, pendingBase: number): number {
    const table: KvmTable = { id, fn, entries, base, pendingBase };
    const ret = this.#defineError(table);
    this.#call('KVM_DEFINE_MSIX_TABLE', ret, { table: id, address: base });
    if (ret < 0) return ret;
    this.#tables.set(id, table);
    this.machine.emit(kvmTableDefine, this.object(id), { device: fn.bdf, entries, base, pendingBase });
    return 0;
  }

  #defineError({ id, entries, base, pendingBase }: KvmTable): number {
    if (entries < 1 || entries > 2048 || base % 16 !== 0 || pendingBase % 8 !== 0) return errno.EINVAL;
    const parts = (b: number, p: number, n: number): [number, number][] => [
      [b, b + 16 * n],
      [p, p + pendingBytes(n)],
    ];
    const mine = parts(base, pendingBase, entries);
    if (mine.some(([from]) => from < GUEST_RAM)) return errno.EINVAL;
    if (this.#tables.has(id)) return errno.EEXIST;
    const [[a, b], [c, d]] = mine as [[number, number], [number, number]];
    if (a < d && c < b) return errno.EINVAL;
    for (const other of this.#tables.values())
      for (const [from, to] of parts(other.base, other.pendingBase, other.entries))
        if (mine.some(([f, t]) => f < to && from < t)) return errno.EEXIST;
    return this.reachable ? 0 : errno.EFAULT;
  }

  /** KVM_REMOVE_MSIX_TABLE. -ENOENT: there is none. */
  remove(id: number): number {
    const known = this.#tables.delete(id);
    this.#call('KVM_REMOVE_MSIX_TABLE', known ? 0 : errno.ENOENT, { table: id });
    if (known) this.machine.emit(kvmTableRemove, this.object(id), {});
    return known ? 0 : errno.ENOENT;
  }

  #index(id: number, entry: number): number {
    const table = this.#tables.get(id);
    if (!table) return errno.ENOENT;
    return entry < 0 || entry >= table.entries ? errno.EINVAL : 0;
  }

  /** Whether KVM holds address and data of an entry. */
  holds(id: number, entry: number): boolean {
    return (
      this.#index(id, entry) === 0 && this.machine.state.flag(this.entry(id, entry), kvmEntrySource.at.held) === true
    );
  }

  #contents(fn: EmulatedFunction, entry: number): Contents {
    const { state } = this.machine;
    const at = fn.entry(entry);
    const cell = (n: number): number | undefined => (state.known(at, n) === 0xffffffff ? state.get(at, n) : undefined);
    const [lo, hi] = [cell(msixEntry.at.address), cell(msixEntry.at.address + 1)];
    const data = cell(msixEntry.at.data);
    const control = cell(msixEntry.at.control);
    return {
      ...(lo === undefined || hi === undefined ? {} : { address: hi * 0x100000000 + lo }),
      ...(data === undefined ? {} : { data }),
      ...(control === undefined ? {} : { control }),
    };
  }

  /** KVM_SET_MSIX_ENTRY: KVM holds the entry from now on, with what the table has. */
  setEntry(id: number, entry: number): number {
    const ret = this.#index(id, entry);
    const table = this.#tables.get(id);
    this.#call('KVM_SET_MSIX_ENTRY', ret, { table: id, entry, ...(table ? this.#contents(table.fn, entry) : {}) });
    if (ret === 0) this.machine.emit(kvmTableEntry, this.entry(id, entry), { held: true });
    return ret;
  }

  /** KVM_GET_MSIX_ENTRY: what KVM holds of an entry; one that it does not hold is an error, or a flag. */
  getEntry(id: number, entry: number): number {
    let ret = this.#index(id, entry);
    const missing = ret === 0 && !this.holds(id, entry);
    if (missing && !this.flagsMissing) ret = errno.EINVAL;
    const table = this.#tables.get(id);
    const contents = ret === 0 && !missing && table ? this.#contents(table.fn, entry) : {};
    const flags = ret === 0 && this.flagsMissing ? { flags: missing ? NOT_IN_KERNEL : 0 } : {};
    return this.#call('KVM_GET_MSIX_ENTRY', ret, { table: id, entry, ...contents, ...flags });
  }

  /** KVM_SET_MSIX_ENTRY_IRQ: ties an entry to the GSI of its source, or to none (-1). */
  setEntryIrq(id: number, entry: number, gsi: number): number {
    let ret = this.#index(id, entry);
    if (ret === 0 && (gsi < -1 || gsi >= 4096)) ret = errno.EINVAL;
    this.#call('KVM_SET_MSIX_ENTRY_IRQ', ret, { table: id, entry, gsi });
    if (ret === 0) this.machine.emit(kvmTableEntry, this.entry(id, entry), { gsi });
    return ret;
  }

  /** GSI that an entry is tied to: -1 none, undefined while nothing was said. */
  gsi(id: number, entry: number): number | undefined {
    const { state } = this.machine;
    const at = this.entry(id, entry);
    return state.known(at, kvmEntrySource.at.gsi) === 0xffffffff ? state.get(at, kvmEntrySource.at.gsi) | 0 : undefined;
  }

  /** Indexes of the entries of a table that have their pending bit set. */
  pending(table: KvmTable): number[] {
    const { state } = this.machine;
    return Array.from({ length: table.entries }, (_, i) => i).filter(
      (i) => state.flag(table.fn.entry(i), msixEntry.at.pending) === true,
    );
  }

  /** KVM_GET_MSIX_PENDING or the like: the first 64 pending bits of a table. */
  tellPending(name: string, id: number): number {
    const table = this.#tables.get(id);
    if (!table) return this.#call(name, errno.ENOENT, { table: id });
    const bits = this.pending(table).reduce((all, i) => (i < 64 ? all | (1n << BigInt(i)) : all), 0n);
    return this.#call(name, 0, { table: id, pending: bits });
  }

  /** KVM_GET_CLEAR_PENDING: the VMM takes what is pending over, to serve it by polling. */
  getClearPending(id: number): number {
    const ret = this.tellPending('KVM_GET_CLEAR_PENDING', id);
    const table = this.#tables.get(id);
    if (table) {
      for (const i of this.pending(table)) table.fn.withdraw(i);
      table.fn.settle();
    }
    return ret;
  }
}

/** Bytes of the pending bits of a table: whole qwords. */
const pendingBytes = (entries: number): number => Math.ceil(entries / 64) * 8;
