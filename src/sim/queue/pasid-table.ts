import { pasidBind, pasidUnbind } from '../../model/events/queue.ts';
import { pasidEntry } from '../../model/things/queue.ts';
import type { PciFunction } from '../device/pci-function.ts';
import { errno } from '../irq/domain.ts';
import type { Actor, Machine } from '../machine.ts';

/** PASIDs have 20 bits (PCIe 6.20); 0 stands for requests without PASID. */
const PASIDS = 1 << 20;
/** VT-d fault reason: the present bit of the PASID table entry is clear (VT-d 7.1.3, SPT.2). */
export const PASID_NOT_PRESENT = 0x59;

const IOMMU: Actor = { layer: 'driver', name: 'iommu', cpu: 0 };

/**
 * The PASID table of a function in the IOMMU: which I/O page table a request with a PASID uses. Tables belong to
 * requester IDs: the same PASID of two functions is two entries.
 */
export class PasidTable {
  readonly machine: Machine;
  readonly fn: PciFunction;

  constructor(machine: Machine, fn: PciFunction) {
    this.machine = machine;
    this.fn = fn;
  }

  #entry(pasid: number): number {
    return this.machine.world.child(pasidEntry, this.fn.object, 'pasid', pasid);
  }

  /** The object of an entry, -1 while no event has named it. */
  #known(pasid: number): number {
    return this.machine.world.objectAt(`device/${this.fn.bdf}/pasid/${pasid}`);
  }

  /** Who may use a PASID and where it leads; undefined when the entry is not present. */
  lookup(pasid: number): { readonly owner: string; readonly table: string } | undefined {
    const { state, world } = this.machine;
    const entry = this.#known(pasid);
    if (entry < 0 || !state.present(entry)) return undefined;
    return {
      owner: world.strings.text(state.num(entry, pasidEntry.at.owner)),
      table: world.strings.text(state.num(entry, pasidEntry.at.table)),
    };
  }

  /** Points an entry at a page table: 0, -EINVAL for a PASID that cannot be, -EBUSY when the entry is in use. */
  bind(pasid: number, owner: string, table: string): number {
    const valid = pasid > 0 && pasid < PASIDS;
    const ret = !valid ? errno.EINVAL : this.lookup(pasid) ? errno.EBUSY : 0;
    const object = valid ? this.#entry(pasid) : this.fn.object;
    this.machine.as(IOMMU, () => this.machine.emit(pasidBind, object, { table, owner, ...(ret < 0 ? { ret } : {}) }));
    return ret;
  }

  /** Clears an entry: 0, or -ENOENT. Work that carries the PASID goes on and faults. */
  unbind(pasid: number): number {
    const ret = this.lookup(pasid) ? 0 : errno.ENOENT;
    const object = ret === 0 ? this.#entry(pasid) : this.fn.object;
    this.machine.as(IOMMU, () => this.machine.emit(pasidUnbind, object, ret < 0 ? { ret } : {}));
    return ret;
  }
}
