import { counted } from '../../base/counted.ts';
import { hexText } from '../../base/hex.ts';
import { idxdMsixPermission, imsControl } from '../../model/registers/ims.ts';
import { msiControl, msixControl, msixVectorControl, pciCommand } from '../../model/registers/pci.ts';
import { type Kind, numbersOf, registerKind, tooWide } from './kind.ts';
import type { Numeral, Refused } from './paste.ts';
import { both, type Decoded, decode, derive, fitsIn, listed, type Reading, readingOf } from './reading.ts';

const command = registerKind('command', 'PCI Command register', pciCommand, (decoded, value) => {
  const { memory, busMaster, intxDisable } = decoded.fields;
  const text = listed(
    memory === true ? 'memory space on' : 'memory space off: MSI-X table and BARs do not answer',
    busMaster === true ? 'bus master on' : 'bus master off: no MSI or MSI-X message can be sent',
    intxDisable === true ? 'INTx disabled' : 'INTx allowed',
  );
  // Bits that are hard-wired to 0 on PCI Express.
  const odd = pciCommand.fields.some(({ name, access }) => access === 'RO' && decoded.fields[name] === true);
  const likely = memory || busMaster ? 65 : 25;
  return readingOf('command', decoded, text, value === 0n ? 5 : odd ? 12 : likely);
});

const msixControlKind = registerKind('msix-control', 'MSI-X Message Control', msixControl, (decoded) => {
  const { enable, fmask, size } = decoded.fields;
  const entries = Number(size) + 1;
  derive(decoded, 'entries', entries, 'Entries of the table: size + 1.');
  const text = listed(
    enable === true ? 'MSI-X enabled' : 'MSI-X disabled',
    fmask === true ? 'function masked' : 'function not masked',
    counted(entries, 'table entry', 'table entries'),
  );
  return readingOf('msix-control', decoded, text, enable || fmask ? 75 : 20);
});

/** Multiple Message Capable and Enable go up to 5: 32 vectors. */
const MOST_LOG2 = 5;

const msiControlKind = registerKind('msi-control', 'MSI Message Control', msiControl, (decoded) => {
  const { fields } = decoded;
  const [asked, granted] = [Number(fields['multipleCapable']), Number(fields['multipleEnable'])];
  derive(decoded, 'vectorsCapable', 2 ** asked, 'Vectors that the function asks for.');
  derive(decoded, 'vectorsEnabled', 2 ** granted, 'Vectors that software granted.');
  const text = listed(
    fields['enable'] === true ? 'MSI enabled' : 'MSI disabled',
    `${2 ** granted} of ${2 ** asked} vectors granted`,
    fields['address64'] === true ? '64-bit address' : '32-bit address',
    fields['maskable'] === true ? 'per-vector masking' : 'no per-vector masking',
    fields['extendedEnable'] === true && 'extended data',
  );
  const legal =
    asked <= MOST_LOG2 &&
    granted <= asked &&
    (fields['extendedEnable'] === false || fields['extendedCapable'] === true);
  return readingOf('msi-control', decoded, text, legal ? (fields['address64'] === true ? 55 : 15) : 0);
});

const maskText = (decoded: Decoded): string => (decoded.fields['mask'] === true ? 'masked' : 'not masked');

const vectorControlKind = registerKind('vector-control', 'MSI-X Vector Control', msixVectorControl, (decoded) => {
  const tag =
    Number(decoded.fields['stUpper']) * (msixVectorControl.f.stLower.max + 1) + Number(decoded.fields['stLower']);
  return readingOf(
    'vector-control',
    decoded,
    listed(maskText(decoded), tag !== 0 && `steering tag ${hexText(tag)}`),
    tag === 0 ? 45 : 10,
  );
});

/** What a PASID field with its enable bit says. */
const pasidText = ({ fields }: Decoded): string =>
  fields['pasidEnable'] === true ? `PASID ${both(Number(fields['pasid']))} required` : 'no PASID required';

