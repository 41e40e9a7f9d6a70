import type { ObjectId } from '../../base/ids.ts';
import { eventKind } from '../event.ts';
import type { State } from '../state.ts';
import { device } from '../things/pci.ts';
import { vfioDevice, vfioVector } from '../things/virt.ts';
import { msiLies, msixLies } from './config-space.ts';
import { resetFunction } from './function.ts';
import { moveBits, moveObject } from './move.ts';

const F = vfioVector.at;

/** A capability lies at that offset, of the device and of the function that the guest sees. */
function capabilityAt(
  state: State,
  host: ObjectId,
  offset: number,
  lies: (state: State, dev: ObjectId, at: number) => void,
): void {
  if (offset < 0x40 || offset > 0xff) return;
  const guest = state.text(host, vfioDevice.at.guest);
  const dev = guest === '' ? -1 : state.here.objectAt(`device/${guest}`);
  lies(state, state.present(dev) && state.world.type(dev) === device ? dev : host, offset);
}

/** VFIO. Object: the device or one of its vectors. */
export const vfioUse = eventKind(
  'vfio.use',
  'configure',
  [vfioVector],
  'QEMU starts or stops using a vector: the guest unmasked or released it. Without `used`: a call changed it, and the trace does not tell how.',
  { used: 'flag?' },
  (state, e, a) => {
    if (a.used !== undefined) state.setFlag(e.object, F.used, a.used);
    else {
      state.touch(e.object);
      state.forget(e.object, F.used);
    }
  },
);

export const vfioRoute = eventKind(
  'vfio.route',
  'configure',
  [vfioVector],
  'A vector got or lost the GSI that its irqfd injects.',
  { virq: 'u?' },
  (state, e, a) => {
    if (a.virq !== undefined) state.set(e.object, F.virq, a.virq);
    else state.forget(e.object, F.virq);
  },
);

export const vfioGuest = eventKind(
  'vfio.guest',
  'look',
  [vfioDevice],
  'The trace shows under which BDF the guest sees an assigned device. With its function: what config accesses told of the device before is known of the function from now on.',
  { guest: 's', device: 'o?' },
  (state, e, a) => {
    state.set(e.object, vfioDevice.at.guest, a.guest);
    if (a.device !== undefined) moveConfig(state, e.object, a.device);
  },
);

/** Moves what config accesses told of a VFIO device to the function that the guest sees. */
function moveConfig(state: State, host: ObjectId, dev: ObjectId): void {
  const { world } = state;
  if (world.type(host) !== vfioDevice || world.type(dev) !== device) return;
  const at = (cell: number): number => state.num(host, cell);
  const [msixAt, msiAt] = [at(vfioDevice.at.msixAt), at(vfioDevice.at.msiAt)];
  for (const key of ['command', 'vendor', 'config'] as const) {
    const spec = vfioDevice.cells.find((c) => c.name === key)!;
    for (let i = 0; i < spec.words; i++) {
      moveBits(state, host, vfioDevice.at[key] + i, dev, device.at[key] + i, true);
      state.forget(host, vfioDevice.at[key] + i);
    }
  }
  for (const [from, to] of [
    ['msixcap', 'msixcap'],
    ['msicap', 'msi'],
  ] as const) {
    const cap = world.node(host)?.children.get(from)?.object ?? -1;
    const type = world.type(cap);
    if (type !== undefined && state.present(cap)) moveObject(state, cap, world.child(type, dev, to), true);
  }
  if (msixAt >= 0) msixLies(state, dev, msixAt);
  if (msiAt >= 0) msiLies(state, dev, msiAt);
  state.forget(host, vfioDevice.at.msixAt);
  state.forget(host, vfioDevice.at.msiAt);
}

export const vfioMode = eventKind(
  'vfio.mode',
  'configure',
  [vfioDevice],
  'An interrupt mode of an assigned device was switched.',
  { mode: 's', enabled: 'flag', vectors: 'u?' },
  (state, e, a) => {
    const mode = state.world.strings.text(a.mode);
    const cell = mode === 'msix' ? vfioDevice.at.msix : mode === 'msi' ? vfioDevice.at.msi : vfioDevice.at.intx;
    if (state.world.type(e.object) === vfioDevice) state.setFlag(e.object, cell, a.enabled);
  },
);

/** Object: the device. */
export const vfioReset = eventKind(
  'vfio.reset',
  'configure',
  [vfioDevice],
  'QEMU resets the device: it uses no vector any more, and MSI-X, MSI and INTx are off until they are set up again. What is known of its config space is reset too.',
  { how: 's' },
  (state, e) => {
    if (state.known(e.object, vfioDevice.at.command) !== 0) resetFunction(state, e.object);
    for (const cell of [vfioDevice.at.msix, vfioDevice.at.msi, vfioDevice.at.intx])
      state.setFlag(e.object, cell, false);
    for (const index of state.world.node(e.object)?.children.values() ?? [])
      for (const { object } of index.children.values()) {
        if (state.world.type(object) !== vfioVector || !state.present(object)) continue;
        if (state.known(object, F.used) !== 0) state.setFlag(object, F.used, false);
        state.forget(object, F.masked);
      }
  },
);

export const vfioMsix = eventKind(
  'vfio.msix',
  'look',
  [vfioDevice],
  'Where the MSI-X capability and table of an assigned device lie on the host, and how many entries it has.',
  { capability: 'x', bar: 'u', offset: 'x', entries: 'u' },
  (state, e, a) => {
    state.set(e.object, vfioDevice.at.tableBar, a.bar);
    capabilityAt(state, e.object, a.capability, msixLies);
    state.set(e.object, vfioDevice.at.tableOffset, a.offset);
    state.set(e.object, vfioDevice.at.entries, a.entries);
  },
);

