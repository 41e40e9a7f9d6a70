import type { ObjectId } from '../../base/ids.ts';
import { dropped, untold } from '../../model/events/outcome.ts';
import {
  iecDone,
  iecInvalidate,
  iecQueue,
  irEnable,
  irFault,
  irMessage,
  irMode,
  irRemap,
  irRequest,
  irSeen,
  irTable,
  irteRead,
  irteWrite,
} from '../../model/events/remap.ts';
import { type Bits, packRegister } from '../../model/register.ts';
import { destinationOf, vtdIrte, vtdPostedIrte } from '../../model/registers/vtd.ts';
import { vtdAddressFor, x86AddressWords, x86Data } from '../../model/registers/x86.ts';
import { irte, remapUnit } from '../../model/things/remap.ts';
import {
  type EntryReading,
  type Faulted,
  faultOf,
  type Remapped,
  readEntry,
  readFault,
  readMessage,
  type VtdConfiguration,
  type VtdRequest,
} from '../../model/vtd.ts';
import type { Message } from '../device/message.ts';
import type { PciFunction } from '../device/pci-function.ts';
import type { Translator } from '../device/root-complex.ts';
import { type Composed, type Destination, errno } from '../irq/domain.ts';
import type { Actions, Actor, Machine } from '../machine.ts';
import { InvalidationQueue, QUEUED } from './invalidation-queue.ts';
import { blockSize, freeBlock, type RemapTable } from './remap-table.ts';

/** What a unit does with a message whose entry is of the posted kind; false when there is no such descriptor. */
export type Poster = (address: number, vector: number, urgent: boolean, message: Message) => boolean;

const PRESENT_FIXED = { present: 1, redirectionHint: 1 };
const ALL_KNOWN = [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff];
const HIGH = 0x100000000;

/** What a VT-d unit is like. */
export interface VtdSpec {
  /** Its name: `irte/<name>`. */
  readonly name: string;
  /** Entries of the table, a power of two from 2 to 65536. */
  readonly entries: number;
  /** Extended interrupt mode: destinations are 32 bits wide and compatibility format is always blocked. */
  readonly eim: boolean;
  /** Messages in compatibility format pass (CFIS). */
  readonly passes: boolean;
  /** Entries that the driver writes verify the requester. */
  readonly verifies: boolean;
  /** First entry that is handed out. */
  readonly first: number;
  /** Nanoseconds that an invalidation takes with its wait descriptor; 0 or absent: the trace does not tell. */
  readonly takes?: number;
}

/**
 * A VT-d interrupt remapping unit with its table in memory and its interrupt entry cache. Order of checks: VT-d 5.1.4,
 * as hw/i386/intel_iommu.c has it. An entry that it has read stays cached until it is invalidated.
 */
export class VtdUnit implements Translator, RemapTable {
  readonly machine: Machine;
  readonly spec: VtdSpec;
  readonly perDevice = false;
  readonly object: ObjectId;
  readonly actor: Actor;
  /** The table cannot be read: every access ends in fault 0x23. */
  unreadable = false;
  poster: Poster | undefined;
  /** Called when a message was let through, with the entry that it used. */
  onUse: ((message: Message, device: number, index: number, entry: number) => void) | undefined;
  /** Called when software invalidated entries: the part that emulates the unit may hold what it looked up before. */
  onInvalidate: (() => void) | undefined;
  readonly #taken = new Set<number>();
  readonly #queue: InvalidationQueue;
  /** Invalidates as the kernel does, where the trace tells how long that takes. */
  readonly submit: ((device: PciFunction | undefined, index: number, mask?: number) => Actions) | undefined;
  #busyUntil = 0;

  constructor(machine: Machine, spec: VtdSpec) {
    this.machine = machine;
    this.spec = spec;
    this.object = machine.world.object(remapUnit, `irte/${spec.name}`);
    this.#queue = new InvalidationQueue(machine, this.object);
    this.actor = { layer: 'remap-unit', name: spec.name, cpu: -1 };
    this.submit = (spec.takes ?? 0) > 0 ? (_device, index, mask = 0) => this.#submit(index, mask) : undefined;
  }

  /** Shows the unit as the kernel sets it up at boot: an empty table, remapping on. */
  announce(): void {
    const { machine, object, spec } = this;
    machine.emit(irSeen, object, { kind: 'VT-d' });
    machine.emit(irTable, object, { address: 0x100800000, entries: spec.entries });
    machine.emit(irMode, object, { eim: spec.eim });
    machine.emit(irEnable, object, { enable: true });
  }

  /** Object of an entry. */
  entry(index: number): number {
    return this.machine.world.child(irte, this.object, index);
  }

