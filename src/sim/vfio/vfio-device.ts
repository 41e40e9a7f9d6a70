import type { ObjectId } from '../../base/ids.ts';
import { vfioBind, vfioFire, vfioIntx, vfioMask, vfioMode, vfioReturn, vfioSet } from '../../model/events/vfio.ts';
import { vfioDevice, vfioVector } from '../../model/things/virt.ts';
import { VFIO_INDEX } from '../../model/vfio-index.ts';
import { drop } from '../drop.ts';
import { errno } from '../irq/domain.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import type { VfioBackend } from './backend.ts';
import type { Eventfd } from './eventfd.ts';
import type { PhysicalIntx } from './physical-intx.ts';
import { actionOf, DATA, fdOf, type Irqs, invalid, type SetIrqs } from './set-irqs.ts';

/** Nanoseconds of an ioctl besides what it does. */
const IOCTL = 300;

/** Which message-signalled index is active, and INTx. */
type ActiveIndex = 'none' | 'intx' | 'msi' | 'msix';

/** What VFIO holds for a vector of the active index; it stays until the index is disabled. */
interface ArmedVector {
  eventfd: Eventfd;
  irq: number;
}

/** What a VFIO device is made of. */
export interface VfioSpec {
  /** BDF of the function, or the name of a virtual device. */
  readonly name: string;
  /** Interrupts of each index. */
  readonly irqs: Irqs;
  /** Whether the function is PCI Express: only then the error index can be used. */
  readonly express: boolean;
  /** Whose code answers the ioctl; a variant driver calls the same helpers (S0-2). */
  readonly provider: 'core' | 'variant';
  readonly backend: VfioBackend;
  /** What serves MSI vectors; undefined: the same. */
  readonly msi?: VfioBackend;
  /** The wire of its INTx pin on the host; undefined: the line is emulated. */
  readonly wire?: PhysicalIntx;
}

/** A device that is assigned through VFIO: the kernel's side (drivers/vfio/pci/vfio_pci_intrs.c, vfio_main.c). */
export class VfioDevice {
  readonly machine: Machine;
  readonly spec: VfioSpec;
  readonly backend: VfioBackend;
  readonly object: ObjectId;
  readonly actor: Actor;
  /** The actor that takes the ioctl and returns from it. */
  readonly #shell: Actor;
  /** Called when an eventfd is signalled for a host irq from now on, or (undefined) no longer. */
  onProducer: ((eventfd: Eventfd, irq: number | undefined) => void) | undefined;
  #active: ActiveIndex = 'none';
  readonly #contexts = new Map<number, ArmedVector>();
  readonly #single = new Map<number, Eventfd>();
  readonly #onCpu = new Map<number, Actor>();
  // INTx: who is signalled, and whether the line is asserted.
  #intx: Eventfd | undefined;
  #resample: Eventfd | undefined;
  #line = false;

  constructor(machine: Machine, spec: VfioSpec) {
    this.machine = machine;
    this.spec = spec;
    this.backend = spec.backend;
    this.object = machine.world.object(vfioDevice, `vfio/${spec.name}`);
    this.actor = { layer: 'vfio', name: spec.name, cpu: 0 };
    this.#shell = spec.provider === 'core' ? this.actor : { ...this.actor, layer: 'driver' };
  }

  /** Object of an interrupt. */
  vector(index: number, vector: number): number {
    return this.machine.world.object(vfioVector, `vfio/${this.spec.name}/${index}/${vector}`);
  }

  get active(): ActiveIndex {
    return this.#active;
  }

  /** The eventfd of a vector of the active index, or of INTx, error or request. */
  eventfd(index: number, vector: number): Eventfd | undefined {
    if (index === VFIO_INDEX.intx) return this.#intx;
    return index >= VFIO_INDEX.err ? this.#single.get(index) : this.#contexts.get(vector)?.eventfd;
  }

  /** VFIO_IRQ_INFO_NORESIZE: vectors cannot be added while the index is active. */
  get noresize(): boolean {
    return !this.backend.dynamic;
  }

  /** What serves the vectors of an index. */
  backendOf(index: number): VfioBackend {
    return index === VFIO_INDEX.msi ? (this.spec.msi ?? this.backend) : this.backend;
  }

