import { hex32, hex64 } from '../base/hex.ts';
import { type Bits, type FieldValue, type Register, reservedSet, viewRegister } from './register.ts';
import { amdAddress, amdData } from './registers/amd.ts';
import { gicv2mSetSpi, itsTranslater } from './registers/its.ts';
import {
  deliveryModes,
  isInterruptAddress,
  takesNoVector,
  vtdAddress,
  vtdData,
  vtdHandle,
  x86Address,
  x86Data,
  x86Destination,
} from './registers/x86.ts';

/** The irq domains that give an address/data pair its meaning. */
export type MessageKind = 'x86' | 'vtd' | 'amd' | 'its' | 'gicv2m';

/**
 * What a message turned out to be.
 * - `none`: address 0. Never composed, or torn down: Linux writes zeros when an interrupt is deactivated.
 * - `compatibility`: the message holds vector and APIC id (x86).
 * - `x2apic`: the same with the upper address in use; only an IOMMU and the KVM API write that.
 * - `xen-pirq`: vector 0. A Xen HVM guest names a PIRQ in the destination id; the hypervisor binds it.
 * - `remappable`: names an entry of the VT-d table.
 * - `irte-index`: names an entry of the device's own AMD-Vi table.
 * - `event`: an EventID for an ITS.
 * - `spi`: the INTID of an SPI for a GICv2m frame.
 */
export type MessageFormat =
  | 'none'
  | 'compatibility'
  | 'x2apic'
  | 'xen-pirq'
  | 'remappable'
  | 'irte-index'
  | 'event'
  | 'spi';

/** A message as one irq domain reads it. */
export interface MessageView {
  readonly format: MessageFormat;
  /** The message as one line of text. */
  readonly text: string;
  /** The fields of address and data by name, and what was derived from them. */
  readonly fields: Readonly<Record<string, FieldValue>>;
  /** Number by which the message selects what it raises: table index, EventID, or INTID of an SPI; null if by none. */
  readonly index: number | null;
  /** APIC id (raw: physical id, or logical destination) if the message holds it. */
  readonly destination: number | null;
  /** Vector if the message holds it, and its delivery mode (not SMI, NMI, INIT) makes use of it. */
  readonly vector: number | null;
  /** Some bits that must be 0 are not. VT-d then drops a remappable message, with fault 0x20. */
  readonly reservedSet: boolean;
}

/** Reads messages as one kind of irq domain does. */
export interface MessageDecoder {
  readonly id: MessageKind;
  readonly title: string;
  /**
   * The message of an address (two unsigned 32-bit halves) and its data; undefined when the pair is no interrupt
   * message to this domain but an ordinary memory write.
   */
  decode(addressLo: number, addressHi: number, data: number): MessageView | undefined;
}

type Values = Readonly<Record<string, FieldValue>>;

interface Read {
  readonly fields: Values;
  readonly reservedSet: boolean;
}

const allKnown = [0xffffffff, 0xffffffff];

/** The fields of a register, and whether any field that must be 0 is not. */
function read(register: Register, ...words: readonly number[]): Read {
  const bits: Bits = { words, known: allKnown };
  return { fields: viewRegister(register, bits).fields, reservedSet: reservedSet(register, bits) };
}

/** A field that is known, as a number. */
const num = (values: Values, name: string): number => Number(values[name]);

const both = (value: number): string => `${value} (${hex32(value)})`;

const noMessage: MessageView = {
  format: 'none',
  text: 'no message: address 0, never composed or torn down',
  fields: {},
  index: null,
  destination: null,
  vector: null,
  reservedSet: false,
};

function decodeX86(addressLo: number, addressHi: number, data: number): MessageView | undefined {
  if (addressLo === 0 && addressHi === 0) return noMessage;
  if (!isInterruptAddress(addressLo >>> 0)) return undefined;
  const address = read(x86Address, addressLo, addressHi);
  const datum = read(x86Data, data);
  const fields = { ...address.fields, ...datum.fields };
  const remappable = fields.format === true;
  const vector = num(fields, 'vector');
  const plain = x86Destination(addressLo, addressHi);
  const mode = num(fields, 'deliveryMode');
  const vectorless = takesNoVector(mode);
  if (vector === 0 && !remappable && !vectorless) {
    const pirq = plain;
    const text = `Xen PIRQ ${pirq} to be bound (vector 0; no valid message elsewhere)`;
    const reservedSet = address.reservedSet || datum.reservedSet;
    return {
      format: 'xen-pirq',
      text,
      fields: { ...fields, pirq },
      index: null,
      destination: null,
      vector: null,
      reservedSet,
    };
  }
  const extended = remappable || addressHi !== 0 ? 0 : num(fields, 'destExtended') * (x86Address.f.dest.max + 1);
  const destination = plain + extended;
  const modeName = deliveryModes[mode] ?? `reserved delivery mode ${mode}`;
  let text = `vector ${both(vector)}${vectorless ? ', which is ignored,' : ''} to ${fields.destMode ? 'logical destination' : 'APIC id'} ${destination}`;
  text += `, ${modeName}, ${fields.trigger ? 'level' : 'edge'}`;
  if (extended !== 0) text += ', extended destination id';
  if (remappable) text += '; bit 4 set: remappable format, which nothing here remaps';
  return {
    format: addressHi === 0 ? 'compatibility' : 'x2apic',
    text,
    fields,
    index: null,
    destination,
    vector: vectorless ? null : vector,
    reservedSet: address.reservedSet || datum.reservedSet || remappable,
  };
}

