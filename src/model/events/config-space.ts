import type { ObjectId } from '../../base/ids.ts';
import type { Register } from '../register.ts';
import { writableMask } from '../register.ts';
import {
  advancedFeatures,
  BRIDGE_HEADER,
  CAPABILITY,
  expCapabilities,
  expControl,
  headerType,
  msiAddress,
  msiControl,
  msiData,
  msiMask,
  msixControl,
  pciCommand,
} from '../registers/pci.ts';
import type { State } from '../state.ts';
import { device, msi, msixCap } from '../things/pci.ts';
import { vfioDevice } from '../things/virt.ts';
import { settleFunction } from './msix.ts';

/** Config space offset of the first capability pointer. */
const CAP_POINTER = 0x34;

const maskOf = (register: Register): number => writableMask(register)[0]!;
const COMMAND_RW = maskOf(pciCommand);
const MSIX_RW = maskOf(msixControl);
const MSI_RW = maskOf(msiControl);
const ADDRESS_RW = maskOf(msiAddress);
const DATA_RW = maskOf(msiData);
const MASK_RW = maskOf(msiMask);

const { address64, maskable } = msiControl.f;
/** A config access: byte offset, size in bytes, value, and whether software wrote (then only writable bits change). */
export interface Access {
  readonly offset: number;
  readonly size: number;
  readonly value: number;
  readonly write: boolean;
}

/** Takes the bytes that an access and a register have in common over into the register's cell. */
function overlap(
  state: State,
  object: ObjectId,
  cell: number,
  at: number,
  width: number,
  writable: number,
  access: Access,
): void {
  const from = Math.max(at, access.offset);
  const to = Math.min(at + width, access.offset + access.size);
  if (to <= from) return;
  const bits = (to - from) * 8;
  const field = bits === 32 ? 0xffffffff : (1 << bits) - 1;
  const value = (access.value >>> ((from - access.offset) * 8)) & field;
  const shift = (from - at) * 8;
  // A cell is 32 bits wide: in a 16-bit register the upper half reads as known zero, so that the whole is known.
  const beyond = width === 4 ? 0 : ~((1 << (width * 8)) - 1);
  state.setBits(object, cell, 0, beyond);
  state.setBits(object, cell, value << shift, (field << shift) & (access.write ? writable : 0xffffffff));
}

/**
 * Where an object keeps what config accesses told: a function, or a device of the host that is assigned through VFIO, while the
 * function that the guest sees is not known.
 */
interface ConfigCells {
  readonly command: number;
  readonly vendor: number;
  readonly msixAt: number;
  readonly msiAt: number;
  readonly config: number;
}

/** The cells for that of a function, or of a VFIO device. */
export const cellsOf = (state: State, dev: ObjectId): ConfigCells =>
  state.world.type(dev) === vfioDevice ? vfioDevice.at : device.at;

/** The MSI capability of a function, or of a VFIO device (whose key `msi` says something else). */
export const msiBelow = (state: State, dev: ObjectId): string =>
  state.world.type(dev) === vfioDevice ? 'msicap' : 'msi';

/** A known byte of config space, or -1. */
function configByte(state: State, dev: ObjectId, offset: number): number {
  const cell = cellsOf(state, dev).config + (offset >>> 2);
  const shift = (offset & 3) * 8;
  if (offset > 0xff || ((state.known(dev, cell) >>> shift) & 0xff) !== 0xff) return -1;
  return (state.get(dev, cell) >>> shift) & 0xff;
}

/** Config space offset of the header type. */
const HEADER_TYPE = 0x0e;

/** Whether reads have shown that a function is a bridge between buses. */
export function isBridge(state: State, dev: ObjectId): boolean {
  const type = configByte(state, dev, HEADER_TYPE);
  return type >= 0 && headerType.f.layout.of(type) === BRIDGE_HEADER;
}

/** A known 32-bit run of config space as an access, byte by byte, handed to `use`. */
function replay(state: State, dev: ObjectId, from: number, to: number, use: (access: Access) => void): void {
  for (let offset = from; offset < to; offset++) {
    const value = configByte(state, dev, offset);
    if (value >= 0) use({ offset, size: 1, value, write: false });
  }
}

/** Follows the capability list as far as reads have shown it. */
function walkCapabilities(state: State, dev: ObjectId, use: (at: number, id: number) => void): void {
  let at = configByte(state, dev, CAP_POINTER) & ~3;
  for (let hop = 0; hop < 48 && at >= 0x40; hop++) {
    use(at, configByte(state, dev, at));
    const next = configByte(state, dev, at + 1);
    if (next < 0) return;
    at = next & ~3;
  }
}

/**
 * Notes where MSI and MSI-X lie. Of two capabilities with one ID software uses the first of the list (pci_find_capability); the unit of QEMU's
 * AMD IOMMU has two of MSI.
 */
function findCapabilities(state: State, dev: ObjectId): void {
  const found = new Set<number>();
  walkCapabilities(state, dev, (at, id) => {
    if (found.has(id)) return;
    found.add(id);
    if (id === CAPABILITY.msix) msixLies(state, dev, at);
    else if (id === CAPABILITY.msi) msiLies(state, dev, at);
  });
}

/** Where the MSI-X capability lies is known: what was read there before is of its registers. */
export function msixLies(state: State, dev: ObjectId, at: number): void {
  const cells = cellsOf(state, dev);
  if (state.num(dev, cells.msixAt) === at) return;
  state.set(dev, cells.msixAt, at);
  replay(state, dev, at, at + 12, (access) => msixAccess(state, dev, access));
}

