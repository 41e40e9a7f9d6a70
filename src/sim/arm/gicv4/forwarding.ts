import type { Irq } from '../../irq/domain.ts';
import { host } from '../../irq/host.ts';
import { vms } from '../../kvm/vm.ts';
import type { Actions } from '../../machine.ts';
import { type Service, type Setup, service } from '../../setup.ts';
import { itsParts } from '../arm-host.ts';
import type { ItsDomain } from '../its-domain.ts';
import { NO_DOORBELL, type Vpe, Vpes } from './vpes.ts';

/** Nanoseconds from the handler of VFIO to KVM: eventfd and irqfd. */
const SIGNAL = 200;

/** KVM's forwarding of host interrupts to virtual CPUs (kvm_vgic_v4_set_forwarding), by the GIC or by itself. */
export class Forwarding {
  readonly vpes: Vpes;
  readonly #domain: ItsDomain;
  /** Interrupts that KVM injects, with the handler that they had. */
  readonly #injected = new Map<Irq, Irq['handler']>();

  constructor(vpes: Vpes, domain: ItsDomain) {
    this.vpes = vpes;
    this.#domain = domain;
  }

  /** An interrupt of the host goes to a virtual CPU as an LPI of its guest. 0 or a negative errno. */
  *set(irq: Irq, one: Vpe, vlpi: number): Actions<number> {
    const { vpes } = this;
    if (vpes.version === 'none') {
      if (!this.#injected.has(irq)) this.#injected.set(irq, irq.handler);
      irq.handler = function* () {
        yield SIGNAL;
        const { ledger, actor } = vpes.machine;
        vpes.inject(one, vlpi, ledger.takeBack(actor.cpu));
      };
      return 0;
    }
    vpes.map(one);
    const doorbell = vpes.version === 'v4.0' ? one.doorbell : NO_DOORBELL;
    return yield* this.#domain.forward(irq, { vpe: one.id, vlpi, doorbell });
  }

  /** The host takes it again (kvm_vgic_v4_unset_forwarding). */
  *unset(irq: Irq): Actions<number> {
    if (this.#injected.has(irq)) {
      irq.handler = this.#injected.get(irq);
      this.#injected.delete(irq);
      return 0;
    }
    return yield* this.#domain.forward(irq, undefined);
  }
}

/** Forwarding of an Arm host with virtual machines. */
export const forwarding: Service<Forwarding> = service<Forwarding>('forwarding of interrupts');

/** Gives the ITS of an Arm host with virtual machines GICv4, or KVM the work. */
export function installGicv4(setup: Setup): void {
  const parts = setup.find(itsParts);
  const all = setup.find(vms);
  if (!parts || !all || all.size === 0 || !setup.find(host)) return;
  const { its, gic, domain } = parts;
  const count = Math.max(...[...all.values()].map(({ vcpus }) => vcpus.first + vcpus.count));
  const vpes = new Vpes(its, gic, all.values(), setup.design.gicv4, domain.reserveLpis(count));
  setup.provide(forwarding, new Forwarding(vpes, domain));
  if (vpes.version === 'none') return;
  its.virtual = vpes;
  const before = gic.handler!;
  gic.handler = (cpu, lpi) => {
    const one = vpes.rungBy(lpi);
    return one ? vpes.rung(one) : before(cpu, lpi);
  };
}
