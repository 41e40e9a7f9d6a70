// The ITS by its rules (Arm IHI 0069, domain notes 2.7): commands and their errors, translation, LPIs at the redistributors.
import assert from 'node:assert/strict';
import { pathValue } from '../../../src/query/state.ts';
import { itsUnits } from '../../../src/sim/arm/units/its-units.ts';
import type { Operation } from '../../../src/sim/operation.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { bundled, events, run, start } from '../run.ts';

const ARM = { platform: { arch: 'arm64', cpus: 2, remap: 'its' } };
const NIC = '0000:00:04.0';

/** An ITS without any device of Linux, and operations done to it in turn. */
function bare(...operations: readonly Omit<Operation, 'object'>[]): Simulation {
  const simulation = start(ARM);
  for (const operation of operations)
    assert.equal(simulation.perform({ object: 'its/0', ...operation } as Operation), undefined);
  return simulation;
}

/** An ITS with one LPI of device 0x20 that is enabled and known to the redistributors. */
function withLpi(...operations: readonly Omit<Operation, 'object'>[]): Simulation {
  const simulation = bare({ op: 'its.mapd', device: 0x20, size: 1 });
  assert.equal(simulation.perform({ op: 'lpi.configure', object: 'gic/0/lpi/8192', enabled: true }), undefined);
  for (const op of [{ op: 'its.mapti', device: 0x20, event: 0, lpi: 8192, collection: 0 }, ...operations])
    assert.equal(simulation.perform({ object: 'its/0', ...op } as Operation), undefined);
  return simulation;
}

const errors = (simulation: Simulation): string[] =>
  events(simulation)
    .filter((e) => e.kind === 'its.error')
    .map((e) => String(e.fields['text']));

const value = (simulation: Simulation, path: string): unknown => pathValue(simulation.machine.state, path);

const acknowledged = (simulation: Simulation): number => events(simulation).filter((e) => e.kind === 'gic.ack').length;

function doorbell(simulation: Simulation, requester: number, data: number): number {
  const { machine } = simulation;
  const cause = machine.ledger.open(machine.now);
  const { its } = simulation.setup.use(itsUnits).all[0]!;
  its.translate({ address: 0, data, requester, cause, from: its.object });
  return cause;
}

describe('ITS commands', () => {
  const mapd = { op: 'its.mapd', device: 0x20, size: 1 };
  const mapti = { op: 'its.mapti', device: 0x20, event: 0, lpi: 8192, collection: 0 };
  // Codes of the domain notes, 2.7.
  const cases: readonly [string, string, ...Omit<Operation, 'object'>[]][] = [
    ['MOVI of an interrupt that is not mapped', '0x010107', { op: 'its.movi', device: 0x20, event: 0, collection: 0 }],
    [
      'MOVI to a collection that is not mapped',
      '0x010109',
      mapd,
      mapti,
      { op: 'its.movi', device: 0x20, event: 0, collection: 5 },
    ],
    ['INT of an interrupt that is not mapped', '0x010307', mapd, { op: 'its.int', device: 0x20, event: 1 }],
    ['CLEAR of an interrupt that is not mapped', '0x010507', mapd, { op: 'its.clear', device: 0x20, event: 1 }],
    ['MAPD of a DeviceID out of range', '0x010801', { op: 'its.mapd', device: 0x10000, size: 1 }],
    ['MAPD with a table of more EventIDs than there can be', '0x010802', { op: 'its.mapd', device: 0x20, size: 16 }],
    ['MAPC to a processor that does not exist', '0x010902', { op: 'its.mapc', collection: 3, target: 2 }],
    ['MAPTI of a device that is not mapped', '0x010a04', mapti],
    ['MAPTI of an EventID beyond the table', '0x010a05', mapd, { ...mapti, event: 4 }],
    ['MAPTI to an INTID that is no LPI', '0x010a06', mapd, { ...mapti, lpi: 8191 }],
    [
      'MAPI, whose INTID is an EventID below 8192',
      '0x010a06',
      mapd,
      { op: 'its.mapi', device: 0x20, event: 2, collection: 0 },
    ],
    ['INV of an interrupt that is not mapped', '0x010c07', mapd, { op: 'its.inv', device: 0x20, event: 1 }],
    ['INVALL of a collection that is not mapped', '0x010d09', { op: 'its.invall', collection: 9 }],
    ['MOVALL from a processor that does not exist', '0x010e01', { op: 'its.movall', from: 7, to: 0 }],
    ['DISCARD of an interrupt that is not mapped', '0x010f07', mapd, { op: 'its.discard', device: 0x20, event: 0 }],
  ];
  for (const [what, code, ...operations] of cases)
    it(`${what} is refused with ${code} and changes nothing`, () => {
      const before = bare(...operations.slice(0, -1));
      const after = bare(...operations);
      assert.deepEqual(errors(before), []);
      assert.equal(errors(after).length, 1);
      assert.ok(errors(after)[0]!.includes(code), errors(after)[0]);
      for (const path of ['its/0/device', 'its/0/collection'])
        assert.deepEqual(value(after, path) ?? null, value(before, path) ?? null, path);
      assert.equal(value(after, 'its/0/errors'), 1);
    });

  it('MAPTI on an EventID that is mapped is unpredictable, and said to be', () => {
    const simulation = bare(mapd, mapti, { ...mapti, lpi: 8193 });
    assert.deepEqual(
      events(simulation)
        .filter((e) => e.kind === 'illegal')
        .map((e) => [e.object, e.fields['rule']]),
      [['its/0/device/0x20/event/0', 'MAPTI-mapped']],
    );
  });

  it('MAPD with V 0 takes all EventIDs of the device away', () => {
    const simulation = bare(mapd, mapti, { ...mapd, valid: false });
    assert.equal(value(simulation, 'its/0/device/0x20/valid'), false);
    assert.equal(value(simulation, 'its/0/device/0x20/event/0/valid'), false);
  });

  it('operations on an ITS are refused where there is none', () => {
    const problem = start({}).perform({ op: 'its.invall', object: 'its/0', collection: 0 });
    assert.match(problem ?? '', /no ITS/);
  });
});

