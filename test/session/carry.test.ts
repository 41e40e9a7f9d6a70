// A trace that was put together again keeps what its user had in it: by events, not by steps.
import assert from 'node:assert/strict';
import { joinTraces } from '../../src/import/join/join.ts';
import { carryOver, sameEvent, stepNear } from '../../src/session/carry.ts';
import { Session } from '../../src/session/session.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { fixtureTrace } from '../helpers/fixtures.ts';

const alone = fixtureTrace('x86-vtd/ftrace.txt');
const both = joinTraces([{ trace: alone }, { trace: fixtureTrace('x86-vtd/qemu.log') }]);

/** Where an event stands, as anyone can read it in the files. */
const told = ({ table, sources, sourceOf, world }: Trace, trace: Trace, step: number): string =>
  [
    sources[sourceOf.call(trace, step)]!.file,
    table.line(step),
    table.kind(step).name,
    world.path(table.object(step)).replace(/^\w+:/, ''),
  ].join(' ');

describe('a trace that was put together again', () => {
  it('has every event of a source that was there before', () => {
    const seen = new Set<number>();
    for (let step = 0; step < alone.length; step++) {
      const there = sameEvent(alone, step, both);
      assert.ok(there >= 0, `step ${step}`);
      assert.equal(told(both, both, there), told(alone, alone, step));
      assert.ok(!seen.has(there), `two events of the file are event ${there}`);
      seen.add(there);
    }
    // The events of one file keep their order.
    const order = [...seen];
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
    );
  });

  it('lacks those of a source that left: the nearest event before it stands for one', () => {
    let gone = 0;
    for (let step = 0; step < both.length; step += 53) {
      const back = sameEvent(both, step, alone);
      const { file, derived } = both.sources[both.sourceOf(step)]!;
      if (file === alone.first.file && !derived) assert.ok(back >= 0);
      else {
        gone++;
        assert.equal(back, -1);
        const near = stepNear(both, step, alone);
        if (near < 0) continue;
        const at = sameEvent(alone, near, both);
        assert.ok(at < step);
        const between = Array.from({ length: step - at - 1 }, (_, i) => at + 1 + i);
        assert.ok(between.every((other) => sameEvent(both, other, alone) < 0));
      }
    }
    assert.ok(gone > 20);
  });

  it('keeps cursor, checkpoints, breakpoints, selection and lanes', () => {
    const before = new Session(alone);
    before.grown(true);
    before.move({ to: 'step', step: 500 });
    before.stops.setCheckpoint('here', 123);
    before.stops.setBreakpoint({ to: 'kind', kind: 'irq.entry' });
    const path = alone.world.path(alone.table.object(500));
    before.select(path);
    before.showOnlyChanged(true);
    before.arrangeLanes(['cpu', 'cpu/0']);
    const after = new Session(both);
    after.grown(true);
    carryOver(before, after);
    assert.equal(told(both, both, after.cursor), told(alone, alone, 500));
    assert.notEqual(after.cursor, 500);
    assert.equal(told(both, both, after.stops.checkpoints[0]!.step), told(alone, alone, 123));
    assert.equal(after.stops.checkpoints[0]!.name, 'here');
    assert.deepEqual(after.stops.breakpoints, [{ stop: { to: 'kind', kind: 'irq.entry' }, enabled: true }]);
    assert.equal(after.selection, path);
    assert.equal(after.onlyChanged, true);
    assert.deepEqual(after.lanes, ['cpu', 'cpu/0']);
  });

  it('keeps what it had itself, as it was open before; a name that both have is that of the old trace', () => {
    const before = new Session(alone);
    before.stops.setCheckpoint('here', 123);
    before.stops.setBreakpoint({ to: 'kind', kind: 'irq.entry' }, false);
    const after = new Session(both);
    after.stops.setCheckpoint('own', 7);
    after.stops.setCheckpoint('here', 9);
    after.stops.setBreakpoint({ to: 'kind', kind: 'send' });
    after.stops.setBreakpoint({ to: 'kind', kind: 'irq.entry' });
    carryOver(before, after);
    assert.deepEqual(
      after.stops.checkpoints.map(({ name }) => name),
      ['own', 'here'],
    );
    assert.equal(told(both, both, after.stops.checkpoints[1]!.step), told(alone, alone, 123));
    assert.deepEqual(after.stops.breakpoints, [
      { stop: { to: 'kind', kind: 'irq.entry' }, enabled: false },
      { stop: { to: 'kind', kind: 'send' }, enabled: true },
    ]);
  });
});
