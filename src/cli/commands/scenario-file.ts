import { readFile } from 'node:fs/promises';
import { jsonFault } from '../../base/json.ts';
import { Utf16 } from '../../import/utf16.ts';
import { nearest } from '../../query/nearest.ts';
import { bundledScenarios } from '../../sim/bundled.ts';
import { recipeOf } from '../../sim/recipe.ts';
import { readScenario } from '../../sim/scenario.ts';
import type { Scenario } from '../../sim/scenario-schema.ts';
import type { Recipe } from '../../sim/simulation.ts';
import { Failure } from '../failure.ts';
import type { Progress } from '../progress.ts';
import { readTrace } from '../read.ts';

/** Reads a scenario from a document; throws Failure with everything that is wrong with it. */
function checked(name: string, document: unknown): Scenario {
  const scenario = readScenario(document);
  if ('title' in scenario) return scenario;
  const [first, ...rest] = scenario;
  const more = rest.length === 0 ? '' : ` (and ${rest.length} more)`;
  throw new Failure(`${name}: ${first?.path === '' ? '' : `${first?.path}: `}${first?.problem}${more}`);
}

/** The text of a file in UTF-8 or UTF-16, without a byte order mark: editors on Windows write such files. */
function textOfFile(bytes: Uint8Array): string {
  const decoder = new TextDecoder();
  let text = '';
  const utf16 = new Utf16((chunk) => {
    text += decoder.decode(chunk, { stream: true });
  });
  utf16.push(bytes);
  utf16.end();
  return text + decoder.decode();
}

/** The recipe of a run, from a scenario file, the name of a bundled scenario, or a simulated trace. */
export async function readRecipeFor(name: string, progress: Progress): Promise<Recipe> {
  const plain = { seed: 1, settings: {}, operations: [] };
  const bundled = bundledScenarios.find((s) => s.id === name);
  if (bundled) return { scenario: checked(name, bundled.document), ...plain };
  if (name.endsWith('.json')) {
    const bytes = await readFile(name).catch((error: NodeJS.ErrnoException) => {
      throw new Failure(`${name}: ${error.code === 'ENOENT' ? 'no such file' : error.message}`);
    });
    let document: unknown;
    try {
      document = JSON.parse(textOfFile(bytes));
    } catch (error) {
      throw new Failure(`${name}: ${jsonFault(error)}`);
    }
    return { scenario: checked(name, document), ...plain };
  }
  if (!/[/.]/.test(name)) {
    const near = nearest(
      name,
      bundledScenarios.map((s) => s.id),
      1,
    );
    const hint = near.length > 0 ? `did you mean ${near[0]}?` : 'irqscope scenarios lists them';
    throw new Failure(`there is no scenario ${name}; ${hint}`);
  }
  const recipe = recipeOf(await readTrace(name, progress));
  if (recipe === undefined) throw new Failure(`${name}: this trace was not simulated: its header names no scenario`);
  if ('problem' in recipe) throw new Failure(`${name}: ${recipe.problem}`);
  return recipe;
}
