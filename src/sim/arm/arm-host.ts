import type { ObjectId } from '../../base/ids.ts';
import { domCreate } from '../../model/events/domain.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import type { Message } from '../device/message.ts';
import { dropTaken } from '../drop.ts';
import type { Composed, Domain, Irq } from '../irq/domain.ts';
import { host } from '../irq/host.ts';
import { MsixDomain } from '../irq/msix-domain.ts';
import type { Actions, Machine } from '../machine.ts';
import { type Service, type Setup, service } from '../setup.ts';
import { ArmHotplug } from './arm-hotplug.ts';
import { Gic } from './gic.ts';
import { DmaIommu, Iommufd, type IommufdDesign, iommufd } from './iommufd.ts';
import { IommufdIrqs, iommufdIrqs } from './iommufd-irqs.ts';
import { Its } from './its.ts';
import { GicDomain, ItsDomain, type MsiOwner } from './its-domain.ts';
import { WIDTHS } from './its-parts.ts';
import { ArmRoot, Smmu } from './smmu.ts';
import { type ItsUnit, ItsUnits, itsUnits } from './units/its-units.ts';
import { LpiSpace } from './units/lpis.ts';
import { doorbellOf, itsName, ONE_ITS } from './units/places.ts';
import { installV2m } from './v2m/install.ts';

type ComposeHook = 'function' | 'cookie' | 'write' | 'xlate' | 'domain';

const PROVIDERS: Readonly<Record<ComposeHook, string>> = {
  function: 'iommufd',
  cookie: 'iommufd-cookie',
  write: 'vfio-write',
  xlate: 'vfio-xlate',
  domain: 'VMSI',
};

/** Asks the owner of the translation of the function: iommufd, or the kernel's own DMA mapping. */
class AddressOwners implements MsiOwner {
  readonly #iommufd: Iommufd | undefined;
  readonly #dma: DmaIommu;
  readonly #hook: ComposeHook;

  constructor(fd: Iommufd | undefined, dma: DmaIommu, hook: ComposeHook) {
    this.#iommufd = fd;
    this.#dma = dma;
    this.#hook = hook;
  }

  /** Whether user space owns the translation of the device of an irq. */
  foreign(irq: Irq): boolean {
    return this.#iommufd?.owns(irq.device) ?? false;
  }

  prepare(irq: Irq, doorbell: number): number {
    if (this.foreign(irq)) return this.#hook === 'domain' ? 0 : this.#iommufd!.prepare(irq, doorbell);
    return this.#dma.prepare(irq, doorbell);
  }

  compose(irq: Irq, doorbell: number): number {
    if (!this.foreign(irq)) return this.#dma.compose(irq, doorbell);
    return this.#hook === 'function' || this.#hook === 'cookie' ? this.#iommufd!.compose(irq, doorbell) : doorbell;
  }
}

/** The MSI-X domain on an ITS: masks the LPI as well as the entry, and has the hooks that were proposed for stores. */
class ItsMsixDomain extends MsixDomain {
  readonly #its: ItsDomain;
  readonly #iommufd: Iommufd | undefined;
  readonly #hook: ComposeHook;

  constructor(
    machine: Machine,
    name: string,
    parent: Domain,
    its: ItsDomain,
    fd: Iommufd | undefined,
    hook: ComposeHook,
  ) {
    super(machine, name, parent);
    this.#its = its;
    this.#iommufd = fd;
    this.#hook = hook;
  }

  /** The message with the address that user space gave; unchanged when it does not go to the doorbell. */
  #translate(irq: Irq, message: Composed): Composed {
    const fd = this.#iommufd;
    if (!fd?.owns(irq.device) || message.address === 0) return message;
    const address = fd.compose(irq, this.#its.doorbell);
    return address < 0 ? message : { ...message, address };
  }

  override *store(irq: Irq, message: Composed, by: string): Actions {
    const late = this.#hook === 'xlate' ? this.#translate(irq, message) : message;
    yield* super.store(irq, late, by);
    this.#iommufd?.compare(irq);
    if (this.#hook !== 'write') return;
    const again = this.#translate(irq, message);
    if (again.address === message.address) return;
    yield* super.store(irq, again, 'vfio');
    this.#iommufd?.compare(irq);
  }

  override *mask(irq: Irq, masked: boolean): Actions {
    if (masked) yield* super.mask(irq, true);
    yield* this.#its.mask(irq, masked);
    if (!masked) yield* super.mask(irq, false);
  }
}

/** The domain of its own that translates when it composes: one more level for interrupts whose address user space gives. */
class TranslatingDomain implements Domain {
  readonly name: string;
  readonly object: ObjectId;
  readonly parent: Domain;
  readonly #its: ItsDomain;
  readonly #iommufd: Iommufd;

  constructor(machine: Machine, its: ItsDomain, fd: Iommufd, bdf: string) {
    this.name = `VMSI-${bdf}`;
    this.parent = its;
    this.#its = its;
    this.#iommufd = fd;
    this.object = machine.world.object(domainType, `domain/${this.name}`);
    machine.emit(domCreate, this.object, { parent: its.name, ret: 0 });
  }

  *alloc(irq: Irq): Actions<number> {
    return this.#iommufd.prepare(irq, this.#its.doorbell);
  }

  *free(): Actions {}

