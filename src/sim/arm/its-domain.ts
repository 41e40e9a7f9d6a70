import type { ObjectId } from '../../base/ids.ts';
import { irqIdentify } from '../../model/events/irq.ts';
import { message } from '../../model/events/notes.ts';
import { domain as domainType } from '../../model/things/irq.ts';
import type { PciFunction } from '../device/pci-function.ts';
import type { Cpus } from '../irq/cpus.ts';
import { type AffinityResult, type Composed, type Domain, errno, type Irq } from '../irq/domain.ts';
import type { Actions, Machine } from '../machine.ts';
import type { Its } from './its.ts';
import type { ItsCommand } from './its-command.ts';
import type { ItsFunction, ItsIrq, LpiSpace, VirtualTarget } from './units/lpis.ts';

/** Nanoseconds that a command takes from the queue to its SYNC. */
const COMMAND = 300;
/** Nanoseconds that the driver waits for the ITS to take a command, and between two looks (its_wait_for_range_completion). */
const PATIENCE = 1_000_000_000;
const LOOK = 1_000_000;
/** How long a planted fault makes the ITS stall: a little longer than that. */
const STALL = PATIENCE + 500_000;

/** The owner of the translation of a device's accesses names the address at which the device reaches a doorbell. */
export interface MsiOwner {
  /** Asked when an interrupt is allocated: 0, or the negative errno with which the allocation fails. */
  prepare(irq: Irq, doorbell: number): number;
  /** The address for a message of the irq, the doorbell itself where nothing translates; or a negative errno. */
  compose(irq: Irq, doorbell: number): number;
}

/** The root domain of a GICv3: LPIs need only their place in its hierarchy. */
export class GicDomain implements Domain {
  readonly name = 'GICv3';
  readonly parent = undefined;
  readonly object: ObjectId;

  constructor(machine: Machine) {
    this.object = machine.world.object(domainType, 'domain/GICv3');
  }

  *alloc(): Actions<number> {
    return 0;
  }

  *free(): Actions {}

  *activate(): Actions<number> {
    return 0;
  }

  *deactivate(): Actions {}
}

/**
 * The irq domain of an ITS (Linux irq-gic-v3-its.c): a device table entry and a block of LPIs per function, a power of
 * two of them; MAPTI on activation, MOVI for affinity, the enable bit of the LPI and INV for masks. Behind each command
 * but MAPD the driver puts a SYNC, for the redistributor that the interrupt went to before the command.
 */
export class ItsDomain implements Domain {
  readonly name: string;
  readonly parent: Domain;
  readonly object: ObjectId;
  readonly machine: Machine;
  readonly its: Its;
  /** LPIs, and what is held for irqs: of all ITSs together. */
  readonly lpis: LpiSpace;
  readonly cpus: Cpus;
  readonly doorbell: number;
  /** The part that may replace the doorbell in a message. */
  owner: MsiOwner | undefined;
  /** Each move takes another EventID, so that the message changes. */
  readonly messageNamesTarget: boolean;
  readonly #functions = new Map<PciFunction, ItsFunction>();
  constructor(
    parent: Domain,
    its: Its,
    cpus: Cpus,
    lpis: LpiSpace,
    place: { readonly name: string; readonly doorbell: number },
    messageNamesTarget: boolean,
  ) {
    this.machine = its.machine;
    this.name = place.name;
    this.lpis = lpis;
    this.parent = parent;
    this.its = its;
    this.cpus = cpus;
    this.doorbell = place.doorbell;
    this.messageNamesTarget = messageNamesTarget;
    this.object = this.machine.world.object(domainType, `domain/${this.name}`);
  }

  /** Maps a collection for every CPU, as each does when it comes up. */
  boot(): void {
    for (const cpu of this.cpus.onlineCpus()) this.bringUp(cpu);
  }

  /** Maps the collection of a CPU that comes up. */
  bringUp(cpu: number): void {
    this.#post({ op: 'MAPC', collection: cpu, target: cpu, valid: true }, cpu);
    this.#post({ op: 'INVALL', collection: cpu }, cpu);
  }

