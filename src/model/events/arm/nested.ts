import { eventKind } from '../../event.ts';
import { guestStream, hwQueue, vdevice, veventq, viommu } from '../../things/nested.ts';

const Q = veventq.at;

/** What iommufd has for the IOMMU of a guest (include/uapi/linux/iommufd.h, Linux 6.13 to 6.17). Only simulated traces tell these. */
export const viommuAlloc = eventKind(
  'viommu.alloc',
  'configure',
  [viommu],
  'IOMMU_VIOMMU_ALLOC: the VMM made a virtual IOMMU, or that was refused (negative errno).',
  { type: 's', ret: 'i' },
  (state, e, a) => {
    if (a.ret === 0) state.set(e.object, viommu.at.type, a.type);
  },
);

export const vdeviceAlloc = eventKind(
  'vdevice.alloc',
  'configure',
  [vdevice],
  'IOMMU_VDEVICE_ALLOC: the VMM said which ID a device has in the IOMMU of the guest, or that was refused (negative errno).',
  { device: 's', ret: 'i' },
  (state, e, a) => {
    if (a.ret === 0) state.set(e.object, vdevice.at.device, a.device);
  },
);

export const vdeviceDestroy = eventKind(
  'vdevice.destroy',
  'configure',
  [vdevice],
  'IOMMU_DESTROY: the VMM took a virtual device back.',
  {},
  (state, e) => state.remove(e.object),
);

export const guestSte = eventKind(
  'guest.ste',
  'configure',
  [guestStream],
  'The guest wrote a stream table entry; the VMM handed it to the kernel (IOMMU_HWPT_ALLOC) for the device that it takes for that stream, or that was refused (negative errno).',
  { device: 's', config: 's', ret: 'i' },
  (state, e, a) => {
    if (a.ret !== 0) return;
    state.set(e.object, guestStream.at.device, a.device);
    state.set(e.object, guestStream.at.config, a.config);
  },
);

export const viommuInvalidate = eventKind(
  'viommu.invalidate',
  'invalidate',
  [viommu],
  'IOMMU_HWPT_INVALIDATE: the VMM handed a command of the guest to the kernel, or that was refused (negative errno). `stream`: as the guest names it; `device`: whose the kernel takes that for.',
  { command: 's', stream: 'x?', device: 's?', ret: 'i' },
  (state, e, a) => {
    state.count(e.object, viommu.at.invalidations);
    if (a.ret !== 0) state.count(e.object, viommu.at.refusals);
  },
);

export const veventqAlloc = eventKind(
  'veventq.alloc',
  'configure',
  [veventq],
  'IOMMU_VEVENTQ_ALLOC: the VMM made a queue for the events of the guest, or that was refused (negative errno).',
  { depth: 'u', ret: 'i' },
  (state, e, a) => {
    if (a.ret !== 0) return;
    state.set(e.object, Q.depth, a.depth);
    state.set(e.object, Q.waiting, 0);
  },
);

export const veventqReport = eventKind(
  'veventq.report',
  'fault',
  [veventq],
  'The kernel put an event of a device into the queue, with the StreamID of its virtual device; full: it found no room, and only its sequence number is kept.',
  { sequence: 'u', stream: 'x', device: 's', event: 's', full: 'flag' },
  (state, e, a) => {
    state.set(e.object, Q.sequence, a.sequence);
    state.count(e.object, Q.events);
    if (a.full) state.count(e.object, Q.lost);
    else if (state.known(e.object, Q.waiting) !== 0) state.set(e.object, Q.waiting, state.get(e.object, Q.waiting) + 1);
  },
);

export const veventqRead = eventKind(
  'veventq.read',
  'handle',
  [veventq],
  'The VMM read a record: an event, or the note that events were lost up to this sequence number (IOMMU_VEVENTQ_FLAG_LOST_EVENTS).',
  { sequence: 'u', lost: 'flag', stream: 'x?', event: 's?' },
  (state, e, a) => {
    state.set(e.object, Q.read, a.sequence);
    const waiting = state.num(e.object, Q.waiting);
    if (!a.lost && waiting > 0) state.set(e.object, Q.waiting, waiting - 1);
  },
);

export const guestEvent = eventKind(
  'guest.event',
  'deliver',
  [viommu],
  'The VMM wrote an event into the event queue of the SMMU that the guest sees, and raised the interrupt of that queue.',
  { stream: 'x', event: 's' },
  (state, e) => state.count(e.object, viommu.at.reports),
);

export const hwQueueAlloc = eventKind(
  'hwqueue.alloc',
  'configure',
  [hwQueue],
  'IOMMU_HW_QUEUE_ALLOC: the VMM gave a command queue of the guest to the hardware, or that was refused (negative errno).',
  { address: 'xx', length: 'u', ret: 'i' },
  (state, e, a) => {
    if (a.ret !== 0) return;
    for (let i = 0; i < 2; i++) state.set(e.object, hwQueue.at.address + i, a.address(i));
    state.set(e.object, hwQueue.at.length, a.length);
  },
);

export const hwQueueDestroy = eventKind(
  'hwqueue.destroy',
  'configure',
  [hwQueue],
  'IOMMU_DESTROY: the VMM took a command queue of the guest back from the hardware, or that was refused (negative errno).',
  { ret: 'i' },
  (state, e, a) => {
    if (a.ret === 0) state.remove(e.object);
  },
);

export const hwQueueCommand = eventKind(
  'hwqueue.command',
  'invalidate',
  [hwQueue],
  'The hardware took a command out of a queue of the guest. `stream`: as the guest names it; `device`: whose the hardware takes that for.',
  { command: 's', stream: 'x?', device: 's?', error: 's?' },
  (state, e) => state.count(e.object, hwQueue.at.commands),
);

export const nestedEvents = [
  viommuAlloc,
  vdeviceAlloc,
  vdeviceDestroy,
  guestSte,
  viommuInvalidate,
  veventqAlloc,
  veventqReport,
  veventqRead,
  guestEvent,
  hwQueueAlloc,
  hwQueueDestroy,
  hwQueueCommand,
];
