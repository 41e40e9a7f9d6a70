import { hexText } from '../../base/hex.ts';
import { requesterText } from '../../model/bdf.ts';
import { amdGuestIrte, amdIrte32, amdIrte128 } from '../../model/registers/amd.ts';
import { itsErrors } from '../../model/registers/its.ts';
import { postedControl } from '../../model/registers/posted.ts';
import {
  apicIdOf,
  destinationOf,
  IEC_TYPE,
  iecDescriptor,
  postedDescriptorAddress,
  sidRange,
  vtdFaultReasons,
  vtdIrte,
} from '../../model/registers/vtd.ts';
import { deliveryModes } from '../../model/registers/x86.ts';
import { type Kind, numbersOf, tooWide } from './kind.ts';
import { brief, type Numeral, type Pasted, type Refused } from './paste.ts';
import { both, type Decoded, decode, derive, fitsIn, listed, type Reading, readingOf } from './reading.ts';

const FIRST_VECTOR = 0x10;
const HALF = 64;

/** A value of 128 bits, as one number or as its halves; the high one first unless the order is told. */
function wide(name: string, pasted: Pasted): bigint | Refused {
  const numbers = numbersOf(name, pasted, 2);
  if (typeof numbers === 'string') return numbers;
  const [first, second] = numbers as readonly [Numeral, Numeral | undefined];
  if (second === undefined) return fitsIn(first.hex, 2 * HALF) ? first.hex : tooWide(first.hex, name, 2 * HALF);
  for (const { hex } of [first, second]) if (!fitsIn(hex, HALF)) return tooWide(hex, `a half of ${name}`, HALF);
  const swap = pasted.shape === 'numbers' && pasted.order === 'low first';
  return swap ? (second.hex << 64n) + first.hex : (first.hex << 64n) + second.hex;
}

/** The APIC ids that a raw destination can stand for: the mode of the unit decides, and an entry does not hold it. */
function destinationText(raw: number): string {
  const narrow = apicIdOf(raw, false);
  if (raw === 0) return 'APIC id 0';
  // Bits outside those of an xAPIC id: only an x2APIC id can be meant.
  if (destinationOf(narrow, false) !== raw) return `APIC id ${raw} (x2APIC)`;
  return `APIC id ${narrow} (xAPIC) or ${raw} (x2APIC)`;
}

function sourceText({ fields }: Decoded): string {
  const sid = Number(fields['sid']);
  switch (fields['svt']) {
    case 1:
      return `from ${requesterText(sid)}${fields['sq'] === 0 ? '' : ' and functions like it'}`;
    case 2:
      return `from buses ${hexText(sidRange.first.of(sid))} to ${hexText(sidRange.last.of(sid))}`;
    case 0:
      return 'from any requester';
    default:
      return 'from none: reserved source validation type';
  }
}

const irte: Kind = {
  name: 'irte',
  title: 'VT-d remapping table entry, 128 bits',
  read(pasted) {
    const value = wide('irte', pasted);
    if (typeof value === 'string') return value;
    const decoded = decode(vtdIrte, value);
    const { fields } = decoded;
    // Without a check, sid says nothing; with a check of the bus, it holds two bus numbers (VT-d 9.9: SVT).
    const requester = fields['svt'] === 1 ? requesterText(Number(fields['sid'])) : null;
    derive(decoded, 'requester', requester, 'sid as a BDF, while svt is 1.');
    if (fields['posted'] === true) {
      derive(
        decoded,
        'descriptor',
        postedDescriptorAddress(decoded.bits),
        'Physical address of the posted-interrupt descriptor.',
      );
    }
    const vector = Number(fields['vector']);
    const target =
      fields['posted'] === true
        ? `posts vector ${both(vector)} to the descriptor at ${fields['descriptor']}`
        : listed(
            `vector ${both(vector)}`,
            fields['destMode'] === true
              ? `logical destination ${both(Number(fields['dest']))}`
              : destinationText(Number(fields['dest'])),
            deliveryModes[Number(fields['deliveryMode'])] ?? 'reserved delivery mode',
            fields['trigger'] === true ? 'level' : 'edge',
          );
    const text = listed(
      fields['present'] === true ? 'present' : 'not present: fault 0x22',
      target,
      sourceText(decoded),
    );
    return readingOf('irte', decoded, text, irteLikely(decoded, value));
  },
};

function irteLikely({ fields }: Decoded, value: bigint): number {
  // An entry that is not present is all zero, or was one before: the source stays.
  if (fields['present'] !== true) return fitsIn(value, HALF) ? 0 : 40;
  if (Number(fields['vector']) < FIRST_VECTOR) return fitsIn(value, HALF) ? 0 : 15;
  if (fields['svt'] === 3) return 10;
  // Linux verifies the source of every entry; without it this may be the low half alone.
  return fields['svt'] === 0 ? (fitsIn(value, 32) ? 20 : 30) : 90;
}

