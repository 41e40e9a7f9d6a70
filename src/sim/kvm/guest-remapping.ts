import { domCreate } from '../../model/events/domain.ts';
import { RemapDomain, type TargetDomain } from '../iommu/remap-domain.ts';
import { VtdUnit } from '../iommu/vtd-unit.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import type { Vcpus } from './vcpus.ts';

/** Entries of the table that a guest kernel sets up. */
const ENTRIES = 256;

/** The guest writes a register of a unit that the VMM emulates: an exit to user space. */
function* registerWrite(machine: Machine, vcpus: Vcpus, vmm: Actor, work: () => void): Actions {
  const n = vcpus.current;
  yield* vcpus.ask(n, 'EPT_MISCONFIG');
  yield* vcpus.toUser(n, 'KVM_EXIT_MMIO');
  machine.as(vmm, work);
  yield* vcpus.enter(n);
}

/**
 * Interrupt remapping inside a guest: a VT-d unit that the VMM emulates (`irte/vm<n>-dmar0`), and the remap domain with which the
 * guest kernel programs it (`guest/<n>/domain/INTEL-IR-0`). The same classes as on the host. As QEMU's unit it lets messages in
 * compatibility format pass. Entries lie in memory of the guest, so that writing them makes no exit; the write of the tail of the
 * invalidation queue does (IQT_REG), and that is when the VMM learns of the change. The unit has done it when the guest goes on.
 */
export class GuestRemapping {
  readonly unit: VtdUnit;
  readonly domain: RemapDomain;

  /** `vectors`: the vector domain of the guest kernel, the parent of its remap domain. */
  constructor(machine: Machine, vm: number, vcpus: Vcpus, vmm: Actor, vectors: TargetDomain) {
    this.unit = new VtdUnit(machine, {
      name: `vm${vm}-dmar0`,
      entries: ENTRIES,
      eim: false,
      passes: true,
      verifies: true,
      first: 0,
    });
    this.domain = machine.as(vcpus.guest(0), () => {
      this.unit.announce();
      const domain = new RemapDomain(machine, 'INTEL-IR-0', vectors, this.unit, `guest/${vm}/`, {
        invalidates: 'invalidated',
        keepsPosting: true,
        trap: (work) => registerWrite(machine, vcpus, vmm, work),
      });
      machine.emit(domCreate, domain.object, { parent: vectors.name, ret: 0, side: 'cpu', flags: 0 });
      return domain;
    });
  }
}
