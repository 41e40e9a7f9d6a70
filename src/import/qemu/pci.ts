import { devReset } from '../../model/events/function.ts';
import { barMap, barUnmap, cfgRead, cfgWrite, devSeen, msixCtrl, startsReset } from '../../model/events/pci.ts';
import { vfioMsix, vfioReset } from '../../model/events/vfio.ts';
import { msiControl } from '../../model/registers/pci.ts';
import { device, msi } from '../../model/things/pci.ts';
import { vfioDevice } from '../../model/things/virt.ts';
import { deviceObject } from '../objects.ts';
import type { Captures } from '../pattern.ts';
import { either } from '../rules.ts';
import { functionWithoutBus, joinMapping } from './busless.ts';
import { type Qemu, type QemuRule, rule } from './context.ts';

const COMMAND = 4;
const BAR0 = 0x10;
const BAR5_END = 0x28;

/** How the emulator names the model of an assigned device. */
const ASSIGNED = 'vfio-pci';

/** Smallest size (1, 2, 4) that holds a value. */
const sizeOf = (value: number): number => (value > 0xffff ? 4 : value > 0xff ? 2 : 1);

/** Width of the register at a config offset, as far as it is known; 1 otherwise. */
function registerWidth(q: Qemu, dev: number, offset: number): number {
  if (offset === COMMAND) return 2;
  if (offset >= BAR0 && offset < BAR5_END) return 4;
  const { state } = q.out;
  const msix = state.num(dev, device.at.msixAt);
  if (msix >= 0) {
    if (offset === msix + 2) return 2;
    if (offset === msix + 4 || offset === msix + 8) return 4;
  }
  const at = state.num(dev, device.at.msiAt);
  if (at < 0) return 1;
  if (offset === at + 2) return 2;
  if (offset === at + 4) return 4;
  const cap = q.out.world.node(dev)?.children.get('msi')?.object ?? -1;
  const wide = cap >= 0 && msiControl.f.address64.flag(state, cap, msi.at.control) === true;
  if (offset === at + 8) return wide ? 4 : 2;
  if (offset === at + 0xc) return wide ? 2 : 4;
  return offset > at + 0xc && offset < at + 0x18 && (offset - at) % 4 === 0 ? 4 : 1;
}

/** Notes BARs that only config accesses show: a base written, or the size mask read back after writing all ones. */
function noteBar(q: Qemu, dev: number, offset: number, value: number, write: boolean): void {
  if (q.pci.mapped || offset < BAR0 || offset >= BAR5_END || offset % 4 !== 0) return;
  q.pci.configBar(dev, (offset - BAR0) / 4, value, write);
}

function config(q: Qemu, dev: number, offset: number, size: number, value: number, write: boolean): void {
  const { out } = q;
  const before = out.state.num(dev, device.at.msixAt);
  q.emit((write ? cfgWrite.put() : cfgRead.put()).offset(offset).size(size).value(value), dev);
  noteBar(q, dev, offset, value, write);
  if (write) q.thread.configReset = configReset(q, dev, offset, size, value) ? dev : -1;
  const msixAt = out.state.num(dev, device.at.msixAt);
  if (!write && msixAt >= 0 && (before < 0 || (offset < msixAt + 8 && offset + size > msixAt + 4))) q.pci.tables.bind();
  const cap = out.world.node(dev)?.children.get('msi')?.object ?? -1;
  if (cap >= 0 && out.state.present(cap)) {
    const data = out.state.num(cap, msi.at.data);
    const address = out.state.num(cap, msi.at.address);
    q.pci.holders.note(cap, address, data);
  }
}

/**
 * A config write that starts a Function Level Reset. Of an assigned device the kernel carries it out and puts everything
 * back that the guest has set up (vfio_exp_config_write, pci_try_reset_function), so that nothing changes for the guest.
 */
