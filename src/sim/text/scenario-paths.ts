import { withoutComments } from '../../base/json-syntax.ts';
import type { PathNode } from '../../model/world.ts';
import { operations } from '../catalogue.ts';
import { settingProblem } from '../design.ts';
import { operationProblem } from '../operation.ts';
import { examined } from '../scenario.ts';
import type { Scenario } from '../scenario-schema.ts';
import { Simulation } from '../simulation.ts';

/** Most events of a run that is made to find the objects of a scenario. */
const MOST_EVENTS = 20_000;
/** Events between two turns for other work. */
const SLICE_EVENTS = 500;

/**
 * The scenario of a text that a user types, as far as it can run: what is wrong with a policy or an operation is left out. Undefined where the
 * text is no JSON or has another form.
 */
export function runnablePart(written: string): Scenario | undefined {
  let document: unknown;
  try {
    document = JSON.parse(withoutComments(written).replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
  const whole = examined(document);
  const { scenario, problems } = whole.scenario === undefined ? examined(withoutTasks(document)) : whole;
  if (scenario === undefined || problems.some(({ path }) => !path.startsWith('workload'))) return undefined;
  const policies = Object.fromEntries(
    Object.entries(scenario.policies).filter(([name, value]) => settingProblem(name, value) === undefined),
  );
  const wrong = new Set(problems.map(({ path }) => path.split('.')[1]));
  const workload = scenario.workload.filter(
    (task, i) => !wrong.has(String(i)) && operationProblem(operations, task) === undefined,
  );
  return { ...scenario, policies, workload };
}

function withoutTasks(document: unknown): unknown {
  return typeof document === 'object' && document !== null ? { ...document, workload: [] } : document;
}

/** The paths of all objects that a scenario has in a run, those that its workload makes too. Works in slices: each turn is short. */
export function* scenarioPaths(scenario: Scenario): Generator<undefined, readonly string[]> {
  const run = new Simulation({ scenario, seed: 1, settings: {}, operations: [] });
  for (let most = SLICE_EVENTS; !run.finished && run.recorder.length < MOST_EVENTS; most += SLICE_EVENTS) {
    run.run(undefined, most);
    yield undefined;
  }
  const paths: string[] = [];
  const walk = (node: PathNode): void => {
    for (const child of node.children.values()) {
      paths.push(child.path);
      walk(child);
    }
  };
  walk(run.machine.world.root);
  return paths;
}
