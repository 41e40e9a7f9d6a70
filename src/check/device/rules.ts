import type { Rule } from '../rule.ts';
import { unmaskSends } from './f01.ts';
import { pbaShowsPending } from './f02.ts';
import { sendsNothingMasked } from './f03.ts';
import { readFlushes } from './f04.ts';
import { changesAtOnce } from './f05.ts';
import { writesOnlyMasked } from './f06.ts';
import { enablesMasked } from './f07.ts';
import { keepsReserved } from './f08.ts';
import { accessesAligned } from './f09.ts';
import { quietAfterFree } from './f10.ts';
import { answersOnlyDecoded } from './f11.ts';
import { mayMaster } from './f12.ts';
import { noPinWithMessages } from './f13.ts';
import { pendsOnlyMasked } from './i-p2.ts';
import { everyMessageHasCause } from './i-p4.ts';
import { causeMakesMessage } from './i-p5.ts';
import { sameVectors } from './r01.ts';
import { polledOnly } from './r02.ts';

/** Rules about functions and their MSI-X tables. */
export const deviceRules: readonly Rule[] = [
  sendsNothingMasked,
  pendsOnlyMasked,
  unmaskSends,
  pbaShowsPending,
  everyMessageHasCause,
  causeMakesMessage,
  readFlushes,
  changesAtOnce,
  writesOnlyMasked,
  enablesMasked,
  keepsReserved,
  accessesAligned,
  quietAfterFree,
  answersOnlyDecoded,
  mayMaster,
  noPinWithMessages,
  sameVectors,
  polledOnly,
];
