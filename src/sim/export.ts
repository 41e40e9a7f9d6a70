import type { Scenario } from './scenario-schema.ts';
import type { Simulation } from './simulation.ts';

/**
 * The scenario of a run with its settings as its policies and its operations as workload. An operation is due one
 * nanosecond after the event before it: then it comes after all that was due at the same time.
 */
export function scenarioWithOperations(run: Simulation): Scenario {
  const { scenario, settings } = run.recipe;
  const { table } = run.trace;
  const done = run.done.map(({ operation }, i) => {
    const before = run.began[i]! - 1;
    const at = before < 0 ? 0 : table.time(before) + 1;
    return { ...operation, at };
  });
  return {
    ...scenario,
    policies: { ...scenario.policies, ...settings },
    workload: [...scenario.workload, ...done],
  };
}
