// The order of acknowledge, end and handler on x86 (kernel/irq/chip.c handle_edge_irq, handle_fasteoi_irq; kernel/irq/migration.c irq_move_irq).
import assert from 'node:assert/strict';
import { scenarioNames } from '../../scripts/scenarios.ts';
import { Random } from '../../src/base/random.ts';
import { vectorObject } from '../../src/model/events/places.ts';
import { vector as vectorType } from '../../src/model/things/irq.ts';
import { host } from '../../src/sim/irq/host.ts';
import type { Simulation } from '../../src/sim/simulation.ts';
import { bundled, events, run } from './run.ts';

const MSIX = 'device/0000:03:00.0/msix/0';
const HOST = { platform: { cpus: 2 }, devices: [{ bdf: '0000:03:00.0', name: 'nvme', vectors: 1 }] };
const raise = (at: string): object => ({ at, op: 'device.raise', object: MSIX });

/** Kinds of events from a time on (us), those of the flow alone. */
function flow(document: object, from: number, kinds: readonly string[]): string[] {
  return events(run(document))
    .filter((e) => Number(e.time) * 1e6 >= from && kinds.includes(e.kind))
    .map((e) => e.kind);
}

describe('flow of interrupts', () => {
  it('an edge-triggered one is ended before its handler', () => {
    const kinds = ['cpu.accept', 'cpu.take', 'cpu.eoi', 'irq.entry', 'irq.exit'];
    assert.deepEqual(flow({ ...HOST, workload: [raise('100us')] }, 100, kinds), kinds);
  });

  it('a message that comes while the handler runs sets the request bit, and is taken when it returned', () => {
    const document = { ...HOST, workload: [raise('100us'), raise('101.2us')] };
    const kinds = ['cpu.accept', 'cpu.take', 'cpu.eoi', 'irq.entry', 'irq.exit', 'merge'];
    const once = ['cpu.take', 'cpu.eoi', 'irq.entry'];
    assert.deepEqual(flow(document, 100, kinds), [
      'cpu.accept',
      ...once,
      'cpu.accept',
      'irq.exit',
      ...once,
      'irq.exit',
    ]);
  });

  it('a move that waits for the next interrupt happens there, before the end and the handler', () => {
    const move = { at: '90us', op: 'irq.affinity', object: 'irq/24', cpus: [1] };
    const kinds = ['cpu.take', 'vec.config', 'cpu.eoi', 'irq.entry'];
    assert.deepEqual(flow({ ...HOST, workload: [move, raise('100us')] }, 100, kinds), kinds);
  });

  it('what the kernel does in an interrupt is recorded on the CPU that took it', () => {
    for (const from of [0, 1, 2]) {
      const to = (at: string, cpu: number) => ({ at, op: 'irq.affinity', object: 'irq/24', cpus: [cpu] });
      const workload = [to('90us', from), raise('100us'), raise('5ms'), to('10ms', (from + 1) % 3), raise('11ms')];
      const all = events(run({ ...HOST, platform: { cpus: 3 }, workload })).filter((e) => Number(e.time) >= 0.011);
      const [take, entry] = ['cpu.take', 'irq.entry'].map((kind) => all.findIndex((e) => e.kind === kind));
      const within = all.slice(take, entry! + 1).filter((e) => e.cpu !== null);
      for (const kind of ['irq.mask', 'tbl.write', 'tbl.read', 'vec.update', 'vec.config', 'msg.write', 'cpu.eoi'])
        assert.ok(
          within.some((e) => e.kind === kind),
          kind,
        );
      assert.deepEqual([...new Set(within.map((e) => e.cpu))], [from]);
    }
  });

  it('a level-triggered one is ended behind its handler', () => {
    const document = {
      platform: { cpus: 1 },
      devices: [{ bdf: '0000:03:00.0', name: 'uart', vectors: 0, intx: true }],
      workload: [{ at: '100us', op: 'intx.raise', object: 'device/0000:03:00.0' }],
    };
    const kinds = ['cpu.take', 'irq.entry', 'irq.exit', 'cpu.eoi'];
    assert.deepEqual(flow(document, 100, kinds), kinds);
  });

  it('a vector without a handler is ended too, and its cause is lost', () => {
    const document = { ...HOST, devices: [{ ...HOST.devices[0]!, driver: 'none' }] };
    const sim = run({
      ...document,
      workload: [
        { at: '50us', op: 'device.write', object: 'device/0000:03:00.0', address: '0xfee00000', data: '0x61' },
      ],
    });
    const kinds = events(sim).map((e) => e.kind);
    assert.ok(kinds.indexOf('cpu.eoi') > kinds.indexOf('cpu.take'));
    assert.deepEqual([sim.machine.ledger.tally().delivered, sim.machine.ledger.tally().dropped], [0, 1]);
  });

  it('the end of an edge-triggered vector of the same number elsewhere does not end a level-triggered one', () => {
    // The line stays up from the planted fault on; other functions have vector 33 of other CPUs meanwhile.
    const sim = run(bundled('driver-faults'), { settings: { fault: 'F80' } });
    const all = events(sim);
    const shared = new Set(all.filter((e) => /^cpu[/][0-9]+[/]vector[/]33$/.test(e.object)).map((e) => e.cpu));
    assert.ok(shared.size > 1, 'several CPUs have a vector 33');
    const place = all.find((e) => e.kind === 'cpu.accept' && e.fields['requester'] === '0xff00')!.object;
    let last = '';
    for (const e of all)
      if (e.kind === 'cpu.eoi') last = e.object;
      else if (e.kind === 'ioapic.eoi') assert.equal(last, place, `step ${e.step}`);
    assert.deepEqual(
      all.filter((e) => e.kind === 'drop' && e.object === 'irq/30'),
      [],
    );
  });

  // Behind a remapping unit a move happens at once, also while the handler runs: the next interrupt comes on the other CPU.
  const MOVED = {
    platform: { cpus: 2, remap: 'vtd' },
    devices: HOST.devices,
    workload: [raise('100us'), { at: '100.4us', op: 'irq.affinity', object: 'irq/24', cpus: [1] }, raise('101.3us')],
  };

  it('one that comes on another CPU while the handler runs is noted, masked and ended there; the first CPU handles it', () => {
    const sim = run(MOVED);
    const all = events(sim).filter((e) => Number(e.time) * 1e6 >= 100);
    const kinds = ['cpu.take', 'irq.entry', 'irq.status', 'irq.mask', 'cpu.eoi', 'irq.exit'];
    const place = new Set(all.filter((e) => e.kind === 'cpu.take').map((e) => e.object));
    assert.equal(place.size, 2, 'two CPUs took one each');
    const first = all.find((e) => e.kind === 'irq.entry')!.cpu;
    const told = all
      .filter((e) => kinds.includes(e.kind))
      .map((e) => `${e.cpu === first ? 'first' : 'other'} ${e.kind}`);
    assert.deepEqual(told, [
      'first cpu.take',
      'first cpu.eoi',
      'first irq.entry',
      'other cpu.take',
      'other irq.status',
      'other irq.mask',
      'first irq.exit',
      'other cpu.eoi',
      'first irq.mask',
      'first irq.status',
      'first irq.entry',
      'first irq.exit',
    ]);
    const masks = all.filter((e) => e.kind === 'irq.mask').map((e) => e.fields['masked']);
    assert.deepEqual(masks, [true, false]);
    assert.deepEqual([sim.machine.ledger.tally().delivered, sim.machine.ledger.twice], [2, []]);
  });

  it('no irq is handled on two CPUs at a time, whatever moves where, and every cause has one fate', () => {
    let latched = 0;
    for (let seed = 1; seed <= 90; seed++) {
      const random = new Random(seed);
      const below = (n: number): number => Math.floor(random.fraction() * n);
      const cpus = 2 + below(3);
      // In the last third CPUs come and go, and irqs are freed and requested again.
      const rough = seed > 60;
      const workload = Array.from({ length: 80 }, () => {
        const at = `${100 + below(60_000) / 1000}us`;
        const irq = below(2);
        const what = random.fraction();
        if (what < 0.35) return { at, op: 'irq.affinity', object: `irq/${24 + irq}`, cpus: [below(cpus)] };
        if (rough && what < 0.45) return { at, op: below(2) ? 'irq.free' : 'irq.request', object: `irq/${24 + irq}` };
        if (rough && what < 0.5)
          return { at, op: below(2) ? 'cpu.offline' : 'cpu.online', object: `cpu/${below(cpus)}` };
        return { at, op: 'device.raise', object: `device/0000:03:00.0/msix/${irq}` };
      });
      const remap = seed % 3 === 0 ? 'none' : seed % 3 === 1 ? 'vtd' : 'amd';
      const devices = [{ bdf: '0000:03:00.0', name: 'nvme', vectors: 2 }];
      const sim = run({ platform: { cpus, remap }, jitter: 0.5, devices, workload }, { seed });
      latched += handledOnOne(sim, `seed ${seed}`);
      mapAgrees(sim, `seed ${seed}`);
      const { delivered, merged, pending, inFlight, dropped } = sim.machine.ledger.tally();
      assert.deepEqual([inFlight, sim.machine.ledger.twice], [0, []], `seed ${seed}`);
      if (!rough) assert.equal(pending, 0, `seed ${seed}`);
      assert.equal(delivered + merged + dropped + pending, workload.filter((w) => w.op === 'device.raise').length);
    }
    assert.ok(latched > 10, `${latched} came while the handler ran elsewhere`);
  });

  it('nor in any bundled scenario, with or without a fault in the vectors', () => {
    for (const name of scenarioNames())
      for (let seed = 1; seed <= 5; seed++) {
        const sim = run(bundled(name), { seed });
        handledOnOne(sim, `${name}, seed ${seed}`);
        mapAgrees(sim, `${name}, seed ${seed}`);
      }
    for (let seed = 1; seed <= 30; seed++) {
      const sim = run(bundled('vector-faults'), { seed, settings: { fault: 'F24' } });
      handledOnOne(sim, `F24, seed ${seed}`);
      mapAgrees(sim, `F24, seed ${seed}`);
    }
  });

  it('one that comes before the handler runs waits for the flow, and is noted when the handler is at work', () => {
    // The move happens in the interrupt, and the entry is unmasked before its handler: the next message goes to the new CPU at once.
    const move = { at: '90us', op: 'irq.affinity', object: 'irq/24', cpus: [1] };
    const sim = run({ ...HOST, workload: [move, raise('100us'), raise('101us')] });
    const kinds = ['cpu.take', 'irq.entry', 'irq.exit', 'irq.status'];
    const told = events(sim)
      .filter((e) => Number(e.time) * 1e6 >= 100 && kinds.includes(e.kind))
      .map((e) => `${e.cpu} ${e.kind}`);
    const from = told[0]!.split(' ')[0];
    assert.notEqual(from, '1');
    assert.deepEqual(told.slice(0, 2), [`${from} cpu.take`, `${from} irq.entry`]);
    const noted = told.indexOf('1 irq.status');
    assert.ok(noted > told.indexOf(`${from} irq.entry`) && noted < told.indexOf(`${from} irq.exit`), told.join(', '));
  });

  it('an interrupt whose irq is locked for long waits for the lock', () => {
    // The ITS stalls at the command of a move, and the kernel waits for it for a second with the lock of the irq.
    const sim = run(bundled('its-queue'), { settings: { fault: 'F79' }, seed: 5 });
    const all = events(sim);
    const given = all.find((e) => /ITS queue timeout/.test(String(e.fields['text'])))!;
    const taken = all.findLast((e) => e.kind === 'gic.ack' && Number(e.time) < Number(given.time))!;
    const ran = all.find((e) => e.kind === 'irq.entry' && e.step > taken.step)!;
    assert.ok(Number(given.time) - Number(taken.time) > 0.1, 'it came while the kernel waited');
    const late = Number(ran.time) - Number(given.time);
    assert.ok(late > 0 && late < 0.05, `${late} s`);
  });
});

