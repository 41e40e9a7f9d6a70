// Windows of lanes: aggregation loses nothing, sizes are bounded, clocks that misbehave do no harm.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { irqEntry, irqExit } from '../../src/model/events/irq.ts';
import { lost, mark } from '../../src/model/events/notes.ts';
import { irq } from '../../src/model/things/irq.ts';
import { mention } from '../../src/model/things/pci.ts';
import { Search } from '../../src/query/filter/search.ts';
import { TraceBuilder } from '../../src/trace/builder.ts';
import { eventsBetween } from '../../src/view/lanes/find.ts';
import { LaneIndex, layerAt } from '../../src/view/lanes/lanes.ts';
import { ABSENT, type AxisKind, MIXED, OFF, ON, UNKNOWN, type WindowView } from '../../src/view/lanes/values.ts';
import { windowOf } from '../../src/view/lanes/window.ts';
import { cpuHandlers, irqHandlers } from '../../src/view/presentation/layer.ts';
import { fixtureTrace, importText } from '../helpers/fixtures.ts';

const index = new LaneIndex(fixtureTrace('x86-vtd/ftrace.txt'));
index.advance();

const anyWindow = fc.record({
  axis: fc.constantFrom<AxisKind>('time', 'step'),
  start: fc.double({ min: -0.2, max: 1.1, noNaN: true }),
  share: fc.double({ min: 1e-7, max: 1.5, noNaN: true }),
  bins: fc.integer({ min: 1, max: 700 }),
  lanes: fc.array(fc.nat(index.tree.lanes.length - 1), { minLength: 1, maxLength: 6 }),
  deep: fc.boolean(),
});

/** Marks of a row: number of events, and the bins they lie in. */
function rowOf(view: WindowView, row: number): { events: number; bins: number[]; steps: number[] } {
  const bins: number[] = [];
  const steps: number[] = [];
  let events = 0;
  for (let i = view.rowMarks[row]!; i < view.rowMarks[row + 1]!; i++) {
    events += view.count[i]!;
    bins.push(Math.floor(view.at[i]!));
    steps.push(view.step[i]!);
  }
  return { events, bins, steps };
}