  /** Puts a command into the queue, and behind it the SYNC for the redistributor that it concerns (BUILD_SINGLE_CMD_FUNC). */
  #post(order: ItsCommand, sync: number): boolean {
    return sync < 0 ? this.its.command(order) : this.its.command(order, { op: 'SYNC', target: sync });
  }

  /** The CPU that an irq goes to, -1 while it goes to none. */
  target(irq: Irq): number {
    const held = this.lpis.irqs.get(irq);
    return held?.mapped ? held.cpu : -1;
  }

  /** Puts a command into the queue and waits until the ITS has taken it; where it does not, the driver says so and goes on. */
  *#order(order: ItsCommand, sync: number): Actions<boolean> {
    const { its, machine } = this;
    if (machine.tamper?.spoils('F79', its.object)) its.stall(STALL);
    const accepted = this.#post(order, sync);
    const end = machine.now + PATIENCE;
    const target = its.put;
    while (!its.took(target) && machine.now < end) yield Math.min(LOOK, end - machine.now);
    if (its.took(target)) return accepted;
    const builder = `its_build_${order.op.toLowerCase()}_cmd`;
    for (const text of [`ITS queue timeout (${its.offset(target)} ${its.offset()})`, `ITS cmd ${builder} failed`])
      machine.emit(message, its.object, { text });
    return accepted;
  }

  /** The DeviceID of a function. A planted fault reads a wrong row of the map of the firmware (IORT, msi-map): one beyond the device table. */
  #deviceId({ requester }: PciFunction): number {
    const wrong = requester + 2 ** this.its.widths.deviceBits;
    return this.machine.tamper?.spoils('F76', this.its.device(wrong)) ? wrong : requester;
  }

  *#create(fn: PciFunction): Actions<ItsFunction | undefined> {
    let events = 2;
    while (events < Math.max(1, fn.size)) events *= 2;
    if (this.messageNamesTarget) events *= 2;
    const firstLpi = this.lpis.alloc(events);
    if (firstLpi === undefined) return undefined;
    const made = { id: this.#deviceId(fn), firstLpi, events, taken: new Set<number>() };
    const itt = this.lpis.table(Math.max(256, events * 16));
    const size = Math.log2(events) - 1;
    if (!(yield* this.#order({ op: 'MAPD', device: made.id, size, itt, valid: true }, -1))) return undefined;
    this.#functions.set(fn, made);
    return made;
  }

  *alloc(irq: Irq): Actions<number> {
    const of = this.#functions.get(irq.device) ?? (yield* this.#create(irq.device));
    if (of === undefined) return errno.ENOMEM;
    const event = this.#freeEvent(of);
    if (event < 0) return errno.ENOSPC;
    of.taken.add(event);
    this.lpis.irqs.set(irq, { of, event, cpu: -1, mapped: false, previous: -1, previousCpu: -1, virtual: undefined });
    this.lpis.byLpi.set(of.firstLpi + event, irq);
    this.machine.emit(irqIdentify, irq.object, { lpi: of.firstLpi + event });
    const ret = this.owner?.prepare(irq, this.doorbell) ?? 0;
    // A planted fault: the kernel does not look at the answer of the owner of the translation.
    if (ret === errno.ENOENT && this.machine.tamper?.spoils('F72', irq.object)) return 0;
    if (ret < 0) yield* this.free(irq);
    return ret;
  }

  #freeEvent(of: ItsFunction): number {
    for (let event = 0; event < of.events; event++) if (!of.taken.has(event)) return event;
    return -1;
  }

  *free(irq: Irq): Actions {
    const held = this.lpis.irqs.get(irq);
    if (!held) return;
    const { of } = held;
    this.lpis.irqs.delete(irq);
    this.#release(of, held.event);
    if (held.previous >= 0) this.#release(of, held.previous);
    if (of.taken.size > 0) return;
    this.#functions.delete(irq.device);
    this.lpis.free(of.firstLpi, of.events);
    yield COMMAND;
    yield* this.#order({ op: 'MAPD', device: of.id, size: 0, itt: 0, valid: false }, -1);
  }

  #release(of: ItsFunction, event: number): void {
    of.taken.delete(event);
    this.lpis.byLpi.delete(of.firstLpi + event);
  }

  /** The online CPU of the mask that has the fewest LPIs beside the irq itself; the first of several (its_select_cpu). */
  #select(irq: Irq, cpus: readonly number[]): number {
    const online = cpus.filter((cpu) => this.cpus.online(cpu));
    const load = new Map(online.map((cpu) => [cpu, this.lpis.load(cpu, irq)]));
    return online.sort((a, b) => load.get(a)! - load.get(b)! || a - b)[0] ?? -1;
  }

  *activate(irq: Irq): Actions<number> {
    const held = this.lpis.irqs.get(irq);
    if (!held) return errno.EINVAL;
    if (held.mapped) return 0;
    const cpu = this.#select(irq, irq.affinity.length > 0 ? irq.affinity : this.cpus.onlineCpus());
    if (cpu < 0) return errno.EINVAL;
    yield COMMAND;
    held.cpu = cpu;
    held.mapped = yield* this.#map(held, held.event);
    return held.mapped ? 0 : errno.EINVAL;
  }

  *#map(held: ItsIrq, event: number): Actions<boolean> {
    const { of, cpu } = held;
    return yield* this.#order({ op: 'MAPTI', device: of.id, event, lpi: of.firstLpi + event, collection: cpu }, cpu);
  }

  *deactivate(irq: Irq): Actions {
    const held = this.lpis.irqs.get(irq);
    if (!held?.mapped) return;
    yield COMMAND;
    this.#leave(held);
    yield* this.#order({ op: 'DISCARD', device: held.of.id, event: held.event }, held.cpu);
    held.mapped = false;
    held.virtual = undefined;
  }

  /** The enable bit of the LPI, and INV so that the redistributor knows (lpi_update_config). */
  *mask(irq: Irq, masked: boolean): Actions {
    const held = this.lpis.irqs.get(irq);
    if (!held?.mapped) return;
    if (held.virtual) return yield* this.#wait({ op: 'INV', device: held.of.id, event: held.event }, held.virtual.vpe);
    this.its.gic.configure(held.of.firstLpi + held.event, !masked);
    yield COMMAND;
    yield* this.#order({ op: 'INV', device: held.of.id, event: held.event }, held.cpu);
  }

  /** Where an irq is forwarded to; undefined: the host takes it. */
  forwarded(irq: Irq): VirtualTarget | undefined {
    return this.lpis.irqs.get(irq)?.virtual;
  }

  /**
   * its_irq_set_vcpu_affinity: the EventID raises a virtual LPI, or (undefined) its physical one again. 0 or a negative errno.
   */
  *forward(irq: Irq, to: VirtualTarget | undefined): Actions<number> {
    const held = this.lpis.irqs.get(irq);
    if (!held?.mapped) return errno.EINVAL;
    const { of, event, cpu, virtual } = held;
    if (to === undefined && virtual === undefined) return errno.EINVAL;
    yield COMMAND;
    if (to && virtual) {
      const { vpe, doorbell } = to;
      yield* this.#wait({ op: 'VMOVI', device: of.id, event, vpe, doorbellValid: true, doorbell }, vpe);
    } else if (to) {
      yield* this.#order({ op: 'DISCARD', device: of.id, event }, cpu);
      yield* this.#wait({ op: 'VMAPTI', device: of.id, event, ...to }, to.vpe);
    } else {
      yield* this.#wait({ op: 'DISCARD', device: of.id, event }, virtual!.vpe);
      yield* this.#map(held, event);
      this.its.gic.configure(of.firstLpi + event, !irq.masked);
      yield* this.#order({ op: 'INV', device: of.id, event }, cpu);
    }
    held.virtual = to && virtual ? { ...to, vlpi: virtual.vlpi } : to;
    return 0;
  }

  /** A command about a vPE, with its VSYNC. */
  *#wait(order: ItsCommand, vpe: number): Actions {
    yield COMMAND;
    this.its.command(order, { op: 'VSYNC', vpe });
  }

  /** Address and data before the address is translated: the physical doorbell. */
  plain(irq: Irq): Composed {
    return { address: this.doorbell, data: this.lpis.irqs.get(irq)?.event ?? 0 };
  }

  compose(irq: Irq): Composed | number {
    const plain = this.plain(irq);
    const address = this.owner?.compose(irq, plain.address) ?? plain.address;
    return address < 0 ? address : { address, data: plain.data };
  }

  *setAffinity(irq: Irq, cpus: readonly number[]): Actions<AffinityResult> {
    const held = this.lpis.irqs.get(irq);
    if (!held) return errno.EINVAL;
    if (!held.mapped) return 'done';
    if (held.virtual) return errno.EINVAL;
    // its_set_affinity looks for the least loaded CPU also where the irq is on one of the mask.
    const cpu = this.#select(irq, cpus);
    if (cpu < 0) return errno.EINVAL;
    if (cpu === held.cpu) return 'done';
    if (this.messageNamesTarget) return yield* this.#replace(irq, held, cpu);
    yield COMMAND;
    yield* this.#order({ op: 'MOVI', device: held.of.id, event: held.event, collection: cpu }, held.cpu);
    held.cpu = cpu;
    return 'done';
  }

  /** Maps another EventID for the new target; the old one stays until an interrupt came through the new one. */
  *#replace(irq: Irq, held: ItsIrq, cpu: number): Actions<AffinityResult> {
    if (held.previous >= 0) return errno.EBUSY;
    const event = this.#freeEvent(held.of);
    if (event < 0) return errno.ENOSPC;
    held.of.taken.add(event);
    held.previous = held.event;
    held.previousCpu = held.cpu;
    held.event = event;
    held.cpu = cpu;
    const lpi = held.of.firstLpi + event;
    this.lpis.byLpi.set(lpi, irq);
    this.its.gic.configure(lpi, !irq.masked);
    yield COMMAND;
    yield* this.#map(held, event);
    // A planted fault: the old EventID is discarded before the new message is in the device.
    if (this.machine.tamper?.spoils('F75', this.its.event(held.of.id, held.previous))) this.#leave(held);
    this.machine.emit(irqIdentify, irq.object, { lpi });
    return 'ok';
  }

  ack(irq: Irq, cpu: number): void {
    const held = this.lpis.irqs.get(irq);
    if (held && held.cpu === cpu) this.#leave(held);
  }

  #leave(held: ItsIrq): void {
    if (held.previous < 0) return;
    this.#post({ op: 'DISCARD', device: held.of.id, event: held.previous }, held.previousCpu);
    this.#release(held.of, held.previous);
    held.previous = -1;
  }
}
