import { eventKind, type Role } from '../event.ts';
import type { Register } from '../register.ts';
import { beyondMask, writableMask } from '../register.ts';
import {
  advancedFeatures,
  CAPABILITY,
  expCapabilities,
  expControl,
  msiAddress,
  msiControl,
  msiData,
  msiMask,
  msixControl,
  msixControlBits,
  pciCommand,
} from '../registers/pci.ts';
import type { State } from '../state.ts';
import { bar, device, msi, msixCap } from '../things/pci.ts';
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

const { enable, fmask } = msixControl.f;
const { address64, maskable } = msiControl.f;
/** What a write of Message Control is known to leave: enable, function mask, and zeros beyond the register. */
const CONTROL_KNOWN = (enable.mask | fmask.mask | beyondMask(msixControl)) >>> 0;

/** A config access: byte offset, size in bytes, value, and whether software wrote (then only writable bits change). */
interface Access {
  readonly offset: number;
  readonly size: number;
  readonly value: number;
  readonly write: boolean;
}

/** Takes the bytes that an access and a register have in common over into the register's cell. */
function overlap(
  state: State,
  object: number,
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

/** A known byte of config space, or -1. */
function configByte(state: State, dev: number, offset: number): number {
  const cell = device.at.config + (offset >>> 2);
  const shift = (offset & 3) * 8;
  if (offset > 0xff || ((state.known(dev, cell) >>> shift) & 0xff) !== 0xff) return -1;
  return (state.get(dev, cell) >>> shift) & 0xff;
}

/** A known 32-bit run of config space as an access, byte by byte, handed to `use`. */
function replay(state: State, dev: number, from: number, to: number, use: (access: Access) => void): void {
  for (let offset = from; offset < to; offset++) {
    const value = configByte(state, dev, offset);
    if (value >= 0) use({ offset, size: 1, value, write: false });
  }
}

/** Follows the capability list as far as reads have shown it. */
function walkCapabilities(state: State, dev: number, use: (at: number, id: number) => void): void {
  let at = configByte(state, dev, CAP_POINTER) & ~3;
  for (let hop = 0; hop < 48 && at >= 0x40; hop++) {
    use(at, configByte(state, dev, at));
    const next = configByte(state, dev, at + 1);
    if (next < 0) return;
    at = next & ~3;
  }
}

/** Notes where MSI and MSI-X lie. */
function findCapabilities(state: State, dev: number): void {
  walkCapabilities(state, dev, (at, id) => {
    if (id === CAPABILITY.msix && state.num(dev, device.at.msixAt) !== at) {
      state.set(dev, device.at.msixAt, at);
      replay(state, dev, at, at + 12, (access) => msixAccess(state, dev, access));
    } else if (id === CAPABILITY.msi && state.num(dev, device.at.msiAt) !== at) {
      state.set(dev, device.at.msiAt, at);
      replay(state, dev, at, at + 24, (access) => msiAccess(state, dev, access));
    }
  });
}

/** Offsets in their capabilities. */
const EXP_CAPABILITIES = 4;
const EXP_CONTROL = 8;
const AF_CAPABILITIES = 3;

/**
 * Whether a config write starts a Function Level Reset: it sets the bit for that in Device Control or Advanced Features
 * (PCIe Base 6.6.2), and no read has shown that the function lacks it.
 */
export function startsReset(state: State, dev: number, offset: number, size: number, value: number): boolean {
  if (offset < 0x40) return false;
  let starts = false;
  /** Whether the write covers a register at `at`, of which bit by bit `mask` is set. */
  const writes = (at: number, bits: number): boolean => {
    for (let i = 0; i < 2; i++) {
      const from = at + i - offset;
      const byte = from >= 0 && from < size ? (value >>> (from * 8)) & 0xff : 0;
      if (((byte << (i * 8)) & bits) !== 0) return true;
    }
    return false;
  };
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

function msixAccess(state: State, dev: number, access: Access): void {
  const at = state.num(dev, device.at.msixAt);
  if (at < 0 || access.offset + access.size <= at || access.offset >= at + 12) return;
  const cap = state.world.child(msixCap, dev, 'msixcap');
  overlap(state, cap, msixCap.at.control, at + 2, 2, MSIX_RW, access);
  overlap(state, cap, msixCap.at.table, at + 4, 4, 0, access);
  overlap(state, cap, msixCap.at.pba, at + 8, 4, 0, access);
}

function msiAccess(state: State, dev: number, access: Access): void {
  const at = state.num(dev, device.at.msiAt);
  if (at < 0 || access.offset + access.size <= at || access.offset >= at + 24) return;
  const cap = state.world.child(msi, dev, 'msi');
  overlap(state, cap, msi.at.control, at + 2, 2, MSI_RW, access);
  overlap(state, cap, msi.at.address, at + 4, 4, ADDRESS_RW, access);
  // These two decide where the rest lies; while one is unknown, so is what the access meant.
  const wide = address64.flag(state, cap, msi.at.control);
  const masks = maskable.flag(state, cap, msi.at.control);
  if (wide === undefined || masks === undefined) return;
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
function configAccess(state: State, dev: number, access: Access): void {
  state.touch(dev);
  overlap(state, dev, device.at.command, 4, 2, COMMAND_RW, access);
  if (!access.write) {
    overlap(state, dev, device.at.vendor, 0, 4, 0, access);
    for (let i = 0; i < access.size; i++) {
      const offset = access.offset + i;
      if (offset > 0xff) break;
      const shift = (offset & 3) * 8;
      const value = i < 4 ? (access.value >>> (i * 8)) & 0xff : 0;
      state.setBits(dev, device.at.config + (offset >>> 2), value << shift, 0xff << shift);
    }
    if (access.offset < 0x100) findCapabilities(state, dev);
  }
  msixAccess(state, dev, access);
  msiAccess(state, dev, access);
  settleFunction(state, dev);
}

/** An access of a function's config space. Object: the function. */
const configEvent = (name: string, role: Role, meaning: string, write: boolean) =>
  eventKind(name, role, [device], meaning, { offset: 'x', size: 'u', value: 'x' }, (state, e, a) => {
    const size = Math.min(4, a.size);
    configAccess(state, e.object, { offset: a.offset, size, value: a.value, write });
  });

export const cfgWrite = configEvent(
  'cfg.write',
  'store',
  'Software wrote config space. Only bits that software may write change.',
  true,
);
export const cfgRead = configEvent(
  'cfg.read',
  'look',
  'Software read config space; what it read becomes known.',
  false,
);

export const devSeen = eventKind(
  'dev.seen',
  'look',
  [device],
  'The trace names a function; nothing else is said of it. Host BDF: of the function behind an assigned device.',
  { name: 's?', host: 's?' },
  (state, e, a) => {
    state.touch(e.object);
    if (a.name !== undefined) state.set(e.object, device.at.name, a.name);
    if (a.host !== undefined) state.set(e.object, device.at.vfio, a.host);
  },
);

export const barMap = eventKind(
  'bar.map',
  'configure',
  [device],
  'A base address register became visible at an address.',
  { bar: 'u', address: 'xx', size: 'xx' },
  (state, e, a) => {
    state.touch(e.object);
    const object = state.world.child(bar, e.object, 'bar', a.bar);
    state.set(object, bar.at.address, a.address(0));
    state.set(object, bar.at.address + 1, a.address(1));
    state.set(object, bar.at.size, a.size(0));
    state.set(object, bar.at.size + 1, a.size(1));
    state.setFlag(object, bar.at.mapped, true);
  },
);

export const barUnmap = eventKind(
  'bar.unmap',
  'configure',
  [device],
  'A base address register stopped answering (memory decode off, or the BAR is about to move).',
  { bar: 'u', address: 'xx', size: 'xx' },
  (state, e, a) => {
    state.touch(e.object);
    state.setFlag(state.world.child(bar, e.object, 'bar', a.bar), bar.at.mapped, false);
  },
);

export const msixCtrl = eventKind(
  'msix.ctrl',
  'configure',
  [device],
  'MSI-X enable and function mask of a function, as they are after a write of Message Control.',
  { enable: 'flag', fmask: 'flag' },
  (state, e, a) => {
    state.touch(e.object);
    const cap = state.world.child(msixCap, e.object, 'msixcap');
    const value = msixControlBits(a.enable, a.fmask);
    state.setBits(cap, msixCap.at.control, value, CONTROL_KNOWN);
    settleFunction(state, e.object);
  },
);

export const pciEvents = [cfgWrite, cfgRead, devSeen, barMap, barUnmap, msixCtrl];
