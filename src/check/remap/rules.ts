import type { Rule } from '../rule.ts';
import { usesPresentEntries } from './f30.ts';
import { invalidatesCache } from './f31.ts';
import { keepsPosted } from './f32.ts';
import { sendsRemappableFormat } from './f33.ts';
import { sendsOwnEntries } from './f34.ts';
import { sendsValidMessages } from './f35.ts';
import { hasFreeEntries } from './f36.ts';
import { reportsFaults } from './f37.ts';
import { isolatesMessages } from './f38.ts';
import { injectsOwnInterrupts } from './f39.ts';
import { timerTicks } from './r13.ts';

/** The rules of remapping units. */
export const remapRules: readonly Rule[] = [
  usesPresentEntries,
  invalidatesCache,
  keepsPosted,
  sendsRemappableFormat,
  sendsOwnEntries,
  sendsValidMessages,
  hasFreeEntries,
  reportsFaults,
  isolatesMessages,
  injectsOwnInterrupts,
  timerTicks,
];
