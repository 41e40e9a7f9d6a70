import type { ObjectId } from '../../base/ids.ts';
import { pciCommand } from '../../model/registers/pci.ts';
import { device, msixEntry } from '../../model/things/pci.ts';
import type { PciFunction } from '../device/pci-function.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import type { EmulatedFunction } from './emulated-function.ts';
import type { GuestAccess, GuestMmio } from './guest-mmio.ts';
import type { Irqfds } from './irqfds.ts';
import { type KvmTable, KvmTables } from './kvm-tables.ts';
import { type ServeMachine, type TableDesign, TableServer } from './table-server.ts';
import type { Vcpus } from './vcpus.ts';

/** The machine whose VMM hands its tables to KVM. */
export interface TableMachine {
  readonly machine: Machine;
  readonly object: ObjectId;
  readonly vmm: Actor;
  readonly vcpus: Vcpus;
  readonly irqfds: Irqfds;
  readonly mmio: GuestMmio;
}

/**
 * The side of the VMM of MSI-X tables in KVM: defines a table when the guest enables MSI-X, removes it, follows the
 * BAR and the Command register, and reprograms routes when KVM tells of a change.
 */
export class VmmTables implements ServeMachine {
  readonly machine: Machine;
  readonly design: TableDesign;
  readonly tables: KvmTables;
  readonly server: TableServer;
  readonly #vm: TableMachine;
  readonly #ids = new Map<EmulatedFunction, number>();
  #serving = false;

  constructor(vm: TableMachine, design: TableDesign) {
    this.machine = vm.machine;
    this.#vm = vm;
    this.design = design;
    this.tables = new KvmTables(vm.machine, vm.object, design.missingEntry === 'flag', design.userMemory !== 'private');
    this.server = new TableServer(this, this.tables, design);
    vm.mmio.kernel = this.server;
  }

  /** Number of the table of a function: the VMM numbers them in the order of their first use. */
  id(fn: EmulatedFunction): number {
    let id = this.#ids.get(fn);
    if (id === undefined) this.#ids.set(fn, (id = this.#ids.size));
    return id;
  }

  #of(fn: PciFunction): EmulatedFunction | undefined {
    return [...this.#ids.keys()].find((f) => f === fn);
  }

  gsiOf(fn: PciFunction, index: number): number | undefined {
    const source = this.#of(fn)?.sources.get(index);
    return source && this.#vm.irqfds.message(source.gsi) !== undefined ? source.gsi : undefined;
  }

  routeOf(gsi: number): number {
    return this.#vm.irqfds.route(gsi);
  }

  addressOf(access: GuestAccess): number | undefined {
    return this.#vm.mmio.address(access);
  }

  byKernel(what: () => number[] | undefined): number[] | undefined {
    this.#serving = true;
    try {
      return what();
    } finally {
      this.#serving = false;
    }
  }

