import { unmaskSends } from './device/f01.ts';
import { pbaShowsPending } from './device/f02.ts';
import { sendsNothingMasked } from './device/f03.ts';
import { answersOnlyDecoded } from './device/f11.ts';
import { pendsOnlyMasked } from './device/i-p2.ts';
import { everyMessageHasCause } from './device/i-p4.ts';
import type { Rule } from './rule.ts';

/** All rules, in the order in which they judge an event. A new rule is entered here. */
export const rules: readonly Rule[] = [
  sendsNothingMasked,
  pendsOnlyMasked,
  unmaskSends,
  pbaShowsPending,
  everyMessageHasCause,
  answersOnlyDecoded,
];

const byName = new Map(rules.flatMap((rule) => [rule.id, ...rule.names].map((name) => [name, rule] as const)));

/** The rule with an id, or with one of its other names; undefined when there is none. */
export const ruleNamed = (name: string): Rule | undefined => byName.get(name);

/** Every name of every rule, the ids first. */
export const ruleNames: readonly string[] = [...rules.map((rule) => rule.id), ...rules.flatMap((rule) => rule.names)];
