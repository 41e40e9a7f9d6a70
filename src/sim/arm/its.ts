import type { ObjectId } from '../../base/ids.ts';
import {
  itsCommand,
  itsDiscard,
  itsDoorbell,
  itsError,
  itsInt,
  itsInv,
  itsMapc,
  itsMapd,
  itsMapti,
  itsMovi,
  itsQueue,
  itsTrans,
} from '../../model/events/its.ts';
import { illegal } from '../../model/events/outcome.ts';
import { FIRST_LPI } from '../../model/registers/its.ts';
import { its, itsCollection, itsDevice, itsEvent } from '../../model/things/remap.ts';
import type { Message } from '../device/message.ts';
import { drop } from '../drop.ts';
import type { Actor, Machine } from '../machine.ts';
import type { Gic } from './gic.ts';
import { argumentsOf, CODES, type CommandError, doublewords, type ItsCommand, isVirtual } from './its-command.ts';
import {
  type ItsWidths,
  MAPPED_VIRTUALLY,
  type MappedEvent,
  NO_VIRTUAL,
  type VirtualSide,
  WIDTHS,
} from './its-parts.ts';

/** Bytes of a command, and of the queue that Linux gives an ITS. */
const COMMAND_SIZE = 32;
const QUEUE_SIZE = 0x10000;

/**
 * A GICv3 interrupt translation service: executes commands, translates doorbell writes. Its tables are the fold of its
 * events; nothing was mapped before the first command.
 */
export class Its {
  readonly machine: Machine;
  readonly gic: Gic;
  readonly number: number;
  readonly object: ObjectId;
  readonly widths: ItsWidths;
  readonly actor: Actor;
  /** Virtual LPIs, where the ITS has GICv4. */
  virtual: VirtualSide | undefined;
  readonly #processors: number;
  /** Commands that software has put into the queue so far, and those that the ITS has taken out of it. */
  #put = 0;
  #taken = 0;
  /** Commands in the queue of an ITS that does not take them. */
  readonly #queue: ItsCommand[] = [];
  #stalled = false;
  /** Where messages went, by the object of their EventID: a look-up that needs no table. Commands that change a table drop what they touch. */
  readonly #cache = new Map<ObjectId, { readonly lpi: number; readonly cpu: number }>();
  /** A planted fault: the EventID of which the cache drops nothing, -1 none. */
  #kept: ObjectId = -1;

  constructor(machine: Machine, gic: Gic, number: number, processors: number, widths = WIDTHS) {
    this.machine = machine;
    this.gic = gic;
    this.number = number;
    this.widths = widths;
    this.#processors = processors;
    this.object = machine.world.object(its, `its/${number}`);
    this.actor = { layer: 'remap-unit', name: `its${number}`, cpu: -1 };
  }

  /** Object of a device table entry. */
  device(id: number): number {
    return this.machine.world.object(itsDevice, `its/${this.number}/device/0x${id.toString(16)}`);
  }

  /** Object of an interrupt translation table entry. */
  event(device: number, event: number): number {
    return this.machine.world.child(itsEvent, this.device(device), 'event', event);
  }

  /** Object of a collection. */
  collection(id: number): number {
    return this.machine.world.child(itsCollection, this.object, 'collection', id);
  }

  /** Shows where GITS_TRANSLATER lies. */
  announce(doorbell: number): void {
    this.machine.emit(itsDoorbell, this.object, { address: doorbell });
  }

  /** Number of commands that software has put into the queue. */
  get put(): number {
    return this.#put;
  }

  /** Whether the ITS has taken that many commands out of its queue. */
  took(commands: number): boolean {
    return this.#taken >= commands;
  }

  /** Offset in the queue behind so many commands: GITS_CWRITER, or without an argument GITS_CREADR. */
  offset(commands = this.#taken): number {
    return (commands * COMMAND_SIZE) % QUEUE_SIZE;
  }