describe('ITS translation', () => {
  it('ends with the reason and the cause in the books, whatever is missing', () => {
    const simulation = withLpi({ op: 'its.mapti', device: 0x20, event: 1, lpi: 8193, collection: 6 });
    for (const [requester, event, why] of [
      [0x28, 0, 'DeviceID is not mapped'],
      [0x20, 4, 'EventID 4 is out of range'],
      [0x20, 2, 'EventID is not mapped'],
      [0x20, 1, 'collection 6 is not mapped'],
    ] as const) {
      const from = simulation.trace.length;
      const cause = doorbell(simulation, requester, event);
      const after = events(simulation, from);
      assert.deepEqual(
        after.map((e) => e.kind),
        ['its.trans', 'its.error', 'drop'],
      );
      assert.ok(String(after[1]!.fields['text']).includes(why), String(after[1]!.fields['text']));
      assert.equal(after[2]!.fields['cause'], cause);
    }
    assert.equal(simulation.machine.ledger.tally().dropped, 4);
  });

  it('an LPI whose enable bit the redistributor has not read pends until INV', () => {
    const simulation = bare(
      { op: 'its.mapd', device: 0x20, size: 1 },
      {
        op: 'its.mapti',
        device: 0x20,
        event: 0,
        lpi: 8192,
        collection: 1,
      },
    );
    doorbell(simulation, 0x20, 0);
    simulation.run();
    assert.equal(simulation.machine.ledger.tally().pending, 1);
    assert.equal(value(simulation, 'cpu/1/intid/8192/requested'), true);
    simulation.perform({ op: 'lpi.configure', object: 'gic/0/lpi/8192', enabled: true });
    simulation.run();
    assert.equal(value(simulation, 'gic/0/lpi/8192/enabled'), true);
    assert.equal(value(simulation, 'gic/0/lpi/8192/cached'), null);
    assert.equal(simulation.machine.ledger.tally().pending, 1, 'the byte in memory alone changes nothing');
    simulation.perform({ op: 'its.inv', object: 'its/0', device: 0x20, event: 0 });
    simulation.run();
    assert.equal(acknowledged(simulation), 1);
    assert.equal(value(simulation, 'cpu/1/intid/8192/requested'), false);
  });

  it('a second message for an LPI that pends merges with it', () => {
    const simulation = withLpi();
    const first = doorbell(simulation, 0x20, 0);
    const second = doorbell(simulation, 0x20, 0);
    const merge = events(simulation).find((e) => e.kind === 'merge')!;
    assert.deepEqual([merge.object, merge.fields['cause'], merge.fields['into']], ['cpu/0/intid/8192', second, first]);
    simulation.run();
    const { dropped, merged } = simulation.machine.ledger.tally();
    // No irq has that LPI: the CPU takes it, and nobody serves it.
    assert.deepEqual([dropped, merged], [1, 1]);
    assert.equal(acknowledged(simulation), 1);
  });

  it('MOVI takes the pending state along', () => {
    const simulation = withLpi();
    doorbell(simulation, 0x20, 0);
    simulation.perform({ op: 'its.movi', object: 'its/0', device: 0x20, event: 0, collection: 1 });
    simulation.run();
    const acks = events(simulation).filter((e) => e.kind === 'gic.ack');
    assert.deepEqual(
      acks.map((e) => [e.object, e.cpu]),
      [['cpu/1/intid/8192', 1]],
    );
    assert.equal(value(simulation, 'cpu/0/intid/8192/requested'), false);
  });

  it('DISCARD drops what pends, and says so', () => {
    const simulation = withLpi();
    const cause = doorbell(simulation, 0x20, 0);
    simulation.perform({ op: 'its.discard', object: 'its/0', device: 0x20, event: 0 });
    const drop = events(simulation).find((e) => e.kind === 'drop')!;
    assert.deepEqual([drop.object, drop.fields['cause']], ['cpu/0/intid/8192', cause]);
    simulation.run();
    assert.equal(
      events(simulation).some((e) => e.kind === 'gic.ack'),
      false,
    );
  });

  it('LPIs start at INTID 8192', () => {
    const configure = (lpi: number): string | undefined =>
      bare().perform({ op: 'lpi.configure', object: `gic/0/lpi/${lpi}`, enabled: true });
    assert.match(configure(8191) ?? '', /is no LPI/);
    assert.equal(configure(8192), undefined);
  });

  it('of several pending LPIs the most urgent is taken first, then the lowest INTID', () => {
    const simulation = withLpi(
      { op: 'its.mapti', device: 0x20, event: 1, lpi: 8193, collection: 0 },
      { op: 'its.mapti', device: 0x20, event: 2, lpi: 8194, collection: 0 },
    );
    simulation.perform({ op: 'lpi.configure', object: 'gic/0/lpi/8193', enabled: true });
    simulation.perform({ op: 'lpi.configure', object: 'gic/0/lpi/8194', enabled: true, priority: 0x40 });
    simulation.perform({ op: 'its.invall', object: 'its/0', collection: 0 });
    for (const event of [1, 0, 2]) doorbell(simulation, 0x20, event);
    simulation.run();
    assert.deepEqual(
      events(simulation)
        .filter((e) => e.kind === 'gic.ack')
        .map((e) => e.object),
      ['cpu/0/intid/8194', 'cpu/0/intid/8192', 'cpu/0/intid/8193'],
    );
  });
});

