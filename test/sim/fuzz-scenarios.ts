// Mutated scenarios: refused in words, or run; the trace of a run reads back to the state of the run and runs again to the same bytes.
import assert from 'node:assert/strict';
import { stateTree } from '../../src/query/state.ts';
import { bundledScenarios } from '../../src/sim/bundled.ts';
import { operations } from '../../src/sim/catalogue.ts';
import { policies } from '../../src/sim/design.ts';
import { readRecipe, recipeHeader } from '../../src/sim/recipe.ts';
import { readScenario } from '../../src/sim/scenario.ts';
import { type Recipe, Simulation, SimulationError } from '../../src/sim/simulation.ts';
import { StreamRecorder } from '../../src/sim/stream.ts';
import { importMutant } from '../import/fuzz/fuzz-captures.ts';
import type { Trial } from '../import/fuzz/fuzz-kinds.ts';
import { randomWords } from '../model/random.ts';

type Rng = (below: number) => number;
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const HOSTILE: readonly Json[] = [
  0,
  -1,
  1,
  2,
  255,
  256,
  4096,
  65536,
  1e308,
  0.5,
  '',
  '__proto__',
  'hasOwnProperty',
  '\u001b[31m\u202e\u2028',
  '9999999999999s',
  '1ns',
  '0x0',
  '0xffffffffffffffff',
  '0000:00:00.0',
  '0000:03:00.0',
  'device/0000:03:00.0',
  'device/0000:03:00.0/msix/0',
  'irq/24',
  'cpu/1',
  'vcpu/0',
  'none',
  null,
  true,
  [],
  {},
];

/** All places of a document that hold something: their holders and keys. */
function places(value: Json, all: [Json[] | { [key: string]: Json }, string][] = []): typeof all {
  if (typeof value !== 'object' || value === null) return all;
  for (const key of Object.keys(value)) {
    all.push([value, key]);
    places((value as { [key: string]: Json })[key]!, all);
  }
  return all;
}

/** An operation with arguments of the right types, done to something of the right form. */
function operation(rng: Rng, objects: readonly string[]): { [key: string]: Json } {
  const all = [...operations.values()];
  const spec = all[rng(all.length)]!;
  const fits = objects.filter((path) => spec.on.some((on) => on.split('/')[0] === path.split('/')[0]));
  const object =
    rng(8) && fits.length > 0 ? fits[rng(fits.length)]! : (spec.on[0] ?? '').replaceAll('*', () => String(rng(4)));
  const task: { [key: string]: Json } = { at: `${rng(3000)}us`, op: spec.name };
  if (spec.on.length > 0) task['object'] = object;
  for (const arg of spec.args) {
    if (arg.optional && rng(2)) continue;
    const low = arg.min ?? 0;
    const number = low + rng(Math.min(1 << 20, (arg.max ?? 300) - low + 1));
    if (arg.type === 'choice') task[arg.name] = arg.choices![rng(arg.choices!.length)]!;
    else if (arg.type === 'flag') task[arg.name] = rng(2) === 0;
    else if (arg.type === 'hex') task[arg.name] = `0x${number.toString(16)}`;
    else if (arg.type === 'numbers') task[arg.name] = [number];
    else if (arg.type === 'text') task[arg.name] = '0-1';
    else task[arg.name] = number;
  }
  return task;
}

