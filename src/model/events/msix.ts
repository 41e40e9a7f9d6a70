import type { ObjectId } from '../../base/ids.ts';
import { eventKind, type Role } from '../event.ts';
import { effectivelyMasked, enabledIn, grantedVectors, maskedBy, msiVectorOf, ownerOf, pendingOf } from '../masking.ts';
import {
  ENTRY_BYTES,
  MSI_VECTORS,
  MSIX_ENTRIES,
  msixControl,
  msixVectorControl,
  pciCommand,
} from '../registers/pci.ts';
import type { State } from '../state.ts';
import { storeBytes } from '../store.ts';
import { imsEntry } from '../things/ims.ts';
import { device, msi, msixCap, msixEntry, table } from '../things/pci.ts';
import { moveObject } from './move.ts';

const A = msixEntry.at;
const { size: sizeField } = msixControl.f;
const { mask: ownMask } = msixVectorControl.f;

/** Number of entries of a function's MSI-X table, or -1 while unknown. */
export function tableSize(state: State, dev: ObjectId): number {
  const cap = state.world.node(dev)?.children.get('msixcap')?.object ?? -1;
  const size = sizeField.get(state, cap, msixCap.at.control);
  return size < 0 ? -1 : size + 1;
}

/** A pending bit that was seen set is sent and cleared as soon as nothing masks it (PCIe 6.1.4.4). */
function settlePending(state: State, entry: number): void {
  if (state.flag(entry, A.pending) === true && effectivelyMasked(state, entry) === false) {
    state.setFlag(entry, A.pending, false);
  }
}

/** The same for all entries of a function and the vectors of its MSI, after an access of its configuration. */
export function settleFunction(state: State, dev: ObjectId): void {
  const children = state.world.node(dev)?.children;
  const entries = children?.get('msix')?.children;
  if (entries) for (const node of entries.values()) if (node.object >= 0) settlePending(state, node.object);
  const cap = children?.get('msi')?.object ?? -1;
  if (state.world.type(cap) !== msi || pendingOf(state, cap) !== true) return;
  for (let vector = 0; vector < MSI_VECTORS; vector++)
    if (pendingOf(state, cap, vector) === true && maskedBy(state, cap, vector) === 'none')
      setPending(state, cap, vector, false);
}

/** Sets or clears the pending bit of one vector of MSI; those of the others stay as they are. */
function setPending(state: State, cap: ObjectId, vector: number, pending: boolean): void {
  const bit = 1 << vector;
  state.setBits(cap, msi.at.pending, pending ? bit : 0, bit);
}

/**
 * What answered an access (kernel, user space or hardware) and how many returns to user space it cost. Only simulated
 * traces tell this.
 */
const served = { served: 's?', exits: 'u?' } as const;

/** Set when the answer to a read differs from what is stored. Such a read tells nothing about the state. */
const stale = { stale: 'flag?' } as const;

/** What an access of a table tells: where, how much, which bytes. */
interface Access {
  readonly offset: number;
  readonly size: number;
  value(half: number): number;
}

/** Whether only ones were read. */
const readsOnes = ({ size, value }: Access): boolean =>
  size >= 4 && value(0) === 0xffffffff && (size === 4 || value(1) === 0xffffffff);

/**
 * Whether a read of an entry shows that nobody answered it: all ones, which are no data (PCIe 2.3.2). Address bits 1:0 and the reserved bits of
 * Vector Control are 0; what else an entry holds can be all ones, but not while memory decode of the function is off.
 */
export function unanswered(state: State, entry: ObjectId, access: Access): boolean {
  if (!readsOnes(access)) return false;
  const first = access.offset % ENTRY_BYTES;
  if (first === 0 || first + access.size >= ENTRY_BYTES) return true;
  const fn = ownerOf(state, entry);
  return state.world.type(fn) === device && pciCommand.f.memory.flag(state, fn, device.at.command) === false;
}

/** An access of an MSI-X table entry, counted in `counter`. Object: the entry. */
const tableEvent = (name: string, role: Role, meaning: string, counter: number) =>
  eventKind(
    name,
    role,
    [msixEntry],
    meaning,
    { offset: 'x', size: 'u', value: 'xx', ...served, ...stale },
    (state, e, a) => {
      state.count(e.object, counter);
      if (a.stale === true || (role === 'look' && unanswered(state, e.object, a))) return;
      const offset = a.offset % ENTRY_BYTES;
      storeBytes(state, e.object, A.address, ENTRY_BYTES, offset, a.size, a.value(0), a.value(1));
      // A read can show a mask bit that was cleared without a record.
      settlePending(state, e.object);
    },
  );

