// The x86 vector domain and its matrix: the table of transitions, and the order in which a hierarchy is walked.
import assert from 'node:assert/strict';
import { viewEvent } from '../../src/query/events.ts';
import { host } from '../../src/sim/irq/host.ts';
import { VectorMatrix } from '../../src/sim/irq/vector-matrix.ts';
import { Machine } from '../../src/sim/machine.ts';
import { TraceRecorder } from '../../src/sim/recorder.ts';
import { newTrace } from '../../src/sim/simulation.ts';
import { events, run } from './run.ts';

const BDF = '0000:03:00.0';
const ENTRY = `device/${BDF}/msix`;
/** Vectors of a CPU that devices may get: 0x20 to 0xeb without 0x80. */
const ALL = 0xec - 0x20 - 1;

function matrixOf(cpus: number, online = cpus): { matrix: VectorMatrix; recorder: TraceRecorder; machine: Machine } {
  const recorder = new TraceRecorder(newTrace('matrix'));
  const machine = new Machine(recorder, 1);
  const matrix = new VectorMatrix(machine, cpus);
  for (let n = 0; n < online; n++) matrix.online(n);
  return { matrix, recorder, machine };
}

/** What the books of CPU 0 and the global ones say. */
function books(matrix: VectorMatrix): number[] {
  const { available, allocated, managed, managedAllocated } = matrix.map(0);
  const { globalAvailable, globalReserved, totalAllocated } = matrix;
  return [available, allocated, managed, managedAllocated, globalAvailable, globalReserved, totalAllocated];
}

/** How the books change: CPU 0 available, allocated, managed, of these allocated; global available, reserved; total. */
function change(matrix: VectorMatrix, what: () => unknown): number[] {
  const before = books(matrix);
  what();
  return books(matrix).map((n, i) => n - before[i]!);
}

describe('platform.vectors', () => {
  const document = (vectors: number): object => ({
    platform: { cpus: 1, vectors },
    devices: [{ bdf: BDF, name: 'dev', vectors: 1 }],
  });
  it('so many vectors of each CPU are for devices, whether the vector of system calls lies between them or not', () => {
    for (const vectors of [4, 96, 97, 100, 203]) {
      const { available, allocated } = run(document(vectors)).setup.use(host).vectors.matrix.map(0);
      assert.equal(available + allocated, vectors);
    }
  });
  it('an irq for which none is left fails', () => {
    const simulation = run({ ...document(2), devices: [{ bdf: BDF, name: 'dev', vectors: 3 }] });
    const failed = events(simulation).filter((e) => e.kind === 'vec.alloc' && e.fields.ret === -28);
    assert.equal(failed[0]?.object, 'irq/26');
  });
});

