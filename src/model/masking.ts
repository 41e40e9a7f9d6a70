// What keeps an entry from sending its message: the one description of it, for effects, questions and rules.
import type { ObjectId } from '../base/ids.ts';
import type { ObjectType } from './objects.ts';
import { imsControl } from './registers/ims.ts';
import { MSI_VECTORS, msiControl, msixControl, msixVectorControl, pciCommand } from './registers/pci.ts';
import type { State } from './state.ts';
import { imsEntry } from './things/ims.ts';
import { device, msi, msixCap, msixEntry } from './things/pci.ts';

type Flag = boolean | undefined;

/** Whether objects of a type hold a message and may be masked: MSI-X and IMS entries, MSI capabilities. */
export const isEntry = (type: ObjectType | undefined): boolean =>
  type === msixEntry || type === msi || type === imsEntry;

/** The function (or unknown table) that an MSI-X or IMS entry belongs to, or -1. */
export function ownerOf(state: State, entry: ObjectId): ObjectId {
  return state.world.node(entry)?.parent?.parent?.object ?? -1;
}

/** The function (or unknown table) of an entry or an MSI capability, or -1. */
export const functionOf = (state: State, entry: ObjectId): ObjectId =>
  state.world.type(entry) === msi ? (state.world.node(entry)?.parent?.object ?? -1) : ownerOf(state, entry);

const capabilityOf = (state: State, fn: ObjectId): ObjectId =>
  state.world.node(fn)?.children.get('msixcap')?.object ?? -1;

/** Whether MSI-X is enabled in a function (or table); undefined while not known. */
export function enabledIn(state: State, fn: ObjectId): Flag {
  const cap = capabilityOf(state, fn);
  return cap < 0 ? undefined : msixControl.f.enable.flag(state, cap, msixCap.at.control);
}

/** The function mask of a function (or table); undefined while not known. */
export function functionMaskIn(state: State, fn: ObjectId): Flag {
  const cap = capabilityOf(state, fn);
  return cap < 0 ? undefined : msixControl.f.fmask.flag(state, cap, msixCap.at.control);
}

/**
 * Bus Master Enable of a function; undefined while not known, or for a table. Without it a function writes no memory, and a message is
 * a memory write (PCIe 7.5.1.1.3): that masks no entry, so that no pending bit need keep a cause.
 */
export const mayWrite = (state: State, fn: ObjectId): Flag =>
  state.world.type(fn) === device ? pciCommand.f.busMaster.flag(state, fn, device.at.command) : undefined;

/** How many vectors software granted to an MSI function, 1 to 32 (PCIe 7.7.1.2 Multiple Message Enable); -1 while not known. */
export function grantedVectors(state: State, cap: ObjectId): number {
  const granted = msiControl.f.multipleEnable.get(state, cap, msi.at.control);
  // 6 and 7 are reserved.
  return granted < 0 ? -1 : Math.min(1 << granted, MSI_VECTORS);
}

/**
 * The vector of an MSI function that a message of these words is of: its vectors share the address, and the low bits of data are the
 * vector (PCIe 6.1.4.1). -1 when it is none of them, or cannot be told.
 */
export function msiVectorOf(state: State, cap: ObjectId, lo: number, hi: number, data: number): number {
  const { address, data: at } = msi.at;
  const held = state.num(cap, at);
  if (held < 0 || state.num(cap, address) !== lo || state.num(cap, address + 1) !== hi) return -1;
  const granted = grantedVectors(state, cap);
  if (granted < 0) return data >= held && data < held + MSI_VECTORS ? data - held : -1;
  const vector = data & (granted - 1);
  return data - vector === held - (held & (granted - 1)) ? vector : -1;
}

/** What masks an entry: its capability is disabled, the function mask is set, or its own mask bit is (of MSI that of the vector). */
export type MaskedBy = 'off' | 'function' | 'own';

/** What three bits make of an entry: each alone masks it; `none` only when all are known to be right. */
export function maskedByBits(enabled: Flag, all: Flag, own: Flag): MaskedBy | 'none' | undefined {
  if (enabled === false) return 'off';
  if (all === true) return 'function';
  if (own === true) return 'own';
  return enabled === true && all === false && own === false ? 'none' : undefined;
}

