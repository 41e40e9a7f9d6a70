import type { Composed } from '../irq/domain.ts';
import { host } from '../irq/host.ts';
import type { Vm } from '../kvm/vm.ts';
import type { Actions } from '../machine.ts';
import type { Setup } from '../setup.ts';
import { type Assignment, hypervisor } from './hypervisor.ts';
import { type MessagePlace, writeMessage } from './message-places.ts';
import { createBusDomain, DirectPath, StoreDomain, type StorePath } from './store-domain.ts';

/** Nanoseconds that the hypervisor needs to translate a message that it trapped. */
const TRANSLATE = 900;

/** Each store of a guest exits, the last one of a message lets the hypervisor translate it: the guest's own message goes to the emulated function, a message of the host to the device. */
export class TrappedPath implements StorePath {
  readonly place: MessagePlace;
  readonly #setup: Setup;
  readonly #vm: Vm;
  readonly #hardware: MessagePlace;
  readonly #owner: Assignment;
  readonly #domain: StoreDomain;
  /** Irqs of the host by entry. */
  readonly #backing = new Map<number, number>();

  constructor(setup: Setup, owner: Assignment, place: MessagePlace, hardware: MessagePlace) {
    const { machine } = setup;
    this.place = place;
    this.#setup = setup;
    this.#vm = owner.vm;
    this.#owner = owner;
    this.#hardware = hardware;
    const at = setup.use(host);
    const name = `${hardware.domain}-${owner.fn.bdf}`;
    this.#domain = new StoreDomain(machine, name, at.parent, '', new DirectPath(hardware));
    machine.as(at.kernel, () =>
      createBusDomain(machine, this.#domain, { knownGuest: false, refuses: 'parent', hidden: false }),
    );
  }

  *#trapped(reason: string, write: () => void, then: () => Actions): Actions {
    const vm = this.#vm;
    const n = vm.vcpus.current;
    yield* vm.vcpus.ask(n, this.place.kind === 'config' ? 'IO_INSTRUCTION' : reason);
    yield* vm.vcpus.toUser(n, this.place.kind === 'config' ? 'KVM_EXIT_IO' : 'KVM_EXIT_MMIO');
    this.#setup.machine.as(vm.vmm, write);
    yield* this.#setup.machine.within(this.#setup.use(hypervisor).actor, then());
    yield* vm.vcpus.enter(n);
  }

  *store(index: number, message: Composed, virq: number): Actions {
    const stores = this.place.stores(index, message, virq);
    for (const [i, store] of stores.entries())
      yield* this.#trapped('EPT_MISCONFIG', store, () =>
        i === stores.length - 1 ? this.#translate(index, message) : nothing(),
      );
  }

  *mask(index: number, masked: boolean): Actions {
    const { core } = this.#setup.use(host);
    yield* this.#trapped(
      'EPT_MISCONFIG',
      () => this.place.setMask(index, masked),
      function* (this: TrappedPath): Actions {
        const virq = this.#backing.get(index);
        if (virq !== undefined) yield* core.mask(virq, masked);
        else if (this.#setup.use(hypervisor).ownsGrant(this.#owner, index)) this.#hardware.setMask(index, masked);
      }.bind(this),
    );
  }

  /** Allocates, composes and stores on the host what stands for the guest's message; a granted message is stored as it is. */
  *#translate(index: number, message: Composed): Actions {
    yield TRANSLATE;
    const { core } = this.#setup.use(host);
    const { fn, owner } = this.#owner;
    const virq = this.#backing.get(index);
    if (this.#setup.use(hypervisor).granted(this.#owner, message)) {
      this.#hardware.enable(false);
      writeMessage(this.#hardware, index, message);
      this.#hardware.enable(true);
      return;
    }
    if (message.address === 0) {
      this.#backing.delete(index);
      if (virq === undefined) return;
      yield* core.freeIrq(virq);
      yield* core.release(virq);
      return;
    }
    // If the message already has a host irq, nothing is to be done: its target is read when it is used.
    if (virq !== undefined) return;
    const first = this.#backing.size === 0;
    if (first) this.#hardware.enable(false);
    const made = yield* core.alloc({
      domain: this.#domain,
      hwirq: index,
      device: fn,
      owner,
      canReserve: this.#hardware.maskable,
    });
    if (made < 0) return;
    this.#backing.set(index, made);
    yield* core.request(made, `${owner}-${index}`, () => this.#inject(index));
    if (first) this.#hardware.enable(true);
  }

  /** The host interrupt came: KVM delivers the message that the guest stored. */
  *#inject(index: number): Actions {
    yield 300;
    const vm = this.#vm;
    const { machine } = this.#setup;
    const message = this.place.message(index);
    const cause = message === undefined ? 0 : machine.ledger.takeBack(machine.actor.cpu);
    if (message)
      machine.as(this.#setup.use(hypervisor).actor, () =>
        vm.accept({
          ...message,
          requester: this.#owner.view.requester,
          cause,
          from: this.place.object(index),
        }),
      );
  }
}

/** The hypervisor has nothing more to do. */
function* nothing(): Actions {}

/** Untranslated messages of a guest reach the device. Without a trap no part checks them, and the trace says so. */
export class OpenPath extends DirectPath {
  readonly #check: (index: number, message: Composed) => void;

  constructor(place: MessagePlace, check: (index: number, message: Composed) => void) {
    super(place);
    this.#check = check;
  }

  override *store(index: number, message: Composed, virq: number): Actions {
    yield* super.store(index, message, virq);
    if (message.address !== 0) this.#check(index, message);
  }
}
