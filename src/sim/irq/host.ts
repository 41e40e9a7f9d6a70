import type { ApicModel } from '../../model/apic/local-apics.ts';
import { pciCommand, vectorControl } from '../../model/registers/pci.ts';
import { announce } from '../device/announce.ts';
import { Bars, notClaimed } from '../device/bars.ts';
import type { FunctionSpec } from '../device/function-spec.ts';
import { IntxPin } from '../device/intx-pin.ts';
import { allowIntx } from '../device/legacy-interrupts.ts';
import type { MessagePort } from '../device/message.ts';
import { PciFunction } from '../device/pci-function.ts';
import { RootComplex } from '../device/root-complex.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import { type DeviceSpec, nanoseconds, type Scenario } from '../scenario-schema.ts';
import { type Service, type Setup, service } from '../setup.ts';
import { Balancer } from './balancer.ts';
import { CompletionDriver } from './completion-driver.ts';
import { Cpus } from './cpus.ts';
import { type Domain, errno } from './domain.ts';
import { type CpuHotplug, Hotplug } from './hotplug.ts';
import { IoApic, IoApicDomain } from './io-apic.ts';
import { IrqCore } from './irq-core.ts';
import { KernelEra } from './kernel-era.ts';
import { hardwareAccess, MMIO_READ, MMIO_WRITE, MsixDomain } from './msix-domain.ts';
import { EXTENDED_REACH, PLAIN_REACH, VectorDomain } from './vector-domain.ts';

/** Command register of a function of a guest as its firmware leaves it: memory decode, bus master, INTx disabled. */
export const COMMAND_ON = pciCommand.f.memory.mask | pciCommand.f.busMaster.mask | pciCommand.f.intxDisable.mask;

/** That of a function of the host: the kernel disables INTx when it enables messages. */
const COMMAND_HOST = COMMAND_ON & ~pciCommand.f.intxDisable.mask;
/** First pin of the I/O APIC that functions are wired to: those below are ISA interrupts. */
const FIRST_PIN = 16;
/** First source of an APLIC that functions are wired to (QEMU, virt: the pins of its PCI bridge). */
const FIRST_SOURCE = 32;
/** Nanoseconds until a driver is told that its irq was moved (the work queue of the notifier). */
const NOTICE = 50_000_000;
/** Nanoseconds that the handler of a wired interrupt works besides reading the status. */
const STATUS_WORK = 1000;

/** How the local APICs of a host are set up: as the scenario says, or in x2APIC mode where one byte cannot name all of them. */
export const apicModelOf = ({ apic, cpus }: Scenario['platform']): ApicModel =>
  apic ?? (cpus > PLAIN_REACH ? 'x2apic' : 'flat');

/** The host: processors, vector domain, irq core, root complex, and its PCI functions. */
export class Host {
  readonly machine: Machine;
  readonly cpus: Cpus;
  readonly vectors: VectorDomain;
  readonly core: IrqCore;
  /** How processors come and go; another architecture puts its own here. */
  hotplug: CpuHotplug;
  readonly root: RootComplex;
  /** User space that balances interrupts. */
  readonly balancer: Balancer;
  /** Its BARs. */
  readonly bars: Bars = new Bars();
  /** By BDF. */
  readonly functions = new Map<string, PciFunction>();
  readonly kernel: Actor = { layer: 'irq-core', name: 'host', cpu: 0 };
  /** The domain that bus domains of the host stand on: the remap domain where there is one, else the vector domain. */
  parent: Domain;
  /** The one for a function, where they differ. */
  parentOf = (_fn: PciFunction): Domain => this.parent;
  /** Where messages of functions arrive: the root complex, or what another architecture has in its place. */
  port: MessagePort;
  /** Makes the MSI-X domain of a function. */
  busDomain = (fn: PciFunction): MsixDomain => {
    const own = this.era.perDevice;
    const domain = new MsixDomain(
      this.machine,
      own ? `${this.prefix}PCI-MSIX-${fn.bdf}` : this.sharedName,
      this.parentOf(fn),
    );
    domain.shared = !own;
    return domain;
  };
  /** Which interfaces its kernel has. */
  readonly era: KernelEra;
  /** What the kernel tests before it starts its drivers; false: it panics. */
  bootTest: (() => Actions<boolean>) | undefined;
  /** Whether vectors are only reserved until request_irq() (x86). */
  reserves = true;
  readonly #msix = new Map<PciFunction, MsixDomain>();
  #prefix: string | undefined;
  /** What wires of functions lead to where another architecture has its own part in place of the I/O APIC. */
  lines: (Domain & { line(n: number, level: boolean): void }) | undefined;
  #ioApic: IoApic | undefined;
  #wired: IoApicDomain | undefined;
  /** Pins of the I/O APIC to which functions are wired. */
  readonly #wires = new Map<PciFunction, number>();

