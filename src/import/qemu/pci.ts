import { devReset } from '../../model/events/function.ts';
import { barMap, barUnmap, devSeen, msixCtrl } from '../../model/events/pci.ts';
import { deviceObject } from '../objects.ts';
import type { Captures } from '../pattern.ts';
import { either } from '../rules.ts';
import { functionWithoutBus, joinMapping } from './busless.ts';
import { config, registerWidth, sizeOf } from './config.ts';
import { type Qemu, type QemuRule, rule } from './context.ts';
import { linkRead } from './vfioconfig.ts';

/** The function of a config access or mapping line; introduces it on its first appearance. A bus below 0: not printed. */
function functionOf(q: Qemu, name: string, bus: number, slot: number, fn: number): number {
  const object = bus < 0 ? functionWithoutBus(q, name, slot, fn) : deviceObject(q.out.world, bus, slot, fn);
  const isNew = !q.pci.knows(object);
  if (isNew) q.pci.seen(object, name);
  if (isNew || (name !== '' && q.pci.rename(object, name))) {
    const event = devSeen.put();
    if (name !== '') event.name(q.intern(name));
    q.emit(event, object);
  }
  return object;
}

interface MappingSlots {
  readonly dev: number;
  readonly bus: number;
  readonly slot: number;
  readonly fn: number;
  readonly bar: number;
  readonly address: number;
  readonly size: number;
}

function mapping(q: Qemu, c: Captures, s: MappingSlots, add: boolean): void {
  const bar = c.lo[s.bar]!;
  const lo = c.lo[s.address]!;
  const hi = c.hi[s.address]!;
  const base = hi * 0x100000000 + lo;
  const joined = joinMapping(
    q,
    deviceObject(q.out.world, c.lo[s.bus]!, c.lo[s.slot]!, c.lo[s.fn]!),
    bar,
    add ? base : undefined,
  );
  const name = joined?.model ?? pointerless(q.text(s.dev));
  const dev = functionOf(q, name, c.lo[s.bus]!, c.lo[s.slot]!, c.lo[s.fn]!);
  if (joined?.again) {
    const { configOffset, configValue } = q.thread;
    const size = Math.max(sizeOf(configValue), registerWidth(q, dev, configOffset));
    config(q, dev, configOffset, size, configValue, true);
  }
  q.pci.mapped = true;
  q.emit((add ? barMap.put() : barUnmap.put()).bar(bar).address(lo, hi).size(c.lo[s.size]!, c.hi[s.size]!), dev);
  q.pci.map(dev, bar, add ? base : 0, add ? c.hi[s.size]! * 0x100000000 + c.lo[s.size]! : 0);
}

interface ConfigSlots {
  readonly dev: number;
  readonly bus?: number;
  readonly slot: number;
  readonly fn: number;
  readonly at: number;
  readonly value: number;
}

/** How the emulator names the accesses of a bus scan that no function answers. */
const NOBODY = 'empty';

function cfg(q: Qemu, c: Captures, s: ConfigSlots, write: boolean): false | undefined {
  const name = q.text(s.dev);
  if (name === NOBODY) return false;
  if (!write) q.configReads = true;
  const bus = s.bus === undefined ? -1 : c.lo[s.bus]!;
  const offset = c.lo[s.at]!;
  const value = c.lo[s.value]!;
  const slot = c.lo[s.slot]!;
  const fn = c.lo[s.fn]!;
  const dev = functionOf(q, name, bus, slot, fn);
  const { thread } = q;
  if (!write) linkRead(q, dev, name, offset, value);
  const least = sizeOf(value);
  const told = thread.configSize;
  let size = told;
  if (size < least) size = q.sizedConfig && !write ? least : Math.max(least, registerWidth(q, dev, offset));
  thread.configSize = 0;
  thread.readDevice = -1;
  if (write) {
    thread.configDevice = dev;
    thread.configName = name;
    thread.configOffset = offset;
    thread.configValue = value;
    thread.configNoBus = bus < 0;
    thread.configEcho = true;
  } else {
    if (told === 0 && !q.sizedConfig) size = walked(q, dev, offset, size, value);
    thread.readDevice = dev;
    thread.readOffset = offset;
    thread.readValue = value;
    thread.readSize = size;
  }
  config(q, dev, offset, size, value, write);
  return undefined;
}

