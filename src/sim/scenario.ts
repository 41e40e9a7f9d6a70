import * as v from 'valibot';
import { issueText } from '../base/json.ts';
import {
  consumerProblems,
  hostProblems,
  nameProblems,
  type ScenarioProblem,
  timeProblems,
  vfioProblems,
} from './scenario-problems.ts';
import { type Scenario, scenarioSchema } from './scenario-schema.ts';

/** Reads a scenario from a JSON document; the problems found when it is none. */
export function readScenario(document: unknown): Scenario | readonly ScenarioProblem[] {
  const result = v.safeParse(scenarioSchema, document);
  if (result.success) {
    const { output } = result;
    const problems = [
      ...nameProblems(output),
      ...hostProblems(output),
      ...timeProblems(output),
      ...consumerProblems(output),
      ...vfioProblems(output),
    ];
    return problems.length > 0 ? problems : output;
  }
  return result.issues.map((issue) => ({ path: v.getDotPath(issue) ?? '', problem: issueText(issue) }));
}
