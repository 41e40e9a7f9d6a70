// `npm run mutants`: how many small changes of the sources do the unit tests notice? docs/testing.md says how to read it.
// mutants.ts [--room NAME]... [--count N] [--seed N] [--minutes N] [--seconds N] [--file PART] [--workers N]
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, setPriority } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { main, Trouble } from './fail.ts';
import { type Coverage, measure, runs } from './mutants/coverage.ts';
import { describe, type Judged, survived, table, type Verdict } from './mutants/report.ts';
import { runTests } from './mutants/run.ts';
import { type Mutant, sample } from './mutants/sample.ts';
import { copyTree } from './mutants/tree.ts';
import { root } from './paths.ts';
import { testFiles } from './test/suite.ts';

const ROOMS = ['model', 'trace', 'import', 'query'];
/** Folders of tests that `npm run test:unit` leaves out. */
const OTHER_SUITES = ['host', 'ui', 'webview', 'package'];
/** So many of the quickest test files run first, by themselves: they find most mutants. */
const FIRST_TESTS = 8;
/** Milliseconds: to start mocha on a busy machine is no hang. */
const SHORTEST_LIMIT = 10_000;
const LIMIT_FACTOR = 4;

function number(text: string, option: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Trouble(`--${option} needs a whole number, not "${text}"`);
  return value;
}

/** Hands the items of a list to some workers, each of which takes the next one when it is free. */
async function share<T>(items: readonly T[], trees: readonly string[], work: (item: T, tree: string) => Promise<void>) {
  let next = 0;
  const one = async (tree: string): Promise<void> => {
    while (next < items.length) await work(items[next++]!, tree);
  };
  await Promise.all(trees.map(one));
}

/**
 * The tests that run the changed place: those of the mutant's room first, and the quickest first. The list ends where the tests
 * before a test take `seconds` together, each as long as it takes alone.
 */
function testsOf(mutant: Mutant, coverages: readonly Coverage[], seconds: number): Coverage[] {
  const own = `test/${mutant.file.split('/')[1]}/`;
  const foreign = ({ test }: Coverage): number => (test.startsWith(own) ? 0 : 1);
  let spent = 0;
  return coverages
    .filter((coverage) => runs(coverage, mutant.file, mutant.start))
    .sort((a, b) => foreign(a) - foreign(b) || a.milliseconds - b.milliseconds)
    .filter(({ milliseconds }) => {
      spent += milliseconds;
      return spent - milliseconds < seconds * 1000;
    });
}

/** Makes one mutant in a copy of the checkout, runs the tests that can notice it, and restores the file. */
async function judge(mutant: Mutant, tree: string, tests: readonly Coverage[]): Promise<Verdict> {
  if (tests.length === 0) return 'unreached';
  const path = join(tree, mutant.file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(path, source.slice(0, mutant.start) + mutant.text + source.slice(mutant.end));
  try {
    for (const some of [tests.slice(0, FIRST_TESTS), tests.slice(FIRST_TESTS)]) {
      if (some.length === 0) continue;
      const baseline = some.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
      const files = some.map(({ test }) => test);
      const outcome = await runTests(tree, files, Math.max(SHORTEST_LIMIT, LIMIT_FACTOR * baseline));
      if (outcome !== 'pass') return outcome;
    }
    return 'pass';
  } finally {
    writeFileSync(path, source);
  }
}

async function measureAll(trees: readonly string[]): Promise<Coverage[]> {
  const tests = testFiles('test', { names: [], grep: '', vsix: false }, OTHER_SUITES).map((file) =>
    relative(root, file).replaceAll('\\', '/'),
  );
  console.log(`finds out what each of ${tests.length} test files runs …`);
  const coverages: Coverage[] = [];
  await share(tests, trees, async (test, tree) => {
    const coverage = await measure(test, tree);
    if (coverage.passes) coverages.push(coverage);
    else console.log(`${test} fails without any mutant in a copy of the checkout: left out`);
  });
  return coverages;
}

await main(async () => {
  const { values } = parseArgs({
    options: {
      room: { type: 'string', multiple: true, default: [] },
      count: { type: 'string', default: '300' },
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '60' },
      seconds: { type: 'string', default: '40' },
      workers: { type: 'string', default: String(Math.min(2, availableParallelism())) },
      file: { type: 'string', default: '' },
    },
  });
  const unknown = values.room.find((room) => !ROOMS.includes(room));
  if (unknown !== undefined) throw new Trouble(`no room "${unknown}" here; rooms: ${ROOMS.join(', ')}`);
  const rooms = values.room.length > 0 ? values.room : ROOMS;
  const [count, seed, minutes, seconds] = (['count', 'seed', 'minutes', 'seconds'] as const).map((key) =>
    number(values[key], key),
  );
  const workers = Math.max(1, number(values.workers, 'workers'));
  const until = performance.now() + minutes! * 60_000;
  setPriority(10);
  const trees = Array.from({ length: workers }, (_, i) => copyTree(`tree${i}`));
  const coverages = await measureAll(trees);

  const perRoom = rooms.map((room) => sample(trees[0]!, room, count!, seed!, values.file));
  // A mutant of each room in turn: when the time is over, every room has had its part of it.
  const order = Array.from({ length: Math.max(...perRoom.map((r) => r.length)) }, (_, i) => i);
  const mutants = order.flatMap((i) => perRoom.flatMap((list) => list.slice(i, i + 1)));
  console.log(`${mutants.length} mutants, seed ${seed}; those that no test notices:`);
  const judged: Judged[] = [];
  const started = performance.now();
  // Ctrl-C shows what was found so far.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.prependListener(signal, () => console.log(`\n${table(rooms, judged)}`));
  await share(mutants, trees, async (mutant, tree) => {
    if (performance.now() > until) return;
    const found = { mutant, verdict: await judge(mutant, tree, testsOf(mutant, coverages, seconds!)) };
    judged.push(found);
    if (survived(found.verdict)) console.log(describe(found));
    if (judged.length % 20 === 0)
      console.log(
        `… ${judged.length} of ${mutants.length} after ${Math.round((performance.now() - started) / 60_000)} min`,
      );
  });
  if (judged.length < mutants.length)
    console.log(`${minutes} minutes are over: ${mutants.length - judged.length} mutants were not tried`);
  console.log(`\n${table(rooms, judged)}`);
  return 0;
});