  *activate(): Actions<number> {
    return 0;
  }

  *deactivate(): Actions {}

  compose(irq: Irq): Composed | number {
    const plain = this.#its.compose(irq);
    if (typeof plain === 'number') return plain;
    const address = this.#iommufd.compose(irq, plain.address);
    return address < 0 ? address : { address, data: plain.data };
  }
}

/** The SMMU of an Arm host, where it has one. */
export const smmuUnit: Service<Smmu> = service<Smmu>('SMMU');

/** Puts GIC, SMMU, and an ITS or a GICv2m frame in place of what an x86 host has; brings CPUs up. */
export function installArmHost(setup: Setup): void {
  const { scenario, machine } = setup;
  if (scenario.platform.arch !== 'arm64') return;
  const { cpus } = setup.use(host);
  for (let n = 0; n < cpus.count; n++) machine.as(cpus.actor(n), () => cpus.setOnline(n, true));
  const smmu = scenario.platform.smmu || scenario.iommufd ? setup.provide(smmuUnit, new Smmu(machine, 0)) : undefined;
  if (scenario.platform.remap === 'gicv2m') installV2m(setup, smmu);
  else installIts(setup, smmu);
}

/** The driver probes an ITS: a domain for its functions, and a collection for each CPU. */
function probe(setup: Setup, gic: Gic, number: number, root: GicDomain, lpis: LpiSpace): ItsUnit {
  const { machine, scenario, design } = setup;
  const several = (scenario.platform.its ?? ONE_ITS).length > 1;
  const place = { name: several ? itsName(number) : 'ITS', doorbell: doorbellOf(number) };
  const its = new Its(machine, gic, number, gic.cpus.count);
  const domain = new ItsDomain(root, its, gic.cpus, lpis, place, design.affinityMessage === 'changes');
  machine.emit(domCreate, domain.object, { parent: root.name, ret: 0 });
  return { its, domain };
}

/** The ITSs of the host. */
function installIts(setup: Setup, smmu: Smmu | undefined): void {
  const { scenario, machine } = setup;
  const part = setup.use(host);
  const { cpus, core } = part;
  // LPIs have IRQD_RESEND_WHEN_IN_PROGRESS (handle_fasteoi_irq): nothing is masked.
  core.flow.masks = false;

  const gic = new Gic(machine, cpus);
  const root = new GicDomain(machine);
  const lpis = new LpiSpace(WIDTHS.intidBits);
  machine.emit(domCreate, root.object, { ret: 0 });
  const places = scenario.platform.its ?? ONE_ITS;
  const all = places.map((_, number) => probe(setup, gic, number, root, lpis));
  gic.handler = function* (cpu, lpi) {
    const irq = lpis.byLpi.get(lpi);
    if (irq) yield* core.handle(irq.virq, cpu);
    else dropTaken(machine, cpu, gic.lpi(cpu, lpi), 'no irq of this LPI');
  };
  for (const { its, domain } of all) its.announce(domain.doorbell);
  for (const { domain } of all) domain.boot();
  const units = setup.provide(itsUnits, new ItsUnits(gic, lpis, all, places));

  // Only iommufd lets user space own a translation.
  const hook = scenario.iommufd ? setup.design.composeHook : 'function';
  const design = (): IommufdDesign => ({
    vmsi: setup.design.vmsi,
    nested: setup.design.nested === 'yes',
    cookie: hook === 'cookie',
    provider: PROVIDERS[hook],
    swMsiPages: scenario.iommufd?.swMsiPages,
  });
  const fd = smmu && scenario.iommufd ? setup.provide(iommufd, new Iommufd(machine, smmu, design())) : undefined;
  if (smmu) {
    const owner = new AddressOwners(fd, new DmaIommu(machine, smmu), hook);
    for (const { domain } of all) domain.owner = owner;
  }
  if (fd) setup.provide(iommufdIrqs, new IommufdIrqs(part, fd, units, setup.design.forceWrite === 'yes'));

  part.hotplug = new ArmHotplug(machine, cpus, core, {
    target: (irq) => units.target(irq),
    comes(cpu) {
      for (const { domain } of all) domain.bringUp(cpu);
      gic.wake(cpu);
    },
  });
  part.reserves = false;
  part.parent = all[0]!.domain;
  part.parentOf = (fn) => units.of(fn).domain;
  part.prefix = 'ITS-';
  const doorbells = all.map(({ its, domain: { doorbell } }) => ({
    doorbell,
    accept: (message: Message) => its.translate(message),
  }));
  part.port = new ArmRoot(machine, doorbells, all.length > 1 ? 'of an ITS' : 'of the ITS', smmu);
  part.busDomain = (fn) => {
    const { domain } = units.of(fn);
    const parent = hook === 'domain' && fd?.owns(fn) ? new TranslatingDomain(machine, domain, fd, fn.bdf) : domain;
    const made = new ItsMsixDomain(machine, `${part.prefix}PCI-MSIX-${fn.bdf}`, parent, domain, fd, hook);
    machine.emit(domCreate, made.object, { parent: parent.name, ret: 0 });
    return made;
  };
  for (const fn of part.functions.values()) {
    fn.port = part.port;
    if (scenario.iommufd?.devices.includes(fn.bdf)) fd?.attach(fn);
  }
}
