import type { ObjectId } from '../../base/ids.ts';
import { deliveryOf } from '../../model/apic/local-apics.ts';
import { kvmMsi } from '../../model/events/virt.ts';
import { isInterruptAddress } from '../../model/registers/x86.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { kvmVm } from '../../model/things/virt.ts';
import type { Design } from '../design.ts';
import { announce } from '../device/announce.ts';
import { Bars } from '../device/bars.ts';
import type { FunctionSpec } from '../device/function-spec.ts';
import type { Message, MessagePort } from '../device/message.ts';
import type { PciFunction } from '../device/pci-function.ts';
import { drop, dropTaken } from '../drop.ts';
import type { TargetDomain } from '../iommu/remap-domain.ts';
import { COMMAND_ON } from '../irq/host.ts';
import { IoApicDomain } from '../irq/io-apic.ts';
import { IrqCore } from '../irq/irq-core.ts';
import { type FlushRead, MsixDomain, type TableAccess } from '../irq/msix-domain.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import type { VmSpec } from '../scenario-schema.ts';
import { type Service, type Setup, service } from '../setup.ts';
import { Eventfd } from '../vfio/eventfd.ts';
import { eventfds } from '../vfio/eventfds.ts';
import { EmulatedFunction, type SourceKind } from './emulated-function.ts';
import { GuestVectors } from './guest-driver.ts';
import { GuestLines } from './guest-lines.ts';
import { GuestMmio } from './guest-mmio.ts';
import { GuestRemapping } from './guest-remapping.ts';
import { Irqfds, type RouteMessage } from './irqfds.ts';
import { tableDesign } from './table-server.ts';
import { kvmMode, VcpuBus } from './vcpu-bus.ts';
import { shareOf } from './vcpu-scheduler.ts';
import { Vcpus } from './vcpus.ts';
import { VmmTables } from './vmm-tables.ts';

/** Nanoseconds that a handler of the guest takes. */
const SERVE = 1200;
/** First GSI that stands for a message: below are the pins of the interrupt chips. */
const FIRST_MSI_GSI = 24;

/**
 * A virtual machine of KVM: virtual CPUs, the kernel of its guest, its functions, routes and irqfds. As a port it is
 * what KVM_SIGNAL_MSI is: messages of its functions arrive here.
 */
export class Vm implements MessagePort {
  readonly machine: Machine;
  readonly id: number;
  /** `kvm/<id>`. */
  readonly object: ObjectId;
  readonly vcpus: Vcpus;
  readonly vectors: GuestVectors;
  /** The local APICs of its virtual CPUs, as messages reach them. */
  readonly bus: VcpuBus;
  /** Irq core of the guest's kernel; its irqs are `guest/<id>/irq/<virq>`. */
  readonly core: IrqCore;
  readonly irqfds: Irqfds;
  readonly mmio: GuestMmio;
  /** MSI-X tables in KVM and what the VMM does about them; undefined when the VMM serves all itself. */
  readonly tables: VmmTables | undefined;
  readonly kernelMasks: boolean;
  readonly flushes: boolean;
  readonly deferred: boolean;
  readonly tellsWithdrawal: boolean;
  /** Live migration forgets the pending bits (a bug to study). */
  readonly losesPending: boolean;
  /** KVM sets routes itself. */
  readonly internal: boolean;
  /** Functions of the guest by BDF, all on its emulated bus. */
  readonly functions = new Map<string, PciFunction>();
  /** BARs on that bus. */
  readonly bars: Bars = new Bars();
  /** The VMM as an actor. */
  readonly vmm: Actor;
  #remapping: GuestRemapping | undefined;
  #lines: GuestLines | undefined;
  #wired: IoApicDomain | undefined;
  /** Called when the guest invalidated entries of its remapping unit: each part that set up routes looks their messages up again. */
  readonly onRemap: (() => void)[] = [];
  /** Eventfds of the VMM by file descriptor. */
  readonly eventfds = new Map<number, Eventfd>();
  readonly #msix = new Map<PciFunction, MsixDomain>();
  /** Vectors that have a handler of which nothing else is known. */
  readonly #served = new Set<number>();
  /** The domain on which bus domains of functions stand that the VMM emulates. */
  readonly irqParent: TargetDomain;
  readonly #design: Design;
  readonly #setup: Setup;
  #fd = 30;
  #gsi = FIRST_MSI_GSI;

