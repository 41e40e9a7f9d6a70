// Moves of an interrupt between CPUs without remapping, and CPUs that go offline and come back.
import assert from 'node:assert/strict';
import type { EventView } from '../../src/query/events.ts';
import { host } from '../../src/sim/irq/host.ts';
import type { Simulation } from '../../src/sim/simulation.ts';
import { bundled, events, run, start } from './run.ts';

const BDF = '0000:03:00.0';
const DEVICE = `device/${BDF}`;
/** Vectors of a CPU that devices may get: 0x20 to 0xeb without 0x80. */
const ALL = 0xec - 0x20 - 1;
const raise = (at: string | number, vector = 0): object => ({
  at,
  op: 'device.raise',
  object: `${DEVICE}/msix/${vector}`,
});
const move = (at: string, cpus: number[], virq = 24): object => ({
  at,
  op: 'irq.affinity',
  object: `irq/${virq}`,
  cpus,
});

const setup = (more: object): object => ({
  platform: { cpus: 4 },
  devices: [{ bdf: BDF, name: 'dev', vectors: 2, irqs: 1 }],
  ...more,
});

const us = (event: EventView): number => Number(event.time) * 1e6;
const of = (simulation: Simulation, ...kinds: string[]): EventView[] =>
  events(simulation).filter((e) => kinds.includes(e.kind));

/** Every cause was taken by a CPU, and none was told of twice. */
function delivered(simulation: Simulation, causes: number): void {
  assert.deepEqual(simulation.machine.ledger.twice, []);
  assert.deepEqual(simulation.machine.ledger.tally(), {
    ...{ inFlight: 0, pending: 0, merged: 0, withdrawn: 0, dropped: 0, untold: 0 },
    delivered: causes,
  });
}

describe('affinity without remapping', () => {
  it('waits for the next interrupt, writes behind the mask, and the old vector lives until one came in on the new', () => {
    const simulation = run(bundled('affinity-move'));
    const [asked] = of(simulation, 'irq.affinity');
    assert.deepEqual([us(asked!), asked!.fields.deferred], [200, true]);
    const written = of(simulation, 'msg.write').find((e) => us(e) > 200)!;
    assert.ok(us(written) > 300, 'nothing is written before the interrupt');
    const control = events(simulation).filter(
      (e) => e.kind === 'tbl.write' && us(e) > 300 && us(e) < 303 && e.object === `${DEVICE}/msix/0`,
    );
    assert.deepEqual(
      control.map((e) => [e.fields.offset, e.fields.value]),
      [
        ...[
          ['0xc', '0x1'],
          ['0x0', '0xfee03000'],
          ['0x4', '0x0'],
          ['0x8', '0x20'],
          ['0xc', '0x0'],
        ],
      ],
    );
    const free = of(simulation, 'vec.freeMoved')[0]!;
    const first = of(simulation, 'cpu.take').find((e) => e.object === 'cpu/3/vector/32')!;
    assert.ok(us(free) - us(first) >= 1000, 'a jiffy after the first interrupt on the new vector');
    assert.equal(free.task, 'cpu/cpu0');
    delivered(simulation, 6);
  });

  it('a move while the one before is being cleaned up is EBUSY and done with the interrupt after', () => {
    const simulation = run(bundled('affinity-move'));
    const busy = of(simulation, 'irq.affinity').filter((e) => e.fields.ret === -16);
    assert.deepEqual(
      busy.map((e) => e.fields.deferred),
      [true],
    );
    const moves = of(simulation, 'vec.update').filter((e) => e.fields.prevVector !== 0);
    assert.deepEqual(
      moves.map((e) => e.fields.cpu),
      [3, 0],
    );
    assert.ok(us(moves[1]!) > 3000);
  });

  it('a CPU of the new mask keeps the vector: nothing moves', () => {
    const simulation = run(setup({ workload: [move('100us', [0, 1, 2, 3]), raise('200us'), raise('300us')] }));
    assert.equal(of(simulation, 'vec.update').length, 1);
    delivered(simulation, 2);
  });

  it('a mask of offline CPUs is EINVAL', () => {
    const simulation = run(
      setup({ workload: [{ at: '100us', op: 'cpu.offline', object: 'cpu/3' }, move('5ms', [3])] }),
    );
    assert.deepEqual(
      of(simulation, 'irq.affinity').map((e) => e.fields.ret),
      [-22],
    );
  });

  it('before request_irq the mask is only noted, and holds from then on', () => {
    const simulation = run(
      setup({
        workload: [
          { at: '100us', op: 'irq.free', object: 'irq/24' },
          move('200us', [2]),
          { at: '300us', op: 'irq.request', object: 'irq/24' },
        ],
      }),
    );
    const [asked] = of(simulation, 'irq.affinity');
    assert.equal(asked?.fields.deferred, undefined);
    assert.equal(of(simulation, 'vec.update').at(-1)?.fields.cpu, 2);
  });

  it('the old vector is not freed while an interrupt waits for it in the IRR of its CPU', () => {
    // The timer on CPU 0 finds the vector requested: CPU 0 takes no interrupts at that time.
    const simulation = start(setup({ workload: [move('100us', [3]), raise('200us'), raise('300us')] }));
    const { cpus, vectors } = simulation.setup.use(host);
    simulation.run(() => simulation.machine.now >= 302_000);
    cpus.close(0, true);
    cpus.accept(0, 0x20, simulation.machine.ledger.open(simulation.machine.now));
    // One timer after the other finds the bit set.
    while (simulation.machine.now < 4_500_000) simulation.machine.step();
    assert.deepEqual(of(simulation, 'vec.freeMoved'), []);
    cpus.close(0, false);
    simulation.run();
    const [free] = of(simulation, 'vec.freeMoved');
    const late = of(simulation, 'cpu.take')
      .filter((e) => e.object === 'cpu/0/vector/32')
      .at(-1)!;
    assert.ok(free && us(free) > us(late));
    const entry = events(simulation).find((e) => e.step > late.step && e.kind === 'irq.entry');
    assert.equal(entry?.object, 'irq/24', 'the late interrupt still finds its handler');
    assert.equal(vectors.matrix.totalAllocated, 1);
  });

  for (const cleanup of ['timer', 'ipi'])
    it(`policy vectorCleanup=${cleanup} releases the old vector`, () => {
      const simulation = run(bundled('affinity-move'), { settings: { vectorCleanup: cleanup } });
      const [free] = of(simulation, 'vec.freeMoved');
      const ipis = of(simulation, 'ipi.send').filter((e) => e.fields.reason === 'irq move cleanup');
      const vectors = of(simulation, 'vec.alloc').map((e) => e.fields.vector);
      if (cleanup === 'ipi') {
        assert.deepEqual(ipis[0]?.object, 'cpu/0');
        assert.ok(us(free!) - us(ipis[0]!) < 10);
        assert.ok(!vectors.includes(0x20), 'vector 0x20 is the IPI');
      } else {
        assert.deepEqual(ipis, []);
        assert.ok(vectors.includes(0x20));
      }
      assert.equal(simulation.setup.use(host).vectors.matrix.totalAllocated, 2);
    });
});

