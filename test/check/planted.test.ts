// Every fault that the simulator can plant is found by its rule, at the step and object where it was planted, for every seed.
import assert from 'node:assert/strict';
import { plantedFaults } from '../../src/sim/faults/faults.ts';
import { plant, SEEDS } from './planting.ts';

describe('planted faults', () => {
  for (const fault of plantedFaults)
    it(`${fault.id}: ${fault.how}`, () => {
      const { found, missed, wrong, why } = plant(fault);
      assert.deepEqual({ found, missed, wrong, why }, { found: SEEDS, missed: 0, wrong: 0, why: '' });
    }).timeout(60_000);

  it('each has an id of its own', () => {
    assert.equal(new Set(plantedFaults.map(({ id }) => id)).size, plantedFaults.length);
  });
});
