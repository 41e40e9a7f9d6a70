import type { Rule } from '../rule.ts';
import { noStorm } from './f80.ts';
import { messageIsForHandler } from './f81.ts';
import { deliveryGoesOn } from './f82.ts';
import { invalidationQueueWorks } from './f83.ts';
import { affinityIsSettled } from './f84.ts';
import { servedByInterrupt } from './r03.ts';

/** Rules about the system as a whole. */
export const systemRules: readonly Rule[] = [
  noStorm,
  messageIsForHandler,
  deliveryGoesOn,
  invalidationQueueWorks,
  affinityIsSettled,
  servedByInterrupt,
];
