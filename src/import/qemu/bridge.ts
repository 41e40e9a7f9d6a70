/**
 * Bridges between buses (type 1 header, PCIe Base 7.5.1.3): which buses lie behind one, and the reset of those. The emulator resets
 * them when the bit is set that was not (pci_bridge_write_config of hw/pci/pci_bridge.c); the functions get the reset of
 * a power-up, those of assigned devices too.
 */
import { bytesOver, isBridge } from '../../model/events/config-space.ts';
import { devReset } from '../../model/events/function.ts';
import { bridgeBuses, bridgeControl } from '../../model/registers/pci.ts';
import type { Qemu } from './context.ts';

const BUSES = 0x18;
const CONTROL = 0x3e;

/** What accesses have shown of a bridge. */
interface Bridge {
  /** Its bus numbers, as far as `known` says. */
  buses: number;
  known: number;
  /** The bus behind it is in reset. */
  resets: boolean;
}

const bridges = new WeakMap<Qemu, Map<number, Bridge>>();

function bridgeOf(q: Qemu, dev: number): Bridge {
  let all = bridges.get(q);
  if (all === undefined) bridges.set(q, (all = new Map()));
  let bridge = all.get(dev);
  if (bridge === undefined) all.set(dev, (bridge = { buses: 0, known: 0, resets: false }));
  return bridge;
}

/** The bus number in the path of a function, or -1. */
function busOf(q: Qemu, dev: number): number {
  const bus = /^device\/0000:([0-9a-f]{2}):[0-9a-f]{2}\.[0-7]$/.exec(q.out.world.path(dev))?.[1];
  return bus === undefined ? -1 : Number.parseInt(bus, 16);
}

/** The functions on buses that are known to lie behind a bridge. */
function behind(q: Qemu, dev: number, bridge: Bridge): number[] {
  const { secondary, subordinate } = bridgeBuses.f;
  const first = (bridge.known & secondary.mask) === 0 ? 0 : secondary.of(bridge.buses);
  if (first === 0) return [];
  const last = (bridge.known & subordinate.mask) === 0 ? first : subordinate.of(bridge.buses);
  return q.pci.all().filter((other) => {
    const bus = busOf(q, other);
    return other !== dev && bus >= first && bus <= Math.max(first, last);
  });
}

/** Takes an access of the config space of a function that may be a bridge. Returns the functions that it reset. */
export function bridgeAccess(
  q: Qemu,
  dev: number,
  offset: number,
  size: number,
  value: number,
  write: boolean,
): readonly number[] {
  const touches = (at: number, width: number): boolean => offset < at + width && offset + size > at;
  if (!touches(BUSES, bridgeBuses.width / 8) && !touches(CONTROL, bridgeControl.width / 8)) return [];
  if (!isBridge(q.out.state, dev) || busOf(q, dev) < 0) return [];
  const bridge = bridgeOf(q, dev);
  const { bits, mask } = bytesOver(BUSES, offset, size, value);
  bridge.buses = (bridge.buses & ~mask) | bits;
  bridge.known |= mask;
  const control = bytesOver(CONTROL, offset, size, value);
  const { reset } = bridgeControl.f;
  if ((control.mask & reset.mask) === 0) return [];
  const before = bridge.resets;
  bridge.resets = reset.in(control.bits);
  if (!write || before || !bridge.resets) return [];
  const functions = behind(q, dev, bridge);
  for (const each of functions) {
    // A bridge that was reset knows no buses behind it.
    bridges.get(q)?.delete(each);
    q.emit(devReset.put(), each);
    q.pci.holders.noteFunction(each);
  }
  return functions;
}

/** Width of the registers that only a bridge has at an offset; 0 where it has those of other functions. */
export function bridgeWidth(q: Qemu, dev: number, offset: number): number {
  if (offset < BUSES || !isBridge(q.out.state, dev)) return 0;
  if (offset < BUSES + bridgeBuses.width / 8) return 1;
  return offset === CONTROL ? bridgeControl.width / 8 : 0;
}