  constructor(setup: Setup) {
    const { machine, scenario } = setup;
    this.machine = machine;
    this.era = new KernelEra(() => setup.design.kernelEra);
    this.cpus = new Cpus(machine, scenario.platform.cpus);
    const { arch, remap, vectors, cpus } = scenario.platform;
    const plain = arch === 'x86' && remap === 'none';
    // Few hosts have so many CPUs that it matters what messages can name.
    const extended = plain && cpus > PLAIN_REACH && setup.design.extendedDestination === 'on';
    // Entries of 32 bits of an AMD table name 8 bits as well.
    const reach = extended ? EXTENDED_REACH : plain || remap === 'amd' ? PLAIN_REACH : undefined;
    this.vectors = new VectorDomain(
      machine,
      this.cpus,
      arch === 'x86' ? setup.design.vectorCleanup : undefined,
      vectors,
      reach,
    );
    this.core = new IrqCore(machine, this.kernel, '', 24);
    this.core.serve(this.cpus);
    this.vectors.onAssign = (cpu, vector) => this.core.mover.assigned(cpu, vector);
    // Where a unit remaps, and on Arm, a move leaves the message as it is.
    if (arch === 'x86' && remap === 'none') this.core.mover.strategy = setup.design.affinityStrategy;
    this.hotplug = new Hotplug(machine, this.cpus, this.vectors, this.core);
    this.root = new RootComplex(machine, this.cpus, apicModelOf(scenario.platform), extended);
    this.balancer = new Balancer(this.core, this.cpus, this.vectors);
    this.parent = this.vectors;
    this.port = this.root;
  }

  /** Adds a function to the bus of the host and shows its capabilities. */
  addFunction(spec: FunctionSpec, command = COMMAND_HOST): PciFunction {
    const fn = new PciFunction(this.machine, spec.bdf, this.port);
    this.functions.set(spec.bdf, fn);
    announce(fn, spec, command, this.bars);
    return fn;
  }

  /** What stands before the names of the MSI domains of functions: the part of the platform that takes their messages. */
  get prefix(): string {
    return this.#prefix ?? this.parent.prefix ?? '';
  }

  set prefix(prefix: string) {
    this.#prefix = prefix;
  }

  /** The name of the domain of all functions that kernels before 6.2 have for MSI and MSI-X. */
  get sharedName(): string {
    return `${this.parent.prefix ?? ''}PCI-MSI`;
  }

  /** The per-device MSI-X domain of a function (pci_setup_msix_device_domain): made when it is asked for first. */
  msixDomain(fn: PciFunction): MsixDomain {
    let domain = this.#msix.get(fn);
    if (domain === undefined) {
      domain = this.busDomain(fn);
      this.#msix.set(fn, domain);
    }
    return domain;
  }

  /**
   * pci_alloc_irq_vectors() with MSI-X: enables with the function mask set, allocates, activates early with reserve,
   * disables INTx, masks every entry of the table, clears the function mask. The virqs, or a negative errno: then nothing is left.
   */
  *allocVectors(
    fn: PciFunction,
    owner: string,
    vectors: number,
    affinity?: (i: number) => readonly number[] | undefined,
  ): Actions<number[] | number> {
    const { core } = this;
    const domain = this.msixDomain(fn);
    yield MMIO_WRITE;
    fn.control(true, true);
    const virqs: number[] = [];
    for (let i = 0; i < vectors; i++) {
      const cpus = affinity?.(i);
      const virq = yield* core.alloc({
        domain,
        hwirq: i,
        device: fn,
        owner,
        ...(cpus ? { affinity: cpus, managed: true } : {}),
      });
      const ret = virq < 0 ? virq : yield* core.activate(core.irq(virq)!, this.reserves);
      if (virq >= 0) virqs.push(virq);
      if (ret < 0) {
        yield* this.freeVectors(fn, virqs);
        return ret;
      }
    }
    allowIntx(fn, false);
    yield* this.#maskAll(fn);
    yield MMIO_WRITE;
    fn.control(true, false);
    return virqs;
  }

