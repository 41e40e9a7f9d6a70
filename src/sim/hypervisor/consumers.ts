import { bdfText } from '../../model/bdf.ts';
import { domCreate } from '../../model/events/domain.ts';
import { illegal } from '../../model/events/outcome.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import { announce } from '../device/announce.ts';
import { PciFunction } from '../device/pci-function.ts';
import { postedInterrupts } from '../iommu/posted-interrupts.ts';
import { amdUnit, remapDomain, type TargetDomain, vtdUnit } from '../iommu/remap-domain.ts';
import { type Composed, type Domain, errno } from '../irq/domain.ts';
import { COMMAND_ON, type Host, host } from '../irq/host.ts';
import type { IrqCore } from '../irq/irq-core.ts';
import { type Vm, vms } from '../kvm/vm.ts';
import type { Actions, Machine } from '../machine.ts';
import { type ConsumerSpec, nanoseconds } from '../scenario-schema.ts';
import { type Service, type Setup, service } from '../setup.ts';
import { OpenPath, TrappedPath } from './guest-paths.ts';
import { HypercallDomain } from './hypercall-domain.ts';
import { type Assignment, Hypervisor, hypervisor } from './hypervisor.ts';
import { type MessagePlace, placeOf, type StoreKind } from './message-places.ts';
import { createBusDomain, DirectPath, StoreDomain, type StorePath, unreachable } from './store-domain.ts';
import { VpciDomain } from './vpci-domain.ts';
import { XenBuilder, type XenConsumer } from './xen/install.ts';

/** A user of interrupts of a function, set up: its kernel, the domains, where it stores. */
export interface Consumer {
  readonly spec: ConsumerSpec;
  readonly assignment: Assignment | undefined;
  readonly core: IrqCore;
  readonly domain: Domain;
  /** How its kernel stores. */
  readonly path: StorePath;
  /** The storage of the function itself, for every writer. */
  readonly hardware: MessagePlace;
  /** Irqs by number of the interrupt; fewer than asked for when an allocation failed. */
  readonly virqs: number[];
  /** What creating the bus domain returned. */
  created: number;
  /** Its kernel runs on Xen. */
  readonly xen?: XenConsumer;
}

/** The consumers of a scenario by name. */
export const consumers: Service<Map<string, Consumer>> = service<Map<string, Consumer>>('consumers of interrupts');

/** Puts consumers together: domains first, then their interrupts one after the other. */
class ConsumerBuilder {
  readonly #setup: Setup;
  readonly #machine: Machine;
  readonly #host: Host;
  readonly #parents = new Map<Vm, TargetDomain>();
  /** Xen, where that is the hypervisor. */
  readonly #xen: XenBuilder | undefined;

  constructor(setup: Setup, at: Host) {
    this.#setup = setup;
    this.#machine = setup.machine;
    this.#host = at;
    const { guestParent } = setup.design;
    if (guestParent === 'xenPv' || guestParent === 'xenHvm') this.#xen = new XenBuilder(setup, at);
  }

