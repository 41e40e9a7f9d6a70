import type { ObjectId } from '../../base/ids.ts';
import { ownerOf } from '../../model/events/msix.ts';
import { msixControl, pciCommand } from '../../model/registers/pci.ts';
import type { State } from '../../model/state.ts';
import { device, msixCap, msixEntry } from '../../model/things/pci.ts';

const NONE: readonly ObjectId[] = [];

/** The MSI-X entries of a function that the trace names, as a list of objects. */
export function entriesOf(state: State, fn: ObjectId): readonly ObjectId[] {
  const children = state.world.node(fn)?.children.get('msix')?.children;
  return children === undefined ? NONE : [...children.values()].map(({ object }) => object).filter((o) => o >= 0);
}

/** The message in an entry as people write it, `0xfee00000/0x21`; undefined while any bit of it is not known. */
export function messageText(state: State, entry: ObjectId): string | undefined {
  const address = addressOf(state, entry);
  const data = state.num(entry, msixEntry.at.data);
  return address < 0 || data < 0 ? undefined : `0x${address.toString(16)}/0x${data.toString(16)}`;
}

/** The message address in an entry; -1 while any bit of it is not known. */
export function addressOf(state: State, entry: ObjectId): number {
  const lo = state.num(entry, msixEntry.at.address);
  const hi = state.num(entry, msixEntry.at.address + 1);
  return lo < 0 || hi < 0 ? -1 : hi * 0x100000000 + lo;
}

/** Bus Master Enable of the function that an entry or capability belongs to; undefined while not known. */
export function mayWrite(state: State, fn: ObjectId): boolean | undefined {
  return state.world.type(fn) === device ? pciCommand.f.busMaster.flag(state, fn, device.at.command) : undefined;
}

/** The function of an entry (or the table while the function is not known), and of the MSI capability. */
export function functionOf(state: State, object: ObjectId): ObjectId {
  return state.world.type(object) === msixEntry
    ? ownerOf(state, object)
    : (state.world.node(object)?.parent?.object ?? -1);
}

/** Whether another entry of the same function holds the same message: a message on the bus does not tell which of them sent it. */
export function shared(state: State, entry: ObjectId): boolean {
  const { address, data } = msixEntry.at;
  return entriesOf(state, ownerOf(state, entry)).some(
    (other) =>
      other !== entry &&
      state.get(other, address) === state.get(entry, address) &&
      state.get(other, address + 1) === state.get(entry, address + 1) &&
      state.num(other, data) === state.num(entry, data),
  );
}

/** Whether MSI-X is enabled in a function (or table); undefined while not known. */
export function enabledIn(state: State, fn: ObjectId): boolean | undefined {
  const cap = state.world.node(fn)?.children.get('msixcap')?.object ?? -1;
  return cap < 0 ? undefined : msixControl.f.enable.flag(state, cap, msixCap.at.control);
}

/** The function mask of a function (or table); undefined while not known. */
export function functionMaskIn(state: State, fn: ObjectId): boolean | undefined {
  const cap = state.world.node(fn)?.children.get('msixcap')?.object ?? -1;
  return cap < 0 ? undefined : msixControl.f.fmask.flag(state, cap, msixCap.at.control);
}
