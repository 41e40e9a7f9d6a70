import { irqfdAssign, irqfdWakeup, routeCommit, routeRelease, routeSet } from '../../model/events/virt.ts';
import { kvmIrqfd, kvmRoute } from '../../model/things/virt.ts';
import type { Message } from '../device/message.ts';
import { drop } from '../drop.ts';
import { errno } from '../irq/domain.ts';
import type { Machine } from '../machine.ts';
import type { Eventfd } from '../vfio/eventfd.ts';

/** Address and data of a message route. */
export interface RouteMessage {
  readonly address: number;
  readonly data: number;
}

/** Nanoseconds until the work queue of KVM shuts an irqfd down that was released. */
const SHUTDOWN = 20_000;

/** GSIs that KVM knows (KVM_MAX_IRQ_ROUTES). */
export const MOST_ROUTES = 4096;

/**
 * The GSI routing table of a virtual machine and its irqfds (virt/kvm/eventfd.c, irqchip.c). What a route holds is the
 * fold; an irqfd takes it at the moment of the signal.
 */
export class Irqfds {
  readonly machine: Machine;
  /** Object of the virtual machine. */
  readonly vm: number;
  /** Takes the message for a GSI from elsewhere than its route: an irqfd that stands for a table entry. */
  messageOf: ((gsi: number) => RouteMessage | undefined) | undefined;
  /** Called when the route of a GSI changed, and when an eventfd was tied to one or released. */
  onRoute: ((gsi: number) => void) | undefined;
  onConsumer: ((gsi: number) => void) | undefined;
  readonly #deliver: (message: Message) => number;
  readonly #irqfds = new Map<number, Eventfd>();

  constructor(machine: Machine, vm: number, deliver: (message: Message) => number) {
    this.machine = machine;
    this.vm = vm;
    this.#deliver = deliver;
  }

  /** Object of the route of a GSI. */
  route(gsi: number): number {
    return this.machine.world.child(kvmRoute, this.vm, 'route', gsi);
  }

  /** Object of the irqfd of a GSI. */
  irqfd(gsi: number): number {
    return this.machine.world.child(kvmIrqfd, this.vm, 'irqfd', gsi);
  }

  /** The message that a GSI stands for now; undefined without a route. */
  message(gsi: number): RouteMessage | undefined {
    const { state } = this.machine;
    const at = this.route(gsi);
    if (!state.present(at)) return undefined;
    const cells = [kvmRoute.at.address, kvmRoute.at.address + 1, kvmRoute.at.data];
    if (cells.some((cell) => state.known(at, cell) !== 0xffffffff)) return undefined;
    const [lo, hi, data] = cells.map((cell) => state.get(at, cell)) as [number, number, number];
    return { address: lo + hi * 0x100000000, data };
  }

  /**
   * KVM_SET_GSI_ROUTING with one route changed (`commit` false: KVM does that itself). With an MSI-X entry the route
   * takes what that entry holds now; a message given goes first. 0 or a negative errno.
   */
  set(
    gsi: number,
    device: string,
    vector: number,
    from: { readonly entry?: number } & Partial<RouteMessage>,
    commit = true,
  ): number {
    const { machine } = this;
    if (gsi < 0 || gsi >= MOST_ROUTES) return errno.EINVAL;
    const { address, data, entry } = from;
    machine.emit(routeSet, this.route(gsi), { device, vector, entry, address, data });
    if (commit) machine.emit(routeCommit, this.vm, {});
    this.onRoute?.(gsi);
    return 0;
  }

  /** Takes a route away. */
  release(gsi: number): void {
    const { machine } = this;
    machine.emit(routeRelease, this.route(gsi), {});
    machine.emit(routeCommit, this.vm, {});
    this.onRoute?.(gsi);
  }

  /** Whether a GSI has an irqfd. */
  assigned(gsi: number): boolean {
    return this.#irqfds.has(gsi);
  }

  /** The eventfd of a GSI, and the GSI of an eventfd. */
  eventfd(gsi: number): Eventfd | undefined {
    return this.#irqfds.get(gsi);
  }

  gsiOf(eventfd: Eventfd): number | undefined {
    for (const [gsi, one] of this.#irqfds) if (one === eventfd) return gsi;
    return undefined;
  }

  /** KVM_IRQFD: ties an eventfd to a GSI; what was signalled before is injected at once. -EBUSY: the eventfd is taken. */
  assign(gsi: number, eventfd: Eventfd): number {
    const { machine } = this;
    if (gsi < 0) return errno.EINVAL;
    if (eventfd.taken || this.#irqfds.has(gsi)) return errno.EBUSY;
    this.#irqfds.set(gsi, eventfd);
    machine.emit(irqfdAssign, this.irqfd(gsi), { fd: eventfd.fd, release: false });
    eventfd.wait((cause) => this.#wakeup(gsi, cause));
    this.onConsumer?.(gsi);
    return 0;
  }

  /**
   * KVM_IRQFD with the deassign flag: waits for what is under way (`flush` lets that arrive); afterwards the GSI gets nothing more. A planted
   * fault does not wait, and the irqfd is taken off its eventfd behind the back of the call.
   */
  deassign(gsi: number, flush?: () => void): number {
    const { machine } = this;
    const eventfd = this.#irqfds.get(gsi);
    if (!eventfd) return errno.ENOENT;
    const hasty = flush !== undefined && machine.tamper?.spoils('F53', this.irqfd(gsi)) === true;
    if (!hasty) {
      flush?.();
      eventfd.wait(undefined);
    } else machine.after(SHUTDOWN, machine.actor, () => eventfd.wait(undefined));
    this.#irqfds.delete(gsi);
    this.onConsumer?.(gsi);
    machine.emit(irqfdAssign, this.irqfd(gsi), { fd: eventfd.fd, release: true });
    return 0;
  }

  /** irqfd_wakeup: in the context of the signaller, with the route of this moment. */
  #wakeup(gsi: number, cause: number): void {
    const { machine } = this;
    machine.as({ layer: 'kvm', name: 'irqfd', cpu: machine.actor.cpu }, () => {
      const at = this.irqfd(gsi);
      machine.emit(irqfdWakeup, at, { source: this.#irqfds.get(gsi)?.source });
      this.inject(gsi, cause, at);
    });
  }

  /** Injects the message that a GSI stands for (kvm_set_irq). Without a route the interrupt is lost; an event says so. */
  inject(gsi: number, cause: number, from: number): number {
    const { machine } = this;
    const message = this.messageOf?.(gsi) ?? this.message(gsi);
    if (message === undefined) {
      const reason = `GSI ${gsi} has no message route`;
      drop(machine, from, reason, cause);
      return -1;
    }
    return this.#deliver({ ...message, requester: 0, cause, from });
  }
}
