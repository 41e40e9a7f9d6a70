// The state at a step depends on nothing that comes later: a trace cut there, in a world that knows no later object, has
// the same state.
import assert from 'node:assert/strict';
import { ImportRun } from '../../src/import/run.ts';
import { stateTree } from '../../src/query/state.ts';
import { bundledScenarios } from '../../src/sim/bundled.ts';
import { readScenario } from '../../src/sim/scenario.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { copyUpTo } from '../../src/sim/whatif.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { fixtureTrace, traceFixtures } from '../helpers/fixtures.ts';
import { bytesOfCase, traceCases } from '../import/case.ts';
import { randomWords } from '../model/random.ts';

/** Steps at which a trace is cut. */
const CUTS = 12;

function check(trace: Trace, seed: number): void {
  const next = randomWords(seed);
  const steps = [0, trace.length - 1, ...Array.from({ length: CUTS }, () => next() % trace.length)];
  for (const step of steps) {
    const cut = copyUpTo(trace, step);
    assert.equal(cut.length, step + 1);
    assert.equal(JSON.stringify(stateTree(cut.head)), JSON.stringify(stateTree(trace.stateAt(step))), `step ${step}`);
  }
}

describe('the state at a step depends on nothing later', () => {
  for (const name of traceFixtures()) {
    it(`in ${name}`, () => {
      const trace = fixtureTrace(name);
      if (trace.length > 0) check(trace, 7);
    });
  }
  // Small texts of one kind of fault each: resets, bridges, CPUs that go offline, VFIO alone.
  for (const name of traceCases()) {
    it(`in the case ${name}`, () => {
      const run = new ImportRun(name);
      run.push(bytesOfCase(name));
      const trace = run.end();
      if (trace.length > 0) check(trace, 5);
    });
  }
  for (const { id, document } of bundledScenarios) {
    it(`in the scenario ${id}`, () => {
      const scenario = readScenario(document);
      assert.ok('title' in scenario);
      const run = new Simulation({ scenario, seed: 1, settings: {}, operations: [] });
      run.run(undefined, 3000);
      check(run.trace, 11);
    });
  }
});
