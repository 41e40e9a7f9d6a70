// Which policies a run can feel: what the parts of the system ask for is held against runs with every value of every policy.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { bundledScenarios } from '../../src/sim/bundled.ts';
import { policies } from '../../src/sim/design.ts';
import { plantedFaults } from '../../src/sim/faults/faults.ts';
import { type Felt, feltBy, noEffect } from '../../src/sim/felt.ts';
import { readScenario } from '../../src/sim/scenario.ts';
import { type Recipe, Simulation } from '../../src/sim/simulation.ts';
import { StreamRecorder } from '../../src/sim/stream.ts';

function recipeOf(id: string, settings: Readonly<Record<string, string>> = {}): Recipe {
  const scenario = readScenario(bundledScenarios.find((s) => s.id === id)?.document);
  assert.ok('title' in scenario, id);
  return { scenario, seed: 1, settings, operations: [] };
}

/** What tells the events of a run from those of another; a run that cannot be made says why. */
function eventsOf(recipe: Recipe): string {
  const hash = createHash('sha256');
  try {
    const recorder = new StreamRecorder([], (bytes) => hash.update(bytes));
    new Simulation(recipe, recorder).run();
    recorder.end();
    return hash.digest('hex');
  } catch (error) {
    return String(error);
  }
}

const felt = new Map<string, Felt>();
const feltIn = (id: string): Felt => {
  const known = felt.get(id) ?? feltBy(recipeOf(id));
  felt.set(id, known);
  return known;
};

describe('policies that a run can feel', () => {
  // One scenario of each kind of platform; all 53 were held against each other when this was written.
  const some = ['first-run', 'chain-hypercall', 'kvm-mask-per-interrupt', 'kvm-qword-split', 'vmsi-flat', 'its-basic'];
  for (const id of [...some, 'pf-msix-vs-ims', 'posted-interrupts', 'cdev-vfio-peers', 'ntb-stale-message'])
    it(`are all those that change a run of ${id}`, () => {
      const plain = eventsOf(recipeOf(id));
      for (const { name, values } of policies.values()) {
        if (name === 'fault' || feltIn(id).policies.has(name)) continue;
        for (const { value } of values)
          assert.equal(eventsOf(recipeOf(id, { [name]: value })), plain, `${name}=${value}`);
      }
    });

  it('are not those of parts that the system lacks', () => {
    const { policies: bare } = feltIn('first-run');
    assert.deepEqual([...bare].sort(), ['affinityStrategy', 'fault', 'kernel.era', 'vectorCleanup']);
    const { policies: arm } = feltIn('vmsi-flat');
    for (const name of ['vectorCleanup', 'affinityStrategy', 'remap.entryCache', 'msixOwner'])
      assert.ok(!arm.has(name), name);
    for (const name of ['vmsi', 'nested', 'composeHook', 'forceWrite']) assert.ok(arm.has(name), name);
  });

  it('wait for another policy where that decides whether a part asks', () => {
    const id = 'kvm-mask-per-interrupt';
    assert.ok(!feltIn(id).policies.has('userMemory'));
    assert.equal(feltIn(id).with.get('userMemory'), 'msixOwner=umem');
    assert.ok(feltBy(recipeOf(id, { msixOwner: 'umem' })).policies.has('userMemory'));
    assert.match(
      noEffect(feltIn(id), 'userMemory') ?? '',
      /no part of this system asks for it; it has one with msixOwner=umem/,
    );
  });

  it('have a reason where there is none, with a scenario that shows them', () => {
    const felt = feltIn('first-run');
    // No scenario shows where the memory of a VMM lies: that takes another owner of tables too.
    const named = [...policies.keys()].filter((name) => !felt.policies.has(name) && name !== 'userMemory');
    for (const name of named) assert.match(noEffect(felt, name) ?? '', /asks for it; scenario \S+ shows it$/, name);
    assert.equal(noEffect(felt, 'userMemory'), 'no part of this system asks for it');
    assert.equal(noEffect(felt, 'vectorCleanup'), undefined);
  });

  it('have among the faults all that can be planted there', () => {
    for (const { id, scenario, settings, how } of plantedFaults) {
      if (settings !== undefined) continue;
      assert.ok(feltIn(scenario).faults.has(id), `${id} in ${scenario}: ${how}`);
    }
    assert.ok(!feltIn('first-run').faults.has('F31'));
    assert.match(
      noEffect(feltIn('first-run'), 'fault', 'F31') ?? '',
      /no place in this run; it has one in scenario remap-faults/,
    );
  });

  it('are looked for without the fault that the run plants', () => {
    const run = recipeOf('device-faults', { fault: 'F01' });
    assert.notEqual(eventsOf(run), eventsOf(recipeOf('device-faults')));
    assert.ok(feltBy(run).faults.has('F01'));
  });
});
