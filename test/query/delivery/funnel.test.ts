// The stage funnel: how many interrupts entered and left each stage.
import assert from 'node:assert/strict';
import { funnelOf } from '../../../src/query/delivery/funnel.ts';
import { objectsBelow } from '../../../src/query/paths.ts';
import { RecordedKinds } from '../../../src/query/recorded-kinds.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureTrace, grep } from '../../helpers/fixtures.ts';
import { bundled, run } from '../../sim/run.ts';

function funnel(trace: Trace, path: string) {
  const recorded = new RecordedKinds(trace);
  const node = trace.world.find(path) ?? assert.fail(path);
  return funnelOf(trace, new Set(objectsBelow(node)), 0, trace.length - 1, (kind) => recorded.has(kind));
}

const at = (result: ReturnType<typeof funnel>, stage: string) =>
  result.stages.find((s) => s.stage === stage) ?? assert.fail(stage);

describe('stage funnel', () => {
  it('x86 capture: as many causes of an nvme vector as its text has lines, and all reach the local APIC', () => {
    const result = funnel(fixtureTrace('x86-vtd/qemu.log'), 'device/0000:00:03.0/msix/4');
    const causes = grep('x86-vtd/qemu.log', /pci_nvme_irq_msix raising MSI-X IRQ vector 4$/).length;
    assert.ok(causes > 0);
    assert.equal(at(result, 'cause').entered, causes);
    assert.equal(at(result, 'accept').entered, causes);
    assert.equal(result.delivered, causes);
    assert.equal(result.first, null);
    assert.equal(at(result, 'handler').entered, null, 'a log of QEMU records no handlers of the kernel: blind, not 0');
    assert.equal(at(result, 'handler').evidence, 'blind');
  });

  it('simulation: the message that the ITS refuses ends at the remap stage', () => {
    const result = funnel(run(bundled('its-basic')).trace, 'device/0000:00:04.0/msix/0');
    // its-basic: three causes of entry 0, the last one after its EventID was discarded.
    assert.deepEqual([result.deliveries, result.delivered, result.lost], [3, 2, 1]);
    assert.equal(result.first, 'remap');
    assert.deepEqual([at(result, 'remap').entered, at(result, 'remap').left, at(result, 'remap').ended], [3, 2, 1]);
  });

  it('a window counts the deliveries that begin in it', () => {
    const { trace } = run(bundled('chain-basic'));
    const recorded = new RecordedKinds(trace);
    const objects = new Set([trace.world.objectAt('device/0000:03:00.0/msix/0')]);
    const causes = Array.from({ length: trace.length }, (_, step) => step).filter(
      (step) => trace.table.kind(step).name === 'dev.raise',
    );
    assert.equal(causes.length, 3);
    const window = (from: number, to: number) =>
      funnelOf(trace, objects, from, to, (kind) => recorded.has(kind)).deliveries;
    assert.equal(window(0, trace.length - 1), 3);
    assert.equal(window(causes[1]!, trace.length - 1), 2);
    assert.equal(window(causes[0]! + 1, causes[2]! - 1), 1);
  });
});
