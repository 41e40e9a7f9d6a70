import type { DocumentPath } from '../../base/json-place.ts';
import { placeIn, type Stretch } from '../../base/json-place.ts';
import { syntaxFault, withoutComments } from '../../base/json-syntax.ts';
import { operations } from '../catalogue.ts';
import { settingProblem } from '../design.ts';
import { operationFault } from '../operation.ts';
import { examined } from '../scenario.ts';
import type { ScenarioProblem } from '../scenario-problems.ts';
import type { Scenario } from '../scenario-schema.ts';

/** What is wrong with the text of a scenario, and where: line and column from 1. */
export interface PlacedProblem extends ScenarioProblem {
  readonly line: number;
  readonly column: number;
}

/**
 * Reads a scenario from a JSON document and looks at everything that can be told before it runs: its form, what it names, the values of its
 * policies, and the operations of its workload.
 */
export function soundScenario(document: unknown): Scenario | readonly ScenarioProblem[] {
  const { scenario, problems } = examined(document);
  if (scenario === undefined) return problems;
  const all = [...problems, ...policyProblems(scenario), ...workloadProblems(scenario)];
  return all.length > 0 ? all : scenario;
}

function* policyProblems({ policies }: Scenario): Generator<ScenarioProblem> {
  for (const [name, value] of Object.entries(policies)) {
    const problem = settingProblem(name, value);
    if (problem !== undefined)
      yield { path: `policies.${name}`, at: ['policies', name], isKey: problem.startsWith('there is no'), problem };
  }
}

function* workloadProblems({ workload }: Scenario): Generator<ScenarioProblem> {
  for (const [i, task] of workload.entries()) {
    const fault = operationFault(operations, task);
    if (fault === undefined) continue;
    const { key, isKey = false, problem } = fault;
    yield { path: `workload.${i}.${key}`, at: ['workload', i, key], isKey, problem };
  }
}

/** The same from the text of a scenario file, which may have comments. */
export function scenarioFromText(written: string): Scenario | readonly PlacedProblem[] {
  const text = withoutComments(written);
  const fault = syntaxFault(text);
  if (fault !== undefined) return [{ path: '', problem: fault.problem, ...lineOf(text, fault.at) }];
  const scenario = soundScenario(JSON.parse(text.replace(/^\uFEFF/, '')));
  if ('title' in scenario) return scenario;
  return scenario.map((problem) => {
    const at = problem.at ?? pathOf(problem.path);
    return { ...problem, ...lineOf(text, placeIn(text, at, problem.isKey).from) };
  });
}

/** A problem that names what was meant (orNearest). */
const HINT = /: did you mean \S+\?$/;

/** What is wrong with the text of a scenario beyond what its JSON schema tells, and the stretches of the text that it is about. */
export function beyondSchema(written: string): readonly (ScenarioProblem & Stretch)[] {
  const text = withoutComments(written);
  if (syntaxFault(text) !== undefined) return [];
  const { scenario, problems } = examined(JSON.parse(text.replace(/^\uFEFF/, '')));
  if (scenario === undefined) return [];
  // The schema has the names of operations, their arguments and the policies. It cannot say to which objects an operation is done, nor
  // which of a hundred names a wrong one is nearest to.
  const beyond = [...policyProblems(scenario), ...workloadProblems(scenario)].filter(
    ({ path, problem }) => path.endsWith('.object') || HINT.test(problem),
  );
  return [...problems, ...beyond].map((problem) => ({
    ...problem,
    ...placeIn(text, problem.at ?? pathOf(problem.path), problem.isKey),
  }));
}

/** The keys and indexes of a place such as `devices.0.bdf`. */
const pathOf = (path: string): DocumentPath =>
  path === '' ? [] : path.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));

/** Line and column of a character, from 1. */
function lineOf(text: string, at: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, at);
  const begin = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: at - begin + 1 };
}
