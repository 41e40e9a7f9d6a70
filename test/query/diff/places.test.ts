// Where the differences of two traces stand in each of them.
import assert from 'node:assert/strict';
import { compareTraces } from '../../../src/query/diff/compare.ts';
import { placesIn } from '../../../src/query/diff/places.ts';
import { traceOf } from './helper.ts';

const ENTRY = 'device/0000:00:04.0/msix/0';
const life = (irq: number, vector: number): string[] => [
  `vec.setup irq/${irq} legacy=false ret=0`,
  `vec.update irq/${irq} vector=${vector} cpu=1 prevVector=0 prevCpu=0`,
  `dev.raise ${ENTRY} vector=0`,
  `cpu1 irq.entry irq/${irq} name=eth0`,
  `cpu1 irq.exit irq/${irq} handled=true`,
];

describe('places of differences', () => {
  // B has another vector, no second raise, and a handler more.
  const a = [...life(41, 33), `dev.raise ${ENTRY} vector=0`];
  const b = [...life(43, 35), 'cpu1 irq.entry irq/43 name=eth0'];
  const comparison = compareTraces(traceOf(a), traceOf(b));

  it('are the events of each trace, and where those of the other one would stand, under its own names', () => {
    assert.deepEqual(placesIn(comparison, 'a', 10), [
      { kind: 'changed', step: 1, path: 'irq/41' },
      { kind: 'missing', step: 4, path: 'irq/41' },
      { kind: 'here', step: 5, path: ENTRY },
    ]);
    assert.deepEqual(placesIn(comparison, 'b', 10), [
      { kind: 'changed', step: 1, path: 'irq/43' },
      { kind: 'here', step: 5, path: 'irq/43' },
      { kind: 'missing', step: 4, path: ENTRY },
    ]);
  });

  it('are at most so many', () => {
    assert.equal(placesIn(comparison, 'a', 2).length, 2);
  });
});
