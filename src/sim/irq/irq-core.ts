import { domActivate, domAlloc, domCompose } from '../../model/events/domain.ts';
import { irqIdentify, irqManaged, irqMask } from '../../model/events/irq.ts';
import { vectorObject } from '../../model/events/places.ts';
import { irq as irqType, vector as vectorType } from '../../model/things/irq.ts';
import type { PciFunction } from '../device/pci-function.ts';
import { dropTaken } from '../drop.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import type { Cpus } from './cpus.ts';
import { type Composed, chain, type Domain, errno, type Irq, type MessageBlock } from './domain.ts';
import { IrqFlow } from './irq-flow.ts';
import { unlocked, whileIt } from './irq-lock.ts';
import { IrqMover } from './irq-mover.ts';

/** What an interrupt is asked for. */
export interface IrqRequest {
  readonly domain: Domain;
  readonly hwirq: number;
  readonly device: PciFunction;
  readonly owner: string;
  readonly affinity?: readonly number[];
  readonly managed?: boolean;
  /** Whether its vector may be only reserved at first; MSI-X and MSI with per-vector mask. */
  readonly canReserve?: boolean;
  /** The block of messages that it belongs to. */
  readonly block?: MessageBlock;
}

/** Times of the irq core in nanoseconds: rough figures of a current server, the same for every design. */
const COST = { walk: 200, request: 500 };

/**
 * The irq core of a kernel (host or guest): allocates through the hierarchy of domains, activates parents first,
 * deactivates the child first, runs handlers. Order of calls: kernel/irq/irqdomain.c, kernel/irq/manage.c, msi.c.
 */
export class IrqCore {
  readonly machine: Machine;
  readonly actor: Actor;
  /** Path before `irq/<virq>`: empty for the host, `guest/<vm>/` for a guest. */
  readonly prefix: string;
  /** Moves its irqs. */
  readonly mover: IrqMover = new IrqMover(this);
  /** Runs their handlers. */
  readonly flow: IrqFlow = new IrqFlow(this);
  readonly irqs = new Map<number, Irq>();
  /** What is taken, as domain, function and hwirq. */
  readonly #taken = new Set<string>();
  #next: number;

  constructor(machine: Machine, actor: Actor, prefix: string, firstVirq: number) {
    this.machine = machine;
    this.actor = actor;
    this.prefix = prefix;
    this.#next = firstVirq;
  }

  /** The key of a processor of this kernel in the books of causes. */
  processor: (cpu: number) => number = (cpu) => cpu;

  /** Runs the handlers of this kernel's irqs for the vectors of these CPUs. */
  serve(cpus: Cpus): void {
    this.mover.cpus = cpus;
    this.mover.possible = cpus.count;
    cpus.handler = (cpu, vector, eoi) => this.#vector(cpu, vector, eoi);
  }

