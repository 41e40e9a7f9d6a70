import { eventKind, has } from '../event.ts';
import { imsControl } from '../registers/ims.ts';
import { ENTRY_BYTES } from '../registers/pci.ts';
import { storeBytes } from '../store.ts';
import { imsEntry, permission } from '../things/ims.ts';

const A = imsEntry.at;

/** Write of one dword or qword of an IMS entry. Object: the entry. */
export const imsStore = eventKind(
  'ims.store',
  'store',
  [imsEntry],
  'A message, its control dword or a part of them was stored into an IMS entry. Only the bytes written change.',
  { offset: 'x', size: 'u', value: 'xx', where: 's?', owner: 's?', virq: 'u?' },
  (state, e, at, bit) => {
    const w = e.words;
    const value = e.at + at.value;
    const offset = w[e.at + at.offset]! % ENTRY_BYTES;
    storeBytes(state, e.object, A.address, ENTRY_BYTES, offset, w[e.at + at.size]!, w[value]!, w[value + 1]!);
    state.count(e.object, A.writes);
    if (has(e, bit.where)) state.set(e.object, A.store, w[e.at + at.where]!);
    if (has(e, bit.owner)) state.set(e.object, A.owner, w[e.at + at.owner]!);
    if (has(e, bit.virq)) state.set(e.object, A.virq, w[e.at + at.virq]!);
    // The entry is unmasked and a cause waits: the message is sent now.
    const unmasked = imsControl.f.mask.flag(state, e.object, A.control) === false;
    if (unmasked && state.flag(e.object, A.pending) === true) state.setFlag(e.object, A.pending, false);
  },
);

export const imsFree = eventKind('ims.free', 'allocate', [imsEntry], 'An IMS entry was given back.', {}, (state, e) =>
  state.remove(e.object),
);

/** Object: the function. */
export const imsRefused = eventKind(
  'ims.refused',
  'allocate',
  [],
  'The allocation of an IMS entry failed: -ENOSPC when none is free, else the errno of a parent domain.',
  { owner: 's', ret: 'i' },
);

export const permWrite = eventKind(
  'perm.write',
  'store',
  [permission],
  'An entry of the MSI-X permission table was written.',
  { value: 'xx' },
  (state, e, at) => {
    state.set(e.object, permission.at.value, e.words[e.at + at.value]!);
    state.set(e.object, permission.at.value + 1, e.words[e.at + at.value + 1]!);
  },
);

export const imsEvents = [imsStore, imsFree, imsRefused, permWrite];