const mutations: Readonly<Record<string, (document: { [key: string]: Json }, rng: Rng) => void>> = {
  'a value replaced': (document, rng) => {
    const all = places(document);
    const [holder, key] = all[rng(all.length)]!;
    (holder as { [key: string]: Json })[key] = HOSTILE[rng(HOSTILE.length)]!;
  },
  'a key left out': (document, rng) => {
    const all = places(document);
    const [holder, key] = all[rng(all.length)]!;
    if (!Array.isArray(holder)) delete holder[key];
  },
  'a part doubled': (document, rng) => {
    const lists = places(document).filter(([holder]) => Array.isArray(holder));
    if (lists.length === 0) return;
    const [holder, key] = lists[rng(lists.length)]!;
    (holder as Json[]).push(structuredClone((holder as Json[])[Number(key)]!));
  },
  'an operation added': (document, rng) => {
    const workload = (document['workload'] as { [key: string]: Json }[] | undefined) ?? [];
    if (!Array.isArray(workload)) return;
    const objects = workload.map((task) => task?.['object']).filter((path) => typeof path === 'string');
    workload.push(operation(rng, objects));
    document['workload'] = workload;
  },
  'a policy set': (document, rng) => {
    const names = [...policies.keys()];
    const name = names[rng(names.length)]!;
    const { values } = policies.get(name)!;
    const before = document['policies'];
    const set = typeof before === 'object' && before !== null && !Array.isArray(before) ? before : {};
    document['policies'] = { ...set, [name]: values[rng(values.length)]!.value };
  },
  'a number changed': (document, rng) => {
    const numbers = places(document).filter(
      ([holder, key]) => typeof (holder as { [key: string]: Json })[key] === 'number',
    );
    if (numbers.length === 0) return;
    const [holder, key] = numbers[rng(numbers.length)]!;
    (holder as { [key: string]: Json })[key] = rng(rng(2) ? 10 : 5000);
  },
};
const names = Object.keys(mutations);

const MOST_EVENTS = 1500;

/** Runs a recipe; the bytes of its trace, and its recorder. */
function run(recipe: Recipe): { bytes: Buffer; stream: StreamRecorder } {
  const chunks: Buffer[] = [];
  const stream = new StreamRecorder(recipeHeader(recipe), (bytes) => chunks.push(Buffer.from(bytes)));
  const simulation = new Simulation(recipe, stream);
  while (stream.length < (recipe.events ?? 0) && simulation.step());
  stream.end();
  return { bytes: Buffer.concat(chunks), stream };
}

/** A mutated scenario. */
export function fuzzScenario(seed: number): Trial {
  const next = randomWords(seed);
  const rng: Rng = (below) => (below <= 1 ? 0 : next() % below);
  const { id, document } = bundledScenarios[rng(bundledScenarios.length)]!;
  const mutant = structuredClone(document) as { [key: string]: Json };
  let story: string = id;
  for (let n = 1 + rng(5); n > 0; n--) {
    const mutation = names[rng(names.length)]!;
    mutations[mutation]!(mutant, rng);
    story += `, ${mutation}`;
  }
  return {
    story,
    run: () => {
      const scenario = readScenario(mutant);
      if (!('title' in scenario)) {
        assert.ok(scenario.length > 0 && scenario[0]!.problem !== '');
        return { read: false, events: 0 };
      }
      const recipe: Recipe = { scenario, seed: 1 + rng(3), settings: {}, operations: [], events: 1 + rng(MOST_EVENTS) };
      try {
        const { bytes, stream } = run(recipe);
        const trace = importMutant(bytes, 1 + rng(100_000))!;
        assert.equal(trace.length, stream.length, 'events');
        assert.equal(trace.first.accounting.skipped.size, 0, [...trace.first.accounting.skipped.keys()].join());
        assert.equal(trace.first.accounting.unknown.size, 0);
        assert.equal(JSON.stringify(stateTree(trace.head)), JSON.stringify(stateTree(stream.state)), 'state');
        const again = readRecipe(trace.first.header ?? []);
        assert.ok(again !== undefined && !('problem' in again), JSON.stringify(again));
        assert.ok(run(again).bytes.equals(bytes), 'the same bytes again');
        return { read: true, events: trace.length };
      } catch (error) {
        if (!(error instanceof SimulationError)) throw error;
        assert.match(error.message, /^[^\n]{3,}$/);
        return { read: false, events: 0 };
      }
    },
  };
}
