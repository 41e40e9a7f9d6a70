// Facts of the capture x86-vtd that its snapshots show (A2, A11, A13, A26), alone and joined with the trace of its kernel.
import assert from 'node:assert/strict';
import { joinTraces } from '../../../src/import/join/join.ts';
import { viewEvent } from '../../../src/query/events.ts';
import { pathValue } from '../../../src/query/state.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureBytes, fixtureTrace, grep, importBytes } from '../../helpers/fixtures.ts';

const FTRACE = 'x86-vtd/ftrace.txt';
const snapshot = (name: string): string => `x86-vtd/snap-interrupts-${name}.txt`;

const joined = (...names: readonly string[]): Trace =>
  joinTraces([
    { trace: fixtureTrace(FTRACE) },
    ...names.map((name) => ({ trace: importBytes(fixtureBytes(snapshot(name)), undefined, `${name}.txt`) })),
  ]);

const at = (trace: Trace, path: string, step = trace.length - 1): unknown =>
  pathValue(trace.stateAt(step), path) ?? null;
const stepsOf = (trace: Trace, kind: string, object: string): number[] =>
  Array.from({ length: trace.length }, (_, step) => viewEvent(trace, step))
    .filter((view) => view.kind === kind && view.object === object)
    .map(({ step }) => step);

describe('facts of x86-vtd in snapshots', () => {
  it('A2: nvme0 has irqs 26 to 30, entries 0 to 4 of its table', () => {
    const trace = fixtureTrace(snapshot('before'));
    for (let i = 0; i < 5; i++)
      assert.deepEqual(
        ['device', 'hwirq', 'actions', 'chip'].map((key) => at(trace, `irq/${26 + i}/${key}`)),
        ['0000:00:03.0', i, [`nvme0q${i}`], 'IR-PCI-MSIX-0000:00:03.0'],
      );
  });

  it('A11: what the trace last tells of irq 41 is CPU 3, vector 39; the counts show that it ran on CPU 2', () => {
    const trace = joined('cpu1-off', 'cpu13-off');
    const [first, second] = stepsOf(trace, 'snap.irq', 'irq/41') as [number, number];
    // vector_update at 54.981213, before CPU 1 went offline.
    const [update] = grep(FTRACE, /54\.981213: vector_update: irq=41 vector=39 cpu=3 /);
    assert.ok(update !== undefined);
    assert.deepEqual([at(trace, 'irq/41/cpu', first), at(trace, 'irq/41/vector', first)], [3, 39]);
    assert.deepEqual(at(trace, 'irq/41/perCpu', first), { 0: 0, 2: 67, 3: 88 });
    // CPU 3 is offline now; nine more on CPU 2, as handlers in the trace show too.
    assert.deepEqual(at(trace, 'irq/41/perCpu', second), { 0: 0, 2: 76 });
    const between = stepsOf(trace, 'irq.entry', 'irq/41').filter((step) => step > first && step < second);
    assert.equal(between.filter((step) => trace.table.cpu(step) === 2).length, 9);
    // So it is not on CPU 3 any more; which vector it has there nothing tells.
    assert.deepEqual([at(trace, 'irq/41/cpu', second), at(trace, 'irq/41/vector', second)], [null, null]);
  });

  it('A13: after the unbind the irqs of nvme are gone', () => {
    assert.equal(grep(snapshot('nvme-unbound'), /nvme/).length, 0);
    const trace = joined('nvme-unbound');
    const step = stepsOf(trace, 'snap.listing', 'snapshot/interrupts').at(-1)!;
    for (let irq = 26; irq <= 30; irq++) assert.equal(at(trace, `irq/${irq}/allocated`, step), false, `irq ${irq}`);
  });

  it('A26: numbers are used again: the snapshot counts since the last set-up', () => {
    const trace = joined('before');
    const [step] = stepsOf(trace, 'snap.irq', 'irq/26') as [number];
    // 22 handler entries until there, 16 of them since the second set-up.
    assert.deepEqual(
      [at(trace, 'irq/26/handled', step - 1), at(trace, 'irq/26/handledSinceSetup', step - 1)],
      [22, 16],
    );
    assert.deepEqual([at(trace, 'irq/26/handled', step), at(trace, 'irq/26/perCpu/0', step)], [16, null]);
    assert.deepEqual(at(trace, 'irq/26/perCpu', step), { 0: 16, 1: 0, 2: 0, 3: 0 });
  });
});
