import type { ObjectId } from '../../base/ids.ts';
import { domCreate } from '../../model/events/domain.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import type { Design } from '../design.ts';
import {
  type AffinityResult,
  type Composed,
  type Destination,
  type Domain,
  errno,
  type Irq,
  type MessageBlock,
} from '../irq/domain.ts';
import { apicModelOf, host } from '../irq/host.ts';
import type { Actions, Machine } from '../machine.ts';
import { nanoseconds } from '../scenario-schema.ts';
import { type Service, type Setup, service } from '../setup.ts';
import { AmdUnit } from './amd-unit.ts';
import type { RemapTable } from './remap-table.ts';
import { VtdUnit } from './vtd-unit.ts';

/** A parent that allocates and says where an irq goes. */
export interface TargetDomain extends Domain {
  target(irq: Irq): Destination;
  /** Called when the entry of a moved irq took effect: nothing comes on the previous vector any more. */
  complete?(irq: Irq): void;
}

/** Where an entry posts to: the address of a descriptor and the vector that the guest sees. */
export interface Posting {
  readonly descriptor: number;
  readonly vector: number;
}

interface HeldEntry {
  readonly index: number;
  posting: Posting | undefined;
}

/** Optional behaviour of a remap domain. */
export interface RemapHabits {
  /** What it does about the interrupt entry cache after every write. */
  readonly invalidates: Design['entryCache'];
  /** Leaves entries that post alone when the host moves the irq. */
  readonly keepsPosting: boolean;
  /** How the kernel reaches the queue of the unit, where a hypervisor traps the write of its tail. */
  readonly trap?: (work: () => void) => Actions;
}

const GOOD: RemapHabits = { invalidates: 'invalidated', keepsPosting: true };

/**
 * The remap domain: allocates an entry for each irq and composes, once, the message that names it. The entry tells where the
 * irq goes (drivers/iommu/intel/irq_remapping.c, drivers/iommu/amd/iommu.c).
 */
export class RemapDomain implements Domain {
  readonly name: string;
  readonly object: ObjectId;
  readonly parent: TargetDomain;
  readonly machine: Machine;
  readonly table: RemapTable;
  /** Where entries lead that go to a CPU of the host, where it has posted MSI: the address of the descriptor of that CPU. */
  hostDescriptor: ((cpu: number) => number) | undefined;
  readonly #habits: RemapHabits;
  readonly #held = new Map<Irq, HeldEntry>();
  /** First entry of each block of messages, and how many interrupts of it are left. */
  readonly #blocks = new Map<MessageBlock, { readonly first: number; left: number }>();
  readonly blocks = true;
  readonly prefix = 'IR-';

  constructor(
    machine: Machine,
    name: string,
    parent: TargetDomain,
    table: RemapTable,
    prefix = '',
    habits: RemapHabits = GOOD,
  ) {
    this.machine = machine;
    this.name = name;
    this.parent = parent;
    this.table = table;
    this.object = machine.world.object(domainType, `${prefix}domain/${name}`);
    this.#habits = habits;
  }

  /** Entry of an irq; undefined when it has none. */
  index(irq: Irq): number | undefined {
    return this.#held.get(irq)?.index;
  }

  /** The irq that an entry of a function was allocated for. */
  irqAt(requester: number, index: number): Irq | undefined {
    for (const [irq, held] of this.#held)
      if (held.index === index && (!this.table.perDevice || irq.device.requester === requester)) return irq;
    return undefined;
  }

  *alloc(irq: Irq): Actions<number> {
    const index = irq.block ? this.#inBlock(irq, irq.block) : this.table.take(irq.device);
    if (index < 0) return index;
    this.#held.set(irq, { index, posting: undefined });
    return 0;
  }

  /** The entry of an interrupt of a block: the first one takes them all. */
  #inBlock(irq: Irq, block: MessageBlock): number {
    let taken = this.#blocks.get(block);
    if (taken === undefined) {
      const first = this.table.take(irq.device, block.count);
      if (first < 0) return first;
      this.#blocks.set(block, (taken = { first, left: 0 }));
    }
    taken.left++;
    return taken.first + irq.hwirq;
  }

  *free(irq: Irq): Actions {
    const held = this.#held.get(irq);
    if (!held) return;
    this.#held.delete(irq);
    const { block } = irq;
    const taken = block && this.#blocks.get(block);
    if (taken) taken.left--;
    if (taken && taken.left > 0) return;
    if (block) this.#blocks.delete(block);
    // A planted fault: the entry stays taken although no irq has it any more.
    if (this.machine.tamper?.spoils('F36', irq.object)) return;
    this.table.give(irq.device, taken?.first ?? held.index, block?.count ?? 1);
  }

  *activate(irq: Irq): Actions<number> {
    yield* this.#change(irq, this.#held.get(irq)!, true);
    return 0;
  }

  /** An all-zero entry: what still comes from the device is refused. */
  *deactivate(irq: Irq): Actions {
    const held = this.#held.get(irq);
    if (!held) return;
    held.posting = undefined;
    yield* this.#change(irq, held, false);
  }

