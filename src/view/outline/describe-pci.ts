import { msixVectorControl } from '../../model/registers/pci.ts';
import type { State } from '../../model/state.ts';
import { bar, device, msi, msixCap, msixEntry, table } from '../../model/things/pci.ts';
import { keyValue } from '../../query/view.ts';
import { childObject, type Describers, flag, join, key, list, type Summary, sizeText, text, wide } from './describe.ts';
import { messageTarget, UNKNOWN } from './values.ts';

function describeDevice(state: State, object: number, segment: string): Summary {
  const name = text(state, object, device.at.name);
  const cap = childObject(state, object, 'msixcap');
  const msiObject = childObject(state, object, 'msi');
  const on = (o: number): boolean => o >= 0 && state.present(o) && flag(state, o, 'enable') === true;
  const fmask = on(cap) && flag(state, cap, 'fmask') === true;
  const command = keyValue(state, object, 'command') as { busMaster: boolean | null; memory: boolean | null };
  return {
    label: name === '' ? segment : `${segment} ${name}`,
    description: list(
      on(cap) && `MSI-X on, ${key(state, cap, 'size')} entries`,
      fmask && 'function masked',
      on(msiObject) && 'MSI on',
      command.memory === false && 'memory decode off',
      command.busMaster === false && 'bus master off',
    ),
    icon: 'circuit-board',
  };
}

/** What holds back an entry whose own mask bit is clear. */
function heldBack(state: State, entry: number): string {
  if (flag(state, entry, 'effectivelyMasked') !== true) return '';
  const cap = state.world.node(entry)?.parent?.parent?.children.get('msixcap')?.object ?? -1;
  return cap >= 0 && flag(state, cap, 'enable') === false ? 'MSI-X off' : 'function masked';
}

function describeEntry(state: State, object: number, segment: string): Summary {
  const own = msixVectorControl.f.mask.flag(state, object, msixEntry.at.control) ?? null;
  const held = own === false ? heldBack(state, object) : '';
  const pending = state.flag(object, msixEntry.at.pending) === true;
  const mask = own === null ? 'mask ?' : own ? 'masked' : list('unmasked', held);
  const target = messageTarget(state, object, msixEntry.at.address, msixEntry.at.data);
  return {
    label: `entry ${segment}`,
    description: join(
      `${key(state, object, 'address')} / ${key(state, object, 'data')}`,
      list(mask, pending && 'pending'),
      target !== '' && `→ ${target}`,
    ),
    icon: pending ? 'bell-dot' : own === null ? 'question' : own || held !== '' ? 'bell-slash' : 'bell',
  };
}

function describeMsi(state: State, object: number): Summary {
  const enabled = flag(state, object, 'enable');
  const target = messageTarget(state, object, msi.at.address, msi.at.data);
  return {
    label: 'MSI capability',
    description: join(
      enabled === null ? UNKNOWN : enabled ? 'enabled' : 'off',
      `${key(state, object, 'address')} / ${key(state, object, 'data')}`,
      target !== '' && `→ ${target}`,
    ),
    icon: enabled === true ? 'bell' : enabled === false ? 'bell-slash' : 'question',
  };
}

function describeCap(state: State, object: number): Summary {
  const enabled = flag(state, object, 'enable');
  const mask = flag(state, object, 'fmask');
  return {
    label: 'MSI-X capability',
    description: list(
      enabled === null ? UNKNOWN : enabled ? 'enabled' : 'off',
      mask === true && 'function masked',
      `${key(state, object, 'size')} entries`,
    ),
    icon: 'gear',
  };
}

function describeBar(state: State, object: number, segment: string): Summary {
  const size = state.num(object, bar.at.size);
  const high = state.num(object, bar.at.size + 1);
  const mapped = state.flag(object, bar.at.mapped);
  return {
    label: segment === '6' ? 'expansion ROM' : `BAR ${segment}`,
    description: list(
      wide(state, object, bar.at.address),
      size >= 0 && high >= 0 && sizeText(high * 0x100000000 + size),
      mapped === false && 'not mapped',
    ),
    icon: 'symbol-structure',
  };
}

/** PCI functions and what is in them. */
export const pciDescribers: Describers = [
  [device, describeDevice],
  [bar, describeBar],
  [msixCap, describeCap],
  [msixEntry, describeEntry],
  [msi, describeMsi],
  [table, (_s, _o, segment) => ({ label: `table ${segment}`, description: '', icon: 'table' })],
];
