// Branches of simulated runs: what an operation before the end leaves behind, and that everything can be made again.
import assert from 'node:assert/strict';
import { viewEvent } from '../../src/query/events.ts';
import { pathValue, stateTree } from '../../src/query/state.ts';
import { type Branch, Branches } from '../../src/session/branches.ts';
import { RunTo } from '../../src/session/run-to.ts';
import type { Session } from '../../src/session/session.ts';
import { bundledScenarios } from '../../src/sim/bundled.ts';
import type { Recipe } from '../../src/sim/simulation.ts';
import { eventLine } from '../../src/trace/irqtrace.ts';
import { bundled, scenarioOf } from '../sim/run.ts';

const ENTRY = 'device/0000:03:00.0/msix/1';

/** A function with two vectors; cause after cause in the second of them. */
const recipe = (operations: Recipe['operations'] = []): Recipe => ({
  scenario: scenarioOf({
    title: 'storm',
    devices: [{ bdf: '0000:03:00.0', name: 'nvme', vectors: 2 }],
    jitter: 0.3,
    workload: [{ at: '100us', op: 'device.raise', object: ENTRY, every: '20us', times: 6 }],
  }),
  seed: 3,
  settings: {},
  operations,
});

function toEnd(session: Session): void {
  const run = new RunTo(session, { to: 'end' });
  while (run.look(1000) === undefined);
}

const lines = ({ session: { trace } }: Branch, to = trace.length): string[] =>
  Array.from({ length: Math.min(to, trace.length) }, (_, step) => eventLine(trace, step));

/** The step of the nth event of a kind. */
function stepOf({ session: { trace } }: Branch, kind: string, nth = 0): number {
  for (let step = 0, seen = 0; step < trace.length; step++)
    if (trace.table.kind(step).name === kind && seen++ === nth) return step;
  return assert.fail(`no event ${kind}`);
}

function ran(branches = new Branches()): Branch {
  const branch = branches.start(recipe());
  toEnd(branch.session);
  return branch;
}

function branchOf(result: ReturnType<Branches['inject']>): Branch {
  if (!('branch' in result)) assert.fail(result.refused);
  return result.branch;
}

describe('a simulated session', () => {
  it('makes the next events when the cursor steps beyond the last one, and moves one event at a time', () => {
    const { session } = new Branches().start(recipe());
    session.move({ to: 'last' });
    const before = session.trace.length;
    assert.equal(session.growing, true);
    assert.equal(session.loading, false);
    for (let i = 0; i < 20; i++) assert.equal(session.move({ to: 'next' }), before + i);
    assert.deepEqual(stateTree(session.state), stateTree(session.trace.stateAt(session.cursor)));
  });

  it('steps back without forgetting anything', () => {
    const { session } = ran();
    const { length } = session.trace;
    session.move({ to: 'step', step: 10 });
    assert.equal(session.move({ to: 'previous' }), 9);
    assert.equal(session.move({ to: 'next' }), 10);
    assert.equal(session.trace.length, length);
  });

  it('says that nothing more is due at its end', () => {
    const { session } = ran();
    session.move({ to: 'last' });
    assert.equal(session.growing, false);
    assert.deepEqual(session.move({ to: 'next' }), {
      refused: 'the simulation has ended: no further event is due',
    });
  });

  it('goes on when an operation of the workload cannot be done: an event says so', () => {
    const { scenario } = recipe();
    const workload = [{ at: '1ms', op: 'device.raise', object: 'device/0000:09:00.0/msix/0' }];
    const { session } = new Branches().start({ ...recipe(), scenario: { ...scenario, workload } });
    const run = new RunTo(session, { to: 'kind', kind: 'illegal' });
    let result = run.look(1000);
    while (result === undefined) result = run.look(1000);
    const refused = viewEvent(session.trace, result as number);
    assert.equal(refused.fields['rule'], 'refused');
    assert.match(String(refused.fields['text']), /0000:09:00\.0/);
    assert.ok(session.trace.length > 20);
  });

  it('runs to a kind of event, to a change, and to what went wrong', () => {
    const { session } = new Branches().start(recipe());
    const look = (until: ConstructorParameters<typeof RunTo>[1]): number => {
      const run = new RunTo(session, until);
      let result = run.look(7);
      while (result === undefined) result = run.look(7);
      assert.equal(typeof result, 'number', JSON.stringify(result));
      return result as number;
    };
    const raise = look({ to: 'kind', kind: 'dev.raise' });
    assert.equal(viewEvent(session.trace, raise).kind, 'dev.raise');
    assert.equal(session.cursor, raise);
    const next = look({ to: 'kind', kind: 'dev.raise' });
    assert.ok(next > raise);
    const changed = look({ to: 'change', path: `${ENTRY}/raises` });
    assert.equal(viewEvent(session.trace, changed).kind, 'dev.raise');
    assert.ok(changed > next);
  });

  it('does not run on for ever', () => {
    const { session } = new Branches().start(recipe());
    const run = new RunTo(session, { to: 'kind', kind: 'none such' }, 10);
    let result = run.look(5);
    while (result === undefined) result = run.look(5);
    assert.deepEqual(result, { refused: 'nothing was found in 10 further events' });
  });
});

