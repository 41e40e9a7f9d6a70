import { readFile } from 'node:fs/promises';
import { Utf16 } from '../../import/utf16.ts';
import { nearest } from '../../query/nearest.ts';
import { bundledScenarios } from '../../sim/bundled.ts';
import { recipeOf } from '../../sim/recipe.ts';
import type { ScenarioProblem } from '../../sim/scenario-problems.ts';
import type { Recipe } from '../../sim/simulation.ts';
import { scenarioFromText, soundScenario } from '../../sim/text/sound-scenario.ts';
import { Failure } from '../failure.ts';
import type { Progress } from '../progress.ts';
import { readTrace } from '../read.ts';

/** The Failure for a scenario with which something is wrong: the first problem, and how many more there are. */
function unsound(name: string, [first, ...rest]: readonly (ScenarioProblem & { readonly line?: number })[]): Failure {
  const { path, problem, line } = first!;
  const more = rest.length === 0 ? '' : ` (and ${rest.length} more)`;
  const says = `${path === '' ? '' : `${path}: `}${problem}${more}`;
  return line === undefined ? new Failure(`${name}: ${says}`) : new Failure(says, { file: name, line });
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
  if (bundled) {
    const scenario = soundScenario(bundled.document);
    if (!('title' in scenario)) throw unsound(name, scenario);
    return { scenario, ...plain };
  }
  if (name.endsWith('.json')) {
    const bytes = await readFile(name).catch((error: NodeJS.ErrnoException) => {
      throw new Failure(`${name}: ${error.code === 'ENOENT' ? 'no such file' : error.message}`);
    });
    const scenario = scenarioFromText(textOfFile(bytes));
    if ('title' in scenario) return { scenario, ...plain };
    const [first] = scenario;
    // What is wrong with the text itself has no key that leads there.
    if (first!.path === '')
      throw new Failure(`column ${first!.column}: ${first!.problem}`, { file: name, line: first!.line });
    throw unsound(name, scenario);
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
