import {
  type ApicModel,
  addressedBy,
  type Delivery,
  destinationText,
  isBroadcast,
  pends,
} from '../../model/apic/local-apics.ts';
import { DELIVERY } from '../../model/registers/x86.ts';
import { Arbiter } from '../apic/arbiter.ts';
import type { Message } from '../device/message.ts';
import { drop } from '../drop.ts';
import type { GuestVectors } from './guest-driver.ts';
import type { Vcpus } from './vcpus.ts';

/** Delivery modes as KVM prints them (kvm_deliver_mode of arch/x86/kvm/trace.h). */
const KVM_MODES = ['Fixed', 'LowPrio', 'SMI', 'Res3', 'NMI', 'INIT', 'SIPI', 'ExtINT'] as const;

/** The delivery mode of a message as KVM prints it, with what is not so in most messages. */
export const kvmMode = ({ mode, logical }: Delivery): string => `${KVM_MODES[mode]!}${logical ? '|logical' : ''}`;

/** Hands messages to the local APICs of the virtual CPUs of one machine (kvm_irq_delivery_to_apic, __apic_accept_irq). */
export class VcpuBus {
  readonly model: ApicModel;
  readonly #vcpus: Vcpus;
  readonly #vectors: GuestVectors;
  readonly #arbiter = new Arbiter();

  constructor(vcpus: Vcpus, vectors: GuestVectors, model: ApicModel) {
    this.#vcpus = vcpus;
    this.#vectors = vectors;
    this.model = model;
  }

  /** The virtual CPUs that a message goes to, by their number in the machine. */
  targets(to: Delivery): number[] {
    const all = addressedBy(this.model, this.#vcpus.count, to, true);
    if (to.mode !== DELIVERY.lowest || all.length < 2) return all;
    // KVM takes lowest priority to all as Fixed (kvm_irq_delivery_to_apic).
    if (!to.logical && isBroadcast(this.model, to.destination, true)) return all;
    const able = all.filter((n) => this.#vcpus.accepts(n));
    return able.length < 2 ? able : [this.#arbiter.choose(able, (n) => this.#vcpus.priority(n))];
  }

  /** The only virtual CPU that a message can go to, for which it can be posted (kvm_intr_is_single_vcpu); undefined: several, none, another mode. */
  single(to: Delivery): number | undefined {
    if (!pends(to.mode) || isBroadcast(this.model, to.destination, true)) return undefined;
    const all = addressedBy(this.model, this.#vcpus.count, to, true);
    return all.length === 1 ? all[0] : undefined;
  }

  /** Whether any local APIC accepted the message. */
  deliver(to: Delivery, { cause, from }: Pick<Message, 'cause' | 'from'>): boolean {
    const vcpus = this.#vcpus;
    const targets = this.targets(to);
    const [first] = targets;
    if (first === undefined) {
      if (!to.logical) return vcpus.accept(to.destination, to.vector, cause);
      drop(vcpus.machine, from, `no virtual CPU has the ${destinationText(to)}`, cause);
      return false;
    }
    const served = targets.length > 1 ? targets.find((n) => this.#vectors.irqAt(n, to.vector)) : first;
    let accepted = false;
    for (const n of targets) {
      const its = n === (served ?? first) ? cause : 0;
      if (pends(to.mode)) accepted = vcpus.accept(n, to.vector, its, false, to.mode) || accepted;
      else {
        vcpus.signal(n, KVM_MODES[to.mode]!, to.vector, its);
        accepted = to.mode !== DELIVERY.extint || accepted;
      }
    }
    return accepted;
  }
}