  /** Writes an entry in memory, and tells the unit. */
  *#change(irq: Irq, held: HeldEntry, present: boolean): Actions {
    const target = present ? this.parent.target(irq) : undefined;
    if (target && this.hostDescriptor)
      this.table.post(irq.device, held.index, this.hostDescriptor(target.cpu), target.vector);
    else this.table.program(irq.device, held.index, target);
    const { trap, invalidates } = this.#habits;
    const { submit } = this.table;
    if (submit && invalidates === 'invalidated') yield* submit(irq.device, held.index);
    else if (trap) yield* trap(() => this.#invalidate(irq, held));
    else this.#invalidate(irq, held);
  }

  #invalidate(irq: Irq, held: HeldEntry): void {
    const { invalidates } = this.#habits;
    const { submit } = this.table;
    // Callers that are no actions do not wait for it.
    if (submit && invalidates === 'invalidated') this.machine.spawn(this.machine.actor, submit(irq.device, held.index));
    else if (invalidates === 'invalidated') this.table.invalidate(irq.device, held.index);
    else if (invalidates === 'queued') this.table.queue(irq.device, held.index);
  }

  compose(irq: Irq): Composed | number {
    const held = this.#held.get(irq);
    if (!held) return errno.EINVAL;
    return irq.block ? this.table.compose(held.index - irq.hwirq, irq.hwirq) : this.table.compose(held.index);
  }

  /** Where the irq goes, as the parent has it. */
  target(irq: Irq): Destination {
    return this.parent.target(irq);
  }

  /** The message stays as it is: only the entry is rewritten (IRQ_SET_MASK_OK_DONE). */
  *setAffinity(irq: Irq, cpus: readonly number[]): Actions<AffinityResult> {
    const held = this.#held.get(irq);
    if (!held || !this.parent.setAffinity) return errno.EINVAL;
    const result = yield* this.parent.setAffinity(irq, cpus);
    if (result !== 'ok') return result;
    const overwrites = held.posting !== undefined && this.machine.tamper?.strikes('F32', undefined);
    if (!held.posting || !this.#habits.keepsPosting || overwrites) yield* this.#change(irq, held, true);
    this.parent.complete?.(irq);
    return 'done';
  }

  /** Lets an entry post to a virtual CPU, or go to the host's CPU again (undefined). 0 or a negative errno. */
  setPosting(irq: Irq, posting: Posting | undefined): number {
    const held = this.#held.get(irq);
    if (!held) return errno.EINVAL;
    if (posting) {
      const ret = this.table.post(irq.device, held.index, posting.descriptor, posting.vector);
      if (ret < 0) return ret;
      held.posting = posting;
      this.#invalidate(irq, held);
    } else {
      held.posting = undefined;
      this.table.program(irq.device, held.index, this.parent.target(irq));
      this.#invalidate(irq, held);
    }
    return 0;
  }

  /** Where the entry of an irq posts to. */
  posting(irq: Irq): Posting | undefined {
    return this.#held.get(irq)?.posting;
  }
}

/** The VT-d unit of the host, where it has one. */
export const vtdUnit: Service<VtdUnit> = service<VtdUnit>('VT-d unit');
/** The AMD-Vi unit of the host, where it has one. */
export const amdUnit: Service<AmdUnit> = service<AmdUnit>('AMD-Vi unit');
/** The remap domain of the host, where it has one. */
export const remapDomain: Service<RemapDomain> = service<RemapDomain>('remap domain');

/** Entries that the pins of the first I/O APIC have taken at boot. */
const IO_APIC_PINS = 24;

/** Puts the remapping unit between bridge and CPUs and its domain between the bus domains and the vector domain. */
export function installRemap(setup: Setup): void {
  const { machine, scenario } = setup;
  const at = setup.find(host);
  const { remap, remapEntries } = scenario.platform;
  if (!at || (remap !== 'vtd' && remap !== 'amd')) return;
  const table =
    remap === 'vtd'
      ? setup.provide(
          vtdUnit,
          new VtdUnit(machine, {
            name: 'dmar0',
            entries: remapEntries ?? 65536,
            eim: apicModelOf(scenario.platform) === 'x2apic',
            passes: setup.design.compatibility === 'passed',
            verifies: setup.design.sourceCheck === 'verify',
            takes: nanoseconds(scenario.platform.invalidation ?? 0),
            first: remapEntries === undefined || remapEntries > IO_APIC_PINS ? IO_APIC_PINS : 0,
          }),
        )
      : setup.provide(amdUnit, new AmdUnit(machine, remapEntries ?? 512));
  machine.as(at.kernel, () => table.announce());
  at.root.translator = table;
  const domain = new RemapDomain(machine, remap === 'vtd' ? 'INTEL-IR-0' : 'AMD-IR-0', at.vectors, table, '', {
    invalidates: setup.design.entryCache,
    // Only a VT-d unit posts, and only to virtual CPUs.
    keepsPosting: remap !== 'vtd' || scenario.vms.length === 0 || setup.design.postedAffinity === 'kept',
  });
  machine.as(at.kernel, () => {
    machine.emit(domCreate, at.vectors.object, { ret: 0, side: 'cpu' });
    machine.emit(domCreate, domain.object, { parent: at.vectors.name, ret: 0, side: 'cpu' });
  });
  setup.provide(remapDomain, domain);
  at.parent = domain;
}
