// Interrupts that come by wires: INTx pins, the I/O APIC, the timer at boot; and a driver that looks for its completions.
import assert from 'node:assert/strict';
import type { EventView } from '../../src/query/events.ts';
import { IoApic } from '../../src/sim/irq/io-apic.ts';
import { Machine } from '../../src/sim/machine.ts';
import { TraceRecorder } from '../../src/sim/recorder.ts';
import { readScenario } from '../../src/sim/scenario.ts';
import { newTrace, type Simulation } from '../../src/sim/simulation.ts';
import { bundled, events, run } from './run.ts';

const BDF = '0000:03:00.0';
const FN = `device/${BDF}`;
const WIRED = { platform: { cpus: 2 }, devices: [{ bdf: BDF, name: 'uart', vectors: 0, intx: true }] };
const BOTH = { platform: { cpus: 2 }, devices: [{ bdf: BDF, name: 'net', vectors: 1, intx: true }] };

const of = (simulation: Simulation, ...kinds: string[]): EventView[] =>
  events(simulation).filter((e) => kinds.includes(e.kind));
/** Events of some kinds from a time (microseconds) on, each with one of its fields. */
const seen = (simulation: Simulation, from: number, kinds: Readonly<Record<string, string>>): unknown[] =>
  of(simulation, ...Object.keys(kinds))
    .filter((e) => Number(e.time) * 1e6 >= from)
    .map((e) => [e.kind, e.fields[kinds[e.kind]!]]);

/** An I/O APIC, and the data of the messages that it sends. */
function apic(): { io: IoApic; sent: number[] } {
  const sent: number[] = [];
  const machine = new Machine(new TraceRecorder(newTrace('pins')), 1);
  return { io: new IoApic(machine, { accept: ({ data }) => void sent.push(data) }), sent };
}

describe('I/O APIC', () => {
  it('an edge-triggered pin sends at each rising edge', () => {
    const { io, sent } = apic();
    io.program(2, { vector: 0x30, level: false, masked: false, cpu: 0 });
    for (const level of [true, true, false, true]) io.line(2, level);
    assert.deepEqual(sent, [0x30, 0x30]);
  });

  it('a level-triggered pin sends once, and again at the end of its interrupt while it is asserted', () => {
    const { io, sent } = apic();
    io.program(16, { vector: 0x41, level: true, masked: false, cpu: 0 });
    io.line(16, true);
    io.line(16, true);
    assert.equal(sent.length, 1);
    io.eoi(0x42);
    assert.equal(sent.length, 1, 'the end of another vector');
    io.eoi(0x41);
    assert.equal(sent.length, 2);
    io.line(16, false);
    io.eoi(0x41);
    assert.equal(sent.length, 2);
  });

  it('a masked pin sends nothing; a level that waits is sent at the unmask', () => {
    const { io, sent } = apic();
    io.program(16, { vector: 0x41, level: true, masked: true, cpu: 0 });
    io.line(16, true);
    assert.deepEqual(sent, []);
    io.program(16, { vector: 0x41, level: true, masked: false, cpu: 0 });
    assert.equal(sent.length, 1);
  });
});

describe('INTx', () => {
  it('is asserted until the driver has served the cause, and comes once', () => {
    const simulation = run({ ...WIRED, workload: [{ at: '1ms', op: 'intx.raise', object: FN }] });
    assert.deepEqual(seen(simulation, 900, { 'dev.intx': 'level', 'line.set': 'level', 'irq.exit': 'handled' }), [
      ['dev.intx', true],
      ['line.set', true],
      ['dev.intx', false],
      ['line.set', false],
      ['irq.exit', true],
    ]);
    assert.equal(of(simulation, 'irq.identify')[0]?.fields.device, undefined, 'a wire is no message of the function');
    assert.equal(simulation.machine.ledger.tally().delivered, 1);
  });

  it('is silent while Interrupt Disable is set, and asserted when that is cleared', () => {
    const command = (at: string, value: string): object => ({
      at,
      op: 'config.write',
      object: FN,
      offset: '0x4',
      value,
    });
    const simulation = run({
      ...WIRED,
      workload: [command('1ms', '0x406'), { at: '2ms', op: 'intx.raise', object: FN }, command('3ms', '0x6')],
    });
    const [first] = of(simulation, 'dev.intx');
    assert.equal(Number(first!.time) * 1e3, 3);
    assert.equal(of(simulation, 'irq.exit').length, 1);
  });

  it('takes what a function raises while MSI-X is off; once that is on again the cause is lost', () => {
    const control = (at: string, enable: boolean): object => ({ at, op: 'msix.control', object: FN, enable });
    const raise = { at: '2ms', op: 'device.raise', object: `${FN}/msix/0` };
    const simulation = run({ ...BOTH, workload: [control('1ms', false), raise, control('3ms', true)] });
    assert.deepEqual(
      of(simulation, 'dev.intx').map((e) => [Number(e.time) * 1e3, e.fields.level]),
      [
        [2, true],
        [3, false],
      ],
    );
    assert.equal(simulation.machine.ledger.tally().dropped, 1);
    assert.deepEqual(of(simulation, 'send'), []);
  });

  it('needs a host with an I/O APIC that is not remapped, the timer one that is', () => {
    const problems = (platform: object, more: object): unknown =>
      readScenario({ title: 'test', description: 'A test.', platform, ...more });
    const { devices } = WIRED;
    const paths = (answer: unknown): string[] => (answer as { path: string }[]).map(({ path }) => path);
    assert.deepEqual(paths(problems({ remap: 'vtd' }, { devices })), ['devices.0.intx']);
    assert.deepEqual(paths(problems({ arch: 'arm64', remap: 'its' }, { devices })), ['devices.0.intx']);
    assert.deepEqual(paths(problems({ timer: true }, {})), ['platform.timer']);
    assert.deepEqual(paths(problems({ arch: 'arm64', remap: 'its', vectors: 8 }, {})), ['platform.vectors']);
    assert.deepEqual(paths(problems({ vectors: 0 }, {})), ['platform.vectors']);
  });
});

