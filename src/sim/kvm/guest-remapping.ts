import { domCreate } from '../../model/events/domain.ts';
import { RemapDomain, type TargetDomain } from '../iommu/remap-domain.ts';
import { VtdUnit } from '../iommu/vtd-unit.ts';
import type { Actor, Machine } from '../machine.ts';

/** Entries of the table that a guest kernel sets up. */
const ENTRIES = 256;

/**
 * Interrupt remapping inside a guest: a VT-d unit that the VMM emulates (`irte/vm<n>-dmar0`), and the remap domain with which the
 * guest kernel programs it (`guest/<n>/domain/INTEL-IR-0`). The same classes as on the host. As QEMU's unit it lets messages in
 * compatibility format pass. What the accesses to its registers cost is not modelled.
 */
export class GuestRemapping {
  readonly unit: VtdUnit;
  readonly domain: RemapDomain;

  /** `kernel`: the guest kernel as an actor; `vectors`: its vector domain, the parent of the remap domain. */
  constructor(machine: Machine, vm: number, kernel: Actor, vectors: TargetDomain) {
    this.unit = new VtdUnit(machine, {
      name: `vm${vm}-dmar0`,
      entries: ENTRIES,
      eim: false,
      passes: true,
      verifies: true,
      first: 0,
    });
    this.domain = machine.as(kernel, () => {
      this.unit.announce();
      const domain = new RemapDomain(machine, 'INTEL-IR-0', vectors, this.unit, `guest/${vm}/`);
      machine.emit(domCreate, domain.object, { parent: vectors.name, ret: 0, side: 'cpu', flags: 0 });
      return domain;
    });
  }
}
