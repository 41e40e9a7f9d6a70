// IMS entries as a bus domain: layout of the control dword as DSA "Interrupt Message Storage" has it (mask bit 0, PASID enable bit 3, PASID 31:12).
import assert from 'node:assert/strict';
import type { RegisterView } from '../../src/model/register.ts';
import { pathValue } from '../../src/query/state.ts';
import type { Simulation } from '../../src/sim/simulation.ts';
import { events, run } from './run.ts';

const BDF = '0000:6a:01.0';
const DEVICE = `device/${BDF}`;

const setup = (workload: readonly object[], ims: object = {}): Simulation =>
  run({
    platform: { cpus: 2 },
    devices: [{ bdf: BDF, name: 'idxd', vectors: 2, driver: 'none', ims: { entries: 4, ...ims } }],
    workload,
  });

const alloc = (at: string, pasid?: string): object => ({
  at,
  op: 'ims.alloc',
  object: DEVICE,
  ...(pasid ? { pasid } : {}),
});
const control = (sim: Simulation, index: number): RegisterView =>
  pathValue(sim.trace.head, `${DEVICE}/ims/${index}/control`) as RegisterView;

describe('IMS domain', () => {
  it('stores low address, high address, data, and the control dword around them', () => {
    const stores = events(setup([alloc('10us', '0x105')])).filter((e) => e.kind === 'ims.store');
    assert.deepEqual(
      stores.map((e) => [e.fields['offset'], e.fields['value']]),
      [
        ['0xc', '0x105009'],
        ['0x0', '0xfee00000'],
        ['0x4', '0x0'],
        ['0x8', '0x20'],
        ['0xc', '0x105008'],
      ],
    );
  });

  it('its parent is whatever the bus domains of the host stand on', () => {
    const parents = (remap: string): unknown[] =>
      events(
        run({
          platform: { cpus: 1, remap },
          devices: [{ bdf: BDF, name: 'idxd', vectors: 2, driver: 'none', ims: { entries: 4 } }],
          workload: [alloc('10us')],
        }),
      )
        .filter((e) => e.kind === 'dom.create' && /^domain\/(?:IR-)?PCI-IMS-/.test(e.object))
        .map((e) => e.fields['parent']);
    assert.deepEqual(parents('none'), ['VECTOR']);
    assert.equal(parents('vtd').length, 1);
    assert.notDeepEqual(parents('vtd'), ['VECTOR']);
  });

  it('INV-AUX masking and unmasking changes bit 0 and keeps the PASID', () => {
    const sim = setup([
      alloc('10us', '0xabcde'),
      { at: '100us', op: 'ims.mask', object: `${DEVICE}/ims/0` },
      { at: '200us', op: 'ims.unmask', object: `${DEVICE}/ims/0` },
    ]);
    const written = events(sim)
      .filter((e) => e.kind === 'ims.store' && e.fields['offset'] === '0xc')
      .map((e) => e.fields['value']);
    assert.deepEqual(written, ['0xabcde009', '0xabcde008', '0xabcde009', '0xabcde008']);
  });

  it('a new PASID keeps the mask', () => {
    const sim = setup([
      alloc('10us', '0x1'),
      { at: '100us', op: 'ims.mask', object: `${DEVICE}/ims/0` },
      { at: '200us', op: 'ims.setPasid', object: `${DEVICE}/ims/0`, pasid: '0x2' },
    ]);
    assert.equal(control(sim, 0).value, '0x2009');
  });

  it('a cause while masked is pending, a second merges with it, unmasking sends once', () => {
    const sim = setup([
      alloc('10us'),
      { at: '100us', op: 'ims.mask', object: `${DEVICE}/ims/0` },
      { at: '150us', op: 'ims.raise', object: `${DEVICE}/ims/0`, every: '10us', times: 2 },
      { at: '200us', op: 'ims.unmask', object: `${DEVICE}/ims/0` },
    ]);
    const all = events(sim);
    const sends = all.filter((e) => e.kind === 'send');
    assert.equal(sends.length, 1);
    assert.deepEqual(
      all.filter((e) => e.kind === 'merge').map((e) => [e.fields['cause'], e.fields['into']]),
      [[2, 1]],
    );
    assert.ok(Number(sends[0]!.time) >= 200e-6);
    assert.deepEqual(sim.machine.ledger.tally(), {
      inFlight: 0,
      pending: 0,
      merged: 1,
      delivered: 1,
      withdrawn: 0,
      dropped: 0,
      untold: 0,
    });
  });

  it('F65 beyond the last entry the allocation is -ENOSPC, and a freed index is used again', () => {
    const five = [10, 30, 50, 70, 90].map((us) => alloc(`${us}us`));
    const sim = setup([...five, { at: '200us', op: 'ims.free', object: `${DEVICE}/ims/1` }, alloc('300us')]);
    const first = events(sim)
      .filter((e) => e.kind === 'ims.store' && e.fields['owner'] !== undefined)
      .map((e) => e.object.split('/').at(-1));
    assert.deepEqual(first, ['0', '1', '2', '3', '1']);
    const refused = events(sim).filter((e) => e.kind === 'ims.refused');
    assert.deepEqual(
      refused.map((e) => [e.object, e.fields['ret']]),
      [[DEVICE, -28]],
    );
  });

  it('a cause for an entry that was freed is dropped with the reason', () => {
    const sim = setup([
      alloc('10us'),
      { at: '100us', op: 'ims.free', object: `${DEVICE}/ims/0` },
      { at: '200us', op: 'ims.raise', object: `${DEVICE}/ims/0` },
    ]);
    const dropped = events(sim).filter((e) => e.kind === 'drop');
    assert.deepEqual(
      dropped.map((e) => e.fields['reason']),
      ['IMS entry 0 is not allocated'],
    );
    assert.equal(sim.machine.ledger.tally().dropped, 1);
  });

  it('what an entry kept pending ends when it is freed', () => {
    const sim = setup([
      alloc('10us'),
      { at: '100us', op: 'ims.mask', object: `${DEVICE}/ims/0` },
      { at: '150us', op: 'ims.raise', object: `${DEVICE}/ims/0` },
      { at: '200us', op: 'ims.free', object: `${DEVICE}/ims/0` },
    ]);
    assert.deepEqual([sim.machine.ledger.tally().dropped, sim.machine.ledger.tally().pending], [1, 0]);
  });

  it('queue memory without a mask bit sends whatever comes, and needs no read back', () => {
    const sim = setup([alloc('10us'), { at: '100us', op: 'ims.raise', object: `${DEVICE}/ims/0` }], {
      store: 'queue memory',
      maskable: false,
    });
    const all = events(sim);
    assert.equal(all.filter((e) => e.kind === 'irq.mask').length, 0);
    assert.equal(all.filter((e) => e.kind === 'send').length, 1);
    assert.equal(pathValue(sim.trace.head, `${DEVICE}/ims/0/store`), 'queue memory');
  });
});
