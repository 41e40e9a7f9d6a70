// INTx of a physical function: drivers/vfio/pci/vfio_pci_intrs.c vfio_intx_handler, vfio_pci_intx_unmask_handler; virt/kvm/eventfd.c irqfd_resampler_ack.
import assert from 'node:assert/strict';
import type { EventView } from '../../../src/query/events.ts';
import { pathValue } from '../../../src/query/state.ts';
import { events, run } from '../run.ts';

const FN = '0000:6a:01.0';
const DEVICE = `vfio/${FN}`;
const raise = (at: string): object => ({ at, op: 'intx.raise', object: `device/${FN}` });
const scenario = (workload: readonly object[], vfio: object = {}): object => ({
  platform: { cpus: 1 },
  devices: [{ bdf: FN, name: 'uart', vectors: 0, intx: true, driver: 'none' }],
  vms: [{ id: 0, vcpus: 1 }],
  vfio: [{ name: FN, vectors: 0, vm: 0, guest: '0000:00:06.0', ...vfio }],
  workload,
});
/** What happens from the wire to the wire, in short words. */
const story = (all: readonly EventView[]): string[] =>
  all.flatMap((e) => {
    const { fields: f } = e;
    if (e.kind === 'dev.intx') return [`pin ${f['level'] ? 1 : 0}`];
    if (e.kind === 'irq.entry') return [e.object.startsWith('guest/') ? 'guest handler' : String(f['name'])];
    // Interrupt Disable is bit 10 of Command.
    if (e.kind === 'cfg.write' && e.object === `device/${FN}` && f['offset'] === '0x4')
      return [`DisINTx ${(Number(f['value']) >> 10) & 1}`];
    if (e.kind === 'vfio.mask') return [`${f['masked'] ? 'mask' : 'unmask'} ${String(f['by'])}`];
    if (e.kind === 'vfio.fire') return ['fire'];
    if (e.kind === 'kvm.line') return [`line ${f['level'] ? 1 : 0}`];
    if (e.kind === 'kvm.ack') return ['ack'];
    return [];
  });
const from = (all: readonly EventView[], time: number): EventView[] => all.filter((e) => Number(e.time) >= time);

describe('VFIO: INTx of a physical function', () => {
  it('wire, handler, automask by Interrupt Disable, irqfd, guest, EOI, resample, unmask: each once and in this order', () => {
    const sim = run(scenario([raise('1ms')]));
    assert.deepEqual(story(from(events(sim), 1e-3)), [
      'pin 1',
      `vfio-intx(${FN})`,
      'DisINTx 1',
      'pin 0',
      'mask automask',
      'fire',
      'line 1',
      'guest handler',
      'ack',
      'line 0',
      'unmask resample',
      'DisINTx 0',
    ]);
    const { delivered } = sim.machine.ledger.tally();
    assert.deepEqual([sim.machine.ledger.causes, delivered], [1, 1]);
    // The I/O APIC of the host has ended it as well, and nothing is masked.
    assert.equal(pathValue(sim.trace.head, `${DEVICE}/0/0/masked`), false);
    assert.equal(events(sim).filter((e) => e.kind === 'ioapic.eoi').length, 1);
  });

  it('still asserted when the guest is done: it stays masked and the eventfd is signalled again, without an interrupt of the host', () => {
    const first = events(run(scenario([raise('1ms')])));
    const served = first.find((e) => e.kind === 'irq.exit' && e.object.startsWith('guest/'))!;
    const between = Math.round(Number(served.time) * 1e9) - 200;
    const sim = run(scenario([raise('1ms'), raise(`${between}ns`)]));
    const told = story(from(events(sim), 1e-3));
    assert.equal(told.filter((word) => word.startsWith('vfio-intx')).length, 1);
    assert.equal(told.filter((word) => word === 'fire').length, 2);
    assert.equal(told.filter((word) => word === 'mask automask').length, 1);
    assert.equal(told.filter((word) => word === 'guest handler').length, 2);
    assert.deepEqual(told.slice(-2), ['unmask resample', 'DisINTx 0']);
    assert.equal(sim.machine.ledger.tally().delivered, 2);
  });

  it('nobody resamples: what comes behind the first interrupt waits at the function, the wire is quiet', () => {
    const sim = run({
      ...scenario([], { driver: 'none' }),
      workload: [
        { at: '100us', op: 'vfio.setIrqs', object: DEVICE, flags: 0x24, index: 0, fds: [300] },
        raise('200us'),
        raise('300us'),
        { at: '500us', op: 'vfio.setIrqs', object: DEVICE, flags: 0x11, index: 0 },
      ],
    });
    const told = story(from(events(sim), 200e-6));
    assert.equal(told.filter((word) => word.startsWith('vfio-intx')).length, 1);
    // UNMASK by ioctl while the cause waits: told again, masked as before.
    assert.deepEqual(told.slice(-1), ['fire']);
    assert.equal(pathValue(sim.trace.head, `${DEVICE}/0/0/masked`), true);
  });

  it('the index goes off: the irq of the wire is freed, what comes waits; on again it is told', () => {
    const set = (at: string, fds: number[]): object => ({
      at,
      op: 'vfio.setIrqs',
      object: DEVICE,
      flags: 0x24,
      index: 0,
      fds,
    });
    const sim = run({
      ...scenario([], { driver: 'none' }),
      workload: [
        set('100us', [300]),
        { at: '200us', op: 'vfio.setIrqs', object: DEVICE, flags: 0x21, index: 0, count: 0 },
        raise('300us'),
        set('400us', [310]),
      ],
    });
    const rets = events(sim).flatMap((e) => (e.kind === 'vfio.return' ? [e.fields['ret']] : []));
    assert.deepEqual(rets, [0, 0, 0]);
    assert.deepEqual(
      story(from(events(sim), 300e-6)).filter((w) => w === 'fire' || w.startsWith('vfio-intx')),
      [`vfio-intx(${FN})`, 'fire'],
    );
  });
});
