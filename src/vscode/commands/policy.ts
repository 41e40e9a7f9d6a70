import * as vscode from 'vscode';
import type { Recipe } from '../../sim/simulation.ts';
import { withoutLinks } from '../../view/notification.ts';
import type { ComparisonTexts } from '../comparison-text.ts';
import { breathe } from '../platform.ts';
import { isScenarioFile } from '../scenario/scenario-files.ts';
import { type FileArgument, toUri } from '../selected.ts';
import { pickPolicyName, scenarioFrom } from '../sim-input.ts';
import { type Handlers, say } from './handlers.ts';
import { complain, type Find, type SimServices } from './sim-services.ts';

/** What the command needs. */
export interface PolicyServices extends SimServices {
  readonly comparisons: ComparisonTexts;
}

/** Runs of each value with other seeds, and events of a run at most. */
const SEEDS = 5;
const MOST_EVENTS = 1_000_000;

/** *Compare Policy…*: every value of a policy on the workload of a run, or of a scenario file, as a page with table, bars and what decides. */
export function policyCommands({ log, comparisons }: PolicyServices, find: Find): Handlers {
  /** What is to be run: the recipe of a run, or a scenario file as it stands in its editor. */
  const recipeOf = async (file: FileArgument | undefined): Promise<Recipe | undefined> => {
    const uri = toUri(file);
    if (uri && isScenarioFile(uri)) {
      try {
        return { scenario: await scenarioFrom(uri), seed: 1, settings: {}, operations: [] };
      } catch (error) {
        return void complain(log, 'The scenario cannot be run', error);
      }
    }
    const trace = find(file);
    if (trace && !trace.branch?.recipe) say(`only runs of scenarios can do that; ${trace.label} is none`);
    return trace?.branch?.recipe;
  };
  return {
    comparePolicy: async (name?: unknown, file?: FileArgument): Promise<string | undefined> => {
      const recipe = await recipeOf(file);
      if (recipe === undefined) return undefined;
      const [{ comparing }, { feltBy, noEffect }, { comparedMarkdown }, { policies }] = await Promise.all([
        import('../../sim/measures/compare.ts'),
        import('../../sim/felt.ts'),
        import('../../view/policy-comparison.ts'),
        import('../../sim/design.ts'),
      ]);
      const policy = typeof name === 'string' && policies.has(name) ? name : await pickPolicyName(recipe);
      if (policy === undefined) return undefined;
      const { title } = recipe.scenario;
      try {
        const own = { ...recipe, operations: [] };
        const text = await vscode.window.withProgress(
          {
            location: vscode.ProgressLocation.Notification,
            title: withoutLinks(`Comparing ${policy}`),
            cancellable: true,
          },
          async (_progress, token) => {
            const work = comparing(own, policy, SEEDS, own.events ?? MOST_EVENTS);
            for (let at = work.next(); !token.isCancellationRequested; at = work.next()) {
              if (at.done) {
                const idle = at.value.same ? noEffect(feltBy(own), policy) : undefined;
                return comparedMarkdown(at.value, title, idle);
              }
              await breathe();
            }
            return undefined;
          },
        );
        if (text !== undefined) await comparisons.show(`${title}, ${policy}`, text);
        return text;
      } catch (error) {
        complain(log, title, error);
        return undefined;
      }
    },
  };
}
