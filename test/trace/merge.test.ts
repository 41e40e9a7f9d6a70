import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ImportRun } from '../../src/import/run.ts';
import { State } from '../../src/model/state.ts';
import { apply } from '../../src/model/vocabulary.ts';
import { World } from '../../src/model/world.ts';
import { eventText, lineText, viewEvent } from '../../src/query/events.ts';
import { stateTree } from '../../src/query/state.ts';
import { mergeOrder } from '../../src/trace/merge.ts';
import { Source } from '../../src/trace/source.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { rowOf } from '../helpers/row.ts';

const show = (state: State): string => JSON.stringify(stateTree(state));

/** A source of given own times, NaN for none; its lines count from 1. */
function sourceOf(times: readonly number[], facts: Partial<Source> = {}): Source {
  const source = new Source({ file: 'x', ...facts });
  for (const [i, time] of times.entries()) source.events.push(rowOf({ kind: 0, time, line: i + 1 }));
  return source;
}

/** Which event of which source, as `source.row`. */
const orderOf = (...sources: Source[]): string[] => {
  const { sources: s, rows } = mergeOrder(sources, sources[0]!.time);
  return Array.from(rows, (row, i) => `${s[i]}.${row}`);
};

describe('the order of several sources', () => {
  it('is that of their times; where these are equal, the source given first comes first', () => {
    assert.deepEqual(orderOf(sourceOf([1, 3, 5]), sourceOf([2, 3, 4])), ['0.0', '1.0', '0.1', '1.1', '1.2', '0.2']);
  });

  it('keeps the order of a source: an older stamp, or none, stays behind the event before it', () => {
    assert.deepEqual(orderOf(sourceOf([10, 4, Number.NaN, 12]), sourceOf([5, 11])), [
      '1.0',
      '0.0',
      '0.1',
      '0.2',
      '1.1',
      '0.3',
    ]);
    assert.deepEqual(orderOf(sourceOf([Number.NaN, Number.NaN]), sourceOf([1])), ['0.0', '0.1', '1.0']);
  });

  it('counts the offset of a clock, and a base that is another one', () => {
    const first = sourceOf([0, 100], { time: { base: 5n, ticks: false, digits: 9 } });
    const later = { time: { base: 7n, ticks: false, digits: 9 } };
    assert.deepEqual(orderOf(first, sourceOf([0], later)), ['0.0', '0.1', '1.0']);
    assert.deepEqual(orderOf(first, sourceOf([0], { ...later, offset: -1_999_999_950n })), ['0.0', '1.0', '0.1']);
  });

  it('is sorted by the largest stamp so far and stable, for any times', () => {
    const time = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant(Number.NaN));
    fc.assert(
      fc.property(fc.array(fc.array(time, { maxLength: 12 }), { minLength: 1, maxLength: 4 }), (all) => {
        const expected = all
          .flatMap((times, s) => {
            let most = Number.NEGATIVE_INFINITY;
            return times.map((t, row) => ({ s, row, key: (most = t > most ? t : most) }));
          })
          .sort((a, b) => (a.key === b.key ? a.s - b.s || a.row - b.row : a.key - b.key))
          .map(({ s, row }) => `${s}.${row}`);
        assert.deepEqual(orderOf(...all.map((times) => sourceOf(times))), expected);
      }),
    );
  });
});

/** Reads a text as one source of a world. */
function read(world: World, system: string, file: string, text: string): Trace {
  const run = new ImportRun(file, { world, system });
  run.push(new TextEncoder().encode(text));
  return run.end();
}

const HOST = [
  ' qemu-1 [000] d.h. 10.000000: irq_handler_entry: irq=41 name=vfio-msix[0]',
  ' qemu-1 [000] d.h. 10.000004: irq_handler_exit: irq=41 ret=handled',
  ' CPU 0/KVM-2 [001] d... 10.000008: kvm_entry: vcpu 0, rip 0x1',
].join('\n');
const GUEST = [
  ' nvme-7 [000] d.h. 10.000006: irq_handler_entry: irq=41 name=nvme0q1',
  ' nvme-7 [000] d.h. 10.000007: irq_handler_exit: irq=41 ret=handled',
].join('\n');