describe('windows of lanes', () => {
  it('count every event of every row once, in ascending bins', () => {
    fc.assert(
      fc.property(anyWindow, ({ axis, start, share, bins, lanes, deep }) => {
        const a = index.axis(axis);
        const all = a.x(a.length - 1) - a.x(0);
        const from = a.x(0) + all * start;
        const size = (all * share) / bins;
        const rows = lanes.map((lane) => ({ lane, deep }));
        const view = windowOf(index, { axis, from, size, bins, rows });
        for (const [r, row] of rows.entries()) {
          const { events, bins: filled, steps } = rowOf(view, r);
          // The end of a window is computed as the window computes it.
          const expected = eventsBetween(index, row, index.axis(axis), from, from + bins * size, 0);
          assert.equal(events, expected.count);
          assert.ok(filled.length <= bins);
          for (let i = 1; i < filled.length; i++) assert.ok(filled[i]! > filled[i - 1]! && steps[i]! > steps[i - 1]!);
          if (filled.length > 0) assert.ok(filled[0]! >= 0 && filled.at(-1)! < bins);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('tell events that are looked for from the others, and those that were not asked about yet', () => {
    const { trace } = index;
    const search = new Search(trace, 'kind == irq.entry || cpu == 1');
    while (search.advance(10_000));
    const fits = (step: number): boolean => trace.table.kind(step) === irqEntry || trace.table.cpu(step) === 1;
    fc.assert(
      fc.property(anyWindow, fc.nat(trace.length), ({ axis, start, share, bins, lanes, deep }, done) => {
        const a = index.axis(axis);
        const all = a.x(a.length - 1) - a.x(0);
        const from = a.x(0) + all * start;
        const size = (all * share) / bins;
        const rows = lanes.map((lane) => ({ lane, deep }));
        const view = windowOf(index, { axis, from, size, bins, rows }, { done, hits: search.hits });
        for (const [r, row] of rows.entries()) {
          const { steps } = eventsBetween(
            index,
            row,
            index.axis(axis),
            from,
            from + bins * size,
            Number.POSITIVE_INFINITY,
          );
          const wanted = steps.filter((step) => step >= done || fits(step)).length;
          let hits = 0;
          for (let i = view.rowMarks[r]!; i < view.rowMarks[r + 1]!; i++) {
            hits += view.hits[i]!;
            assert.ok(view.hits[i]! <= view.count[i]!);
            assert.equal(view.hitShapes[i]! & ~view.shapes[i]!, 0);
            assert.equal(view.hitShapes[i] === 0, view.hits[i] === 0);
            if (view.hits[i] === view.count[i]) assert.equal(view.hitShapes[i], view.shapes[i]);
          }
          assert.equal(hits, wanted);
        }
      }),
      { numRuns: 100 },
    );
    const plain = windowOf(index, { axis: 'step', from: 0, size: 100, bins: 10, rows: [{ lane: 0, deep: true }] });
    assert.equal(plain.hits.length + plain.hitShapes.length, 0);
    assert.ok(plain.shapes.length > 0);
  });

  it('tell of layers what is so in the middle of each bin', () => {
    fc.assert(
      fc.property(anyWindow, ({ axis, start, share, bins, lanes }) => {
        const a = index.axis(axis);
        const all = a.x(a.length - 1) - a.x(0);
        const from = a.x(0) + all * start;
        const size = (all * share) / bins;
        const view = windowOf(index, { axis, from, size, bins, rows: lanes.map((lane) => ({ lane, deep: false })) });
        for (const [r, id] of lanes.entries()) {
          for (const [l, layer] of index.tree.lanes[id]!.layers.entries()) {
            const at = view.rowLayers[r]! + l;
            const [first, end] = [view.layerRuns[at]!, view.layerRuns[at + 1]!];
            assert.ok(end > first && end - first <= 2 * bins + 1);
            assert.equal(view.runAt[first], 0);
            for (let i = first; i < end; i++) {
              if (i > first) assert.ok(view.runAt[i]! > view.runAt[i - 1]!);
              // Exactly at the start of a run the value has changed already: look a little later, but before the next.
              const until = i + 1 < end ? view.runAt[i + 1]! : bins;
              const middle = from + ((view.runAt[i]! + until) / 2) * size;
              if (view.runValue[i] === MIXED || until - view.runAt[i]! < 2e-3) continue;
              assert.equal(view.runValue[i], layerAt(layer, a.stepAt(middle) - 1));
            }
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('fill mixed runs by the share of time in which the layer was on', () => {
    const builder = new TraceBuilder('test');
    const object = builder.world.object(irq, 'irq/5');
    // In each 1000 ns the handler runs for 250 ns.
    for (let n = 0; n < 400; n++) {
      for (const [event, time] of [
        [irqEntry.put().name(0), n * 1000],
        [irqExit.put().handled(false), n * 1000 + 250],
      ] as const) {
        builder.begin(n * 2 + 1, n);
        builder.time = time;
        builder.cpu = 0;
        builder.emit(event, object);
      }
    }
    const lanes = new LaneIndex(builder.trace);
    lanes.advance();
    const lane = lanes.tree.find('irq/5')!;
    const view = windowOf(lanes, {
      axis: 'time',
      from: 0,
      size: 10_000,
      bins: 40,
      rows: [{ lane: lane.id, deep: false }],
    });
    const at = lane.layers.findIndex((layer) => layer.spec === irqHandlers);
    for (let i = view.layerRuns[at]!; i < view.layerRuns[at + 1]!; i++) {
      if (view.runAt[i]! >= 39) continue;
      assert.equal(view.runValue[i], MIXED);
      assert.equal(view.runFill[i], 64);
    }
  });

  it('have an empty row for a lane that does not exist', () => {
    const view = windowOf(index, { axis: 'step', from: 0, size: 1, bins: 10, rows: [{ lane: 1e6, deep: true }] });
    assert.deepEqual([...view.rowMarks], [0, 0]);
    assert.deepEqual([...view.rowLayers], [0, 0]);
  });
});

/** A trace of handler begins and ends: `+26@0` begins irq 26 on CPU 0, `-26@0` ends it, `?0` loses events of CPU 0. */
function handlers(script: string): LaneIndex {
  const builder = new TraceBuilder('test');
  const { world } = builder;
  let n = 0;
  for (const word of script.split(' ')) {
    builder.begin(++n, n);
    builder.time = n * 10;
    const [what, where] = word.slice(1).split('@') as [string, string | undefined];
    builder.cpu = Number(where ?? what);
    if (word[0] === '?') builder.emit(lost.put(), world.object(mention, `buffer/${what}`));
    else
      builder.emit(
        word[0] === '+' ? irqEntry.put().name(0) : irqExit.put().handled(false),
        world.object(irq, `irq/${what}`),
      );
  }
  const lanes = new LaneIndex(builder.trace);
  lanes.advance();
  return lanes;
}

function valuesOf(lanes: LaneIndex, path: string, spec: typeof cpuHandlers): number[] {
  const layer = lanes.tree.find(path)!.layer(spec)!;
  return Array.from({ length: lanes.done }, (_, step) => layerAt(layer, step));
}

describe('handler spans', () => {
  it('nest, and the end of an outer handler ends what began inside', () => {
    const lanes = handlers('+26@0 +27@0 -27@0 -26@0 +26@0 +27@0 -26@0');
    assert.deepEqual(valuesOf(lanes, 'cpu/0', cpuHandlers), [ON, ON, ON, OFF, ON, ON, OFF]);
    assert.deepEqual(valuesOf(lanes, 'irq/26', irqHandlers), [ON, ON, ON, OFF, ON, ON, OFF]);
  });

  it('of one irq on two CPUs end when the last one ends', () => {
    const lanes = handlers('+26@0 +26@1 -26@0 -26@1');
    assert.deepEqual(valuesOf(lanes, 'irq/26', irqHandlers), [ON, ON, ON, OFF]);
    assert.deepEqual(valuesOf(lanes, 'cpu/1', cpuHandlers), [ABSENT, ON, ON, OFF]);
  });

  it('are unknown from a gap to the next event of that CPU', () => {
    const lanes = handlers('+26@0 +30@1 ?0 -30@1 +27@0 -27@0');
    assert.deepEqual(valuesOf(lanes, 'cpu/0', cpuHandlers), [ON, ON, UNKNOWN, UNKNOWN, ON, OFF]);
    assert.deepEqual(valuesOf(lanes, 'irq/26', irqHandlers), [ON, ON, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN]);
    assert.deepEqual(valuesOf(lanes, 'irq/30', irqHandlers), [ABSENT, ON, ON, OFF, OFF, OFF]);
  });
});

/** A trace of marks with these stamps, NaN for none. */
function stamped(times: readonly number[]): LaneIndex {
  const builder = new TraceBuilder('test');
  const object = builder.world.object(mention, 'marker');
  for (const [i, time] of times.entries()) {
    builder.begin(i + 1, i);
    builder.time = time;
    builder.emit(mark.put().text(0), object);
  }
  const lanes = new LaneIndex(builder.trace);
  lanes.advance();
  return lanes;
}

describe('axes', () => {
  const steady = Array.from({ length: 100 }, (_, i) => i * 10);

  it('never descend, whatever the stamps', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.constant(Number.NaN))), (times) => {
        const lanes = stamped(times);
        for (const kind of ['time', 'step'] as const) {
          const axis = lanes.axis(kind);
          assert.equal(axis.length, times.length);
          for (let step = 1; step < axis.length; step++) assert.ok(axis.x(step) >= axis.x(step - 1));
          for (let step = 0; step < axis.length; step++) assert.ok(axis.x(axis.stepAt(axis.x(step))) === axis.x(step));
        }
      }),
    );
  });

  it('keep the order of events where a clock goes back a little', () => {
    const lanes = stamped([...steady, 985, Number.NaN, 1000]);
    const axis = lanes.axis('time');
    assert.equal(lanes.natural, 'time');
    assert.deepEqual(
      [99, 100, 101, 102].map((step) => axis.x(step)),
      [990, 990, 990, 1000],
    );
  });

  it('give events before the first stamp its place', () => {
    const lanes = stamped([Number.NaN, Number.NaN, 70, 80]);
    assert.deepEqual(
      [0, 1, 2, 3].map((step) => lanes.axis('time').x(step)),
      [70, 70, 70, 80],
    );
  });

  it('are steps where there are no stamps, or several clocks', () => {
    assert.equal(stamped([Number.NaN, Number.NaN]).natural, 'step');
    assert.equal(stamped([...steady, ...steady]).natural, 'step');
    assert.equal(stamped([...steady, ...steady]).axis('time').kind, 'step');
    const log = importText('pci_cfg_write nvme 00:03.0 @0x4 <- 0x7\npci_cfg_write nvme 00:03.0 @0x4 <- 0x3\n');
    const lanes = new LaneIndex(log);
    lanes.advance();
    assert.equal(lanes.natural, 'step');
    assert.equal(lanes.axis('time').x(1), 1);
  });

  it('of an empty trace are empty', () => {
    const lanes = stamped([]);
    assert.equal(lanes.advance(), false);
    const view = windowOf(lanes, { axis: 'time', from: 0, size: 1, bins: 100, rows: [{ lane: 0, deep: false }] });
    assert.equal(view.at.length, 0);
  });
});
