import { eventKind, has } from '../event.ts';
import { imsControl } from '../registers/ims.ts';
import { postedControl } from '../registers/posted.ts';
import { storeBytes } from '../store.ts';
import { grant, imsEntry, ioas, ioasMap, permission, piDescriptor, queue, vmsi } from '../things/ims.ts';
import { domain, irq } from '../things/irq.ts';
import { queueUser } from '../things/queue.ts';

const A = imsEntry.at;
const Q = queue.at;
const { on } = postedControl.f;
/** Bytes of an IMS entry: address, data and control. */
const ENTRY = 16;

/** Write of one dword or qword of an IMS entry. Object: the entry. */
export const imsStore = eventKind(
  'ims.store',
  [imsEntry],
  'A message, its control dword or a part of them was stored into an IMS entry. Only the bytes written change.',
  { offset: 'x', size: 'u', value: 'xx', where: 's?', owner: 's?', virq: 'u?' },
  (state, e, at, bit) => {
    const w = e.words;
    const value = e.at + at.value;
    const offset = w[e.at + at.offset]! % ENTRY;
    storeBytes(state, e.object, A.address, ENTRY, offset, w[e.at + at.size]!, w[value]!, w[value + 1]!);
    state.count(e.object, A.writes);
    if (has(e, bit.where)) state.set(e.object, A.store, w[e.at + at.where]!);
    if (has(e, bit.owner)) state.set(e.object, A.owner, w[e.at + at.owner]!);
    if (has(e, bit.virq)) state.set(e.object, A.virq, w[e.at + at.virq]!);
    // Unmasked with a cause waiting: it is sent now.
    const unmasked = imsControl.f.mask.flag(state, e.object, A.control) === false;
    if (unmasked && state.flag(e.object, A.pending) === true) state.setFlag(e.object, A.pending, false);
  },
);

export const imsFree = eventKind('ims.free', [imsEntry], 'An IMS entry was given back.', {}, (state, e) =>
  state.remove(e.object),
);

/** Object: the function. */
export const imsRefused = eventKind(
  'ims.refused',
  [],
  'An IMS entry was asked for and could not be had: -ENOSPC when none is free, else what the parent domains said.',
  { owner: 's', ret: 'i' },
);

export const permWrite = eventKind(
  'perm.write',
  [permission],
  'An entry of the MSI-X permission table was written.',
  { value: 'xx' },
  (state, e, at) => {
    state.set(e.object, permission.at.value, e.words[e.at + at.value]!);
    state.set(e.object, permission.at.value + 1, e.words[e.at + at.value + 1]!);
  },
);

/** Life of a queue: create, bind to a PASID, enable, submit, destroy. Object: the queue. */
export const queueState = eventKind(
  'queue.state',
  [queue],
  'A queue was created, bound to a PASID, enabled or destroyed, or that was refused (negative errno).',
  { state: 's', front: 's?', pasid: 'u?', handle: 'u?', ret: 'i?', owner: 's?' },
  (state, e, at, bit) => {
    const w = e.words;
    if (has(e, bit.ret) && w[e.at + at.ret] !== 0) return;
    state.set(e.object, Q.state, w[e.at + at.state]!);
    if (has(e, bit.front)) state.set(e.object, Q.front, w[e.at + at.front]!);
    if (has(e, bit.pasid)) state.set(e.object, Q.pasid, w[e.at + at.pasid]!);
    if (has(e, bit.handle)) state.set(e.object, Q.handle, w[e.at + at.handle]!);
    if (has(e, bit.owner)) state.set(e.object, Q.owner, w[e.at + at.owner]!);
  },
);

export const queueSubmit = eventKind(
  'qd.submit',
  [queue],
  'A descriptor was submitted to a queue, or the queue did not take it (negative errno); with a handle it asks for a completion interrupt.',
  { pasid: 'u?', handle: 'u?', ret: 'i?' },
  (state, e, at, bit) => {
    if (has(e, bit.ret) && e.words[e.at + at.ret] !== 0) return;
    state.count(e.object, Q.submitted);
    if (!has(e, bit.pasid)) return;
    const users = state.world.node(e.object)?.children.get('user')?.children;
    const user = users?.get(String(e.words[e.at + at.pasid]))?.object ?? -1;
    if (user >= 0 && state.present(user)) state.count(user, queueUser.at.submitted);
  },
);

