import { RuleCheck } from '../check/check-trace.ts';
import { rules } from '../check/rules.ts';
import { illegal } from '../model/events/outcome.ts';
import type { EventRow } from '../trace/row.ts';
import type { Machine } from './machine.ts';

/** Lets rules watch a machine that runs: every breach is an `illegal` event with the id of the rule, right after the event that broke it. */
export function watchRules(machine: Machine, ids: readonly string[]): void {
  const check = new RuleCheck(
    rules.filter((rule) => ids.includes(rule.id)),
    true,
  );
  let telling = false;
  let told = 0;
  machine.observe = (row: EventRow) => {
    if (telling) return;
    check.event(machine.recorder.length - 1, row, machine.state);
    telling = true;
    for (; told < check.findings.length; told++) {
      const { rule, object, text } = check.findings[told]!;
      machine.emit(illegal, object, { rule, text });
    }
    telling = false;
  };
}
