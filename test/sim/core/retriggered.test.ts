// Vectors that were raised again elsewhere (arch/x86/kernel/apic/vector.c: VECTOR_RETRIGGERED): what still comes there is ignored, until the
// vector belongs to an irq again (apic_update_vector) or its CPU comes online (lapic_online).
import assert from 'node:assert/strict';
import { bundled, events, run } from '../run.ts';

const stray = (at: string, address = '0xfee00000') => ({
  at,
  op: 'device.write',
  object: 'device/0000:03:00.0',
  address,
  data: '0x21',
});

/** What the kernel says of interrupts that no handler takes, with the objects. */
function strays(document: object, settings: Readonly<Record<string, string>> = {}): string[] {
  return events(run(document, { settings }))
    .filter((e) => e.kind === 'drop')
    .map((e) => `${e.object}: ${String(e.fields['reason'])}`);
}

describe('a vector that was raised again elsewhere', () => {
  it('is empty when its CPU comes online again', () => {
    const document = bundled('cpu-offline') as { readonly workload: object[] };
    assert.deepEqual(strays({ ...document, workload: [...document.workload, stray('4500us')] }), [
      'cpu/0/vector/33: no irq handler for vector',
    ]);
  });

  const move = (at: string, irq: number, cpu: number) => ({
    at,
    op: 'irq.affinity',
    object: `irq/${irq}`,
    cpus: [cpu],
  });
  const raise = (at: string, bdf: string) => ({ at, op: 'device.raise', object: `device/${bdf}/msix/0` });
  const [A, B] = ['0000:03:00.0', '0000:04:00.0'] as const;
  const host = {
    platform: { cpus: 2 },
    devices: [
      { bdf: A, name: 'one', vectors: 1 },
      { bdf: B, name: 'two', vectors: 1 },
    ],
  };
  const moved = [move('190us', 24, 1), raise('200us', A)];

  it('is ignored once', () => {
    const workload = [...moved, stray('20ms'), stray('21ms')];
    assert.deepEqual(strays({ ...host, workload }, { affinityStrategy: 'twoStep' }), [
      'cpu/0/vector/33: the vector was raised again elsewhere: ignored here',
      'cpu/0/vector/33: no irq handler for vector',
    ]);
  });

  it('is not marked where an irq has it: the handler of that irq finds nothing to do', () => {
    // On its way from CPU 1 irq 25 goes by vector 33 of CPU 1, which irq 24 has.
    const workload = [
      ...moved,
      move('10ms', 25, 0),
      raise('11ms', B),
      { at: '15ms', op: 'irq.free', object: 'irq/24' },
      stray('20ms', '0xfee01000'),
    ];
    assert.deepEqual(strays({ ...host, workload }, { affinityStrategy: 'twoStep' }), [
      'cpu/1/vector/33: no irq handler for vector',
    ]);
  });

  it('is not ignored any more when an irq had it since', () => {
    const workload = [
      ...moved,
      move('10ms', 25, 0),
      raise('11ms', B),
      { at: '15ms', op: 'irq.free', object: 'irq/25' },
      stray('20ms'),
    ];
    assert.deepEqual(strays({ ...host, workload }, { affinityStrategy: 'twoStep' }), [
      'cpu/0/vector/33: no irq handler for vector',
    ]);
  });
});
