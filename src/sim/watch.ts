import { RuleCheck } from '../check/check-trace.ts';
import { ruleNamed } from '../check/rules.ts';
import { illegal } from '../model/events/outcome.ts';
import type { EventRow } from '../trace/row.ts';
import type { Machine } from './machine.ts';

/**
 * Lets rules watch a machine that runs: every breach is an `illegal` event with the name of the rule, as the scenario
 * gives it, right after the event that broke it.
 */
export function watchRules(machine: Machine, names: readonly string[]): void {
  const given = new Map(
    names.flatMap((name) => {
      const rule = ruleNamed(name);
      return rule === undefined ? [] : [[rule, name] as const];
    }),
  );
  const check = new RuleCheck([...given.keys()], machine.world, true);
  let telling = false;
  let told = 0;
  machine.observe = (row: EventRow) => {
    if (telling) return;
    check.event(machine.recorder.length - 1, row, machine.state);
    telling = true;
    for (; told < check.findings.length; told++) {
      const { rule, object, title } = check.findings[told]!;
      machine.emit(illegal, object, { rule: given.get(rule) ?? rule.id, text: title });
    }
    telling = false;
  };
}
