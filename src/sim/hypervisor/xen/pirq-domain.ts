import type { ObjectId } from '../../../base/ids.ts';
import { msgWrite } from '../../../model/events/irq.ts';
import { x86AddressWords, x86Data } from '../../../model/registers/x86.ts';
import { domain as domainType } from '../../../model/things/irq.ts';
import { type AffinityResult, type Composed, type Domain, errno, type Irq } from '../../irq/domain.ts';
import type { Vm } from '../../kvm/vm.ts';
import type { Actions } from '../../machine.ts';
import type { Assignment } from '../hypervisor.ts';
import type { MessagePlace } from '../message-places.ts';
import type { StorePath } from '../store-domain.ts';
import type { EventChannels } from './event-channels.ts';
import { EVTCHN, PHYSDEV, type Pirqs, XEN_CALL } from './pirqs.ts';

/** Delivery mode ExtINT, which xen_msi_compose_msg sets beside vector 0. */
const EXTINT = 7;
const HIGH = 0x100000000;

/** The message that names a PIRQ in its destination (xen_msi_compose_msg). */
export function pirqMessage(pirq: number): Composed {
  const [lo, hi] = x86AddressWords(pirq, 0);
  return { address: lo + hi * HIGH, data: x86Data.f.deliveryMode.put(EXTINT) };
}

/** What the kernel holds for an irq (struct irq_info). */
interface Held {
  readonly pirq: number;
  /** 0: not started up. */
  port: number;
  vcpu: number;
  /** Why the channel is masked (EVT_MASK_REASON_EXPLICIT, _TEMPORARY). */
  readonly reasons: Set<'explicit' | 'temporary'>;
}

/**
 * Message interrupts of a kernel on Xen: chip `xen-pirq`, domain `XEN-MSI`, which has no parent (arch/x86/pci/xen.c, drivers/xen/events/events_base.c).
 * It gets a PIRQ when an irq is allocated, and an event channel when that is started up; masking and moving is done at the channel.
 */
export class XenMsiDomain implements Domain {
  readonly name = 'XEN-MSI';
  readonly object: ObjectId;
  readonly parent = undefined;
  readonly #xen: Pirqs;
  readonly #vm: Vm;
  readonly #channels: EventChannels;
  /** PV: Xen stores the message; HVM: the guest stores one that names the PIRQ. */
  readonly #pv: boolean;
  readonly #held = new Map<Irq, Held>();
  readonly #paths = new Map<Irq['device'], { assignment: Assignment; place: MessagePlace; path: StorePath }>();

  constructor(xen: Pirqs, vm: Vm, pv: boolean) {
    this.#xen = xen;
    this.#vm = vm;
    this.#pv = pv;
    this.object = xen.machine.world.object(domainType, `guest/${vm.id}/domain/${this.name}`);
    this.#channels = xen.channels(vm);
    this.#channels.handler = (port, vcpu) => this.#handle(port, vcpu);
  }

  /** Takes on a function: how the kernel stores for it, and where Xen does. */
  serve(assignment: Assignment, place: MessagePlace, path: StorePath): void {
    this.#paths.set(assignment.view, { assignment, place, path });
  }

  /** The PIRQ of an irq, -1 none. */
  pirq(irq: Irq): number {
    return this.#held.get(irq)?.pirq ?? -1;
  }