  *exitToVmm(vcpu: number, reason: string, done: () => void): Actions {
    yield* this.#vm.vcpus.toUser(vcpu, reason);
    this.machine.as(this.#vm.vmm, done);
    const { settle } = this.#vm.mmio;
    if (settle) yield* this.machine.within(this.#vm.vmm, settle());
  }

  user(access: GuestAccess): number[] {
    return this.#vm.mmio.user(access);
  }

  updated(table: KvmTable, index: number, fetch: boolean): void {
    if (fetch) this.tables.getEntry(table.id, index);
    this.#follow(table, index);
  }

  routeFromTable(fn: PciFunction, index: number): void {
    const own = this.#of(fn);
    const table = this.tables.of(fn);
    if (own && table) this.#follow(table, index);
  }

  /** Route and irqfd as the table says, and the entry tied to its source the first time. */
  #follow(table: KvmTable, index: number): void {
    const fn = this.#of(table.fn);
    if (!fn) return;
    fn.follow(index);
    const source = fn.sources.get(index);
    if (source && this.tables.gsi(table.id, index) === undefined) this.tables.setEntryIrq(table.id, index, source.gsi);
    if (this.design.msixOwner === 'perEntry' && source && !this.tables.holds(table.id, index))
      this.tables.setEntry(table.id, index);
  }

  /** Called after every write to the table or to config space, whether KVM or the VMM served it. */
  changed(fn: EmulatedFunction, index: number): void {
    if (this.#serving) return;
    this.id(fn);
    if (index < 0) {
      this.#control(fn);
      return;
    }
    const table = this.tables.of(fn);
    if (table && this.#misses(fn, index)) return;
    if (table) this.#follow(table, index);
    else fn.follow(index);
  }

  /** A planted fault: the VMM serves a write that changes the data of a message and leaves the route as it was. */
  #misses(fn: EmulatedFunction, index: number): boolean {
    const { tamper, state } = this.machine;
    const gsi = tamper === undefined ? undefined : this.gsiOf(fn, index);
    if (tamper === undefined || gsi === undefined) return false;
    const differs = this.#vm.irqfds.message(gsi)?.data !== state.get(fn.entry(index), msixEntry.at.data);
    return differs && tamper.spoils('INV-CACHEEQ', fn.entry(index));
  }

  /** Whether memory of a function is decoded (Command bit 1). */
  #decodes(fn: EmulatedFunction): boolean {
    const { state } = this.machine;
    return pciCommand.f.memory.in(state.get(fn.object, device.at.command));
  }

  /** What the function's table should be: defined or not, and where. */
  #control(fn: EmulatedFunction): void {
    const id = this.id(fn);
    const table = this.tables.table(id);
    const base = this.#vm.mmio.address({ fn, region: 'table', offset: 0 });
    const pendingBase = this.#vm.mmio.address({ fn, region: 'pba', offset: 0 });
    const on = this.design.defineTable === 'mapped' || fn.enabled === true;
    // A VMM that forgets the Command register leaves the table where it is.
    const decodes = this.design.stillClaims === 'on' || this.#decodes(fn);
    const wanted = on && decodes && base !== undefined && pendingBase !== undefined;
    if (table && (!wanted || table.base !== base)) this.withdraw(table);
    if (wanted && this.tables.table(id) === undefined) this.define(fn, { id, fn, entries: fn.size, base, pendingBase });
  }

  /** Defines a table and hands over its entries; a shadow in memory of the VMM has them already. */
  define(fn: EmulatedFunction, { id, entries, base, pendingBase }: KvmTable): void {
    if (this.tables.define(id, fn, entries, base, pendingBase) < 0) return;
    for (let i = 0; i < entries; i++) {
      // Where KVM sets routes itself the VMM ties every entry to its source beforehand.
      const ahead = this.design.msixOwner === 'internal' && fn.source !== 'userspace';
      const source = ahead ? fn.sourceOf(i) : fn.sources.get(i);
      const own = this.design.msixOwner;
      if (own === 'kernel' || own === 'internal' || (own === 'perEntry' && source)) this.tables.setEntry(id, i);
      if (source) this.tables.setEntryIrq(id, i, source.gsi);
    }
  }

  /** Fetches what KVM holds of a table and takes it away from KVM. */
  withdraw(table: KvmTable): void {
    for (let i = 0; i < table.entries; i++) if (this.tables.holds(table.id, i)) this.tables.getEntry(table.id, i);
    this.tables.tellPending('KVM_GET_MSIX_PENDING', table.id);
    this.tables.remove(table.id);
  }

  /**
   * Takes a table from the source of a migration to its destination: contents and pending bits are fetched and set
   * again. Where they lie in memory of the VMM only the addresses are told.
   */
  move(fn: EmulatedFunction): void {
    const table = this.tables.of(fn);
    if (!table) return;
    if (this.design.msixOwner === 'umem') this.tables.remove(table.id);
    else this.withdraw(table);
    this.define(fn, table);
    if (this.design.msixOwner !== 'umem') this.tables.tellPending('KVM_SET_MSIX_PENDING', table.id);
  }

  /** Whether an entry of a table that KVM serves was tied to no source. */
  unbound(fn: PciFunction, index: number): boolean {
    const table = this.tables.of(fn);
    return table !== undefined && this.tables.gsi(table.id, index) === -1;
  }
}