describe('policy affinityStrategy', () => {
  /** Two irqs so that CPU and vector both change: irq 24 goes from (0, 0x20) to (1, 0x21). */
  const both = {
    platform: { cpus: 2 },
    devices: [{ bdf: BDF, name: 'dev', vectors: 2 }],
    workload: [move('100us', [1]), raise('200us'), raise('300us')],
  };
  const messages = (simulation: Simulation): unknown[] =>
    of(simulation, 'msg.write')
      .filter((e) => us(e) > 200)
      .map((e) => [e.fields.address, e.fields.data]);

  it('direct writes the new message once', () => {
    assert.deepEqual(messages(run(both)), [['0xfee01000', '0x21']]);
  });

  it('twoStep writes the new vector on the old CPU first', () => {
    const simulation = run(both, { settings: { affinityStrategy: 'twoStep' } });
    assert.deepEqual(messages(simulation), [
      ['0xfee00000', '0x21'],
      ['0xfee01000', '0x21'],
    ]);
    delivered(simulation, 2);
  });

  it('twoStep raises again what came in on the old CPU meanwhile, and ignores it there', () => {
    const simulation = start(both, { settings: { affinityStrategy: 'twoStep' } });
    let cause = 0;
    simulation.run(() => {
      const last = events(simulation, simulation.trace.length - 1)[0]!;
      if (cause === 0 && last.kind === 'msg.write' && last.fields.data === '0x21' && us(last) > 200) {
        cause = simulation.machine.ledger.open(simulation.machine.now);
        simulation.setup.use(host).cpus.accept(0, 0x21, cause);
      }
      return false;
    });
    const accepted = of(simulation, 'cpu.accept').filter((e) => e.fields.cause === cause);
    assert.deepEqual(
      accepted.map((e) => e.object),
      ['cpu/0/vector/33', 'cpu/1/vector/33'],
    );
    assert.deepEqual(
      of(simulation, 'ipi.send').map((e) => e.fields.reason),
      ['retrigger'],
    );
    assert.match(String(of(simulation, 'drop')[0]?.fields.reason), /raised again elsewhere/);
    assert.deepEqual(simulation.machine.ledger.twice, []);
  });
});