  /** The ITS takes no commands for so many nanoseconds; then it executes those that wait. */
  stall(nanoseconds: number): void {
    this.#stalled = true;
    this.machine.at(this.machine.now + nanoseconds, this.actor, () => {
      this.#stalled = false;
      for (const order of this.#queue.splice(0)) this.#take(order);
    });
  }

  /**
   * Software puts commands into the queue together, before the ITS looks (GITS_CWRITER). False when the first was refused, which an `its.error`
   * tells; one that waits was not.
   */
  command(...orders: readonly [ItsCommand, ...ItsCommand[]]): boolean {
    for (const order of orders) {
      const [dw0, dw1, dw2, dw3] = doublewords(order) as [number[], number[], number[], number[]];
      const offset = this.offset(this.#put);
      this.machine.emit(itsQueue, this.object, { name: order.op, offset, dw0, dw1, dw2, dw3 });
      this.#put++;
    }
    if (!this.#stalled) return orders.map((order) => this.#take(order))[0]!;
    this.#queue.push(...orders);
    return true;
  }

  #take(order: ItsCommand): boolean {
    this.#taken++;
    return this.machine.as(this.actor, () => {
      const refusal = this.#execute(order);
      if (refusal === undefined) return true;
      const [code, text] = refusal;
      const { op } = order;
      const number = code === 0 ? '' : ` (0x${code.toString(16).padStart(6, '0')})`;
      this.machine.emit(itsCommand, this.object, { name: op, text: argumentsOf(order) });
      const about = 'device' in order ? this.device(order.device) : this.object;
      this.machine.emit(itsError, about, { text: `${op}: ${text}${number}` });
      return false;
    });
  }

  /** Drops what the cache has of an EventID, or of those that `of` names (all without it). */
  #forget(of?: ObjectId | ((event: ObjectId) => boolean)): void {
    const { machine } = this;
    for (const event of typeof of === 'number' ? [of] : [...this.#cache.keys()]) {
      if (event === this.#kept || !this.#cache.has(event) || (typeof of === 'function' && !of(event))) continue;
      if (machine.tamper?.spoils('F77', event)) this.#kept = event;
      else this.#cache.delete(event);
    }
  }

  #execute(order: ItsCommand): CommandError | undefined {
    const { machine, widths, gic } = this;
    if (isVirtual(order)) return this.virtual ? this.virtual.execute(this.number, order) : NO_VIRTUAL;
    switch (order.op) {
      case 'MAPD': {
        if (order.device >= 2 ** widths.deviceBits) return CODES.MAPD.device;
        if (order.valid && order.size >= widths.eventBits) return CODES.MAPD.size;
        this.#forget((event) => machine.world.node(event)?.parent?.parent?.object === this.device(order.device));
        machine.emit(itsMapd, this.device(order.device), { size: order.size, itt: order.itt, valid: order.valid });
        return undefined;
      }
      case 'MAPC': {
        if (order.collection >= widths.collections) return CODES.MAPC.collection;
        if (order.valid && order.target >= this.#processors) return CODES.MAPC.target;
        this.#forget();
        machine.emit(itsMapc, this.collection(order.collection), { target: order.target, valid: order.valid });
        return undefined;
      }
      case 'MAPTI':
      case 'MAPI': {
        const lpi = order.op === 'MAPTI' ? order.lpi : order.event;
        const size = this.#size(order.device);
        if (size === undefined) return CODES.MAPTI.unmapped;
        if (order.event >= 2 ** (size + 1)) return CODES.MAPTI.event;
        if (order.collection >= widths.collections) return CODES.MAPTI.collection;
        if (!this.#isLpi(lpi)) return CODES.MAPTI.lpi;
        const object = this.event(order.device, order.event);
        if (this.#mapped(order.device, order.event))
          machine.emit(illegal, object, {
            rule: 'MAPTI-mapped',
            text: 'an EventID that is mapped is mapped again without DISCARD: unpredictable; here the later one counts',
          });
        this.#forget(object);
        machine.emit(itsMapti, object, { lpi, collection: order.collection });
        gic.load(lpi);
        return undefined;
      }
      case 'MOVI': {
        const entry = this.#mapped(order.device, order.event);
        if (entry === undefined) return CODES.MOVI.unmapped;
        if (entry.vpe >= 0) return MAPPED_VIRTUALLY;
        const to = this.target(order.collection);
        if (to === undefined) return CODES.MOVI.collection;
        const from = this.target(entry.collection);
        this.#forget(entry.object);
        machine.emit(itsMovi, entry.object, { collection: order.collection });
        if (from !== undefined) gic.move(entry.lpi, from, to);
        return undefined;
      }
      case 'DISCARD': {
        const entry = this.#mapped(order.device, order.event);
        if (entry === undefined) return CODES.DISCARD.unmapped;
        if (entry.vpe >= 0) {
          machine.emit(itsDiscard, entry.object, {});
          this.virtual?.clear(entry.vpe, entry.lpi, 'DISCARD dropped the pending state of the virtual LPI');
          return undefined;
        }
        const at = this.target(entry.collection);
        this.#forget(entry.object);
        machine.emit(itsDiscard, entry.object, {});
        if (at !== undefined) gic.clear(at, entry.lpi, 'DISCARD dropped the pending state of the LPI');
        return undefined;
      }
      case 'INV': {
        const entry = this.#mapped(order.device, order.event);
        if (entry === undefined) return CODES.INV.unmapped;
        machine.emit(itsInv, entry.object, {});
        if (entry.vpe < 0) gic.load(entry.lpi);
        return undefined;
      }
      case 'INT': {
        const entry = this.#mapped(order.device, order.event);
        if (entry === undefined) return CODES.INT.unmapped;
        if (entry.vpe >= 0) {
          machine.emit(itsInt, entry.object, { set: true });
          const refused = this.virtual?.deliver(this.number, entry.object, 0);
          return refused === undefined ? undefined : [0, refused];
        }
        const at = this.target(entry.collection);
        if (at === undefined) return CODES.INT.collection;
        machine.emit(itsInt, entry.object, { set: true });
        gic.accept(at, entry.lpi, 0);
        return undefined;
      }
      case 'CLEAR': {
        const entry = this.#mapped(order.device, order.event);
        if (entry === undefined) return CODES.CLEAR.unmapped;
        machine.emit(itsInt, entry.object, { set: false });
        if (entry.vpe >= 0) {
          this.virtual?.clear(entry.vpe, entry.lpi, 'CLEAR took the pending state of the virtual LPI back');
          return undefined;
        }
        const at = this.target(entry.collection);
        if (at !== undefined) gic.clear(at, entry.lpi, 'CLEAR took the pending state of the LPI back');
        return undefined;
      }
      case 'INVALL': {
        if (this.target(order.collection) === undefined) return CODES.INVALL.collection;
        machine.emit(itsCommand, this.object, { name: 'INVALL', text: `collection ${order.collection}` });
        for (const entry of this.#all())
          if (entry.vpe < 0 && entry.collection === order.collection) gic.load(entry.lpi);
        return undefined;
      }
      case 'MOVALL': {
        if (order.from >= this.#processors || order.to >= this.#processors) return CODES.MOVALL.target;
        machine.emit(itsCommand, this.object, { name: 'MOVALL', text: `redistributor ${order.from} to ${order.to}` });
        for (const lpi of gic.pendingOn(order.from)) gic.move(lpi, order.from, order.to);
        return undefined;
      }
      case 'SYNC':
        if (order.target >= this.#processors) return CODES.SYNC.target;
        machine.emit(itsCommand, this.object, { name: 'SYNC', text: `redistributor ${order.target}` });
        return undefined;
    }
  }

  #isLpi(intid: number): boolean {
    return intid >= FIRST_LPI && intid < 2 ** this.widths.intidBits;
  }

  /** Size field of a mapped device. */
  #size(device: number): number | undefined {
    const { state } = this.machine;
    const object = this.device(device);
    return state.flag(object, itsDevice.at.valid) === true ? state.num(object, itsDevice.at.size) : undefined;
  }

  /** Object of an EventID that can be mapped; what refuses that. */
  mappable(device: number, event: number): ObjectId | CommandError {
    const size = this.#size(device);
    if (size === undefined) return CODES.MAPTI.unmapped;
    return event < 2 ** (size + 1) ? this.event(device, event) : CODES.MAPTI.event;
  }

  /** Drops what the cache has of an EventID. */
  forget(event: ObjectId): void {
    this.#forget(event);
  }

  #mapped(device: number, event: number): MappedEvent | undefined {
    const size = this.#size(device);
    return size === undefined || event >= 2 ** (size + 1) ? undefined : this.#entry(this.event(device, event));
  }

  #entry(object: ObjectId): MappedEvent | undefined {
    const { state } = this.machine;
    if (state.flag(object, itsEvent.at.valid) !== true) return undefined;
    const vpe = state.num(object, itsEvent.at.vpe);
    return {
      object,
      vpe,
      lpi: state.num(object, vpe < 0 ? itsEvent.at.lpi : itsEvent.at.vlpi),
      collection: state.num(object, itsEvent.at.collection),
    };
  }

  *#all(): Generator<MappedEvent> {
    const devices = this.machine.world.node(this.object)?.children.get('device')?.children;
    for (const device of devices?.values() ?? [])
      for (const node of device.children.get('event')?.children.values() ?? []) {
        const entry = this.#entry(node.object);
        if (entry) yield entry;
      }
  }

  /** The processor that a collection leads to; undefined when it is not mapped. */
  target(collection: number): number | undefined {
    const { state } = this.machine;
    const object = this.collection(collection);
    return state.flag(object, itsCollection.at.valid) === true ? state.num(object, itsCollection.at.target) : undefined;
  }

  /** A write reaches GITS_TRANSLATER: the data is the EventID, the requester ID the DeviceID. */
  translate(message: Message): void {
    const { machine } = this;
    const { requester, data, cause } = message;
    machine.as(this.actor, () => {
      const object = this.event(requester, data);
      machine.emit(itsTrans, object, { device: requester, event: data, size: 4 });
      const cached = this.#cache.get(object);
      if (cached) return this.gic.accept(cached.cpu, cached.lpi, cause);
      const size = this.#size(requester);
      if (size === undefined) return this.#miss(object, cause, 'DeviceID is not mapped (no MAPD)');
      if (data >= 2 ** (size + 1))
        return this.#miss(
          object,
          cause,
          `EventID ${data} is out of range: the table of the device has ${2 ** (size + 1)}`,
        );
      const entry = this.#entry(object);
      if (entry === undefined) return this.#miss(object, cause, 'EventID is not mapped (no MAPTI)');
      if (entry.vpe >= 0) {
        const refused = this.virtual?.deliver(this.number, object, cause);
        if (refused !== undefined) this.#miss(object, cause, refused);
        return;
      }
      const cpu = this.target(entry.collection);
      if (cpu === undefined) return this.#miss(object, cause, `collection ${entry.collection} is not mapped (no MAPC)`);
      if (!this.#isLpi(entry.lpi)) return this.#miss(object, cause, `INTID ${entry.lpi} is no LPI`);
      this.#cache.set(object, { lpi: entry.lpi, cpu });
      this.gic.accept(cpu, entry.lpi, cause);
    });
  }

  /** The translation ends here; the requester is not informed. */
  #miss(object: ObjectId, cause: number, text: string): void {
    const { machine } = this;
    machine.emit(itsError, object, { text });
    drop(machine, object, `ITS: ${text}`, cause);
  }
}
