import { dropped } from '../../model/events/outcome.ts';
import {
  iecInvalidate,
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
import { decodersById } from '../../model/message.ts';
import { type Bits, type FieldValue, packRegister, reservedSet, viewRegister } from '../../model/register.ts';
import { pciRequester } from '../../model/registers/pci.ts';
import {
  apicIdOf,
  destinationOf,
  SQ_MASKS,
  sidRange,
  vtdFaultReasons,
  vtdIrte,
  vtdPostedIrte,
} from '../../model/registers/vtd.ts';
import { vtdAddressFor, x86AddressWords, x86Data } from '../../model/registers/x86.ts';
import { irte, remapUnit } from '../../model/things/remap.ts';
import type { Message } from '../device/message.ts';
import type { PciFunction } from '../device/pci-function.ts';
import type { Translator } from '../device/root-complex.ts';
import { type Composed, type Destination, errno } from '../irq/domain.ts';
import type { Actor, Machine } from '../machine.ts';

/** What a remap domain drives: the table of a remapping unit in memory, and the cache of the unit. */
export interface RemapTable {
  /** Every function has a table of its own. */
  readonly perDevice: boolean;
  /** Takes a free entry for a function; its index, or a negative errno. */
  take(device: PciFunction): number;
  /** Gives an entry back. */
  give(device: PciFunction, index: number): void;
  /** The message that names an entry. */
  compose(index: number): Composed;
  /** Writes an entry; undefined: not present. */
  program(device: PciFunction, index: number, target: Destination | undefined): void;
  /** Writes an entry that posts to the descriptor at an address; a negative errno when the unit cannot post. */
  post(device: PciFunction, index: number, descriptor: number, vector: number): number;
  /** Invalidates what the unit has cached of an entry. */
  invalidate(device: PciFunction, index: number): void;
}

/** What a unit does with a message whose entry is of the posted kind; false when there is no such descriptor. */
export type Poster = (address: number, vector: number, urgent: boolean, message: Message) => boolean;

const PRESENT_FIXED = { present: 1, redirectionHint: 1 };
const ALL_KNOWN = [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff];
const HIGH = 0x100000000;

/** Whether a requester may use an entry (sid, sq and svt of it). */
export function sourceAllowed(fields: Readonly<Record<string, FieldValue>>, requester: number): boolean {
  const sid = Number(fields['sid']);
  switch (Number(fields['svt'])) {
    case 0:
      return true;
    case 1: {
      const mask = SQ_MASKS[Number(fields['sq'])]!;
      return (sid & mask) === (requester & mask);
    }
    case 2: {
      const bus = pciRequester.f.bus.of(requester);
      return bus >= sidRange.first.of(sid) && bus <= sidRange.last.of(sid);
    }
    default:
      return false;
  }
}

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
}

/**
 * A VT-d interrupt remapping unit with its table in memory and its interrupt entry cache. Order of checks: VT-d 5.1.4,
 * as hw/i386/intel_iommu.c has it. An entry that it has read stays cached until it is invalidated.
 */
export class VtdUnit implements Translator, RemapTable {
  readonly machine: Machine;
  readonly spec: VtdSpec;
  readonly perDevice = false;
  readonly object: number;
  readonly actor: Actor;
  /** The table cannot be read: every access ends in fault 0x23. */
  unreadable = false;
  poster: Poster | undefined;
  /** Called when a message was let through, with the entry that it used. */
  onUse: ((message: Message, device: number, index: number, entry: number) => void) | undefined;
  readonly #taken = new Set<number>();

