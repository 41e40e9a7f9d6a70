// Which entry of a translation table a message selects: IRTE, event of an ITS, SPI. A message is read by the unit that its function
// stands behind; where several units could be that one, and nothing tells which, it selects none.

import type { ObjectId } from '../base/ids.ts';
import { requesterIn } from './bdf.ts';
import type { Bits } from './field.ts';
import type { MessageKind } from './message.ts';
import type { PathNode } from './namespace.ts';
import { amdData } from './registers/amd.ts';
import { gicv2mSetSpi, itsTranslater } from './registers/its.ts';
import { pciRequester } from './registers/pci.ts';
import { vtdIrte } from './registers/vtd.ts';
import { isInterruptAddress, vtdAddress, vtdData, vtdHandle } from './registers/x86.ts';
import { functionName, namesakesOf } from './segments.ts';
import type { State } from './state.ts';
import { irq } from './things/irq.ts';
import { msi, msixEntry } from './things/pci.ts';
import { irte, its, smmuStream } from './things/remap.ts';
import { anyPresent, messageKind } from './translate.ts';
import { readEntry, sourceAllowed, type VtdConfiguration } from './vtd.ts';

/** The unit of a log of the emulated machine, which has one. The kernel that runs in it calls that unit by another name. */
const EMULATED_UNIT = '0';

const isAmd = (unit: PathNode): boolean => unit.segment.startsWith('amdvi-');

function irteBits(state: State, entry: ObjectId): Bits {
  const cells = [0, 1, 2, 3].map((word) => irte.at.value + word);
  return { words: cells.map((cell) => state.get(entry, cell)), known: cells.map((cell) => state.known(entry, cell)) };
}

/** A unit that remaps and of which nothing else is known. */
const REMAPPING: VtdConfiguration = { enabled: true, eim: null, passes: null, entries: null };

/** Source-id verification failed (VT-d 5.1.4.1). */
const WRONG_SOURCE = 0x26;

/**
 * The fault reason with which an IRTE, as the unit last read it, refuses a message of a requester (-1: not known). Undefined where it does
 * not refuse it, and where bits that decide are not known.
 */
export function refusalOf(state: State, entry: ObjectId, requester: number): number | undefined {
  const reading = readEntry(REMAPPING, irteBits(state, entry), requester, false);
  if (reading.kind !== 'fault' || (reading.reason === WRONG_SOURCE && requester < 0)) return undefined;
  return reading.reason;
}

/**
 * The entry with an index that a message of an object selects. Of several units it is the only one in which such an entry is present
 * that lets the function through (sid, sq and svt of it), or the one whose sid is that function. Where a log of the emulated
 * machine and its kernel both tell of the unit, it is that of the log. A unit serves one PCI segment: of functions of two segments
 * with one requester ID it is not known which one it serves.
 */
function irteAt(state: State, object: ObjectId, index: number): ObjectId {
  const units = [...(state.world.spaceOf(object).find('irte')?.children.values() ?? [])].filter((unit) => !isAmd(unit));
  const name = functionName(state, object);
  if (namesakesOf(state, object, name).length > 0) return -1;
  const requester = requesterIn(name);
  const several = units.filter((unit) => state.present(unit.object)).length > 1;
  const entryIn = (unit: PathNode): ObjectId => unit.children.get(String(index))?.object ?? -1;
  const entries = units.filter((unit) => entryIn(unit) >= 0);
  const present = entries.filter((unit) => state.present(entryIn(unit)));
  if (present.length === 0) return entries.length === 1 ? entryIn(entries[0]!) : -1;
  const allowed = (unit: PathNode): boolean | null =>
    requester < 0 ? null : sourceAllowed(irteBits(state, entryIn(unit)), requester);
  const left = several ? present.filter((unit) => allowed(unit) !== false) : present;
  if (left.length === 1) return entryIn(left[0]!);
  if (left.length === 2) {
    const emulated = left.find(({ segment }) => segment === EMULATED_UNIT);
    if (emulated !== undefined) return entryIn(emulated);
  }
  const own = left.filter(
    (unit) => allowed(unit) === true && vtdIrte.f.svt.get(state, entryIn(unit), irte.at.value) === 1,
  );
  return own.length === 1 ? entryIn(own[0]!) : -1;
}

/** The IRTE of an irq, where the dump of its remapping domain tells the index; -1 otherwise. */
export function irteOfIrq(state: State, object: ObjectId): ObjectId {
  const index = state.num(object, irq.at.irteIndex);
  return index < 0 ? -1 : irteAt(state, object, index);
}

/** Whether the 64-bit value of a key of an object is an address. */
const isAt = (state: State, object: ObjectId, cell: number, lo: number, hi: number): boolean =>
  object >= 0 && state.num(object, cell) === lo && state.num(object, cell + 1) === hi;

const PAGE = 0xfff;

/**
 * What an SMMU makes of an address of a function, as its last access to that page shows; undefined where it shows nothing. An SMMU
 * keeps the offset within the page.
 */
function translated(
  state: State,
  near: ObjectId,
  requester: number,
  lo: number,
): readonly [number, number] | undefined {
  const stream = `stream/0x${requester.toString(16)}`;
  const { iova, output } = smmuStream.at;
  let found: readonly [number, number] | undefined;
  for (const unit of state.world.spaceOf(near).find('smmu')?.children.values() ?? []) {
    const object = state.world.objectAt(`${unit.path}/${stream}`);
    const at = object < 0 ? -1 : state.num(object, iova);
    const [outLo, outHi] = [state.num(object, output), state.num(object, output + 1)];
    if (at < 0 || outLo < 0 || outHi < 0 || (at & ~PAGE) !== (lo & ~PAGE)) continue;
    // Two SMMUs that know the stream tell of two functions.
    if (found !== undefined) return undefined;
    found = [((outLo & ~PAGE) | (lo & PAGE)) >>> 0, outHi];
  }
  return found;
}

