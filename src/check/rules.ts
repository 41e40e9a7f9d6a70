import { sendsNothingMasked } from './i-p1.ts';
import { pendsOnlyMasked } from './i-p2.ts';
import { unmaskSends } from './i-p3.ts';
import { everyMessageHasCause } from './i-p4.ts';
import { answersOnlyDecoded } from './inv-decode.ts';
import type { Rule } from './rule.ts';

/** All rules, in the order in which they judge an event. A new rule is entered here. */
export const rules = [
  sendsNothingMasked,
  pendsOnlyMasked,
  unmaskSends,
  everyMessageHasCause,
  answersOnlyDecoded,
] as const satisfies readonly Rule[];
