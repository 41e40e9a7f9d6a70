import type { ObjectId } from '../../../base/ids.ts';
import { hcallReturn, kvmHypercall } from '../../../model/events/hypervisor.ts';
import { xenEoi, xenHold, xenNeedsEoi, xenPirq } from '../../../model/events/platform/xen.ts';
import { x86Data, x86Destination } from '../../../model/registers/x86.ts';
import { pirq as pirqType } from '../../../model/things/xen.ts';
import { dropTaken } from '../../drop.ts';
import { type Composed, errno } from '../../irq/domain.ts';
import type { Host } from '../../irq/host.ts';
import type { Vm } from '../../kvm/vm.ts';
import type { Actions, Actor, Machine } from '../../machine.ts';
import type { Assignment } from '../hypervisor.ts';
import type { MessagePlace } from '../message-places.ts';
import { DirectPath, StoreDomain } from '../store-domain.ts';
import { EventChannels } from './event-channels.ts';

/** __HYPERVISOR_event_channel_op and __HYPERVISOR_physdev_op. */
export const XEN_CALL = { eventChannel: 32, physdev: 33 } as const;
/** Commands of physdev_op (xen/include/public/physdev.h). */
export const PHYSDEV = { eoi: 12, map: 13, unmap: 14, status: 5, freePirq: 23 } as const;
/** Commands of event_channel_op (xen/include/public/event_channel.h). */
export const EVTCHN = { close: 3, bindVcpu: 8, bindPirq: 2, unmask: 9 } as const;
/** Nanoseconds that Xen masks an interrupt whose event still waits, if no EOI comes (irq_guest_eoi_timer: 1 ms). */
const HOLD = 1_000_000;
/** Nanoseconds of Xen's own handler. */
const FORWARD = 300;
/** PIRQs of message interrupts come behind those of the lines: nr_irqs_gsi of a usual machine is more, the simulator takes few. */
const FIRST_PIRQ = 24;

/** A PIRQ of a domain. */
interface Pirq {
  readonly pirq: number;
  readonly object: ObjectId;
  readonly assignment: Assignment;
  readonly index: number;
  readonly maskable: boolean;
  /** Xen's irq behind it. */
  virq: number;
  needsEoi: boolean;
  /** Which hold stands, so that the timer of an earlier one does not end it; 0 none. */
  hold: number;
}

/** What Xen has of message interrupts of domains: PIRQs, the irqs behind them, and the event channels (xen/arch/x86/irq.c, physdev.c, msi.c). */
export class Pirqs {
  readonly machine: Machine;
  readonly actor: Actor = { layer: 'hypervisor', name: 'xen', cpu: 0 };
  readonly #host: Host;
  readonly #domains = new Map<Vm, EventChannels>();
  readonly #stores = new Map<MessagePlace, StoreDomain>();
  readonly #pirqs = new Map<string, Pirq>();
  readonly #next = new Map<Vm, number>();
  #holds = 0;
  /** Xen at work on each CPU. */
  readonly #on: Actor[] = [];

  constructor(machine: Machine, at: Host) {
    this.machine = machine;
    this.#host = at;
  }

  /** The event channels of a domain. */
  channels(vm: Vm): EventChannels {
    let made = this.#domains.get(vm);
    if (made === undefined) {
      made = new EventChannels(this.machine, vm);
      this.#domains.set(vm, made);
    }
    return made;
  }