const pasidLikely = ({ fields }: Decoded): number =>
  fields['pasidEnable'] === true ? (fields['pasid'] === 0 ? 30 : 70) : fields['pasid'] === 0 ? 15 : 5;

const permission = registerKind('permission', 'MSI-X permission entry (IDXD)', idxdMsixPermission, (decoded) => {
  const ignore = decoded.fields['ignore'] === true;
  const text = listed(ignore ? 'ignored: the entry does not restrict the vector' : pasidText(decoded));
  return readingOf('permission', decoded, text, pasidLikely(decoded) + 2);
});

/** What the control dword of an IMS entry says. */
const imsText = (decoded: Decoded): string =>
  listed(
    maskText(decoded),
    decoded.fields['pending'] === true && 'pending',
    decoded.fields['ignore'] === true ? 'PASID not compared' : pasidText(decoded),
  );

/** An entry as its four dwords, in the order in which they lie in memory. */
interface Entry {
  readonly address: string;
  readonly data: number;
  readonly control: bigint;
  readonly value: string;
}

const WORDS = 4;

/** The four dwords of an entry; a text when these are no four dwords. */
function entryOf(name: string, numbers: readonly Numeral[]): Entry | Refused {
  if (numbers.length !== WORDS) return `an entry of ${name} is four dwords: address, upper address, data, control`;
  const wide = numbers.find(({ hex }) => !fitsIn(hex, 32));
  if (wide) return tooWide(wide.hex, `a dword of ${name}`, 32);
  const [lo, hi, data, control] = numbers.map(({ hex }) => hex) as [bigint, bigint, bigint, bigint];
  return {
    address: hexText((hi << 32n) + lo),
    data: Number(data),
    control,
    value: numbers.map(({ hex }) => hexText(hex)).join(' '),
  };
}

/** The reading of an entry whose control dword is decoded. */
function entryReading(kind: string, entry: Entry, control: Decoded, text: string, likely: number): Reading {
  const reading = readingOf(kind, control, text, likely);
  const { address, data } = entry;
  return {
    ...reading,
    value: entry.value,
    text: `${address}/${hexText(data)}, ${reading.text}`,
    fields: { address, data, control: control.value, ...reading.fields },
    rows: [
      { name: 'address', value: address, bits: '', meaning: 'Message address, both halves.' },
      { name: 'data', value: data, bits: '', meaning: 'Message data.' },
      ...reading.rows.map((row) => ({ ...row, bits: `control ${row.bits}` })),
    ],
  };
}

const ims: Kind = {
  name: 'ims',
  title: 'IMS control dword, or an IMS entry as four dwords',
  read(pasted) {
    const numbers = numbersOf('ims', pasted, WORDS);
    if (typeof numbers === 'string') return numbers;
    if (numbers.length === 1) {
      const value = numbers[0]!.hex;
      if (!fitsIn(value, imsControl.width)) return tooWide(value, 'ims', imsControl.width);
      const decoded = decode(imsControl, value);
      const marked = decoded.fields['mask'] === true || decoded.fields['pending'] === true;
      return readingOf('ims', decoded, imsText(decoded), pasidLikely(decoded) + (marked ? 1 : 0));
    }
    const entry = entryOf('ims', numbers);
    if (typeof entry === 'string') return entry;
    const control = decode(imsControl, entry.control);
    return entryReading('ims', entry, control, imsText(control), 60);
  },
};

const msixEntry: Kind = {
  name: 'msix-entry',
  title: 'MSI-X table entry as four dwords',
  read(pasted) {
    const numbers = numbersOf('msix-entry', pasted, WORDS);
    if (typeof numbers === 'string') return numbers;
    const entry = entryOf('msix-entry', numbers);
    if (typeof entry === 'string') return entry;
    const control = decode(msixVectorControl, entry.control);
    return entryReading('msix-entry', entry, control, maskText(control), 80);
  },
};

/** What a PCI function holds: its registers, and the entries of its tables. */
export const deviceKinds: readonly Kind[] = [
  msixControlKind,
  msiControlKind,
  command,
  vectorControlKind,
  msixEntry,
  permission,
  ims,
];
