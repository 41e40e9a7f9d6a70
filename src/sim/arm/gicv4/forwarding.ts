import type { Irq } from '../../irq/domain.ts';
import { host } from '../../irq/host.ts';
import { vms } from '../../kvm/vm.ts';
import type { Actions } from '../../machine.ts';
import { type Service, type Setup, service } from '../../setup.ts';
import { type ItsUnits, itsUnits } from '../units/its-units.ts';
import { NO_DOORBELL, type Vpe } from './vpe-maps.ts';
import { Vpes } from './vpes.ts';

/** Nanoseconds from the handler of VFIO to KVM: eventfd and irqfd. */
const SIGNAL = 200;

/** KVM's forwarding of host interrupts to virtual CPUs (kvm_vgic_v4_set_forwarding), by the GIC or by itself. */
export class Forwarding {
  readonly vpes: Vpes;
  readonly #units: ItsUnits;
  /** Interrupts that KVM injects, with the handler that they had. */
  readonly #injected = new Map<Irq, Irq['handler']>();

  constructor(vpes: Vpes, units: ItsUnits) {
    this.vpes = vpes;
    this.#units = units;
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
    const { its, domain } = this.#units.of(irq.device);
    vpes.maps.map(one, its);
    const doorbell = vpes.version === 'v4.0' ? one.doorbell : NO_DOORBELL;
    const before = domain.forwarded(irq);
    const ret = yield* domain.forward(irq, { vpe: one.id, vlpi, doorbell });
    if (ret === 0 && before === undefined) vpes.maps.count(one, its, 1);
    return ret;
  }

  /** The host takes it again (kvm_vgic_v4_unset_forwarding). */
  *unset(irq: Irq): Actions<number> {
    if (this.#injected.has(irq)) {
      irq.handler = this.#injected.get(irq);
      this.#injected.delete(irq);
      return 0;
    }
    const { its, domain } = this.#units.of(irq.device);
    const before = domain.forwarded(irq);
    const ret = yield* domain.forward(irq, undefined);
    if (ret === 0 && before) this.vpes.maps.count(this.vpes.of(before.vpe)!, its, -1);
    return ret;
  }
}

/** Forwarding of an Arm host with virtual machines. */
export const forwarding: Service<Forwarding> = service<Forwarding>('forwarding of interrupts');

/** Gives the ITSs of an Arm host with virtual machines GICv4, or KVM the work. */
export function installGicv4(setup: Setup): void {
  const units = setup.find(itsUnits);
  const all = setup.find(vms);
  if (!units || !all || all.size === 0 || !setup.find(host)) return;
  const { gic, all: every } = units;
  const count = Math.max(...[...all.values()].map(({ vcpus }) => vcpus.first + vcpus.count));
  const vpes = new Vpes(
    every.map(({ its }) => its),
    gic,
    all.values(),
    setup.design.gicv4,
    units.lpis.reserve(count),
  );
  setup.provide(forwarding, new Forwarding(vpes, units));
  if (vpes.version === 'none') return;
  for (const { its } of every) its.virtual = vpes;
  const before = gic.handler!;
  gic.handler = (cpu, lpi) => {
    const one = vpes.rungBy(lpi);
    return one ? vpes.rung(one) : before(cpu, lpi);
  };
}