  constructor(machine: Machine, spec: VtdSpec) {
    this.machine = machine;
    this.spec = spec;
    this.object = machine.world.object(remapUnit, `irte/${spec.name}`);
    this.actor = { layer: 'remap-unit', name: spec.name, cpu: -1 };
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

  take(): number {
    for (let i = this.spec.first; i < this.spec.entries; i++) {
      if (this.#taken.has(i)) continue;
      this.#taken.add(i);
      return i;
    }
    return errno.ENOMEM;
  }

  give(_device: PciFunction, index: number): void {
    this.#taken.delete(index);
  }

  compose(index: number): Composed {
    return { address: vtdAddressFor(index), data: 0 };
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

  invalidate(_device: PciFunction | undefined, index: number, mask = 0): void {
    this.machine.emit(iecInvalidate, this.entry(index), { global: false, index, mask });
  }

  /** Invalidates everything that the unit has cached. */
  invalidateAll(): void {
    this.machine.emit(iecInvalidate, this.object, { global: true, index: 0, mask: 0 });
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

  /** An entry as the unit sees it: from its cache, else from memory. */
  #read(entry: number, index: number): number[] {
    const { machine } = this;
    if (!this.#cached(entry)) machine.emit(irteRead, entry, { value: this.table(index) });
    return [0, 1, 2, 3].map((i) => machine.state.get(entry, irte.at.value + i));
  }

  translate(message: Message): Message | undefined {
    return this.machine.as(this.actor, () => this.#translate(message));
  }

  #translate(message: Message): Message | undefined {
    const { machine, spec } = this;
    const { address, data, requester } = message;
    if (machine.state.flag(this.object, remapUnit.at.enabled) === false) return message;
    const lo = address >>> 0;
    const hi = Math.floor(address / HIGH);
    const request = (object: number): void => machine.emit(irRequest, object, { address, data, sid: requester });
    const view = decodersById.vtd.decode(lo, hi, data);
    if (hi !== 0 || view === undefined) {
      request(this.object);
      return this.#refuse(message, this.object, 0x20);
    }
    if (view.format !== 'remappable') {
      request(this.object);
      return spec.passes && !spec.eim ? message : this.#refuse(message, this.object, 0x25);
    }
    const index = view.index!;
    if (index >= spec.entries) {
      request(this.object);
      return this.#refuse(message, this.object, 0x21, index);
    }
    const entry = this.entry(index);
    request(entry);
    if (this.unreadable && !this.#cached(entry)) return this.#refuse(message, entry, 0x23, index);
    const bits: Bits = { words: this.#read(entry, index), known: ALL_KNOWN };
    const { fields } = viewRegister(vtdIrte, bits);
    const quiet = fields['fpd'] === true;
    if (fields['present'] !== true) return this.#refuse(message, entry, 0x22, index, quiet);
    if (reservedSet(vtdIrte, bits)) return this.#refuse(message, entry, 0x24, index, quiet);
    if (!sourceAllowed(fields, requester)) return this.#refuse(message, entry, 0x26, index, quiet);
    if (view.reservedSet) return this.#refuse(message, entry, 0x20, index, quiet);
    this.onUse?.(message, requester, index, entry);
    if (fields['posted'] === true) return this.#post(message, entry, index, fields);
    return this.#pass(message, entry, fields);
  }

  #post(
    message: Message,
    entry: number,
    index: number,
    fields: Readonly<Record<string, FieldValue>>,
  ): Message | undefined {
    const address = Number(fields['pdaHigh']) * HIGH + Number(fields['pdaLow']) * 64;
    const vector = Number(fields['vector']);
    if (!this.poster?.(address, vector, fields['urgent'] === true, message))
      return this.#refuse(message, entry, 0x27, index, fields['fpd'] === true);
    return undefined;
  }

  #pass(message: Message, entry: number, fields: Readonly<Record<string, FieldValue>>): Message {
    const { machine, spec } = this;
    const raw = Number(fields['dest']);
    const dest = apicIdOf(raw, spec.eim);
    const vector = Number(fields['vector']);
    const modes = {
      destMode: Number(fields['destMode']),
      deliveryMode: Number(fields['deliveryMode']),
      trigger: Number(fields['trigger']),
    };
    machine.emit(irRemap, entry, { vector, dest, ...modes });
    const [lo, hi] = x86AddressWords(dest, modes.destMode);
    const data = packRegister(x86Data, { vector, deliveryMode: modes.deliveryMode, trigger: modes.trigger })[0]!;
    const address = lo + hi * HIGH;
    machine.emit(irMessage, entry, {
      address: message.address,
      data: message.data,
      newAddress: address,
      newData: data,
    });
    return { ...message, address, data };
  }

  /** Refuses a message: a fault is reported unless the entry forbids it, and the cause ends here. */
  #refuse(message: Message, object: number, reason: number, index?: number, quiet = false): undefined {
    const { machine } = this;
    const { cause } = message;
    const known = vtdFaultReasons[reason]!;
    if (!quiet)
      machine.emit(irFault, object, {
        reason,
        sid: message.requester,
        text: known.text,
        ...(index === undefined ? {} : { index }),
      });
    const text = `refused by the remapping unit, fault 0x${reason.toString(16)}${quiet ? ', not reported: FPD of the entry is set' : ''}`;
    machine.emit(dropped, object, { reason: text, ...(cause === 0 ? {} : { cause }) });
    machine.ledger.note(cause, 'dropped', machine.now);
    return undefined;
  }
}