  constructor(setup: Setup, spec: VmSpec, firstVcpu: number) {
    const { machine, scenario } = setup;
    const { id } = spec;
    this.#setup = setup;
    this.machine = machine;
    this.id = id;
    this.object = machine.world.object(kvmVm, `kvm/${id}`);
    this.vmm = { layer: 'vmm', name: `vm${id}`, cpu: -1 };
    this.vcpus = new Vcpus(machine, id, firstVcpu, spec.vcpus, scenario.platform.cpus, shareOf(spec));
    this.vectors = new GuestVectors(machine, `guest/${id}/`, spec.vcpus);
    this.bus = new VcpuBus(this.vcpus, this.vectors, spec.apic);
    this.core = new IrqCore(machine, this.vcpus.guest(0), `guest/${id}/`, 24);
    const intel = scenario.platform.arch !== 'arm64' && scenario.platform.remap !== 'amd';
    this.vcpus.hidden = () => intel && setup.design.guestMemory === 'private';
    this.vcpus.handler = (n, vector, eoi) => this.#handle(n, vector, eoi);
    this.core.mover.possible = spec.vcpus;
    this.core.processor = (n) => this.vcpus.key(n);
    this.irqfds = new Irqfds(machine, this.object, (message) => this.deliver(message, true));
    this.mmio = new GuestMmio(this);
    const { design } = setup;
    this.#design = design;
    const { msixOwner: owner } = design;
    // KVM that can take no table has neither masks nor pending bits.
    const byUser = owner === 'user' || (owner === 'umem' && design.userMemory === 'private');
    this.kernelMasks = !byUser;
    this.internal = owner === 'internal';
    this.losesPending = design.migratePending === 'lost';
    this.flushes = design.maskSync === 'read';
    this.deferred = owner === 'umem' && design.userMemory === 'swapped';
    this.tellsWithdrawal = byUser || design.pbaRead === 'umem';
    const tables = tableDesign(design);
    this.tables = tables ? new VmmTables(this, tables) : undefined;
    if (design.irqfdTarget === 'entry') this.irqfds.messageOf = (gsi) => this.#entryMessage(gsi);
    this.mmio.pbaZero = design.pbaAlwaysZero === 'on';
    this.onRemap.push(() => {
      for (const fn of this.functions.values())
        if (fn instanceof EmulatedFunction) for (const [index, { gsi }] of fn.sources) this.updateRoute(gsi, fn, index);
    });
    this.irqParent = design.viommu === 'present' ? this.remap().domain : this.vectors;
  }

  /** Interrupt remapping inside the guest, where it has that. */
  get remapping(): GuestRemapping | undefined {
    return this.#remapping;
  }

  /** Gives the guest a remapping unit that the VMM emulates; the one that it has when it has one. */
  remap(): GuestRemapping {
    if (this.#remapping === undefined) {
      const { machine } = this;
      const made = new GuestRemapping(machine, this.id, this.vcpus, this.vmm, this.vectors);
      made.unit.onInvalidate = () =>
        machine.as(this.vmm, () => {
          for (const follow of this.onRemap) follow();
        });
      this.#remapping = made;
    }
    return this.#remapping;
  }

  /** Its level-triggered lines: made when they are asked for first. */
  get lines(): GuestLines {
    this.#lines ??= new GuestLines(this.machine, this.object, this.vcpus);
    return this.#lines;
  }

  /** The domain of the guest's kernel for them. */
  get wired(): IoApicDomain {
    this.#wired ??= new IoApicDomain(this.lines, this.vectors, `guest/${this.id}/`);
    return this.#wired;
  }

  /** How the kernel of the guest makes sure that a mask bit has reached a table. */
  get flushRead(): FlushRead {
    return this.#design.flushRead;
  }

  /** How the kernel of the guest reaches tables of its functions. */
  get guestAccess(): TableAccess {
    return this.mmio;
  }

  /** A file descriptor and a GSI that nothing uses yet. */
  nextFd(): number {
    return this.#fd++;
  }

  /** A new eventfd of the VMM. */
  openEventfd(): Eventfd {
    const eventfd = new Eventfd(this.machine, this.nextFd());
    this.eventfds.set(eventfd.fd, eventfd);
    return eventfd;
  }

  /** The eventfd with a number: one that the VMM made for this machine, or one that it gave to VFIO. */
  eventfd(fd: number): Eventfd | undefined {
    return this.eventfds.get(fd) ?? this.#setup.find(eventfds)?.get(fd);
  }