describe('CPU offline and online', () => {
  it('moves what can be moved, shuts down what is managed, raises again what arrives late', () => {
    const simulation = run(bundled('cpu-offline'));
    const migrated = of(simulation, 'vec.update').find((e) => us(e) > 1000)!;
    assert.deepEqual([migrated.object, migrated.fields.prevCpu, migrated.fields.cpu], ['irq/24', 0, 1]);
    assert.deepEqual(of(simulation, 'vec.freeMoved'), [], 'the vector of a dying CPU is freed at once');
    const managed = of(simulation, 'irq.managed').map((e) => [e.object, e.fields.shutdown]);
    assert.deepEqual(managed.slice(0, 2), [
      ['irq/25', true],
      ['irq/25', false],
    ]);
    const zero = of(simulation, 'msg.write').find((e) => us(e) > 1000 && e.object === 'irq/25')!;
    assert.deepEqual([zero.fields.address, zero.fields.data], ['0x0', '0x0']);
    const late = of(simulation, 'cpu.accept').filter((e) => e.fields.cause === 2);
    assert.deepEqual(
      late.map((e) => e.object),
      ['cpu/0/vector/33', 'cpu/1/vector/33'],
    );
    const { matrix } = simulation.setup.use(host).vectors;
    const allocated = [0, 1, 2].map((n) => matrix.map(n).allocated);
    assert.deepEqual(allocated, [2, 0, 0], 'no vector leaks on a CPU that went');
    delivered(simulation, 4);
  });

  it('a cause of a managed interrupt that is shut down waits for its CPU', () => {
    const simulation = run(bundled('cpu-offline'));
    const raised = of(simulation, 'dev.raise').find((e) => e.fields.cause === 3)!;
    const sent = of(simulation, 'send').find((e) => e.fields.cause === 3)!;
    assert.deepEqual([us(raised), us(sent) > 4000], [3000, true]);
  });

  it('the last CPU may not go', () => {
    const simulation = run(bundled('cpu-offline'));
    assert.deepEqual(of(simulation, 'cpu.state').at(-1)?.fields, { online: false, ret: -16 });
    assert.equal(simulation.setup.use(host).cpus.onlineCpus().length, 1);
  });

  it('a CPU whose vectors have no room elsewhere may not go: ENOSPC, and nothing changed', () => {
    // 203 vectors on each of two CPUs; the interrupts of two functions take more than one CPU has.
    const simulation = run({
      platform: { cpus: 2 },
      devices: [0, 1, 2].map((i) => ({ bdf: `0000:0${i + 3}:00.0`, name: `dev${i}`, vectors: 80 })),
      workload: [{ at: '50ms', op: 'cpu.offline', object: 'cpu/1' }],
    });
    const text = of(simulation, 'message')[0];
    assert.equal(text?.fields.text, 'CPU 1 has 120 vectors, 83 available. Cannot disable CPU');
    assert.deepEqual(of(simulation, 'cpu.state').at(-1)?.fields, { online: false, ret: -28 });
    assert.ok(simulation.setup.use(host).cpus.online(1));
  });

  it('a move in progress is finished at once when the old CPU goes', () => {
    const simulation = run(
      setup({
        workload: [
          move('100us', [3]),
          raise('200us'),
          { at: '300us', op: 'cpu.offline', object: 'cpu/0' },
          raise('5ms'),
        ],
      }),
    );
    const free = of(simulation, 'vec.freeMoved')[0]!;
    assert.ok(us(free) < 310);
    assert.match(String(of(simulation, 'message')[0]?.fields.text), /irq 24 move in progress/);
    const { matrix } = simulation.setup.use(host).vectors;
    assert.deepEqual(
      [matrix.map(0).allocated, matrix.map(3).allocated, matrix.totalAllocated],
      [0, 1, 1],
      'no leak (F20)',
    );
    delivered(simulation, 2);
  });

  it('a broken affinity goes to any CPU that is left', () => {
    const simulation = run(
      setup({
        workload: [
          move('100us', [2]),
          raise('200us'),
          raise('300us'),
          { at: '4ms', op: 'cpu.offline', object: 'cpu/2' },
          raise('8ms'),
        ],
      }),
    );
    assert.equal(of(simulation, 'vec.update').at(-1)?.fields.cpu, 0);
    delivered(simulation, 3);
  });

  it('a vector outside the mask: the kernel says exhaustion where the CPUs of the mask are full, not where they are offline', () => {
    const said = (workload: object[]): unknown[] => {
      const document = {
        platform: { cpus: 2 },
        devices: [
          { bdf: BDF, name: 'dev', vectors: 1 },
          { bdf: '0000:04:00.0', name: 'hog', vectors: 210, driver: 'none' },
        ],
        workload: [
          { at: '100us', op: 'irq.free', object: 'irq/24' },
          move('200us', [1]),
          ...workload,
          { at: '30ms', op: 'irq.request', object: 'irq/24' },
        ],
      };
      const simulation = run(document);
      assert.equal(of(simulation, 'vec.update').at(-1)?.fields.cpu, 0);
      return of(simulation, 'message').map((e) => e.fields.text);
    };
    const hog = Array.from({ length: ALL }, (_, index) => ({
      at: `${1000 + index * 100}us`,
      op: 'irq.alloc',
      object: 'device/0000:04:00.0',
      index,
      affinity: [1],
    }));
    const offline = [{ at: '1ms', op: 'cpu.offline', object: 'cpu/1' }];
    assert.deepEqual(said(hog), ['irq 24: Affinity broken due to vector space exhaustion.']);
    assert.deepEqual(said(offline), []);
  });

  it('requesting a managed irq whose CPUs are all offline leaves it shut down', () => {
    const simulation = run({
      platform: { cpus: 2 },
      devices: [{ bdf: BDF, name: 'dev', vectors: 3, managed: true }],
      workload: [
        { at: '100us', op: 'irq.free', object: 'irq/26' },
        { at: '1ms', op: 'cpu.offline', object: 'cpu/1' },
        { at: '5ms', op: 'irq.request', object: 'irq/26' },
        { at: '6ms', op: 'cpu.online', object: 'cpu/1' },
        raise('7ms', 2),
      ],
    });
    const managed = of(simulation, 'irq.managed').map((e) => [e.fields.shutdown, us(e) > 5000]);
    assert.deepEqual(managed, [
      [true, true],
      [false, true],
    ]);
    delivered(simulation, 1);
  });
});

