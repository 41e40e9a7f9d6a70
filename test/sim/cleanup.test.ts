// When the previous vector of a move is freed.
import assert from 'node:assert/strict';
import { events, run } from './run.ts';

const raise = (at: string): object => ({ at, op: 'device.raise', object: 'device/0000:03:00.0/msix/0' });

describe('clean-up of a move', () => {
  it('does not interrupt a handler of the old CPU, and what waits there is served first', () => {
    // The second message finds the first one in service; the third goes to the new CPU, which asks the old one to clean up and leaves the
    // interrupt to the handler that runs there: it runs once more.
    const move = { at: '100us', op: 'irq.affinity', object: 'irq/24', cpus: [3] };
    const simulation = run(
      {
        platform: { cpus: 4 },
        devices: [{ bdf: '0000:03:00.0', name: 'dev', vectors: 2, irqs: 1 }],
        workload: [move, raise('200us'), raise('200.5us'), raise('201.2us'), raise('300us')],
      },
      { settings: { vectorCleanup: 'ipi' } },
    );
    const kinds = ['cpu.take', 'cpu.eoi', 'irq.entry', 'ipi.entry', 'vec.freeMoved'];
    const seen = events(simulation)
      .filter((e) => e.cpu === 0 && kinds.includes(e.kind))
      .map((e) => e.kind);
    const served = ['cpu.take', 'cpu.eoi', 'irq.entry'];
    assert.deepEqual(seen, [...served, 'irq.entry', ...served, 'ipi.entry', 'vec.freeMoved']);
    assert.equal(simulation.machine.ledger.tally().delivered, 4);
  });
});
