// VFIO_PCI_MSI_IRQ_INDEX: drivers/vfio/pci/vfio_pci_intrs.c, drivers/pci/msi/msi.c; the retry is hw/vfio/pci.c vfio_msi_enable.
import assert from 'node:assert/strict';
import { pathValue } from '../../../src/query/state.ts';
import { events, run } from '../run.ts';

const FN = '0000:6a:01.0';
const DEVICE = `vfio/${FN}`;
const MSI = `device/${FN}/msi`;
const ENOSPC = -28;
const EINVAL = -22;

const system = (workload: readonly object[], platform: object, vfio: object = {}, more: object = {}): object => ({
  platform: { cpus: 2, ...platform },
  devices: [{ bdf: FN, name: 'nic', vectors: 4, msi: true, msiVectors: 8, driver: 'none' }],
  vfio: [{ name: FN, vectors: 4, ...vfio }],
  workload: workload.map((task, i) => ({ at: `${100 * (i + 1)}us`, object: DEVICE, ...task })),
  ...more,
});
const calls = (sim: ReturnType<typeof run>): [unknown, unknown][] =>
  events(sim)
    .filter((e) => e.kind === 'vfio.return')
    .map((e) => [e.fields['count'], e.fields['ret']]);

describe('VFIO: the MSI index', () => {
  for (const remap of ['vtd', 'amd'])
    for (const [count, size] of [
      [1, 1],
      [2, 2],
      [3, 4],
      [8, 8],
    ] as const)
      it(`${count} vectors with remapping (${remap}): one message, neighbouring entries, the number in the low bits of the data`, () => {
        const sim = run(
          system(
            [
              { op: 'vfio.enableMsi', count },
              ...Array.from({ length: count }, (_, v) => ({ op: 'vfio.raise', object: `${DEVICE}/1/${v}` })),
            ],
            { remap },
          ),
        );
        assert.deepEqual(calls(sim), [[count, 0]]);
        const all = events(sim);
        // Only the first of the block has a message: at activation with a reserved vector, and at request_irq(). MME (bits 6:4 of the control word) is log2 of the block.
        const written = all.filter((e) => e.kind === 'msg.write');
        assert.deepEqual(new Set(written.map((e) => `${e.object} ${e.fields['address']} ${e.fields['data']}`)).size, 1);
        const control = all.filter((e) => e.kind === 'cfg.write' && e.fields['offset'] === '0x52').at(-1)!;
        assert.equal((Number(control.fields['value']) >> 4) & 7, Math.log2(size));
        const message = all.find((e) => e.kind === 'msg.write')!;
        const sent = all.filter((e) => e.kind === 'send');
        assert.deepEqual(
          sent.map((e) => [e.object, e.fields['address'], Number(e.fields['data'])]),
          Array.from({ length: count }, (_, v) => [MSI, message.fields['address'], Number(message.fields['data']) + v]),
        );
        // VT-d: subhandle valid (bit 3) and the subhandle in the data; AMD: the index itself is the data.
        const used = all.filter((e) => e.kind === 'ir.remap').map((e) => Number(e.object.split('/').at(-1)));
        assert.deepEqual(
          used,
          Array.from({ length: count }, (_, v) => used[0]! + v),
        );
        assert.equal(used[0]! % size, 0);
        if (remap === 'vtd') assert.equal(Number(message.fields['address']) & 8, 8);
        // Every vector reaches its own irq and its own eventfd.
        assert.deepEqual(
          all.filter((e) => e.kind === 'vfio.fire').map((e) => e.object),
          Array.from({ length: count }, (_, v) => `${DEVICE}/1/${v}`),
        );
        assert.deepEqual(
          all.filter((e) => e.kind === 'irq.entry').map((e) => e.fields['name']),
          Array.from({ length: count }, (_, v) => `vfio-msi[${v}](${FN})`),
        );
      });

  for (const count of [2, 3])
    it(`${count} vectors without remapping: the call answers 1 and nothing is on; QEMU asks again for 1`, () => {
      const sim = run(system([{ op: 'vfio.enableMsi', count }], {}));
      assert.deepEqual(calls(sim), [
        [count, 1],
        [1, 0],
      ]);
      assert.equal(pathValue(sim.trace.head, `${DEVICE}/msi`), true);
      assert.notEqual(pathValue(sim.trace.head, `${DEVICE}/1/0/eventfd`), null);
      assert.equal(pathValue(sim.trace.head, `${DEVICE}/1/1/eventfd`) ?? null, null);
    });

  it('a platform that grants fewer fails the block: the answer is 1', () => {
    const sim = run(system([{ op: 'vfio.enableMsi', count: 3 }], { remap: 'vtd' }, { grant: 2 }));
    assert.deepEqual(calls(sim), [
      [3, 1],
      [1, 0],
    ]);
  });

  it('-ENOSPC behind a positive answer: the vector that was possible is gone, QEMU gives up, nothing is on', () => {
    // One CPU with two vectors for devices: a block of two fails as long as one is taken, a single one is possible.
    const other = '0000:6b:00.0';
    const workload = (at: string) => [
      { at: '100us', op: 'msi.alloc', object: `device/${other}` },
      { at: '200us', op: 'vfio.enableMsi', object: DEVICE, count: 2 },
      { at, op: 'msi.alloc', object: 'device/0000:6c:00.0' },
    ];
    const scenario = (at: string): object => ({
      platform: { cpus: 1, remap: 'vtd', vectors: 2 },
      devices: [
        { bdf: FN, name: 'nic', vectors: 0, msi: true, msiVectors: 2, driver: 'none' },
        ...[other, '0000:6c:00.0'].map((bdf) => ({ bdf, name: 'hba', vectors: 0, msi: true, driver: 'none' })),
      ],
      vfio: [{ name: FN, vectors: 0 }],
      workload: workload(at),
    });
    const first = events(run(scenario('900us'))).find((e) => e.kind === 'vfio.return')!;
    assert.equal(first.fields['ret'], 1);
    const sim = run(scenario(`${Math.round(Number(first.time) * 1e9)}`.concat('ns')));
    assert.deepEqual(calls(sim), [
      [2, 1],
      [1, ENOSPC],
    ]);
    assert.equal(pathValue(sim.trace.head, `${MSI}/enable`), false);
    assert.equal(pathValue(sim.trace.head, `${DEVICE}/1/0/eventfd`) ?? null, null);
  });

  it('no vector at all: the errno at once', () => {
    const sim = run(system([{ op: 'vfio.enableMsi', count: 2 }], { remap: 'vtd' }, { grant: 0 }));
    assert.deepEqual(calls(sim), [[2, ENOSPC]]);
  });

  it('more than the capability has is -EINVAL; while MSI is on, MSI-X is -EINVAL and no vector can be added', () => {
    const trigger = { op: 'vfio.setIrqs', flags: 0x24, count: 1, fds: [300] };
    const sim = run(
      system(
        [
          { op: 'vfio.enableMsi', count: 16 },
          { op: 'vfio.enableMsi', count: 2 },
          { ...trigger, index: 2 },
          { ...trigger, index: 1, start: 2 },
        ],
        { remap: 'vtd' },
      ),
    );
    const rets = events(sim).flatMap((e) =>
      e.kind === 'vfio.return' || (e.kind === 'vfio.set' && e.fields['ret'] !== undefined) ? [e.fields['ret']] : [],
    );
    assert.deepEqual(rets, [EINVAL, 0, EINVAL, EINVAL]);
  });

  it('the index goes off: MSI Enable is cleared, the block of entries is free again for another', () => {
    const off = { op: 'vfio.setIrqs', flags: 0x21, index: 1, count: 0 };
    const sim = run(
      system([{ op: 'vfio.enableMsi', count: 3 }, off, { op: 'vfio.enableMsi', count: 4 }], { remap: 'vtd' }),
    );
    assert.deepEqual(
      calls(sim).map(([, ret]) => ret),
      [0, 0, 0],
    );
    const messages = events(sim).filter((e) => e.kind === 'msg.write' && e.fields['address'] !== '0x0');
    assert.equal(messages[0]!.fields['address'], messages[1]!.fields['address']);
    assert.equal(pathValue(sim.trace.head, `${MSI}/enable`), true);
  });

  it('a move of one vector rewrites its entry and leaves the message that all share', () => {
    const sim = run(
      system(
        [
          { op: 'vfio.enableMsi', count: 2 },
          { op: 'irq.affinity', object: 'irq/25', cpus: [1] },
          { op: 'vfio.raise', object: `${DEVICE}/1/0` },
          { op: 'vfio.raise', object: `${DEVICE}/1/1` },
        ],
        { remap: 'vtd' },
      ),
    );
    const all = events(sim);
    const moved = all.find((e) => e.kind === 'irte.write' && Number(e.time) >= 200e-6)!;
    assert.ok(moved && !all.some((e) => e.kind === 'msg.write' && e.step > moved.step));
    const entries = all.filter((e) => e.kind === 'irq.entry');
    assert.deepEqual(
      entries.map((e) => e.cpu),
      [0, 1],
    );
  });
});