const amd: Kind = {
  name: 'amd-irte',
  title: 'AMD-Vi remapping table entry, 32 or 128 bits',
  read(pasted) {
    const value = wide('amd-irte', pasted);
    if (typeof value === 'string') return value;
    const short = pasted.shape === 'numbers' && pasted.numbers.length === 1 && fitsIn(value, amdIrte32.width);
    const decoded = decode(short ? amdIrte32 : amdIrte128, value);
    const { fields } = decoded;
    const guest = !short && fields['guestMode'] === true;
    const high = short ? 0 : Number(fields['destHigh']) * (amdIrte128.f.dest.max + 1);
    const destination = Number(fields['dest']) + high;
    derive(decoded, 'destination', destination, 'APIC id, or logical destination, from all its parts.');
    if (guest) {
      const page = Number(fields['gaRoot']) * 2 ** (amdGuestIrte.f.gaRoot.lo - HALF);
      derive(decoded, 'vapicPage', hexText(page), 'Physical address of the vAPIC backing page.');
    }
    const vector = both(Number(fields['vector']));
    const where = `${fields['destMode'] === true ? 'logical destination' : 'APIC id'} ${destination}`;
    const target = guest
      ? listed(
          `vector ${vector} into the vAPIC page at ${fields['vapicPage']}`,
          fields['isRun'] === true ? `its vCPU runs on APIC id ${destination}` : 'its vCPU does not run',
          `GATag ${hexText(Number(fields['gaTag']))}`,
        )
      : listed(`vector ${vector}`, where, intTypes[Number(fields['intType'])] ?? 'reserved type');
    const text = listed(fields['present'] === true ? 'valid' : 'not valid: interrupts abort', target);
    // Written as one small number it would be read in the 32-bit format.
    const small = !short && fitsIn(value, amdIrte32.width);
    const told = small ? { ...decoded, value: `0x0 ${decoded.value}` } : decoded;
    return readingOf('amd-irte', told, text, amdLikely(decoded, short, value));
  },
};

const intTypes = amdIrte128.f.intType.values ?? {};

function amdLikely({ fields }: Decoded, short: boolean, value: bigint): number {
  if (fields['present'] !== true) return fitsIn(value, HALF) ? 0 : 20;
  if (Number(fields['vector']) < FIRST_VECTOR) return 0;
  if (fields['guestMode'] === false && intTypes[Number(fields['intType'])] === undefined) return 0;
  if (short) return fields['guestMode'] === false ? 35 : 0;
  if (fields['guestMode'] === true) return fields['gaRoot'] === 0 ? 12 : 88;
  return fields['gaRoot'] === 0 ? 85 : 12;
}

/** Doublewords of an invalidation descriptor: two, or four in scalable mode. */
const DESCRIPTOR = 4;

const iec: Kind = {
  name: 'iec',
  title: 'interrupt entry cache invalidation descriptor',
  read(pasted) {
    const numbers = numbersOf('iec', pasted, DESCRIPTOR);
    if (typeof numbers === 'string') return numbers;
    const all = numbers.map(({ hex }) => hex);
    // One number of 128 bits, or the high half before the low one: the type of a descriptor is never 0.
    const swap = pasted.shape === 'numbers' && (pasted.order === 'high first' || all[0] === 0n);
    const whole = all.length === 1 ? all[0]! : 0n;
    const words =
      all.length === 1 ? [whole % (1n << 64n), whole >> 64n] : swap && all.length === 2 ? [all[1]!, all[0]!] : all;
    for (const word of words) if (!fitsIn(word, HALF)) return tooWide(word, 'a doubleword of iec', HALF);
    const decoded = decode(iecDescriptor, words[0]!);
    const { fields } = decoded;
    const [first, count] = [Number(fields['index']), 2 ** Number(fields['mask'])];
    const from = first - (first % count);
    const what =
      fields['granularity'] === true
        ? `drops cached ${count === 1 ? 'entry' : 'entries'} ${both(from)}${count === 1 ? '' : ` to ${both(from + count - 1)}`}`
        : 'drops all cached entries';
    const rest = words.slice(1).some((word) => word !== 0n);
    const type = fields['type'] === IEC_TYPE;
    const text = listed(
      type ? what : `not an IEC descriptor: type ${fields['type']}`,
      rest && 'words above the first are not 0',
    );
    const selects = fields['granularity'] === true && !fitsIn(words[0]!, 32);
    return readingOf('iec', decoded, text, !type || rest ? 0 : selects ? 85 : 32);
  },
};

/** Words of a posted-interrupt descriptor, and which of them is the control word. */
const PI_WORDS = 8;
const PIR_WORDS = 4;