describe('ITS domain of Linux', () => {
  const simulation = run(bundled('its-basic'));
  const all = events(simulation);

  it('gives a function a power of two of LPIs from 8192 on and maps EventIDs in order', () => {
    const mapd = all.find((e) => e.kind === 'its.mapd')!;
    // Three entries: a table of four EventIDs, two bits.
    assert.deepEqual([mapd.object, mapd.fields['size']], ['its/0/device/0x20', 1]);
    const mapti = all.filter((e) => e.kind === 'its.mapti');
    assert.deepEqual(
      mapti.map((e) => [e.object, e.fields['lpi']]),
      [
        ['its/0/device/0x20/event/0', 8192],
        ['its/0/device/0x20/event/1', 8193],
      ],
    );
    const second = run({
      ...ARM,
      devices: [
        { bdf: NIC, name: 'nic', vectors: 3 },
        { bdf: '0000:00:05.0', name: 'disk', vectors: 2 },
      ],
    });
    const lpis = events(second).filter((e) => e.kind === 'its.mapti');
    // 8195 belongs to the block of the first function.
    assert.deepEqual(
      lpis.map((e) => e.fields['lpi']),
      [8192, 8193, 8194, 8196, 8197],
    );
  });

  it('composes the doorbell and the EventID; the message of the entry is what the device sends', () => {
    const sends = all.filter((e) => e.kind === 'send');
    assert.deepEqual(
      sends.map((e) => [e.object, e.fields['address'], e.fields['data']]),
      [0, 1, 0, 0].map((i) => [`device/${NIC}/msix/${i}`, '0x20210040', `0x${i}`]),
    );
  });

  it('moves by MOVI and leaves the device alone; the next interrupt comes on the new CPU', () => {
    const move = all.findIndex((e) => e.kind === 'irq.affinity');
    const next = all.findIndex((e, i) => i > move && e.kind === 'dev.raise');
    assert.deepEqual(
      all
        .slice(move + 1, next)
        .filter((e) => e.kind !== 'its.queue')
        .map((e) => [e.kind, e.fields['collection'] ?? e.fields['text']]),
      // The SYNC is for the processor that it leaves.
      [
        ['its.movi', 2],
        ['its.cmd', 'redistributor 0'],
      ],
    );
    const entries = all.filter((e) => e.kind === 'irq.entry' && e.object === 'irq/24');
    assert.deepEqual(
      entries.map((e) => e.cpu),
      [0, 2],
    );
  });

  it('takes an LPI from the doorbell to the handler in the order of the hardware', () => {
    const from = all.findIndex((e) => e.kind === 'dev.raise');
    assert.deepEqual(
      all.slice(from, from + 8).map((e) => e.kind),
      ['dev.raise', 'send', 'its.trans', 'gic.pend', 'gic.ack', 'irq.entry', 'irq.exit', 'gic.eoi'],
    );
  });

  it('a message after DISCARD is lost at the ITS, and the books say so', () => {
    const { delivered, dropped, pending, inFlight } = simulation.machine.ledger.tally();
    assert.deepEqual({ delivered, dropped, pending, inFlight }, { delivered: 3, dropped: 1, pending: 0, inFlight: 0 });
    assert.equal(all.at(-1)!.kind, 'drop');
  });
});