  /** The domain that bus domains of a guest stand on, shown when it is made. */
  #parent(vm: Vm): TargetDomain {
    const known = this.#parents.get(vm);
    if (known) return known;
    const made = this.#machine.as(vm.vcpus.guest(0), () => this.#makeParent(vm));
    this.#parents.set(vm, made);
    return made;
  }

  #makeParent(vm: Vm): TargetDomain {
    const machine = this.#machine;
    const prefix = `guest/${vm.id}/`;
    machine.emit(domCreate, vm.vectors.object, { ret: 0, side: 'cpu' });
    const kind = this.#setup.design.guestParent;
    if (kind === 'vector') return vm.vectors;
    if (kind === 'remap') return vm.remap().domain;
    const hv = this.#setup.use(hypervisor);
    if (kind === 'vpci') {
      const bus = new VpciDomain(machine, prefix, vm.vectors, {
        create: (device, index, target) => hv.create(vm, device, index, target),
        remove: (device, index, id) => hv.remove(vm, device, index, id),
        retarget: (id, target) => hv.retarget(vm, id, target),
      });
      machine.emit(domCreate, bus.object, { parent: vm.vectors.name, ret: 0, side: 'cpu' });
      return bus;
    }
    const domain = new HypercallDomain(machine, prefix, vm.vectors, {
      map: (device, index, target) => hv.map(vm, device, index, target),
      unmap: (id) => hv.unmap(vm, id),
      retarget: (id, target) => hv.retarget(vm, id, target),
    });
    machine.emit(domCreate, domain.object, { parent: vm.vectors.name, ret: 0, side: 'cpu', flags: 1 });
    return domain;
  }

  #view(vm: Vm, fn: PciFunction, spec: ConsumerSpec, place: number): PciFunction {
    const bdf = spec.guest ?? bdfText(0, 0x80, place, 0);
    const view = new PciFunction(this.#machine, bdf, vm);
    vm.adopt(view);
    const { vectors, msi } = this.#setup.scenario.devices.find((d) => d.bdf === fn.bdf)!;
    this.#machine.as(vm.vmm, () =>
      announce(
        view,
        {
          bdf,
          name: spec.name,
          vectors,
          msi,
          bar: 0,
          barAddress: 0xe0000000 + place * 0x10000,
          barSize: 0x10000,
          tableOffset: 0,
          pbaOffset: 0x8000,
        },
        COMMAND_ON,
        vm.bars,
      ),
    );
    return view;
  }

  /** Whether only the guest reaches what it stores. */
  #hides(vm: Vm, kind: StoreKind): boolean {
    return kind !== 'config' && vm.vcpus.hidden() && this.#setup.design.storeMemory === 'private';
  }

  build(spec: ConsumerSpec, place: number): Consumer {
    const setup = this.#setup;
    const fn = this.#host.functions.get(spec.device);
    if (!fn) throw new Error(`consumer ${spec.name}: there is no function ${spec.device}`);
    const kind: StoreKind = setup.design.messageStore;
    const hardware = placeOf(this.#machine, fn, kind);
    if (spec.vm === undefined) {
      const { parent } = this.#host;
      const name = `${parent.prefix ?? ''}${hardware.domain}-${fn.bdf}`;
      const path = new DirectPath(hardware);
      const domain = new StoreDomain(this.#machine, name, parent, '', path);
      const { core } = this.#host;
      return { spec, assignment: undefined, core, domain, path, hardware, virqs: [], created: 0 };
    }
    const vm = setup.find(vms)?.get(spec.vm);
    if (!vm) throw new Error(`consumer ${spec.name}: there is no virtual machine ${spec.vm}`);
    const xen = this.#xen;
    const wanted = xen ? xen.emulated : hardware.trappable && setup.design.storeTrap === 'trapped';
    const hidden = this.#hides(vm, kind);
    const trapped = wanted && !hidden;
    if (hidden && (wanted || xen)) {
      const at = this.#machine.world.object(domainType, `domain/${hardware.domain}-${fn.bdf}`);
      this.#machine.as(this.#host.kernel, () => unreachable(this.#machine, at, this.#host.parent.name));
    }
    const assignment: Assignment = {
      vm,
      fn,
      view: trapped ? this.#view(vm, fn, spec, place) : fn,
      grants: spec.grants,
      first: spec.first,
      count: spec.interrupts,
      owner: `vm${vm.id}/${spec.name}`,
    };
    setup.use(hypervisor).assignments.push(assignment);
    if (xen) {
      const view = trapped ? placeOf(this.#machine, assignment.view, kind) : hardware;
      const made = xen.consumer(assignment, view, hardware);
      // Xen, or the device model, stores the messages of its guests itself.
      const created = hidden ? errno.EFAULT : 0;
      return { spec, assignment, core: vm.core, ...made, hardware, virqs: [], created, xen: made };
    }
    const path = trapped
      ? new TrappedPath(setup, assignment, placeOf(this.#machine, assignment.view, kind), hardware)
      : new OpenPath(hardware, (index, message) => this.#check(assignment, hardware, index, message));
    const parent = this.#parent(vm);
    const name = `${parent.prefix ?? ''}${hardware.domain}-${assignment.view.bdf}`;
    const domain = new StoreDomain(this.#machine, name, parent, `guest/${vm.id}/`, path);
    return { spec, assignment, core: vm.core, domain, path, hardware, virqs: [], created: 0 };
  }

  /** INV-HCALL: where messages cannot be translated, a guest may store only messages that the hypervisor granted. */
  #check(assignment: Assignment, hardware: MessagePlace, index: number, message: Composed): void {
    if (this.#setup.use(hypervisor).granted(assignment, message)) return;
    const { owner } = assignment;
    const unseen = this.#setup.design.guestKnows === 'no' && hardware.kind === 'queueMemory';
    this.#machine.emit(illegal, hardware.object(index), {
      rule: 'INV-HCALL',
      text: unseen
        ? `${owner}: the vector domain accepted queue memory inside a virtual machine that it cannot see; nobody translates this message`
        : `${owner}: a message that no hypervisor granted reached the device untranslated`,
    });
  }

  *start(one: Consumer): Actions {
    if (one.xen) {
      if (one.created === 0) yield* this.#startOnXen(one, one.xen);
      return;
    }
    const { spec, core, domain, path } = one;
    if (!(domain instanceof StoreDomain)) return;
    const knownGuest = spec.vm !== undefined && this.#setup.design.guestKnows === 'yes';
    one.created = createBusDomain(this.#machine, domain, {
      knownGuest,
      refuses: this.#setup.design.domainRefusal,
      hidden: one.assignment !== undefined && this.#hides(one.assignment.vm, path.place.kind),
    });
    if (one.created < 0) return;
    yield* this.#enable(one, false);
    const device = one.assignment?.view ?? this.#host.functions.get(spec.device)!;
    const owner = one.assignment?.owner ?? spec.name;
    for (let i = 0; i < spec.interrupts; i++) {
      const hwirq = spec.first + i;
      const virq = yield* core.alloc({ domain, hwirq, device, owner, canReserve: path.place.maskable });
      if (virq < 0) break;
      if ((yield* core.request(virq, `${spec.name}-${i}`)) < 0) break;
      one.virqs.push(virq);
    }
    yield* this.#enable(one, true);
  }

  /** Allocates all, then switches them on, which lets the device model of an HVM guest have them mapped; then the driver requests them. */
  *#startOnXen(one: Consumer, { domain, map }: XenConsumer): Actions {
    const { spec, core, assignment } = one;
    const { view, owner } = assignment!;
    const emulated = this.#xen!.emulated;
    if (emulated) yield* this.#enable(one, false);
    const made: number[] = [];
    for (let i = 0; i < spec.interrupts; i++) {
      const hwirq = spec.first + i;
      const virq = yield* core.alloc({ domain, hwirq, device: view, owner, canReserve: false });
      if (virq < 0) break;
      made.push(virq);
    }
    if (emulated) yield* this.#enable(one, true);
    yield* map();
    for (const [i, virq] of made.entries())
      if ((yield* core.request(virq, `${spec.name}-${i}`)) >= 0) one.virqs.push(virq);
  }

  /** Switches the kind of interrupt on where config space does that, which a guest reaches by exits only. */
  *#enable({ assignment, path }: Consumer, ready: boolean): Actions {
    const { place } = path;
    if (place.kind === 'deviceMemory' || place.kind === 'queueMemory') return;
    if (assignment) yield* assignment.vm.guestConfig(() => place.enable(ready));
    else place.enable(ready);
  }
}

/** Makes the hypervisor and the consumers of the scenario. */
export function installConsumers(setup: Setup): void {
  const { machine, scenario } = setup;
  const at = setup.find(host);
  if (!at || scenario.consumers.length === 0) return;
  const hv = setup.provide(hypervisor, new Hypervisor(machine, at));
  const remap = setup.find(remapDomain);
  const unit = setup.find(vtdUnit) ?? setup.find(amdUnit);
  if (remap && unit) unit.onUse = (message, _requester, index, entry) => hv.audit(remap, message, index, entry);
  else machine.as(at.kernel, () => machine.emit(domCreate, at.vectors.object, { ret: 0, side: 'cpu' }));
  const posted = setup.find(postedInterrupts);
  if (remap && posted && setup.design.guestDelivery === 'posted')
    hv.post = (irq, vm, target) => {
      const to = posted.of(vm.vcpus.first + target.cpu);
      if (to) remap.setPosting(irq, { descriptor: to.address, vector: target.vector });
    };
  const all = setup.provide(consumers, new Map<string, Consumer>());
  const builder = new ConsumerBuilder(setup, at);
  for (const [place, spec] of scenario.consumers.entries()) {
    const one = builder.build(spec, place);
    all.set(spec.name, one);
    const actor = one.assignment?.vm.vcpus.guest(0) ?? ({ layer: 'driver', name: spec.name, cpu: 0 } as const);
    machine.spawn(actor, builder.start(one), nanoseconds('10us') + place * nanoseconds('60us'));
  }
}