  take(_device: PciFunction, count = 1): number {
    const at = freeBlock(this.#taken, this.spec.first, this.spec.entries, count);
    if (at === undefined) return errno.ENOMEM;
    for (let i = 0; i < blockSize(count); i++) this.#taken.add(at + i);
    return at;
  }

  give(_device: PciFunction, index: number, count = 1): void {
    for (let i = 0; i < blockSize(count); i++) this.#taken.delete(index + i);
  }

  /** The handle names the first entry of a block, the subhandle in the data the one meant. */
  compose(index: number, sub = 0): Composed {
    return { address: vtdAddressFor(index), data: sub };
  }

  #source(device: PciFunction): { sid: number; svt: number } {
    return { sid: device.requester, svt: this.spec.verifies ? 1 : 0 };
  }

  program(device: PciFunction, index: number, target: Destination | undefined): void {
    const value = target
      ? packRegister(vtdIrte, {
          ...PRESENT_FIXED,
          vector: target.vector,
          dest: destinationOf(target.cpu, this.spec.eim),
          ...this.#source(device),
        })
      : [0, 0, 0, 0];
    this.write(index, value);
  }

  post(device: PciFunction, index: number, descriptor: number, vector: number): number {
    const value = packRegister(vtdPostedIrte, {
      present: 1,
      posted: 1,
      vector,
      pdaLow: vtdPostedIrte.f.pdaLow.of(descriptor % HIGH),
      pdaHigh: Math.floor(descriptor / HIGH),
      ...this.#source(device),
    });
    this.write(index, value);
    return 0;
  }

  /** The kernel writes an entry: 128 bits, lowest word first. */
  write(index: number, value: readonly number[]): void {
    this.machine.emit(irteWrite, this.entry(index), { value });
  }

  queue(_device: PciFunction, index: number): void {
    const { machine } = this;
    if (!this.#queue.submit(index, 0)) return;
    machine.emit(iecQueue, this.entry(index), { global: false, index, mask: 0 });
    machine.at(machine.now + QUEUED, this.actor, () => this.#invalidated(index, 0));
  }

  /** Invalidates the aligned block of 2^mask entries around an index; when this returns, the unit has done it (its wait descriptor). */
  invalidate(_device: PciFunction | undefined, index: number, mask = 0): void {
    if (this.#queue.submit(index, mask)) this.#invalidated(index, mask);
  }

  #invalidated(index: number, mask: number): void {
    this.machine.emit(iecInvalidate, this.entry(index), { global: false, index, mask });
    this.onInvalidate?.();
  }

  /** Puts an invalidation and a wait descriptor into the queue, and waits (qi_submit_sync): the unit takes one after the other. */
  *#submit(index: number | undefined, mask: number): Actions {
    const { machine } = this;
    if (!this.#queue.submit(index, mask)) return;
    const what = { global: index === undefined, index: index ?? 0, mask };
    machine.emit(iecQueue, index === undefined ? this.object : this.entry(index), what);
    const begun = machine.now;
    this.#busyUntil = Math.max(begun, this.#busyUntil) + (this.spec.takes ?? 0);
    yield this.#busyUntil - begun;
    machine.as(this.actor, () => {
      if (index === undefined) this.#invalidatedAll();
      else this.#invalidated(index, mask);
      machine.emit(iecDone, this.object, { ...this.#queue.status(), took: machine.now - begun });
    });
  }

  /** Invalidates everything that the unit has cached. */
  invalidateAll(): void {
    if (this.#queue.submit(undefined, 0)) this.#invalidatedAll();
  }

  /** Invalidates an entry and its neighbours, or everything (undefined), and waits where that takes time. */
  *carryOut(index: number | undefined, mask = 0): Actions {
    if ((this.spec.takes ?? 0) > 0) yield* this.#submit(index, mask);
    else if (index === undefined) this.invalidateAll();
    else this.invalidate(undefined, index, mask);
  }

  #invalidatedAll(): void {
    this.machine.emit(iecInvalidate, this.object, { global: true, index: 0, mask: 0 });
    this.onInvalidate?.();
  }

  /** What the table in memory holds; the kernel clears the table before it is used. */
  table(index: number): number[] {
    const { state } = this.machine;
    const entry = this.entry(index);
    return [0, 1, 2, 3].map((i) => state.get(entry, irte.at.table + i));
  }

  /** Whether the unit has an entry in its cache; entries that are not present are not cached (Caching Mode 0). */
  #cached(entry: number): boolean {
    const { state } = this.machine;
    return state.flag(entry, irte.at.cached) === true && vtdIrte.f.present.in(state.get(entry, irte.at.value));
  }

  /** How the unit is set up. */
  #configuration(): VtdConfiguration {
    const { machine, spec, object } = this;
    return {
      enabled: machine.state.flag(object, remapUnit.at.enabled) !== false,
      eim: spec.eim,
      passes: spec.passes && !spec.eim,
      entries: spec.entries,
    };
  }

  translate(message: Message): Message | undefined {
    return this.machine.as(this.actor, () => this.#translate(message));
  }

  #translate(message: Message): Message | undefined {
    const { machine, object } = this;
    const { address, data, requester } = message;
    const unit = this.#configuration();
    if (!unit.enabled) return message;
    const reading = readMessage(unit, message);
    const where = reading.kind === 'entry' ? this.entry(reading.index) : object;
    machine.emit(irRequest, where, { address, data, sid: requester });
    if (reading.kind === 'through') return message;
    if (reading.kind === 'fault') return this.#refuse(message, object, reading, reading.index);
    if (reading.kind === 'untold') return this.#untold(message, where, reading.what);
    const { index } = reading;
    const used = this.#use(unit, message, index, reading.reserved);
    switch (used.kind) {
      case 'fault':
        return this.#refuse(message, where, used, index);
      case 'untold':
        return this.#untold(message, where, used.what);
      case 'posted':
        this.onUse?.(message, requester, index, where);
        if (this.poster?.(used.descriptor, used.vector, used.urgent, message)) return undefined;
        return this.#refuse(message, where, readFault(0x27, this.#known(where)), index);
      case 'remapped':
        this.onUse?.(message, requester, index, where);
        return this.#pass(message, where, used);
    }
  }

  /** The entry as the unit holds it now. */
  #known(entry: number): Bits {
    const { state } = this.machine;
    return { words: [0, 1, 2, 3].map((i) => state.get(entry, irte.at.value + i)), known: ALL_KNOWN };
  }

  /** Reads the entry that a message names, from the cache or from memory, and says what it makes of the message. */
  #use(unit: VtdConfiguration, message: VtdRequest, index: number, reserved: boolean): EntryReading {
    const entry = this.entry(index);
    if (!this.#cached(entry)) {
      if (this.unreadable) return { kind: 'fault', reason: 0x23, quiet: false };
      this.machine.emit(irteRead, entry, { value: this.table(index) });
    }
    return readEntry(unit, this.#known(entry), message.requester, reserved);
  }

  /**
   * What a message stands for, for software that emulates the unit and sets up a route: the message that would leave the
   * unit, or undefined when it names no entry, or one that refuses it (a fault is reported). No message arrives.
   */
  lookUp(message: VtdRequest): Composed | undefined {
    return this.machine.as(this.actor, () => {
      const unit = this.#configuration();
      const reading = readMessage(unit, message);
      if (reading.kind !== 'entry') return undefined;
      const used = this.#use(unit, message, reading.index, reading.reserved);
      if (used.kind === 'fault') this.#report(this.entry(reading.index), used, message.requester, reading.index);
      return used.kind === 'remapped' ? remappedMessage(used) : undefined;
    });
  }

  #pass(message: Message, entry: number, to: Remapped): Message {
    const { machine } = this;
    const { vector, dest, destMode, deliveryMode, trigger } = to;
    machine.emit(irRemap, entry, { vector, dest, destMode, deliveryMode, trigger });
    const { address: newAddress, data: newData } = remappedMessage(to);
    const { address, data } = message;
    machine.emit(irMessage, entry, { address, data, newAddress, newData });
    return { ...message, address: newAddress, data: newData };
  }