describe('ITS and CPUs that come and go', () => {
  const simulation = run({
    ...ARM,
    devices: [{ bdf: NIC, name: 'disk', vectors: 3, managed: true }],
    workload: [
      { at: '100us', op: 'irq.affinity', object: 'irq/24', cpus: [1] },
      { at: '150us', op: 'cpu.offline', object: 'cpu/1' },
      { at: '200us', op: 'device.raise', object: `device/${NIC}/msix/0` },
      { at: '220us', op: 'device.raise', object: `device/${NIC}/msix/2` },
      { at: '250us', op: 'cpu.online', object: 'cpu/1' },
      { at: '400us', op: 'cpu.offline', object: 'cpu/0' },
      { at: '450us', op: 'cpu.offline', object: 'cpu/1' },
    ],
  });
  const all = events(simulation);
  const between = (from: number, to: number) =>
    all.filter((e) => Number(e.time) * 1e6 >= from && Number(e.time) * 1e6 < to && e.kind.startsWith('its.'));

  it('its interrupts move, managed ones are discarded, as on the real machine (arm64-a, facts 11)', () => {
    assert.deepEqual(
      between(150, 200)
        .filter((e) => !['its.inv', 'its.queue', 'its.cmd'].includes(e.kind))
        .map((e) => [e.kind, e.object, e.fields['collection']]),
      [
        ['its.movi', 'its/0/device/0x20/event/0', 0],
        ['its.discard', 'its/0/device/0x20/event/2', undefined],
      ],
    );
  });

  it('its collection is mapped again when it is back, and managed interrupts start; nothing was lost', () => {
    assert.deepEqual(
      between(250, 260)
        .filter((e) => e.kind === 'its.mapc' || e.kind === 'its.mapti')
        .map((e) => e.object),
      ['its/0/collection/1', 'its/0/device/0x20/event/2'],
    );
    const { delivered, pending, dropped } = simulation.machine.ledger.tally();
    assert.deepEqual({ delivered, pending, dropped }, { delivered: 2, pending: 0, dropped: 0 });
  });

  it('the last CPU stays', () => {
    const refused = all.filter((e) => e.kind === 'cpu.state' && e.fields['ret'] !== undefined);
    assert.deepEqual(
      refused.map((e) => [e.object, e.fields['ret']]),
      [['cpu/1', -16]],
    );
    assert.equal(value(simulation, 'cpu/1/online'), true);
  });

  it('an LPI for a CPU that is offline pends in memory until it is back', () => {
    const away = withLpi({ op: 'its.movi', device: 0x20, event: 0, collection: 1 });
    away.perform({ op: 'cpu.offline', object: 'cpu/1' });
    away.run();
    doorbell(away, 0x20, 0);
    away.run();
    assert.equal(away.machine.ledger.tally().pending, 1);
    away.perform({ op: 'cpu.online', object: 'cpu/1' });
    away.run();
    assert.equal(acknowledged(away), 1);
    assert.equal(events(away).find((e) => e.kind === 'gic.ack')!.object, 'cpu/1/intid/8192');
  });
});
