// The header of a simulated trace: it holds all that the run was made of.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytesOf, textOf } from '../../src/base/bytes.ts';
import { ImportRun } from '../../src/import/run.ts';
import { stateTree } from '../../src/query/state.ts';
import { scenarioWithOperations } from '../../src/sim/export.ts';
import { readRecipe, recipeHeader, recipeOf } from '../../src/sim/recipe.ts';
import { readScenario } from '../../src/sim/scenario.ts';
import { type Recipe, Simulation } from '../../src/sim/simulation.ts';
import { irqtraceBytes } from '../../src/trace/irqtrace.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { scenarioOf } from '../sim/run.ts';

const scenario = scenarioOf({
  devices: [{ bdf: '0000:03:00.0', name: 'nvme', vectors: 2 }],
  jitter: 0.4,
  workload: [{ at: '50us', op: 'device.raise', object: 'device/0000:03:00.0/msix/0', every: '7us', times: 9 }],
});

const text = (trace: Trace, header: readonly string[]): string =>
  [...irqtraceBytes(trace, header)].map((chunk) => textOf(chunk)).join('');

function imported(bytes: Uint8Array): Trace {
  const run = new ImportRun('saved.irqtrace');
  run.push(bytes);
  return run.end();
}

describe('recipe in the header', () => {
  it('a saved run is read with its recipe, and made again it is the same file', () => {
    const run = new Simulation({ scenario, seed: 12, settings: {}, operations: [] });
    run.run(() => run.trace.length > 60);
    assert.equal(run.perform({ op: 'entry.mask', object: 'device/0000:03:00.0/msix/0' }), undefined);
    run.run();
    const saved = text(run.trace, recipeHeader(run.recipe));
    const recipe = recipeOf(imported(bytesOf(saved)));
    assert.ok(recipe && 'scenario' in recipe);
    assert.equal(recipe.operations.length, 1);
    const again = new Simulation(recipe);
    again.run();
    assert.equal(text(again.trace, recipeHeader(again.recipe)), saved);
  });

  it('whatever was set and done is read back', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9.-]{0,8}$/);
    const operation = fc.record(
      { op: name, object: fc.string(), value: fc.oneof(fc.string(), fc.nat(), fc.boolean()) },
      { noNullPrototype: true },
    );
    const any = fc.record(
      {
        seed: fc.nat(),
        settings: fc.dictionary(name, name, { noNullPrototype: true }),
        operations: fc.array(fc.record({ after: fc.nat(), operation }, { noNullPrototype: true }), { maxLength: 4 }),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(any, (parts) => {
        const recipe: Recipe = { scenario, ...parts };
        const run = imported(
          bytesOf(
            `#irqtrace 1\n${recipeHeader(recipe)
              .map((l) => `#${l}\n`)
              .join('')}`,
          ),
        );
        assert.deepEqual(recipeOf(run), recipe);
      }),
      { numRuns: 100 },
    );
  });

  it('an exported scenario does in its workload what people did in the run', () => {
    const run = new Simulation({ scenario: { ...scenario, jitter: 0 }, seed: 1, settings: {}, operations: [] });
    run.run(() => run.trace.table.kind(run.trace.length - 1).name === 'cpu.eoi');
    assert.equal(run.perform({ op: 'entry.mask', object: 'device/0000:03:00.0/msix/0' }), undefined);
    run.run();
    const exported = scenarioWithOperations(run);
    assert.deepEqual(readScenario(JSON.parse(JSON.stringify(exported))), exported);
    const again = new Simulation({ scenario: exported, seed: 1, settings: {}, operations: [] });
    again.run();
    const kinds = ({ trace }: Simulation): string[] =>
      Array.from({ length: trace.length }, (_, step) => trace.table.kind(step).name);
    assert.deepEqual(kinds(again), kinds(run));
    assert.deepEqual(stateTree(again.trace.head), stateTree(run.trace.head));
    assert.ok(kinds(run).includes('merge'));
  });

  it('a trace that was not simulated has none', () => {
    assert.equal(readRecipe([]), undefined);
    assert.equal(readRecipe(['seed 3', 'note by hand']), undefined);
  });

  it('tells what is wrong with one', () => {
    const good = `scenario ${JSON.stringify(scenario)}`;
    const problem = (...header: string[]): string => {
      const result = readRecipe(header);
      return result && 'problem' in result ? result.problem : assert.fail('no problem');
    };
    assert.match(problem('scenario {'), /no JSON/);
    assert.match(problem('scenario {"title":"x"}'), /not sound: description/);
    assert.match(problem(good, 'seed x'), /seed x/);
    assert.match(problem(good, 'set order'), /order/);
    assert.match(problem(good, 'operation 3 [1]'), /operation 3/);
  });
});