/** The plain fold of a trace up to a step. */
function fold(trace: Trace, to: number): State {
  const state = new State(trace.world);
  const row = rowOf({ kind: 0 });
  for (let step = 0; step <= to; step++) apply(state, trace.table.kind(step), trace.table.read(step, row));
  return state;
}

describe('a trace of several sources', () => {
  const world = new World();
  const trace = read(world, '', 'host.txt', HOST);
  const guest = read(world, 'guest', 'guest.txt', GUEST);
  const from = trace.join(guest.first);

  it('keeps the objects of two systems apart: irq 41 of the host is not irq 41 of the guest', () => {
    const tree = stateTree(trace.head) as Record<string, Record<string, Record<string, unknown>>>;
    assert.equal(tree['irq']!['41']!['name'], 'vfio-msix[0]');
    assert.equal(tree['guest:irq']!['41']!['name'], 'nvme0q1');
    assert.equal(tree['irq']!['41']!['handled'], 1);
    assert.equal(tree['guest:irq']!['41']!['handled'], 1);
  });

  it('reads file, line and time through the source of an event', () => {
    const entry = [...Array(trace.length).keys()].find((s) =>
      eventText(trace, s).startsWith('irq.entry guest:irq/41'),
    )!;
    assert.equal(trace.sources[trace.sourceOf(entry)]!.file, 'guest.txt');
    assert.equal(viewEvent(trace, entry).source.file, 'guest.txt');
    assert.equal(viewEvent(trace, 0).source.file, 'host.txt');
    assert.equal(trace.table.line(entry), 1);
    assert.equal(lineText(trace, entry), 'line 1 of guest.txt');
    assert.equal(lineText(read(new World(), '', 'host.txt', HOST), 0), 'line 1');
    assert.equal(trace.table.time(entry), 6000);
    assert.equal(trace.lastAtLine(1, 1), entry);
    assert.equal(trace.lastAtLine(2, 1), entry + 1);
    assert.equal(trace.lastAtLine(2, 'guest.txt'), entry + 1);
    assert.equal(trace.lastAtLine(2), trace.lastAtLine(2, 'host.txt'));
    assert.equal(trace.lastAtLine(2, 'nowhere.txt'), -1);
  });

  it('folds again only from the step that the new source touches', () => {
    assert.ok(from >= 2, 'both events of the host at 10.000000 and 10.000004 come before');
    for (let step = -1; step < trace.length; step++)
      assert.equal(show(trace.stateAt(step)), show(fold(trace, step)), `${step}`);
  });

  it('is the same whichever source arrives last, and after an offset was set and taken back', () => {
    const other = new World();
    const late = read(other, '', 'host.txt', HOST);
    const early = read(other, 'guest', 'guest.txt', GUEST);
    early.first.offset = -1_000_000n;
    late.join(early.first);
    assert.match(eventText(late, 0), /guest:/, 'a millisecond earlier');
    early.first.offset = 0n;
    late.join();
    const lines = (t: Trace): string[] => [...Array(t.length).keys()].map((s) => eventText(t, s));
    assert.deepEqual(lines(late), lines(trace));
    assert.equal(show(late.head), show(trace.head));
  });

  it('finds the event at a time after an offset was set that leaves the order as it is', () => {
    const other = new World();
    const late = read(other, '', 'host.txt', HOST);
    const early = read(other, 'guest', 'guest.txt', GUEST);
    early.first.offset = -10_000n;
    late.join(early.first);
    assert.equal(late.sourceOf(0), 1, 'the guest comes first, 4 microseconds before the host');
    assert.equal(late.table.time(0), -4000);
    // Ten microseconds earlier still: the order stays as it is.
    early.first.offset = -20_000n;
    late.join();
    assert.equal(late.table.time(0), -14_000);
    const steps = [...Array(late.length).keys()];
    for (const time of [-15_000, -14_000, -13_500, -13_000, 0, 8000])
      assert.equal(
        late.lastAtTime(time),
        steps.findLastIndex((step) => late.table.time(step) <= time),
      );
  });
});
