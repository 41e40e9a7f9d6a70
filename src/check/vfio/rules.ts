import type { Rule } from '../rule.ts';
import { switchLosesNothing } from './f40.ts';
import { growsWithoutTeardown } from './f41.ts';
import { fewerIsRetried } from './f42.ts';
import { tableHoldsMessage } from './f43.ts';
import { raisesOnlyUsed } from './f44.ts';
import { overlayWhilePending } from './f45.ts';
import { acknowledgeLowersLine } from './f46.ts';
import { masksNotThroughVfio } from './f47.ts';
import { trappedStaysUnmapped } from './f48.ts';

/** Rules about VFIO and the VMM. */
export const vfioRules: readonly Rule[] = [
  switchLosesNothing,
  growsWithoutTeardown,
  fewerIsRetried,
  tableHoldsMessage,
  raisesOnlyUsed,
  overlayWhilePending,
  acknowledgeLowersLine,
  masksNotThroughVfio,
  trappedStaysUnmapped,
];
