import type { Rule } from '../rule.ts';
import { mapsSoftwareMsi } from './f7a.ts';
import { namesVirtualDevices } from './f7d.ts';
import { keepsGuestEvents } from './f7e.ts';
import { mapsDoorbell } from './f70.ts';
import { writesGivenAddress } from './f71.ts';
import { refusesMissingAddress } from './f72.ts';
import { rewritesMessage } from './f73.ts';
import { writesTranslatedAddress } from './f74.ts';
import { translatesEvents } from './f75.ts';
import { mapsDevices } from './f76.ts';
import { forgetsDiscarded } from './f77.ts';
import { invalidatesConfiguration } from './f78.ts';
import { drainsCommands } from './f79.ts';
import { doorbellWakes } from './r30.ts';
import { vpesFollowCpus } from './r31.ts';

/** The rules of doorbells, the SMMU and the ITS. */
export const armRules: readonly Rule[] = [
  mapsDoorbell,
  writesGivenAddress,
  refusesMissingAddress,
  rewritesMessage,
  writesTranslatedAddress,
  translatesEvents,
  mapsDevices,
  forgetsDiscarded,
  invalidatesConfiguration,
  mapsSoftwareMsi,
  namesVirtualDevices,
  keepsGuestEvents,
  drainsCommands,
  doorbellWakes,
  vpesFollowCpus,
];
