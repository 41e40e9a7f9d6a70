// The stage funnel: how many interrupts entered and left each stage.
import assert from 'node:assert/strict';
import { counting, funnelOf } from '../../../src/query/delivery/funnel.ts';
import { funnelText } from '../../../src/query/delivery/funnel-text.ts';
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

  it('is counted in slices, and knows the last events of what ended at a stage', () => {
    const { trace } = run(bundled('its-basic'));
    const recorded = new RecordedKinds(trace);
    const objects = new Set(objectsBelow(trace.world.find('device/0000:00:04.0/msix/0')!));
    const work = counting(trace, objects, 0, trace.length - 1, (kind) => recorded.has(kind));
    const shares: number[] = [];
    let step = work.next();
    for (; step.done !== true; step = work.next()) shares.push(step.value);
    assert.equal(shares.at(-1), 1);
    assert.deepEqual(step.value.funnel, funnel(trace, 'device/0000:00:04.0/msix/0'));
    // its-basic: the ITS refuses the last message, whose EventID is not mapped any more.
    const ends = step.value.ended.get('remap')!;
    assert.equal(ends.length, 1);
    assert.match(trace.table.kind(ends[0]!).name, /^its\./);
    assert.deepEqual(step.value.ended.get('accept'), []);
    const large = fixtureTrace('x86-vtd/qemu.log');
    const pauses = [...counting(large, new Set(), 0, large.length - 1, () => true)].length;
    assert.equal(pauses, Math.ceil(large.length / 2048));
  });

  it('is printed in columns', () => {
    const { trace } = run(bundled('its-basic'));
    const object = 'device/0000:00:04.0/msix/0';
    const lines = funnelText({ object, from: 0, to: trace.length - 1 }, funnel(trace, object));
    assert.equal(lines[0], `${object}, steps 0 to ${trace.length - 1}: 3 deliveries, 2 delivered, 1 lost, 0 not known`);
    assert.match(lines[1]!, /^stage {2,}entered {2}left {2}merged {2}ended here {2}evidence$/);
    assert.ok(lines.some((line) => /^remap +3 +2 +0 +1 {2}measured$/.test(line)));
    assert.ok(lines.includes('first stage with more in than out: remap'));
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