describe('vector matrix, transition by transition', () => {
  it('a CPU that comes online brings all vectors but those of the system and the managed ones', () => {
    const { matrix } = matrixOf(2, 0);
    assert.equal(matrix.reserveManaged([0]), 0);
    matrix.online(0);
    assert.deepEqual(books(matrix), [ALL - 1, 0, 1, 0, ALL - 1, 0, 0]);
  });

  it('a CPU that goes offline takes its available vectors along and brings them back', () => {
    const { matrix } = matrixOf(2);
    matrix.alloc([0], false);
    assert.deepEqual(
      change(matrix, () => matrix.offline(0)),
      [0, 0, 0, 0, -(ALL - 1), 0, 0],
    );
    assert.equal(matrix.onlineMaps, 1);
    assert.deepEqual(
      change(matrix, () => matrix.online(0)),
      [0, 0, 0, 0, ALL - 1, 0, 0],
    );
  });

  it('reserve, allocate what was reserved, free', () => {
    const { matrix } = matrixOf(1);
    assert.deepEqual(
      change(matrix, () => matrix.reserve()),
      [0, 0, 0, 0, 0, 1, 0],
    );
    assert.deepEqual(
      change(matrix, () => matrix.alloc([0], true)),
      [-1, 1, 0, 0, -1, -1, 1],
    );
    assert.deepEqual(
      change(matrix, () => matrix.free(0, 0x20, false)),
      [1, -1, 0, 0, 1, 0, -1],
    );
    assert.deepEqual(
      change(matrix, () => matrix.reserve()),
      [0, 0, 0, 0, 0, 1, 0],
    );
    assert.deepEqual(
      change(matrix, () => matrix.removeReserved()),
      [0, 0, 0, 0, 0, -1, 0],
    );
    assert.deepEqual(
      change(matrix, () => matrix.alloc([0], false)),
      [-1, 1, 0, 0, -1, 0, 1],
    );
    assert.deepEqual(
      change(matrix, () => matrix.assign(0, 0x30)),
      [-1, 1, 0, 0, -1, 0, 1],
    );
  });

  it('managed: set aside, allocated, freed, given back', () => {
    const { matrix } = matrixOf(1);
    assert.deepEqual(
      change(matrix, () => matrix.reserveManaged([0])),
      [-1, 0, 1, 0, -1, 0, 0],
    );
    assert.deepEqual(
      change(matrix, () => matrix.allocManaged([0])),
      [0, 1, 0, 1, 0, 0, 1],
    );
    assert.deepEqual(
      change(matrix, () => matrix.free(0, 0x20, true)),
      [0, -1, 0, -1, 0, 0, -1],
    );
    assert.deepEqual(
      change(matrix, () => matrix.removeManaged([0])),
      [1, 0, -1, 0, 1, 0, 0],
    );
  });

  it('on an offline CPU nothing changes the global books', () => {
    const { matrix } = matrixOf(2);
    matrix.alloc([0], false);
    matrix.offline(0);
    assert.deepEqual(
      change(matrix, () => matrix.free(0, 0x20, false)),
      [1, -1, 0, 0, 0, 0, 0],
    );
    assert.deepEqual(
      change(matrix, () => matrix.reserveManaged([0])),
      [0, 0, 1, 0, 0, 0, 0],
    );
    assert.deepEqual(
      change(matrix, () => matrix.removeManaged([0])),
      [0, 0, -1, 0, 0, 0, 0],
    );
  });

  it('an allocation takes the first CPU with the most vectors, a managed one the last with the fewest managed', () => {
    const { matrix } = matrixOf(3);
    assert.deepEqual(matrix.alloc([0, 1, 2], false), { cpu: 0, vector: 0x20 });
    assert.deepEqual(matrix.alloc([0, 1, 2], false), { cpu: 1, vector: 0x20 });
    assert.deepEqual(matrix.alloc([0, 1], false), { cpu: 0, vector: 0x21 });
    matrix.reserveManaged([0, 1, 2]);
    matrix.reserveManaged([0, 1, 2]);
    assert.deepEqual(matrix.allocManaged([0, 1, 2]), { cpu: 2, vector: 0x20 });
    assert.deepEqual(matrix.allocManaged([0, 1, 2]), { cpu: 1, vector: 0x21 });
    assert.deepEqual(matrix.allocManaged([2]), { cpu: 2, vector: 0x21 });
    assert.equal(matrix.allocManaged([2]), -28, 'all that was set aside is taken');
  });

  it('never gives the vectors of the system, nor one twice, and then ENOSPC', () => {
    const { matrix } = matrixOf(1);
    const got = new Set<number>();
    for (let i = 0; i < ALL; i++) {
      const slot = matrix.alloc([0], false);
      assert.ok(typeof slot === 'object');
      got.add(slot.vector);
    }
    assert.equal(got.size, ALL);
    assert.ok(!got.has(0x80) && Math.min(...got) === 0x20 && Math.max(...got) === 0xeb);
    assert.equal(matrix.alloc([0], false), -28);
    assert.equal(matrix.alloc([], false), -22);
  });

  it('setting aside on several CPUs of which one is full sets nothing aside', () => {
    const { matrix } = matrixOf(2);
    for (let i = 0; i < ALL; i++) matrix.alloc([1], false);
    assert.deepEqual(
      change(matrix, () => assert.equal(matrix.reserveManaged([0, 1]), -28)),
      [0, 0, 0, 0, 0, 0, 0],
    );
  });

  it('says mtx.alloc for a reserved vector too: no kernel prints irq_matrix_alloc_reserved', () => {
    const { matrix, recorder } = matrixOf(1);
    matrix.reserve();
    matrix.alloc([0], true);
    assert.equal(viewEvent(recorder.trace, recorder.length - 1).kind, 'mtx.alloc');
  });
});

const device = (more: object = {}): object => ({ bdf: BDF, name: 'dev', vectors: 2, irqs: 1, ...more });

