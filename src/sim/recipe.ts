import { shownJson } from '../base/visible.ts';
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
 * scenario as one line of JSON (the rest of a long one in `scenario+` lines), `seed`, a `set name=value` for each setting, `events` where the run was
 * told to end after so many, and for each operation of the user an `operation` with the number of scheduled actions
 * before it and the operation as JSON.
 */
export function recipeHeader(recipe: Recipe): string[] {
  const [first = '', ...more] = pieces(shownJson(JSON.stringify(recipe.scenario)));
  return [
    `scenario ${first}`,
    ...more.map((piece) => `scenario+ ${piece}`),
    `seed ${recipe.seed}`,
    ...Object.entries(recipe.settings).map(([name, value]) => `set ${name}=${value}`),
    ...(recipe.events === undefined ? [] : [`events ${recipe.events}`]),
    ...recipe.operations.map(({ after, operation }) => `operation ${after} ${shownJson(JSON.stringify(operation))}`),
  ];
}

/** Characters of a scenario on one line: three bytes each at most make less than the longest line that is read. */
const PIECE = 300_000;

/** A text in pieces that are not longer than that; no character is cut. */
function pieces(text: string): string[] {
  const all: string[] = [];
  for (let at = 0; at < text.length; ) {
    let end = Math.min(text.length, at + PIECE);
    if (/[\ud800-\udbff]/.test(text[end - 1]!) && end < text.length) end--;
    all.push(text.slice(at, end));
    at = end;
  }
  return all;
}

/** The recipe of a trace that was read from a file; undefined when its header names no scenario. */
export function recipeOf(trace: Trace): Recipe | NoRecipe | undefined {
  return readRecipe(trace.first.header ?? []);
}

/** The recipe that header lines hold; undefined when they name no scenario. */
export function readRecipe(header: readonly string[]): Recipe | NoRecipe | undefined {
  let text: string | undefined;
  let seed = 0;
  let events: number | undefined;
  const settings: Record<string, string> = {};
  const operations: DoneOperation[] = [];
  for (const line of header) {
    const [, name, value] = /^(\S+) (.*)$/s.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    if (name === 'scenario') {
      text = value;
    } else if (name === 'scenario+') {
      text = `${text ?? ''}${value}`;
    } else if (name === 'seed') {
      seed = Number(value);
      if (!Number.isSafeInteger(seed)) return { problem: `the seed ${value} in the header is no whole number` };
    } else if (name === 'events') {
      if (!/^\d{1,9}$/.test(value)) return { problem: `${value} in the header is no number of events` };
      events = Number(value);
    } else if (name === 'set') {
      const [, key, setting] = /^([^=]+)=(.*)$/.exec(value) ?? [];
      if (key === undefined || setting === undefined) return { problem: `the setting ${value} is not name=value` };
      settings[key] = setting;
    } else if (name === 'operation') {
      const [, after, given] = /^(\d+) (.*)$/s.exec(value) ?? [];
      const operation = given === undefined ? undefined : json(given);
      if (after === undefined || !isOperation(operation))
        return { problem: `the operation ${value} in the header cannot be read` };
      operations.push({ after: Number(after), operation });
    }
  }
  if (text === undefined) return undefined;
  const document = json(text);
  if (document === undefined) return { problem: 'the scenario in the header is no JSON' };
  const scenario = readScenario(document);
  if ('title' in scenario) return { scenario, seed, settings, operations, ...(events === undefined ? {} : { events }) };
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
