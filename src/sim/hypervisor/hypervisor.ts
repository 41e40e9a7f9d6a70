import type { ObjectId } from '../../base/ids.ts';
import { hcallGrant, hcallReturn, kvmHypercall, vpciAnswer, vpciMessage } from '../../model/events/hypervisor.ts';
import { illegal } from '../../model/events/outcome.ts';
import { iommuFault } from '../../model/events/remap.ts';
import { grant as grantType } from '../../model/things/ims.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import type { Message } from '../device/message.ts';
import type { PciFunction } from '../device/pci-function.ts';
import { dropTaken } from '../drop.ts';
import type { RemapDomain } from '../iommu/remap-domain.ts';
import { type Composed, type Destination, type Domain, errno, type Irq } from '../irq/domain.ts';
import type { Host } from '../irq/host.ts';
import type { Vm } from '../kvm/vm.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import { type Service, service } from '../setup.ts';
import type { Granted } from './hypercall-domain.ts';

/** Hypercalls about the interrupts of devices, with the numbers of Hyper-V (include/hyperv/hvgdk.h). */
export const HCALL = { map: 0x7c, unmap: 0x7d, retarget: 0x7e } as const;

/** Messages of a guest to the virtual PCI bus of its host, of protocol version 1.1 (drivers/pci/controller/pci-hyperv.c). */
const VPCI = { create: 0x42490014, remove: 0x42490015 } as const;
/** STATUS_INVALID_PARAMETER, STATUS_INSUFFICIENT_RESOURCES. */
const [INVALID, NO_RESOURCES] = [0xc000000d, 0xc000009a];
/** Nanoseconds between two looks of the guest for an answer. */
const POLL = 100_000;

/** What a guest says in such a message. */
interface VpciRequest {
  readonly device: string;
  readonly index: number;
  readonly vector?: number;
  readonly vcpu?: number;
}

/** Memory of every guest: what its functions may write to, as the IOMMU maps it for them. */
export const GUEST_MEMORY = 0x40000000;

/** A function of the host that a virtual machine uses, and how much it may ask for. */
export interface Assignment {
  readonly vm: Vm;
  readonly fn: PciFunction;
  /** The same function as the guest sees it. */
  readonly view: PciFunction;
  /** Messages that it is granted at most. */
  readonly grants: number;
  /** First entry and entries that belong to it. */
  readonly first: number;
  readonly count: number;
  /** Who owns what it allocates. */
  readonly owner: string;
}

/** A message that was granted, with what stands behind it on the host. */
export interface Grant extends Granted {
  readonly assignment: Assignment;
  readonly index: number;
  readonly virq: number;
  target: Destination;
}

/** The bus domain of the host for granted messages: what it stores is the grant. */
class GrantDomain implements Domain {
  readonly name: string;
  readonly object: ObjectId;
  readonly parent: Domain;
  /** The message of an irq, once it was composed. */
  readonly composed = new Map<Irq, Composed>();

  constructor(machine: Machine, fn: PciFunction, parent: Domain) {
    this.name = `HV-MSI-${fn.bdf}`;
    this.object = machine.world.object(domainType, `domain/${this.name}`);
    this.parent = parent;
  }

  *alloc(): Actions<number> {
    return 0;
  }

  *free(): Actions {}

  *activate(): Actions<number> {
    return 0;
  }

  *deactivate(irq: Irq): Actions {
    this.composed.delete(irq);
  }

  *store(irq: Irq, message: Composed): Actions {
    this.composed.set(irq, message);
  }
}

/** The hypervisor: grants messages to guests, injects what they stand for, and maps memory for their functions. */
export class Hypervisor {
  readonly machine: Machine;
  readonly actor: Actor = { layer: 'hypervisor', name: 'interrupts', cpu: 0 };
  readonly assignments: Assignment[] = [];
  readonly grants = new Map<number, Grant>();
  /** Lets a host irq post to a virtual CPU, where interrupts are to be posted. */
  post: ((irq: Irq, vm: Vm, target: Destination) => void) | undefined;
  readonly #host: Host;
  readonly #domains = new Map<PciFunction, GrantDomain>();
  #next = 0;

  constructor(machine: Machine, host: Host) {
    this.machine = machine;
    this.#host = host;
    host.root.memory = (message) => this.#memory(message);
  }

  /** The owner of an entry of a function; undefined when it has none. */
  ownerOf(fn: PciFunction, index: number): Assignment | undefined {
    return this.assignments.find((a) => a.fn === fn && index >= a.first && index < a.first + a.count);
  }