  #report(object: ObjectId, { reason, quiet }: Faulted, sid: number, index?: number): void {
    if (quiet) return;
    const { text } = faultOf(reason);
    this.machine.emit(irFault, object, { reason, sid, text, ...(index === undefined ? {} : { index }) });
  }

  /** What would have to be known to say what becomes of a message. */
  #untold({ cause }: Message, object: ObjectId, what: string): undefined {
    this.machine.emit(untold, object, { what, ...(cause === 0 ? {} : { cause }) });
    this.machine.ledger.note(cause, 'untold', this.machine.now);
    return undefined;
  }

  /** Refuses a message: a fault is reported unless the entry forbids it, and the cause ends here. */
  #refuse(message: Message, object: ObjectId, fault: Faulted, index?: number): undefined {
    const { machine } = this;
    const { cause, requester } = message;
    this.#report(object, fault, requester, index);
    const reason = refusalText(fault);
    machine.emit(dropped, object, { reason, ...(cause === 0 ? {} : { cause }) });
    machine.ledger.note(cause, 'dropped', machine.now);
    return undefined;
  }
}

/** Why a message ended at a unit, in words. */
export const refusalText = ({ reason, quiet }: Faulted): string =>
  `refused by the remapping unit, fault 0x${reason.toString(16)}${quiet ? ', not reported: FPD of the entry is set' : ''}`;

/** The message in compatibility format that leaves the unit. */
function remappedMessage({ vector, dest, destMode, deliveryMode, trigger }: Remapped): Composed {
  const [lo, hi] = x86AddressWords(dest, destMode);
  return { address: lo + hi * HIGH, data: packRegister(x86Data, { vector, deliveryMode, trigger })[0]! };
}
