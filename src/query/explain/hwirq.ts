import { byName } from '../../base/by-name.ts';
import { hexText } from '../../base/hex.ts';
import { bdfText, requesterText } from '../../model/bdf.ts';
import type { FieldValue } from '../../model/register.ts';
import { amdIrHwirq, pciMsiFunction, pciMsiHwirq } from '../../model/registers/hwirq.ts';
import { firstLpi } from '../../model/registers/its.ts';
import { MSI_VECTORS, MSIX_ENTRIES } from '../../model/registers/pci.ts';
import { intelIrHwirq } from '../../model/registers/vtd.ts';
import { type Kind, numbersOf, tooWide } from './kind.ts';
import { both, fitsIn, type Row, wordsOf } from './reading.ts';

/** Where the segments behind VMD controllers begin, and below it more segments than machines have. */
const VMD_SEGMENT = 0x10000;
const MOST_SEGMENTS = 0xff;
/** Entries beyond this one are rarely used. */
const MOST_ENTRIES = 0xff;
/** How likely what is possible and never seen is. */
const UNLIKELY = 10;

/** What a hwirq says under one kind of irq domain. */
interface Under {
  /** Name of the domain as Linux has it, without the unit. */
  readonly domain: string;
  readonly text: string;
  /** What it says, under the names that are the same for all domains. */
  readonly fields: Readonly<Record<string, FieldValue>>;
  /** How likely this domain is. */
  readonly likely: number;
}

/** INTIDs of a GIC: SGIs, PPIs, SPIs; LPIs have up to 24 bits. */
const FIRST_PPI = 16;
const FIRST_SPI = 32;
const PAST_SPI = 1020;
const LPI_BITS = 24;
/** Intel units rarely use entries as far up as this; AMD requester IDs of other buses than 0 lie above. */
const HIGH_INDEX = 0x800;

/** The domain of one device (Linux 6.2 and later): the hwirq is the table index. */
function perDevice(value: bigint): Under | undefined {
  if (value >= BigInt(MSIX_ENTRIES)) return undefined;
  const index = Number(value);
  return {
    domain: 'one device',
    text: `entry ${both(index)} of the device (domains of one device, Linux 6.2 and later)`,
    fields: { index },
    likely: 80,
  };
}

/** The domain of all devices (before Linux 6.2). */
function pciMsi(value: bigint, decimal: boolean): Under | undefined {
  const [lo, hi] = wordsOf(value, pciMsiHwirq.width) as [number, number];
  if (value < BigInt(MSIX_ENTRIES) || pciMsiHwirq.f.reserved59.of(hi) !== 0) return undefined;
  const index = pciMsiHwirq.f.index.of(lo);
  const [segment, bus, slot, fn] = pciMsiFunction(lo, hi);
  const device = bdfText(segment, bus, slot, fn);
  // Device 0 on bus 0 is the host bridge, which has no interrupts; segments are few, except those of VMD from 0x10000 on.
  const far = segment > MOST_SEGMENTS && segment < VMD_SEGMENT;
  const odd = (bus === 0 && slot === 0) || far || index > MOST_ENTRIES;
  const likely = odd ? UNLIKELY : decimal ? 60 : 30;
  return {
    domain: 'PCI-MSI',
    text: `${device} entry ${both(index)} (PCI-MSI domain of all devices, before Linux 6.2)`,
    fields: { device, index },
    likely,
  };
}

/** The kernel computes these two as a signed 32-bit number: the upper half is all zeros or, from 0x80000000 on, all ones. */
function signed32(value: bigint): number | undefined {
  if (fitsIn(value, 32)) return Number(value);
  const [lo, hi] = wordsOf(value, 64) as [number, number];
  return hi === 0xffffffff && lo >= 2 ** 31 ? lo : undefined;
}

function intelIr(value: bigint): Under | undefined {
  const word = signed32(value);
  if (word === undefined) return undefined;
  const [index, subhandle] = [intelIrHwirq.f.index.of(word), intelIrHwirq.f.subhandle.of(word)];
  if (index === 0 || subhandle >= MSI_VECTORS) return undefined;
  const text = `IRTE ${both(index)} subhandle ${subhandle} (INTEL-IR)`;
  return { domain: 'INTEL-IR', text, fields: { index, subhandle }, likely: index < HIGH_INDEX ? 55 : 45 };
}

