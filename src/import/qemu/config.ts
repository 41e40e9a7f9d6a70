import { cellsOf, isBridge, msiBelow, startsReset } from '../../model/events/config-space.ts';
import { devReset } from '../../model/events/function.ts';
import { cfgRead, cfgWrite } from '../../model/events/pci.ts';
import { msiControl } from '../../model/registers/pci.ts';
import { device, msi } from '../../model/things/pci.ts';
import { bridgeAccess, bridgeWidth } from './bridge.ts';
import type { Qemu } from './context.ts';

const COMMAND = 4;
const BAR0 = 0x10;
const BAR5_END = 0x28;
/** A bridge has two BARs. */
const BRIDGE_BARS_END = 0x18;

/** How the emulator names the model of an assigned device. */
export const ASSIGNED = 'vfio-pci';

/** Smallest size (1, 2, 4) that holds a value. */
export const sizeOf = (value: number): number => (value > 0xffff ? 4 : value > 0xff ? 2 : 1);

/** Where the BARs of a function end. */
const barsEnd = (q: Qemu, dev: number): number => (isBridge(q.out.state, dev) ? BRIDGE_BARS_END : BAR5_END);

/** Width of the register at a config offset, as far as it is known; 1 otherwise. */
export function registerWidth(q: Qemu, dev: number, offset: number): number {
  if (offset === COMMAND) return 2;
  const { state } = q.out;
  const ofBridge = bridgeWidth(q, dev, offset);
  if (ofBridge > 0) return ofBridge;
  if (offset >= BAR0 && offset < barsEnd(q, dev)) return 4;
  const cells = cellsOf(state, dev);
  const msix = state.num(dev, cells.msixAt);
  if (msix >= 0) {
    if (offset === msix + 2) return 2;
    if (offset === msix + 4 || offset === msix + 8) return 4;
  }
  const at = state.num(dev, cells.msiAt);
  if (at < 0) return 1;
  if (offset === at + 2) return 2;
  if (offset === at + 4) return 4;
  const cap = q.out.world.node(dev)?.children.get(msiBelow(q.out.state, dev))?.object ?? -1;
  const wide = cap >= 0 && msiControl.f.address64.flag(state, cap, msi.at.control) === true;
  if (offset === at + 8) return wide ? 4 : 2;
  if (offset === at + 0xc) return wide ? 2 : 4;
  return offset > at + 0xc && offset < at + 0x18 && (offset - at) % 4 === 0 ? 4 : 1;
}

/** Notes BARs that only config accesses show: a base written, or the size mask read back after writing all ones. */
function noteBar(q: Qemu, dev: number, offset: number, value: number, write: boolean): void {
  if (q.pci.mapped || offset < BAR0 || offset >= barsEnd(q, dev) || offset % 4 !== 0) return;
  q.pci.configBar(dev, (offset - BAR0) / 4, value, write);
}

export function config(q: Qemu, dev: number, offset: number, size: number, value: number, write: boolean): void {
  const { out } = q;
  const cell = cellsOf(out.state, dev).msixAt;
  const before = out.state.num(dev, cell);
  q.emit((write ? cfgWrite.put() : cfgRead.put()).offset(offset).size(size).value(value), dev);
  noteBar(q, dev, offset, value, write);
  const reset = bridgeAccess(q, dev, offset, size, value, write);
  if (write) q.thread.configReset = configReset(q, dev, offset, size, value) ? [dev] : reset;
  const msixAt = out.state.num(dev, cell);
  if (!write && msixAt >= 0 && (before < 0 || (offset < msixAt + 8 && offset + size > msixAt + 4))) q.pci.tables.bind();
  const cap = out.world.node(dev)?.children.get(msiBelow(q.out.state, dev))?.object ?? -1;
  if (cap >= 0 && out.state.present(cap)) {
    const data = out.state.num(cap, msi.at.data);
    const address = out.state.num(cap, msi.at.address);
    q.pci.holders.note(cap, address, data);
  }
}

/** Whether a function is one of the host that is assigned through VFIO. */
function isAssigned(q: Qemu, dev: number): boolean {
  const { state, world } = q.out;
  return world.type(dev) !== device || state.text(dev, device.at.name).startsWith(ASSIGNED);
}

/**
 * A config write that starts a Function Level Reset. Of an assigned device the kernel carries it out and puts everything
 * back that the guest has set up (vfio_exp_config_write, pci_try_reset_function), so that nothing changes for the guest.
 */
function configReset(q: Qemu, dev: number, offset: number, size: number, value: number): boolean {
  const { state } = q.out;
  if (!startsReset(state, dev, offset, size, value) || isAssigned(q, dev)) return false;
  q.emit(devReset.put(), dev);
  q.pci.holders.noteFunction(dev);
  return true;
}
