import { hexText } from '../../base/hex.ts';
import { requesterText } from '../../model/bdf.ts';
import type { FieldValue } from '../../model/register.ts';
import { type ItsCommandSpec, itsCommandByOpcode, itsOpcode } from '../../model/registers/its.ts';
import { pciRequester } from '../../model/registers/pci.ts';
import { type Kind, numbersOf, tooWide } from './kind.ts';
import type { Refused } from './paste.ts';
import {
  both,
  type Decoded,
  decode,
  derive,
  fitsIn,
  listed,
  type Reading,
  type Row,
  readingOf,
  wordsOf,
} from './reading.ts';

/** Doublewords of a command. */
const DWORDS = 4;
const WIDTH = 64;

/** The fields of a command, and what is to be said of it. */
type Told = Omit<Decoded, 'bits'>;

/** The fields of the doublewords that are given; those of the others are null. */
function decodeAll(spec: ItsCommandSpec, words: readonly bigint[]): Told {
  const all = { fields: {} as Record<string, FieldValue>, rows: [] as Row[] };
  const reserved: string[] = [];
  for (const [n, register] of spec.dwords.entries()) {
    const one = decode(register, words[n] ?? 0n);
    if (words[n] !== undefined && one.reserved !== '') reserved.push(`${one.reserved} of doubleword ${n}`);
    for (const row of one.rows) {
      const value = words[n] === undefined ? null : row.value;
      all.fields[row.name] = value;
      all.rows.push({ ...row, value, bits: `dw${n} ${row.bits}` });
    }
  }
  return { ...all, value: words.map(hexText).join(' '), reserved: reserved.join(' and ') };
}

/** Adds what the fields mean together. */
function deriveAll(all: Told, spec: ItsCommandSpec): void {
  const number = (name: string): number | undefined => {
    const value = all.fields[name];
    return typeof value === 'number' ? value : undefined;
  };
  const device = number('deviceId');
  if (device !== undefined && device <= 2 ** pciRequester.width - 1)
    derive(
      all,
      'device',
      requesterText(device),
      'DeviceID as a BDF: on PCI it is the requester ID, unless firmware maps it otherwise.',
    );
  const itt = number('ittAddress');
  if (itt !== undefined) {
    const { lo } = spec.dwords[2].fields.find(({ name }) => name === 'ittAddress')!;
    derive(all, 'itt', hexText(BigInt(itt) << BigInt(lo)), 'Address of the interrupt translation table.');
  }
  const size = number('size');
  if (size !== undefined) derive(all, 'events', 2 ** (size + 1), 'EventIDs of the device: 2^(size + 1).');
}

function read(words: readonly bigint[]): Reading | Refused {
  const [lo] = wordsOf(words[0]!, WIDTH) as [number];
  const spec = itsCommandByOpcode.get(itsOpcode.of(lo));
  if (spec === undefined) return `there is no ITS command ${hexText(itsOpcode.of(lo))} (bits 7:0 of the first word)`;
  const all = decodeAll(spec, words);
  deriveAll(all, spec);
  const told = Object.entries(all.fields).filter(([name, value]) => name !== 'opcode' && value !== null);
  const names = told.map(([name, value]) => `${name} ${typeof value === 'number' ? both(value) : String(value)}`);
  all.fields['command'] = spec.name;
  all.rows.unshift({ name: 'command', value: spec.name, bits: '', meaning: spec.meaning });
  const text = `${spec.name}: ${listed(...names)}${names.length > 0 ? '. ' : ''}${spec.meaning.replace(/\.$/, '')}`;
  // An opcode alone may be any small number.
  return readingOf('its-command', all, text, words.some((word) => !fitsIn(word, 32)) ? 80 : words.length > 1 ? 50 : 22);
}

/** The doublewords of a command in words; undefined where they are none. */
export function itsCommandText(words: readonly bigint[]): string | undefined {
  const reading = read(words);
  return typeof reading === 'string' ? undefined : reading.text;
}

/** A command of the ITS command queue. */
export const itsKind: Kind = {
  name: 'its-command',
  title: 'GICv3 ITS command: its first 64-bit word, or up to four words in order',
  read(pasted) {
    const numbers = numbersOf('its-command', pasted, DWORDS);
    if (typeof numbers === 'string') return numbers;
    const first = numbers[0]!.hex;
    if (numbers.length === 1 && !fitsIn(first, WIDTH)) {
      if (!fitsIn(first, WIDTH * DWORDS)) return tooWide(first, 'its-command', WIDTH * DWORDS);
      return read(Array.from({ length: DWORDS }, (_, i) => (first >> BigInt(WIDTH * i)) % (1n << 64n)));
    }
    const wide = numbers.find(({ hex }) => !fitsIn(hex, WIDTH));
    if (wide) return tooWide(wide.hex, 'a word of its-command', WIDTH);
    return read(numbers.map(({ hex }) => hex));
  },
};