/**
 * What masks an entry, the widest first: of an MSI-X entry MSI-X Enable, Function Mask, its mask bit (PCIe 7.7.2); of an MSI capability
 * MSI Enable and the mask bit of a vector, without `vector` (or -1) those of all vectors in use (PCIe 7.7.1); of an IMS entry its mask bit.
 * `none`: nothing does; undefined while that cannot be told, and for objects of other types.
 */
export function maskedBy(state: State, entry: ObjectId, vector = -1): MaskedBy | 'none' | undefined {
  const type = state.world.type(entry);
  if (type === msixEntry) {
    const cap = capabilityOf(state, ownerOf(state, entry));
    const own = msixVectorControl.f.mask.flag(state, entry, msixEntry.at.control);
    if (cap < 0) return maskedByBits(undefined, undefined, own);
    const known = state.known(cap, msixCap.at.control);
    const control = state.get(cap, msixCap.at.control);
    const { enable, fmask } = msixControl.f;
    return maskedByBits(enable.flagIn(control, known), fmask.flagIn(control, known), own);
  }
  if (type === msi)
    return maskedByBits(
      msiControl.f.enable.flag(state, entry, msi.at.control),
      false,
      msiMaskBit(state, entry, vector),
    );
  return type === imsEntry
    ? maskedByBits(true, false, imsControl.f.mask.flag(state, entry, imsEntry.at.control))
    : undefined;
}

/** Whether anything masks an entry, or a vector of an MSI capability; undefined while that cannot be told (`maskedBy`). */
export function effectivelyMasked(state: State, entry: ObjectId, vector = -1): Flag {
  const by = maskedBy(state, entry, vector);
  return by === undefined ? undefined : by !== 'none';
}

/** The bit of one vector in the mask or pending bits of MSI; undefined while not known. */
function bitOf(state: State, cap: ObjectId, cell: number, vector: number): Flag {
  const bit = 1 << vector;
  return (state.known(cap, cell) & bit) === 0 ? undefined : (state.get(cap, cell) & bit) !== 0;
}

/** The mask bit of a vector of MSI, or whether those of all vectors in use are set (`vector` -1); clear where it has no mask bits. */
export function msiMaskBit(state: State, cap: ObjectId, vector = -1): Flag {
  const { control, mask } = msi.at;
  const maskable = msiControl.f.maskable.flag(state, cap, control);
  if (maskable !== true) return maskable;
  if (vector >= 0) return bitOf(state, cap, mask, vector);
  const granted = grantedVectors(state, cap);
  // Vector 0 is always in use.
  const used = 0xffffffff >>> (MSI_VECTORS - Math.max(1, granted));
  const known = state.known(cap, mask);
  const set = state.get(cap, mask) & known;
  if ((used & known & ~set) !== 0) return false;
  return granted >= 0 && (used & ~set) === 0 ? true : undefined;
}

/** Where the bit stands that masks an entry: an object, and the key below it. */
export function maskPlace(state: State, entry: ObjectId, by: MaskedBy): readonly [object: ObjectId, key: string] {
  if (state.world.type(entry) === msi) return [entry, by === 'off' ? 'control.enable' : 'mask'];
  if (by === 'own') return [entry, 'control.mask'];
  return [capabilityOf(state, ownerOf(state, entry)), by === 'off' ? 'control.enable' : 'control.fmask'];
}

/**
 * The pending bit of an entry, or of a vector of an MSI capability; without `vector` (or -1) whether any of MSI is set. Undefined while
 * not known, and for objects of other types.
 */
export function pendingOf(state: State, entry: ObjectId, vector = -1): Flag {
  const type = state.world.type(entry);
  if (type === msixEntry) return state.flag(entry, msixEntry.at.pending);
  if (type === imsEntry) return state.flag(entry, imsEntry.at.pending);
  if (type !== msi) return undefined;
  const cell = msi.at.pending;
  if (vector >= 0) return bitOf(state, entry, cell, vector);
  if (state.get(entry, cell) !== 0) return true;
  return state.known(entry, cell) === 0 ? undefined : false;
}
