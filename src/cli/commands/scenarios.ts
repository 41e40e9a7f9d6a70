import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { bundledScenarios } from '../../sim/bundled.ts';
import { policies } from '../../sim/design.ts';
import { readScenario } from '../../sim/scenario.ts';
import type { Scenario } from '../../sim/scenario-schema.ts';
import { newScenario } from '../../sim/text/new-scenario.ts';
import { type Command, type Context, misused, readArguments } from '../command.ts';
import { DONE, Failure } from '../failure.ts';
import { jsonDocument } from '../json.ts';
import { writeFileWhole } from '../out-file.ts';
import { Columns } from '../text.ts';

/** The policies that a scenario names, with all their values. */
function policiesOf(scenario: Scenario): Record<string, string[]> {
  return Object.fromEntries(
    Object.keys(scenario.policies).map((name) => [name, policies.get(name)?.values.map((v) => v.value) ?? []]),
  );
}

/** Writes the starting point of a scenario; a file that is there stays as it is. */
async function begin(name: string): Promise<string> {
  const file = name.endsWith('.scenario.json') ? name : `${name}.scenario.json`;
  if (existsSync(file)) throw new Failure(`${file}: this file is there already; give another name`);
  const title = basename(file).replace(/\.scenario\.json$/, '');
  await writeFileWhole(file, async (target) => {
    target.add(new TextEncoder().encode(newScenario(title)));
    await target.drain();
  });
  return file;
}

async function run(args: readonly string[], { out }: Context): Promise<number> {
  const { values, positionals } = readArguments('scenarios', args, {
    json: { type: 'boolean' },
    new: { type: 'string' },
  });
  if (positionals.length > 0) throw misused('scenarios', 'scenarios takes no arguments');
  if (values.new !== undefined) {
    if (values.json || values.new === '') throw misused('scenarios', '--new takes a NAME, and no --json');
    const file = await begin(values.new);
    out.line(`written to ${file}; irqscope simulate ${file} runs it`);
    return DONE;
  }
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
  usage: '[--json | --new NAME]',
  help: `Lists the bundled scenarios by name, with the policies (design decisions and bug modes) that matter in each and the
values that these can have.

Options:
  --json       one JSON array of {id, title, seeds, policies}
  --new NAME   write NAME.scenario.json, a scenario to begin with: it runs, and comments explain its parts

Examples:
  irqscope scenarios
  irqscope scenarios --json
  irqscope scenarios --new lost-interrupt`,
  run,
};
