// The bus domain of MSI: one message in config space, no mask bit.
import assert from 'node:assert/strict';
import type { EventView } from '../../src/query/events.ts';
import { pathValue } from '../../src/query/state.ts';
import { events, run, start } from './run.ts';

const FN = '0000:03:00.0';
const MSI = `device/${FN}/msi`;

const document = (workload: readonly object[], more: object = {}): object => ({
  platform: { cpus: 2 },
  devices: [{ bdf: FN, name: 'ahci', vectors: 0, msi: true, ...more }],
  workload: workload.map((task, i) => ({ at: `${100 * (i + 1)}us`, object: `device/${FN}`, ...task })),
});

const ofKind = (all: readonly EventView[], ...kinds: string[]): EventView[] =>
  all.filter((e) => kinds.includes(e.kind));

describe('MSI', () => {
  it('the message in config space is what the function sends; the vector is there from the start', () => {
    const sim = run(document([{ op: 'msi.alloc' }, { op: 'irq.request', object: 'irq/24' }, { op: 'msi.raise' }]));
    const all = events(sim);
    assert.equal(ofKind(all, 'vec.reserve').length, 0);
    const alloc = ofKind(all, 'vec.alloc')[0]!;
    const write = ofKind(all, 'msg.write')[0]!;
    // Destination APIC id in bits 19:12 of the address; a real vector already at the first write, not 0xef.
    assert.equal(Number(write.fields['data']), alloc.fields['vector']);
    assert.equal(write.fields['where'], 'config space');
    // INTx is disabled (Command bit 10) before MSI is enabled. Address at +4, upper address at +8, data at +12 of the capability at 0x50; enable in bit 0 of +2.
    assert.deepEqual(
      ofKind(all, 'cfg.write')
        .slice(0, 5)
        .map((e) => [e.fields['offset'], e.fields['value']]),
      [
        ['0x54', write.fields['address']],
        ['0x58', '0x0'],
        ['0x5c', write.fields['data']],
        ['0x4', '0x406'],
        ['0x52', '0x81'],
      ],
    );
    const sent = ofKind(all, 'send')[0]!;
    assert.deepEqual(
      [sent.object, sent.fields['address'], sent.fields['data']],
      [MSI, write.fields['address'], write.fields['data']],
    );
    assert.equal(ofKind(all, 'irq.entry')[0]?.object, 'irq/24');
    assert.equal(pathValue(sim.machine.state, `${MSI}/sends`), 1);
  });

  it('a cause while MSI is off is lost, and the trace says so', () => {
    const sim = run(document([{ op: 'msi.raise' }]));
    const drop = ofKind(events(sim), 'drop')[0]!;
    assert.deepEqual([drop.object, drop.fields['reason']], [MSI, 'MSI is not enabled']);
    assert.equal(sim.machine.ledger.tally().dropped, 1);
  });

  it('after free_irq the function still sends, to address 0', () => {
    const sim = run(
      document([
        { op: 'msi.alloc' },
        { op: 'irq.request', object: 'irq/24' },
        { op: 'irq.free', object: 'irq/24' },
        { op: 'msi.raise' },
      ]),
    );
    const all = events(sim);
    assert.equal(ofKind(all, 'send')[0]?.fields['address'], '0x0');
    assert.match(String(ofKind(all, 'drop')[0]?.fields['reason']), /address 0/);
    assert.deepEqual(sim.machine.ledger.twice, []);
  });

  it('is not set up while MSI-X is enabled, nor without the capability', () => {
    const both = run(document([{ op: 'msi.alloc' }], { vectors: 1 }));
    assert.equal(
      ofKind(events(both), 'irq.identify').filter((e) => String(e.fields['domain']).startsWith('PCI-MSI-')).length,
      0,
    );
    const refused = ofKind(events(both), 'dom.create').find((e) => e.object === `domain/PCI-MSI-${FN}`);
    // EINVAL is 22.
    assert.equal(refused?.fields['ret'], -22);
    assert.equal(pathValue(both.machine.state, `${MSI}/enable`), false);
    const none = start(document([], { msi: false }));
    assert.match(none.perform({ op: 'msi.alloc', object: `device/${FN}` }) ?? '', /no MSI capability/);
  });
});
