// Running to an event forwards and backwards, breakpoints and checkpoints.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FilterError } from '../../src/query/filter/ast.ts';
import { pathValue } from '../../src/query/state.ts';
import { RunBack } from '../../src/session/run-back.ts';
import { RunTo, type Until } from '../../src/session/run-to.ts';
import { type Refusal, Session } from '../../src/session/session.ts';
import type { Stop } from '../../src/session/stop.ts';
import { isStop, Stops } from '../../src/session/stops.ts';
import { isFinding } from '../../src/session/wrong.ts';
import { bundled, run } from '../sim/run.ts';

const { trace } = run(bundled('first-run'), { seed: 4 });
const kindAt = (step: number): string => trace.table.kind(step).name;
const steps = Array.from({ length: trace.length }, (_, step) => step);

function session(cursor: number): Session {
  const made = new Session(trace);
  made.grown(true);
  if (cursor >= 0) made.move({ to: 'step', step: cursor });
  return made;
}

function ahead(of: Session, until: Until, events = 100): number | Refusal {
  const search = new RunTo(of, until);
  let result = search.look(events);
  while (result === undefined) result = search.look(events);
  return result;
}

function back(of: Session, until: Until, stretch = 50): number | Refusal {
  const search = new RunBack(of, until, stretch);
  let result = search.look();
  while (result === undefined) result = search.look();
  return result;
}

const ENTRY = 'device/0000:03:00.0/msix/1';
const shown = (path: string, step: number): string => JSON.stringify(pathValue(trace.stateAt(step), path) ?? null);

/** Stops with all steps at which they stop, found by looking at every event. */
const stops: readonly (readonly [Stop, readonly number[]])[] = [
  [{ to: 'kind', kind: 'send' }, steps.filter((s) => kindAt(s) === 'send')],
  [{ to: 'filter', filter: 'kind == send' }, steps.filter((s) => kindAt(s) === 'send')],
  [
    { to: 'filter', filter: `kind == irq.entry && state(${ENTRY}.raises) >= 1` },
    steps.filter((s) => kindAt(s) === 'irq.entry' && Number(shown(`${ENTRY}/raises`, s)) >= 1),
  ],
  [
    { to: 'filter', filter: 'kind == irq.exit && after(kind == send, 1s)' },
    steps.filter((s) => kindAt(s) === 'irq.exit' && steps.slice(0, s).some((p) => kindAt(p) === 'send')),
  ],
  [
    { to: 'change', path: `${ENTRY}/raises` },
    steps.filter((s) => shown(`${ENTRY}/raises`, s) !== shown(`${ENTRY}/raises`, s - 1)),
  ],
  [
    { to: 'change', path: `${ENTRY}/control.mask` },
    steps.filter((s) => shown(`${ENTRY}/control.mask`, s) !== shown(`${ENTRY}/control.mask`, s - 1)),
  ],
];

