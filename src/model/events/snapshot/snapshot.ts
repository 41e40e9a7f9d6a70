import { snapIrq } from './irq.ts';
import { snapCount, snapListing } from './listing.ts';

/** What snapshots assert at their time: dumps of /proc, /sys and debugfs. */
export const snapshotEvents = [snapListing, snapIrq, snapCount];
