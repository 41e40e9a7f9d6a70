// The rules on every capture and on saved simulations: no false alarm.
import assert from 'node:assert/strict';
import { checkTrace, recordedKinds, showsAll } from '../../src/check/check-trace.ts';
import { rules } from '../../src/check/rules.ts';
import { devRaise, devWithdraw, msgSend } from '../../src/model/events/msix.ts';
import { fixtureTrace, traceFixtures } from '../helpers/fixtures.ts';
import { bundled, run } from '../sim/run.ts';

describe('rules on whole traces', () => {
  for (const name of traceFixtures())
    it(`${name}: nothing in the capture breaks a rule`, () => {
      const trace = fixtureTrace(name);
      assert.equal(showsAll(trace), false);
      const check = checkTrace(trace, rules);
      assert.deepEqual(
        check.findings.map((f) => `${f.rule.id} ${trace.world.path(f.object)} at ${f.step}: ${f.text}`),
        [],
      );
      // It counts causes and messages, of which a capture does not show all: it is never passed, and it applies only where there are some.
      const some = recordedKinds(trace);
      const applies = [devRaise, devWithdraw, msgSend].some((kind) => some[kind.number] === 1);
      assert.equal(check.verdicts()['I-P4'], applies ? 'undecidable' : 'not-applicable');
    });

  it('a simulated trace is judged by all rules', () => {
    for (const name of ['first-run', 'affinity-move', 'chain-remap']) {
      const { trace } = run(bundled(name));
      assert.equal(showsAll(trace), true);
      const check = checkTrace(trace, rules);
      assert.deepEqual(check.findings, [], name);
      assert.equal(check.verdicts()['F03'], 'pass', name);
      assert.equal(check.verdicts()['I-P4'], 'pass', name);
    }
  });
});
