/**
 * Config accesses of QEMU before 6.1, which print the model, the slot and the function, but no bus:
 * `pci_cfg_write nvme 00:0 @0x4 <- 0x506` (hw/pci/trace-events of 2.x to 6.0). The bus is not 0: behind root ports every
 * function is in slot 0 of a bus of its own. What tells the BDF is the mapping event that the emulator prints while it
 * carries out a write of a BAR or of Command (pci_default_write_config calls pci_update_mappings): it follows that write on
 * the same thread. Until then the function is `device/<model>`.
 */
import { slotText } from '../../model/bdf.ts';
import { devBind, devUnsure } from '../../model/events/function.ts';
import { pciBar } from '../../model/registers/pci.ts';
import type { Qemu } from './context.ts';

const COMMAND = 4;
const BAR0 = 0x10;
const BAR_END = 0x28;
const ROM = 0x30;
const BRIDGE_ROM = 0x38;
/** The number that mapping events give the expansion ROM. */
const ROM_BAR = 6;

/** Whether a path of a function ends with that device and function number. */
const isAt = (q: Qemu, object: number, tail: string): boolean => q.out.world.path(object).endsWith(`:${tail}`);

/** Whether a function is known by its BDF, and not only by name. */
const hasBdf = (q: Qemu, object: number): boolean => /:[0-9a-f]{2}\.[0-7]$/.test(q.out.world.path(object));

/**
 * The function that such a record is about: the only one of that model with that number whose BDF is known, else one that
 * goes by the name of the model. Two that differ in their number get different names.
 */
export function functionWithoutBus(q: Qemu, model: string, slot: number, fn: number): number {
  const tail = slotText(slot, fn);
  const numbered = q.pci.named(model).filter((object) => isAt(q, object, tail));
  return numbered.length === 1 ? numbered[0]! : unplaced(q, model, tail);
}

/** Slot and function number of the functions that go by a name, where a record printed them. */
const tails = new WeakMap<Qemu, Map<number, string>>();

function unplaced(q: Qemu, model: string, tail: string): number {
  let known = tails.get(q);
  if (known === undefined) tails.set(q, (known = new Map()));
  const plain = q.object(`device/${model}`);
  const first = known.get(plain);
  if (first === undefined) known.set(plain, tail);
  if (first === undefined || first === tail) return plain;
  const object = q.object(`device/${model}@${tail}`);
  known.set(object, tail);
  return object;
}

/**
 * A mapping event of a function whose BDF it prints. When the config write just before on this thread had no bus and can
 * have caused it, that write was about this function. Returns the model's name then, and whether the write has to be told of
 * this function, because what was told of the other one is not all about this one.
 */
export function joinMapping(
  q: Qemu,
  object: number,
  bar: number,
  base: number | undefined,
): { model: string; again: boolean } | undefined {
  const { thread } = q;
  const from = thread.configDevice;
  if (!thread.configNoBus || from < 0 || from === object) return undefined;
  const name = q.pci.nameOf(object);
  if (name !== '' && name !== thread.configName) return undefined;
  if (!causes(thread.configOffset, thread.configValue, bar, base)) return undefined;
  const path = q.out.world.path(object);
  const tail = tails.get(q)?.get(from);
  if (hasBdf(q, from)) {
    if (!isAt(q, object, q.out.world.path(from).slice(-4))) return undefined;
    // Two functions of one model and number: accesses without a bus may have been about either.
    q.emit(devUnsure.put(), from);
    thread.configDevice = object;
    return { model: thread.configName, again: true };
  }
  if (tail === undefined || !path.endsWith(`:${tail}`)) return undefined;
  const others = q.pci.named(thread.configName).some((f) => f !== from && f !== object && isAt(q, f, tail));
  if (others || name !== '') {
    thread.configDevice = object;
    return { model: thread.configName, again: true };
  }
  q.emit(devBind.put().device(object), from);
  q.moved(from, object);
  tails.get(q)?.delete(from);
  return { model: thread.configName, again: false };
}

/** Whether a config write can have mapped or unmapped a BAR; `base` is where it answers now, undefined when it stopped. */
function causes(offset: number, value: number, bar: number, base: number | undefined): boolean {
  if (offset === COMMAND) return true;
  if (offset === ROM || offset === BRIDGE_ROM) return bar === ROM_BAR;
  if (offset < BAR0 || offset >= BAR_END || offset % 4 !== 0) return false;
  const written = (offset - BAR0) / 4;
  if (written === bar + 1) return base === undefined || Math.floor(base / 0x100000000) === value;
  if (written !== bar || base === undefined) return written === bar;
  const { space, base: address } = pciBar.f;
  // An I/O BAR has its address in bits 31:2.
  const bits = space.in(value) ? (value & ~3) >>> 0 : (value & address.mask) >>> 0;
  return bits === base % 0x100000000;
}
