import type { Rule } from '../rule.ts';
import { storesGranted } from './f60.ts';
import { deliversToOwner } from './f61.ts';
import { reusesOnlyForgotten } from './f62.ts';
import { matchesPasid } from './f63.ts';
import { namesGrantedHandles } from './f64.ts';
import { hasFreeImsEntries } from './f65.ts';
import { keepsAuxiliary } from './f66.ts';
import { backsVectors } from './f67.ts';
import { hypercallsSucceed } from './f68.ts';
import { republishes } from './f69.ts';
import { livesInOrder } from './inv-qlife.ts';

/** The rules of interrupt message storage, hypercalls and exported messages. */
export const imsRules: readonly Rule[] = [
  storesGranted,
  deliversToOwner,
  reusesOnlyForgotten,
  matchesPasid,
  namesGrantedHandles,
  hasFreeImsEntries,
  keepsAuxiliary,
  backsVectors,
  hypercallsSucceed,
  republishes,
  livesInOrder,
];
