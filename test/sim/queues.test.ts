// Queues as handles: limits, security properties, order, what a completion raises; at scale.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { EventView } from '../../src/query/events.ts';
import { pathValue } from '../../src/query/state.ts';
import type { Simulation } from '../../src/sim/simulation.ts';
import { bundled, events, run, start } from './run.ts';

const FN = '0000:6a:01.0';
const QUEUE = `device/${FN}/queue/0`;
// errno.h.
const EPERM = -1;
const ENOENT = -2;
const EAGAIN = -11;
const EBUSY = -16;
const EINVAL = -22;
const ENOSPC = -28;
const EOPNOTSUPP = -95;

function idxd(workload: readonly object[], more: object = {}, step = 100): object {
  return {
    platform: { cpus: 2 },
    devices: [{ bdf: FN, name: 'idxd', vectors: 1, ims: { entries: 8 }, queues: { max: 8 }, ...more }],
    workload: workload.map((task, i) => ({ at: `${100 + step * i}us`, object: `device/${FN}`, ...task })),
  };
}

const bind5 = { op: 'pasid.bind', pasid: 5, owner: 'process/1000' };
const bind6 = { op: 'pasid.bind', pasid: 6, owner: 'process/1001' };
const open5 = { op: 'queue.open', pasid: 5, owner: 'process/1000' };
const submit = { op: 'queue.submit', object: QUEUE };
const ofKind = (all: readonly EventView[], ...kinds: string[]): EventView[] =>
  all.filter((e) => kinds.includes(e.kind));
const answers = (all: readonly EventView[]): unknown[] =>
  ofKind(all, 'queue.return').map((e) => [e.fields['call'], e.fields['ret']]);
const tally = (sim: Simulation): unknown => {
  const { delivered, dropped, merged, pending, inFlight, untold } = sim.machine.ledger.tally();
  assert.deepEqual(sim.machine.ledger.twice, []);
  return { delivered, dropped, merged, open: pending + inFlight, untold };
};

