// docs/seeds.md: every row of the seed documents says what runs, in which scenario, and which test checks it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const SCENARIOS = join(root, 'examples/scenarios');
const ENDING = '.scenario.json';
/** Last row of each section. */
const LAST = [26, 20, 74, 16, 25];
const IDS = LAST.flatMap((last, section) => Array.from({ length: last }, (_, i) => `S${section}-${i + 1}`));

interface Row {
  readonly id: string;
  readonly mechanism: string;
  readonly runs: string;
  readonly scenario: string;
  readonly test: string;
}

/** The cells of a row of a Markdown table; `\|` is no border. */
function cells(line: string): string[] {
  return line
    .replace(/^\|/, '')
    .replace(/\|\s*$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

const page = readFileSync(join(root, 'docs/seeds.md'), 'utf8');
const rows: readonly Row[] = page
  .split('\n')
  .filter((line) => /^\| S\d-\d+ \|/.test(line))
  .map((line) => {
    const [id = '', mechanism = '', runs = '', scenario = '', test = '', ...more] = cells(line);
    assert.deepEqual(more, [], `${id} has five cells`);
    return { id, mechanism, runs, scenario, test };
  });

const scenarios = new Map(
  readdirSync(SCENARIOS)
    .filter((name) => name.endsWith(ENDING))
    .map((name) => [
      name.slice(0, -ENDING.length),
      JSON.parse(readFileSync(join(SCENARIOS, name), 'utf8')) as { readonly seeds?: readonly string[] },
    ]),
);

/** Names of scenarios in a cell. */
const named = (cell: string): string[] =>
  cell === '-' || cell === '' ? [] : cell.split(/[,\s]+/).map((name) => name.replaceAll('`', ''));

/** Titles of the tests of the simulator that begin with the id of a row, as the sources have them. */
function titles(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const folder = join(root, 'test/sim');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.test.ts')) continue;
    const source = readFileSync(join(folder, name), 'utf8');
    for (const [, quote, title = ''] of source.matchAll(/\bit\(\s*(['"`])((?:(?!\1)[^\\]|\\.)*)\1/g)) {
      const id = /^(S\d-\d+) /.exec(title)?.[1];
      if (id === undefined) continue;
      const text = quote === '`' ? title : title.replace(/\\(.)/g, '$1');
      found.set(id, [...(found.get(id) ?? []), text]);
    }
  }
  return found;
}

const tests = titles();

describe('docs/seeds.md', () => {
  it('has every row of the five seed documents exactly once, in order', () => {
    assert.equal(IDS.length, 161);
    assert.deepEqual(
      rows.map((row) => row.id),
      IDS,
    );
  });

  it('says of every row what the mechanism is, in words of its own', () => {
    assert.ok(!page.includes('TO BE WRITTEN'), 'a row is not filled');
    for (const { id, mechanism, runs } of rows) {
      assert.match(mechanism, /\w{2,}.*\w{2,}/, id);
      assert.notEqual(runs, '', id);
    }
  });

  it('every row runs under a test that begins with its id, or is about process', () => {
    const open = rows.filter((row) => !row.runs.startsWith('process:') && !tests.has(row.id));
    assert.deepEqual(
      open.map((row) => row.id),
      [],
    );
    for (const { id, runs, scenario, test } of rows)
      if (runs.startsWith('process:')) {
        assert.match(runs, /^process: .{15,}/, `${id} says why nothing runs`);
        assert.deepEqual(
          [named(scenario), test.replace('-', '')],
          [[], ''],
          `${id} is about process and names no test`,
        );
      }
  });

  it('the tests that rows name exist', () => {
    for (const { id, runs, test } of rows) {
      if (runs.startsWith('process:')) continue;
      const known = tests.get(id) ?? [];
      // Several titles stand one after the other, each with the id.
      for (const name of test.replaceAll('\\|', '|').split(/; (?=S\d-\d+ )/))
        assert.ok(
          known.includes(name),
          `${id}: no test is called "${name}", but ${known.map((t) => `"${t}"`).join(', ') || 'none'}`,
        );
    }
  });

  it('no test names a row that does not exist', () => {
    for (const id of tests.keys()) assert.ok(IDS.includes(id), id);
  });

  it('the scenarios that rows name exist; where there is none, a dash stands', () => {
    for (const { id, runs, scenario } of rows) {
      if (runs.startsWith('process:')) continue;
      assert.notEqual(scenario, '', `${id}: a scenario or a dash`);
      for (const name of named(scenario)) assert.ok(scenarios.has(name), `${id} names the scenario ${name}`);
    }
  });

  it('the rows that scenarios name exist', () => {
    for (const [name, { seeds = [] }] of scenarios) {
      for (const id of seeds) assert.ok(IDS.includes(id), `${name} names the row ${id}`);
      assert.equal(new Set(seeds).size, seeds.length, `${name} names a row twice`);
    }
  });
});