  nextGsi(): number {
    return this.#gsi++;
  }

  /** The kernel of the guest has a handler for a vector whose irq the scenario does not describe. */
  serve(vector: number): void {
    this.#served.add(vector);
  }

  *#handle(n: number, vector: number, eoi: () => void): Actions {
    const irq = this.vectors.irqAt(n, vector);
    if (irq === undefined) {
      const { vcpus } = this;
      if (this.#served.has(vector)) {
        yield SERVE;
        return;
      }
      dropTaken(this.machine, vcpus.key(n), vcpus.vector(n, vector), 'no irq handler for vector in the guest');
      return;
    }
    yield* this.core.handle(irq.virq, n, eoi);
  }

  /** Adds an emulated function to the bus of the guest and shows its capabilities. */
  addFunction(
    spec: FunctionSpec,
    source: SourceKind = 'userspace',
    command = COMMAND_ON,
    irq?: number,
  ): EmulatedFunction {
    const fn = new EmulatedFunction(this, spec.bdf, source, irq);
    this.adopt(fn);
    this.machine.as(this.vmm, () => announce(fn, spec, command, this.bars));
    fn.onEntry = (index) => this.#changed(fn, index);
    return fn;
  }

  /** Puts a function on the bus of the guest that another part made and emulates. */
  adopt(fn: PciFunction): void {
    this.functions.set(fn.bdf, fn);
    fn.port = this;
  }

  /** What the VMM does after a table or control write, unless the kernel sees to it. */
  #changed(fn: EmulatedFunction, index: number): void {
    if (this.tables) {
      this.tables.changed(fn, index);
      return;
    }
    this.machine.as(this.vmm, () => {
      if (index >= 0) fn.follow(index);
      else for (const at of [...fn.sources.keys()]) fn.follow(at);
    });
  }

  unbound(fn: PciFunction, index: number): boolean {
    return this.tables?.unbound(fn, index) ?? false;
  }

  /** The message that the table entry of a GSI's source holds now. */
  #entryMessage(gsi: number): RouteMessage | undefined {
    for (const fn of this.functions.values())
      if (fn instanceof EmulatedFunction)
        for (const [index, source] of fn.sources) if (source.gsi === gsi) return entryMessage(fn, index);
    return undefined;
  }

  /** Live migration: all virtual CPUs leave the guest, tables and pending bits move, they go on. */
  *migrate(): Actions {
    // Those that are out of the guest already do not come in before the end either: the VMM holds all threads.
    const inside = Array.from({ length: this.vcpus.count }, (_, n) => n).filter((n) => !this.vcpus.out(n));
    for (const n of inside) yield* this.vcpus.exit(n, 'EXTERNAL_INTERRUPT');
    for (const fn of this.functions.values())
      if (fn instanceof EmulatedFunction) {
        this.machine.as(this.vmm, () => (this.tables ? this.tables.move(fn) : undefined));
        if (this.losesPending) fn.dropPending('the pending bits were not migrated');
      }
    // Each thread goes on by itself: one may have to wait for its turn on a CPU until another one has given that up.
    for (const n of inside) this.machine.start(this.vcpus.kvm(n), this.vcpus.enter(n));
  }

  /** The per-device MSI-X domain of the guest kernel for a function. */
  msixDomain(fn: PciFunction): MsixDomain {
    let domain = this.#msix.get(fn);
    if (domain === undefined) {
      const prefix = `guest/${this.id}/`;
      const flush = (): FlushRead => this.flushRead;
      domain = new MsixDomain(
        this.machine,
        `${this.irqParent.prefix ?? ''}PCI-MSIX-${fn.bdf}`,
        this.irqParent,
        prefix,
        this.guestAccess,
        flush,
      );
      this.#msix.set(fn, domain);
    }
    return domain;
  }

  /** The guest writes config space: always an exit to the VMM. `then`: what VFIO does about it. */
  *guestConfig(write: () => void, then?: () => Actions): Actions {
    const n = this.vcpus.current;
    yield* this.vcpus.ask(n, 'IO_INSTRUCTION');
    yield* this.vcpus.toUser(n, 'KVM_EXIT_IO');
    this.machine.as(this.vmm, write);
    if (then) yield* then();
    if (this.mmio.settle) yield* this.machine.within(this.vmm, this.mmio.settle());
    yield* this.vcpus.enter(n);
  }

  /** The guest writes MSI-X enable and function mask. */
  *guestControl(fn: PciFunction, enable: boolean, fmask: boolean): Actions {
    yield* this.guestConfig(() => fn.control(enable, fmask));
  }

  /**
   * A message of a function of the guest arrives at the VMM: through the unit that it emulates, and on to KVM. A write
   * outside of the window of interrupts is an ordinary write to memory of the guest: KVM never sees it.
   */
  accept(message: Message): void {
    const unit = this.#remapping?.unit;
    const through = unit ? unit.translate(message) : message;
    if (!through) return;
    const { address } = through;
    if (isInterruptAddress(address)) this.deliver(through);
    else {
      const why = address === 0 ? ': the entry was never programmed' : '';
      drop(this.machine, through.from, `0x${address.toString(16)} is no interrupt message${why}`, through.cause);
    }
  }

  /** What a route for an entry is made from: the entry, or with remapping what the VMM looks up in the table of its unit. */
  routeFrom(fn: PciFunction, index: number): { readonly entry?: number } & Partial<RouteMessage> {
    const entry = fn.entry(index);
    const unit = this.#remapping?.unit;
    if (!unit || this.internal) return { entry };
    const raw = entryMessage(fn, index);
    return (raw && unit.lookUp({ ...raw, requester: fn.requester })) ?? { entry };
  }

  /** The guest changed its remapping table: a route whose message leads elsewhere now is set again (kvm_update_msi_routes_all). */
  updateRoute(gsi: number, fn: PciFunction, index: number): void {
    const now = this.irqfds.message(gsi);
    const { address, data } = now ? this.routeFrom(fn, index) : {};
    if (now === undefined || address === undefined || data === undefined) return;
    if (now.address !== address || now.data !== data) this.irqfds.set(gsi, fn.bdf, index, { address, data });
  }

  /**
   * A message for KVM, of KVM_SIGNAL_MSI or of the route of a GSI: 1 delivered, -1 when there is no receiver. KVM takes every
   * message as an interrupt: it does not look whether the address is 0xfee?????. `signalled`: an irqfd brought it.
   */
  deliver(message: Message, signalled = false): number {
    const { machine } = this;
    const { address, data, cause } = message;
    const to = deliveryOf(address, data);
    machine.emit(kvmMsi, this.object, { dest: to.destination, vector: to.vector, mode: kvmMode(to), address, data });
    // A planted fault: the map of local APICs lacks that one, and KVM says nothing.
    if (signalled && machine.tamper?.strikes('F54', this.object, machine.recorder.length - 1)) {
      machine.ledger.note(cause, 'dropped', machine.now);
      return -1;
    }
    return this.bus.deliver(to, message) ? 1 : -1;
  }

  /** Makes a GSI stand for a message of a vector of a device; without a message it takes what the table entry holds. */
  setRoute(gsi: number, device: PciFunction, vector: number, message?: RouteMessage): number {
    return this.irqfds.set(gsi, device.bdf, vector, message ?? this.routeFrom(device, vector));
  }

  /** KVM_IRQFD; 0 or a negative errno. */
  assignIrqfd(gsi: number, eventfd: Eventfd): number {
    return this.irqfds.assign(gsi, eventfd);
  }

  /** KVM_IRQFD with the deassign flag. */
  deassign(gsi: number): number {
    return this.irqfds.deassign(gsi);
  }
}

/** Address and data that an entry of a table holds; undefined while unknown. */
function entryMessage(fn: PciFunction, index: number): RouteMessage | undefined {
  const { state } = fn.machine;
  const entry = fn.entry(index);
  const cells = [msixEntry.at.address, msixEntry.at.address + 1, msixEntry.at.data];
  if (cells.some((cell) => state.known(entry, cell) !== 0xffffffff)) return undefined;
  const [lo, hi, data] = cells.map((cell) => state.get(entry, cell)) as [number, number, number];
  return { address: hi * 0x100000000 + lo, data };
}

/** The virtual machines of the system by number. */
export const vms: Service<Map<number, Vm>> = service<Map<number, Vm>>('virtual machines');

/** The machine of a virtual CPU (`vcpu/<n>`, counted over all machines), and its number in that machine; undefined: there is none. */
export function placeOfVcpu(
  all: ReadonlyMap<number, Vm>,
  vcpu: number,
): { readonly vm: Vm; readonly n: number } | undefined {
  for (const vm of all.values()) {
    const n = vcpu - vm.vcpus.first;
    if (n >= 0 && n < vm.vcpus.count) return { vm, n };
  }
  return undefined;
}
