import { hexText } from '../../base/hex.ts';
import type { State } from '../../model/state.ts';
import { msixEntry } from '../../model/things/pci.ts';
import type * as things from '../../model/things/virt.ts';
import {
  kvmEntrySource,
  kvmGsi,
  kvmIrqfd,
  kvmRoute,
  kvmTable,
  kvmVm,
  vcpu,
  vcpuVector,
  vfioDevice,
  vfioVector,
} from '../../model/things/virt.ts';
import { UNKNOWN } from '../values.ts';
import { flagLayer, inService, level, requested, strip, threeValued } from './layer.ts';
import type { Presentation, PresentationsOf } from './presentation.ts';
import { counted, flag, join, key, list, many, number, numbered, told } from './words.ts';

const vfioDeviceView: Presentation = {
  unit: ['device', 'devices'],
  label: (segment) => `VFIO ${segment}`,
  // A recorded ioctl may not tell on which device it was made.
  alone: (segment) => (segment === 'ioctl' ? 'ioctls of unknown devices' : segment),
  icon: 'plug',
  describe: (state, object) => {
    const guest = state.text(object, vfioDevice.at.guest);
    return list(
      guest !== '' && `guest ${guest}`,
      state.flag(object, vfioDevice.at.msix) === true && 'MSI-X',
      state.flag(object, vfioDevice.at.msi) === true && 'MSI',
      state.flag(object, vfioDevice.at.intx) === true && 'INTx',
    );
  },
  layers: [flagLayer({ name: 'MSI-X', on: 'MSI-X on', off: 'MSI-X off', style: 'hold' }, vfioDevice.at.msix)],
};

const vfioVectorView: Presentation = {
  unit: ['vector', 'vectors'],
  label: (segment) => `vector ${segment}`,
  // The interrupt index comes before it.
  alone: (segment) => segment,
  icon: 'bell',
  signal: (state, object) =>
    state.flag(object, vfioVector.at.masked) === true || state.flag(object, vfioVector.at.used) === false
      ? 'bell-slash'
      : 'bell',
  describe: (state, object) => {
    const used = state.flag(object, vfioVector.at.used);
    return list(
      used !== undefined && (used ? 'used' : 'not used'),
      state.flag(object, vfioVector.at.masked) === true && 'masked',
      state.text(object, vfioVector.at.backend),
      told('host irq', state.num(object, vfioVector.at.irq)),
      told('GSI', state.num(object, vfioVector.at.virq)),
      told('eventfd', state.num(object, vfioVector.at.eventfd)),
      state.known(object, vfioVector.at.pasid) !== 0 && `PASID ${hexText(state.get(object, vfioVector.at.pasid))}`,
    );
  },
  layers: [
    flagLayer({ name: 'used', on: 'used', off: 'not used', style: 'hold' }, vfioVector.at.used),
    strip(flagLayer({ name: 'masked', on: 'masked', off: 'not masked', style: 'mask' }, vfioVector.at.masked)),
  ],
};

const vmView: Presentation = {
  unit: ['VM', 'VMs'],
  label: (segment) => `KVM VM ${segment}`,
  alone: (segment) => `VM ${segment}`,
  icon: 'vm',
  describe: (state, object) =>
    list(counted(state, object, kvmVm.at.commits, 'commit'), counted(state, object, kvmVm.at.messages, 'message')),
};

const isOutdated = (state: State, route: number): boolean => flag(state, route, 'current') === false;

const routeView: Presentation = {
  unit: ['route', 'routes'],
  label: (segment) => `GSI ${segment}`,
  alone: (segment) => `route of GSI ${segment}`,
  icon: 'arrow-right',
  signal: (state, object) => (isOutdated(state, object) ? 'warning' : 'arrow-right'),
  describe: (state, object) =>
    join(
      list(state.text(object, kvmRoute.at.device), told('vector', state.num(object, kvmRoute.at.vector))),
      `${key(state, object, 'address')} / ${key(state, object, 'data')}`,
      isOutdated(state, object) && 'outdated',
    ),
  layers: [
    {
      name: 'current',
      on: 'carries what the entry holds',
      off: 'outdated',
      style: 'hold',
      place: 'band',
      value: (state, object) => threeValued(flag(state, object, 'current')),
      reads: [msixEntry],
    },
  ],
};