function decodeVtd(addressLo: number, addressHi: number, data: number): MessageView | undefined {
  if (addressLo === 0 && addressHi === 0) return noMessage;
  if (!isInterruptAddress(addressLo >>> 0)) return undefined;
  const address = read(vtdAddress, addressLo, addressHi);
  if (address.fields.format !== true) {
    const plain = decodeX86(addressLo, addressHi, data);
    return (
      plain && { ...plain, text: `compatibility format, passes through or is blocked (fault 0x25): ${plain.text}` }
    );
  }
  const datum = read(vtdData, data);
  const shv = address.fields.shv === true;
  const handle = vtdHandle(addressLo);
  const subhandle = shv ? num(datum.fields, 'subhandle') : 0;
  const index = handle + subhandle;
  const reservedSet = address.reservedSet || (shv && datum.reservedSet);
  let text = `IRTE ${both(index)}`;
  if (subhandle !== 0) text += `, handle ${both(handle)} + subhandle ${subhandle}`;
  if (!shv) text += ', data ignored (SHV 0)';
  if (reservedSet) text += '; reserved bits set: fault 0x20';
  return {
    format: 'remappable',
    text,
    fields: { format: true, shv, handle, subhandle, index },
    index,
    destination: null,
    vector: null,
    reservedSet,
  };
}

function decodeAmd(addressLo: number, addressHi: number, data: number): MessageView | undefined {
  if (addressLo === 0 && addressHi === 0) return noMessage;
  if (!isInterruptAddress(addressLo >>> 0)) return undefined;
  const address = read(amdAddress, addressLo, addressHi);
  const datum = read(amdData, data);
  const index = num(datum.fields, 'index');
  return {
    format: 'irte-index',
    text: `IRTE ${both(index)} of the device's own table`,
    fields: { ...address.fields, ...datum.fields },
    index,
    destination: null,
    vector: null,
    reservedSet: address.reservedSet || datum.reservedSet,
  };
}

/** A register behind a doorbell: one field that is the index. The address may be an IOVA, so any aligned one is accepted. */
function doorbellDecoder(register: Register, name: string, format: MessageFormat, what: string) {
  return (addressLo: number, addressHi: number, data: number): MessageView | undefined => {
    if (addressLo === 0 && addressHi === 0) return noMessage;
    if ((addressLo & 3) !== 0) return undefined;
    const { fields, reservedSet } = read(register, data);
    const index = num(fields, name);
    const doorbell = hex64(addressHi, addressLo);
    // Both doorbells lie at offset 0x40 of their page, whatever the page size, and translation keeps that offset.
    const atDoorbell = (addressLo & 0xfff) === 0x40;
    return {
      format,
      text: `${what} ${both(index)} to doorbell ${doorbell}${atDoorbell ? '' : ', which is not at page offset 0x40'}`,
      fields: { ...fields, doorbell, atDoorbell },
      index,
      destination: null,
      vector: null,
      reservedSet,
    };
  };
}

/** The decoders by kind of irq domain: the same pair reads differently under each. */
export const decodersById: Readonly<Record<MessageKind, MessageDecoder>> = {
  x86: { id: 'x86', title: 'x86 vector domain', decode: decodeX86 },
  vtd: { id: 'vtd', title: 'VT-d interrupt remapping', decode: decodeVtd },
  amd: { id: 'amd', title: 'AMD-Vi interrupt remapping', decode: decodeAmd },
  its: { id: 'its', title: 'GICv3 ITS', decode: doorbellDecoder(itsTranslater, 'eventId', 'event', 'EventID') },
  gicv2m: { id: 'gicv2m', title: 'GICv2m frame', decode: doorbellDecoder(gicv2mSetSpi, 'intid', 'spi', 'SPI INTID') },
};