/** The only ITS whose doorbell lies at the address of a message, after an SMMU; undefined where that is not known. */
function itsByDoorbell(
  state: State,
  object: ObjectId,
  requester: number,
  lo: number,
  hi: number,
): PathNode | undefined {
  const units = [...(state.world.spaceOf(object).find('its')?.children.values() ?? [])];
  const at = (low: number, high: number): PathNode[] =>
    units.filter((unit) => isAt(state, unit.object, its.at.doorbell, low, high));
  const own = at(lo, hi);
  if (own.length > 0) return own.length === 1 ? own[0] : undefined;
  const out = translated(state, object, requester, lo);
  const behind = out === undefined ? [] : at(...out);
  return behind.length === 1 ? behind[0] : undefined;
}

/** Whether messages of a function are known to go elsewhere than to an address: some are known, and none goes there. */
function sendsElsewhere(state: State, fn: PathNode, lo: number, hi: number): boolean {
  const msix = [...(fn.children.get('msix')?.children.values() ?? [])].map(
    (node) => [node.object, msixEntry.at] as const,
  );
  const capability = fn.children.get('msi')?.object ?? -1;
  const holders = capability < 0 ? msix : [...msix, [capability, msi.at] as const];
  const known = holders.filter(([object, at]) => state.num(object, at.address) > 0);
  return known.length > 0 && known.every(([object, at]) => !isAt(state, object, at.address, lo, hi));
}

/**
 * The device of an ITS that a function is: the one with its requester ID, in the ITS whose doorbell the message goes to, else in the
 * only ITS that knows such a device. What a host bridge of another segment than 0 adds above the 16 bits is a matter of firmware
 * (IORT, msi-map): there the only device whose lower 16 bits fit. A function that shares its requester ID with one of another segment
 * is known by its ITS alone, where the other one goes elsewhere.
 */
function itsDeviceAt(state: State, object: ObjectId, lo: number, hi: number): PathNode | undefined {
  const name = functionName(state, object);
  const requester = requesterIn(name);
  if (requester < 0) return undefined;
  const unit = itsByDoorbell(state, object, requester, lo, hi);
  const others = namesakesOf(state, object, name);
  if (others.length > 0 && (unit === undefined || !others.every((fn) => sendsElsewhere(state, fn, lo, hi))))
    return undefined;
  const units = unit === undefined ? (state.world.spaceOf(object).find('its')?.children.values() ?? []) : [unit];
  const found: PathNode[] = [];
  for (const { children } of units)
    for (const device of devicesOf(children.get('device'), name, requester))
      if (anyPresent(state, device)) found.push(device);
  return found.length === 1 ? found[0] : undefined;
}

/** Devices of an ITS that a function can be. */
function devicesOf(devices: PathNode | undefined, name: string, requester: number): PathNode[] {
  if (devices === undefined) return [];
  const own = devices.children.get(`0x${requester.toString(16)}`);
  if (name.startsWith('0000:')) return own === undefined ? [] : [own];
  const span = 2 ** pciRequester.width;
  return [...devices.children.values()].filter(({ segment }) => Number(segment) % span === requester);
}

/**
 * The entry of a translation table that a message selects, or the SPI that it raises: `irte/<unit>/<index>`,
 * `its/<n>/device/<id>/event/<id>`, `gic/0/spi/<INTID>`; -1 when it selects none, such as a message that holds the vector itself, or
 * when it is not known which.
 * The message is address (two words) and data of an object. `kind`: how messages of its system read.
 */
export function translationOf(
  state: State,
  object: ObjectId,
  address: number,
  data: number,
  kind: MessageKind = messageKind(state, object),
): ObjectId {
  return translationOfMessage(
    state,
    object,
    state.num(object, address),
    state.num(object, address + 1),
    state.num(object, data),
    kind,
  );
}

/** The same for a message of an object that it does not hold as it is: address `lo`, `hi` and data `word`; negative: not known. */
export function translationOfMessage(
  state: State,
  object: ObjectId,
  lo: number,
  hi: number,
  word: number,
  kind: MessageKind = messageKind(state, object),
): ObjectId {
  if (lo < 0 || hi < 0 || word < 0 || (lo === 0 && hi === 0)) return -1;
  const names = state.world.spaceOf(object);
  switch (kind) {
    case 'vtd': {
      if (!isInterruptAddress(lo) || !vtdAddress.f.format.in(lo)) return -1;
      return irteAt(state, object, vtdHandle(lo) + (vtdAddress.f.shv.in(lo) ? vtdData.f.subhandle.of(word) : 0));
    }
    case 'amd': {
      const name = isInterruptAddress(lo) ? functionName(state, object) : '';
      const requester = requesterIn(name);
      if (requester < 0 || namesakesOf(state, object, name).length > 0) return -1;
      return names.objectAt(`irte/amdvi-0x${requester.toString(16)}/${amdData.f.index.of(word)}`);
    }
    case 'its': {
      const device = (lo & 3) === 0 ? itsDeviceAt(state, object, lo, hi) : undefined;
      return device?.children.get('event')?.children.get(String(itsTranslater.f.eventId.of(word)))?.object ?? -1;
    }
    case 'gicv2m':
      return (lo & 3) === 0 ? names.objectAt(`gic/0/spi/${gicv2mSetSpi.f.intid.of(word)}`) : -1;
    case 'x86':
      return -1;
  }
}
