import { bundledScenarios } from '../../sim/bundled.ts';
import { policies } from '../../sim/design.ts';
import { readScenario } from '../../sim/scenario.ts';
import type { Scenario } from '../../sim/scenario-schema.ts';
import { type Command, type Context, misused, readArguments } from '../command.ts';
import { DONE } from '../failure.ts';
import { jsonDocument } from '../json.ts';
import { Columns } from '../text.ts';

/** The policies that a scenario names, with all their values. */
function policiesOf(scenario: Scenario): Record<string, string[]> {
  return Object.fromEntries(
    Object.keys(scenario.policies).map((name) => [name, policies.get(name)?.values.map((v) => v.value) ?? []]),
  );
}

async function run(args: readonly string[], { out }: Context): Promise<number> {
  const { values, positionals } = readArguments('scenarios', args, { json: { type: 'boolean' } });
  if (positionals.length > 0) throw misused('scenarios', 'scenarios takes no arguments');
  const all = bundledScenarios.flatMap(({ id, document }) => {
    const scenario = readScenario(document);
    return 'title' in scenario ? [{ id, scenario }] : [];
  });
  if (values.json) {
    const list = all.map(({ id, scenario }) => ({
      id,
      title: scenario.title,
      seeds: scenario.seeds,
      policies: policiesOf(scenario),
    }));
    for (const part of jsonDocument(list)) out.json(part);
    return DONE;
  }
  const columns = new Columns((line) => out.line(line));
  for (const { id, scenario } of all) {
    columns.row(id, scenario.title);
    for (const [name, choices] of Object.entries(policiesOf(scenario)))
      columns.row('', `${name}: ${choices.join(' ')}`);
  }
  columns.end();
  return DONE;
}

/** `irqscope scenarios`. */
export const scenarios: Command = {
  name: 'scenarios',
  usage: '[--json]',
  help: `Lists the bundled scenarios by name, with the policies (design decisions and bug modes) that matter in each and the
values that these can have.

Options:
  --json       one JSON array of {id, title, seeds, policies}

Examples:
  irqscope scenarios
  irqscope scenarios --json`,
  run,
};
