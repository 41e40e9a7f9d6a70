/**
 * Config space of devices that are assigned through VFIO, as QEMU reads and writes it for the guest, and their resets
 * (hw/vfio/pci.c). The records name the BDF of the host. Where the guest's own accesses are printed too, the one beside
 * tells which function the guest sees.
 */
import { devReset } from '../../model/events/function.ts';
import { devSeen } from '../../model/events/pci.ts';
import { vfioMsi, vfioMsix, vfioReset } from '../../model/events/vfio.ts';
import { vfioDevice } from '../../model/things/virt.ts';
import { ASSIGNED, config } from './config.ts';
import { type Qemu, type QemuRule, rule } from './context.ts';

/** The VFIO device with that printed name. */
export function vfioObject(q: Qemu, name: string): number {
  return q.object(`vfio/${name}`);
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

/** What config accesses of a device are about: the function that the guest sees where it is known, else the device. */
function target(q: Qemu, host: string): number {
  const guest = q.pci.guestOf(host);
  return guest >= 0 ? guest : vfioObject(q, host);
}

/** A config access of the guest and one through VFIO are the same: they tell which function the guest sees. */
function link(q: Qemu, host: string, dev: number): void {
  if (!q.pci.pair(host, dev)) return;
  const { world, state } = q.out;
  q.emit(devSeen.put().host(world.strings.intern(host)), dev);
  const object = vfioObject(q, host);
  if (state.num(object, vfioDevice.at.guest) < 0) {
    q.guestOf(object, dev);
    q.pci.tables.bind();
  }
  q.pci.paired(host);
}

function write(q: Qemu, host: string, offset: number, size: number, value: number): false | undefined {
  const { thread } = q;
  // The guest's own write is printed first, without its size; this is what becomes of it.
  const echo =
    thread.configEcho &&
    thread.configName.startsWith(ASSIGNED) &&
    thread.configOffset === offset &&
    thread.configValue === value;
  thread.configEcho = false;
  if (echo) {
    const known = q.pci.guestOf(host);
    if (known < 0 || known !== thread.configDevice) link(q, host, thread.configDevice);
    return false;
  }
  if (size > 4) return false;
  config(q, target(q, host), offset, size, value, true);
  return undefined;
}

function read(q: Qemu, host: string, offset: number, size: number, value: number): false | undefined {
  const { thread } = q;
  if (size > 4) return false;
  // Where the guest's own reads are printed too, they follow on the same thread, without a size.
  thread.configSize = size;
  thread.vfioHost = host;
  thread.vfioOffset = offset;
  thread.vfioValue = value;
  if (q.configReads) return false;
  config(q, target(q, host), offset, size, value, false);
  return undefined;
}

/** The guest read config space: the access through VFIO just before on this thread tells of which device. */
export function linkRead(q: Qemu, dev: number, name: string, offset: number, value: number): void {
  const { thread } = q;
  if (thread.vfioHost === '') return;
  const host = thread.vfioHost;
  thread.vfioHost = '';
  if (!name.startsWith(ASSIGNED) || thread.vfioOffset !== offset || thread.vfioValue !== value) return;
  if (q.pci.guestOf(host) < 0) link(q, host, dev);
}

export const vfioConfigRules: readonly QemuRule[] = [
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
  rule('vfio_msi_setup', '{dev:w} PCI MSI CAP @{cap:x}', (q, c, s) =>
    q.emit(vfioMsi.put().capability(c.lo[s.cap]!), vfioObject(q, q.text(s.dev))),
  ),
  ...resets,
  rule('vfio_pci_write_config', '« »({dev:s}, @{at:x}, {value:x}, len={size:x})', (q, c, s) =>
    write(q, q.text(s.dev), c.lo[s.at]!, c.lo[s.size]!, c.lo[s.value]!),
  ),
  rule('vfio_pci_read_config', '« »({dev:s}, @{at:x}, len={size:x}) {value:x}', (q, c, s) =>
    read(q, q.text(s.dev), c.lo[s.at]!, c.lo[s.size]!, c.lo[s.value]!),
  ),
];