  #vector(cpu: number, vector: number, eoi: () => void): Actions {
    const { machine } = this;
    const { state } = machine;
    const object = vectorObject(state, cpu, vector);
    const virq = state.num(object, vectorType.at.irq);
    if (virq < 0) {
      // Linux: "No irq handler for vector".
      const again = this.mover.ignored(cpu, vector);
      eoi();
      const reason = again ? 'the vector was raised again elsewhere: ignored here' : 'no irq handler for vector';
      dropTaken(machine, this.processor(cpu), object, reason);
      return nothing();
    }
    return this.handle(virq, cpu, eoi);
  }

  /** Runs `what` while no other caller changes the irq: as the kernel, or in the context of who called it. */
  *locked<T>(irq: Irq, what: Actions<T>, actor = this.actor): Actions<T> {
    if (irq.locked) yield* unlocked(irq);
    irq.locked = true;
    try {
      return yield* this.machine.within(actor, what);
    } finally {
      irq.locked = false;
    }
  }

  /** The flow of one interrupt: see IrqFlow.handle. */
  handle(virq: number, cpu: number, eoi: () => void = () => {}): Actions {
    return this.flow.handle(virq, cpu, eoi);
  }

  /** The irq of a number. */
  irq(virq: number): Irq | undefined {
    return this.irqs.get(virq);
  }

  /** Allocates an irq through its hierarchy (__irq_domain_alloc_irqs): its number, or a negative errno. */
  *alloc(request: IrqRequest): Actions<number> {
    return yield* this.machine.within(this.actor, this.#alloc(request));
  }

  *#alloc(request: IrqRequest): Actions<number> {
    const { machine } = this;
    const key = keyOf(request);
    if (this.#taken.has(key)) return errno.EEXIST;
    this.#taken.add(key);
    const virq = this.#next++;
    const object = machine.world.object(irqType, `${this.prefix}irq/${virq}`);
    const irq: Irq = {
      virq,
      object,
      domain: request.domain,
      hwirq: request.hwirq,
      device: request.device,
      owner: request.owner,
      block: request.block,
      affinity: request.affinity ?? [],
      pendingAffinity: undefined,
      managedShutdown: false,
      locked: false,
      running: 0,
      inProgress: undefined,
      acting: false,
      latched: [],
      flowMasked: false,
      managed: request.managed ?? false,
      canReserve: request.canReserve ?? true,
      activated: false,
      started: false,
      masked: true,
      action: undefined,
      handler: undefined,
      lazyPending: false,
    };
    // alloc_descs() wants a CPU in the mask that it is given.
    const none = request.affinity?.length === 0;
    if (none) machine.emit(domAlloc, object, { domain: request.domain.name, free: false, ret: errno.EINVAL });
    const ret = none ? errno.EINVAL : yield* this.#allocIn(request.domain, irq);
    if (ret < 0) {
      this.#taken.delete(key);
      return ret;
    }
    // The set-up of the vector makes what was known of the number invalid, so its device and hwirq are told afterwards.
    machine.emit(irqIdentify, object, {
      device: request.domain.wired ? undefined : request.device.bdf,
      hwirq: request.domain.hwirqOf?.(request.device, request.hwirq) ?? request.hwirq,
      domain: request.domain.name,
      owner: request.owner,
    });
    this.irqs.set(virq, irq);
    return virq;
  }

  /** Parents allocate first; what was built is freed again when a child fails. */
  *#allocIn(domain: Domain, irq: Irq): Actions<number> {
    if (domain.parent) {
      const ret = yield* this.#allocIn(domain.parent, irq);
      if (ret < 0) return ret;
    }
    yield COST.walk;
    const ret = yield* domain.alloc(irq);
    this.machine.emit(domAlloc, irq.object, { domain: domain.name, free: false, ...(ret < 0 ? { ret } : {}) });
    if (ret < 0 && domain.parent) yield* this.#freeFrom(domain.parent, irq);
    return ret;
  }

  *#freeFrom(domain: Domain, irq: Irq): Actions {
    for (const at of chain(domain)) {
      yield COST.walk;
      yield* at.free(irq);
      this.machine.emit(domAlloc, irq.object, { domain: at.name, free: true });
    }
  }

  /** irq_domain_activate_irq: parents first, the device last; what was activated is taken back on an error. */
  *activate(irq: Irq, reserve: boolean): Actions<number> {
    return yield* this.locked(irq, this.#activateIn(irq.domain, irq, reserve));
  }

  *#activateIn(domain: Domain, irq: Irq, reserve: boolean): Actions<number> {
    if (domain.parent) {
      const ret = yield* this.#activateIn(domain.parent, irq, reserve);
      if (ret < 0) return ret;
    }
    yield COST.walk;
    let ret = yield* domain.activate(irq, reserve);
    if (ret >= 0 && domain.store) ret = yield* this.compose(irq, 'activate');
    this.machine.emit(domActivate, irq.object, {
      domain: domain.name,
      activate: true,
      ...(reserve ? { reserve } : {}),
      ...(ret < 0 ? { ret } : {}),
    });
    if (ret < 0 && domain.parent) yield* this.#deactivateFrom(domain.parent, irq);
    if (ret >= 0 && domain === irq.domain) irq.activated = !reserve;
    return ret < 0 ? ret : 0;
  }

  /** irq_domain_deactivate_irq: the device first. */
  *deactivate(irq: Irq): Actions {
    yield* this.locked(irq, this.#deactivateFrom(irq.domain, irq));
  }

  *#deactivateFrom(domain: Domain, irq: Irq): Actions {
    irq.activated = false;
    for (const at of chain(domain)) {
      yield COST.walk;
      yield* at.deactivate(irq);
      this.machine.emit(domActivate, irq.object, { domain: at.name, activate: false });
    }
  }

  /** irq_chip_compose_msi_msg and write_msi_msg: the first domain from the device on that can compose does it. */
  *compose(irq: Irq, by: string): Actions<number> {
    const { machine } = this;
    const of = this.#composedFor(irq, by);
    for (const domain of chain(irq.domain)) {
      if (!domain.compose) continue;
      const message = domain.compose(of);
      if (typeof message === 'number') {
        machine.emit(domCompose, irq.object, { domain: domain.name, address: 0, data: 0, ret: message });
        return message;
      }
      machine.emit(domCompose, irq.object, { domain: domain.name, address: message.address, data: message.data });
      yield* this.storeMessage(irq, message, by);
      return 0;
    }
    return errno.ENODEV;
  }

  /** The irq whose message is composed: a planted fault takes the irq beside it, by a wrong index. */
  #composedFor(irq: Irq, by: string): Irq {
    const { tamper } = this.machine;
    if (tamper === undefined || by !== 'move') return irq;
    const beside = [...this.irqs.values()].find((one) => one !== irq && one.device === irq.device && one.started);
    return beside && tamper.spoils('R10', irq.device.entry(irq.hwirq)) ? beside : irq;
  }

  /** Hands a message to the domain that stores. */
  *storeMessage(irq: Irq, message: Composed, by: string): Actions {
    if (irq.domain.store) yield* irq.domain.store(irq, message, by);
  }

  /** request_irq(): activates for real, starts up, unmasks. 0 or a negative errno. */
  *request(virq: number, name: string, handler?: () => Actions<unknown>): Actions<number> {
    const irq = this.irqs.get(virq);
    return irq ? yield* this.locked(irq, this.#request(irq, name, handler)) : errno.EINVAL;
  }

  *#request(irq: Irq, name: string, handler: (() => Actions<unknown>) | undefined): Actions<number> {
    if (this.irqs.get(irq.virq) !== irq) return errno.EINVAL;
    if (irq.action !== undefined) return errno.EBUSY;
    yield COST.request;
    irq.action = name;
    irq.handler = handler;
    if (irq.managed && !this.mover.online(irq.affinity)) {
      this.#managed(irq, true);
      return 0;
    }
    return yield* this.#startup(irq);
  }

  /** irq_activate() and irq_startup(). */
  *#startup(irq: Irq): Actions<number> {
    const { machine } = this;
    if (!irq.activated && machine.state.num(irq.object, irqType.at.address) === 0)
      if (machine.tamper?.strikes('F28', undefined)) yield* this.setMask(irq, false);
    if (!irq.activated) {
      const ret = yield* this.#activateIn(irq.domain, irq, false);
      if (ret < 0) {
        irq.action = undefined;
        irq.handler = undefined;
        return ret;
      }
    }
    irq.started = true;
    yield* this.setMask(irq, false);
    return 0;
  }

  /** free_irq(): masks at the device, waits for handlers that run, then deactivates, child first. */
  *freeIrq(virq: number): Actions<number> {
    const irq = this.irqs.get(virq);
    if (!irq) return errno.EINVAL;
    const ret = yield* this.locked(irq, this.#free(irq));
    if (ret < 0) return ret;
    if (irq.running > 0) yield* whileIt(() => irq.running > 0);
    if (irq.activated && irq.action === undefined) yield* this.locked(irq, this.#deactivateFrom(irq.domain, irq));
    return 0;
  }

  *#free(irq: Irq): Actions<number> {
    if (irq.action === undefined) return errno.EINVAL;
    irq.action = undefined;
    irq.handler = undefined;
    irq.pendingAffinity = undefined;
    if (irq.managedShutdown) this.#managed(irq, false);
    else if (!this.machine.tamper?.strikes('F10', undefined)) yield* this.setMask(irq, true);
    irq.started = false;
    return 0;
  }

  /** irq_shutdown_and_deactivate(): masks, then deactivates, the child first. */
  *#shutdown(irq: Irq): Actions {
    yield* this.setMask(irq, true);
    irq.started = false;
    yield* this.#deactivateFrom(irq.domain, irq);
  }

  #managed(irq: Irq, shutdown: boolean): void {
    irq.managedShutdown = shutdown;
    this.machine.emit(irqManaged, irq.object, { shutdown });
  }

  /** The last CPU of a managed irq goes: it is shut down (IRQD_MANAGED_SHUTDOWN). The caller holds its lock. */
  *shutdownManaged(irq: Irq): Actions {
    this.#managed(irq, true);
    yield* this.#shutdown(irq);
  }

  /** A CPU of a managed irq that is shut down came: it is started up again (irq_startup_managed). The caller holds its lock. */
  *startManaged(irq: Irq): Actions<number> {
    this.#managed(irq, false);
    return yield* this.#startup(irq);
  }

  /** Frees the descriptor and what every domain holds for it. */
  *release(virq: number): Actions<number> {
    const irq = this.irqs.get(virq);
    return irq ? yield* this.locked(irq, this.#release(irq)) : errno.EINVAL;
  }

  *#release(irq: Irq): Actions<number> {
    if (this.irqs.get(irq.virq) !== irq) return errno.EINVAL;
    if (irq.action !== undefined) return errno.EBUSY;
    if (irq.activated) yield* this.#deactivateFrom(irq.domain, irq);
    yield* this.#freeFrom(irq.domain, irq);
    this.irqs.delete(irq.virq);
    this.#taken.delete(keyOf(irq));
    return 0;
  }

  /** Masks or unmasks at the first chip from the device on that can. */
  *setMask(irq: Irq, masked: boolean): Actions {
    for (const domain of chain(irq.domain)) {
      if (!domain.mask) continue;
      const hwirq = domain.hwirqOf?.(irq.device, irq.hwirq) ?? irq.hwirq;
      this.machine.emit(irqMask, irq.object, { masked, hwirq });
      yield* domain.mask(irq, masked);
      irq.masked = masked;
      return;
    }
  }

  /** disable_irq() and enable_irq() at the chip. */
  *mask(virq: number, masked: boolean): Actions<number> {
    const irq = this.irqs.get(virq);
    if (!irq) return errno.EINVAL;
    yield* this.locked(irq, this.setMask(irq, masked));
    return 0;
  }

  /** irq_set_affinity(): see IrqMover.set. User space and drivers call it in their own context. */
  *setAffinity(virq: number, cpus: readonly number[], by = 'affinity', force = false): Actions<number> {
    const irq = this.irqs.get(virq);
    if (!irq) return errno.EINVAL;
    const caller = by === 'user' || by === 'driver' ? this.machine.actor : this.actor;
    return yield* this.locked(irq, this.mover.set(irq, cpus, by, force), caller);
  }
}

/** No actions. */
function* nothing(): Actions {}

const keyOf = (of: { domain: Domain; device: PciFunction; hwirq: number }): string =>
  `${of.domain.name} ${of.device.bdf} ${of.hwirq}`;
