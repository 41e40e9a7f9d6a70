import { irqStatus } from '../../model/events/irq.ts';
import { devWithdraw } from '../../model/events/msix.ts';
import { illegal } from '../../model/events/outcome.ts';
import { irqfdWakeup } from '../../model/events/virt.ts';
import { effectivelyMasked } from '../../model/masking.ts';
import { irq } from '../../model/things/irq.ts';
import { msixEntry } from '../../model/things/pci.ts';
import type { MessagePort } from '../device/message.ts';
import { messageOf } from '../device/msix-rules.ts';
import { PciFunction, type Served } from '../device/pci-function.ts';
import type { Machine } from '../machine.ts';
import type { Eventfd } from '../vfio/eventfd.ts';
import type { Irqfds, RouteMessage } from './irqfds.ts';

/** The machine that an emulated function belongs to: where its messages, eventfds and routes go, and how it is designed. */
export interface SourceMachine extends MessagePort {
  readonly machine: Machine;
  readonly irqfds: Irqfds;
  /** KVM sets routes itself. */
  readonly internal: boolean;
  /** KVM keeps the mask bits: sources stay tied while masked, and KVM latches what they signal. */
  readonly kernelMasks: boolean;
  /** A read of the table waits for interrupts that are under way. */
  readonly flushes: boolean;
  /** KVM cannot reach its pending bits at once. */
  readonly deferred: boolean;
  /** Called when the device takes a cause back; without it KVM's pending bit stays. */
  readonly tellsWithdrawal: boolean;
  openEventfd(): Eventfd;
  nextGsi(): number;
  /** What a route for an entry is made from. */
  routeFrom(fn: PciFunction, index: number): { readonly entry?: number } & Partial<RouteMessage>;
  /** Whether the entry is tied to no source although KVM serves its table. */
  unbound(fn: PciFunction, index: number): boolean;
}

/** Where the interrupts of an emulated function come from. */
export type SourceKind = 'userspace' | 'irqfd' | 'vhost' | 'hostirq';

/** Nanoseconds until a vhost worker signals what its queue has; it cannot be made to signal sooner. */
export const VHOST_DELAY = 20_000;
/** Nanoseconds from the signal of an eventfd until it is injected. */
const SIGNAL = 2500;
/** Nanoseconds until a worker has the page that holds the pending bits. */
export const PAGE_IN = 60_000;

/** The source of one vector: an eventfd and the GSI that it stands for. */
interface VectorSource {
  readonly eventfd: Eventfd;
  readonly gsi: number;
}

/** A signal that was given and is not injected yet. */
interface PendingSignal {
  readonly index: number;
  readonly cause: number;
}

/**
 * A PCI function that a VMM emulates for its guest. A `userspace` source sends messages itself (KVM_SIGNAL_MSI); the
 * others signal an eventfd, and what its irqfd stands for says what is injected. Who keeps the pending bits follows
 * from who masks.
 */
export class EmulatedFunction extends PciFunction {
  readonly vm: SourceMachine;
  readonly source: SourceKind;
  /** Linux irq of the host behind vector 0 of an assigned device; those of the others follow. */
  readonly hostIrq: number | undefined;
  readonly #sources = new Map<number, VectorSource>();
  readonly #signals: PendingSignal[] = [];
  /** Entries whose cause the device took back while the pending bit stayed set. */
  readonly #gone = new Set<number>();
  /** Entries that were masked and then read: no interrupt may come any more. */
  readonly #quiet = new Set<number>();

  constructor(vm: SourceMachine, bdf: string, source: SourceKind, hostIrq?: number) {
    super(vm.machine, bdf, vm);
    this.vm = vm;
    this.source = source;
    this.hostIrq = hostIrq;
  }

  /** Eventfd and GSI of a vector; made when they are asked for first. */
  sourceOf(index: number): VectorSource {
    let source = this.#sources.get(index);
    if (source === undefined) {
      source = { eventfd: this.vm.openEventfd(), gsi: this.vm.nextGsi() };
      source.eventfd.source = this.source;
      this.#sources.set(index, source);
    }
    return source;
  }

