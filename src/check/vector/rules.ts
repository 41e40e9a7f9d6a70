import type { Rule } from '../rule.ts';
import { freesPrevious } from './f20.ts';
import { findsVector } from './f21.ts';
import { exhaustedIsFull } from './f22.ts';
import { roomForVectors } from './f23.ts';
import { arrivesWhereOwned } from './f24.ts';
import { freesIdle } from './f25.ts';
import { movesComplete } from './f26.ts';
import { managedFollow } from './f27.ts';
import { activatesInOrder } from './f28.ts';
import { identityIsServed } from './r26.ts';
import { levelIsSentAgain } from './r27.ts';

/** Rules about the x86 vector domain, about moves, and about IMSIC and APLIC. */
export const vectorRules: readonly Rule[] = [
  freesPrevious,
  findsVector,
  exhaustedIsFull,
  roomForVectors,
  arrivesWhereOwned,
  freesIdle,
  movesComplete,
  managedFollow,
  activatesInOrder,
  identityIsServed,
  levelIsSentAgain,
];