export const tblWrite = tableEvent(
  'tbl.write',
  'store',
  'Software wrote an MSI-X table entry. Only the bytes written change.',
  A.writes,
);
export const tblRead = tableEvent(
  'tbl.read',
  'look',
  'Software read an MSI-X table entry; the bytes read become known. All ones say that nobody answered.',
  A.reads,
);

/** The device of a table became known. Object: the table. */
export const tblBind = eventKind(
  'tbl.bind',
  'configure',
  [table],
  'The device of an MSI-X table became known: its entries move there, `first` becoming entry 0 of the table.',
  { device: 'o', first: 'i' },
  (state, e, a) => {
    const { world } = state;
    const dev = a.device;
    const shift = a.first | 0;
    if (world.type(dev) !== device) return;
    // A table of which no entry was seen yet is gone like any other: later entries belong to no state before them.
    const from = world.node(e.object)?.children.get('msix')?.children;
    for (const node of [...(from?.values() ?? [])]) {
      if (node.object < 0 || !state.present(node.object)) continue;
      const index = Number(node.segment) - shift;
      if (index >= 0 && index < MSIX_ENTRIES)
        moveObject(state, node.object, world.child(msixEntry, dev, 'msix', index));
      else state.remove(node.object);
    }
    state.touch(dev);
    state.remove(e.object);
  },
);

/** Where the table of a function starts became known. Object: the function. */
export const tblShift = eventKind(
  'tbl.shift',
  'configure',
  [device],
  'The MSI-X table starts elsewhere than the accesses so far let assume: what was taken for entry `first` is entry 0.',
  { first: 'i' },
  (state, e, a) => {
    const shift = a.first | 0;
    const entries = state.world.node(e.object)?.children.get('msix')?.children;
    if (!entries || shift === 0) return;
    // Upwards the highest moves first, downwards the lowest: none lands on one that has yet to move.
    const order = [...entries.values()]
      .filter(({ object, segment }) => state.present(object) && Number.isInteger(Number(segment)))
      .sort((x, y) => (Number(x.segment) - Number(y.segment)) * shift);
    for (const { object, segment } of order) {
      const index = Number(segment) - shift;
      if (index >= 0 && index < MSIX_ENTRIES)
        moveObject(state, object, state.world.child(msixEntry, e.object, 'msix', index));
      else state.remove(object);
    }
  },
);

/** An access fell into a table whose device is not known. Object: the table. */
export const tblSeen = eventKind(
  'tbl.seen',
  'look',
  [table],
  'An MSI-X table was accessed whose device is not known yet.',
  { address: 'xx' },
  (state, e, a) => {
    state.set(e.object, table.at.address, a.address(0));
    state.set(e.object, table.at.address + 1, a.address(1));
  },
);

/** Software read the pending bit array. Object: the function. */
export const pbaRead = eventKind(
  'pba.read',
  'look',
  [device],
  'Software read pending bits, from vector `first` on, 8 per byte.',
  { first: 'u', size: 'u', value: 'xx', ...served, ...stale },
  (state, e, a) => {
    if (a.stale === true) return;
    const size = tableSize(state, e.object);
    const bits = Math.min(8, a.size) * 8;
    for (let i = 0; i < bits; i++) {
      const word = a.value(i >>> 5);
      const set = ((word >>> (i & 31)) & 1) === 1;
      const index = a.first + i;
      if (index >= MSIX_ENTRIES || (size >= 0 && index >= size)) break;
      const entry = state.world.node(e.object)?.children.get('msix')?.children.get(String(index))?.object ?? -1;
      if (set || size >= 0 || state.present(entry))
        state.setFlag(state.world.child(msixEntry, e.object, 'msix', index), A.pending, set);
    }
  },
);

/** A write to the pending bit array, which is read-only. Object: the function. */
export const pbaWrite = eventKind(
  'pba.write',
  'fault',
  [device],
  'Software wrote the pending bit array, which is read-only: undefined.',
  {
    first: 'u',
    size: 'u',
    value: 'xx',
    ...served,
  },
);

