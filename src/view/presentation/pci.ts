import { byName } from '../../base/by-name.ts';
import type { ObjectId } from '../../base/ids.ts';
import { effectivelyMasked, enabledIn, functionMaskIn, maskedBy } from '../../model/masking.ts';
import { msixVectorControl, pciCommand } from '../../model/registers/pci.ts';
import type { State } from '../../model/state.ts';
import type * as things from '../../model/things/pci.ts';
import { bar, device, msi, msixCap, msixEntry } from '../../model/things/pci.ts';
import { keyValue } from '../../query/view.ts';
import { messageTarget, UNKNOWN } from '../values.ts';
import { bitLayer, flagLayer, pending, strip, threeValued } from './layer.ts';
import type { Presentation, PresentationsOf } from './presentation.ts';
import { childObject, flag, join, key, list, sizeText, wide } from './words.ts';

/** The size of an MSI-X table: `1 entry`, `? entries`. */
function entriesText(state: State, cap: ObjectId): string {
  const size = key(state, cap, 'size');
  return `${size} ${size === '1' ? 'entry' : 'entries'}`;
}

function describeDevice(state: State, object: ObjectId): string {
  const cap = childObject(state, object, 'msixcap');
  const msiObject = childObject(state, object, 'msi');
  const on = (o: number): boolean => o >= 0 && state.present(o) && flag(state, o, 'enable') === true;
  const command = keyValue(state, object, 'command') as { busMaster: boolean | null; memory: boolean | null };
  return list(
    on(cap) && `MSI-X on, ${entriesText(state, cap)}`,
    on(cap) && flag(state, cap, 'fmask') === true && 'function masked',
    on(msiObject) && 'MSI on',
    command.memory === false && 'memory decode off',
    command.busMaster === false && 'bus master off',
  );
}

function functionMasked(state: State, object: ObjectId): boolean | undefined {
  if (!state.present(childObject(state, object, 'msixcap'))) return false;
  const enable = enabledIn(state, object);
  const mask = functionMaskIn(state, object);
  return enable === false || mask === false ? false : enable && mask;
}

/** The own mask bit of an entry; undefined when it is not known. */
const maskBit = (state: State, entry: number): boolean | undefined =>
  msixVectorControl.f.mask.flag(state, entry, msixEntry.at.control);

/** What masks an entry whose own mask bit is clear; the empty text if nothing does. */
function heldBack(state: State, entry: number): string {
  const by = maskBit(state, entry) === false ? maskedBy(state, entry) : undefined;
  return by === 'off' ? 'MSI-X off' : by === 'function' ? 'function masked' : '';
}

const isPending = (state: State, entry: number): boolean => state.flag(entry, msixEntry.at.pending) === true;

const deviceView: Presentation = {
  unit: ['device', 'devices'],
  label: (segment) => segment,
  name: device.at.name,
  icon: 'circuit-board',
  describe: describeDevice,
  layers: [
    bitLayer(
      { name: 'bus master', on: 'bus master on', off: 'bus master off', style: 'hold' },
      pciCommand.f.busMaster,
      device.at.command,
    ),
    {
      name: 'function mask',
      on: 'function masked',
      off: 'function not masked',
      style: 'mask',
      place: 'strip',
      value: (state, object) => threeValued(functionMasked(state, object)),
      reads: [msixCap],
    },
  ],
};

const barView: Presentation = {
  unit: ['region', 'regions'],
  label: (segment) => (segment === '6' ? 'expansion ROM' : `BAR ${segment}`),
  icon: 'symbol-structure',
  describe: (state, object) => {
    const size = state.num(object, bar.at.size);
    const high = state.num(object, bar.at.size + 1);
    return list(
      wide(state, object, bar.at.address),
      size >= 0 && high >= 0 && sizeText(high * 0x100000000 + size),
      state.flag(object, bar.at.mapped) === false && 'not mapped',
    );
  },
};

const capView: Presentation = {
  unit: ['capability', 'capabilities'],
  label: () => 'MSI-X capability',
  icon: 'gear',
  describe: (state, object) => {
    const enabled = flag(state, object, 'enable');
    return list(
      enabled === null ? UNKNOWN : enabled ? 'enabled' : 'off',
      flag(state, object, 'fmask') === true && 'function masked',
      entriesText(state, object),
    );
  },
};

const entryView: Presentation = {
  unit: ['entry', 'entries'],
  label: (segment) => `entry ${segment}`,
  alone: (segment) => `MSI-X ${segment}`,
  icon: 'bell',
  signal: (state, object) => {
    const own = maskBit(state, object);
    if (isPending(state, object)) return 'bell-dot';
    if (own === undefined) return 'question';
    return own || heldBack(state, object) !== '' ? 'bell-slash' : 'bell';
  },
  describe: (state, object) => {
    const own = maskBit(state, object);
    const mask = own === undefined ? 'mask ?' : own ? 'masked' : list('unmasked', heldBack(state, object));
    const target = messageTarget(state, object, msixEntry.at.address, msixEntry.at.data);
    return join(
      `${key(state, object, 'address')} / ${key(state, object, 'data')}`,
      list(mask, isPending(state, object) && 'pending'),
      target !== '' && `→ ${target}`,
    );
  },
  layers: [
    {
      name: 'mask',
      on: 'masked',
      off: 'open',
      style: 'mask',
      place: 'band',
      value: (state, object) => threeValued(effectivelyMasked(state, object)),
      reads: [msixCap],
    },
    strip(flagLayer(pending, msixEntry.at.pending)),
  ],
};

const msiView: Presentation = {
  unit: ['capability', 'capabilities'],
  label: () => 'MSI capability',
  alone: () => 'MSI',
  icon: 'bell',
  signal: (state, object) => {
    const enabled = flag(state, object, 'enable');
    return enabled === true ? 'bell' : enabled === false ? 'bell-slash' : 'question';
  },
  describe: (state, object) => {
    const enabled = flag(state, object, 'enable');
    const target = messageTarget(state, object, msi.at.address, msi.at.data);
    return join(
      enabled === null ? UNKNOWN : enabled ? 'enabled' : 'off',
      `${key(state, object, 'address')} / ${key(state, object, 'data')}`,
      target !== '' && `→ ${target}`,
    );
  },
  layers: [
    {
      name: 'mask',
      on: 'masked or off',
      off: 'open',
      style: 'mask',
      place: 'band',
      value: (state, object) => threeValued(effectivelyMasked(state, object)),
      cells: [msi.at.control, msi.at.mask],
    },
  ],
};

/** What importers name after a part of a virtual machine or processor, without knowing which object it is. */
const MENTIONED: Readonly<Record<string, string>> = byName({
  mmio: 'MMIO exits',
  ioapic: 'I/O APIC',
  irqchip: 'interrupt controller',
  irqfd: 'irqfds',
  hypercall: 'hypercalls',
  ipi: 'IPIs',
  injection: 'injections',
  entry: 'entries',
  exit: 'exits',
  bus: 'APIC bus',
});

/** PCI functions and what is in them. */
export const pciPresentations: PresentationsOf<typeof things> = {
  device: deviceView,
  bar: barView,
  msixCap: capView,
  msixEntry: entryView,
  msi: msiView,
  table: {
    unit: ['table', 'tables'],
    label: (segment) => `table ${segment}`,
    icon: 'table',
    describe: () => '',
  },
  mention: {
    unit: ['mention', 'mentions'],
    label: (segment) => MENTIONED[segment] ?? segment,
    icon: 'symbol-misc',
    describe: () => '',
  },
};