function configReset(q: Qemu, dev: number, offset: number, size: number, value: number): boolean {
  const { state } = q.out;
  if (!startsReset(state, dev, offset, size, value) || state.text(dev, device.at.name) === ASSIGNED) return false;
  q.emit(devReset.put(), dev);
  q.pci.holders.noteFunction(dev);
  return true;
}

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
  const least = sizeOf(value);
  let size = thread.configSize;
  if (size < least) size = q.sizedConfig && !write ? least : Math.max(least, registerWidth(q, dev, offset));
  thread.configSize = 0;
  thread.readDevice = -1;
  if (write) {
    thread.configDevice = dev;
    thread.configName = name;
    thread.configOffset = offset;
    thread.configValue = value;
    thread.configNoBus = bus < 0;
  } else {
    thread.readDevice = dev;
    thread.readOffset = offset;
    thread.readValue = value;
    thread.readSize = size;
  }
  config(q, dev, offset, size, value, write);
  return undefined;
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
  return only >= 0 ? only : q.object(`device/${name}`);
}

/** The VFIO device with that printed name, tied to the guest's function when a config access just before shows it. */
export function vfioObject(q: Qemu, name: string): number {
  return q.object(`vfio/${name}`);
}

function link(q: Qemu, name: string, offset: number, value: number): void {
  const { thread } = q;
  if (thread.configDevice < 0 || thread.configOffset !== offset || thread.configValue !== value) return;
  if (!q.pci.pair(name, thread.configDevice)) return;
  const { world, state } = q.out;
  q.emit(devSeen.put().host(world.strings.intern(name)), thread.configDevice);
  const host = vfioObject(q, name);
  if (state.num(host, vfioDevice.at.guest) < 0) q.guestOf(host, thread.configDevice);
  for (const read of unlinked.get(q)?.get(name)?.values() ?? []) vfioRead(q, name, read);
  unlinked.get(q)?.delete(name);
}

/** A reset of an assigned device by QEMU: what it had set up with VFIO is undone, and its emulated part is reset too. */
function reset(q: Qemu, host: string, how: string): void {
  q.emit(vfioReset.put().how(q.intern(how)), vfioObject(q, host));
  const guest = q.pci.guestOf(host);
  if (guest < 0) return;
  q.emit(devReset.put(), guest);
  q.pci.holders.noteFunction(guest);
}

/** The devices that share the bus with one that is reset, as far as the records behind it have listed them. */
const neighbours = new WeakMap<Qemu, Set<string>>();
const listed = (q: Qemu): Set<string> => {
  let known = neighbours.get(q);
  if (known === undefined) neighbours.set(q, (known = new Set()));
  return known;
};

const neighbour = (name: string, tail: string): QemuRule =>
  // A tab stands in front of the device; text that was copied may have blanks, or none.
  rule(name, [`\t{dev:w} ${tail}`, `« »« »{dev:w} ${tail}`] as const, (q, _c, s) => {
    listed(q).add(q.text(s.dev));
    return false;
  });

function hotReset(q: Qemu, host: string, result: string): false | undefined {
  const others = [...listed(q)].filter((name) => name !== host && q.out.world.objectAt(`vfio/${name}`) >= 0);
  listed(q).clear();
  if (result !== 'Success') return false;
  for (const name of [host, ...others]) reset(q, name, 'bus');
  return undefined;
}

/** hw/vfio/pci.c: vfio_pci_reset and the ways that it tries; vfio_pci_hot_reset, whom it concerns and what came of it. */
const resets: readonly QemuRule[] = [
  rule('vfio_pci_reset', '« »({dev:s})', (q, _c, s) => reset(q, q.text(s.dev), 'device')),
  rule('vfio_pci_reset_flr', '{dev:w} FLR/VFIO_DEVICE_RESET', (q, _c, s) => reset(q, q.text(s.dev), 'FLR')),
  rule('vfio_pci_reset_pm', '{dev:w} PCI PM Reset', (q, _c, s) => reset(q, q.text(s.dev), 'power management')),
  rule('vfio_pci_hot_reset', '« »({dev:s}) {how:r}', (q, _c, s) => {
    listed(q).clear();
    reset(q, q.text(s.dev), 'bus');
  }),
  neighbour('vfio_pci_hot_reset_dep_devices', 'group {id:d}'),
  neighbour('vfio_pci_hot_reset_dep_devices_iommufd', 'devid {id:d}'),
  neighbour('iommufd_cdev_pci_hot_reset_dep_devices', 'devid {id:d}'),
  rule('vfio_pci_hot_reset_result', '{dev:w} hot reset: {result:r}', (q, _c, s) =>
    hotReset(q, q.text(s.dev), q.text(s.result).trim()),
  ),
];

