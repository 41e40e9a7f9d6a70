// Every bundled scenario with every value of every policy that it can feel: whatever a design cannot do ends in events, never in the end of the run.
import assert from 'node:assert/strict';
import { bundledScenarios } from '../../../src/sim/bundled.ts';
import { policies } from '../../../src/sim/design.ts';
import { readScenario } from '../../../src/sim/scenario.ts';
import { type Recipe, Simulation } from '../../../src/sim/simulation.ts';
import { StreamRecorder } from '../../../src/sim/stream.ts';
import { bundled, events, run } from '../run.ts';

/** Events after which a run has shown that it goes on. */
const MOST = 3000;

/** Runs a recipe without keeping its events; the policies that its parts asked for. */
function go(recipe: Recipe): ReadonlySet<string> {
  const recorder = new StreamRecorder([], () => {});
  const simulation = new Simulation(recipe, recorder);
  simulation.run(undefined, MOST);
  recorder.end();
  return simulation.setup.policiesRead;
}

describe('every value of every policy', function () {
  this.timeout(60_000);
  for (const { id, document } of bundledScenarios)
    it(`of ${id}`, () => {
      const scenario = readScenario(document);
      assert.ok('title' in scenario, id);
      const recipe = (settings: Readonly<Record<string, string>>): Recipe => ({
        scenario,
        seed: 1,
        settings,
        operations: [],
      });
      const felt = go(recipe({}));
      for (const { name, values } of policies.values()) {
        if (name === 'fault' || !felt.has(name)) continue;
        for (const { value } of values) assert.doesNotThrow(() => go(recipe({ [name]: value })), `${name}=${value}`);
      }
    });

  it('vectors of a function without IMS are refused with -ENODEV by name, and causes are lost with a reason', () => {
    const all = events(run(bundled('vmm-grants'), { settings: { vfioBackend: 'ims' } }));
    const refused = all.filter((e) => e.kind === 'ims.refused');
    assert.ok(refused.length > 0);
    for (const { fields } of refused) assert.equal(fields['ret'], -19);
    assert.ok(all.some((e) => e.kind === 'vfio.return' && e.fields['ret'] === -19));
    const workload = [{ at: '1ms', op: 'vfio.raise', object: 'vfio/0000:6a:01.0/2/1' }];
    const device = { ...bundled('vfio-msi'), vfio: [{ name: '0000:6a:01.0', vectors: 2 }], workload };
    const raised = events(run(device, { settings: { vfioBackend: 'ims' } }));
    assert.deepEqual(
      raised.filter((e) => e.kind === 'drop').map((e) => e.fields['reason']),
      ['no interrupt message storage stands behind vector 1'],
    );
  });
});
