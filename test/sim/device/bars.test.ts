// BARs of one bus, what lies in them, and the INTx pin beside messages.
import assert from 'node:assert/strict';
import { pathValue } from '../../../src/query/state.ts';
import { events, run } from '../run.ts';

const NET = '0000:03:00.0';
const DISK = '0000:04:00.0';
const texts = (all: ReturnType<typeof events>): unknown[] =>
  all.filter((e) => e.kind === 'message').map((e) => e.fields['text']);

describe('simulator: BARs', () => {
  it('a BAR in which another one answers is refused: not mapped, memory decode off, and its driver does not start', () => {
    const sim = run({
      devices: [
        { bdf: NET, name: 'net', vectors: 1, bar: '0xfd000000' },
        // Half of it lies in the 64 KiB of the first.
        { bdf: DISK, name: 'disk', vectors: 1, bar: '0xfd008000' },
      ],
      workload: [{ at: '200us', op: 'entry.read', object: `device/${DISK}/msix/0` }],
    });
    const all = events(sim);
    assert.deepEqual(
      all.filter((e) => e.kind === 'bar.map').map((e) => e.object),
      [`device/${NET}`],
    );
    // The words of drivers/pci/setup-res.c.
    assert.deepEqual(texts(all), [
      `pci ${DISK}: BAR 0 [mem 0xfd008000-0xfd017fff]: can't claim; address conflict with ${NET} [mem 0xfd000000-0xfd00ffff]`,
      `disk ${DISK}: can't enable device: BAR 0 [mem 0xfd008000-0xfd017fff]: not claimed`,
    ]);
    assert.equal(pathValue(sim.trace.head, `device/${DISK}/command.memory`), false);
    assert.deepEqual(
      all.filter((e) => e.kind === 'illegal').map((e) => [e.object, e.fields['rule']]),
      [[`device/${DISK}/msix/0`, 'memory-disabled']],
    );
    assert.equal(all.filter((e) => e.kind === 'vec.setup').length, 1, 'only the driver of the first');
  });

  it('BARs side by side are mapped', () => {
    const devices = ['0xfd000000', '0xfd010000'].map((bar, i) => ({
      bdf: `0000:0${i}:00.0`,
      name: 'net',
      vectors: 1,
      bar,
    }));
    const all = events(run({ devices }));
    assert.equal(all.filter((e) => e.kind === 'bar.map').length, 2);
    assert.deepEqual(texts(all), []);
  });

  it('a guest does not move a BAR to where another function answers; it may move it elsewhere, and over where it was', () => {
    const device = (i: number) => ({ bdf: `0000:00:0${i}.0`, name: 'virtio', vectors: 1 });
    const move = (at: string, address: string) => ({ at, op: 'guest.bar', object: 'device/0000:00:04.0', address });
    const sim = run({
      vms: [{ id: 0, vcpus: 1, devices: [device(4), device(5)] }],
      workload: [move('1ms', '0xc0010000'), move('2ms', '0xc0008000'), move('3ms', '0xc4000000')],
    });
    const all = events(sim);
    const said = texts(all);
    assert.equal(said.length, 2, 'the second address reaches into the BAR of the other function as well');
    assert.match(String(said[0]), /^pci 0000:00:04\.0: BAR 1 .*address conflict with 0000:00:05\.0/);
    assert.equal(pathValue(sim.trace.head, 'device/0000:00:04.0/bar/1/address'), '0xc4000000');
  });

  it('a PBA inside the vector table, or behind the end of the BAR, is told', () => {
    const lint = (pba: string, vectors = 64): unknown[] =>
      events(run({ devices: [{ bdf: NET, name: 'net', vectors, pba, driver: 'none' }] }))
        .filter((e) => e.kind === 'layout.lint')
        .map((e) => e.fields['rule']);
    // 64 entries of 16 bytes end at 0x400.
    assert.deepEqual(lint('0x3f8'), ['overlap', 'align']);
    assert.deepEqual(lint('0x1000'), []);
    assert.deepEqual(lint('0xfff8', 65), ['outside', 'align']);
  });
});

describe('simulator: INTx beside messages', () => {
  const command = (all: ReturnType<typeof events>): unknown[] =>
    all
      .filter((e) => e.kind === 'cfg.write' && (e.fields['offset'] === '0x4' || e.fields['offset'] === '0x62'))
      .map((e) => e.fields['value']);

  it('is disabled when MSI-X is enabled, and allowed again when it is disabled', () => {
    // Bit 10 of Command. One entry of the remapping table serves one vector; the second fails, and all is given back.
    const short = run({
      platform: { cpus: 2, remap: 'vtd', remapEntries: 2 },
      devices: [
        { bdf: NET, name: 'net', vectors: 2 },
        { bdf: DISK, name: 'disk', vectors: 1 },
      ],
    });
    assert.deepEqual(command(events(short)), ['0xc001', '0x406', '0x8001', '0xc000', '0x0']);
    const vfio = run({
      devices: [{ bdf: NET, name: 'net', vectors: 1, driver: 'none' }],
      vfio: [{ name: NET, vectors: 1 }],
      workload: [
        { at: '100us', op: 'vfio.setIrqs', object: `vfio/${NET}`, flags: '0x24', index: 2, start: 0, fds: [-1] },
        { at: '200us', op: 'vfio.setIrqs', object: `vfio/${NET}`, flags: '0x21', index: 2, start: 0, count: 0 },
      ],
    });
    // VFIO writes Command back as it was before (vfio_pci_memory_unlock_and_restore), with the bit that the kernel has set meanwhile.
    assert.deepEqual(command(events(vfio)), ['0xc000', '0x406', '0x8000', '0x6', '0x0', '0x6']);
  });

  it('stays allowed for functions whose messages stop without it', () => {
    const all = events(run({ devices: [{ bdf: NET, name: 'net', vectors: 1, intx: true }] }));
    assert.deepEqual(command(all), ['0xc000', '0x8000']);
  });
});