const irqfdView: Presentation = {
  unit: ['irqfd', 'irqfds'],
  label: (segment) => `GSI ${segment}`,
  alone: (segment) => `irqfd of GSI ${segment}`,
  icon: 'plug',
  describe: (state, object) => {
    const n = (cell: number): string => number(state.num(object, cell));
    return list(
      told('fd', state.num(object, kvmIrqfd.at.fd)),
      state.flag(object, kvmIrqfd.at.resample) === true && 'resample',
      state.flag(object, kvmIrqfd.at.posted) === true &&
        `posted to vCPU ${n(kvmIrqfd.at.vcpu)} vector ${n(kvmIrqfd.at.guestVector)}`,
    );
  },
  layers: [flagLayer({ name: 'posted', on: 'posted', off: 'through the host', style: 'hold' }, kvmIrqfd.at.posted)],
};

const gsiView: Presentation = {
  unit: ['line', 'lines'],
  label: (segment) => `GSI ${segment}`,
  icon: 'plug',
  describe: (state, object) => {
    const high = state.flag(object, kvmGsi.at.level);
    return list(
      high === undefined ? UNKNOWN : high ? 'high' : 'low',
      counted(state, object, kvmGsi.at.changes, 'change'),
    );
  },
  layers: [flagLayer(level, kvmGsi.at.level)],
};

const tableView: Presentation = {
  unit: ['table', 'tables'],
  label: (segment) => `MSI-X table ${segment}`,
  icon: 'table',
  describe: (state, object) => {
    const entries = state.num(object, kvmTable.at.entries);
    return list(
      state.text(object, kvmTable.at.device),
      entries >= 0 && many(entries, 'entry', 'entries'),
      `at ${key(state, object, 'base')}`,
    );
  },
};

/** The GSI of an entry's source, -1 for none; undefined when it is not known. */
const sourceOf = (state: State, entry: number): number | undefined =>
  state.known(entry, kvmEntrySource.at.gsi) === 0 ? undefined : state.get(entry, kvmEntrySource.at.gsi) | 0;

const entrySourceView: Presentation = {
  unit: ['entry', 'entries'],
  label: (segment) => `entry ${segment}`,
  icon: 'bell',
  signal: (state, object) => (sourceOf(state, object) === -1 ? 'bell-slash' : 'bell'),
  describe: (state, object) => {
    const gsi = sourceOf(state, object);
    return list(
      state.flag(object, kvmEntrySource.at.held) === true && 'in KVM',
      gsi !== undefined && (gsi < 0 ? 'no source' : `GSI ${gsi}`),
    );
  },
};

const vcpuView: Presentation = {
  unit: ['vCPU', 'vCPUs'],
  label: (segment) => `vCPU ${segment}`,
  icon: 'chip',
  describe: (state, object) => {
    const inGuest = state.flag(object, vcpu.at.inGuest);
    if (inGuest === undefined) return '';
    return inGuest ? 'in guest' : list('exited', state.text(object, vcpu.at.exitReason));
  },
  layers: [flagLayer({ name: 'in guest', on: 'in the guest', off: 'in the host', style: 'run' }, vcpu.at.inGuest)],
};

const vcpuVectorView: Presentation = {
  unit: ['vector', 'vectors'],
  label: numbered,
  alone: (segment, above) => `${above === 'intid' ? 'INTID' : 'vector'} ${segment}`,
  icon: 'symbol-number',
  signal: (state, object) => {
    if (state.flag(object, vcpuVector.at.inService) === true) return 'play';
    return state.flag(object, vcpuVector.at.requested) === true ? 'bell-dot' : 'symbol-number';
  },
  describe: (state, object) =>
    list(
      state.flag(object, vcpuVector.at.requested) === true && 'requested',
      state.flag(object, vcpuVector.at.inService) === true && 'in service',
      counted(state, object, vcpuVector.at.accepts, 'accept'),
      counted(state, object, vcpuVector.at.taken, 'injection'),
    ),
  layers: [flagLayer(inService, vcpuVector.at.inService), strip(flagLayer(requested, vcpuVector.at.requested))],
};

/** VFIO, KVM and virtual CPUs. */
export const virtPresentations: PresentationsOf<typeof things> = {
  vfioDevice: vfioDeviceView,
  vfioVector: vfioVectorView,
  kvmVm: vmView,
  kvmRoute: routeView,
  kvmIrqfd: irqfdView,
  kvmGsi: gsiView,
  kvmTable: tableView,
  kvmEntrySource: entrySourceView,
  vcpu: vcpuView,
  vcpuVector: vcpuVectorView,
};
