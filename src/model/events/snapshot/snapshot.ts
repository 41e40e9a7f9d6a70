import {
  snapBar,
  snapCommand,
  snapConfig,
  snapDiffers,
  snapFeatures,
  snapFunction,
  snapMsi,
  snapMsix,
} from './function.ts';
import { snapDescriptor, snapIrq } from './irq.ts';
import { snapCount, snapListing } from './listing.ts';
import { snapIrte, snapIrtes, snapItsDevice, snapItsEvent, snapUnit, snapVgic } from './tables.ts';
import { snapCpu, snapDomain, snapMatrix, snapMessage, snapState, snapVector } from './vector.ts';

/** What snapshots assert at their time: dumps of /proc, /sys, debugfs, lspci and config space. */
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
  snapFunction,
  snapCommand,
  snapBar,
  snapMsix,
  snapMsi,
  snapFeatures,
  snapConfig,
  snapDiffers,
];