  /** Maps a message: a guest names its function, the entry and where it wants the interrupt. */
  *map(vm: Vm, device: PciFunction, index: number, target: Destination): Actions<Grant | number> {
    const input = device.requester * 0x10000 + target.vector;
    return yield* this.#call(vm, HCALL.map, input, () => this.#map(vm, device, index, target));
  }

  /** Takes a grant back. */
  *unmap(vm: Vm, id: number): Actions<number> {
    return yield* this.#call(vm, HCALL.unmap, id, () => this.#unmap(vm, id));
  }

  /** Sends what a grant stands for elsewhere in the guest. */
  *retarget(vm: Vm, id: number, target: Destination): Actions<number> {
    const input = id * 0x10000 + target.cpu * 0x100 + target.vector;
    return yield* this.#call(vm, HCALL.retarget, input, () => this.#retarget(vm, id, target));
  }

  /** A hypercall of the virtual CPU at work: it leaves the guest, the hypervisor works, it enters again. */
  *#call<T extends Grant | number>(vm: Vm, number: number, input: number, work: () => Actions<T>): Actions<T> {
    const { machine } = this;
    const n = vm.vcpus.current;
    machine.as(vm.vcpus.guest(n), () => machine.emit(kvmHypercall, vm.object, { number, input }));
    yield* vm.vcpus.call(n);
    const answer = yield* machine.within(this.actor, work());
    const granted: Grant | number = answer;
    const about = typeof granted === 'number' ? { ret: granted } : { ret: 0, output: granted.message.address };
    machine.as(this.actor, () => machine.emit(hcallReturn, vm.object, { number, ...about }));
    yield* vm.vcpus.enter(n);
    return answer;
  }

  /** PCI_CREATE_INTERRUPT_MESSAGE over VMBus: the guest of Hyper-V names function, entry and target, and polls for the answer. */
  *create(vm: Vm, device: PciFunction, index: number, target: Destination): Actions<Grant | number> {
    const about = { device: device.bdf, index, vector: target.vector, vcpu: target.cpu };
    return yield* this.#vmbus(vm, VPCI.create, about, () => this.#map(vm, device, index, target));
  }

  /** PCI_DELETE_INTERRUPT_MESSAGE. */
  *remove(vm: Vm, device: PciFunction, index: number, id: number): Actions<number> {
    return yield* this.#vmbus(vm, VPCI.remove, { device: device.bdf, index }, () => this.#unmap(vm, id));
  }

  /** A message over VMBus: signalling the host is what leaves the guest; its kernel looks for the answer every 100 us. */
  *#vmbus<T extends Grant | number>(vm: Vm, number: number, about: VpciRequest, work: () => Actions<T>): Actions<T> {
    const { machine } = this;
    const n = vm.vcpus.current;
    machine.as(vm.vcpus.guest(n), () => machine.emit(vpciMessage, vm.object, { message: number, ...about }));
    yield* vm.vcpus.call(n);
    yield* vm.vcpus.enter(n);
    const answer = yield* machine.within(this.actor, work());
    const granted: Grant | number = answer;
    const status = typeof granted !== 'number' || granted >= 0 ? 0 : granted === errno.ENOSPC ? NO_RESOURCES : INVALID;
    const given = typeof granted === 'number' ? {} : granted.message;
    machine.as(this.actor, () => machine.emit(vpciAnswer, vm.object, { message: number, status, ...given }));
    yield POLL;
    return answer;
  }

  #valid(vm: Vm, { cpu, vector }: Destination): boolean {
    return vector >= 16 && vector <= 255 && cpu < vm.vcpus.count;
  }

  *#map(vm: Vm, device: PciFunction, index: number, target: Destination): Actions<Grant | number> {
    const assignment = this.assignments.find(
      (a) => a.vm === vm && (a.fn === device || a.view === device) && index >= a.first && index < a.first + a.count,
    );
    if (!assignment) return errno.ENODEV;
    if (!this.#valid(vm, target)) return errno.EINVAL;
    const mine = [...this.grants.values()].filter((g) => g.assignment === assignment);
    if (mine.some((g) => g.index === index)) return errno.EEXIST;
    if (mine.length >= assignment.grants) return errno.ENOSPC;
    const { core } = this.#host;
    const { fn, owner } = assignment;
    const domain = this.#domain(fn);
    const virq = yield* core.alloc({ domain, hwirq: index, device: fn, owner, canReserve: false });
    if (virq < 0) return virq;
    const id = this.#next++;
    const ret = yield* core.request(virq, `${owner}-${index}`, () => this.#inject(id));
    if (ret < 0) {
      yield* core.release(virq);
      return ret;
    }
    const message = domain.composed.get(core.irq(virq)!)!;
    const made: Grant = { id, message, assignment, index, virq, target };
    this.grants.set(id, made);
    this.post?.(core.irq(virq)!, vm, target);
    this.#tell(made, false);
    return made;
  }

  #domain(fn: PciFunction): GrantDomain {
    let domain = this.#domains.get(fn);
    if (domain === undefined) {
      domain = new GrantDomain(this.machine, fn, this.#host.parent);
      this.#domains.set(fn, domain);
    }
    return domain;
  }

  #tell({ id, assignment, message }: Grant, release: boolean): void {
    const { machine } = this;
    const object = machine.world.object(grantType, `hypervisor/grant/${id}`);
    machine.emit(hcallGrant, object, { device: assignment.fn.bdf, ...message, release });
  }

  *#unmap(vm: Vm, id: number): Actions<number> {
    const grant = this.grants.get(id);
    if (!grant) return errno.ENOENT;
    if (grant.assignment.vm !== vm) return errno.EPERM;
    const { core } = this.#host;
    yield* core.freeIrq(grant.virq);
    yield* core.release(grant.virq);
    // A planted fault: the hypervisor goes on to list what it took back.
    if (!this.machine.tamper?.spoils('F68', vm.object)) this.grants.delete(id);
    this.#tell(grant, true);
    return 0;
  }

  *#retarget(vm: Vm, id: number, target: Destination): Actions<number> {
    yield 200;
    const grant = this.grants.get(id);
    if (!grant) return errno.ENOENT;
    if (grant.assignment.vm !== vm) return errno.EPERM;
    if (!this.#valid(vm, target)) return errno.EINVAL;
    grant.target = target;
    this.post?.(this.#host.core.irq(grant.virq)!, vm, target);
    return 0;
  }

  /** The host interrupt behind a grant came: the guest gets its vector. */
  *#inject(id: number): Actions {
    yield 300;
    const { machine } = this;
    const grant = this.grants.get(id);
    if (!grant) {
      const object = machine.world.object(grantType, `hypervisor/grant/${id}`);
      dropTaken(machine, machine.actor.cpu, object, 'the grant was taken back');
      return;
    }
    const { assignment, target } = grant;
    const cause = machine.ledger.takeBack(machine.actor.cpu);
    machine.as(this.actor, () => assignment.vm.vcpus.accept(target.cpu, target.vector, cause));
  }

  /** Whether an entry was granted to a guest. */
  ownsGrant(assignment: Assignment, index: number): boolean {
    return [...this.grants.values()].some((g) => g.assignment === assignment && g.index === index);
  }

  /** Whether a message is one that was granted to this user of a function. */
  granted(assignment: Assignment, { address, data }: Composed): boolean {
    return [...this.grants.values()].some(
      (g) => g.assignment === assignment && g.message.address === address && g.message.data === data,
    );
  }

  /** A write of a function that is no interrupt message: the IOMMU lets it reach the memory of its own guest and nothing else. */
  #memory({ address, requester }: Message): string {
    const { machine } = this;
    const hex = `0x${address.toString(16)}`;
    const assignment = this.assignments.find((a) => a.fn.requester === requester);
    if (!assignment) return `${hex} is no interrupt address: an ordinary DMA write`;
    if (address < GUEST_MEMORY)
      return `${hex} is no interrupt address: a DMA write into memory of the guest that owns the function`;
    machine.emit(iommuFault, assignment.fn.object, { device: assignment.fn.bdf, iova: address, flags: 1 });
    return `${hex} is no interrupt address: a DMA write that the IOMMU refused`;
  }

  /**
   * Reports what no remapping unit can see: a message used an entry that belongs to another user of the same function. Call it
   * when a message was let through.
   */
  audit(remap: RemapDomain, message: Message, index: number, entry: number): void {
    const { machine } = this;
    const irq = remap.irqAt(message.requester, index);
    const sender = this.#sender(message);
    if (!irq || !sender || irq.owner === sender.owner) return;
    machine.as(this.actor, () =>
      machine.emit(illegal, entry, {
        rule: 'INV-OWN',
        text: `${sender.owner} used the entry of ${irq.owner} behind the same requester: the remapping unit cannot tell them apart`,
      }),
    );
  }

  #sender({ from, requester }: Message): Assignment | undefined {
    const path = this.machine.world.path(from).split('/');
    const index = Number(path[3] ?? 0);
    return this.assignments.find((a) => a.fn.requester === requester && index >= a.first && index < a.first + a.count);
  }
}

/** The hypervisor, where virtual machines use functions of the host. */
export const hypervisor: Service<Hypervisor> = service<Hypervisor>('hypervisor');