  /** Vectors whose source was ever used. */
  get sources(): ReadonlyMap<number, VectorSource> {
    return this.#sources;
  }

  /** A cause arises. A vhost worker keeps it to itself until it signals; so does a page fault of the pending bits. */
  override raise(index: number): number {
    const { machine, vm } = this;
    const delay = this.source === 'vhost' ? VHOST_DELAY : 0;
    if (delay > 0) {
      machine.after(delay, { layer: 'device', name: 'vhost', cpu: -1 }, () => this.#arise(index));
      return 0;
    }
    return this.#arise(index, vm.deferred);
  }

  #arise(index: number, defer = this.vm.deferred): number {
    const { machine, vm } = this;
    const masked = effectivelyMasked(machine.state, this.entry(index)) === true;
    if (masked && vm.kernelMasks && this.source !== 'userspace') {
      this.#status(index, true, true);
      // A host interrupt that is disabled never gets to signal its eventfd.
      if (this.hostIrq === undefined)
        machine.as({ layer: 'kvm', name: 'irqfd', cpu: -1 }, () =>
          machine.emit(irqfdWakeup, vm.irqfds.irqfd(this.sourceOf(index).gsi), { source: this.source }),
        );
      if (defer) {
        machine.after(PAGE_IN, { layer: 'kvm', name: 'worker', cpu: 0 }, () => super.raise(index));
        return 0;
      }
    }
    this.#gone.delete(index);
    return super.raise(index);
  }