/** The same for MSI. */
export function msiLies(state: State, dev: ObjectId, at: number): void {
  const cells = cellsOf(state, dev);
  if (state.num(dev, cells.msiAt) === at) return;
  state.set(dev, cells.msiAt, at);
  replay(state, dev, at, at + 24, (access) => msiAccess(state, dev, access));
}

/** The bits that an access of config space gives 32 bits of registers at `at`, and which of them it covers. */
export function bytesOver(at: number, offset: number, size: number, value: number): { bits: number; mask: number } {
  let [bits, mask] = [0, 0];
  for (let i = 0; i < Math.min(4, size); i++) {
    const byte = offset + i - at;
    if (byte < 0 || byte > 3) continue;
    bits = bits | (((value >>> (i * 8)) & 0xff) << (byte * 8));
    mask = mask | (0xff << (byte * 8));
  }
  return { bits, mask };
}

/** Offsets in their capabilities. */
const EXP_CAPABILITIES = 4;
const EXP_CONTROL = 8;
const AF_CAPABILITIES = 3;

/**
 * Whether a config write starts a Function Level Reset: it sets the bit for that in Device Control or Advanced Features
 * (PCIe Base 6.6.2), and no read has shown that the function lacks it.
 */
export function startsReset(state: State, dev: ObjectId, offset: number, size: number, value: number): boolean {
  if (offset < 0x40) return false;
  let starts = false;
  const writes = (at: number, bits: number): boolean => (bytesOver(at, offset, size, value).bits & bits) !== 0;
  const lacks = (at: number, bits: number): boolean => {
    for (let i = 0; i < 4; i++) {
      const byte = configByte(state, dev, at + i);
      if (((0xff << (i * 8)) & bits) !== 0) return byte >= 0 && ((byte << (i * 8)) & bits) === 0;
    }
    return false;
  };
  walkCapabilities(state, dev, (at, id) => {
    if (id === CAPABILITY.exp && writes(at + EXP_CONTROL, expControl.f.reset.mask))
      starts ||= !lacks(at + EXP_CAPABILITIES, expCapabilities.f.flr.mask);
    if (id === CAPABILITY.af && writes(at + AF_CAPABILITIES, advancedFeatures.f.reset.mask))
      starts ||= !lacks(at + AF_CAPABILITIES, advancedFeatures.f.flr.mask);
  });
  return starts;
}

function msixAccess(state: State, dev: ObjectId, access: Access): void {
  const at = state.num(dev, cellsOf(state, dev).msixAt);
  if (at < 0 || access.offset + access.size <= at || access.offset >= at + 12) return;
  const cap = state.world.child(msixCap, dev, 'msixcap');
  overlap(state, cap, msixCap.at.control, at + 2, 2, MSIX_RW, access);
  overlap(state, cap, msixCap.at.table, at + 4, 4, 0, access);
  overlap(state, cap, msixCap.at.pba, at + 8, 4, 0, access);
}

function msiAccess(state: State, dev: ObjectId, access: Access): void {
  const at = state.num(dev, cellsOf(state, dev).msiAt);
  if (at < 0 || access.offset + access.size <= at || access.offset >= at + 24) return;
  const cap = state.world.child(msi, dev, msiBelow(state, dev));
  overlap(state, cap, msi.at.control, at + 2, 2, MSI_RW, access);
  overlap(state, cap, msi.at.address, at + 4, 4, ADDRESS_RW, access);
  // Bits 1:0 of the address always read 0 (PCIe Base 7.7.1.3), so that a write makes the whole known.
  if (access.write && access.offset <= at + 4 && access.offset + access.size > at + 4)
    state.setBits(cap, msi.at.address, 0, ~ADDRESS_RW);
  // This decides where the rest lies; while it is unknown, so is what the access meant.
  const wide = address64.flag(state, cap, msi.at.control);
  const masks = maskable.flag(state, cap, msi.at.control);
  if (wide === undefined) return;
  let next = at + 8;
  if (wide) {
    overlap(state, cap, msi.at.address + 1, next, 4, 0xffffffff, access);
    next += 4;
  } else {
    state.set(cap, msi.at.address + 1, 0);
  }
  overlap(state, cap, msi.at.data, next, 2, DATA_RW, access);
  if (masks) {
    overlap(state, cap, msi.at.mask, next + 4, 4, MASK_RW, access);
    overlap(state, cap, msi.at.pending, next + 8, 4, 0, access);
  }
}

/** The effect of a config space access on what is known of a function. */
export function configAccess(state: State, dev: ObjectId, access: Access): void {
  state.touch(dev);
  const cells = cellsOf(state, dev);
  overlap(state, dev, cells.command, 4, 2, COMMAND_RW, access);
  if (!access.write) {
    overlap(state, dev, cells.vendor, 0, 4, 0, access);
    for (let i = 0; i < access.size; i++) {
      const offset = access.offset + i;
      if (offset > 0xff) break;
      const shift = (offset & 3) * 8;
      const value = i < 4 ? (access.value >>> (i * 8)) & 0xff : 0;
      state.setBits(dev, cells.config + (offset >>> 2), value << shift, 0xff << shift);
    }
    if (access.offset < 0x100) findCapabilities(state, dev);
  }
  msixAccess(state, dev, access);
  msiAccess(state, dev, access);
  settleFunction(state, dev);
}
