// A GICv2m frame (drivers/irqchip/irq-gic-v2m.c; SBSA "GICv2m MSI support"): MSI_TYPER, SPIs as messages, and no isolation of devices.
import assert from 'node:assert/strict';
import type { EventView } from '../../../src/query/events.ts';
import { pathValue } from '../../../src/query/state.ts';
import { host } from '../../../src/sim/irq/host.ts';
import { allocMsi, freeMsi } from '../../../src/sim/irq/msi-domain.ts';
import type { Actions } from '../../../src/sim/machine.ts';
import { readScenario } from '../../../src/sim/scenario.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { found, verdict } from '../../check/made.ts';
import { bundled, events, run, start } from '../run.ts';

const all = run(bundled('gicv2m'));
const seen = events(all);
const between = (from: number, to: number): EventView[] =>
  seen.filter((e) => Number(e.time) * 1e6 >= from && Number(e.time) * 1e6 < to);
const of = (list: readonly EventView[], ...kinds: string[]): unknown[] =>
  list.filter((e) => kinds.includes(e.kind)).map((e) => [e.kind, e.object]);
/** A register or a hexadecimal number of the state. */
function numberAt(simulation: Simulation, path: string): number {
  const value = pathValue(simulation.machine.state, path) as string | { value: string };
  return Number(typeof value === 'object' ? value.value : value);
}

const disk = { bdf: '0000:00:01.0', name: 'disk', vectors: 2 };
const platform = { arch: 'arm64', cpus: 2, remap: 'gicv2m' };

/** The system once its drivers have booted. */
function booted(document: object): Simulation {
  const simulation = start(document);
  simulation.run(() => simulation.machine.now > 9e4);
  return simulation;
}