  /** KVM disables the host interrupt of an entry that it masks: lazily, its descriptor keeps what comes. */
  #status(index: number, disabled: boolean, latched: boolean): void {
    const { machine, vm, hostIrq } = this;
    if (hostIrq === undefined || !vm.kernelMasks) return;
    const object = machine.world.object(irq, `irq/${hostIrq + index}`);
    if (latched && machine.state.flag(object, irq.at.latched) === true) return;
    machine.as({ layer: 'irq-core', name: 'host', cpu: 0 }, () =>
      machine.emit(irqStatus, object, { disabled, pending: latched }),
    );
  }

  /** The device takes a cause back. Where KVM alone keeps the pending bits, it is not told. */
  override withdraw(index: number): void {
    if (this.vm.kernelMasks && !this.vm.tellsWithdrawal) this.#gone.add(index);
    else super.withdraw(index);
  }

  /** Whether the pending bit of an entry stands for a cause that the device took back. */
  gone(index: number): boolean {
    return this.#gone.has(index);
  }

  /** What is pending is lost, for a reason: the bits are cleared. */
  dropPending(reason: string): void {
    const { machine } = this;
    const set = Array.from({ length: Math.max(this.size, 0) }, (_, i) => i).filter(
      (i) => machine.state.flag(this.entry(i), msixEntry.at.pending) === true,
    );
    for (const i of set) machine.emit(devWithdraw, this.entry(i), {});
    this.giveUp(set, reason);
  }

  /** The device model is asked: pending bits whose cause is gone are cleared. */
  settle(): void {
    for (const index of this.#gone) super.withdraw(index);
    this.#gone.clear();
  }

  override send(from: number, address: number, data: number, cause: number, pasid?: number): void {
    const { machine, vm } = this;
    const node = machine.world.node(from);
    if (node?.parent?.segment !== 'msix') {
      super.send(from, address, data, cause, pasid);
      return;
    }
    const index = Number(node.segment);
    if (vm.unbound(this, index)) this.drop(from, cause, 'the entry is tied to no interrupt source');
    else if (this.source === 'userspace') super.send(from, address, data, cause, pasid);
    else {
      this.#gone.delete(index);
      const signal = { index, cause };
      this.#signals.push(signal);
      machine.after(SIGNAL, { layer: 'device', name: this.source, cpu: -1 }, () => this.#signalled(signal));
    }
  }

  #signalled(signal: PendingSignal): void {
    const at = this.#signals.indexOf(signal);
    if (at < 0) return;
    this.#signals.splice(at, 1);
    const entry = this.entry(signal.index);
    if (this.#quiet.has(signal.index))
      this.machine.emit(illegal, entry, {
        rule: 'INV-FLUSH',
        text: 'an interrupt that was under way is injected after the entry was masked and read',
      });
    const { eventfd } = this.sourceOf(signal.index);
    if (eventfd.taken) eventfd.signal(signal.cause);
    else this.drop(entry, signal.cause, 'nobody reads the eventfd of the entry: the VMM set no irqfd for it');
  }

  /** A read of the function waits for interrupts that are under way, unless the design lacks that. */
  override flush(): void {
    super.flush();
    if (this.vm.flushes) for (const signal of [...this.#signals]) this.#signalled(signal);
  }

  override table(
    index: number,
    offset: number,
    size: number,
    value: readonly number[] | undefined,
    served?: Served,
  ): number[] | undefined {
    const before = effectivelyMasked(this.machine.state, this.entry(index)) === true;
    const answer = super.table(index, offset, size, value, served);
    const masked = effectivelyMasked(this.machine.state, this.entry(index)) === true;
    if (masked !== before) this.#status(index, masked, false);
    if (!masked) this.#quiet.delete(index);
    // A read of any dword of the table makes sure of all entries: the completion comes behind what the function sent.
    if (!value)
      for (let i = 0; i < Math.max(this.size, 0); i++)
        if (effectivelyMasked(this.machine.state, this.entry(i)) === true) this.#quiet.add(i);
    return answer;
  }

  override configWrite(offset: number, size: number, value: number): void {
    super.configWrite(offset, size, value);
    for (const index of [...this.#quiet])
      if (effectivelyMasked(this.machine.state, this.entry(index)) !== true) this.#quiet.delete(index);
  }

  /**
   * Keeps route and irqfd of a vector as the table says. Where the VMM masks, the irqfd is there while the entry is not
   * masked (QEMU's vector notifiers); where KVM masks, from the first message on.
   */
  follow(index: number): void {
    if (this.source === 'userspace') return;
    const { machine, vm } = this;
    const entry = this.entry(index);
    const known = machine.state.known(entry, msixEntry.at.address) === 0xffffffff;
    if (vm.kernelMasks ? known : effectivelyMasked(machine.state, entry) === false) {
      const { eventfd, gsi } = this.sourceOf(index);
      if (!this.#stale(entry, gsi)) vm.irqfds.set(gsi, this.bdf, index, vm.routeFrom(this, index), !vm.internal);
      if (!vm.irqfds.assigned(gsi)) vm.irqfds.assign(gsi, eventfd);
    } else this.unfollow(index);
  }

  /** A planted fault: the VMM goes on with the route that an entry had before the guest wrote another message. */
  #stale(entry: number, gsi: number): boolean {
    const { state, tamper, recorder } = this.machine;
    const routed = tamper === undefined ? undefined : this.vm.irqfds.message(gsi);
    if (tamper === undefined || routed === undefined) return false;
    const own = messageOf(state, entry);
    const differs = own !== undefined && (own.address !== routed.address || own.data !== routed.data);
    return differs && tamper.strikes('F52', entry, recorder.length - 1);
  }

  /** Releases the irqfd of a vector; what was signalled before is injected before that returns. */
  unfollow(index: number): void {
    const underWay = this.#signals.filter((s) => s.index === index);
    const flush = (): void => {
      for (const signal of underWay) this.#signalled(signal);
    };
    const source = this.#sources.get(index);
    if (!source || !this.vm.irqfds.assigned(source.gsi)) {
      flush();
      return;
    }
    const { irqfds } = this.vm;
    // A planted fault: the VMM takes the route away first, while a signal is under way.
    const waits = underWay.length > 0;
    if (waits && this.machine.tamper?.spoils('F50', irqfds.irqfd(source.gsi))) irqfds.release(source.gsi);
    irqfds.deassign(source.gsi, waits ? flush : undefined);
  }
}
