/**
 * What single lines of lspci say. Forms: lspci.c, ls-caps.c, ls-ecaps.c, ls-kernel.c of pciutils 3.0 to 3.15; 3.0 and older name the
 * parts of MSI and MSI-X otherwise. Blanks may stand where lspci prints tabs: mail programs and browsers put them there.
 */
import { MSIX_ENTRIES, pciCommand } from '../../model/registers/pci.ts';
import { BROKEN_OFF } from '../snapshot/reader.ts';
import { interruptsOf } from './interrupts-line.ts';
import type {
  CapabilityLine,
  CapabilityName,
  DetailLine,
  FactsLine,
  FunctionLine,
  Line,
  OtherLine,
  RegionLine,
  Within,
} from './items.ts';

/** A function with its segment, where lspci prints that, behind the bridges on the way to it (-PP). */
const BDF = String.raw`([\da-f]{4,8}:)?(?:[\da-f]{2}:[01][\da-f]\.[0-7]\/)*([\da-f]{2}:[01][\da-f]\.[0-7])`;
const FUNCTION = new RegExp(String.raw`^${BDF} (\S.*)$`);
/** -vmm, and -vm of old versions. */
const SLOT = new RegExp(String.raw`^(?:Slot:\s+|Device:\t)${BDF}$`);
const REVISION = String.raw`(?: \(rev [\da-f]{2}\))?(?: \(prog-if [\da-f]{2}(?: \[[^\]]*\])?\))?`;
/** -n; lspci 2 prints `Class` in front. */
const NUMBERS = new RegExp(String.raw`^(?:Class )?([\da-f]{4}): ([\da-f]{4}):([\da-f]{4})${REVISION}$`);
/** Names, with numbers behind them (-nn). Those of classes in pci.ids begin with a capital letter, but for `3D`, `802.1a` and `802.1b`. */
const NAMES = new RegExp(
  String.raw`^((?:[A-Z]|3D|802\.1[ab])[\w /.()+,&-]{1,70}?)(?: \[([\da-f]{4})\])?: (\S.*?)(?: \[([\da-f]{4}):([\da-f]{4})\])?${REVISION}$`,
);
/** -m and -mm. */
const MACHINE = /^"([^"]*)" "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"(?: |$)/;

const CONTROL =
  /^Control: I\/O([+-]) Mem([+-]) BusMaster([+-]) SpecCycle([+-]) MemWINV([+-]) VGASnoop([+-]) ParErr([+-]) Stepping([+-]) SERR([+-]) FastB2B([+-]) DisINTx([+-])(?: .*)?$/;
