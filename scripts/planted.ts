// Plants every fault of the simulator 100 times and writes the table of docs/findings.md: what the rules found, missed and made up.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plantedFaults } from '../src/sim/faults/faults.ts';
import { type Planted, plant, plantedHead, plantedRow } from '../test/check/planting.ts';
import { root } from './paths.ts';

const PAGE = join(root, 'docs', 'findings.md');
const results: [string, Planted][] = [];
for (const fault of plantedFaults) {
  const planted = plant(fault);
  if (planted.why !== '') console.error(`${fault.id}: ${planted.why}`);
  results.push([plantedRow(fault, planted), planted]);
}
const table = [...plantedHead, ...results.map(([row]) => row)];
const text = readFileSync(PAGE, 'utf8');
const pattern = /(<!-- planted: [^>]*-->)[\s\S]*?(<!-- \/planted -->)/;
writeFileSync(
  PAGE,
  text.replace(pattern, (_all, open: string, close: string) => `${open}\n\n${table.join('\n')}\n\n${close}`),
);
console.log(
  `planted: ${results.length} faults, ${results.filter(([, { why }]) => why !== '').length} of them not found as they should be`,
);