const where = '{bus:x}:{slot:x}.{fn:x}';

export const pciRules: readonly QemuRule[] = [
  either(
    rule('pci_cfg_write', `{dev:w} ${where} @{at:x} <- {value:x}`, (q, c, s) => cfg(q, c, s, true)),
    rule('pci_cfg_write', '{dev:w} {slot:u}:{fn:u} @{at:x} <- {value:x}', (q, c, s) => cfg(q, c, s, true)),
  ),
  either(
    rule('pci_cfg_read', `{dev:w} ${where} @{at:x} -> {value:x}`, (q, c, s) => cfg(q, c, s, false)),
    rule('pci_cfg_read', '{dev:w} {slot:u}:{fn:u} @{at:x} -> {value:x}', (q, c, s) => cfg(q, c, s, false)),
  ),
  rule('pci_update_mappings_add', `{dev:w} ${where} {bar:u},{address:x}+{size:x}`, (q, c, s) => mapping(q, c, s, true)),
  rule('pci_update_mappings_del', `{dev:w} ${where} {bar:u},{address:x}+{size:x}`, (q, c, s) =>
    mapping(q, c, s, false),
  ),
  rule('msix_write_config', 'dev {dev:w} enabled {enable:u} masked {fmask:u}', (q, c, s) => {
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
  rule(
    'vfio_msix_early_setup',
    '{dev:w} PCI MSI-X CAP @{cap:x}, BAR {bar:u}, offset {offset:x}, entries {entries:u}…',
    (q, c, s) => {
      const object = vfioObject(q, q.text(s.dev));
      q.emit(
        vfioMsix.put().capability(c.lo[s.cap]!).bar(c.lo[s.bar]!).offset(c.lo[s.offset]!).entries(c.lo[s.entries]!),
        object,
      );
    },
  ),
  rule('pci_nvme_pci_reset', 'PCI Function Level Reset', (q) => {
    // After a write of the bit that starts it, the reset was told there.
    if (q.thread.configReset >= 0 && q.pci.nameOf(q.thread.configReset) === 'nvme') return false;
    const only = q.pci.byName('nvme');
    const dev = only >= 0 ? only : q.object('device/nvme');
    q.emit(devReset.put(), dev);
    q.pci.holders.noteFunction(dev);
    return undefined;
  }),
  ...resets,
  rule('vfio_pci_write_config', '« »({dev:s}, @{at:x}, {value:x}, len={size:x})', (q, c, s) => {
    link(q, q.text(s.dev), c.lo[s.at]!, c.lo[s.value]!);
    return false;
  }),
  rule('vfio_pci_read_config', '« »({dev:s}, @{at:x}, len={size:x}) {value:x}', (q, c, s) => {
    const size = c.lo[s.size]!;
    if (size > 4) return false;
    // Where the guest's own reads are printed too, they follow on the same thread, without a size.
    q.thread.configSize = size;
    return q.configReads ? false : vfioRead(q, q.text(s.dev), { offset: c.lo[s.at]!, size, value: c.lo[s.value]! });
  }),
];

/** A config read of an assigned device, with the size that the guest used. */
interface VfioRead {
  readonly offset: number;
  readonly size: number;
  readonly value: number;
}

/** Reads of assigned devices whose function in the guest is not known yet; the last of each offset. */
const unlinked = new WeakMap<Qemu, Map<string, Map<number, VfioRead>>>();

/** What the guest reads from an assigned device becomes known of its function, as soon as that is known. */
function vfioRead(q: Qemu, host: string, read: VfioRead): false | undefined {
  const guest = q.pci.guestOf(host);
  if (guest >= 0) {
    config(q, guest, read.offset, read.size, read.value, false);
    return undefined;
  }
  let hosts = unlinked.get(q);
  if (hosts === undefined) unlinked.set(q, (hosts = new Map()));
  let reads = hosts.get(host);
  if (reads === undefined) hosts.set(host, (reads = new Map()));
  if (read.offset < 0x100) reads.set(read.offset, read);
  return false;
}

/** Logs before QEMU 6.1 print `d=0x…`, a pointer, where later ones print the device model. */
function pointerless(name: string): string {
  return name.startsWith('d=') ? '' : name;
}
