import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { made, scenarioNames } from '../../scripts/scenarios.ts';
import { bundledScenarios } from '../../src/sim/bundled.ts';
import { eventLine } from '../../src/trace/irqtrace.ts';
import { bundled, run, scenarioOf } from './run.ts';

const root = resolve(import.meta.dirname, '../..');

describe('bundled scenarios', () => {
  for (const [path, text] of Object.entries(made)) {
    it(`${path} is up to date (npm run scenarios)`, () => {
      assert.equal(readFileSync(join(root, path), 'utf8'), text());
    });
  }

  it('are all in the list', () => {
    assert.deepEqual(
      bundledScenarios.map((s) => s.id),
      scenarioNames(),
    );
    assert.ok(bundledScenarios.length > 0);
  });

  for (const name of scenarioNames()) {
    it(`${name} runs to its end with every cause accounted for, the same way twice`, () => {
      const document = bundled(name);
      const scenario = scenarioOf(document);
      assert.ok((scenario.look ?? '').length > 40, 'it says what to look at');
      const one = run(document);
      assert.ok(one.finished, 'nothing is left to do');
      assert.ok(one.trace.length > 10);
      assert.deepEqual(one.machine.ledger.twice, []);
      assert.equal(one.machine.ledger.tally().inFlight, 0);
      const two = run(document);
      assert.equal(two.trace.length, one.trace.length);
      for (let step = 0; step < one.trace.length; step++)
        assert.equal(eventLine(two.trace, step), eventLine(one.trace, step));
    });
  }
});
