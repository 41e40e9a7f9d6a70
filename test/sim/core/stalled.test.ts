// Runs in which something waits that does not come.
import assert from 'node:assert/strict';
import { bundled, events, run } from '../run.ts';

const added = (name: string, ...operations: readonly object[]): object => {
  const document = bundled(name) as { workload: readonly object[] };
  return { ...document, workload: [...document.workload, ...operations] };
};

describe('a run', () => {
  it('that waits for a virtual CPU which does not run any more ends with an event that says so', () => {
    const document = added(
      'bypass-faults',
      { at: '50ms', op: 'vcpu.preempt', object: 'vcpu/0' },
      { at: '51ms', op: 'guest.read', object: 'device/0000:00:06.0/msix/0' },
    );
    const simulation = run(document);
    const told = events(simulation).filter((e) => e.fields['rule'] === 'stalled');
    assert.equal(told.length, 1);
    assert.match(String(told[0]!.fields['text']), /^1 action waits for what does not come/);
    assert.equal(events(simulation).at(-1)?.fields['rule'], 'stalled');
    assert.equal(simulation.finished, false);
    const again = simulation.again();
    again.run();
    assert.equal(again.trace.length, simulation.trace.length);
  });

  it('in which a machine with shared CPUs migrates goes on to its end', () => {
    // A thread that comes back waits for its turn, which another thread of the same machine has to give up (seed 200100 found it).
    for (const seed of [1, 2, 3, 200100]) {
      const document = added('interrupt-storm', { at: '1455781ns', op: 'vm.migrate', object: 'kvm/0' });
      const simulation = run({ ...document, jitter: 0.3 }, { seed });
      assert.equal(simulation.finished, true, `seed ${seed}`);
      assert.equal(events(simulation).filter((e) => e.fields['rule'] === 'stalled').length, 0);
      const { inFlight, pending } = simulation.machine.ledger.tally();
      assert.deepEqual([inFlight, pending], [0, 0]);
    }
  });
});