describe('GICv2m frame', () => {
  it('tells its doorbell and its SPIs: MSI_TYPER has the first in 25:16 and how many in 9:0', () => {
    const frame = seen.find((e) => e.kind === 'gic.frame')!;
    assert.equal(Number(frame.fields['typer']), (80 << 16) | 4);
    assert.equal(Number(frame.fields['doorbell']), 0x8020040);
  });

  it('the message of an interrupt is the doorbell and the INTID of an SPI of the frame', () => {
    const written = seen.filter((e) => e.kind === 'msg.write' && e.object === 'irq/25');
    assert.deepEqual(
      written.map((e) => [Number(e.fields['address']), Number(e.fields['data']), e.fields['domain']]),
      written.map(() => [0x8020040, 81, 'GICv2m-PCI-MSIX-0000:00:01.0']),
    );
    assert.ok(written.length > 0);
  });

  it('each message pulses its SPI, which pends, is acknowledged, handled and ended', () => {
    assert.deepEqual(of(between(100, 115), 'line.set', 'gic.pend', 'gic.ack', 'irq.entry', 'gic.eoi'), [
      ['line.set', 'gic/0/spi/80'],
      ['line.set', 'gic/0/spi/80'],
      ['gic.pend', 'cpu/0/intid/80'],
      ['gic.ack', 'cpu/0/intid/80'],
      ['irq.entry', 'irq/24'],
      ['gic.eoi', 'cpu/0/intid/80'],
    ]);
  });

  it('an affinity change writes the route of the SPI and no message; a CPU that goes offline hands it on', () => {
    assert.deepEqual(of(between(180, 200), 'gic.route', 'msg.write', 'tbl.write'), [['gic.route', 'gic/0/spi/80']]);
    assert.deepEqual(of(between(200, 215), 'gic.ack'), [['gic.ack', 'cpu/2/intid/80']]);
    assert.deepEqual(of(between(220, 255), 'msg.write'), []);
    const after = of(between(260, 280), 'gic.ack');
    assert.equal(after.length, 1);
    assert.notDeepEqual(after, [['gic.ack', 'cpu/2/intid/80']]);
  });

  it('takes the SPI of any device from any device; an INTID that is not of the frame ends there', () => {
    assert.deepEqual(of(between(300, 315), 'line.set', 'irq.entry').slice(1), [
      ['line.set', 'gic/0/spi/81'],
      ['irq.entry', 'irq/25'],
    ]);
    const dropped = between(320, 335).find((e) => e.kind === 'drop')!;
    assert.equal(dropped.fields['reason'], 'GICv2m: INTID 96 is no SPI of the frame');
  });

  it('has no SPI left for the sound card: -ENOSPC', () => {
    const refused = between(340, 400).find((e) => e.kind === 'dom.alloc' && Number(e.fields['ret']) < 0)!;
    assert.deepEqual([refused.fields['ret']], [-28]);
    assert.ok(seen.some((e) => e.kind === 'dom.create' && e.object === 'domain/GICv2m-PCI-MSI-0000:00:02.0'));
  });

  it('gives MSI an SPI', () => {
    const simulation = booted({
      platform: { ...platform, spis: 3 },
      devices: [disk, { bdf: '0000:00:02.0', name: 'sound', vectors: 1, driver: 'none', msi: true }],
    });
    const msi = 'device/0000:00:02.0/msi';
    simulation.perform({ op: 'msi.alloc', object: msi });
    simulation.run();
    assert.equal(numberAt(simulation, `${msi}/data`), 82);
    simulation.perform({ op: 'irq.request', object: 'irq/26', name: 'sound' });
    simulation.run();
    simulation.perform({ op: 'msi.raise', object: msi });
    simulation.run();
    const { delivered, dropped, pending } = simulation.machine.ledger.tally();
    assert.deepEqual({ delivered, dropped, pending }, { delivered: 1, dropped: 0, pending: 0 });
  });

  it('gives a block of messages SPIs one after the other, aligned to their number, and takes them back', () => {
    const bdf = '0000:00:02.0';
    const simulation = booted({
      platform: { ...platform, spis: 8 },
      devices: [
        { ...disk, vectors: 1 },
        { bdf, name: 'sound', vectors: 1, driver: 'none', msi: true, msiVectors: 4 },
      ],
    });
    const part = simulation.setup.use(host);
    const fn = part.functions.get(bdf)!;
    // The disk has SPI 80: the first four that are free and aligned are 84 to 87.
    for (let i = 0; i < 2; i++) {
      function* cycle(): Actions {
        const made = yield* allocMsi(part, fn, 'sound', 4);
        assert.ok(typeof made !== 'number');
        assert.equal(made.virqs.length, 4);
        assert.equal(numberAt(simulation, `device/${bdf}/msi/data`), 84);
        yield* freeMsi(part, made);
      }
      simulation.machine.spawn(part.kernel, cycle());
      simulation.run();
    }
    assert.equal(events(simulation).filter((e) => e.kind === 'msg.write' && Number(e.fields['data']) === 84).length, 2);
  });

  it('an SPI that pends twice before it is taken is one interrupt', () => {
    const simulation = booted({ platform, devices: [disk] });
    for (let i = 0; i < 2; i++) simulation.perform({ op: 'device.raise', object: 'device/0000:00:01.0/msix/0' });
    simulation.run();
    const { delivered, merged } = simulation.machine.ledger.tally();
    assert.deepEqual({ delivered, merged }, { delivered: 1, merged: 1 });
  });

  it('an SPI that is disabled pends until its irq is requested again', () => {
    const simulation = booted({ platform, devices: [disk, { ...disk, bdf: '0000:00:03.0', name: 'rogue' }] });
    simulation.perform({ op: 'irq.free', object: 'irq/24' });
    simulation.run();
    simulation.perform({ op: 'device.write', object: 'device/0000:00:03.0', address: 0x8020040, data: 80 });
    simulation.run();
    assert.equal(simulation.machine.ledger.tally().pending, 1);
    simulation.perform({ op: 'irq.request', object: 'irq/24', name: 'disk' });
    simulation.run();
    const { delivered, pending } = simulation.machine.ledger.tally();
    assert.deepEqual({ delivered, pending }, { delivered: 1, pending: 0 });
  });

  it('F39 names the device that raises an SPI of another; nobody is named while each raises its own', () => {
    const step = seen.findIndex((e) => e.kind === 'line.set' && e.object === 'gic/0/spi/81');
    assert.deepEqual(found(all.trace, 'F39'), [
      `${step} device/0000:00:03.0: 0000:00:03.0 can raise an SPI of 0000:00:01.0: it raised irq 25`,
    ]);
    const own = run({
      platform,
      devices: [disk],
      workload: [{ at: '100us', op: 'device.raise', object: 'device/0000:00:01.0/msix/1' }],
    });
    assert.equal(verdict(own.trace, 'F39'), 'pass');
  });

  it('behind an SMMU the message has the I/O address of the doorbell', () => {
    const simulation = booted({ platform: { ...platform, smmu: true }, devices: [disk] });
    assert.equal(numberAt(simulation, 'irq/24/data'), 80);
    assert.notEqual(numberAt(simulation, 'irq/24/address'), 0x8020040);
    simulation.perform({ op: 'device.raise', object: 'device/0000:00:01.0/msix/0' });
    simulation.run();
    assert.equal(simulation.machine.ledger.tally().delivered, 1);
  });

  it('has no ITS: commands and forwarding say so', () => {
    const simulation = booted({ platform, devices: [disk], vms: [{ id: 0, vcpus: 1 }] });
    const vsync = simulation.perform({ op: 'its.sync', object: 'its/0', target: 0 });
    assert.match(String(vsync), /the system has no ITS/);
    const forward = simulation.perform({ op: 'irq.forward', object: 'irq/24', vcpu: 0, vlpi: 8200 });
    assert.match(String(forward), /no Arm host with an ITS/);
  });

  it('is refused where it does not fit: on x86, with iommufd; its SPIs without it', () => {
    const problems = (document: object): string[] => {
      const read = readScenario({ title: 'test', description: 'A test.', devices: [disk], ...document });
      return 'length' in read ? read.map(({ path }) => path) : [];
    };
    assert.deepEqual(problems({ platform: { remap: 'gicv2m' } }), ['platform.remap']);
    assert.deepEqual(problems({ platform, iommufd: { devices: [disk.bdf] } }), ['iommufd']);
    assert.deepEqual(problems({ platform: { arch: 'arm64', remap: 'its', spis: 4 } }), ['platform.spis']);
  });
});
