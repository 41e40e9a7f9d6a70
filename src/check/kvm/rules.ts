import type { Rule } from '../rule.ts';
import { signalFindsRoute } from './f50.ts';
import { routeOutlivesIrqfd } from './f51.ts';
import { routeFollowsTable } from './f52.ts';
import { releasedIrqfdIsSilent } from './f53.ts';
import { messageIsAccepted } from './f54.ts';
import { suppressionEnds } from './f55.ts';
import { notificationIsServed } from './f56.ts';
import { notifiesCpuOfVcpu } from './f57.ts';
import { postsRoutedVector } from './f58.ts';
import { postingStaysOn } from './f59.ts';
import { cacheShowsTable } from './inv-cacheeq.ts';
import { gaLogWakes } from './r20.ts';
import { entriesFollowVcpu } from './r21.ts';
import { eventsAreTaken } from './r22.ts';

/** Rules about KVM. */
export const kvmRules: readonly Rule[] = [
  signalFindsRoute,
  routeOutlivesIrqfd,
  routeFollowsTable,
  releasedIrqfdIsSilent,
  messageIsAccepted,
  suppressionEnds,
  notificationIsServed,
  notifiesCpuOfVcpu,
  postsRoutedVector,
  postingStaysOn,
  cacheShowsTable,
  gaLogWakes,
  entriesFollowVcpu,
  eventsAreTaken,
];