const FLAGS = /^Flags: (.*?)(?:fast|medium|slow|\?\?) devsel(.*)$/;
const NODE = /^NUMA node: (-?\d{1,5})$/;
const GROUP = /^IOMMU group: (\d{1,7})$/;
const DRIVER = /^(?:Kernel driver in use|Driver in use): (\S.{0,60})$/;
/** Marks stand at the end; up to version 3.6 `[virtual]` and `[enhanced]` stand in front of what the region is. */
const EARLY = String.raw`((?:\[(?:virtual|enhanced)\] )?)`;
const PLACED = String.raw`(<[\w -]+>|[\da-f]{4,16})(?: \([^)]*\))?((?: \[[\w =.-]+\])*)$`;
const REGION = new RegExp(String.raw`^(?:Region ([0-5]): )?${EARLY}(Memory|I\/O ports) at ${PLACED}`);
const ROM = new RegExp(`^${EARLY}Expansion ROM at ${PLACED}`);
const SIZE = /\[size=(\d{1,10})([KMGT]?)\]/;
const UNITS = '_KMGT';
const CAPABILITY = /^Capabilities: \[([\da-f]{2,3})(?: v\d+)?\] (.+)$/;
/** Numbers of vectors as the three bits of Message Control can hold them; those above 32 are reserved. */
const VECTORS = '(1|2|4|8|16|32|64|128)';
const MSI = new RegExp(String.raw`^MSI: Enable([+-]) Count=${VECTORS}\/${VECTORS} Maskable([+-]) 64bit([+-])(?: .*)?$`);
const MSI_3_0 = new RegExp(String.raw`^MSI: Mask([+-]) 64bit([+-]) Count=${VECTORS}\/${VECTORS} Enable([+-])$`);
/** lspci 2: the numbers of vectors as powers of two. */
const MSI_2 = /^Message Signalled Interrupts: (?:Mask([+-]) )?64bit([+-]) Queue=([0-7])\/([0-7]) Enable([+-])$/;
const MSIX = /^MSI-X: Enable([+-]) Count=(\d{1,4}) Masked([+-])(?: .*)?$/;
const MSIX_3_0 = /^MSI-X: Enable([+-]) Mask([+-]) TabSize=(\d{1,4})$/;
const EXTENDED: readonly (readonly [RegExp, CapabilityName])[] = [
  [/^Address Translation Service/, 'ats'],
  [/^Page Request Interface/, 'pri'],
  [/^Process Address Space ID/, 'pasid'],
  [/^Single Root I\/O Virtualization/, 'sriov'],
];
const MESSAGE = /^Address: ([\da-f]{8}|[\da-f]{16}) +Data: ([\da-f]{4,8})$/;
const MASKS = /^Masking: ([\da-f]{8}) +Pending: ([\da-f]{8})$/;
const PLACE = /^(Vector table|PBA): BAR=([0-7]) offset=([\da-f]{8})$/;
const ENABLE = /^(?:ATSCtl|PRICtl|PASIDCtl|IOVCtl):\s*Enable([+-])/;
const VFS = /^Initial VFs: \d+, Total VFs: (\d{1,5}), Number of VFs: (\d{1,5})/;
const HEX = /^([\da-f]{2,3}):((?: [\da-f]{2}){16})$/;
/** The beginning of such a row; it may end within a byte. */
const HEX_PART = /^[\da-f]{2,3}:(?: [\da-f]{2}){0,15}(?: [\da-f]{1,2})$/;
/** Lines of a function that say nothing of interrupts. */
const KNOWN =
  /^(16-bit legacy|Subsystem|DeviceName|Status|Latency|BIST|Bus|Physical Slot|Device tree node|Secondary status|BridgeCtl|(?:I\/O|Memory|Prefetchable memory|Unknown resource) behind bridge|Memory window|I\/O window|Kernel modules|Region|Memory at|Capabilities|Expansion ROM)\b/;
/** Lines with the words of lspci for what it could not read. */
const REFUSED = /^(?:Capabilities: <access denied>|<access denied to the rest>|WARNING: Cannot show hex-dump)/;
const ODD = /^!!! /;
/** -vmm prints one value in a line. */
const FIELD =
  /^(Class|Vendor|Device|SVendor|SDevice|PhySlot|Rev|ProgIf|Driver|Module|NUMANode|DTNode|IOMMUGroup):\s+(\S.*)$/;
/** Beginnings of lines that are whole only with what the next line holds: before the first capability, and anywhere. */
const PARTS_OF_HEAD =
  /^(?:Control: I\/O[+-].*|Flags: (?:(?!devsel).)*|(?:Region \d: )?Memory at [\da-f]+ \([^)]*|Interrupts?: pin .*)$/;