/** Object: the device. */
export const vfioMsi = eventKind(
  'vfio.msi',
  'look',
  [vfioDevice],
  'Where the MSI capability of an assigned device lies in its config space.',
  { capability: 'x' },
  (state, e, a) => {
    state.touch(e.object);
    capabilityAt(state, e.object, a.capability, msiLies);
  },
);

export const vfioPba = eventKind(
  'vfio.pba',
  'configure',
  [vfioDevice],
  'QEMU starts or stops trapping the pending bit array.',
  { trapped: 'flag' },
  (state, e, a) => {
    if (state.world.type(e.object) === vfioDevice) state.setFlag(e.object, vfioDevice.at.pbaTrapped, a.trapped);
  },
);

export const vfioFire = eventKind(
  'vfio.fire',
  'raise',
  [vfioVector],
  'An interrupt of an assigned device was signalled. With a message: QEMU delivered it itself, not through an irqfd.',
  { irq: 'u?', address: 'xx?', data: 'x?', cause: 'u?' },
  (state, e, a) => {
    if (state.world.type(e.object) !== vfioVector) return;
    const taken = a.has.address;
    if (!taken) state.setFlag(e.object, F.told, true);
    // What QEMU takes was signalled before: it counts where VFIO's own signals are not recorded.
    if (taken && state.flag(e.object, F.told) === true) state.touch(e.object);
    else state.count(e.object, F.fires);
    if (a.irq !== undefined) state.set(e.object, F.irq, a.irq);
  },
);

export const vfioSet = eventKind(
  'vfio.set',
  'configure',
  [],
  'VFIO_DEVICE_SET_IRQS. Flags: bit 0 no data, 1 bool, 2 eventfd, 3 mask, 4 unmask, 5 trigger.',
  { flags: 'x', index: 'u', start: 'u', count: 'u', ret: 'i?', provider: 's?', fd: 'i?' },
);

/** Of real traces, only those with a probe at the return have it; a probe at the entry shows `vfio.set` alone. */
export const vfioReturn = eventKind(
  'vfio.return',
  'call',
  [],
  'VFIO_DEVICE_SET_IRQS returned. Positive: nothing was enabled, so many vectors would be possible.',
  { index: 'u', start: 'u', count: 'u', ret: 'i', provider: 's?' },
);

/** What the kernel holds for a vector. */
export const vfioBind = eventKind(
  'vfio.bind',
  'configure',
  [vfioVector],
  'What serves a vector changed: the eventfd that VFIO signals, the host irq, the entry that sends. An absent argument means that there is none.',
  { backend: 's?', eventfd: 'i?', irq: 'u?', entry: 'o?' },
  (state, e, a) => {
    for (const key of ['backend', 'eventfd', 'irq', 'entry'] as const) {
      const value = a[key];
      if (value !== undefined) state.set(e.object, F[key], value);
      else state.forget(e.object, F[key]);
    }
  },
);

export const vfioMask = eventKind(
  'vfio.mask',
  'mask',
  [vfioVector],
  'VFIO masked or unmasked an interrupt; `by` says why: automask, ioctl, resample.',
  { masked: 'flag', by: 's' },
  (state, e, a) => state.setFlag(e.object, F.masked, a.masked),
);

export const vfioMeta = eventKind(
  'vfio.meta',
  'configure',
  [vfioVector],
  'What the driver of the device holds about a vector besides its message: PASID of the guest, and of the host once that is known.',
  { guestPasid: 'x?', pasid: 'x?', by: 's' },
  (state, e, a) => {
    for (const key of ['guestPasid', 'pasid'] as const) {
      const value = a[key];
      if (value !== undefined) state.set(e.object, F[key], value);
      else state.forget(e.object, F[key]);
    }
  },
);

/** Object: the device. */
export const vfioTrap = eventKind(
  'vfio.trap',
  'call',
  [vfioDevice],
  'A guest access left the guest because its page is not mapped. The arguments tell which register it hit, how often software uses that register, and whether the trap is meant for it.',
  { register: 's', latency: 's', wanted: 'flag', cost: 'u', write: 'flag', offset: 'x' },
  (state, e, a) => state.count(e.object, a.wanted ? vfioDevice.at.traps : vfioDevice.at.collateral),
);

export const vfioIntx = eventKind('vfio.intx', 'raise', [vfioDevice], 'The INTx of an assigned device.', {
  what: 's',
  pin: 's?',
});
export const vfioRegion = eventKind('vfio.region', 'call', [], 'A trapped access to a region of an assigned device.', {
  write: 'flag',
  region: 'u',
  offset: 'xx',
  value: 'xx',
  size: 'u',
});

/** Object: the device, or the function. */
export const layoutLint = eventKind(
  'layout.lint',
  'note',
  [],
  'The layout of a BAR does not keep apart what recommendations keep apart: trapping one structure traps others.',
  { rule: 's', text: 's' },
);

/** Object: the device. One event for each area. */
export const vfioSparse = eventKind(
  'vfio.sparse',
  'configure',
  [vfioDevice],
  'An area of a region that user space may map into the guest (VFIO_REGION_INFO_CAP_SPARSE_MMAP); all else exits.',
  { region: 'u', offset: 'xx', size: 'xx' },
);

export const vfioEvents = [
  layoutLint,
  vfioSparse,
  vfioUse,
  vfioRoute,
  vfioGuest,
  vfioMode,
  vfioReset,
  vfioMsix,
  vfioMsi,
  vfioPba,
  vfioFire,
  vfioSet,
  vfioReturn,
  vfioBind,
  vfioMask,
  vfioMeta,
  vfioTrap,
  vfioIntx,
  vfioRegion,
];
