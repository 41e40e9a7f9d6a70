// The order of acknowledge, end and handler on x86 (kernel/irq/chip.c handle_edge_irq, handle_fasteoi_irq; kernel/irq/migration.c irq_move_irq).
import assert from 'node:assert/strict';
import { events, run } from './run.ts';

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
});