export const queueComplete = eventKind(
  'qd.complete',
  [queue],
  'A descriptor completed. Status 0x19: its interrupt handle is not valid for its PASID, no interrupt.',
  { status: 'x', pasid: 'u?', handle: 'u?' },
  (state, e, at) => {
    const status = e.words[e.at + at.status]!;
    state.count(e.object, status === 0 || status === 1 ? Q.completed : Q.failed);
  },
);

/** Composition of a message, the second of the four jobs of a domain hierarchy. Object: the irq. */
export const domCompose = eventKind(
  'dom.compose',
  [irq],
  'An irq domain composed the message of an irq: which one will be stored for the device.',
  { domain: 's', address: 'xx', data: 'x', ret: 'i?' },
);

export const domCreate = eventKind(
  'dom.create',
  [domain],
  'An irq domain was created on top of another, or that was refused (negative errno). Flag 1: messages lie in queue memory. Side: of the boundary in the bridge, cpu (of the architecture) or bus (agnostic).',
  {
    parent: 's?',
    flags: 'x?',
    ret: 'i',
    side: 's?',
  },
  (state, e, at, bit) => {
    const w = e.words;
    if (w[e.at + at.ret] !== 0) return;
    state.touch(e.object);
    if (has(e, bit.parent)) state.set(e.object, domain.at.parent, w[e.at + at.parent]!);
    if (has(e, bit.side)) state.set(e.object, domain.at.side, w[e.at + at.side]!);
  },
);

/** A change of a posted-interrupt descriptor. Object: the descriptor. */
export const piWrite = eventKind(
  'pi.write',
  [piDescriptor],
  'The control word of a posted-interrupt descriptor was written.',
  { control: 'xx' },
  (state, e, at) => {
    state.set(e.object, piDescriptor.at.control, e.words[e.at + at.control]!);
    state.set(e.object, piDescriptor.at.control + 1, e.words[e.at + at.control + 1]!);
  },
);

export const piPost = eventKind(
  'pi.post',
  [piDescriptor],
  'An interrupt was posted: its bit in the PIR was set (or cleared, when the virtual CPU takes it).',
  { vector: 'u', set: 'flag', notified: 'flag' },
  (state, e, at) => {
    const vector = e.words[e.at + at.vector]! & 0xff;
    const bitMask = (1 << (vector & 31)) >>> 0;
    state.setBits(e.object, piDescriptor.at.pir + (vector >>> 5), e.words[e.at + at.set] ? bitMask : 0, bitMask);
    if (e.words[e.at + at.notified]) state.setBits(e.object, piDescriptor.at.control, on.mask, on.mask);
  },
);

/** iommufd. Object: the address space, its mapping, or the vMSI address. */
export const ioasMapped = eventKind(
  'iommufd.map',
  [ioasMap],
  'User space mapped a range of an I/O address space, or that was refused (negative errno).',
  { output: 'xx', size: 'xx', ret: 'i' },
  (state, e, at) => {
    const w = e.words;
    if (w[e.at + at.ret] !== 0) return;
    for (let i = 0; i < 2; i++) {
      state.set(e.object, ioasMap.at.output + i, w[e.at + at.output + i]!);
      state.set(e.object, ioasMap.at.size + i, w[e.at + at.size + i]!);
    }
    const path = state.world.node(e.object)?.parent?.parent?.path;
    if (path !== undefined) state.count(state.world.object(ioas, path), ioas.at.maps);
  },
);

export const hwptInstalled = eventKind(
  'iommufd.swmsi',
  [ioasMap],
  'The kernel itself mapped the page of a doorbell into a stage 2, at its software MSI window.',
  { output: 'xx', size: 'xx' },
  (state, e, at) => {
    for (let i = 0; i < 2; i++) {
      state.set(e.object, ioasMap.at.output + i, e.words[e.at + at.output + i]!);
      state.set(e.object, ioasMap.at.size + i, e.words[e.at + at.size + i]!);
    }
  },
);