/** A cause arose in a device. Object: the entry, the MSI capability, or the function. */
export const devRaise = eventKind(
  'dev.raise',
  'raise',
  [msixEntry, msi, imsEntry, device],
  'The device model reports an interrupt cause. While the vector is masked the pending bit keeps it. With `eventfd` it signals an eventfd: the message comes later, and other messages may come before.',
  { vector: 'u?', cause: 'u?', eventfd: 'flag?' },
  (state, e, a) => {
    const type = state.world.type(e.object);
    if (type === msixEntry) {
      state.count(e.object, A.raises);
      const enabled = enabledIn(state, ownerOf(state, e.object)) === true;
      if (enabled && effectivelyMasked(state, e.object) === true) state.setFlag(e.object, A.pending, true);
    } else if (type === imsEntry) {
      state.count(e.object, imsEntry.at.raises);
      if (effectivelyMasked(state, e.object) === true) state.setFlag(e.object, imsEntry.at.pending, true);
    } else if (type === msi) {
      state.count(e.object, msi.at.raises);
      const vector = a.vector ?? (grantedVectors(state, e.object) === 1 ? 0 : -1);
      if (vector >= 0 && vector < MSI_VECTORS && maskedBy(state, e.object, vector) === 'own')
        setPending(state, e.object, vector, true);
    } else if (type === device) {
      state.count(e.object, device.at.raises);
    }
  },
);

/** The cause of an interrupt went away before its message was sent. Object: as for `dev.raise`. */
export const devWithdraw = eventKind(
  'dev.withdraw',
  'configure',
  [msixEntry, imsEntry],
  'The device no longer has a cause for this vector (software served it by polling): its pending bit is cleared.',
  { cause: 'u?' },
  (state, e) => {
    const cell = state.world.type(e.object) === msixEntry ? A.pending : imsEntry.at.pending;
    if (state.flag(e.object, cell) !== false) state.setFlag(e.object, cell, false);
  },
);

/** A device model starts or stops to use a vector. Object: the entry. */
export const devUse = eventKind(
  'dev.use',
  'mask',
  [msixEntry],
  'The device model starts or stops to use a vector: software switched it on or off at the device. Where no access of the table shows the mask bit, it is taken for that.',
  { used: 'flag' },
  (state, e, a) => {
    state.touch(e.object);
    // With accesses of the table in the trace, the mask bit is what they show.
    if (state.get(e.object, A.writes) + state.get(e.object, A.reads) > 0) return;
    state.setBits(e.object, A.control, a.used ? 0 : ownMask.mask, ownMask.mask);
    settlePending(state, e.object);
  },
);

/** A message write arrived on the bus. Object: the entry that holds this message, when just one does. */
export const msgSend = eventKind(
  'send',
  'message',
  [msixEntry, msi, imsEntry],
  'A message write arrived at an interrupt doorbell. Sender: the requester id, where the trace tells it.',
  { address: 'xx', data: 'x', size: 'u?', requester: 'x?', pasid: 'x?', cause: 'u?' },
  (state, e, a) => {
    const type = state.world.type(e.object);
    if (type === msixEntry) {
      state.count(e.object, A.sends);
      if (state.flag(e.object, A.pending) === true) state.setFlag(e.object, A.pending, false);
    } else if (type === imsEntry) {
      state.count(e.object, imsEntry.at.sends);
      if (state.flag(e.object, imsEntry.at.pending) === true) state.setFlag(e.object, imsEntry.at.pending, false);
    } else if (type === msi) {
      state.count(e.object, msi.at.sends);
      const vector = msiVectorOf(state, e.object, a.address(0), a.address(1), a.data);
      if (vector >= 0 && pendingOf(state, e.object, vector) === true) setPending(state, e.object, vector, false);
    }
  },
);

/** A wired interrupt of a device. Object: the function. */
export const intx = eventKind(
  'dev.intx',
  'raise',
  [device],
  'The device drives its INTx pin.',
  { level: 'flag?' },
  (state, e, a) => {
    if (state.world.type(e.object) !== device) return;
    if (a.level !== false) state.count(e.object, device.at.raises);
  },
);

export const msixEvents = [
  tblWrite,
  tblRead,
  tblBind,
  tblShift,
  tblSeen,
  pbaRead,
  pbaWrite,
  devRaise,
  devWithdraw,
  devUse,
  msgSend,
  intx,
];
