// Virtual LPIs (domain notes, part 2, section 8): commands of the driver, delivery to a vPE, doorbells, and the host without GICv4.
import assert from 'node:assert/strict';
import type { EventView } from '../../../src/query/events.ts';
import { pathValue } from '../../../src/query/state.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { foundByAll } from '../../check/made.ts';
import { bundled, events, run, start } from '../run.ts';

const versions = ['none', 'v4.0', 'v4.1'] as const;
const runs = new Map<string, Simulation>(
  versions.map((gicv4) => [gicv4, run(bundled('gicv4-forwarding'), { settings: { gicv4 } })]),
);
const of = (version: string): Simulation => runs.get(version)!;

const between = (simulation: Simulation, from: number, to: number): EventView[] =>
  events(simulation).filter((e) => Number(e.time) * 1e6 >= from && Number(e.time) * 1e6 < to);
const queued = (all: readonly EventView[]): unknown[] =>
  all.filter((e) => e.kind === 'its.queue').map((e) => e.fields['name']);
const kinds = (all: readonly EventView[], ...names: string[]): unknown[] =>
  all.filter((e) => names.includes(e.kind)).map((e) => [e.kind, e.object]);
const value = (simulation: Simulation, path: string): unknown => pathValue(simulation.machine.state, path);

describe('forwarding to a virtual CPU', () => {
  for (const version of versions)
    it(`delivers every cause once (${version})`, () => {
      const { ledger } = of(version).machine;
      // One of the two while it was preempted merges with the other.
      const { delivered, merged, dropped, pending, inFlight } = ledger.tally();
      assert.deepEqual(
        { delivered, merged, dropped, pending, inFlight },
        { delivered: 9, merged: 1, dropped: 0, pending: 0, inFlight: 0 },
      );
      assert.deepEqual(ledger.twice, []);
    });

  it('maps the vPE, discards the physical LPI and maps the virtual one; each with its VSYNC or SYNC', () => {
    const first = ['VMAPP', 'VSYNC', 'VINVALL', 'VSYNC'];
    const map = ['DISCARD', 'SYNC', 'VMAPTI', 'VSYNC'];
    assert.deepEqual(queued(between(of('v4.0'), 100, 110)), [...first, ...map]);
    assert.deepEqual(queued(between(of('v4.1'), 100, 110)), [...first, 'INVDB', 'VSYNC', ...map]);
  });

  it('takes that back with DISCARD, MAPTI, the configuration byte and INV', () => {
    assert.deepEqual(queued(between(of('v4.1'), 360, 400)), ['DISCARD', 'VSYNC', 'MAPTI', 'SYNC', 'INV', 'SYNC']);
    assert.equal(value(of('v4.1'), 'its/0/device/0x20/event/0/lpi'), 8192);
  });

  it('lets a running virtual CPU take it without the host: no exit, no handler of the host', () => {
    const direct = between(of('v4.1'), 110, 150);
    assert.equal(direct.filter((e) => ['kvm.exit', 'irq.entry'].includes(e.kind)).length, 0);
    assert.equal(direct.filter((e) => e.kind === 'gic.ack' && e.object === 'vcpu/0/intid/8200').length, 4);
    const injected = between(of('none'), 110, 150);
    assert.equal(injected.filter((e) => e.kind === 'kvm.exit').length, 4);
    assert.equal(injected.filter((e) => e.kind === 'irq.entry').length, 4);
  });

  it('GICv4.1 rings the default doorbell only for a virtual CPU that waits', () => {
    const doorbell = `cpu/0/intid/${65535}`;
    assert.deepEqual(kinds(between(of('v4.1'), 150, 180), 'gic.ack'), []);
    assert.ok(kinds(between(of('v4.1'), 240, 280), 'gic.ack').some((e) => String(e).includes(doorbell)));
    const after = between(of('v4.1'), 240, 280);
    const [rung, taken] = [doorbell, 'vcpu/0/intid/8200'].map((object) =>
      after.findIndex((e) => e.kind === 'gic.ack' && e.object === object),
    );
    assert.ok(rung! < taken!, 'the doorbell wakes the virtual CPU, which takes the virtual LPI');
    assert.equal(value(of('v4.1'), 'its/0/device/0x20/event/0/vdoorbell') ?? null, null);
  });

  it('GICv4.0 has the doorbell in the entry of the EventID, and it pends while KVM has it disabled', () => {
    const mapped = events(of('v4.0')).find((e) => e.kind === 'its.vmapti')!;
    assert.equal(mapped.fields['doorbell'], 65535);
    assert.equal(events(of('v4.1')).find((e) => e.kind === 'its.vmapti')!.fields['doorbell'], 1023);
    const preempted = between(of('v4.0'), 160, 180);
    assert.ok(preempted.some((e) => e.kind === 'gic.pend' && e.object === 'cpu/0/intid/65535'));
    assert.deepEqual(kinds(preempted, 'gic.ack'), []);
  });

  it('refuses to move it by its affinity; the vPE moves, with VMOVP and VSYNC', () => {
    for (const version of ['v4.0', 'v4.1']) {
      const refused = events(of(version)).filter((e) => e.kind === 'irq.affinity' && Number(e.fields['ret']) < 0);
      assert.deepEqual(
        refused.map((e) => [e.object, e.fields['ret']]),
        [['irq/24', -22]],
      );
      assert.deepEqual(queued(between(of(version), 300, 320)), ['VMOVP', 'VSYNC']);
      assert.equal(value(of(version), 'its/0/vpe/0/target'), 2);
    }
  });

  it('is no fault in any version: no rule finds one', () => {
    for (const version of versions) assert.deepEqual(foundByAll(of(version).trace), [], version);
  });
});

