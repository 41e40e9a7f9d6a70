// The MSI capability inside a guest, with several vectors. Expected: VT-d 5.1.5.2 (handle, SHV, subhandle), drivers/pci/msi/msi.c msi_capability_init and
// pci_msi_shutdown, hw/vfio/pci.c vfio_msi_enable.
import assert from 'node:assert/strict';
import type { EventView } from '../../../src/query/events.ts';
import { bundled, events, run } from '../run.ts';

const GUEST = 'device/0000:00:05.0';
const HOST = 'device/0000:6a:01.0';
const us = (e: EventView): number => Number(e.time) * 1e6;
const of = (all: readonly EventView[], kind: string, object?: string): EventView[] =>
  all.filter((e) => e.kind === kind && (object === undefined || e.object === object));

describe('MSI inside a guest', () => {
  const simulation = run(bundled('guest-msi'));
  const all = events(simulation);

  it('has one message with SHV for all vectors, of the guest and of the host, each with the handle of its own table', () => {
    for (const [object, first] of [
      [GUEST, 0],
      [HOST, 24],
    ] as const) {
      // Format 1 (bit 4), SHV (bit 3), handle in bits 19:5; the data is the subhandle, 0 for the first.
      const address = `0x${(0xfee00018 + first * 32).toString(16)}`;
      const written = of(all, 'cfg.write', object).filter((e) => us(e) < 700);
      assert.ok(written.some((e) => e.fields['offset'] === '0x74' && e.fields['value'] === address));
      // Message Control: enable, 4 messages asked for and granted (2 in 3:1 and 6:4), 64-bit address, mask bits.
      assert.equal(written.find((e) => e.fields['offset'] === '0x72')?.fields['value'], '0x1a5');
    }
    assert.deepEqual(
      of(all, 'send', `${HOST}/msi`)
        .map((e) => [e.fields['address'], e.fields['data']])
        .slice(0, 4),
      [0, 1, 2, 3].map((sub) => ['0xfee00318', `0x${sub}`]),
    );
    assert.deepEqual(
      of(all, 'ir.remap')
        .map((e) => e.object)
        .slice(0, 4),
      [24, 25, 26, 27].map((index) => `irte/dmar0/${index}`),
    );
  });

  it('routes each vector on its own, through the entries of the guest', () => {
    const routes = of(all, 'route.set').slice(0, 4);
    assert.deepEqual(
      routes.map((e) => [e.object, e.fields['vector']]),
      [0, 1, 2, 3].map((vector) => [`kvm/0/route/${24 + vector}`, vector]),
    );
    // Virtual CPUs in turn; vectors from 0x21 on of each.
    assert.deepEqual(
      routes.map((e) => [e.fields['address'], e.fields['data']]),
      [
        ['0xfee00000', '0x21'],
        ['0xfee01000', '0x21'],
        ['0xfee00000', '0x22'],
        ['0xfee01000', '0x22'],
      ],
    );
    assert.deepEqual(
      of(all, 'vfio.return').map((e) => [e.fields['index'], e.fields['count'], e.fields['ret']]),
      [
        [1, 4, 0],
        [1, 0, 0],
      ],
    );
    const handled = of(all, 'irq.entry').filter((e) => e.object.startsWith('guest/') && us(e) < 390);
    assert.deepEqual(
      handled.map((e) => e.object),
      [24, 25, 26, 27].map((virq) => `guest/0/irq/${virq}`),
    );
  });

  it('masks all vectors before it is enabled, and each mask bit is passed on to the function', () => {
    const masks = of(all, 'cfg.write', GUEST).filter((e) => e.fields['offset'] === '0x80' && us(e) < 300);
    assert.deepEqual(
      masks.map((e) => e.fields['value']),
      ['0xf', '0xe', '0xc', '0x8', '0x0'],
    );
    const passed = of(all, 'cfg.write', HOST).filter((e) => e.fields['offset'] === '0x80' && e.task === 'vmm/vm0');
    assert.deepEqual(passed.map((e) => e.fields['value']).slice(0, 7), [
      '0xf',
      '0xe',
      '0xc',
      '0x8',
      '0x0',
      '0x4',
      '0x0',
    ]);
  });

  it('keeps the interrupt of a masked vector pending until it is unmasked', () => {
    const between = all.filter((e) => us(e) >= 420 && us(e) < 500);
    assert.deepEqual([of(between, 'dev.raise').length, of(between, 'send').length], [1, 0]);
    const [sent] = of(all, 'send').filter((e) => us(e) > 500);
    assert.ok(us(sent!) < 510);
    assert.deepEqual([sent!.object, sent!.fields['data']], [`${HOST}/msi`, '0x2']);
  });

  it('moves by its entry: the message stays, the route is set again', () => {
    const between = all.filter((e) => us(e) >= 600 && us(e) < 640);
    assert.equal(of(between, 'msg.write').length, 0);
    assert.deepEqual(
      of(between, 'route.set').map((e) => [e.object, e.fields['address']]),
      [['kvm/0/route/25', '0xfee00000']],
    );
    assert.ok(of(all, 'irq.entry', 'guest/0/irq/25').some((e) => us(e) > 650));
  });

  it('ends: what comes then is lost, each cause has one fate', () => {
    assert.deepEqual(
      of(all, 'drop').map((e) => e.fields['reason']),
      ['MSI is not enabled'],
    );
    const { delivered, dropped, inFlight, pending } = simulation.machine.ledger.tally();
    assert.deepEqual({ delivered, dropped, inFlight, pending }, { delivered: 6, dropped: 1, inFlight: 0, pending: 0 });
  });

  it('is one vector in a guest without remapping; the message names virtual CPU and vector', () => {
    const plain = events(run(bundled('guest-msi'), { settings: { viommu: 'none' } }));
    assert.deepEqual(
      of(plain, 'route.set')
        .slice(0, 1)
        .map((e) => [e.fields['address'], e.fields['data']]),
      [['0xfee00000', '0x21']],
    );
    assert.deepEqual(of(plain, 'vfio.return')[0]?.fields['count'], 1);
    const control = of(plain, 'cfg.write', GUEST).find((e) => e.fields['offset'] === '0x72');
    assert.equal(control?.fields['value'], '0x185');
  });

  it('is refused with the errno where there is none, or where it is on', () => {
    const system = {
      ...bundled('guest-msi'),
      vms: [{ vcpus: 2, devices: [{ bdf: '0000:00:06.0', name: 'net' }] }],
      workload: [
        { at: '1ms', op: 'guest.enableMsi', object: 'device/0000:00:06.0', count: 2 },
        { at: '2ms', op: 'guest.enableMsi', object: GUEST, count: 2 },
        { at: '3ms', op: 'guest.disableMsi', object: 'device/0000:00:06.0' },
      ],
    };
    assert.deepEqual(
      of(events(run(system)), 'illegal').map((e) => e.fields['text']),
      [
        'pci_alloc_irq_vectors: -19: there is no MSI capability',
        'pci_alloc_irq_vectors: -22: MSI is on already',
        'guest.disableMsi: MSI is not on',
      ],
    );
  });
});
