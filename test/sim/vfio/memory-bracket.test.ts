// vfio_pci_memory_lock_and_enable, vfio_pci_memory_unlock_and_restore: drivers/vfio/pci/vfio_pci_core.c.
import assert from 'node:assert/strict';
import type { EventView } from '../../../src/query/events.ts';
import { events, run } from '../run.ts';

const FN = '0000:6a:01.0';
const DEVICE = `vfio/${FN}`;
const enable = { op: 'vfio.setIrqs', flags: 0x24, index: 2, start: 0, count: 2, fds: [300, 301] };
const scenario = (workload: readonly object[]): object => ({
  platform: { cpus: 1 },
  devices: [{ bdf: FN, name: 'nic', vectors: 4, driver: 'none' }],
  vfio: [{ name: FN, vectors: 4 }],
  workload: workload.map((task, i) => ({ at: `${100 * (i + 1)}us`, object: DEVICE, ...task })),
});
/** Accesses of the Command register and of the table, as letters: r and w with its memory bit, t a write of the table. */
const order = (all: readonly EventView[]): string =>
  all
    .flatMap((e) => {
      if (e.kind === 'tbl.write') return ['t'];
      if ((e.kind !== 'cfg.write' && e.kind !== 'cfg.read') || e.fields['offset'] !== '0x4') return [];
      return [(e.kind === 'cfg.write' ? 'w' : 'r') + (Number(e.fields['value']) & 2 ? '1' : '0')];
    })
    .join(' ')
    .replace(/(t )+/g, 't ');

describe('VFIO: memory is decoded while the table is written', () => {
  it('a guest that turned memory off: set before the writes, written back as it was behind them; no write hits a dead table', () => {
    const off = { op: 'config.write', object: `device/${FN}`, offset: 4, size: 2, value: 4 };
    const sim = run(scenario([off, enable]));
    const all = events(sim).filter((e) => Number(e.time) >= 200e-6);
    // Enable of the index, then each vector: read, set, table, write back. MSI-X disables INTx by one more write of Command.
    assert.equal(order(all), 'r0 w1 t w1 w0 r0 w1 t w0 r0 w1 t w0');
    assert.ok(!all.some((e) => e.kind === 'illegal'));
    assert.equal(
      Number(all.filter((e) => e.kind === 'cfg.write' && e.fields['offset'] === '0x4').at(-1)!.fields['value']),
      4,
    );
  });

  it('memory on: the register is read and written back all the same', () => {
    const all = events(run(scenario([enable]))).filter((e) => Number(e.time) >= 100e-6);
    assert.equal(order(all), 'r1 t w1 w1 r1 t w1 r1 t w1');
  });

  it('after a reset the message reaches the table although the Command register was cleared', () => {
    const sim = run(
      scenario([enable, { op: 'device.reset', object: `device/${FN}` }, { ...enable, count: 1, fds: [310] }]),
    );
    const all = events(sim).filter((e) => Number(e.time) >= 300e-6);
    // free_irq is one bracket, rewrite and request_irq another.
    assert.equal(order(all), 'r0 w1 t w0 r0 w1 t w0');
    assert.ok(!all.some((e) => e.kind === 'illegal' && e.fields['rule'] === 'memory-disabled'));
  });

  it('two callers at once: the brackets do not lie inside one another', () => {
    const off = { op: 'config.write', object: `device/${FN}`, offset: 4, size: 2, value: 0 };
    const one = (fd: number, start: number) => ({ ...enable, start, count: 1, fds: [fd] });
    const sim = run({
      ...scenario([enable, off]),
      workload: [
        { at: '100us', object: DEVICE, ...enable },
        { at: '200us', ...off },
        { at: '300us', object: DEVICE, ...one(310, 0) },
        { at: '300100ns', object: DEVICE, ...one(311, 1) },
      ],
    });
    const all = events(sim).filter((e) => Number(e.time) >= 300e-6);
    assert.match(order(all), /^(r0 w1 t w0 ?)+$/);
    assert.ok(!all.some((e) => e.kind === 'illegal'));
  });
});
