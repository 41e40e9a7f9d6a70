// Queues as handles: limits, security properties, order, what a completion raises; at scale.
import assert from 'node:assert/strict';
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
  const { delivered, dropped, merged, pending, flying, untold } = sim.machine.ledger.tally();
  assert.deepEqual(sim.machine.ledger.twice, []);
  return { delivered, dropped, merged, open: pending + flying, untold };
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
