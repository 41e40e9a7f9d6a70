// The rows of the view Comparison, without an editor.
import assert from 'node:assert/strict';
import { compareTraces } from '../../src/query/diff/compare.ts';
import { compareStates } from '../../src/query/diff/states.ts';
import { type ComparisonRow, comparisonRows, rowOfDifference, summaryOf } from '../../src/view/comparison/rows.ts';
import { rowOfObject, stateRows, stateSummary } from '../../src/view/comparison/state-rows.ts';
import { traceOf } from '../query/diff/helper.ts';
import { bundled, run } from '../sim/run.ts';

const events = [
  'vec.setup irq/41 legacy=false ret=0',
  'irq.identify irq/41 device=0000:00:04.0 hwirq=0 domain=PCI-MSIX-0000:00:04.0',
  'vec.update irq/41 vector=33 cpu=1 prevVector=0 prevCpu=0',
  'tbl.write device/0000:00:04.0/msix/0 offset=0xc size=4 value=0x0',
  'dev.raise device/0000:00:04.0/msix/0 vector=0',
  'cpu1 irq.entry irq/41 name=eth0',
  'cpu1 irq.exit irq/41 handled=true',
];
const ENTRY = 'device/0000:00:04.0/msix/0';
const other = events
  .flatMap((event) => (event.startsWith('dev.raise') ? [event, event] : [event]))
  .map((event) => event.replace('irq/41', 'irq/43').replace('vector=33', 'vector=35'));

const texts = (rows: readonly ComparisonRow[]): string[] =>
  rows.map(({ label, description }) => (description === '' ? label : `${label} | ${description}`));

describe('rows of a comparison', () => {
  const comparison = compareTraces(traceOf(events), traceOf(other));
  const rows = comparisonRows(comparison);

  it('begin with the first divergence, then each interrupt that differs, then what has another number', () => {
    assert.deepEqual(texts(rows), [
      `First divergence | ${ENTRY}, eth0: vector: 33 → 35`,
      `${ENTRY}, eth0 | 1 changed, 1 only in B`,
      'The same under another number | 1 object',
    ]);
    assert.equal(summaryOf(comparison), '5 events the same, 1 changed, 0 only in A, 1 only in B');
    assert.deepEqual(texts(rows[2]!.below()), [`irq/41 is irq/43 | ${ENTRY}, eth0`]);
  });

  it('count with separators, as the rest of the editor does', () => {
    const more = Array.from({ length: 1500 }, () => 'dev.raise device/0000:00:04.0/msix/0 vector=0');
    const many = compareTraces(traceOf(events), traceOf([...events, ...more]));
    assert.match(summaryOf(many), / 1,500 only in B$/);
    assert.match(comparisonRows(many)[1]!.description, /^1,500 only in B$/);
  });

  it('tell counts and times of an interrupt before its differences', () => {
    assert.deepEqual(texts(rows[1]!.below()), [
      'raises | 1 → 2',
      // The handler comes one event, of a millisecond each, after the only raise; two after the first of two.
      'latency | median 1.000 ms → 2.000 ms, 99 % 1.000 ms → 2.000 ms',
      'vector: 33 → 35 | irq/41 · set-up',
      `dev.raise vector=0 | ${ENTRY} · running · only in B`,
    ]);
  });

  it('lead to the event in the traces that have it', () => {
    const [, , vector, raise] = rows[1]!.below();
    assert.deepEqual([vector!.stepA, vector!.stepB], [2, 2]);
    assert.deepEqual([raise!.stepA, raise!.stepB], [undefined, 5]);
    assert.deepEqual(vector!.tooltip, [
      'A: step 2, line 5: vec.update irq/41 vector=33 cpu=1 prevVector=0 prevCpu=0',
      'B: step 2, line 5: vec.update irq/43 vector=35 cpu=1 prevVector=0 prevCpu=0',
    ]);
    assert.equal(raise!.tooltip[0], 'A: no such event');
    assert.deepEqual([rows[0]!.stepA, rows[0]!.stepB], [2, 2]);
    assert.equal(vector!.parent, rows[1]);
  });

  it('are found by a difference, also where one row stands for several', () => {
    const [vector, raise] = comparison.differences;
    assert.equal(rowOfDifference(comparison, rows, vector!)?.label, 'vector: 33 → 35');
    assert.equal(rowOfDifference(comparison, rows, raise!)?.label, 'dev.raise vector=0');
    const twice = other.flatMap((event) => (event.startsWith('dev.raise') ? [event, event] : [event]));
    const more = compareTraces(traceOf(events), traceOf(twice));
    const all = comparisonRows(more);
    const raises = more.differences.filter(({ a }) => a < 0);
    assert.equal(raises.length, 3);
    for (const difference of raises)
      assert.match(rowOfDifference(more, all, difference)!.description, / · only in B · 3 times$/);
  });

  it('are one that says so where nothing differs', () => {
    assert.deepEqual(texts(comparisonRows(compareTraces(traceOf(events), traceOf(events)))), ['No differences']);
  });

  it('have ids of their own, and gather what says the same', () => {
    const a = run(bundled('device-faults')).trace;
    const b = run(bundled('affinity-move')).trace;
    const all = comparisonRows(compareTraces(a, b)).flatMap((row) => [row, ...row.below()]);
    assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
    assert.ok(all.some(({ description }) => / · \d+ times$/.test(description)));
    // Asked a second time, a row has the same rows below: the editor finds the parent of a row by it.
    const [subject] = comparisonRows(compareTraces(a, b)).filter(({ kind }) => kind === 'subject');
    assert.equal(subject!.below(), subject!.below());
  });
});

describe('rows of a comparison of states', () => {
  const trace = traceOf(events);

  it('are the objects that differ, each with its keys', () => {
    const found = compareStates(trace, 4, trace, 5);
    const rows = stateRows(found);
    assert.deepEqual(texts(rows), ['irq/41 | 4 differences']);
    assert.deepEqual(texts(rows[0]!.below()), [
      'name | ? → eth0',
      'handled | 0 → 1',
      'handledSinceSetup | 0 → 1',
      'running | ? → 1',
    ]);
    assert.deepEqual([rows[0]!.stepA, rows[0]!.stepB], [4, 5]);
    assert.equal(rowOfObject(rows, 'irq/41/more'), rows[0]);
    assert.equal(rowOfObject(rows, 'irq/4'), undefined);
    assert.equal(stateSummary(found, 4, 5), 'state after step 4 in A and 5 in B: 1 object differs');
  });

  it('are an object without keys where only one state has it', () => {
    const rows = stateRows(compareStates(trace, 2, trace, 3));
    assert.deepEqual(texts(rows.filter(({ label }) => label === ENTRY)), [`${ENTRY} | only in B`]);
  });

  it('are one that says so where nothing differs', () => {
    assert.deepEqual(texts(stateRows([])), ['No differences']);
  });
});
