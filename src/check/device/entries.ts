import type { ObjectId } from '../../base/ids.ts';
import { ownerOf } from '../../model/masking.ts';
import type { State } from '../../model/state.ts';
import { msixEntry } from '../../model/things/pci.ts';

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
