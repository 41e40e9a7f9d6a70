import { eventKind, refused } from '../event.ts';
import { queue } from '../things/ims.ts';
import { device } from '../things/pci.ts';
import { interruptHandle, ntbCopy, pasidEntry, queueUser } from '../things/queue.ts';

/** A request for a queue at an interface. Object: the queue, or the function while there is none. */
export const queueCall = eventKind(
  'queue.call',
  'call',
  [],
  'A user interface (cdev, vfio), or the RPC of a driver to its device, requested an operation on a queue.',
  { front: 's', call: 's', owner: 's' },
);

/** The answer to it. Object: the queue, or the function while there is none. */
export const queueReturn = eventKind(
  'queue.return',
  'call',
  [],
  'The answer to a request for a queue: 0, the number of the queue or the interrupt handle, or a negative errno.',
  { front: 's', call: 's', ret: 'i' },
);

/** A PASID gets or loses a user of a queue. Object: the user. */
export const queueUse = eventKind(
  'queue.use',
  'configure',
  [queueUser],
  'A PASID was bound to a queue for a user, got an interrupt handle, or was taken off the queue.',
  { front: 's?', owner: 's?', handle: 'u?', off: 'flag' },
  (state, e, a) => {
    if (a.off) {
      state.remove(e.object);
      return;
    }
    state.touch(e.object);
    if (a.front !== undefined) state.set(e.object, queueUser.at.front, a.front);
    if (a.owner !== undefined) state.set(e.object, queueUser.at.owner, a.owner);
    if (a.handle !== undefined) state.set(e.object, queueUser.at.handle, a.handle);
  },
);

/** An entry of the PASID table. Object: the entry. */
export const pasidBind = eventKind(
  'pasid.bind',
  'configure',
  [pasidEntry],
  'An entry of the PASID table of a function was pointed at an I/O page table, or that was refused (negative errno).',
  { table: 's', owner: 's', ret: 'i?' },
  (state, e, a) => {
    if (refused(a.ret)) return;
    state.set(e.object, pasidEntry.at.table, a.table);
    state.set(e.object, pasidEntry.at.owner, a.owner);
  },
);

export const pasidUnbind = eventKind(
  'pasid.unbind',
  'configure',
  [pasidEntry],
  'An entry of the PASID table of a function was cleared, or that was refused (negative errno).',
  { ret: 'i?' },
  (state, e, a) => {
    if (!refused(a.ret)) state.remove(e.object);
  },
);

/** A write of a device into memory with a PASID. Object: the queue. */
export const queueDma = eventKind(
  'queue.dma',
  'store',
  [],
  'A queue wrote a completion record: by which requester and PASID, and through which I/O page table. With a fault: VT-d reason, 0x59 no entry for the PASID.',
  { address: 'xx', requester: 'x', pasid: 'u', table: 's?', fault: 'x?' },
);

/** The driver requests an interrupt handle (command 13). Object: the handle, or the function where it granted none. */
export const handleRequest = eventKind(
  'handle.request',
  'call',
  [interruptHandle],
  'A driver requested an interrupt handle for an entry, and the function granted it or said why not (0x41 no such entry, 0x42 no handle).',
  { command: 'x', index: 'u', error: 'x?' },
  (state, e, a) => {
    if (a.error !== undefined) return;
    state.set(e.object, interruptHandle.at.index, a.index);
    state.set(e.object, interruptHandle.at.granted, 1);
  },
);

/** A function revokes its interrupt handles. Object: the function. */
export const handleRevoke = eventKind(
  'handle.revoke',
  'configure',
  [device],
  'A function revoked its interrupt handles: descriptors that name one complete with status 0x19 until the driver requested it again.',
  { intcause: 'x' },
  (state, e) => {
    for (const { object } of state.world.node(e.object)?.children.get('handle')?.children.values() ?? [])
      if (state.present(object)) state.set(object, interruptHandle.at.granted, 0);
  },
);

/** This side tells a peer behind an NTB what to write. Object: the copy of the peer. */
export const ntbPublish = eventKind(
  'ntb.publish',
  'configure',
  [ntbCopy],
  'A peer behind a non-transparent bridge got offset and data of an interrupt of this side, or could not (negative errno).',
  { virq: 'u', offset: 'x', data: 'x', by: 's?', ret: 'i?' },
  (state, e, a) => {
    if (refused(a.ret)) return;
    state.set(e.object, ntbCopy.at.virq, a.virq);
    state.set(e.object, ntbCopy.at.offset, a.offset);
    state.set(e.object, ntbCopy.at.data, a.data);
    state.count(e.object, ntbCopy.at.publications);
  },
);

/** A peer behind an NTB raises an interrupt of this side. Object: the copy of the peer. */
export const ntbTrigger = eventKind(
  'ntb.trigger',
  'raise',
  [ntbCopy],
  'A peer behind a non-transparent bridge wrote what it holds into the memory window.',
  { offset: 'x', data: 'x', cause: 'u?' },
  (state, e) => state.count(e.object, ntbCopy.at.triggers),
);

const Q = queue.at;

/** Life of a queue: create, bind to a PASID, enable, submit, destroy. Object: the queue. */
export const queueState = eventKind(
  'queue.state',
  'configure',
  [queue],
  'A queue was created, bound to a PASID, enabled or destroyed, or that was refused (negative errno).',
  { state: 's', front: 's?', pasid: 'u?', handle: 'u?', ret: 'i?', owner: 's?' },
  (state, e, a) => {
    if (refused(a.ret)) return;
    state.set(e.object, Q.state, a.state);
    if (a.front !== undefined) state.set(e.object, Q.front, a.front);
    if (a.pasid !== undefined) state.set(e.object, Q.pasid, a.pasid);
    if (a.handle !== undefined) state.set(e.object, Q.handle, a.handle);
    if (a.owner !== undefined) state.set(e.object, Q.owner, a.owner);
  },
);

export const queueSubmit = eventKind(
  'qd.submit',
  'call',
  [queue],
  'A descriptor was submitted to a queue, or the queue did not take it (negative errno); with a handle it asks for a completion interrupt.',
  { pasid: 'u?', handle: 'u?', ret: 'i?' },
  (state, e, a) => {
    if (refused(a.ret)) return;
    state.count(e.object, Q.submitted);
    if (a.pasid === undefined) return;
    const users = state.world.node(e.object)?.children.get('user')?.children;
    const user = users?.get(String(a.pasid))?.object ?? -1;
    if (user >= 0 && state.present(user)) state.count(user, queueUser.at.submitted);
  },
);

export const queueComplete = eventKind(
  'qd.complete',
  'raise',
  [queue],
  'A descriptor completed. Status 0x19: its interrupt handle is not valid for its PASID, no interrupt.',
  { status: 'x', pasid: 'u?', handle: 'u?' },
  (state, e, a) => {
    const status = a.status;
    state.count(e.object, status === 0 || status === 1 ? Q.completed : Q.failed);
  },
);

export const queueEvents = [
  queueState,
  queueSubmit,
  queueComplete,
  queueCall,
  queueReturn,
  queueUse,
  pasidBind,
  pasidUnbind,
  queueDma,
  handleRequest,
  handleRevoke,
  ntbPublish,
  ntbTrigger,
];
