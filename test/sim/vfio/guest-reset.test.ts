// A guest resets an assigned function. Expected: drivers/pci/pci.c pci_reset_function and pcie_flr (100 ms), drivers/pci/msi/msi.c __pci_restore_msix_state,
// drivers/vfio/pci/vfio_pci_config.c vfio_exp_config_write.
import assert from 'node:assert/strict';
import type { EventView } from '../../../src/query/events.ts';
import { bundled, events, run } from '../run.ts';

const GUEST = 'device/0000:00:05.0';
const HOST = 'device/0000:6a:01.0';
const ms = (e: EventView): number => Number(e.time) * 1e3;

describe('a guest resets its function', () => {
  const simulation = run(bundled('guest-flr'));
  const all = events(simulation);
  const of = (kind: string, object?: string): EventView[] =>
    all.filter((e) => e.kind === kind && (object === undefined || e.object === object) && ms(e) >= 1);

  it('VFIO resets the function, waits, and writes the messages of the host again behind the function mask', () => {
    const [reset] = of('dev.reset');
    assert.equal(of('dev.reset').length, 1);
    assert.equal(reset!.object, HOST);
    // Bit 15 of Device Control, 8 bytes into the capability at 0x90: first by the guest, then by VFIO.
    assert.deepEqual(
      all
        .filter((e) => e.kind === 'cfg.write' && e.fields['offset'] === '0x98')
        .map((e) => [e.object, e.fields['value']]),
      [
        [GUEST, '0x8000'],
        [HOST, '0x8000'],
      ],
    );
    const behind = all.filter((e) => e.object.startsWith(HOST) && e.step > reset!.step && ms(e) > 100 && ms(e) < 102);
    assert.deepEqual(
      behind.map((e) => `${e.object.slice(HOST.length)} ${String(e.fields['offset'])}=${String(e.fields['value'])}`),
      [
        // Command as the guest left it: INTx disabled, memory and bus master off. Then MSI-X enabled and masked, memory on.
        ...[' 0x4=0x400', ' 0x62=0xc001', ' 0x4=0x402'],
        ...['/msix/0 0x0=0xfee00000', '/msix/0 0x4=0x0', '/msix/0 0x8=0x20', '/msix/0 0xc=0x0'],
        ...['/msix/1 0x0=0xfee01000', '/msix/1 0x4=0x0', '/msix/1 0x8=0x20', '/msix/1 0xc=0x0'],
        ...[' 0x4=0x400', ' 0x62=0x8001'],
      ],
    );
    assert.ok(ms(behind[0]!) - ms(reset!) >= 100, 'pcie_flr waits 100 ms');
  });

  it('the guest is out of its virtual CPU for the reset, and the interrupts of the host stay requested meanwhile', () => {
    const [reset] = of('dev.reset');
    const entry = of('kvm.entry').find((e) => e.step > reset!.step)!;
    assert.ok(ms(entry) > 101 && ms(entry) < 102);
    assert.equal(all.filter((e) => ms(e) > 1 && ms(e) < 200 && e.kind === 'vfio.set').length, 0);
  });

  it('the guest writes its table again: all vectors are released and used again', () => {
    assert.deepEqual(
      of('vfio.use').map((e) => [e.object, e.fields['used']]),
      [
        ['vfio/0000:6a:01.0/2/0', false],
        ['vfio/0000:6a:01.0/2/1', false],
        ['vfio/0000:6a:01.0/2/0', true],
        ['vfio/0000:6a:01.0/2/1', true],
      ],
    );
    const written = of('tbl.write').filter((e) => e.object.startsWith(GUEST));
    assert.deepEqual(
      written.map((e) => e.fields['offset']),
      ['0x0', '0x4', '0x8', '0xc', '0x0', '0x4', '0x8', '0xc'],
    );
    const controls = of('cfg.write', GUEST).filter((e) => e.fields['offset'] === '0x62');
    assert.deepEqual(
      controls.map((e) => e.fields['value']),
      ['0xc001', '0x8001'],
    );
  });

  it('causes are lost while MSI-X or Bus Master is off, wait while the guest has the function mask set, and come again behind that', () => {
    assert.deepEqual(
      of('drop').map((e) => [Math.round(ms(e)), e.fields['reason']]),
      [
        [50, 'MSI-X is not enabled'],
        [150, 'Bus Master Enable is 0: the function must not send'],
      ],
    );
    assert.deepEqual(
      of('vfio.pba').map((e) => e.fields['trapped']),
      [true, false],
    );
    const handled = all.filter((e) => e.kind === 'irq.entry' && e.object.startsWith('guest/'));
    assert.deepEqual(
      handled.map((e) => [e.object, Math.floor(ms(e))]),
      [
        ['guest/0/irq/25', 0],
        ['guest/0/irq/25', 201],
        ['guest/0/irq/24', 210],
      ],
    );
    const { delivered, dropped, pending, inFlight } = simulation.machine.ledger.tally();
    assert.deepEqual({ delivered, dropped, pending, inFlight }, { delivered: 3, dropped: 2, pending: 0, inFlight: 0 });
  });

  it('is refused where the function cannot be reset, and where no guest has it', () => {
    const refused = (document: object, object: string): unknown[] =>
      events(run({ ...document, workload: [{ at: '1ms', op: 'guest.flr', object }] }))
        .filter((e) => e.kind === 'illegal')
        .map((e) => e.fields['text']);
    const devices = [{ bdf: '0000:6a:01.0', name: 'nic', vectors: 2, driver: 'none' }];
    assert.deepEqual(refused({ ...bundled('guest-flr'), devices }, GUEST), [
      'guest.flr: 0000:6a:01.0 has no function level reset (key flr)',
    ]);
    assert.deepEqual(refused(bundled('guest-flr'), HOST), [
      'guest.flr: no guest has an assigned function 0000:6a:01.0 with MSI-X',
    ]);
  });
});
