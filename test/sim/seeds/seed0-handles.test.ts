// S0: interrupt handles of descriptors and the PASID check, with both kinds of storage.
import assert from 'node:assert/strict';
import { permWrite } from '../../../src/model/events/ims.ts';
import { imsControl } from '../../../src/model/registers/ims.ts';
import { imsEntry, queue } from '../../../src/model/things/ims.ts';
import {
  checkHandle,
  completeDescriptor,
  type HandleStore,
  letsPass,
  permissionEntry,
  permissionFor,
} from '../../../src/sim/device/completion-handles.ts';
import { host } from '../../../src/sim/irq/host.ts';
import { imsFunctions } from '../../../src/sim/irq/ims-domain.ts';
import { queueFrontEnds } from '../../../src/sim/queue/front-ends.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { assignedDevices } from '../../../src/sim/vfio/assigned-devices.ts';
import { bundled, events, run } from '../run.ts';

const BDF = '0000:6a:01.0';

/** A function with a driver that owns MSI-X vectors 0 to 3 and IMS entries 0 (PASID 0x105) and 1 (no PASID). */
function setup(): Simulation {
  return run({
    platform: { cpus: 2 },
    devices: [{ bdf: BDF, name: 'idxd', vectors: 4, irqs: 4, ims: { entries: 8 } }],
    workload: [
      { at: '300us', op: 'ims.alloc', object: `device/${BDF}`, pasid: '0x105' },
      { at: '350us', op: 'ims.alloc', object: `device/${BDF}` },
    ],
  });
}

const imsStore = (sim: Simulation): HandleStore => ({ kind: 'ims', ims: sim.setup.use(imsFunctions).get(BDF)! });

/** The MSI-X storage, its permission entry of vector 2 for PASID 0x105, that of vector 3 cleared. */
function msixStore(sim: Simulation): HandleStore {
  const fn = sim.setup.use(host).functions.get(BDF)!;
  sim.machine.emit(permWrite, permissionEntry(sim.machine, fn, 2), { value: permissionFor(0x105) });
  sim.machine.emit(permWrite, permissionEntry(sim.machine, fn, 3), { value: 0 });
  return { kind: 'msix', fn };
}

/** Completes a descriptor: its status, and what was sent or dropped for it. */
function complete(sim: Simulation, store: HandleStore, handle: number | undefined, pasid: number) {
  const from = sim.trace.length;
  const at = sim.machine.world.object(queue, `device/${BDF}/queue/0`);
  const status = completeDescriptor(sim.machine, at, store, { pasid, handle });
  sim.run();
  const all = events(sim, from);
  return {
    status,
    told: all.filter((e) => e.kind === 'qd.complete').map((e) => e.fields['status']),
    sent: all.filter((e) => e.kind === 'send').map((e) => e.object),
    handled: all.filter((e) => e.kind === 'irq.entry').length,
    dropped: all.filter((e) => e.kind === 'drop').length,
  };
}

