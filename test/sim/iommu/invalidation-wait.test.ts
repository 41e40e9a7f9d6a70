// How long an invalidation takes. Expected: drivers/iommu/intel/dmar.c qi_submit_sync (a wait descriptor behind each submission, QI_DONE is 2, status words of
// 4 bytes for each of 256 slots), VT-d 6.5.2 (the unit takes descriptors in order).
import assert from 'node:assert/strict';
import { checkTrace } from '../../../src/check/check-run.ts';
import { rules } from '../../../src/check/rules.ts';
import type { EventView } from '../../../src/query/events.ts';
import { pathValue } from '../../../src/query/state.ts';
import { scenarioFromText } from '../../../src/sim/text/sound-scenario.ts';
import { bundled, events, run } from '../run.ts';

const us = (e: EventView): number => Math.round(Number(e.time) * 1e7) / 10;

describe('the end of an invalidation', () => {
  const simulation = run(bundled('invalidation-wait'));
  const all = events(simulation);
  const of = (kind: string, from = 0): EventView[] => all.filter((e) => e.kind === kind && us(e) >= from);

  it('is told: put into the queue, carried out, status written; one behind the other', () => {
    const both = all.filter(
      (e) => ['iec.queue', 'iec.inv', 'iec.done'].includes(e.kind) && us(e) >= 100 && us(e) < 200,
    );
    assert.deepEqual(
      both.map((e) => [us(e), e.kind, e.object, e.fields['took']]),
      [
        [100, 'iec.queue', 'irte/dmar0/24', undefined],
        [100, 'iec.queue', 'irte/dmar0/25', undefined],
        [103, 'iec.inv', 'irte/dmar0/24', undefined],
        [103, 'iec.done', 'irte/dmar0', 3000],
        [106, 'iec.inv', 'irte/dmar0/25', undefined],
        [106, 'iec.done', 'irte/dmar0', 6000],
      ],
    );
    const done = of('iec.done');
    assert.ok(done.every((e) => e.fields['data'] === '0x2'));
    // Descriptor and wait descriptor take two slots: the status is that of the second.
    const slots = done.map((e) => (Number(e.fields['address']) - Number(done[0]!.fields['address'])) / 4);
    assert.deepEqual(
      slots,
      done.map((_, i) => 2 * i),
    );
    assert.equal(pathValue(simulation.trace.head, 'irte/dmar0/waits'), done.length);
    assert.equal(pathValue(simulation.trace.head, 'irte/dmar0/longestWait'), 6000);
  });

  it('an interrupt meanwhile goes where the old entry leads, one behind it to the new CPU; the old vector is freed later', () => {
    // The CPU takes it at 101.7 us. The handler waits for desc->lock, which the move holds until its invalidation is over at 103 us.
    assert.deepEqual(of('cpu.take', 100).map((e) => e.object)[0], 'cpu/0/vector/32');
    const taken = of('irq.entry', 100).map((e) => [Math.floor(us(e)), e.cpu]);
    assert.deepEqual(taken, [
      [103, 0],
      [201, 2],
    ]);
    const freed = of('vec.freeMoved').find((e) => e.object === 'irq/24')!;
    assert.ok(us(freed) > 103);
  });

  it('of all entries is told as well', () => {
    const last = all.filter((e) => us(e) >= 300 && us(e) < 400).map((e) => [us(e), e.kind, e.object]);
    assert.deepEqual(last, [
      [300, 'iec.queue', 'irte/dmar0'],
      [303, 'iec.inv', 'irte/dmar0'],
      [303, 'iec.done', 'irte/dmar0'],
    ]);
  });

  it('is no stale entry (F31) while the kernel waits; without a wait it is one', () => {
    const found = (trace: typeof simulation.trace): string[] =>
      checkTrace(trace, rules).findings.map(({ rule }) => rule.id);
    assert.deepEqual(found(simulation.trace), []);
    const { $schema: _, ...document } = bundled('invalidation-wait') as { $schema?: string; platform: object };
    const careless = run(
      { ...document, platform: { cpus: 4, remap: 'vtd' } },
      { settings: { 'remap.entryCache': 'queued' } },
    );
    assert.deepEqual(found(careless.trace), ['F31']);
  });

  it('needs a VT-d unit', () => {
    const text = '{ "title": "t", "description": "d",\n  "platform": { "remap": "amd",\n    "invalidation": "1us" } }';
    const problems = scenarioFromText(text);
    assert.ok(Array.isArray(problems));
    assert.deepEqual(
      problems.map(({ path, line }) => [path, line]),
      [['platform.invalidation', 3]],
    );
  });
});
