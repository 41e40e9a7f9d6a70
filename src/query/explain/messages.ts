import { byName } from '../../base/by-name.ts';
import { hexText } from '../../base/hex.ts';
import { decodersById, type MessageKind, type MessageView } from '../../model/message.ts';
import type { Register } from '../../model/register.ts';
import { amdAddress, amdData } from '../../model/registers/amd.ts';
import { gicv2mSetSpi, itsTranslater } from '../../model/registers/its.ts';
import { isInterruptAddress, vtdAddress, vtdData, x86Address, x86Data } from '../../model/registers/x86.ts';
import type { Kind } from './kind.ts';
import { messageOf, type Pasted, type Refused } from './paste.ts';
import { decode, fitsIn, type Reading, type Row, wordsOf } from './reading.ts';

/** How one kind of irq domain reads a message. */
interface Reader {
  readonly name: string;
  readonly title: string;
  readonly decoder: MessageKind;
  /** The registers in which address (if it says anything) and data lie. */
  readonly registers: readonly [address: Register | undefined, data: Register];
  /** How likely it is that a message which this domain can read is meant for it; 0: no such domain would send it. */
  readonly likely: (view: MessageView, address: bigint) => number;
}

const FIRST_VECTOR = 0x10;
const FIRST_SPI = 32;
const LAST_SPI = 1019;

const readers: readonly Reader[] = [
  {
    name: 'vtd',
    title: 'message in VT-d remappable format',
    decoder: 'vtd',
    registers: [vtdAddress, vtdData],
    likely: ({ format, reservedSet }) => (format === 'remappable' && !reservedSet ? 90 : 0),
  },
  {
    name: 'compat',
    title: 'message in x86 compatibility format',
    decoder: 'x86',
    registers: [x86Address, x86Data],
    likely: ({ format, vector, reservedSet }) => {
      if (reservedSet) return 0;
      if (format === 'xen-pirq') return 35;
      return vector !== null && vector >= FIRST_VECTOR ? 80 : 20;
    },
  },
  {
    name: 'amd',
    title: 'message to an AMD-Vi unit',
    decoder: 'amd',
    registers: [amdAddress, amdData],
    // Linux leaves the bits of the address that are not used at 0.
    likely: ({ fields, reservedSet }) => (reservedSet ? 0 : fields['ignored'] === 0 ? 60 : 10),
  },
  {
    name: 'its',
    title: 'message to a GICv3 ITS',
    decoder: 'its',
    registers: [undefined, itsTranslater],
    likely: ({ fields }, address) => {
      if (fields['atDoorbell'] === true) return isMessageWindow(address) ? 5 : 90;
      return isMessageWindow(address) ? 0 : 40;
    },
  },
  {
    name: 'gicv2m',
    title: 'message to a GICv2m frame',
    decoder: 'gicv2m',
    registers: [undefined, gicv2mSetSpi],
    likely: ({ fields, index, reservedSet }, address) =>
      fields['atDoorbell'] === true &&
      !reservedSet &&
      !isMessageWindow(address) &&
      index! >= FIRST_SPI &&
      index! <= LAST_SPI
        ? 50
        : 0,
  },
];

const isMessageWindow = (address: bigint): boolean => fitsIn(address, 32) && isInterruptAddress(Number(address));

/** The message that is meant; also two or three numbers whose first ones are an address, as `address data` or `high low data`. */
function messageIn(pasted: Pasted): Extract<Pasted, { shape: 'message' }> | Refused {
  if (pasted.shape === 'message') return pasted;
  if (pasted.numbers.length < 2 || pasted.order !== undefined) return 'a message is written ADDRESS/DATA';
  const message = messageOf(pasted.numbers.slice(0, -1), pasted.numbers.at(-1)!);
  return typeof message === 'string' || message.shape !== 'message' ? 'a message is written ADDRESS/DATA' : message;
}

/** Whether two or three numbers without a slash are a message: only an address that can be nothing else tells it. */
const looksLike = (pasted: Pasted, address: bigint): boolean => pasted.shape === 'message' || isMessageWindow(address);

function read(reader: Reader, pasted: Pasted): Reading | Refused {
  const message = messageIn(pasted);
  if (typeof message === 'string') return message;
  const { address, data } = message;
  const [lo, hi] = wordsOf(address, 64) as [number, number];
  const view = decodersById[reader.decoder].decode(lo, hi, Number(data));
  const value = `${hexText(address)}/${hexText(data)}`;
  if (view === undefined)
    return `${value} is no message to ${decodersById[reader.decoder].title}: an ordinary memory write`;
  const likely = view.format === 'none' || !looksLike(pasted, address) ? 0 : reader.likely(view, address);
  const found = { index: view.index, destination: view.destination };
  const fields = {
    ...view.fields,
    ...Object.fromEntries(Object.entries(found).filter(([, number]) => number !== null)),
  };
  return {
    kind: reader.name,
    value,
    text: view.text,
    fields,
    rows: rowsOf(reader, fields, view, address, data),
    likely,
  };
}

/** The fields in the order of the answer, with bits and meaning where a register has them. */
function rowsOf(reader: Reader, fields: Reading['fields'], view: MessageView, address: bigint, data: bigint): Row[] {
  // A message in another format than the reader's own is laid out in compatibility format.
  const plain = reader.decoder === 'vtd' && view.format !== 'remappable';
  const [first, second] = plain ? [x86Address, x86Data] : reader.registers;
  const known = new Map<string, Row>();
  const add = (register: Register | undefined, what: string, value: bigint): void => {
    if (register === undefined) return;
    for (const row of decode(register, value).rows) known.set(row.name, { ...row, bits: `${what} ${row.bits}` });
  };
  add(second, 'data', data);
  add(first, 'address', address);
  return Object.entries(fields).map(([name, value]) => {
    const row = known.get(name);
    return row ? { ...row, value } : { name, value, bits: '', meaning: derived[name] ?? '' };
  });
}

/** What is derived from address and data. */
const derived: Readonly<Record<string, string>> = byName({
  handle: 'Bits 19:5 of the address, and bit 2 as the highest bit.',
  subhandle: 'Added to the handle while SHV is 1: bits 15:0 of the data.',
  index: 'Entry of the remapping table that the message names.',
  destination: 'The APIC id, or the logical destination, from all its parts.',
  pirq: 'The PIRQ that a Xen guest asks to bind.',
  doorbell: 'The address that the device writes to: physical, or an IOVA.',
  atDoorbell: 'The address is at offset 0x40 of its page, where GITS_TRANSLATER and MSI_SETSPI_NS lie.',
});

const kinds: readonly Kind[] = readers.map((reader) => ({
  name: reader.name,
  title: reader.title,
  read: (pasted) => read(reader, pasted),
}));

/** `message`: as the irq domain reads it that is the likeliest; its text names it. */
export const anyMessage: Kind = {
  name: 'message',
  title: 'message, read by the likeliest of the kinds above',
  read(pasted) {
    const all = kinds.map((kind) => kind.read(pasted));
    const read = all.filter((reading) => typeof reading !== 'string');
    const best = read.reduce<Reading | undefined>(
      (a, b) => (a !== undefined && a.likely >= b.likely ? a : b),
      undefined,
    );
    if (best === undefined) return all[0] as Refused;
    const title = readers.find(({ name }) => name === best.kind)!.title;
    const none = Object.keys(best.fields).length === 0;
    return { ...best, kind: 'message', text: none ? best.text : `${title}: ${best.text}` };
  },
};

/** The kinds of messages: as each irq domain reads them, and `message`. */
export const messageKinds: readonly Kind[] = [...kinds, anyMessage];