const PARTS = /^Capabilities: \[[\da-f]{2}\] MSI(?:-X)?: (?:Enable|Mask)[+-].*$/;
/** How lines below a capability look: a label, or flags. */
const DETAIL = /^[A-Za-z][\w /()#-]{0,40}:(?:\s|$)|^[A-Za-z\d<>][\w.-]*[+-](?:[ ,]|$)/;
/** A record of a trace has a task and a CPU. */
const RECORD = /-\d+ +(?:\(.{1,8}\) +)?\[\d{3}\]/;

/** The bits of the Command register in the order in which `Control` prints them. */
const COMMAND_BITS = [
  pciCommand.f.io,
  pciCommand.f.memory,
  pciCommand.f.busMaster,
  pciCommand.f.specialCycles,
  pciCommand.f.mwi,
  pciCommand.f.vgaSnoop,
  pciCommand.f.parity,
  pciCommand.f.wait,
  pciCommand.f.serr,
  pciCommand.f.fastBack,
  pciCommand.f.intxDisable,
];
/** The bits that `Flags` (-v) names where they are set. */
const FLAG_BITS = [
  ['bus master,', pciCommand.f.busMaster],
  ['VGA palette snoop,', pciCommand.f.vgaSnoop],
  ['stepping,', pciCommand.f.wait],
  ['fast Back2Back,', pciCommand.f.fastBack],
] as const;

const on = (sign: string | undefined): boolean => sign === '+';
/** A BDF with its segment: 0000 where lspci leaves it out. */
const bdfOf = (segment: string | undefined, place: string): string => `${segment ?? '0000:'}${place}`;

/** What a line says; undefined: it is none of lspci. */
export function lineOf(text: string, within: Within): Line | typeof BROKEN_OFF | undefined {
  const plain = text.trim();
  const head = headOf(plain);
  if (head !== undefined) return head;
  const line = bodyOf(plain, within, columnsOf(text));
  if (line === undefined || line === BROKEN_OFF || within.open) return line;
  // Without the function, only what nothing else prints is known as a line of lspci.
  const evident = line.kind === 'capability' ? (line.msi ?? line.msix) : line.kind === 'facts' && line.command;
  return evident ? { kind: 'lonely' } : undefined;
}

/** The first line of a function. */
function headOf(plain: string): FunctionLine | undefined {
  const slot = SLOT.exec(plain);
  if (slot !== null) return { kind: 'function', bdf: bdfOf(slot[1], slot[2]!) };
  const m = FUNCTION.exec(plain);
  if (m === null) return undefined;
  const bdf = bdfOf(m[1], m[2]!);
  const rest = m[3]!;
  const numbers = NUMBERS.exec(rest);
  if (numbers !== null) return { kind: 'function', bdf, class: numbers[1]!, vendor: idsOf(numbers[2]!, numbers[3]!) };
  const machine = MACHINE.exec(rest);
  if (machine !== null)
    return { kind: 'function', bdf, class: machine[1]!, model: unescaped(`${machine[2]} ${machine[3]}`) };
  const names = NAMES.exec(rest);
  if (names === null) return undefined;
  const [, name, number, model, vendor, device] = names;
  // Without the file of names lspci prints numbers in words: `Class 0604: Device 1b36:000c`, `Class [0604]: Device [1b36:000c]`.
  const named = name === 'Class' && number !== undefined ? number : name!.replace(/^Class (?=[\da-f]{4}$)/, '');
  const ids = vendor === undefined ? /^Device ([\da-f]{4}):([\da-f]{4})$/.exec(model!) : [model, vendor, device];
  const told = ids === null ? {} : { vendor: idsOf(ids[1]!, ids[2]!) };
  if (vendor === undefined) return { kind: 'function', bdf, class: named, model: model!, ...told };
  // Without -nn the numbers stand in the name of a device that lspci does not know.
  const unknown = model === 'Device' ? ` ${vendor}:${device}` : / Device$/.test(model!) ? ` ${device}` : '';
  return { kind: 'function', bdf, class: named, model: `${model}${unknown}`, ...told };
}

const unescaped = (text: string): string => text.replace(/\\(.)/g, '$1');

/** Vendor and device as they lie in config space. */
const idsOf = (vendor: string, device: string): number => Number.parseInt(device + vendor, 16);

/** Whether a line is the beginning of one that matters. */
const isPart = (plain: string, capability: CapabilityName | undefined): boolean =>
  PARTS.test(plain) || HEX_PART.test(plain) || (capability === undefined && PARTS_OF_HEAD.test(plain));

/** Columns in front of a line; -1 where tabs stand there, as lspci prints them. */
function columnsOf(text: string): number {
  const indent = text.slice(0, text.length - text.trimStart().length);
  return indent.includes('\t') ? TABS : indent.length;
}

const TABS = -1;

function bodyOf(plain: string, within: Within, indent: number): Line | typeof BROKEN_OFF | undefined {
  const control = CONTROL.exec(plain);
  if (control !== null)
    return { kind: 'facts', command: { ...bitsOf(COMMAND_BITS, control.slice(1).map(on)), text: plain } };
  const capability = CAPABILITY.exec(plain);
  const begun =
    capability === null ? undefined : capabilityOf(Number.parseInt(capability[1]!, 16), capability[2]!, indent);
  if (begun !== undefined && (begun.name !== '' || !PARTS.test(plain))) return begun;
  const hex = HEX.exec(plain);
  if (hex !== null && within.open) {
    const bytes = hex[2]!.trim().split(' ');
    return { kind: 'hex', offset: Number.parseInt(hex[1]!, 16), bytes: bytes.map((byte) => Number.parseInt(byte, 16)) };
  }
  if (!within.open) return undefined;
  const { capability: current } = within;
  return (
    (current === undefined ? undefined : detailOf(plain, current)) ??
    factsOf(plain) ??
    (current === undefined ? regionOf(plain) : undefined) ??
    (isPart(plain, current) ? BROKEN_OFF : undefined) ??
    otherOf(plain, indent, within)
  );
}

/** A register of which some bits are told. */
function bitsOf(
  fields: readonly { readonly mask: number; readonly put: (value: number) => number }[],
  values: readonly boolean[],
): { readonly value: number; readonly known: number } {
  let [value, known] = [0, 0];
  fields.forEach((field, i) => {
    known += field.mask;
    value += field.put(Number(values[i]));
  });
  return { value, known };
}

function capabilityOf(at: number, text: string, indent: number): CapabilityLine {
  const begin = { kind: 'capability', at, indent } as const;
  const msi = msiOf(text);
  if (msi !== undefined) return { ...begin, name: 'msi', msi };
  const msix = msixOf(text);
  if (msix !== undefined) return { ...begin, name: 'msix', msix };
  return { ...begin, name: EXTENDED.find(([form]) => form.test(text))?.[1] ?? '' };
}

function msixOf(text: string): CapabilityLine['msix'] {
  const m = MSIX.exec(text);
  const old = m === null ? MSIX_3_0.exec(text) : null;
  const [enable, fmask, count] = m === null ? [old?.[1], old?.[2], old?.[3]] : [m[1], m[3], m[2]];
  const size = Number(count);
  return size >= 1 && size <= MSIX_ENTRIES ? { enable: on(enable), fmask: on(fmask), size } : undefined;
}

function msiOf(text: string): CapabilityLine['msi'] {
  const m = MSI.exec(text);
  if (m !== null)
    return { enable: on(m[1]), granted: Number(m[2]), capable: Number(m[3]), maskable: on(m[4]), wide: on(m[5]) };
  const old = MSI_3_0.exec(text);
  if (old !== null)
    return {
      ...{ maskable: on(old[1]), wide: on(old[2]) },
      ...{ granted: Number(old[3]), capable: Number(old[4]), enable: on(old[5]) },
    };
  const oldest = MSI_2.exec(text);
  if (oldest === null) return undefined;
  const count = (power: string | undefined): number => 2 ** Number(power);
  return {
    ...{ maskable: on(oldest[1]), wide: on(oldest[2]) },
    ...{ granted: count(oldest[3]), capable: count(oldest[4]), enable: on(oldest[5]) },
  };
}

function detailOf(plain: string, capability: CapabilityName): DetailLine | undefined {
  if (capability === 'msi') {
    const message = MESSAGE.exec(plain);
    if (message !== null)
      return { kind: 'message', address: BigInt(`0x${message[1]}`), data: Number.parseInt(message[2]!, 16) };
    const masks = MASKS.exec(plain);
    return masks === null
      ? undefined
      : { kind: 'masks', mask: Number.parseInt(masks[1]!, 16), pending: Number.parseInt(masks[2]!, 16) };
  }
  if (capability === 'msix') {
    const place = PLACE.exec(plain);
    if (place === null) return undefined;
    const kind = place[1] === 'PBA' ? 'pba' : 'table';
    return { kind, bar: Number(place[2]), offset: Number.parseInt(place[3]!, 16) };
  }
  if (capability === '') return undefined;
  const enable = ENABLE.exec(plain);
  if (enable !== null) return { kind: 'enable', enable: on(enable[1]) };
  const vfs = capability === 'sriov' ? VFS.exec(plain) : null;
  return vfs === null ? undefined : { kind: 'vfs', total: Number(vfs[1]), count: Number(vfs[2]) };
}

function factsOf(plain: string): FactsLine | undefined {
  const flags = FLAGS.exec(plain);
  if (flags !== null) {
    const command = bitsOf(
      FLAG_BITS.map(([, field]) => field),
      FLAG_BITS.map(([name]) => flags[1]!.includes(name)),
    );
    const told = (form: RegExp): number | undefined => {
      const found = form.exec(flags[2]!)?.[1];
      return found === undefined ? undefined : Number(found);
    };
    const [irq, node, group] = [/, IRQ (\d{1,7})\b/, /, NUMA node (-?\d{1,5})\b/, /, IOMMU group (\d{1,7})\b/].map(
      told,
    );
    return facts({ command: { ...command, text: plain }, irq, node, group });
  }
  const interrupts = interruptsOf(plain);
  if (interrupts !== undefined) return facts({ ...interrupts });
  const node = NODE.exec(plain);
  if (node !== null) return facts({ node: Number(node[1]) });
  const group = GROUP.exec(plain);
  if (group !== null) return facts({ group: Number(group[1]) });
  const driver = DRIVER.exec(plain);
  return driver === null ? undefined : facts({ driver: driver[1]! });
}

/** Facts that are told; irq 0 is what lspci prints where there is none. */
function facts(all: { readonly [K in keyof Omit<FactsLine, 'kind'>]: FactsLine[K] | undefined }): FactsLine {
  const kept = Object.entries(all).filter(([name, value]) => value !== undefined && !(name === 'irq' && value === 0));
  return { kind: 'facts', ...Object.fromEntries(kept) };
}

function regionOf(plain: string): RegionLine | undefined {
  const rom = ROM.exec(plain);
  const m = rom ?? REGION.exec(plain);
  if (m === null) return undefined;
  const [place, marks] = [m.at(-2)!, m.at(-1)! + m[rom === null ? 2 : 1]!];
  const size = sizeOf(marks);
  const address = place.startsWith('<') ? undefined : BigInt(`0x${place}`);
  // Of a region that only the kernel knows (`virtual`: a virtual function has no BARs of its own), lspci does not tell whether it answers.
  const untold = marks.includes('[virtual]') || /^<(?!unassigned)/.test(place);
  return {
    kind: 'region',
    bar: rom !== null ? ROM_BAR : m[1] === undefined ? undefined : Number(m[1]),
    io: rom === null && m[3] === 'I/O ports',
    address,
    size,
    mapped: untold ? undefined : address !== undefined && !marks.includes('[disabled'),
  };
}

/** The size of a region in its marks; undefined where it is not told, or none that fits 64 bits. */
function sizeOf(marks: string): bigint | undefined {
  const m = SIZE.exec(marks);
  if (m === null) return undefined;
  const size = BigInt(m[1]!) * 1024n ** BigInt(Math.max(0, UNITS.indexOf(m[2] || '_')));
  return size < 1n << 64n ? size : undefined;
}

/** The number of the expansion ROM among the regions. */
const ROM_BAR = 6;

function otherOf(
  plain: string,
  indent: number,
  { capability, indent: outer }: Within,
): OtherLine | FactsLine | undefined {
  const inCapability = capability !== undefined;
  if (REFUSED.test(plain)) return { kind: 'known', name: 'what only root may read' };
  if (ODD.test(plain)) return { kind: 'known', name: 'what lspci found odd' };
  const field = FIELD.exec(plain);
  if (field !== null && !inCapability && indent === 0) return fieldOf(field[1]!, field[2]!);
  const known = KNOWN.exec(plain);
  if (known !== null) return { kind: 'known', name: known[1]! };
  // lspci puts tabs in front; blanks may stand there instead, and in front of other texts too: of these, what looks like a detail is
  // one, and what stands further in than the capability. Where all blanks in front are lost, the capability has none either.
  if (indent === 0 && (!inCapability || outer !== 0)) return undefined;
  const below = inCapability && indent > Math.max(0, outer);
  if (indent !== TABS && ((!below && !DETAIL.test(plain)) || RECORD.test(plain))) return undefined;
  if (inCapability) return { kind: 'known', name: 'detail of a capability' };
  const label = /^([A-Z][\w /-]{0,30}):/.exec(plain)?.[1];
  // Bridge control goes on in a second line.
  if (label === undefined && /^(?:\w+[+-](?: |$))+/.test(plain)) return { kind: 'known', name: 'BridgeCtl' };
  return { kind: 'unknown', name: label ?? 'line without a label' };
}

/** A line of -vmm. */
function fieldOf(name: string, value: string): OtherLine | FactsLine {
  if (name === 'Class') return { kind: 'facts', class: value };
  if (name === 'Driver') return { kind: 'facts', driver: value };
  if (name === 'NUMANode' && /^-?\d{1,5}$/.test(value)) return { kind: 'facts', node: Number(value) };
  if (name === 'IOMMUGroup' && /^\d{1,7}$/.test(value)) return { kind: 'facts', group: Number(value) };
  return { kind: 'known', name };
}
