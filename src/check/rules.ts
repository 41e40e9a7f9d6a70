import { armRules } from './arm/rules.ts';
import { unmaskSends } from './device/f01.ts';
import { pbaShowsPending } from './device/f02.ts';
import { sendsNothingMasked } from './device/f03.ts';
import { readFlushes } from './device/f04.ts';
import { changesAtOnce } from './device/f05.ts';
import { writesOnlyMasked } from './device/f06.ts';
import { enablesMasked } from './device/f07.ts';
import { keepsReserved } from './device/f08.ts';
import { accessesAligned } from './device/f09.ts';
import { quietAfterFree } from './device/f10.ts';
import { answersOnlyDecoded } from './device/f11.ts';
import { mayMaster } from './device/f12.ts';
import { noPinWithMessages } from './device/f13.ts';
import { pendsOnlyMasked } from './device/i-p2.ts';
import { everyMessageHasCause } from './device/i-p4.ts';
import { causeMakesMessage } from './device/i-p5.ts';
import { sameVectors } from './device/r01.ts';
import { polledOnly } from './device/r02.ts';
import { imsRules } from './ims/rules.ts';
import { kvmRules } from './kvm/rules.ts';
import { messageRules } from './message/rules.ts';
import { remapRules } from './remap/rules.ts';
import type { Rule } from './rule.ts';
import { systemRules } from './system/rules.ts';
import { freesPrevious } from './vector/f20.ts';
import { findsVector } from './vector/f21.ts';
import { exhaustedIsFull } from './vector/f22.ts';
import { roomForVectors } from './vector/f23.ts';
import { arrivesWhereOwned } from './vector/f24.ts';
import { freesIdle } from './vector/f25.ts';
import { movesComplete } from './vector/f26.ts';
import { managedFollow } from './vector/f27.ts';
import { activatesInOrder } from './vector/f28.ts';
import { vfioRules } from './vfio/rules.ts';

/** All rules, in the order in which they judge an event. A new rule is entered here. */
export const rules: readonly Rule[] = [
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
  freesPrevious,
  findsVector,
  exhaustedIsFull,
  roomForVectors,
  arrivesWhereOwned,
  freesIdle,
  movesComplete,
  managedFollow,
  activatesInOrder,
  ...vfioRules,
  ...kvmRules,
  ...systemRules,
  ...messageRules,
  ...remapRules,
  ...imsRules,
  ...armRules,
];

const byName = new Map(rules.flatMap((rule) => [rule.id, ...rule.names].map((name) => [name, rule] as const)));

/** The rule with an id, or with one of its other names; undefined when there is none. */
export const ruleNamed = (name: string): Rule | undefined => byName.get(name);

/** Every name of every rule, the ids first. */
export const ruleNames: readonly string[] = [...rules.map((rule) => rule.id), ...rules.flatMap((rule) => rule.names)];