describe('branches', () => {
  it('an operation at the end continues the run, and its recipe makes it again byte by byte', () => {
    const branches = new Branches();
    const branch = ran(branches);
    branch.session.move({ to: 'last' });
    const { length } = branch.session.trace;
    const result = branches.inject(branch, { op: 'device.raise', object: ENTRY });
    assert.equal(branchOf(result), branch);
    assert.equal(viewEvent(branch.session.trace, length).kind, 'dev.raise');
    assert.equal(branch.session.cursor, length);
    toEnd(branch.session);
    const again = new Branches().start(branch.recipe!);
    toEnd(again.session);
    assert.deepEqual(lines(again), lines(branch));
  });

  it('an operation before the end makes a branch; both agree up to it, and neither is overwritten', () => {
    const branches = new Branches();
    const root = ran(branches);
    const whole = lines(root);
    const step = stepOf(root, 'dev.raise', 2);
    root.session.move({ to: 'step', step });
    const child = branchOf(branches.inject(root, { op: 'entry.mask', object: ENTRY }));
    assert.notEqual(child, root);
    assert.equal(child.parent, root);
    assert.equal(child.step, step);
    assert.equal(child.name, 'Mask 0000:03:00.0/msix/1');
    toEnd(child.session);
    assert.deepEqual(lines(root), whole);
    assert.deepEqual(lines(child, step + 1), whole.slice(0, step + 1));
    // Masked from then on: the three causes that follow are not delivered any more, the first of them stays pending.
    const sends = (b: Branch): number => lines(b).filter((l) => / send device/.test(l)).length;
    assert.equal(sends(root), 6);
    assert.equal(sends(child), 3);
    assert.equal(lines(child).filter((l) => / merge /.test(l)).length, 2);
  });

  it('the cursor of a branch stands at the first event of the operation', () => {
    const branches = new Branches();
    const root = ran(branches);
    root.session.move({ to: 'step', step: stepOf(root, 'dev.raise') });
    root.session.select(ENTRY);
    const result = branches.inject(root, { op: 'entry.mask', object: ENTRY });
    const child = branchOf(result);
    const at = viewEvent(child.session.trace, child.session.cursor);
    assert.deepEqual([at.kind, at.object, at.task], ['tbl.write', ENTRY, 'driver/operator']);
    assert.equal(child.session.selection, ENTRY);
  });

  it('a branch of a branch keeps the operations before it and none of the later ones', () => {
    const branches = new Branches();
    const root = ran(branches);
    root.session.move({ to: 'step', step: stepOf(root, 'dev.raise', 1) });
    const masked = branchOf(branches.inject(root, { op: 'entry.mask', object: ENTRY }));
    toEnd(masked.session);
    masked.session.move({ to: 'last' });
    assert.equal(branchOf(branches.inject(masked, { op: 'entry.unmask', object: ENTRY })), masked);
    toEnd(masked.session);
    const unmask = masked.run!.began[1]!;
    masked.session.move({ to: 'step', step: unmask - 1 });
    const other = branchOf(branches.inject(masked, { op: 'device.withdraw', object: ENTRY }));
    assert.equal(other.parent, masked);
    assert.deepEqual(
      other.operations.map((o) => o.op),
      ['entry.mask', 'device.withdraw'],
    );
    assert.deepEqual(lines(other, unmask), lines(masked, unmask));
    // At the unmask itself both operations count.
    masked.session.move({ to: 'step', step: unmask });
    const later = branchOf(branches.inject(masked, { op: 'device.withdraw', object: ENTRY }));
    assert.deepEqual(
      later.operations.map((o) => o.op),
      ['entry.mask', 'entry.unmask', 'device.withdraw'],
    );
    assert.deepEqual(branches.below(masked), [other, later]);
  });

  it('a refused operation makes no branch and no event', () => {
    const branches = new Branches();
    const root = ran(branches);
    root.session.move({ to: 'step', step: 20 });
    const { length } = root.session.trace;
    const nowhere = branches.inject(root, { op: 'entry.mask', object: 'device/0000:09:00.0/msix/0' });
    assert.deepEqual(nowhere, { refused: 'the system has no function 0000:09:00.0' });
    const unknown = branches.inject(root, { op: 'no.such', object: ENTRY });
    assert.deepEqual(unknown, { refused: 'there is no operation no.such' });
    assert.equal(branches.all.length, 1);
    assert.equal(root.session.trace.length, length);
  });

  it('starts again with the same recipe, operations included', () => {
    const branches = new Branches();
    const root = ran(branches);
    root.session.move({ to: 'step', step: stepOf(root, 'dev.raise', 1) });
    const child = branchOf(branches.inject(root, { op: 'entry.mask', object: ENTRY }));
    toEnd(child.session);
    const before = lines(child);
    branches.restart(child);
    assert.equal(child.session.cursor, -1);
    assert.ok(child.session.trace.length < before.length);
    toEnd(child.session);
    assert.deepEqual(lines(child), before);
  });

  it('the walkthrough holds: a mask before the raise leaves the cause of vector 0 pending', () => {
    const scenario = scenarioOf(bundled('first-run'));
    const branches = new Branches();
    const root = branches.start({ ...recipe(), scenario });
    const raise = new RunTo(root.session, { to: 'kind', kind: 'dev.raise' });
    while (raise.look(100) === undefined);
    const object = 'device/0000:03:00.0/msix/0';
    const child = branchOf(branches.inject(root, { op: 'entry.mask', object }));
    assert.notEqual(child, root);
    toEnd(child.session);
    toEnd(root.session);
    assert.equal(pathValue(child.session.trace.head, `${object}/pending`), true);
    assert.equal(pathValue(root.session.trace.head, `${object}/pending`), false);
    const sends = (b: Branch): number => lines(b).filter((l) => l.includes(` send ${object} `)).length;
    assert.deepEqual([sends(root), sends(child)], [1, 0]);
  });

  it('every bundled scenario can be left at any step: made again up to there it is the same', function () {
    this.timeout(60_000);
    for (const { id, document } of bundledScenarios) {
      const root = new Branches().start({ ...recipe(), scenario: scenarioOf(document as object) });
      toEnd(root.session);
      const { length } = root.session.trace;
      const whole = lines(root);
      for (const step of [0, length >> 2, length >> 1, length - 2]) {
        const again = root.run!.upTo(step).trace;
        const shared = Array.from({ length: step + 1 }, (_, i) => eventLine(again, i));
        assert.deepEqual(shared, whole.slice(0, step + 1), `${id} at ${step}`);
      }
    }
  });

  it('names stay apart', () => {
    const branches = new Branches();
    assert.equal(branches.start(recipe()).name, 'storm');
    const second = branches.start(recipe());
    assert.equal(second.name, 'storm (2)');
    branches.rename(second, 'with mask');
    assert.equal(second.name, 'with mask');
  });

  it('names tell by what a run differs from the others of its scenario', () => {
    const branches = new Branches();
    const first = recipe();
    branches.start(first);
    assert.equal(branches.start({ ...first, seed: first.seed + 1 }).name, `seed ${first.seed + 1} · storm`);
    const set = { ...first, settings: { migratePending: 'lost' } };
    assert.equal(branches.start(set).name, 'migratePending=lost · storm');
    assert.equal(branches.start(set).name, 'migratePending=lost · storm (2)');
  });
});