  /** The ioctl. 0, a negative errno, or how many vectors would have been possible. */
  *setIrqs(set: SetIrqs): Actions<number> {
    return yield* this.machine.within(this.#shell, this.#setIrqs(set));
  }

  *#setIrqs(set: SetIrqs): Actions<number> {
    const { machine, spec } = this;
    const { flags, index, start, count } = set;
    const call = { flags, index, start, count };
    const { provider } = spec;
    const fd = (flags & DATA.eventfd) !== 0 && set.fds?.[0] !== undefined ? { fd: fdOf(set.fds[0]) } : {};
    const refused = invalid(set, spec.irqs);
    const work = refused === undefined ? this.#dispatch(set) : undefined;
    if (work === undefined) {
      const ret = refused ?? errno.ENOTTY;
      machine.emit(vfioSet, this.object, { ...call, ret, provider, ...fd });
      return ret;
    }
    machine.emit(vfioSet, this.object, { ...call, provider, ...fd });
    yield IOCTL;
    const ret = yield* machine.within(this.actor, work);
    machine.emit(vfioReturn, this.object, { index, start, count, ret, provider });
    return ret;
  }

  /** The function that answers; undefined: -ENOTTY. The table of index and action. */
  #dispatch(set: SetIrqs): Actions<number> | undefined {
    const action = actionOf(set.flags);
    switch (set.index) {
      case VFIO_INDEX.intx:
        if (action === 'trigger') return this.#intxTrigger(set);
        return action === undefined ? undefined : this.#intxMask(set, action === 'mask');
      case VFIO_INDEX.msi:
      case VFIO_INDEX.msix:
        // Masking of single vectors has no support in the irq core that could be exported.
        return action === 'trigger' ? this.#msiTrigger(set, set.index === VFIO_INDEX.msi ? 'msi' : 'msix') : undefined;
      case VFIO_INDEX.err:
        return action === 'trigger' && this.spec.express ? this.#singleTrigger(set) : undefined;
      default:
        return action === 'trigger' ? this.#singleTrigger(set) : undefined;
    }
  }

  *#msiTrigger(set: SetIrqs, index: 'msi' | 'msix'): Actions<number> {
    const { flags, start, count } = set;
    const active = this.#active === index;
    if (active && count === 0 && (flags & DATA.none) !== 0) {
      yield* this.#disable(set.index);
      return 0;
    }
    if (!active && this.#active !== 'none') return errno.EINVAL;
    if ((flags & DATA.eventfd) !== 0) {
      if (active) return yield* this.#block(set);
      const ret = yield* this.backendOf(set.index).enable(start + count);
      if (ret !== 0) return ret;
      this.#mode(index, true, start + count);
      const done = yield* this.#block(set);
      if (done !== 0) yield* this.#disable(set.index);
      return done;
    }
    if (!active) return errno.EINVAL;
    for (let v = start; v < start + count; v++) {
      const wanted = (flags & DATA.none) !== 0 || (set.bools?.[v - start] ?? 0) !== 0;
      if (wanted && this.#contexts.has(v)) this.fire(set.index, v);
    }
    return 0;
  }

  #mode(mode: ActiveIndex, enabled: boolean, vectors?: number): void {
    this.#active = enabled ? mode : 'none';
    this.machine.emit(vfioMode, this.object, { mode, enabled, vectors });
  }

  *#disable(index: number): Actions {
    for (const vector of [...this.#contexts.keys()]) yield* this.#setVector(index, vector, -1);
    yield* this.backendOf(index).disable();
    this.#mode(this.#active, false);
  }

  /** Every vector of a block; when one fails, those before it are torn down as well. */
  *#block(set: SetIrqs): Actions<number> {
    const { index, start, count, fds } = set;
    for (let i = 0; i < count; i++) {
      const ret = yield* this.#setVector(index, start + i, fds?.[i] ?? -1);
      if (ret === 0) continue;
      for (let undo = 0; undo < i; undo++) yield* this.#setVector(index, start + undo, -1);
      return ret;
    }
    return 0;
  }

  /**
   * One vector gets an eventfd, another one, or none. Between the release of the old and the request of the new
   * the irq has no handler: what comes then is lost unless the device keeps it pending (F40).
   */
  *#setVector(index: number, vector: number, eventfd: Eventfd | number): Actions<number> {
    const backend = this.backendOf(index);
    const before = this.#contexts.get(vector);
    if (before) {
      this.onProducer?.(before.eventfd, undefined);
      yield* backend.release(vector);
      this.#contexts.delete(vector);
      this.#bound(index, vector);
    }
    if (typeof eventfd === 'number') return eventfd === -1 ? 0 : errno.EBADF;
    // The handler holds its eventfd: one that already runs when the irq is freed still signals the old one.
    const irq = yield* backend.request(vector, (virq) => this.#signal(this.vector(index, vector), eventfd, virq));
    if (irq < 0) return irq;
    this.#contexts.set(vector, { eventfd, irq });
    eventfd.source = irq > 0 ? 'hostirq' : 'software';
    this.#bound(index, vector);
    if (irq > 0) this.onProducer?.(eventfd, irq);
    return 0;
  }

  #bound(index: number, vector: number): void {
    const { machine } = this;
    const backend = this.backendOf(index);
    const context = this.#contexts.get(vector);
    machine.emit(vfioBind, this.vector(index, vector), {
      backend: context?.irq === 0 ? 'emulated' : backend.kind,
      eventfd: context?.eventfd.fd,
      irq: context && context.irq > 0 ? context.irq : undefined,
      entry: context && context.irq > 0 ? backend.entry(vector) : undefined,
    });
  }

  /** Software signals the eventfd of an interrupt. */
  fire(index: number, vector: number): void {
    this.#signal(this.vector(index, vector), this.eventfd(index, vector), 0);
  }

  /** Signals an eventfd for an interrupt; `irq`: the host irq that came, 0 none; `known`: its cause, where another part keeps the books. */
  #signal(object: ObjectId, eventfd: Eventfd | undefined, irq: number, known?: number): void {
    const { machine } = this;
    machine.as(this.#here(), () => {
      // Behind a host irq it is the cause that the host took, on its way to whom it is for.
      const { ledger, actor, now } = machine;
      const cause = known ?? ledger.open(now, irq > 0 ? ledger.takeBack(actor.cpu) : 0);
      machine.emit(vfioFire, object, { ...(cause > 0 ? { cause } : {}), ...(irq > 0 ? { irq } : {}) });
      if (eventfd) {
        eventfd.signal(cause);
        return;
      }
      drop(machine, object, 'the interrupt has no eventfd', cause);
    });
  }

  /** VFIO on the CPU that is at work. */
  #here(): Actor {
    const { cpu } = this.machine.actor;
    let actor = this.#onCpu.get(cpu);
    if (actor === undefined) {
      actor = { ...this.actor, cpu };
      this.#onCpu.set(cpu, actor);
    }
    return actor;
  }

  *#singleTrigger(set: SetIrqs): Actions<number> {
    const { flags, index, count } = set;
    const held = this.#single.get(index);
    if ((flags & DATA.none) !== 0) {
      if (held === undefined) return errno.EINVAL;
      if (count > 0) this.fire(index, 0);
      else this.#keepSingle(index, undefined);
      return 0;
    }
    if (count === 0) return errno.EINVAL;
    if ((flags & DATA.bool) !== 0) {
      if ((set.bools?.[0] ?? 0) !== 0 && held) this.fire(index, 0);
      return 0;
    }
    const eventfd = set.fds?.[0] ?? -1;
    if (typeof eventfd === 'number' && eventfd !== -1) return errno.EBADF;
    this.#keepSingle(index, typeof eventfd === 'number' ? undefined : eventfd);
    return 0;
  }

  #keepSingle(index: number, eventfd: Eventfd | undefined): void {
    if (eventfd) this.#single.set(index, eventfd);
    else this.#single.delete(index);
    this.machine.emit(vfioBind, this.vector(index, 0), { backend: 'emulated', eventfd: eventfd?.fd });
  }

  // INTx: level-triggered. Every interrupt masks itself; its server unmasks it, by ioctl or through a resample eventfd.

  *#intxTrigger(set: SetIrqs): Actions<number> {
    const { flags, start, count } = set;
    const on = this.#active === 'intx';
    if (on && count === 0 && (flags & DATA.none) !== 0) {
      yield* this.#intxOff();
      return 0;
    }
    if ((!on && this.#active !== 'none') || start !== 0 || count !== 1) return errno.EINVAL;
    if ((flags & DATA.eventfd) !== 0) {
      const eventfd = set.fds?.[0] ?? -1;
      if (typeof eventfd === 'number' && eventfd !== -1) return errno.EBADF;
      const { wire } = this.spec;
      const irq = on || !wire ? wire?.irq : yield* wire.request((virq) => this.#came(virq));
      if (irq !== undefined && irq < 0) return irq;
      this.#intx = typeof eventfd === 'number' ? undefined : eventfd;
      if (!on) this.#mode('intx', true);
      this.machine.emit(vfioBind, this.vector(0, 0), { backend: this.backend.kind, eventfd: this.#intx?.fd, irq });
      if (!on) this.#setMask(false, 'enable');
      this.#level();
      return 0;
    }
    if (!on) return errno.EINVAL;
    if ((flags & DATA.none) !== 0 || (set.bools?.[0] ?? 0) !== 0) this.fire(0, 0);
    return 0;
  }

  *#intxOff(): Actions {
    if (this.spec.wire) yield* this.spec.wire.free();
    this.#intx = undefined;
    this.#listenResample(undefined);
    this.machine.emit(vfioBind, this.vector(0, 0), { backend: this.backend.kind });
    this.#mode('intx', false);
  }

  *#intxMask(set: SetIrqs, mask: boolean): Actions<number> {
    const { flags, start, count } = set;
    if (this.#active !== 'intx' || start !== 0 || count !== 1) return errno.EINVAL;
    if ((flags & DATA.eventfd) !== 0) {
      if (mask) return errno.ENOTTY;
      const eventfd = set.fds?.[0] ?? -1;
      if (typeof eventfd === 'number' && eventfd !== -1) return errno.EBADF;
      this.#listenResample(typeof eventfd === 'number' ? undefined : eventfd);
      return 0;
    }
    if ((flags & DATA.none) !== 0 || (set.bools?.[0] ?? 0) !== 0) this.#setMask(mask, 'ioctl');
    return 0;
  }

  #listenResample(eventfd: Eventfd | undefined): void {
    const { machine } = this;
    this.#resample?.listen(undefined);
    this.#resample = eventfd;
    eventfd?.listen(() => machine.as(this.actor, () => this.#setMask(false, 'resample')));
  }

  /** Masks or unmasks. A wire that is still asserted stays masked, and its server is told again: no interrupt of the host is spent on it. */
  #setMask(masked: boolean, by: string): void {
    const { machine } = this;
    const { wire } = this.spec;
    const object = this.vector(0, 0);
    if (wire && by === 'resample' && machine.state.flag(object, vfioVector.at.masked) !== true) return;
    if (wire?.pin.waits && !masked && by !== 'enable') {
      this.#signal(object, this.#intx, wire.irq ?? 0, 0);
      return;
    }
    machine.emit(vfioMask, object, { masked, by });
    wire?.disable(masked);
    this.#level();
  }

  /** An interrupt of the wire (vfio_intx_handler): one that the function raised masks itself and is signalled. Whether it was. */
  #came(virq: number): boolean {
    const { machine } = this;
    const { wire } = this.spec;
    const object = this.vector(0, 0);
    if (!wire?.pin.waits || machine.state.flag(object, vfioVector.at.masked) === true) return false;
    machine.as(this.#here(), () => {
      wire.disable(true);
      machine.emit(vfioMask, object, { masked: true, by: 'automask' });
    });
    this.#signal(object, this.#intx, virq, 0);
    return true;
  }

  /** The driver of the device reads its status and clears it: whether something was there. */
  serveIntx(): boolean {
    const { wire } = this.spec;
    if (wire) return wire.pin.serve() > 0;
    const found = this.#line;
    if (found) this.intx(false);
    return found;
  }

  /** The line is asserted and nothing masks it: one interrupt, and it masks itself. */
  #level(): void {
    const object = this.vector(0, 0);
    if (this.#active !== 'intx' || !this.#line || this.machine.state.flag(object, vfioVector.at.masked) === true)
      return;
    this.machine.emit(vfioMask, object, { masked: true, by: 'automask' });
    this.fire(0, 0);
  }

  /** The device asserts or deasserts its INTx line; at a wire: it has a cause, or what waited is served. */
  intx(level: boolean): void {
    const { wire } = this.spec;
    if (wire) {
      wire.drive(level);
      return;
    }
    this.#line = level;
    this.machine.as(this.actor, () => {
      this.machine.emit(vfioIntx, this.object, { what: level ? 'asserted' : 'deasserted', pin: 'A' });
      this.#level();
    });
  }
}