function amdIr(value: bigint): Under | undefined {
  const word = signed32(value);
  if (word === undefined) return undefined;
  const [requester, subhandle] = [amdIrHwirq.f.requester.of(word), amdIrHwirq.f.sub.of(word)];
  if (requester === 0 || subhandle >= MSI_VECTORS) return undefined;
  const device = requesterText(requester);
  return {
    domain: 'AMD-IR',
    text: `${device} subhandle ${subhandle} (AMD-IR)`,
    fields: { device, subhandle },
    likely: 50,
  };
}

function gic(value: bigint): Under | undefined {
  const intid = Number(value);
  const low = intid < FIRST_PPI ? 'SGI' : intid < FIRST_SPI ? 'PPI' : intid < PAST_SPI ? 'SPI' : undefined;
  const name = intid >= firstLpi && fitsIn(value, LPI_BITS) ? 'LPI' : low;
  if (name === undefined) return undefined;
  return {
    domain: 'GICv3',
    text: `${name}, INTID ${both(intid)} (GIC)`,
    fields: { intid },
    likely: name === 'LPI' ? 35 : 5,
  };
}

/** The names of what each domain says, where all are told at once. */
const PREFIX: Readonly<Record<string, string>> = byName({
  'one device': 'perDevice',
  'PCI-MSI': 'pciMsi',
  'INTEL-IR': 'intelIr',
  'AMD-IR': 'amdIr',
  GICv3: 'gic',
});

const EVERY = [
  'perDeviceIndex',
  'pciMsiDevice',
  'pciMsiIndex',
  'intelIrIndex',
  'intelIrSubhandle',
  'amdIrDevice',
  'amdIrSubhandle',
  'gicIntid',
];

const capital = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;

/** The likeliest domain with what it says, then what the others say. */
function rowsOf(first: Under, all: readonly Under[]): Row[] {
  const row = (name: string, value: FieldValue, meaning: string): Row => ({ name, value, bits: '', meaning });
  const own = Object.entries({ domain: first.domain, ...first.fields });
  return [
    ...own.map(([name, value]) => row(name, value, MEANINGS[name] ?? '')),
    ...all
      .slice(1)
      .flatMap(({ domain, fields }) =>
        Object.entries(fields).map(([name, value]) =>
          row(`${PREFIX[domain]}${capital(name)}`, value, `Under ${domain}.`),
        ),
      ),
  ];
}

const MEANINGS: Readonly<Record<string, string>> = byName({
  domain: 'The irq domain that is the likeliest.',
  index: 'Table entry: of the device, or (INTEL-IR) of the remapping table.',
  device: 'The function that it is for.',
  subhandle: 'Number within a multi-MSI block; 0 with MSI-X.',
  intid: 'Interrupt of the GIC.',
});

/** Number of an interrupt in an irq domain of Linux. Which domain it is from is not in it: the likeliest comes first. */
export const hwirqKind: Kind = {
  name: 'hwirq',
  title: 'hwirq of a Linux irq domain, decimal or with 0x',
  read(pasted) {
    const numbers = numbersOf('hwirq', pasted, 1);
    if (typeof numbers === 'string') return numbers;
    const { plain: value, bare } = numbers[0]!;
    if (!fitsIn(value, pciMsiHwirq.width)) return tooWide(value, 'hwirq', pciMsiHwirq.width);
    const all = [perDevice(value), pciMsi(value, bare), intelIr(value), amdIr(value), gic(value)]
      .filter((under) => under !== undefined)
      .sort((a, b) => b.likely - a.likely);
    if (all.length === 0) return `${hexText(value)} is no hwirq of an irq domain that composes them`;
    const [first] = all as [Under];
    const fields: Record<string, FieldValue> = { domain: first.domain, ...first.fields };
    for (const name of EVERY) fields[name] = null;
    for (const { domain, fields: own } of all)
      for (const [name, content] of Object.entries(own)) fields[`${PREFIX[domain]}${capital(name)}`] = content;
    const rows = rowsOf(first, all);
    const [main, ...others] = all.map(({ text }) => text);
    const text = others.length === 0 ? main! : `${main}; or ${others.join('; or ')}`;
    return { kind: 'hwirq', value: hexText(value), text, fields, rows, likely: likelihood(first, bare) };
  },
};

/** A decimal number is most often a hwirq, as /proc/interrupts prints it. */
function likelihood({ domain, likely }: Under, bare: boolean): number {
  if (bare) return 76;
  if (likely <= UNLIKELY) return UNLIKELY;
  return domain === 'one device' ? 25 : 40;
}