describe('S0: interrupt handles', () => {
  it('S0-10 the handle of a descriptor is the index of an entry that was allocated; any other ends with status 0x19', () => {
    const sim = setup();
    const ims = imsStore(sim);
    const good = complete(sim, ims, 0, 0x105);
    assert.deepEqual(good, { status: 1, told: ['0x1'], sent: [`device/${BDF}/ims/0`], handled: 1, dropped: 0 });
    const none = complete(sim, ims, 5, 0x105);
    assert.deepEqual(none, { status: 0x19, told: ['0x19'], sent: [], handled: 0, dropped: 1 });
    const msix = msixStore(sim);
    assert.deepEqual(complete(sim, msix, 2, 0x105).sent, [`device/${BDF}/msix/2`]);
    assert.equal(complete(sim, msix, 4, 0x105).status, 0x19, 'beyond the table');
    const silent = complete(sim, ims, undefined, 0x105);
    assert.deepEqual(silent, { status: 1, told: ['0x1'], sent: [], handled: 0, dropped: 0 });
  });

  it('S0-10 the guest gets the IMS index behind its vector as handle; vector 0 is 0x41, a handle for IMS 0x42', () => {
    const sim = run(bundled('ims-permission-after'));
    const { vdcm } = sim.setup.use(assignedDevices).get('vdev-0')!;
    assert.deepEqual(vdcm!.requestHandle(1, false), { handle: 0 });
    assert.deepEqual(vdcm!.requestHandle(2, false), { handle: 1 });
    assert.deepEqual(vdcm!.requestHandle(0, false), { error: 0x41 });
    assert.deepEqual(vdcm!.requestHandle(3, false), { error: 0x41 });
    assert.deepEqual(vdcm!.requestHandle(1, true), { error: 0x42 });
  });

  it('S0-11 the PASID stands in the permission entry (MSI-X) or in the IMS entry, and the check is the same', () => {
    const sim = setup();
    for (const [store, handle] of [
      [imsStore(sim), 0],
      [msixStore(sim), 2],
    ] as const) {
      assert.equal(checkHandle(sim.machine, store, handle, 0x105), 'fits');
      assert.equal(checkHandle(sim.machine, store, handle, 0x106), 'differs');
      assert.equal(complete(sim, store, handle, 0x105).handled, 1);
      assert.equal(complete(sim, store, handle, 0x106).status, 0x19);
    }
  });

  it('S0-12 the entry says whether the PASID is compared and with what; a mismatch is status 0x19, no message, and an end of the cause', () => {
    const sim = setup();
    const ims = imsStore(sim);
    const msix = msixStore(sim);
    for (const [store, handle] of [
      [ims, 1],
      [msix, 3],
    ] as const)
      assert.equal(complete(sim, store, handle, 0x7777).status, 1, 'not enabled: any PASID');
    const wrong = complete(sim, ims, 0, 0x104);
    assert.deepEqual(wrong, { status: 0x19, told: ['0x19'], sent: [], handled: 0, dropped: 1 });
    const fn = sim.setup.use(host).functions.get(BDF)!;
    // Bit 2, Ignore, with PASID enable and another PASID.
    sim.machine.emit(permWrite, permissionEntry(sim.machine, fn, 2), { value: 0x200000c });
    assert.equal(complete(sim, msix, 2, 0x105).status, 1);
    assert.deepEqual(sim.machine.ledger.twice, []);
    assert.equal(sim.machine.ledger.tally().inFlight, 0);
  });

  it('S0-12 a permission entry that nobody has written is not known: whether the interrupt comes cannot be told', () => {
    const sim = setup();
    const fn = sim.setup.use(host).functions.get(BDF)!;
    const result = complete(sim, { kind: 'msix', fn }, 1, 0x105);
    assert.deepEqual([result.status, result.told, result.sent], [undefined, [], []]);
    assert.equal(sim.machine.ledger.tally().untold, 1);
  });

  it('S0-12 bits that are not known count only where they decide: Ignore, PASID Enable, PASID', () => {
    // DSA: nothing is compared with Ignore set or PASID Enable clear.
    const outcome = (ignore: number | null, pasidEnable: number | null, pasid: number | null) =>
      letsPass({ ignore, pasidEnable, pasid }, 0x105);
    assert.equal(outcome(1, null, null), 'fits');
    assert.equal(outcome(null, 0, null), 'fits');
    assert.equal(outcome(null, null, 0x105), 'fits', 'compared or not, it passes');
    assert.equal(outcome(0, 1, 0x105), 'fits');
    assert.equal(outcome(0, 1, 0x106), 'differs');
    assert.equal(outcome(null, 1, 0x106), 'unknown', 'Ignore would let it pass');
    assert.equal(outcome(0, null, 0x106), 'unknown', 'without PASID Enable it would pass');
    assert.equal(outcome(0, 1, null), 'unknown');
  });

  it('S0-12 a queue and a variant driver judge an entry with Ignore set alike, PASID Enable unknown or not', () => {
    const sim = run({
      platform: { cpus: 2 },
      devices: [{ bdf: BDF, name: 'idxd', vectors: 1, irqs: 1, ims: { entries: 8 }, queues: { max: 1 } }],
      workload: [
        { at: '300us', op: 'pasid.bind', object: `device/${BDF}`, pasid: 0x105 },
        { at: '310us', op: 'queue.open', object: `device/${BDF}`, pasid: 0x105 },
      ],
    });
    const { state } = sim.machine;
    const entry = sim.machine.world.object(imsEntry, `device/${BDF}/ims/0`);
    const { ignore, pasidEnable } = imsControl.f;
    // The trace shows Ignore of the entry and forgets PASID Enable.
    state.setBits(entry, imsEntry.at.control, ignore.mask, ignore.mask);
    state.forget(entry, imsEntry.at.control, pasidEnable.mask);
    assert.equal(checkHandle(sim.machine, imsStore(sim), 0, 0x777), 'fits');
    const before = sim.trace.length;
    const { queues } = sim.setup.use(queueFrontEnds).get(BDF)!;
    queues.work.submit(0, { pasid: 0x105, handle: 0, record: 0x1000 });
    sim.run();
    const all = events(sim, before);
    assert.deepEqual(
      all.filter((e) => ['qd.complete', 'untold'].includes(e.kind)).map((e) => [e.kind, e.fields['status']]),
      [['qd.complete', '0x1']],
    );
    assert.equal(all.filter((e) => e.kind === 'send').length, 1);
  });
});
