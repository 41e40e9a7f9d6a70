// Masks of CPUs: how they are written, which CPU a kernel takes of one, and which it refuses. Expected: bitmap_parselist, write_irq_affinity and alloc_descs
// of the kernel for refusals; irq_matrix_alloc (most vectors left, first of several), its_select_cpu (fewest LPIs) and gic_set_affinity (first) for the choice.
import assert from 'node:assert/strict';
import { pathValue } from '../../../src/query/state.ts';
import { argumentValue, expected } from '../../../src/sim/operation.ts';
import { scenarioFromText } from '../../../src/sim/text/sound-scenario.ts';
import { bundled, events, run } from '../run.ts';

const CPUS = { name: 'cpus', type: 'cpus', min: 0, max: 4095, meaning: '' } as const;
const BDF = '0000:03:00.0';

/** A run of a machine whose device has 4 interrupts, irq 24 to 27, the first on the first CPUs. */
const machine = (platform: object, workload: readonly object[]): ReturnType<typeof run> =>
  run({ platform: { cpus: 4, ...platform }, devices: [{ bdf: BDF, name: 'dev', vectors: 4 }], workload });

const move = (at: string, cpus: unknown, irq = 24): object => ({ at, op: 'irq.affinity', object: `irq/${irq}`, cpus });

describe('masks of CPUs', () => {
  it('are one CPU, a list as the kernel writes it, or numbers', () => {
    for (const [given, want] of [
      [2, [2]],
      ['2', [2]],
      ['0-3,8', [0, 1, 2, 3, 8]],
      ['8,0-3,2', [0, 1, 2, 3, 8]],
      [
        [3, 1, 3],
        [1, 3],
      ],
      ['', []],
      [[], []],
    ] as const)
      assert.deepEqual(argumentValue(CPUS, given), want, JSON.stringify(given));
    for (const wrong of ['0-', '3-1', '1;2', 'all', -1, 4096, '0-4096', [1.5], true, ['1']])
      assert.equal(argumentValue(CPUS, wrong), undefined, JSON.stringify(wrong));
    assert.match(expected(CPUS), /0-3,8/);
  });

  it('that are none are told with path and line before a run', () => {
    const text = `{ "title": "t", "description": "d",
  "workload": [
    { "at": 1, "op": "irq.affinity", "object": "irq/24", "cpus": "0-3" },
    { "at": 2, "op": "irq.affinity", "object": "irq/24",
      "cpus": "0-3;8" },
    { "at": 2, "op": "guest.affinity", "object": "guest/0/irq/24", "vcpu": "3-1" },
    { "at": 2, "op": "consumer.move", "consumer": "c", "cpu": "x" },
    { "at": 2, "op": "irq.alloc", "object": "device/${BDF}", "index": 1, "affinity": "1," }
  ] }`;
    const problems = scenarioFromText(text);
    assert.ok(Array.isArray(problems));
    assert.deepEqual(
      problems.map(({ path, line }) => [path, line]),
      [
        ['workload.1.cpus', 5],
        ['workload.2.vcpu', 6],
        ['workload.3.cpu', 7],
        ['workload.4.affinity', 8],
      ],
    );
    assert.match(problems[0]!.problem, /cpus=0-3;8 is no CPU or list of CPUs such as 0-3,8/);
  });

  it('give the online CPU with most vectors left; the first of several', () => {
    const simulation = run(bundled('cpu-masks'));
    const all = events(simulation);
    const at = (us: number, kind: string, object: string): (typeof all)[number] | undefined =>
      all.find((e) => e.kind === kind && e.object === object && Number(e.time) * 1e6 >= us);
    // CPUs 0 to 3 hold one vector each. irq 24 takes the first of the free ones of 2-5,7, irq 25 the one behind it.
    assert.equal(at(230, 'vec.config', 'irq/24')?.fields['cpu'], 4);
    assert.equal(at(280, 'vec.config', 'irq/25')?.fields['cpu'], 5);
    // CPU 6 is offline by then, CPUs 2 and 3 hold one vector each.
    assert.equal(at(700, 'vec.config', 'irq/28')?.fields['cpu'], 2);
    // CPUs 0 and 1 have none left on them (both irqs left, their old vectors are cleaned up), CPU 2 has two.
    assert.equal(at(1450, 'vec.config', 'irq/24')?.fields['cpu'], 0);
    // The guest: virtual CPUs 1 and 2 hold one vector each.
    assert.equal(at(800, 'vec.config', 'guest/0/irq/24')?.fields['cpu'], 3);
  });

  it('without an online CPU, or with one that is not there, end with the errno of the kernel, and nothing moves', () => {
    const simulation = run(bundled('cpu-masks'));
    const refused = events(simulation).filter((e) => Number(e.fields['ret']) < 0);
    assert.deepEqual(
      refused.map((e) => [e.kind, e.object, e.fields['mask'], e.fields['ret']]),
      [
        ['irq.affinity', 'irq/24', '6', -22],
        ['irq.affinity', 'irq/24', '', -22],
        ['irq.affinity', 'irq/24', '0-8', -34],
        ['dom.alloc', 'irq/29', undefined, -22],
        ['irq.affinity', 'guest/0/irq/25', '2-4', -34],
      ],
    );
  });

  it('are in the state with the CPU that was taken; what is refused changes neither', () => {
    const simulation = run(bundled('cpu-masks'));
    const all = events(simulation);
    const held = (us: number): unknown[] => {
      const { step } = all.filter((e) => Number(e.time) * 1e6 <= us).at(-1)!;
      const state = simulation.trace.stateAt(step);
      return ['affinity', 'effectiveAffinity', 'cpu'].map((key) => pathValue(state, `irq/24/${key}`));
    };
    assert.deepEqual(held(150), [null, '0', 0], 'no mask was told of yet');
    // What waits for the next interrupt is what smp_affinity shows; the interrupt is where it was.
    assert.deepEqual(held(200), ['2-5,7', '0', 0]);
    assert.deepEqual(held(250), ['2-5,7', '4', 4]);
    assert.deepEqual(held(610), ['2-5,7', '4', 4]);
    assert.deepEqual(held(2000), ['0-2', '0', 0]);
  });

  it('of an ITS give the CPU with fewest LPIs beside the irq itself, also where it is on one of the mask', () => {
    // irqs 24 to 27 are on CPUs 0 to 3, one each.
    const simulation = machine({ arch: 'arm64', remap: 'its' }, [
      move('1ms', '1-3'),
      move('2ms', '0-1', 25),
      move('3ms', '1,3', 24),
      move('4ms', '2-3', 25),
    ]);
    const moved = events(simulation).filter((e) => e.kind === 'its.movi');
    // 24: all of 1-3 hold one, the first. 25 on CPU 1 beside 24: CPU 0 is empty. 24 on CPU 1 alone there: stays, no command. 25: CPUs 2 and 3 hold one, the first.
    assert.deepEqual(
      moved.map((e) => e.fields['collection']),
      [1, 0, 2],
    );
  });

  it('of a GICv2m frame give the first online CPU', () => {
    const simulation = machine({ arch: 'arm64', remap: 'gicv2m' }, [
      { at: '500us', op: 'cpu.offline', object: 'cpu/1' },
      move('1ms', '1-3'),
    ]);
    const routed = events(simulation).filter((e) => Number(e.time) >= 1e-3 && e.kind === 'gic.route');
    assert.deepEqual(
      routed.map((e) => e.fields['value']),
      ['0x2'],
    );
  });
});
