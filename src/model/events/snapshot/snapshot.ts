import { snapDescriptor, snapIrq } from './irq.ts';
import { snapCount, snapListing } from './listing.ts';
import { snapIrte, snapIrtes, snapItsDevice, snapItsEvent, snapUnit, snapVgic } from './tables.ts';
import { snapCpu, snapDomain, snapMatrix, snapMessage, snapState, snapVector } from './vector.ts';

/** What snapshots assert at their time: dumps of /proc, /sys and debugfs. */
export const snapshotEvents = [
  snapListing,
  snapIrq,
  snapState,
  snapVector,
  snapMessage,
  snapDescriptor,
  snapCount,
  snapDomain,
  snapMatrix,
  snapCpu,
  snapUnit,
  snapIrte,
  snapIrtes,
  snapVgic,
  snapItsDevice,
  snapItsEvent,
];