/** The kinds of events of one irq and of its entry, from a time (us) to another. */
function course(simulation: ReturnType<typeof run>, from: number, to: number): string[] {
  return events(simulation)
    .filter((e) => Number(e.time) * 1e6 >= from && Number(e.time) * 1e6 < to)
    .filter((e) => !e.kind.startsWith('mtx.'))
    .map((e) => {
      const { domain, activate, free, offset, value, reserve } = e.fields;
      if (e.kind === 'dom.activate')
        return `${activate === true ? 'activate' : 'deactivate'} ${String(domain).slice(0, 8)}${reserve ? ' reserve' : ''}`;
      if (e.kind === 'dom.alloc') return `${free === true ? 'free' : 'alloc'} ${String(domain).slice(0, 8)}`;
      if (e.kind === 'tbl.write') return `write ${String(offset)}=${String(value)}`;
      return e.kind;
    });
}

describe('hierarchy of domains on x86', () => {
  it('allocates and activates from the CPU to the device, and frees from the device to the CPU', () => {
    const simulation = run({
      devices: [device()],
      workload: [
        { at: '100us', op: 'irq.free', object: 'irq/24' },
        { at: '200us', op: 'irq.release', object: 'irq/24' },
      ],
    });
    const boot = course(simulation, 1, 90).filter((k) => /^(alloc|activate|vec|msg|irq)/.test(k));
    assert.deepEqual(boot, [
      ...['vec.reserve', 'vec.config', 'vec.setup', 'alloc VECTOR', 'alloc PCI-MSIX', 'irq.identify'],
      ...['vec.activate', 'vec.config', 'activate VECTOR reserve', 'msg.write', 'activate PCI-MSIX reserve'],
      ...['vec.activate', 'vec.alloc', 'vec.update', 'vec.config', 'activate VECTOR', 'msg.write', 'activate PCI-MSIX'],
      'irq.mask',
    ]);
    assert.deepEqual(course(simulation, 100, 190), [
      ...['irq.mask', 'write 0xc=0x1', 'tbl.read'],
      ...['msg.write', 'write 0x0=0x0', 'write 0x4=0x0', 'write 0x8=0x0', 'tbl.read', 'deactivate PCI-MSIX'],
      ...['vec.deactivate', 'vec.clear', 'vec.reserve', 'vec.config', 'deactivate VECTOR'],
    ]);
    assert.deepEqual(course(simulation, 200, 300), ['free PCI-MSIX', 'vec.teardown', 'free VECTOR']);
    const { matrix } = simulation.setup.use(host).vectors;
    assert.deepEqual([matrix.totalAllocated, matrix.globalReserved], [0, 0], 'nothing leaks');
  });

  it('early activation writes the placeholder 0xef, request_irq a real vector, and every entry is masked before the function mask goes', () => {
    const all = events(run({ devices: [device()] }));
    const messages = all.filter((e) => e.kind === 'msg.write').map((e) => e.fields.data);
    assert.deepEqual(messages, ['0xef', '0x20']);
    const written = all.filter((e) => e.kind === 'cfg.write');
    assert.deepEqual(
      written.map((e) => [e.fields.offset, e.fields.value]),
      [
        ['0x62', '0xc001'],
        ['0x4', '0x406'],
        ['0x62', '0x8001'],
      ],
      'enabled with the function mask, INTx disabled, then without the mask',
    );
    const control = [written[0]!, written[2]!].map((e) => [e.step]);
    const masked = all.filter((e) => e.kind === 'tbl.write' && e.fields.offset === '0xc' && e.fields.value === '0x1');
    assert.deepEqual(
      masked.map((e) => e.object),
      [`${ENTRY}/0`, `${ENTRY}/1`],
      'also the one that nobody uses',
    );
    for (const { step } of masked) assert.ok(Number(control[0]![0]) < step && step < Number(control[1]![0]));
  });

  it('an irq with a mask gets its vector at once and keeps it when it is deactivated', () => {
    const simulation = run({
      devices: [device()],
      workload: [
        { at: '100us', op: 'irq.alloc', object: `device/${BDF}`, index: 1, affinity: [2] },
        { at: '150us', op: 'irq.request', object: 'irq/25' },
        { at: '200us', op: 'irq.free', object: 'irq/25' },
        { at: '300us', op: 'irq.request', object: 'irq/25' },
      ],
    });
    const updates = events(simulation).filter((e) => e.object === 'irq/25' && e.kind.startsWith('vec.'));
    assert.deepEqual(updates.filter((e) => e.kind === 'vec.update').length, 1);
    assert.equal(updates.filter((e) => e.kind === 'vec.clear').length, 0);
    const last = events(simulation).findLast((e) => e.kind === 'msg.write' && e.object === 'irq/25');
    assert.deepEqual([last?.fields.address, last?.fields.data], ['0xfee02000', '0x20']);
  });

  it('an index that is taken answers EEXIST and nothing is allocated; an irq with an action is not released', () => {
    const simulation = run({
      devices: [device()],
      workload: [
        { at: '100us', op: 'irq.alloc', object: `device/${BDF}`, index: 0 },
        { at: '200us', op: 'irq.release', object: 'irq/24' },
      ],
    });
    assert.deepEqual(course(simulation, 100, 300), []);
  });

  it('free_irq waits for the handler that runs before it deactivates', () => {
    const simulation = run({
      devices: [device()],
      workload: [
        { at: '100us', op: 'device.raise', object: `${ENTRY}/0` },
        // The CPU has taken the interrupt at 100.7 us; the handler ends at 102.2.
        { at: 100_800, op: 'irq.free', object: 'irq/24' },
      ],
    });
    const all = events(simulation);
    const exit = all.findIndex((e) => e.kind === 'irq.exit');
    const mask = all.findLastIndex((e) => e.kind === 'irq.mask');
    const zero = all.findIndex((e) => e.kind === 'msg.write' && e.fields.address === '0x0');
    assert.ok(mask < exit && exit < zero, `mask ${mask}, exit ${exit}, all-zero message ${zero}`);
  });

  it('a request while the irq is being freed waits its turn', () => {
    const simulation = run({
      devices: [device()],
      workload: [
        { at: '100us', op: 'irq.free', object: 'irq/24' },
        { at: 100_500, op: 'irq.request', object: 'irq/24' },
        { at: '200us', op: 'device.raise', object: `${ENTRY}/0` },
      ],
    });
    const kinds = course(simulation, 100, 190).filter((k) => /activate |irq.mask/.test(k));
    assert.deepEqual(kinds, [
      ...['irq.mask', 'deactivate PCI-MSIX', 'deactivate VECTOR'],
      ...['activate VECTOR', 'activate PCI-MSIX', 'irq.mask'],
    ]);
    assert.equal(events(simulation).filter((e) => e.kind === 'irq.entry').length, 1);
  });

  it('managed: user space cannot move it, a CPU of its own for each', () => {
    const simulation = run({
      platform: { cpus: 2 },
      devices: [device({ vectors: 3, irqs: 3, managed: true })],
      workload: [{ at: '100us', op: 'irq.affinity', object: 'irq/25', cpus: [1] }],
    });
    const at = (virq: number): unknown[] => {
      const { fields } = events(simulation).findLast((e) => e.kind === 'vec.config' && e.object === `irq/${virq}`)!;
      return [fields.cpu, fields.vector];
    };
    assert.deepEqual(
      [at(25), at(26)],
      [
        [0, 0x20],
        [1, 0x20],
      ],
    );
    const refused = events(simulation).find((e) => e.kind === 'irq.affinity');
    assert.equal(refused?.fields.ret, -1);
  });

  it('when managed vectors cannot be set aside, the driver gets ENOSPC and all is taken back', () => {
    const functions = Array.from({ length: 3 }, (_, i) => ({
      bdf: `0000:0${i + 4}:00.0`,
      name: `dev${i}`,
      vectors: 101,
      managed: true,
    }));
    const simulation = run({ platform: { cpus: 1 }, devices: functions });
    const failed = events(simulation).find((e) => e.kind === 'vec.reserveManaged' && e.fields.ret === -28);
    assert.ok(failed);
    const { matrix } = simulation.setup.use(host).vectors;
    assert.deepEqual([matrix.map(0).managed, matrix.totalAllocated], [200, 202]);
    const last = events(simulation).findLast((e) => e.kind === 'cfg.write');
    assert.deepEqual([last?.object, last?.fields.value], ['device/0000:06:00.0', '0x64'], 'MSI-X is off again');
  });
});