  *#physdev(command: number, work: () => Actions<number>): Actions<number> {
    return yield* this.#xen.call(this.#vm, XEN_CALL.physdev, command, work);
  }

  *#event(command: number, work: () => Actions<number>): Actions<number> {
    return yield* this.#xen.call(this.#vm, XEN_CALL.eventChannel, command, work);
  }

  /** xen_initdom_setup_msi_irqs, xen_hvm_setup_msi_irqs. */
  *alloc(irq: Irq): Actions<number> {
    const served = this.#paths.get(irq.device);
    if (served === undefined) return errno.ENODEV;
    const { assignment, place, path } = served;
    const xen = this.#xen;
    const pirq = this.#pv
      ? yield* this.#physdev(PHYSDEV.map, () => xen.map(assignment, place, irq.hwirq))
      : yield* this.#physdev(PHYSDEV.freePirq, () => at(xen.free(this.#vm)));
    if (pirq < 0) return pirq;
    this.#held.set(irq, { pirq, port: 0, vcpu: 0, reasons: new Set(['explicit']) });
    if (this.#pv) return 0;
    const { hwirq, object, virq } = irq;
    const message = pirqMessage(pirq);
    const { where } = path.place;
    xen.machine.emit(msgWrite, object, { hwirq, ...message, domain: this.name, by: 'alloc', where });
    yield* path.store(hwirq, message, virq);
    return 0;
  }

  /** xen_destroy_irq: only dom0 has Xen unmap the PIRQ; for an HVM guest its device model does. */
  *free(irq: Irq): Actions {
    const held = this.#held.get(irq);
    this.#held.delete(irq);
    if (held && this.#pv) yield* this.#physdev(PHYSDEV.unmap, () => this.#xen.unmap(this.#vm, held.pirq));
  }

  /** startup_pirq: binds the PIRQ to an event channel, asks whether it needs EOIs, and chooses a virtual CPU. */
  *activate(irq: Irq): Actions<number> {
    const held = this.#held.get(irq);
    if (held === undefined) return errno.EINVAL;
    const [xen, vm] = [this.#xen, this.#vm];
    const port = yield* this.#event(EVTCHN.bindPirq, () => xen.bind(vm, held.pirq));
    // Linux only warns ("Failed to obtain physical IRQ"), and its startup returns 0: the irq has no channel and never comes.
    if (port < 0) return 0;
    held.port = port;
    yield* this.#physdev(PHYSDEV.status, () => at(xen.status(vm, held.pirq, this.#pv)));
    yield* this.#rebind(held, irq.affinity);
    return 0;
  }

  /** shutdown_pirq. */
  *deactivate(irq: Irq): Actions {
    const held = this.#held.get(irq);
    if (held === undefined || held.port === 0) return;
    const { port, pirq } = held;
    this.#setMask(held, 'explicit', true);
    held.port = 0;
    yield* this.#event(EVTCHN.close, () => this.#xen.close(this.#vm, port, pirq));
  }

  #setMask(held: Held, reason: 'explicit' | 'temporary', masked: boolean): void {
    const before = held.reasons.size > 0;
    if (masked) held.reasons.add(reason);
    else held.reasons.delete(reason);
    const now = held.reasons.size > 0;
    if (before !== now) this.#channels.mask(held.port, now);
  }

  /** evtchn_2l_unmask: by hypercall where another virtual CPU is to be told, or, in an HVM guest, where an event waits. */
  *#unmask(held: Held, reason: 'explicit' | 'temporary'): Actions {
    const alone = held.reasons.size === 1 && held.reasons.has(reason);
    const foreign = held.vcpu !== this.#vm.vcpus.current;
    if (!alone || !(foreign || (!this.#pv && this.#channels.pending(held.port)))) {
      this.#setMask(held, reason, false);
      return;
    }
    yield* this.#event(EVTCHN.unmask, () => {
      this.#setMask(held, reason, false);
      return at(0);
    });
  }

  *mask(irq: Irq, masked: boolean): Actions {
    const held = this.#held.get(irq);
    if (held === undefined || held.port === 0) return;
    if (masked) this.#setMask(held, 'explicit', true);
    else yield* this.#unmask(held, 'explicit');
  }

  /** select_target_cpu: the virtual CPU of the mask that has the fewest channels. */
  #select(cpus: readonly number[]): number {
    const all = Array.from({ length: this.#vm.vcpus.count }, (_, n) => n);
    const wished = cpus.filter((n) => n < all.length);
    const load = (n: number): number =>
      [...this.#held.values()].filter(({ port, vcpu }) => port !== 0 && vcpu === n).length;
    return (wished.length > 0 ? wished : all).sort((a, b) => load(a) - load(b) || a - b)[0]!;
  }

  /** xen_rebind_evtchn_to_cpu: the channel is masked meanwhile. */
  *#rebind(held: Held, cpus: readonly number[]): Actions<number> {
    const vcpu = this.#select(cpus);
    const channels = this.#channels;
    this.#setMask(held, 'temporary', true);
    const ret = yield* this.#event(EVTCHN.bindVcpu, () => at(channels.target(held.port, vcpu) ? 0 : errno.ENOENT));
    if (ret >= 0) held.vcpu = vcpu;
    // A planted fault: the kernel forgets to take the mask of the move back.
    if (!this.#xen.machine.tamper?.spoils('R22', channels.object(held.port))) yield* this.#unmask(held, 'temporary');
    return ret;
  }

  /** set_affinity_irq. */
  *setAffinity(irq: Irq, cpus: readonly number[]): Actions<AffinityResult> {
    const held = this.#held.get(irq);
    if (held === undefined || held.port === 0) return errno.EPERM;
    const ret = yield* this.#rebind(held, cpus);
    return ret < 0 ? ret : 'done';
  }

  /** handle_edge_irq of the chip: the event is acknowledged, with an EOI where one is needed (eoi_pirq), then the action runs. */
  *#handle(port: number, vcpu: number): Actions {
    const xen = this.#xen;
    const found = [...this.#held].find(([, held]) => held.port === port);
    this.#channels.take(port, vcpu);
    if (found === undefined) return;
    const [irq, { pirq }] = found;
    if (xen.needsEoi(this.#vm, pirq)) yield* this.#physdev(PHYSDEV.eoi, () => xen.eoi(this.#vm, pirq, this.#pv));
    yield* this.#vm.core.handle(irq.virq, vcpu);
  }
}

/** An answer that is there at once. */
function* at(answer: number): Actions<number> {
  return answer;
}