describe('an irq is allocated', () => {
  const alloc = (affinity: number[], managed: boolean): Simulation =>
    run(setup({ workload: [{ at: '400us', op: 'irq.alloc', object: DEVICE, index: 1, affinity, managed }] }));

  it('for CPUs that the host has, and for no others', () => {
    assert.ok(of(alloc([3], true), 'vec.reserveManaged').length > 0);
    const refused = (affinity: number[], managed: boolean): unknown[] =>
      of(alloc(affinity, managed), 'illegal').map((e) => e.fields['text']);
    for (const managed of [true, false]) {
      assert.deepEqual(refused([4], managed), ['irq.alloc: the host has CPUs 0 to 3']);
      assert.deepEqual(refused([0, 4095], managed), ['irq.alloc: the host has CPUs 0 to 3']);
      assert.deepEqual(refused([], managed), []);
      // An empty mask ends in EINVAL (alloc_descs).
      assert.ok(of(alloc([], managed), 'dom.alloc').some((e) => e.fields['ret'] === -22));
    }
  });
});

describe('irqbalance, and drivers that pin', () => {
  const balanced = (devices: object[], workload: object[]): Simulation =>
    run({ platform: { cpus: 2, remap: 'vtd' }, devices, workload });
  const net = (more: object): object => ({ bdf: BDF, name: 'net', vectors: 4, ...more });
  const moves = (simulation: Simulation): unknown[] =>
    of(simulation, 'vec.update')
      .filter((e) => e.fields.prevVector !== 0)
      .map((e) => [e.object, e.fields.cpu, e.task]);

  it('moves from the CPU with the most interrupts to the one with the fewest, until none has two more', () => {
    const onZero = [24, 25, 26, 27].map((virq) => move('1ms', [0], virq));
    const simulation = balanced(
      [net({})],
      [...onZero, { at: '10ms', op: 'irq.balance' }, { at: '20ms', op: 'irq.balance' }],
    );
    const made = moves(simulation).filter((m) => (m as unknown[])[2] === 'user/irqbalance');
    assert.deepEqual(made, [
      ['irq/24', 1, 'user/irqbalance'],
      ['irq/25', 1, 'user/irqbalance'],
    ]);
  });

  it('leaves alone what a driver keeps on a CPU, and the driver moves back what others move', () => {
    const simulation = balanced([net({ pin: 0 })], [{ at: '1ms', op: 'irq.balance' }, move('10ms', [1], 25)]);
    assert.deepEqual(moves(simulation), [
      ['irq/25', 1, 'user/operator'],
      ['irq/25', 0, 'driver/net'],
    ]);
  });
});