describe('queues', () => {
  it('S1-10 the device checks limits and security properties and answers with an errno', () => {
    const sim = run(bundled('queue-limits'));
    const all = events(sim);
    assert.deepEqual(answers(all), [
      ['create', EPERM],
      ...[0, 1, 2, ENOSPC].map((ret) => ['create', ret]),
      ...[3, ENOSPC].map((ret) => ['create', ret]),
      ['interrupt', EPERM],
      ['enable', EINVAL],
      ['bind', EPERM],
      ...[0, 0, 0, EBUSY].map((ret) => ['bind', ret]),
      ...[0, 1, ENOSPC].map((ret) => ['interrupt', ret]),
      ['enable', 0],
      ['destroy', EPERM],
      ['destroy', 0],
      ['enable', ENOENT],
      ['create', 0],
    ]);
    assert.deepEqual(
      ofKind(all, 'qd.submit').map((e) => e.fields['ret'] ?? 0),
      [EINVAL, 0, 0, EAGAIN],
    );
    // A refusal changes nothing: the queue that was refused an interrupt stays bound, without a handle.
    assert.equal(pathValue(sim.machine.state, `device/${FN}/queue/2/state`), 'bound');
    assert.equal(pathValue(sim.machine.state, `device/${FN}/queue/2/handle`), null);
    assert.equal(pathValue(sim.machine.state, `${QUEUE}/owner`), 'process/1001');
    assert.equal(ofKind(all, 'qd.complete').length, 2);
  });

  it('S1-10 more than 10,000 queues of one function in less than two seconds; the one too many is refused', () => {
    const before = performance.now();
    const sim = run(bundled('queues-10000'));
    const took = performance.now() - before;
    const all = events(sim);
    const created = ofKind(all, 'queue.state').filter((e) => e.fields['state'] === 'created' && !e.fields['ret']);
    assert.equal(created.length, 10_240);
    assert.equal(new Set(created.map((e) => e.object)).size, 10_240);
    for (const e of created) assert.equal(e.task, 'device/0000:81:00.0', 'firmware answers');
    const rpc = ofKind(all, 'queue.return').filter((e) => e.fields['front'] === 'rpc');
    assert.equal(rpc.length, 10_241);
    assert.equal(rpc.at(-1)?.fields['ret'], ENOSPC);
    assert.deepEqual(tally(sim), { delivered: 1, dropped: 0, merged: 0, open: 0, untold: 0 });
    assert.ok(took < 2000, `${Math.round(took)} ms`);
  });

  it('10,000 queues with PASID and enabled work side by side', () => {
    const sim = run(idxd([bind5, { ...open5, interrupt: false, count: 10_000 }], { queues: { max: 10_000 } }, 1));
    assert.equal(sim.perform({ op: 'queue.submit', object: `device/${FN}/queue/9999` }), undefined);
    assert.equal(sim.perform({ op: 'queue.submit', object: QUEUE }), undefined);
    sim.run();
    const done = ofKind(events(sim), 'qd.complete').map((e) => [e.object, e.fields['status']]);
    assert.deepEqual(done, [
      [`device/${FN}/queue/9999`, '0x1'],
      [QUEUE, '0x1'],
    ]);
  });

  it('a completion raises the entry that the handle names, if the PASID is that of the entry', () => {
    const sim = run(
      idxd([
        bind5,
        bind6,
        { ...open5, count: 2 },
        { op: 'queue.open', pasid: 6, owner: 'process/1001' },
        submit,
        { ...submit, handle: 1 },
        { ...submit, handle: 2 },
        { ...submit, handle: 7 },
        { ...submit, interrupt: false },
      ]),
    );
    const all = events(sim);
    assert.deepEqual(
      ofKind(all, 'qd.complete').map((e) => e.fields['status']),
      // Own handle; that of another queue with the same PASID; of PASID 6; one that was never granted; none.
      ['0x1', '0x1', '0x19', '0x19', '0x1'],
    );
    assert.deepEqual(
      ofKind(all, 'dev.raise').map((e) => e.object),
      [0, 1].map((i) => `device/${FN}/ims/${i}`),
    );
    assert.deepEqual(tally(sim), { delivered: 2, dropped: 2, merged: 0, open: 0, untold: 0 });
    assert.equal(pathValue(sim.machine.state, `${QUEUE}/failed`), 2);
    assert.equal(pathValue(sim.machine.state, `${QUEUE}/user/5/submitted`), 5);
  });

  it('a handle that was given back is not valid any more', () => {
    const sim = run(
      idxd([
        bind5,
        { ...open5, count: 2 },
        { op: 'queue.destroy', object: `device/${FN}/queue/1` },
        { ...submit, handle: 1 },
      ]),
    );
    const [done] = ofKind(events(sim), 'qd.complete');
    assert.equal(done?.fields['status'], '0x19');
    assert.deepEqual(tally(sim), { delivered: 0, dropped: 1, merged: 0, open: 0, untold: 0 });
  });

  it('a queue is destroyed after the work that it holds, and takes no more meanwhile', () => {
    const sim = run(idxd([bind5, open5]));
    for (const op of ['queue.submit', 'queue.submit', 'queue.destroy'])
      assert.equal(sim.perform({ op, object: QUEUE }), undefined);
    sim.run(
      () => sim.recorder.world.objectAt(QUEUE) >= 0 && pathValue(sim.machine.state, `${QUEUE}/state`) === 'draining',
    );
    assert.equal(sim.perform({ op: 'queue.submit', object: QUEUE }), undefined);
    sim.run();
    const all = events(sim);
    assert.deepEqual(
      ofKind(all, 'qd.submit').map((e) => e.fields['ret'] ?? 0),
      [0, 0, EINVAL],
    );
    const done = ofKind(all, 'qd.complete');
    const gone = ofKind(all, 'queue.state').find((e) => e.fields['state'] === 'destroyed')!;
    assert.equal(done.length, 2);
    assert.ok(done.at(-1)!.step < gone.step);
    assert.equal(ofKind(all, 'ims.free').length, 1);
    assert.equal(ofKind(all, 'irq.entry').length + ofKind(all, 'merge').length, 2);
  });

  it('a queue that is destroyed while its interrupt is allocated gives the interrupt back', () => {
    const sim = run(
      idxd([
        bind5,
        { ...open5, interrupt: false },
        { op: 'queue.interrupt', object: QUEUE },
        { op: 'queue.destroy', object: QUEUE, at: '301us' },
      ]),
    );
    const all = events(sim);
    const at = (kind: string, state?: string): number =>
      all.findIndex((e) => e.kind === kind && (state === undefined || e.fields['state'] === state));
    const granted = all.findIndex((e) => e.kind === 'queue.use' && e.fields['handle'] !== undefined);
    assert.ok(at('queue.state', 'draining') < granted, 'both at once');
    assert.ok(at('ims.free') > 0);
    assert.ok(at('ims.free') < at('queue.state', 'destroyed'));
    assert.equal(pathValue(sim.machine.state, `${QUEUE}/state`), 'destroyed');
  });

  it('a handle is valid once its allocation has returned, not before', () => {
    const sim = run(
      idxd([
        bind5,
        { ...open5, interrupt: false },
        { op: 'queue.interrupt', object: QUEUE },
        { ...submit, handle: 0, at: '298.55us' },
        { ...submit, handle: 0, at: '320us' },
      ]),
    );
    const all = events(sim);
    const [early, late] = ofKind(all, 'qd.complete');
    const first = all.find((e) => e.kind === 'ims.store')!;
    assert.ok(
      early!.step < first.step && Number(first.time) - Number(early!.time) < 1e-7,
      'the index is taken, the entry not yet written',
    );
    assert.deepEqual([early?.fields['status'], late?.fields['status']], ['0x19', '0x1']);
    assert.deepEqual(tally(sim), { delivered: 1, dropped: 1, merged: 0, open: 0, untold: 0 });
  });

  it('PASIDs: what cannot be or is taken is refused, and bound only by its owner', () => {
    const all = events(
      run(
        idxd([
          bind5,
          { ...bind6, pasid: 5 },
          { ...bind6, pasid: 0 },
          { op: 'pasid.unbind', pasid: 9 },
          bind6,
          { op: 'queue.create', owner: 'process/1000', shared: true },
          { op: 'queue.bind', object: QUEUE, pasid: 6 },
          { op: 'queue.bind', object: QUEUE, pasid: 7 },
          { op: 'queue.bind', object: QUEUE, pasid: 6, owner: 'process/1001' },
          { op: 'queue.bind', object: QUEUE, pasid: 6, owner: 'process/1001' },
        ]),
      ),
    );
    assert.deepEqual(
      ofKind(all, 'pasid.bind', 'pasid.unbind').map((e) => e.fields['ret'] ?? 0),
      [0, EBUSY, EINVAL, ENOENT, 0],
    );
    assert.deepEqual(
      answers(all).slice(1),
      [EPERM, ENOENT, 0, EBUSY].map((ret) => ['bind', ret]),
    );
  });

  it('a queue is enabled once, and a user has one interrupt', () => {
    const again = (op: string): object => ({ op, object: QUEUE });
    const sim = run(idxd([bind5, open5, again('queue.enable'), again('queue.interrupt')]));
    assert.deepEqual(answers(events(sim)).slice(-2), [
      ['enable', EBUSY],
      ['interrupt', EBUSY],
    ]);
    assert.equal(pathValue(sim.machine.state, `${QUEUE}/state`), 'enabled');
    assert.equal(ofKind(events(sim), 'ims.free').length, 0);
  });

  it('whatever is asked for, in any order and at any time: limits hold, work needs an enabled queue, no cause is lost', () => {
    const n = fc.integer({ min: 0, max: 4 });
    const pasid = fc.integer({ min: 4, max: 7 });
    const owner = fc.constantFrom('process/1000', 'process/1001');
    const front = fc.constantFrom('cdev', 'vfio', 'kernel');
    const onQueue = (op: string, more: object): fc.Arbitrary<object> =>
      fc.record({ op: fc.constant(op), object: n.map((i) => `device/${FN}/queue/${i}`), ...more });
    const task = fc.oneof(
      fc.record({ op: fc.constantFrom('pasid.bind'), pasid, owner }),
      fc.record({ op: fc.constant('pasid.unbind'), pasid }),
      fc.record({ op: fc.constant('queue.create'), owner, front, shared: fc.boolean() }),
      fc.record({ op: fc.constant('queue.open'), owner, front, pasid, shared: fc.boolean() }),
      fc.record({ op: fc.constant('queue.open'), owner: fc.constant('process/1000'), front, pasid: fc.constant(5) }),
      fc.record({ op: fc.constant('queue.open'), owner: fc.constant('process/1001'), front, pasid: fc.constant(6) }),
      onQueue('queue.bind', { pasid, owner }),
      onQueue('queue.interrupt', {}),
      onQueue('queue.enable', {}),
      onQueue('queue.submit', { pasid, handle: n }),
      onQueue('queue.submit', {}),
      onQueue('queue.destroy', { owner }),
    );
    const workload = fc.array(fc.tuple(fc.integer({ min: 100, max: 400 }), task), {
      minLength: 10,
      maxLength: 60,
      size: 'max',
    });
    let completed = 0;
    let destroyed = 0;
    fc.assert(
      fc.property(workload, fc.integer({ min: 1, max: 1000 }), (tasks, seed) => {
        const document = idxd(
          [{ ...bind5, at: '90us' }, { ...bind6, at: '90us' }, ...tasks.map(([at, t]) => ({ ...t, at: `${at}us` }))],
          { queues: { max: 3, depth: 2 }, ims: { entries: 2 } },
        );
        const sim = run({ ...document, jitter: 0.5 }, { seed });
        const { delivered, dropped, merged, pending, inFlight, untold } = sim.machine.ledger.tally();
        assert.deepEqual(sim.machine.ledger.twice, []);
        assert.deepEqual([inFlight, pending, untold], [0, 0, 0]);
        assert.equal(delivered + dropped + merged, sim.machine.ledger.causes);
        // Written down independently: the state of every queue by the successful events alone.
        const states = new Map<string, string>();
        const held = new Map<string, number>();
        const entries = new Set<string>();
        for (const e of events(sim)) {
          if (e.kind === 'queue.state' && (e.fields['ret'] ?? 0) === 0) {
            const state = String(e.fields['state']);
            const was = states.get(e.object) ?? 'destroyed';
            if (state === 'created') assert.equal(was, 'destroyed');
            else assert.notEqual(was, 'destroyed', `${state} without a queue`);
            if (state === 'enabled') assert.notEqual(was, 'created', 'enabled without PASID');
            states.set(e.object, state);
          }
          if (e.kind === 'qd.submit' && (e.fields['ret'] ?? 0) === 0) {
            assert.equal(states.get(e.object), 'enabled');
            held.set(e.object, (held.get(e.object) ?? 0) + 1);
            assert.ok(held.get(e.object)! <= 2, 'deeper than the queue');
          }
          if (e.fields['state'] === 'destroyed' && (e.fields['ret'] ?? 0) === 0) destroyed++;
          if (e.kind === 'qd.complete') {
            completed++;
            held.set(e.object, held.get(e.object)! - 1);
            assert.notEqual(states.get(e.object), 'destroyed', 'work outlived its queue');
          }
          if (e.kind === 'ims.store' && e.fields['owner'] !== undefined) {
            assert.ok(!entries.has(e.object), 'an entry was given twice');
            entries.add(e.object);
          }
          if (e.kind === 'ims.free') entries.delete(e.object);
          assert.ok(entries.size <= 2);
          assert.ok([...states.values()].filter((state) => state !== 'destroyed').length <= 3);
        }
      }),
      { numRuns: 200 },
    );
    assert.ok(
      completed > 50 && destroyed > 50,
      `${completed} descriptors, ${destroyed} queues destroyed: too little happened`,
    );
  });

  it('a function without IMS has no interrupts for queues', () => {
    const sim = run(idxd([bind5, open5], { ims: undefined }));
    assert.deepEqual(answers(events(sim)).at(-1), ['interrupt', EOPNOTSUPP]);
  });

  it('operations on functions without queues say so', () => {
    const sim = start({ devices: [{ bdf: FN, name: 'nvme' }] });
    assert.match(sim.perform({ op: 'queue.create', object: `device/${FN}` }) ?? '', /with queues/);
    const other = start(idxd([]));
    assert.match(other.perform({ op: 'queue.enable', object: `device/${FN}/queue/x` }) ?? '', /is no queue/);
  });
});
