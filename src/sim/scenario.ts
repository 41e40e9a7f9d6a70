import * as v from 'valibot';
import { issuePath, issueText } from '../base/json.ts';
import type { DocumentPath } from '../base/json-place.ts';
import { orNearest } from '../query/nearest.ts';
import {
  consumerProblems,
  hostProblems,
  nameProblems,
  type ScenarioProblem,
  timeProblems,
  vfioProblems,
} from './scenario-problems.ts';
import { type Scenario, scenarioSchema } from './scenario-schema.ts';

/** Reads a scenario from a JSON document; the problems found when it is none. Policies and operations are not looked at: see `soundScenario`. */
export function readScenario(document: unknown): Scenario | readonly ScenarioProblem[] {
  const { scenario, problems } = examined(document);
  return scenario !== undefined && problems.length === 0 ? scenario : problems;
}

/** The same, and the scenario also where something is wrong with it but its form. */
export function examined(document: unknown): {
  readonly scenario?: Scenario;
  readonly problems: readonly ScenarioProblem[];
} {
  const result = v.safeParse(scenarioSchema, document);
  if (result.success) {
    const { output: scenario } = result;
    const problems = [nameProblems, hostProblems, timeProblems, consumerProblems, vfioProblems].flatMap((find) =>
      find(scenario),
    );
    return { scenario, problems };
  }
  const problems = result.issues.map((issue) => {
    const path = issuePath(issue);
    const isKey = issue.path?.at(-1)?.origin === 'key';
    const unknown = isKey && issue.expected === 'never';
    const hint = unknown ? orNearest(String(path.at(-1)), keysAt(scenarioSchema, path.slice(0, -1))) : '';
    return { path: path.join('.'), at: path, isKey, problem: `${issueText(issue)}${hint}` };
  });
  return { problems };
}

/** What a schema is made of, as far as keys are concerned. */
interface Part {
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly item?: unknown;
  readonly wrapped?: unknown;
  readonly pipe?: readonly unknown[];
}

/** The keys that an object at a place of a document may have, as its schema says. */
function keysAt(schema: unknown, path: DocumentPath): string[] {
  let part = inner(schema);
  for (const key of path) part = inner(typeof key === 'number' ? part.item : part.entries?.[key]);
  return Object.keys(part.entries ?? {});
}

/** The schema itself, without what makes it optional or describes it. */
function inner(schema: unknown): Part {
  let part = (schema ?? {}) as Part;
  for (;;) {
    const next = part.wrapped ?? (part.entries === undefined && part.item === undefined ? part.pipe?.[0] : undefined);
    if (next === undefined || next === part) return part;
    part = next as Part;
  }
}
