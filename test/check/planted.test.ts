// Every fault that the simulator can plant is found by its rule, at the step and object where it was planted, for every seed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { plantedFaults } from '../../src/sim/faults/faults.ts';
import { plant, plantedRow, SEEDS } from './planting.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../docs/findings.md'), 'utf8');

describe('planted faults', () => {
  for (const fault of plantedFaults)
    it(`${fault.id}: ${fault.how}`, () => {
      const planted = plant(fault);
      const { found, missed, wrong, why } = planted;
      assert.ok(page.includes(`\n${plantedRow(fault, planted)}\n`), 'docs/findings.md says the same (npm run planted)');
      assert.deepEqual({ found, missed, wrong, why }, { found: SEEDS, missed: 0, wrong: 0, why: '' });
    }).timeout(60_000);

  it('each has an id of its own and a row in the table', () => {
    assert.equal(
      page
        .split('<!-- /planted -->')[0]!
        .split(/<!-- planted: [^>]*-->/)[1]!
        .match(/^\| \S+ \| \[/gm)?.length,
      plantedFaults.length,
    );
    assert.equal(new Set(plantedFaults.map(({ id }) => id)).size, plantedFaults.length);
  });
});