/** So many reads in a row, each 4 bytes behind the one before, are reads of 4 bytes. */
const WALK = 3;

/**
 * Reads of config space print no size, and a small value does not tell it. A walk through it in steps of 4 bytes does (lspci,
 * the kernel that saves the state of a function): from the third read on they are taken for that, and so are those before.
 */
function walked(q: Qemu, dev: number, offset: number, size: number, value: number): number {
  const { walk } = q.thread;
  const goesOn = walk.device === dev && offset === walk.next && offset % 4 === 0;
  if (!goesOn) {
    walk.length = 0;
    walk.short.length = 0;
  }
  walk.device = dev;
  walk.next = offset + 4;
  walk.length++;
  if (walk.length < WALK) {
    if (size < 4 && offset % 4 === 0) walk.short.push([offset, value]);
    return size;
  }
  for (const [at, short] of walk.short) config(q, dev, at, 4, short, false);
  walk.short.length = 0;
  return 4;
}

/** The memory access behind a config read tells its real size; what it adds becomes known. */
export function refineConfigRead(q: Qemu, size: number, value: number): void {
  const { thread } = q;
  if (thread.readDevice >= 0 && size > thread.readSize && value === thread.readValue && size <= 4) {
    config(q, thread.readDevice, thread.readOffset, size, value, false);
  }
  thread.readDevice = -1;
}

/** `msix_write_config` names only the kind of device; the function is that of the config write just before. */
function msixFunction(q: Qemu, name: string): number {
  const { thread } = q;
  if (thread.configDevice >= 0 && thread.configName === name) return thread.configDevice;
  const only = q.pci.byName(name);
  if (only >= 0) return only;
  q.models.add(name);
  return q.object(`device/${name}`);
}

const where = '{bus:x}:{slot:x}.{fn:x}';

export const pciRules: readonly QemuRule[] = [
  either(
    rule('pci_cfg_write', `{dev:m} ${where} @{at:x} <- {value:x}`, (q, c, s) => cfg(q, c, s, true)),
    rule('pci_cfg_write', '{dev:m} {slot:u}:{fn:u} @{at:x} <- {value:x}', (q, c, s) => cfg(q, c, s, true)),
  ),
  either(
    rule('pci_cfg_read', `{dev:m} ${where} @{at:x} -> {value:x}`, (q, c, s) => cfg(q, c, s, false)),
    rule('pci_cfg_read', '{dev:m} {slot:u}:{fn:u} @{at:x} -> {value:x}', (q, c, s) => cfg(q, c, s, false)),
  ),
  rule('pci_update_mappings_add', `{dev:m} ${where} {bar:u},{address:x}+{size:x}`, (q, c, s) => mapping(q, c, s, true)),
  rule('pci_update_mappings_del', `{dev:m} ${where} {bar:u},{address:x}+{size:x}`, (q, c, s) =>
    mapping(q, c, s, false),
  ),
  rule('msix_write_config', 'dev {dev:m} enabled {enable:u} masked {fmask:u}', (q, c, s) => {
    const enable = c.lo[s.enable]!;
    const fmask = c.lo[s.fmask]!;
    const dev = msixFunction(q, q.text(s.dev));
    q.emit(
      msixCtrl
        .put()
        .enable(enable !== 0)
        .fmask(fmask !== 0),
      dev,
    );
  }),
  rule('pci_nvme_pci_reset', 'PCI Function Level Reset', (q) => {
    // After a write of the bit that starts it, the reset was told there.
    if (q.thread.configReset.some((dev) => q.pci.nameOf(dev) === 'nvme')) return false;
    const only = q.pci.byName('nvme');
    const dev = only >= 0 ? only : q.object('device/nvme');
    q.emit(devReset.put(), dev);
    q.pci.holders.noteFunction(dev);
    return undefined;
  }),
];

/** Logs before QEMU 6.1 print `d=0x…`, a pointer, where later ones print the device model. */
function pointerless(name: string): string {
  return name.startsWith('d=') ? '' : name;
}