describe('commands of GICv4', () => {
  const document = {
    platform: { arch: 'arm64', cpus: 2, remap: 'its' },
    devices: [{ bdf: '0000:00:04.0', name: 'net', vectors: 1 }],
    vms: [{ id: 0, vcpus: 2 }],
  };
  const ready = (gicv4: string): Simulation => {
    const simulation = start(document, { settings: { gicv4 } });
    simulation.run(() => simulation.machine.now > 5e4);
    return simulation;
  };
  const refusals = (simulation: Simulation, ...operations: object[]): unknown[] => {
    const from = simulation.trace.length;
    for (const operation of operations)
      assert.equal(simulation.perform({ object: 'its/0', ...operation } as never), undefined);
    return events(simulation, from)
      .filter((e) => e.kind === 'its.error')
      .map((e) => e.fields['text']);
  };
  const vmapti = { op: 'its.vmapti', device: 0x20, event: 0, vpe: 0, vlpi: 8200 };

  it('end in an event where the ITS refuses them, and never in the end of the run', () => {
    assert.deepEqual(refusals(ready('none'), { op: 'its.vsync', vpe: 0 }), [
      'VSYNC: the ITS has no virtual LPIs (GITS_TYPER.Virtual 0)',
    ]);
    assert.deepEqual(
      refusals(
        ready('v4.0'),
        { op: 'its.vsync', vpe: 0 },
        { op: 'its.vmapp', vpe: 9, target: 0 },
        { op: 'its.vmapp', vpe: 0, target: 7 },
        { op: 'its.invdb', vpe: 0 },
        vmapti,
        { op: 'its.vmapp', vpe: 0, target: 0 },
        { ...vmapti, device: 0x99 },
        { ...vmapti, event: 64 },
        { ...vmapti, vlpi: 5 },
        { op: 'its.vmovi', device: 0x20, event: 0, vpe: 0 },
        vmapti,
        { op: 'its.movi', device: 0x20, event: 0, collection: 1 },
        { op: 'its.vmovp', vpe: 0, target: 4 },
      ),
      [
        'VMAPP: vPEID out of range',
        'VMAPP: no such redistributor',
        'INVDB: only GICv4.1 has this command',
        'VMAPTI: vPE not mapped',
        'VMAPTI: device not mapped',
        'VMAPTI: EventID out of range',
        'VMAPTI: vINTID is no LPI',
        'VMOVI: the EventID is not mapped to a virtual LPI',
        'MOVI: the EventID is mapped to a virtual LPI',
        'VMOVP: no such redistributor',
      ],
    );
  });

  it('a message for a vPE that is no longer mapped ends at the ITS, and the books say so', () => {
    const simulation = ready('v4.0');
    const vmapp = { op: 'its.vmapp', vpe: 0, target: 0 };
    assert.deepEqual(refusals(simulation, vmapp, vmapti, { ...vmapp, valid: false }), []);
    simulation.perform({ op: 'device.raise', object: 'device/0000:00:04.0/msix/0' });
    simulation.run();
    assert.equal(simulation.machine.ledger.tally().dropped, 1);
    const said = events(simulation).findLast((e) => e.kind === 'its.error');
    assert.equal(said?.fields['text'], 'vPE 0 is not mapped (no VMAPP)');
  });

  it('VMOVI takes what pends along; INT makes it pend, CLEAR and DISCARD drop it', () => {
    const simulation = ready('v4.1');
    for (const vcpu of ['vcpu/0', 'vcpu/1']) simulation.perform({ op: 'vpe.put', object: vcpu });
    simulation.run();
    const at = { device: 0x20, event: 0 };
    const done = refusals(
      simulation,
      { op: 'its.vmapp', vpe: 0, target: 0 },
      { op: 'its.vmapp', vpe: 1, target: 1 },
      vmapti,
      { op: 'its.int', ...at },
    );
    assert.deepEqual(done, []);
    assert.equal(value(simulation, 'vcpu/0/intid/8200/requested'), true);
    refusals(simulation, { op: 'its.vmovi', ...at, vpe: 1 });
    assert.equal(value(simulation, 'vcpu/0/intid/8200/requested'), false);
    assert.equal(value(simulation, 'vcpu/1/intid/8200/requested'), true);
    refusals(simulation, { op: 'its.clear', ...at });
    assert.equal(value(simulation, 'vcpu/1/intid/8200/requested'), false);
    refusals(simulation, { op: 'its.int', ...at }, { op: 'its.discard', ...at });
    assert.equal(value(simulation, 'vcpu/1/intid/8200/requested'), false);
    assert.equal(value(simulation, 'its/0/device/0x20/event/0/valid'), false);
  });

  it('VMAPTI stands in the queue as the architecture lays it out', () => {
    const simulation = ready('v4.0');
    refusals(simulation, { ...vmapti, vpe: 1, doorbell: 9000 });
    const { fields } = events(simulation).findLast((e) => e.kind === 'its.queue')!;
    assert.deepEqual(
      ['dw0', 'dw1', 'dw2', 'dw3'].map((name) => BigInt(String(fields[name]))),
      [0x200000002an, 1n << 32n, (9000n << 32n) | 8200n, 0n],
    );
  });
});
