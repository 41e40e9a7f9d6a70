// The rows of a stage funnel in the view Delivery Path.
import assert from 'node:assert/strict';
import { counting } from '../../src/query/delivery/funnel.ts';
import { objectsBelow } from '../../src/query/paths.ts';
import { RecordedKinds } from '../../src/query/recorded-kinds.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { funnelRow, type ShownFunnel } from '../../src/view/funnel-rows.ts';
import { fixtureTrace } from '../helpers/fixtures.ts';
import { bundled, run } from '../sim/run.ts';

function shown(trace: Trace, object: string, chosenBy: ShownFunnel['chosenBy'] = 'all'): ShownFunnel {
  const recorded = new RecordedKinds(trace);
  const objects = new Set(objectsBelow(trace.world.find(object)!));
  const to = trace.length - 1;
  const work = counting(trace, objects, 0, to, (kind) => recorded.has(kind));
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return { object, from: 0, to, chosenBy, share: 1, counted: value };
  }
}

describe('rows of a stage funnel', () => {
  it('tell how many entered and left each stage, and where the first ended', () => {
    const { trace } = run(bundled('its-basic'));
    const object = 'device/0000:00:04.0/msix/0';
    const row = funnelRow(shown(trace, object));
    assert.equal(row.label, 'Stage funnel');
    assert.equal(row.description, `3 deliveries, 2 delivered, 1 lost, 0 not known (all events)  ${object}`);
    const stages = new Map(row.below!.map((stage) => [stage.label, stage]));
    assert.equal(stages.get('cause')?.description, '3 in, 3 out  measured');
    const remap = stages.get('remap')!;
    assert.equal(remap.description, '3 in, 2 out, 1 ended here  measured');
    assert.equal(remap.icon, 'warning', 'the first stage with more in than out');
    assert.equal([...stages.values()].filter(({ icon }) => icon === 'warning').length, 1);
    // The last message of the scenario is refused at the end of the run.
    let last = trace.length - 1;
    while (!trace.table.kind(last).name.startsWith('its.')) last--;
    assert.equal(remap.step, last);
    assert.equal(stages.get('cause')?.step, undefined);
    assert.ok(remap.tooltip.includes('The first stage with more in than out.'));
  });

  it('tell apart what is measured, inferred, and blind: not recorded is not 0', () => {
    const trace = fixtureTrace('x86-vtd/qemu.log');
    const { below } = funnelRow(shown(trace, 'device/0000:00:03.0/msix/4'));
    const handler = below!.find(({ label }) => label === 'handler')!;
    assert.equal(handler.description, 'not recorded');
    assert.equal(handler.icon, 'eye-closed');
    assert.match(handler.tooltip.join(' '), /Blind: .* shown by ftrace irq:irq_handler_entry/);
    assert.doesNotMatch(below!.map(({ description }) => description).join(' '), /\b0 in/);
    const measured = below!.find(({ label }) => label === 'accept')!;
    assert.equal(measured.icon, 'circle-filled');
    const of = shown(trace, 'device/0000:00:03.0/msix/4');
    const { funnel, ended } = of.counted!;
    const stages = funnel.stages.map((stage) => ({ ...stage, evidence: 'inferred' as const, merged: 2 }));
    const [first] = funnelRow({ ...of, counted: { funnel: { ...funnel, stages }, ended } }).below!;
    assert.match(first!.description, /2 merged {2}inferred$/);
    assert.equal(first!.icon, 'circle-outline');
    assert.match(first!.tooltip.join(' '), /Inferred: .* 2 deliveries merged with one/);
  });

  it('say which events are counted, and how far that is', () => {
    const { trace } = run(bundled('its-basic'));
    const object = 'device/0000:00:04.0/msix/0';
    const of = shown(trace, object, 'range');
    const steps = `steps 0 to ${trace.length - 1}`;
    assert.ok(funnelRow(of).description.endsWith(`(${steps}, marked on the timeline)  ${object}`));
    assert.ok(funnelRow({ ...of, chosenBy: 'caller' }).description.endsWith(`(${steps})  ${object}`));
    const going = funnelRow({ ...of, chosenBy: 'all', share: 0.456, counted: undefined });
    assert.equal(going.description, `counting… 45 % (all events)  ${object}`);
    assert.deepEqual(going.below, []);
  });
});
