import { armRules } from './arm/rules.ts';
import { deviceRules } from './device/rules.ts';
import { imsRules } from './ims/rules.ts';
import { kvmRules } from './kvm/rules.ts';
import { messageRules } from './message/rules.ts';
import { remapRules } from './remap/rules.ts';
import type { Rule } from './rule.ts';
import { systemRules } from './system/rules.ts';
import { vectorRules } from './vector/rules.ts';
import { vfioRules } from './vfio/rules.ts';

/** All rules, in the order in which they judge an event. A new rule is entered in the list of its folder. */
export const rules: readonly Rule[] = [
  ...deviceRules,
  ...vectorRules,
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
