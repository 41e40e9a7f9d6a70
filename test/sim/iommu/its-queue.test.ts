// Commands as they stand in the queue of an ITS: their bytes, and the SYNC behind them, against the log of a real machine.
import assert from 'node:assert/strict';
import { hopDetail } from '../../../src/query/delivery/detail.ts';
import type { EventView } from '../../../src/query/events.ts';
import { explain } from '../../../src/query/explain/explain.ts';
import { itsUnits } from '../../../src/sim/arm/units/its-units.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { fixtureLines } from '../../helpers/fixtures.ts';
import { bundled, events, run, start } from '../run.ts';

const ARM = { platform: { arch: 'arm64', cpus: 2, remap: 'its' } };

/** Whether each kind of command was followed by SYNC every time. */
function syncs(names: readonly string[]): Map<string, boolean> {
  const found = new Map<string, boolean>();
  for (const [i, name] of names.entries())
    if (name !== 'SYNC' && i + 1 < names.length) {
      const follows = names[i + 1] === 'SYNC';
      assert.equal(found.get(name) ?? follows, follows, name);
      found.set(name, follows);
    }
  return found;
}

const queued = (all: readonly EventView[]): EventView[] => all.filter((e) => e.kind === 'its.queue');
const dwords = (e: EventView): bigint[] => ['dw0', 'dw1', 'dw2', 'dw3'].map((name) => BigInt(String(e.fields[name])));

const NIC = '0000:00:04.0';

const said = (simulation: Simulation): unknown[] =>
  events(simulation)
    .filter((e) => e.kind === 'message')
    .map((e) => e.fields['text']);

describe('ITS command queue', () => {
  const document = {
    ...ARM,
    devices: [{ bdf: NIC, name: 'nic', vectors: 1 }],
    workload: [{ at: '1ms', op: 'irq.mask', object: 'irq/24' }],
  };
  const stalledFor = (nanoseconds: number): Simulation => {
    const simulation = start(document);
    simulation.run(() => simulation.machine.now > 5e5);
    simulation.setup.use(itsUnits).all[0]!.its.stall(nanoseconds);
    simulation.run();
    return simulation;
  };
  const last = (simulation: Simulation): [string, number] => {
    const inv = events(simulation).findLast((e) => e.kind === 'its.inv')!;
    return [inv.kind, Math.round(Number(inv.time) * 1000)];
  };

  it('the driver waits for a command, and says nothing when the ITS takes it within a second', () => {
    const simulation = stalledFor(900e6);
    assert.deepEqual(said(simulation), []);
    assert.deepEqual(last(simulation), ['its.inv', 901]);
  });

  it('a command that is not taken in a second times out: offsets of both ends of the queue, 32 bytes a command', () => {
    const simulation = stalledFor(1500e6);
    const commands = events(simulation).filter((e) => e.kind === 'its.queue').length;
    // INV and its SYNC wait.
    assert.deepEqual(said(simulation), [
      `ITS queue timeout (${commands * 32} ${(commands - 2) * 32})`,
      'ITS cmd its_build_inv_cmd failed',
    ]);
    assert.deepEqual(last(simulation), ['its.inv', 1501]);
  });
});

describe('the queue of an ITS', () => {
  it('has a SYNC where the kernel of a real machine puts one (arm64-a), and none behind MAPD', () => {
    const real = syncs(
      fixtureLines('arm64-a/qemu.log').flatMap(({ text }) => /GICv3 ITS: command (\w+)/.exec(text)?.[1] ?? []),
    );
    assert.equal(real.get('MAPD'), false);
    const made = new Map<string, boolean>();
    for (const name of ['vmsi-affinity', 'its-moves'])
      for (const [op, follows] of syncs(queued(events(run(bundled(name)))).map((e) => String(e.fields['name']))))
        made.set(op, follows);
    assert.ok(made.size >= 5, [...made.keys()].join(' '));
    for (const [op, follows] of made) assert.equal(follows, real.get(op), op);
  });

  it('shows the bytes of a command as the architecture lays them out, and explains them', () => {
    const simulation = start(ARM);
    const from = simulation.trace.length;
    const done = [
      { op: 'its.mapd', device: 0x20, size: 4, itt: 0x47312300 },
      { op: 'its.mapti', device: 0x20, event: 3, lpi: 8195, collection: 1 },
      { op: 'its.movall', from: 1, to: 0 },
    ] as const;
    for (const operation of done) assert.equal(simulation.perform({ object: 'its/0', ...operation }), undefined);
    const [mapd, mapti, movall] = queued(events(simulation, from));
    assert.deepEqual(dwords(mapd!), [0x2000000008n, 4n, (1n << 63n) | 0x47312300n, 0n]);
    assert.deepEqual(dwords(mapti!), [0x200000000an, (8195n << 32n) | 3n, 1n, 0n]);
    assert.deepEqual(dwords(movall!), [0x0en, 0n, 1n << 16n, 0n]);
    const told = explain(
      dwords(mapti!)
        .map((word) => `0x${word.toString(16)}`)
        .join(' '),
      'its-command',
    );
    const { trace, machine } = simulation;
    const step = events(simulation).findLastIndex((e) => e.kind === 'its.queue' && e.fields['name'] === 'MAPTI');
    assert.match(hopDetail(trace, step, machine.state), /^MAPTI: deviceId 32 \(0x20\), eventId 3, pintid 8195/);
    assert.match(JSON.stringify(told), /MAPTI: deviceId 32 \(0x20\), eventId 3, pintid 8195 \(0x2003\), icid 1/);
  });

  it('tells at which offset a command stands: 32 bytes each, from the start again at 64 KiB', () => {
    const simulation = start(ARM);
    const operation = { op: 'its.sync', object: 'its/0', target: 0 } as const;
    // Two CPUs come up: MAPC, SYNC, INVALL, SYNC each.
    assert.deepEqual(
      queued(events(simulation)).map((e) => Number(e.fields['offset'])),
      [0, 32, 64, 96, 128, 160, 192, 224],
    );
    for (let i = 8; i <= 2048; i++) simulation.perform(operation);
    assert.equal(Number(queued(events(simulation)).at(-1)!.fields['offset']), 0);
  });

  it('holds commands that the ITS refuses; the SYNC of a processor that does not exist ends in an error', () => {
    const simulation = start(ARM);
    const from = simulation.trace.length;
    assert.equal(simulation.perform({ op: 'its.sync', object: 'its/0', target: 9 }), undefined);
    assert.deepEqual(
      events(simulation, from).map((e) => e.kind),
      ['its.queue', 'its.cmd', 'its.error'],
    );
  });
});