  #of(vm: Vm, pirq: number): Pirq | undefined {
    return this.#pirqs.get(`${vm.id}/${pirq}`);
  }

  /** Whether the kernel of a domain has to end an interrupt of a PIRQ by hypercall. */
  needsEoi(vm: Vm, pirq: number): boolean {
    return this.#of(vm, pirq)?.needsEoi ?? false;
  }

  /** A hypercall of the virtual CPU at work. */
  *call(vm: Vm, number: number, command: number, work: () => Actions<number>): Actions<number> {
    const { machine } = this;
    const n = vm.vcpus.current;
    machine.as(vm.vcpus.guest(n), () => machine.emit(kvmHypercall, vm.object, { number, input: command }));
    yield* vm.vcpus.call(n);
    const answer = yield* machine.within(this.actor, work());
    const about = answer < 0 ? { ret: answer } : { ret: 0, output: answer };
    machine.as(this.actor, () => machine.emit(hcallReturn, vm.object, { number, ...about }));
    yield* vm.vcpus.enter(n);
    return answer;
  }

  /** PHYSDEVOP_get_free_pirq: the number is reserved. */
  free(vm: Vm): number {
    const pirq = this.#next.get(vm) ?? FIRST_PIRQ;
    this.#next.set(vm, pirq + 1);
    return pirq;
  }

  /**
   * PHYSDEVOP_map_pirq with MAP_PIRQ_TYPE_MSI_SEG: Xen allocates its own irq, composes and stores the message where the device finds it. `pirq` -1:
   * a free one. The PIRQ, or a negative errno.
   */
  *map(assignment: Assignment, place: MessagePlace, index: number, wished = -1): Actions<number> {
    const { vm, fn, first, count, grants, owner } = assignment;
    if (index < first || index >= first + count || index >= place.size) return errno.EINVAL;
    const mine = [...this.#pirqs.values()].filter((one) => one.assignment === assignment);
    if (mine.some((one) => one.index === index)) return errno.EEXIST;
    if (mine.length >= grants) return errno.ENOSPC;
    if (wished >= 0 && this.#of(vm, wished)) return errno.EEXIST;
    const { core } = this.#host;
    const domain = this.#store(assignment, place);
    if (mine.length === 0) place.enable(false);
    const virq = yield* core.alloc({ domain, hwirq: index, device: fn, owner, canReserve: false });
    if (virq < 0) return virq;
    const pirq = wished >= 0 ? wished : this.free(vm);
    const object = this.machine.world.object(pirqType, `xen/${vm.id}/pirq/${pirq}`);
    const { maskable } = place;
    const made: Pirq = { pirq, object, assignment, index, maskable, virq, needsEoi: false, hold: 0 };
    this.#pirqs.set(`${vm.id}/${pirq}`, made);
    this.machine.emit(xenPirq, object, { device: fn.bdf, entry: index, irq: virq, release: false });
    // The message is stored, and the entry masked, until a guest binds the PIRQ.
    yield* core.activate(core.irq(virq)!, false);
    if (mine.length === 0) place.enable(true);
    return pirq;
  }

  #store({ fn }: Assignment, place: MessagePlace): StoreDomain {
    let made = this.#stores.get(place);
    if (made === undefined) {
      made = new StoreDomain(
        this.machine,
        `XEN-${place.domain}-${fn.bdf}`,
        this.#host.parent,
        '',
        new DirectPath(place),
      );
      this.#stores.set(place, made);
    }
    return made;
  }

  /** PHYSDEVOP_unmap_pirq: the message is taken out of the device. */
  *unmap(vm: Vm, pirq: number): Actions<number> {
    const one = this.#of(vm, pirq);
    if (one === undefined) return errno.EINVAL;
    if (this.channels(vm).portOf(pirq) > 0) return errno.EBUSY;
    this.#pirqs.delete(`${vm.id}/${pirq}`);
    const { core } = this.#host;
    yield* core.release(one.virq);
    this.machine.emit(xenPirq, one.object, { device: one.assignment.fn.bdf, entry: one.index, release: true });
    return 0;
  }

  /** EVTCHNOP_bind_pirq (pirq_guest_bind): the interrupt is started up: the port, or a negative errno. */
  *bind(vm: Vm, pirq: number): Actions<number> {
    const one = this.#of(vm, pirq);
    if (one === undefined) return errno.EINVAL;
    const channels = this.channels(vm);
    if (channels.portOf(pirq) > 0) return errno.EEXIST;
    const port = channels.bind(pirq);
    const { core } = this.#host;
    const name = `dom${vm.id}:${one.assignment.owner}-${one.index}`;
    const ret = yield* core.request(one.virq, name, () => this.#forward(one));
    if (ret >= 0) return port;
    channels.close(port);
    return ret;
  }

  /** EVTCHNOP_close: the interrupt is shut down (pirq_guest_unbind). */
  *close(vm: Vm, port: number, pirq: number): Actions<number> {
    this.channels(vm).close(port);
    const one = this.#of(vm, pirq);
    if (one) yield* this.#host.core.freeIrq(one.virq);
    return 0;
  }

  /**
   * PHYSDEVOP_irq_status_query answers XENIRQSTAT_needs_eoi for every PIRQ, since Xen cannot know what it masks later. A PV domain looks at its EOI map
   * instead (`usesMap`), where the bit is set only while an EOI is needed.
   */
  status(vm: Vm, pirq: number, usesMap: boolean): number {
    const one = this.#of(vm, pirq);
    if (one === undefined) return errno.EINVAL;
    this.#tellEoi(one, !usesMap || !one.maskable);
    return 1;
  }

  /** The PIRQ that the message of an HVM guest asks for (msi_msix_setup of QEMU): vector 0, the number in the destination; -1 none. */
  requested({ address, data }: Composed): number {
    if (x86Data.f.vector.of(data) !== 0) return -1;
    return x86Destination(address >>> 0, Math.floor(address / 0x100000000));
  }

  #tellEoi(one: Pirq, needed: boolean): void {
    one.needsEoi = needed;
    this.machine.emit(xenNeedsEoi, one.object, { needed });
  }

  /** PHYSDEVOP_eoi (pirq_guest_eoi). */
  *eoi(vm: Vm, pirq: number, usesMap: boolean): Actions<number> {
    const one = this.#of(vm, pirq);
    if (one === undefined) return errno.EINVAL;
    this.machine.emit(xenEoi, one.object, {});
    if (usesMap && one.needsEoi && one.maskable) this.#tellEoi(one, false);
    if (one.hold !== 0) yield* this.#letGo(one, 'EOI');
    return 0;
  }

  *#letGo(one: Pirq, by: string): Actions {
    one.hold = 0;
    this.machine.emit(xenHold, one.object, { held: false, by });
    yield* this.#host.core.mask(one.virq, false);
  }

  /**
   * __do_IRQ_guest: the event of the domain is set. Where it waits already, Xen masks the interrupt until the domain ends it, or for 1 ms: it cannot be
   * taken anyhow.
   */
  *#forward(one: Pirq): Actions {
    yield FORWARD;
    const { machine } = this;
    const { vm } = one.assignment;
    const channels = this.channels(vm);
    const port = channels.portOf(one.pirq);
    if (port === 0) {
      dropTaken(machine, machine.actor.cpu, one.object, 'no event channel is bound to the PIRQ');
      return;
    }
    const { cpu } = machine.actor;
    const cause = machine.ledger.takeBack(cpu);
    const xen = (this.#on[cpu] ??= { ...this.actor, cpu });
    const again = machine.as(xen, () => channels.raise(port, cause));
    if (!again || !one.maskable || one.hold !== 0) return;
    const { core } = this.#host;
    yield* core.mask(one.virq, true);
    const hold = ++this.#holds;
    one.hold = hold;
    machine.as(xen, () => {
      machine.emit(xenHold, one.object, { held: true });
      if (!one.needsEoi) this.#tellEoi(one, true);
    });
    machine.after(HOLD, this.actor, () => {
      if (one.hold === hold) machine.start(this.actor, this.#letGo(one, '1 ms'));
    });
  }
}