  /** msix_mask_all: unused entries may hold messages of an earlier kernel. */
  *#maskAll(fn: PciFunction): Actions {
    for (let i = 0; i < fn.size; i++) yield* hardwareAccess.write(fn, i, 12, 4, [vectorControl(true)]);
  }

  /** pci_free_irq_vectors(): frees the irqs, masks every entry, disables MSI-X, allows INTx again. Their actions must be gone. */
  *freeVectors(fn: PciFunction, virqs: readonly number[]): Actions<number> {
    for (const virq of virqs) {
      const ret = yield* this.core.release(virq);
      if (ret < 0) return ret;
    }
    yield* this.#maskAll(fn);
    yield MMIO_WRITE;
    fn.control(false, false);
    allowIntx(fn, true);
    return 0;
  }

  /** The I/O APIC: made when the first wire is led to it. */
  get ioApic(): IoApic {
    if (this.#ioApic === undefined) {
      const made = new IoApic(this.machine, this.root);
      this.#ioApic = made;
      this.cpus.onEoi = (vector) => made.eoi(vector);
    }
    return this.#ioApic;
  }

  /** Gives a function an INTx pin that leads to a pin of the I/O APIC. */
  wire(fn: PciFunction, pin: number): void {
    this.#wires.set(fn, pin);
    fn.keepsPin = true;
    fn.pin = new IntxPin(fn, (level) => (this.lines ?? this.ioApic).line(pin, level));
  }

  /** The irq of the wire of a function; -ENODEV where it has none. */
  *wireIrq(fn: PciFunction, owner: string): Actions<number> {
    const hwirq = this.#wires.get(fn);
    if (hwirq === undefined) return errno.ENODEV;
    const domain = this.lines ?? (this.#wired ??= new IoApicDomain(this.ioApic, this.vectors));
    return yield* this.core.alloc({ domain, hwirq, device: fn, owner, canReserve: false });
  }

  /** Boots the driver of a function without messages: requests the irq of its wire; the handler reads and clears the status. */
  *#driveWired(fn: PciFunction, { name, budget }: DeviceSpec): Actions {
    const { core } = this;
    const { pin } = fn;
    if (pin === undefined) return;
    const virq = yield* this.wireIrq(fn, name);
    function* handler(): Actions<boolean> {
      yield MMIO_READ;
      const found = pin!.serve(budget);
      yield STATUS_WORK;
      return found > 0;
    }
    if (virq >= 0) yield* core.request(virq, name, handler);
  }

  /** A driver keeps an irq on a CPU: when it is told that another one moved it, it moves it back. */
  *#pin(virq: number, cpu: number): Actions {
    const { core, machine } = this;
    const { actor } = machine;
    const irq = core.irq(virq)!;
    irq.pinned = cpu;
    irq.onMove = () => machine.spawn(actor, core.setAffinity(virq, [cpu], 'driver'), NOTICE);
    yield* core.setAffinity(virq, [cpu], 'driver');
  }

  /** Boots the driver of a function: allocates its vectors and requests an irq for each. */
  *drive(fn: PciFunction, spec: DeviceSpec): Actions {
    if (fn.unclaimed) {
      notClaimed(this.machine, fn.object, spec.name, fn.unclaimed);
      return;
    }
    if (spec.vectors === 0) {
      yield* this.#driveWired(fn, spec);
      return;
    }
    // One interrupt that is not managed, then one managed interrupt for each CPU's queue, as block drivers do it.
    const spread = (i: number): readonly number[] | undefined => (i === 0 ? undefined : [(i - 1) % this.cpus.count]);
    const vectors = spec.irqs ?? spec.vectors;
    const virqs = yield* this.allocVectors(fn, spec.name, vectors, spec.managed ? spread : undefined);
    if (typeof virqs === 'number') return;
    const { pin, timeout } = spec;
    if (pin !== undefined) for (const virq of virqs) yield* this.#pin(virq, pin);
    const driver = timeout === undefined ? undefined : new CompletionDriver(fn, spec.name, nanoseconds(timeout));
    for (const [i, virq] of virqs.entries())
      yield* this.core.request(virq, `${spec.name}-${i}`, driver?.handler(i, this.core.irq(virq)!.object));
  }
}

/** The host of the system. */
export const host: Service<Host> = service<Host>('host');

/** What a function of a scenario is like: BARs lie one after the other from 0xfe000000 on where the scenario gives none. */
export function functionSpec(spec: DeviceSpec, place: number): FunctionSpec {
  return {
    bdf: spec.bdf,
    name: spec.name,
    vectors: spec.vectors,
    bar: 0,
    barAddress: spec.bar ? Number(spec.bar) : 0xfe000000 + place * 0x10000,
    barSize: 0x10000,
    tableOffset: 0,
    pbaOffset: spec.pba ? Number(spec.pba) : 0x8000,
    msi: spec.msi,
    msiVectors: spec.msiVectors,
    msiMask: spec.msiMask,
    flr: spec.flr,
  };
}

/** Puts the host together: brings its CPUs online, shows its functions, boots their drivers one after the other. */
export function installHost(setup: Setup): void {
  const { scenario, machine } = setup;
  const part = setup.provide(host, new Host(setup));
  if (scenario.platform.arch === 'x86') part.vectors.boot();
  const driven: [PciFunction, DeviceSpec][] = [];
  for (const [place, spec] of scenario.devices.entries()) {
    const fn = machine.as({ layer: 'driver', name: 'pci', cpu: 0 }, () => part.addFunction(functionSpec(spec, place)));
    if (spec.intx) part.wire(fn, (scenario.platform.arch === 'riscv64' ? FIRST_SOURCE : FIRST_PIN) + place);
    if (spec.driver === 'host' && (spec.vectors > 0 || spec.intx)) driven.push([fn, spec]);
  }
  function* boot(): Actions {
    if (part.bootTest && !(yield* machine.within(part.kernel, part.bootTest()))) return;
    for (const [fn, spec] of driven)
      yield* machine.within({ layer: 'driver', name: spec.name, cpu: 0 }, part.drive(fn, spec));
  }
  machine.spawn({ layer: 'driver', name: 'boot', cpu: 0 }, boot(), nanoseconds('1us'));
}
