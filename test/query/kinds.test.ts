// How often each kind of event occurs, and how often behind the cursor.
import assert from 'node:assert/strict';
import { kindCounts } from '../../src/query/kinds.ts';
import { told } from '../helpers/told.ts';

describe('kinds of events in a trace', () => {
  const trace = told(
    'lost - count=1',
    'apic.inj vcpu/0/vector/49 reinjected=false',
    'lost - count=1',
    'apic.eoi vcpu/0/vector/49',
    'lost - count=1',
  );
  const counts = (cursor: number): Record<string, [number, number]> =>
    Object.fromEntries(kindCounts(trace, cursor).map(({ kind, total, ahead }) => [kind.name, [total, ahead]]));

  it('are those that occur, with all their events and those after the cursor', () => {
    assert.deepEqual(counts(-1), { lost: [3, 3], 'apic.inj': [1, 1], 'apic.eoi': [1, 1] });
    assert.deepEqual(counts(1), { lost: [3, 2], 'apic.inj': [1, 0], 'apic.eoi': [1, 1] });
    assert.deepEqual(counts(4), { lost: [3, 0], 'apic.inj': [1, 0], 'apic.eoi': [1, 0] });
  });

  it('add up to the length of the trace', () => {
    const all = kindCounts(trace, 2);
    assert.equal(
      all.reduce((sum, { total }) => sum + total, 0),
      trace.length,
    );
    assert.equal(
      all.reduce((sum, { ahead }) => sum + ahead, 0),
      trace.length - 3,
    );
  });
});