export const ioasUnmapped = eventKind(
  'iommufd.unmap',
  [ioasMap],
  'User space unmapped a range of an I/O address space, or that was refused (negative errno).',
  { ret: 'i?' },
  (state, e, at, bit) => {
    if (!has(e, bit.ret) || e.words[e.at + at.ret] === 0) state.remove(e.object);
  },
);

export const vmsiSet = eventKind(
  'iommufd.vmsi',
  [vmsi],
  'User space gave the message address of one vector of one device (0 takes it back), or that was refused (negative errno).',
  { iova: 'xx', ret: 'i?' },
  (state, e, at, bit) => {
    if (has(e, bit.ret) && e.words[e.at + at.ret] !== 0) return;
    if (e.words[e.at + at.iova] === 0 && e.words[e.at + at.iova + 1] === 0) {
      state.remove(e.object);
      return;
    }
    state.set(e.object, vmsi.at.iova, e.words[e.at + at.iova]!);
    state.set(e.object, vmsi.at.iova + 1, e.words[e.at + at.iova + 1]!);
  },
);

/** The time in which user space and device disagree. Object: the vMSI address. */
export const vmsiWindow = eventKind(
  'vmsi.window',
  [vmsi],
  'The device holds a message with another address than user space gave (open), or again the right one.',
  { open: 'flag', held: 'xx?', ns: 'u?' },
  (state, e, at) => state.setFlag(e.object, vmsi.at.window, e.words[e.at + at.open] !== 0),
);

/** Whoever owns the translation of a device names the address for its messages. Object: the irq. */
export const msiPrepare = eventKind(
  'msi.prepare',
  [irq],
  'The owner of the translation of a device was asked at which address it shall reach a doorbell; a negative errno: it has none.',
  { provider: 's', device: 's', index: 'u', doorbell: 'xx', iova: 'xx?', ret: 'i?' },
);

/** A hypervisor grants or takes back a message. Object: the grant. */
export const hcallGrant = eventKind(
  'hcall.grant',
  [grant],
  'A hypervisor composed a message for a function of a guest, or took it back.',
  { device: 's', address: 'xx', data: 'x', release: 'flag' },
  (state, e, at) => {
    const w = e.words;
    if (w[e.at + at.release]) {
      state.remove(e.object);
      return;
    }
    state.set(e.object, grant.at.device, w[e.at + at.device]!);
    state.set(e.object, grant.at.address, w[e.at + at.address]!);
    state.set(e.object, grant.at.address + 1, w[e.at + at.address + 1]!);
    state.set(e.object, grant.at.data, w[e.at + at.data]!);
  },
);

/** Why something that was due did not happen. Object: where it ended. */
export const dropped = eventKind('drop', [], 'A cause or message ended here and will not be delivered, and why.', {
  reason: 's',
  cause: 'u?',
});

/** Legal coalescing. Object: where both met. */
export const merged = eventKind(
  'merge',
  [],
  'A cause met one that was already waiting in the same place; both are served by one interrupt.',
  { cause: 'u', into: 'u?' },
);

/** Where knowledge ends. Object: what would have to be known. */
export const untold = eventKind(
  'untold',
  [],
  'What follows cannot be told: it depends on state that the trace does not show.',
  { what: 's', cause: 'u?' },
);

/** An access or order of accesses that the specification forbids or leaves undefined. Object: what was accessed. */
export const illegal = eventKind(
  'illegal',
  [],
  'Something was done that the specification forbids or leaves undefined; the events around it show what it led to.',
  { rule: 's', text: 's' },
);

export const imsEvents = [
  imsStore,
  imsFree,
  imsRefused,
  permWrite,
  queueState,
  queueSubmit,
  queueComplete,
  domCompose,
  domCreate,
  piWrite,
  piPost,
  ioasMapped,
  ioasUnmapped,
  hwptInstalled,
  vmsiSet,
  vmsiWindow,
  msiPrepare,
  hcallGrant,
  dropped,
  merged,
  untold,
  illegal,
];