const descriptor: Kind = {
  name: 'pi-descriptor',
  title: 'posted-interrupt descriptor: its control word, or all eight 64-bit words',
  read(pasted) {
    const numbers = numbersOf('pi-descriptor', pasted, PI_WORDS);
    if (typeof numbers === 'string') return numbers;
    const first = numbers[0]!.hex;
    if (numbers.length === 1 && fitsIn(first, HALF)) return controlReading(first);
    if (numbers.length !== 1 && numbers.length !== PI_WORDS)
      return 'a posted-interrupt descriptor is its control word or eight words';
    const words =
      numbers.length === 1
        ? Array.from({ length: PI_WORDS }, (_, i) => (first >> BigInt(HALF * i)) % (1n << 64n))
        : numbers.map(({ hex }) => hex);
    if (numbers.length === 1 && !fitsIn(first, HALF * PI_WORDS))
      return tooWide(first, 'pi-descriptor', HALF * PI_WORDS);
    for (const word of words) if (!fitsIn(word, HALF)) return tooWide(word, 'a word of pi-descriptor', HALF);
    return wholeReading(words);
  },
};

function controlReading(control: bigint): Reading {
  const decoded = decode(postedControl, control);
  const { fields } = decoded;
  const named = postedControl.f.nv.values?.[Number(fields['nv'])];
  const raw = Number(fields['ndst']);
  const text = listed(
    fields['on'] === true ? 'notification outstanding' : 'no notification outstanding',
    fields['sn'] === true ? 'notifications suppressed' : 'notifications not suppressed',
    `notifies ${destinationText(raw)} by vector ${both(Number(fields['nv']))}`,
  );
  const vector = Number(fields['nv']);
  // Before KVM sets a descriptor up, NV and NDST are 0.
  const rare = vector >= FIRST_VECTOR ? 28 : vector === 0 && raw === 0 ? 4 : 0;
  return readingOf('pi-descriptor', decoded, text, named === undefined ? rare : 85);
}

function wholeReading(words: readonly bigint[]): Reading {
  const control = controlReading(words[PIR_WORDS]!);
  const pir = words.slice(0, PIR_WORDS).flatMap((word, i) =>
    Array.from({ length: HALF }, (_, bit) => bit)
      .filter((bit) => (word >> BigInt(bit)) % 2n === 1n)
      .map((bit) => i * HALF + bit),
  );
  const vectors = pir.join(' ');
  const beyond = words.slice(PIR_WORDS + 1).some((word) => word !== 0n);
  return {
    ...control,
    value: words.map(hexText).join(' '),
    text: listed(
      pir.length === 0 ? 'nothing posted' : `posted: vectors ${pir.map(both).join(' ')}`,
      control.text,
      beyond && 'reserved words above the control word are not 0',
    ),
    fields: { pir: vectors, ...control.fields },
    rows: [
      {
        name: 'pir',
        value: vectors,
        bits: '255:0',
        meaning: 'Posted-interrupt requests: the vectors whose bit is set.',
      },
      ...control.rows.map((row) => ({ ...row, bits: `control ${row.bits}` })),
    ],
    likely: beyond ? 0 : control.likely,
  };
}

/** A number that names something listed: as the register would hold it, or in decimal as older kernels print it. */
function faultNumber({ hex, plain }: Numeral): number | undefined {
  return [hex, plain]
    .map(Number)
    .find((number) => vtdFaultReasons[number] !== undefined || itsErrors[number] !== undefined);
}

const fault: Kind = {
  name: 'fault',
  title: 'fault reason of VT-d interrupt remapping, or error of an ITS command',
  read(pasted) {
    const numbers = numbersOf('fault', pasted, 1);
    if (typeof numbers === 'string') return numbers;
    const reason = faultNumber(numbers[0]!);
    if (reason === undefined)
      return `${brief(numbers[0]!.text)} is no fault reason of interrupt remapping (0x20 to 0x28), and no error of an ITS command`;
    const value = hexText(reason);
    const known = vtdFaultReasons[reason];
    if (known === undefined) {
      const { command, text } = itsErrors[reason]!;
      const fields = { command, error: text };
      const rows = [
        { name: 'command', value: command, bits: '', meaning: 'The ITS command that was refused.' },
        { name: 'error', value: text, bits: '', meaning: 'Why.' },
      ];
      return { kind: 'fault', value, text: `ITS command error: ${command}: ${text}`, fields, rows, likely: 90 };
    }
    const { text, cause, fpdSuppresses } = known;
    const named = text === 'Unknown' ? cause : `${text}. ${cause}`;
    return {
      kind: 'fault',
      value,
      text: named,
      fields: { reason, message: text, cause, fpdSuppresses },
      rows: [
        { name: 'reason', value: reason, bits: '103:96', meaning: 'Bits of the fault recording register.' },
        { name: 'message', value: text, bits: '', meaning: 'What the Linux kernel log says.' },
        { name: 'cause', value: cause, bits: '', meaning: 'What leads to it.' },
        {
          name: 'fpdSuppresses',
          value: fpdSuppresses,
          bits: '',
          meaning: 'FPD of the entry keeps it from being reported.',
        },
      ],
      likely: numbers[0]!.bare ? 65 : 95,
    };
  },
};

/** What remapping units hold and report. */
export const remapKinds: readonly Kind[] = [irte, amd, iec, descriptor, fault];
