import { effectivelyMasked } from '../../model/events/msix.ts';
import type { Machine } from '../machine.ts';
import { Eventfd } from './eventfd.ts';
import { PciFunction } from './function.ts';
import type { Irqfds } from './kvm-irqfd.ts';
import type { MessagePort } from './message.ts';

/** The machine that an emulated function belongs to: where its messages, eventfds and routes go. */
export interface SourceMachine extends MessagePort {
  readonly machine: Machine;
  readonly irqfds: Irqfds;
  nextFd(): number;
  nextGsi(): number;
}

/** Where the interrupts of an emulated function come from. */
export type SourceKind = 'userspace' | 'irqfd' | 'vhost' | 'hostirq';

/** Nanoseconds that a vhost worker takes until it signals. */
export const VHOST_DELAY = 4000;

/** The source of one vector: an eventfd and the GSI that it stands for. */
interface Source {
  readonly eventfd: Eventfd;
  readonly gsi: number;
}

/**
 * A PCI function that a VMM emulates for its guest. A `userspace` source sends messages itself (KVM_SIGNAL_MSI); the
 * others signal an eventfd, and the route of its GSI says what is injected.
 */
export class EmulatedFunction extends PciFunction {
  readonly vm: SourceMachine;
  readonly source: SourceKind;
  readonly #sources = new Map<number, Source>();

  constructor(vm: SourceMachine, bdf: string, source: SourceKind) {
    super(vm.machine, bdf, vm);
    this.vm = vm;
    this.source = source;
  }

  /** Eventfd and GSI of a vector; made when they are asked for first. */
  sourceOf(index: number): Source {
    let source = this.#sources.get(index);
    if (source === undefined) {
      source = { eventfd: new Eventfd(this.machine, this.vm.nextFd()), gsi: this.vm.nextGsi() };
      this.#sources.set(index, source);
    }
    return source;
  }

  /** Vectors whose source was ever used. */
  get sources(): ReadonlyMap<number, Source> {
    return this.#sources;
  }

  override send(from: number, address: number, data: number, cause: number, pasid?: number): void {
    const node = this.machine.world.node(from);
    if (this.source === 'userspace' || node?.parent?.segment !== 'msix') super.send(from, address, data, cause, pasid);
    else this.sourceOf(Number(node.segment)).eventfd.signal(cause);
  }

  /** Keeps route and irqfd of a vector as the table says: assigned while it is not masked (QEMU's vector notifiers). */
  follow(index: number): void {
    if (this.source === 'userspace') return;
    const { machine, vm } = this;
    const entry = this.entry(index);
    const masked = effectivelyMasked(machine.state, entry);
    if (masked === false) {
      const { eventfd, gsi } = this.sourceOf(index);
      vm.irqfds.set(gsi, this.bdf, index, { entry });
      if (!vm.irqfds.assigned(gsi)) vm.irqfds.assign(gsi, eventfd);
    } else {
      const source = this.#sources.get(index);
      if (source && vm.irqfds.assigned(source.gsi)) vm.irqfds.deassign(source.gsi);
    }
  }
}
