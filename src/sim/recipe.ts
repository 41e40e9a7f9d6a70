import type { Trace } from '../trace/trace.ts';
import type { Operation } from './operation.ts';
import { readScenario } from './scenario.ts';
import type { DoneOperation, Recipe } from './simulation.ts';

/** Why the header of a trace gives no recipe. */
export interface NoRecipe {
  readonly problem: string;
}

/**
 * The header lines from which a simulated trace can be made again, each `name value` without its `#`: `scenario` with the
 * scenario as one line of JSON, `seed`, a `set name=value` for each setting, and for each operation of the user an
 * `operation` with the number of scheduled actions before it and the operation as JSON.
 */
export function recipeHeader(recipe: Recipe): string[] {
  return [
    `scenario ${JSON.stringify(recipe.scenario)}`,
    `seed ${recipe.seed}`,
    ...Object.entries(recipe.settings).map(([name, value]) => `set ${name}=${value}`),
    ...recipe.operations.map(({ after, operation }) => `operation ${after} ${JSON.stringify(operation)}`),
  ];
}

/** The recipe of a trace that was read from a file; undefined when its header names no scenario. */
export function recipeOf(trace: Trace): Recipe | NoRecipe | undefined {
  return readRecipe(trace.first.header ?? []);
}

/** The recipe that header lines hold; undefined when they name no scenario. */
export function readRecipe(header: readonly string[]): Recipe | NoRecipe | undefined {
  let document: unknown;
  let seed = 0;
  const settings: Record<string, string> = {};
  const operations: DoneOperation[] = [];
  for (const line of header) {
    const [, name, value] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    if (name === 'scenario') {
      document = json(value);
      if (document === undefined) return { problem: 'the scenario in the header is no JSON' };
    } else if (name === 'seed') {
      seed = Number(value);
      if (!Number.isSafeInteger(seed)) return { problem: `the seed ${value} in the header is no whole number` };
    } else if (name === 'set') {
      const [, key, setting] = /^([^=]+)=(.*)$/.exec(value) ?? [];
      if (key === undefined || setting === undefined) return { problem: `the setting ${value} is not name=value` };
      settings[key] = setting;
    } else if (name === 'operation') {
      const [, after, text] = /^(\d+) (.*)$/.exec(value) ?? [];
      const operation = text === undefined ? undefined : json(text);
      if (after === undefined || !isOperation(operation))
        return { problem: `the operation ${value} in the header cannot be read` };
      operations.push({ after: Number(after), operation });
    }
  }
  if (document === undefined) return undefined;
  const scenario = readScenario(document);
  if ('title' in scenario) return { scenario, seed, settings, operations };
  const [first] = scenario;
  return { problem: `the scenario in the header is not sound: ${first?.path ?? ''}: ${first?.problem ?? ''}` };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const isOperation = (value: unknown): value is Operation =>
  typeof value === 'object' && value !== null && 'op' in value && typeof value.op === 'string';