/** Fails where a handler of an irq begins while one runs, or ends on another CPU; how many interrupts were noted meanwhile. */
function handledOnOne(sim: Simulation, run: string): number {
  const at = new Map<string, number | null>();
  let noted = 0;
  for (const e of events(sim)) {
    if (e.kind === 'irq.status' && e.fields['pending'] === true && e.fields['disabled'] === false) {
      noted++;
      assert.ok(at.has(e.object), `${run}, step ${e.step}: no handler runs yet, so the lock of ${e.object} is held`);
      assert.notEqual(at.get(e.object), e.cpu, `${run}, step ${e.step}`);
    }
    if (e.kind === 'irq.entry') {
      assert.ok(!at.has(e.object), `${run}, step ${e.step}: ${e.object} runs on CPU ${at.get(e.object)} already`);
      at.set(e.object, e.cpu);
    } else if (e.kind === 'irq.exit') {
      assert.equal(at.get(e.object), e.cpu, `${run}, step ${e.step}: it ends on the CPU that it began on`);
      at.delete(e.object);
    }
  }
  return noted;
}

/** The vectors of the kernel are those that the state holds, and its flows are at their end. */
function mapAgrees(sim: Simulation, run: string): void {
  const { state } = sim.machine;
  if (sim.setup.scenario.platform.arch !== 'x86') return;
  const { core, vectors } = sim.setup.use(host);
  for (const irq of core.irqs.values()) {
    assert.deepEqual([irq.latched, irq.locked, irq.flowMasked], [[], false, false], `${run}: ${irq.virq}`);
    const { vector = 0, cpu = 0 } = vectors.chip(irq) ?? {};
    if (vector === 0) continue;
    const held = state.num(vectorObject(state, cpu, vector), vectorType.at.irq);
    assert.equal(held, irq.virq, `${run}: vector ${vector} of CPU ${cpu}`);
  }
}
