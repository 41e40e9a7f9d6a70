import type { ObjectId } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import { itsTrans } from '../../model/events/its.ts';
import { irRequest } from '../../model/events/remap.ts';
import { ownerOf } from '../../model/masking.ts';
import { requesterOf } from '../../model/segments.ts';
import type { State } from '../../model/state.ts';
import { msixEntry } from '../../model/things/pci.ts';
import type { Happened } from '../rule.ts';

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

/** What shows that a message arrived at the unit that translates it. */
export const arrivalKinds: readonly EventKind[] = [irRequest, itsTrans];

/** Whether an event of these kinds is the arrival of the message of an entry: it was sent, also where no record shows it on the bus. */
export function arrived(state: State, entry: ObjectId, { kind, words, at }: Happened): boolean {
  const data = state.num(entry, msixEntry.at.data);
  if (data < 0) return false;
  if (kind === irRequest) {
    const { address, data: value } = irRequest.read(words, at);
    return value(0) === data && address(1) * 0x100000000 + address(0) === addressOf(state, entry);
  }
  if (kind !== itsTrans) return false;
  const { event, device } = itsTrans.read(words, at);
  return event === data && device === requesterOf(state, ownerOf(state, entry));
}
