// How a VT-d remapping unit reads a message: the one place for the host's unit, for units that a VMM emulates, and for what
// is known of a unit from a trace. Order of checks: VT-d 5.1.4, as hw/i386/intel_iommu.c has it.

import { decodersById } from './message.ts';
import { type Bits, fieldsFor } from './register.ts';
import { pciRequester } from './registers/pci.ts';
import {
  apicIdOf,
  SQ_MASKS,
  sidRange,
  type VtdFaultReason,
  vtdFaultReasons,
  vtdIrte,
  vtdPostedIrte,
} from './registers/vtd.ts';

/** How a unit is set up, as far as that is known: null where it is not. */
export interface VtdConfiguration {
  /** Interrupt remapping is on. */
  readonly enabled: boolean | null;
  /** Extended interrupt mode: destinations are 32-bit x2APIC ids. */
  readonly eim: boolean | null;
  /** Messages in compatibility format pass as they are (CFIS set and EIME clear; QEMU lets them pass always). */
  readonly passes: boolean | null;
  /** Entries of the table. */
  readonly entries: number | null;
}

/** A message as the unit gets it: address below 2^53, data, and who sent it. */
export interface VtdRequest {
  readonly address: number;
  readonly data: number;
  readonly requester: number;
}

/** What an entry of the remapped kind makes of a message. */
export interface Remapped {
  readonly kind: 'remapped';
  readonly vector: number;
  /** APIC id. */
  readonly dest: number;
  readonly destMode: number;
  readonly deliveryMode: number;
  readonly trigger: number;
}

/** What an entry of the posted kind makes of a message. */
export interface Posted {
  readonly kind: 'posted';
  /** Address of the posted-interrupt descriptor, and the vector whose bit is set there. */
  readonly descriptor: number;
  readonly vector: number;
  readonly urgent: boolean;
}

/** The message is refused. `quiet`: the fault is not reported, because FPD of the entry is set. */
export interface Faulted {
  readonly kind: 'fault';
  readonly reason: number;
  readonly quiet: boolean;
}

/** It cannot be told what becomes of the message; `what` says what one would have to know. */
export interface NotKnown {
  readonly kind: 'untold';
  readonly what: string;
}

/** What a unit makes of a message before it looks into its table. */
export type MessageReading =
  | { readonly kind: 'through' }
  /** It names an entry; `reserved`: bits that must be 0 are set, which is refused once the entry was read. */
  | { readonly kind: 'entry'; readonly index: number; readonly reserved: boolean }
  | (Faulted & { readonly index?: number })
  | NotKnown;

/** What an entry makes of a message that names it. */
export type EntryReading = Remapped | Posted | Faulted | NotKnown;

const HIGH = 0x100000000;
const F = vtdIrte.f;

const fault = (reason: number): Faulted => ({ kind: 'fault', reason, quiet: false });
const unknown = (what: string): NotKnown => ({ kind: 'untold', what });

/** Reads a message as far as that takes no entry. */
export function readMessage(unit: VtdConfiguration, { address, data }: VtdRequest): MessageReading {
  if (unit.enabled === false) return { kind: 'through' };
  const hi = Math.floor(address / HIGH);
  const view = decodersById.vtd.decode(address >>> 0, hi, data);
  if (hi !== 0 || view === undefined) return fault(0x20);
  if (view.format !== 'remappable') {
    if (unit.passes === null) return unknown('whether the remapping unit lets messages in compatibility format pass');
    return unit.passes ? { kind: 'through' } : fault(0x25);
  }
  const index = view.index!;
  if (unit.entries !== null && index >= unit.entries) return { ...fault(0x21), index };
  return { kind: 'entry', index, reserved: view.reservedSet };
}

/** Whether a requester may use an entry (sid, sq and svt of it); null where a bit that decides is not known. */
export function sourceAllowed(entry: Bits, requester: number): boolean | null {
  const sid = F.sid.read(entry);
  switch (F.svt.read(entry)) {
    case null:
      return null;
    case 0:
      return true;
    case 1: {
      const sq = F.sq.read(entry);
      if (sid === null || sq === null) return null;
      const mask = SQ_MASKS[sq]!;
      return (sid & mask) === (requester & mask);
    }
    case 2: {
      if (sid === null) return null;
      const bus = pciRequester.f.bus.of(requester);
      return bus >= sidRange.first.of(sid) && bus <= sidRange.last.of(sid);
    }
    default:
      return false;
  }
}

/** The first reserved field of an entry that is not all zero: set, or not known to be clear. */
function reservedState(entry: Bits): 'clear' | 'set' | 'unknown' {
  let state: 'clear' | 'unknown' = 'clear';
  for (const field of fieldsFor(vtdIrte, entry)) {
    if (field.access !== 'RsvdZ') continue;
    const value = field.read(entry);
    if (value === null) state = 'unknown';
    else if (value !== 0) return 'set';
  }
  return state;
}

/** A fault that is found once an entry was read: FPD of the entry keeps some from being reported. */
export const readFault = (reason: number, entry: Bits): Faulted => ({
  kind: 'fault',
  reason,
  quiet: F.fpd.read(entry) === 1 && faultOf(reason).fpdSuppresses,
});

/** Reads the entry that a message names. `reserved`: as `readMessage` found it. */
export function readEntry(unit: VtdConfiguration, entry: Bits, requester: number, reserved: boolean): EntryReading {
  const refuse = (reason: number): Faulted => readFault(reason, entry);
  const present = F.present.read(entry);
  if (present === null) return unknown('whether the remapping entry is present');
  if (present === 0) return refuse(0x22);
  const posted = F.posted.read(entry);
  if (posted === null) return unknown('whether the remapping entry is of the remapped or the posted kind');
  const zero = reservedState(entry);
  if (zero === 'set') return refuse(0x24);
  const allowed = sourceAllowed(entry, requester);
  if (allowed === false) return refuse(0x26);
  if (reserved) return refuse(0x20);
  if (zero === 'unknown') return unknown('whether reserved bits of the remapping entry are set');
  if (allowed === null) return unknown('which requesters the remapping entry lets through');
  return posted === 1 ? readPosted(entry) : readRemapped(unit, entry);
}

function readPosted(entry: Bits): Posted | NotKnown {
  const { vector, urgent, pdaLow, pdaHigh } = vtdPostedIrte.f;
  const low = pdaLow.read(entry);
  const high = pdaHigh.read(entry);
  const number = vector.read(entry);
  const urg = urgent.read(entry);
  if (low === null || high === null || number === null || urg === null)
    return unknown('to which descriptor and vector the remapping entry posts');
  return { kind: 'posted', descriptor: high * HIGH + pdaLow.put(low), vector: number, urgent: urg === 1 };
}

function readRemapped(unit: VtdConfiguration, entry: Bits): Remapped | NotKnown {
  const [vector, raw, destMode, deliveryMode, trigger] = [F.vector, F.dest, F.destMode, F.deliveryMode, F.trigger].map(
    (field) => field.read(entry),
  );
  if (vector == null || raw == null || destMode == null || deliveryMode == null || trigger == null)
    return unknown('where the remapping entry leads');
  if (unit.eim === null && raw !== 0) return unknown('how the unit reads destinations (EIME of its table register)');
  return { kind: 'remapped', vector, dest: apicIdOf(raw, unit.eim === true), destMode, deliveryMode, trigger };
}

/** What the specification says of a fault reason. */
export function faultOf(reason: number): VtdFaultReason {
  const known = vtdFaultReasons[reason];
  if (known === undefined) throw new Error(`0x${reason.toString(16)} is no fault reason of interrupt remapping`);
  return known;
}
