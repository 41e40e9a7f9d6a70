import { eventKind, type Role } from '../event.ts';
import { beyondMask } from '../register.ts';
import { msixControl, msixControlBits } from '../registers/pci.ts';
import { bar, device, msixCap } from '../things/pci.ts';
import { vfioDevice } from '../things/virt.ts';
import { configAccess } from './config-space.ts';
import { settleFunction } from './msix.ts';

const { enable, fmask } = msixControl.f;
/** What a write of Message Control is known to leave: enable, function mask, and zeros beyond the register. */
const CONTROL_KNOWN = (enable.mask | fmask.mask | beyondMask(msixControl)) >>> 0;

/** An access of a function's config space. Object: the function, or the device of VFIO behind it. */
const configEvent = (name: string, role: Role, meaning: string, write: boolean) =>
  eventKind(name, role, [device, vfioDevice], meaning, { offset: 'x', size: 'u', value: 'x' }, (state, e, a) => {
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
