import type { ObjectId } from '../../base/ids.ts';
import { message } from '../../model/events/notes.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import type { TargetDomain } from '../iommu/remap-domain.ts';
import { type AffinityResult, type Composed, type Destination, errno, type Irq } from '../irq/domain.ts';
import type { Actions, Machine } from '../machine.ts';
import type { Granted } from './hypercall-domain.ts';

/** What the host of a Hyper-V guest does for its virtual PCI bus. */
export interface VpciHost {
  /** PCI_CREATE_INTERRUPT_MESSAGE. */
  create(device: Irq['device'], index: number, target: Destination): Actions<Granted | number>;
  /** PCI_DELETE_INTERRUPT_MESSAGE. */
  remove(device: Irq['device'], index: number, id: number): Actions<number>;
  /** HVCALL_RETARGET_INTERRUPT. */
  retarget(id: number, target: Destination): Actions<number>;
}

/** The message where the host gave none: all zeros (hv_compose_msi_msg). */
const NONE: Composed = { address: 0, data: 0 };
/** HV_STATUS_INVALID_PARAMETER, HV_STATUS_ACCESS_DENIED. */
const [BAD_PARAMETER, DENIED] = [5, 6];

/**
 * The domain of the virtual PCI bus of a Hyper-V guest (drivers/pci/controller/pci-hyperv.c): each compose asks the host over VMBus
 * for a message, giving back the one before; each unmask tells the hypervisor by hypercall where the interrupt goes.
 */
export class VpciDomain implements TargetDomain {
  readonly name = 'HV-PCI-MSI';
  readonly object: ObjectId;
  readonly parent: TargetDomain;
  readonly #machine: Machine;
  readonly #host: VpciHost;
  readonly #held = new Map<Irq, Granted>();

  constructor(machine: Machine, prefix: string, parent: TargetDomain, host: VpciHost) {
    this.parent = parent;
    this.#machine = machine;
    this.#host = host;
    this.object = machine.world.object(domainType, `${prefix}domain/${this.name}`);
  }

  *alloc(): Actions<number> {
    return 0;
  }

  *free(irq: Irq): Actions {
    yield* this.#remove(irq);
  }

  *#remove(irq: Irq): Actions {
    const held = this.#held.get(irq);
    this.#held.delete(irq);
    if (held) yield* this.#host.remove(irq.device, irq.hwirq, held.id);
  }

  /** What hv_compose_msi_msg does: it has no way to fail, the irq is activated with a message of zeros then. */
  *activate(irq: Irq): Actions<number> {
    yield* this.#remove(irq);
    const made = yield* this.#host.create(irq.device, irq.hwirq, this.parent.target(irq));
    if (typeof made !== 'number') this.#held.set(irq, made);
    return 0;
  }

  *deactivate(): Actions {}

  compose(irq: Irq): Composed {
    return this.#held.get(irq)?.message ?? NONE;
  }

  /** Where the irq goes in the guest. */
  target(irq: Irq): Destination {
    return this.parent.target(irq);
  }

  /** hv_arch_irq_unmask: a status that is not zero is only logged, the interrupt keeps the target that it had. */
  *unmasking(irq: Irq): Actions {
    const held = this.#held.get(irq);
    if (!held) return;
    // A planted fault: the guest takes the number of the irq for the handle.
    const id = this.#machine.tamper?.spoils('F68-retarget', irq.object) ? irq.virq : held.id;
    const ret = yield* this.#host.retarget(id, this.parent.target(irq));
    if (ret >= 0) return;
    const status = ret === errno.EPERM ? DENIED : BAD_PARAMETER;
    this.#machine.emit(message, irq.object, { text: `hv_arch_irq_unmask() failed: 0x${status.toString(16)}` });
  }

  /** The interrupt moves while it is masked; unmasking it tells the hypervisor. The message stays. */
  *setAffinity(irq: Irq, cpus: readonly number[]): Actions<AffinityResult> {
    if (!this.parent.setAffinity) return errno.EINVAL;
    const live = !irq.masked;
    if (live && irq.domain.mask) yield* irq.domain.mask(irq, true);
    const result = yield* this.parent.setAffinity(irq, cpus);
    if (live && irq.domain.mask) yield* irq.domain.mask(irq, false);
    return result === 'ok' ? 'done' : result;
  }
}