describe('a line of KVM with a resample eventfd', () => {
  const lines = (levels: readonly (readonly [string, boolean])[]): Simulation =>
    run({
      platform: { cpus: 1 },
      vms: [{ id: 0, vcpus: 1 }],
      vfio: [{ name: 'mtty-0', backend: 'emulated', vectors: 0, vm: 0, guest: '0000:00:07.0' }],
      workload: levels.map(([at, level]) => ({ at, op: 'vfio.intx', object: 'vfio/mtty-0', level })),
    });
  const SHOWN = {
    'vfio.mask': 'by',
    'kvm.line': 'level',
    'apic.inj': 'reinjected',
    'kvm.ack': 'pin',
    'irq.exit': 'handled',
  };

  it('is raised by the device, lowered at the end of the interrupt, and then the device is unmasked', () => {
    assert.deepEqual(seen(lines([['1ms', true]]), 900, SHOWN), [
      ['vfio.mask', 'automask'],
      ['kvm.line', true],
      ['apic.inj', false],
      ['irq.exit', true],
      ['kvm.ack', 10],
      ['kvm.line', false],
      ['vfio.mask', 'resample'],
    ]);
  });

  it('comes again while the device asserts it', () => {
    // The device asserts its line again while the handler still works for the first time.
    const simulation = lines([
      ['1ms', true],
      ['1003500ns', true],
    ]);
    assert.deepEqual(
      of(simulation, 'irq.exit').map((e) => e.fields.handled),
      [true, true],
    );
    assert.equal(of(simulation, 'kvm.ack').length, 2);
    assert.equal(simulation.machine.ledger.tally().delivered, 2);
  });
});

describe('the release of an irqfd', () => {
  it('lets a signal arrive that is under way', () => {
    const entry = 'device/0000:00:08.0/msix/0';
    const simulation = run({
      platform: { cpus: 1 },
      vms: [{ id: 0, vcpus: 1, devices: [{ bdf: '0000:00:08.0', name: 'net', vectors: 1, source: 'irqfd' }] }],
      workload: [
        { at: '1ms', op: 'device.raise', object: entry },
        { at: '1001us', op: 'entry.mask', object: entry },
      ],
    });
    assert.deepEqual(seen(simulation, 900, { 'irqfd.wakeup': 'gsi', 'irqfd.assign': 'release' }), [
      ['irqfd.wakeup', undefined],
      ['irqfd.assign', true],
    ]);
  });
});

describe('a driver with completions', () => {
  const document = (workload: object[]): object => ({
    platform: { cpus: 1 },
    devices: [{ bdf: BDF, name: 'nvme', vectors: 2, timeout: '20ms' }],
    workload,
  });
  const raise = { at: '1ms', op: 'device.raise', object: `${FN}/msix/1` };

  it('takes them in its handler, and the time-out finds nothing', () => {
    const simulation = run(document([raise]));
    assert.deepEqual(seen(simulation, 0, { 'irq.exit': 'handled', message: 'text', 'dev.withdraw': 'cause' }), [
      ['irq.exit', true],
    ]);
  });

  it('finds them itself when no interrupt tells it: the function takes the cause back', () => {
    const mask = { at: '500us', op: 'entry.mask', object: `${FN}/msix/1` };
    const simulation = run(document([mask, raise]));
    assert.deepEqual(seen(simulation, 0, { 'irq.exit': 'handled', message: 'text', 'dev.withdraw': 'cause' }), [
      ['dev.withdraw', 1],
      ['message', 'nvme nvme0: I/O tag 0 (1000) QID 1 timeout, completion polled'],
    ]);
    assert.equal(simulation.machine.ledger.tally().withdrawn, 1);
  });

  it('its handler returns IRQ_NONE when it finds nothing', () => {
    // The message of the vector once more, without a completion.
    const again = { at: '40ms', op: 'device.write', object: FN, address: '0xfee00000', data: '0x21' };
    const simulation = run(document([raise, again]));
    assert.deepEqual(seen(simulation, 0, { 'irq.exit': 'handled' }), [
      ['irq.exit', true],
      ['irq.exit', false],
    ]);
  });
});

describe('the timer at boot', () => {
  it('is tested for ten ticks before the drivers start', () => {
    const simulation = run(bundled('boot-timer'));
    const ticks = of(simulation, 'irq.exit').filter((e) => e.object === 'irq/0');
    assert.ok(ticks.length >= 9 && ticks.length <= 10, `${ticks.length} ticks`);
    const drivers = of(simulation, 'vec.setup').filter((e) => e.object !== 'irq/0');
    assert.ok(Number(drivers[0]!.time) >= 0.1);
    assert.equal(of(simulation, 'irq.exit').length - ticks.length, 3);
  });

  it('that stands still makes the kernel panic: no driver starts', () => {
    const simulation = run(bundled('boot-timer'), { settings: { fault: 'R13' } });
    assert.ok(of(simulation, 'irq.exit').length < 5);
    assert.match(String(of(simulation, 'message')[0]?.fields.text), /^Kernel panic .* Interrupt-remapped IO-APIC$/);
    assert.deepEqual(
      of(simulation, 'irq.exit').filter((e) => e.object !== 'irq/0'),
      [],
    );
  });
});