describe('a run of the cursor', () => {
  it('stops at the next event, or at the last one before, whatever it looks for', () => {
    for (const [stop, wanted] of stops) assert.ok(wanted.length > 1, JSON.stringify(stop));
    const cursors = fc.integer({ min: -1, max: trace.length - 1 });
    fc.assert(
      fc.property(
        fc.constantFrom(...stops),
        cursors,
        fc.integer({ min: 1, max: 400 }),
        ([stop, wanted], cursor, slice) => {
          const next = wanted.find((step) => step > cursor) ?? -1;
          const forward = session(cursor);
          const found = ahead(forward, stop, slice);
          if (next < 0) assert.match((found as Refusal).refused, /no later event|nothing changes/);
          else assert.deepEqual([found, forward.cursor], [next, next]);
          const previous = wanted.findLast((step) => step < cursor) ?? -1;
          const backward = session(cursor);
          const before = back(backward, stop, slice);
          if (previous < 0) {
            assert.match((before as Refusal).refused, /no earlier event|earlier/);
            assert.equal(backward.cursor, cursor);
          } else assert.deepEqual([before, backward.cursor], [previous, previous]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('stops at breakpoints that are on, whichever comes first', () => {
    const made = session(-1);
    assert.match((ahead(made, { to: 'breakpoint' }) as Refusal).refused, /no breakpoint that is on/);
    assert.match((back(session(5), { to: 'breakpoint' }) as Refusal).refused, /no breakpoint that is on/);
    const [[sends, sent], , , , [raises, raised]] = stops as [
      (typeof stops)[0],
      unknown,
      unknown,
      unknown,
      (typeof stops)[0],
    ];
    made.stops.setBreakpoint(sends);
    made.stops.setBreakpoint(raises);
    made.stops.setBreakpoint({ to: 'filter', filter: 'step >= 0' }, false);
    const all = [...new Set([...sent, ...raised])].sort((a, b) => a - b);
    for (const step of all) assert.equal(ahead(made, { to: 'breakpoint' }), step);
    assert.match((ahead(made, { to: 'breakpoint' }) as Refusal).refused, /no breakpoint stops at a later event/);
    made.move({ to: 'last' });
    const reached: number[] = [];
    for (let step = back(made, { to: 'breakpoint' }); typeof step === 'number'; step = back(made, { to: 'breakpoint' }))
      reached.push(step);
    assert.deepEqual(reached, all.filter((step) => step < trace.length - 1).reverse());
    made.stops.setBreakpoint(sends, false);
    made.stops.removeBreakpoint(raises);
    assert.match((back(made, { to: 'breakpoint' }) as Refusal).refused, /no breakpoint that is on/);
  });

  it('goes back to the first event, and to what went wrong', () => {
    assert.equal(back(session(20), { to: 'end' }), 0);
    assert.match((back(session(0), { to: 'end' }) as Refusal).refused, /first event/);
    const wrong = steps.filter((step) => isFinding(trace.table.kind(step)));
    const found = back(session(trace.length - 1), { to: 'finding' });
    if (wrong.length > 0) assert.ok((found as number) >= wrong.findLast((s) => s < trace.length - 1)!);
    else assert.match((found as Refusal).refused, /nothing goes wrong before/);
  });

  it('does not begin with a filter that cannot be read', () => {
    assert.throws(() => new RunTo(session(0), { to: 'filter', filter: 'kind =' }), FilterError);
    assert.throws(() => new RunBack(session(0), { to: 'filter', filter: 'vectr == 1' }), FilterError);
  });
});

describe('breakpoints and checkpoints', () => {
  it('tell when they change, and are the same after being kept', () => {
    let told = 0;
    const made = new Stops(() => told++);
    made.setBreakpoint({ to: 'filter', filter: 'kind == send' });
    made.setBreakpoint({ to: 'filter', filter: 'kind == send' });
    made.setBreakpoint({ to: 'change', path: ENTRY }, false);
    made.setCheckpoint('late', 40);
    made.setCheckpoint('early', 3);
    made.setCheckpoint('late', 50);
    assert.equal(told, 5);
    assert.deepEqual(made.checkpoints, [
      { name: 'early', step: 3 },
      { name: 'late', step: 50 },
    ]);
    const again = new Stops(() => assert.fail('nothing changed'));
    again.load(JSON.parse(JSON.stringify(made.save())));
    assert.deepEqual(again.save(), made.save());
    made.removeCheckpoint('early');
    made.removeCheckpoint('early');
    made.removeBreakpoint({ to: 'change', path: ENTRY });
    assert.equal(told, 7);
    assert.deepEqual(made.save(), {
      breakpoints: [{ stop: { to: 'filter', filter: 'kind == send' }, enabled: true }],
      checkpoints: [{ name: 'late', step: 50 }],
    });
  });

  it('leave out what cannot be read', () => {
    const made = new Stops(() => {});
    made.load({
      breakpoints: [
        1,
        null,
        { stop: { to: 'filter', filter: 'kind = send' }, enabled: true },
        { stop: { to: 'kind', kind: 'send' } },
        { stop: { to: 'change', path: 'irq/24' }, enabled: false },
      ],
      checkpoints: [{ name: 'a', step: -1 }, { name: 'b', step: 1.5 }, { step: 2 }, { name: 'c', step: 7 }, 'x'],
    });
    assert.deepEqual(made.save(), {
      breakpoints: [{ stop: { to: 'change', path: 'irq/24' }, enabled: false }],
      checkpoints: [{ name: 'c', step: 7 }],
    });
    for (const saved of [undefined, null, 3, [], { breakpoints: {} }]) {
      made.load(saved);
      assert.deepEqual(made.save(), { breakpoints: [], checkpoints: [] });
    }
    assert.equal(isStop({ to: 'filter', filter: 'kind == send' }), true);
    assert.equal(isStop({ to: 'filter', filter: 'kind == sendd' }), false);
    assert.equal(isStop({ to: 'finding' }), false);
  });
});
