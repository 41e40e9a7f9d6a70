// Virtual IOMMUs of iommufd: objects, events and commands of a nested guest, and what each refusal is (include/uapi/linux/iommufd.h, drivers/iommu/iommufd).
import assert from 'node:assert/strict';
import type { EventView } from '../../../src/query/events.ts';
import { pathValue } from '../../../src/query/state.ts';
import type { Operation } from '../../../src/sim/operation.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { foundByAll } from '../../check/made.ts';
import { bundled, events, run, start } from '../run.ts';

const NIC = 'device/0000:00:05.0';
const DISK = 'device/0000:00:06.0';
const V = 'iommufd/1/viommu/1';
const EINVAL = -22;
const EEXIST = -17;
const ENOENT = -2;
const EIO = -5;
const EFAULT = -14;
const EBUSY = -16;
const EOPNOTSUPP = -95;
const HOST = {
  platform: { arch: 'arm64', cpus: 2, remap: 'its' },
  devices: [
    { bdf: '0000:00:05.0', name: 'nic', vectors: 2, driver: 'none' },
    { bdf: '0000:00:06.0', name: 'disk', vectors: 2, driver: 'none' },
  ],
  vms: [{ id: 0, vcpus: 1 }],
  iommufd: { devices: ['0000:00:05.0', '0000:00:06.0'] },
};

const op = (name: string, object: string, args: object = {}): Operation => ({ op: name, object, ...args }) as Operation;
const alloc = op('viommu.alloc', V);
const device = (object: string, id: number): Operation => op('vdevice.alloc', object, { id });
const ste = (object: string, stream: number, config = 'translate'): Operation =>
  op('guest.ste', object, { stream, config });

/** Does operations one after the other, each to its end; the events of the last one. */
function did(
  policies: Readonly<Record<string, string>>,
  ...operations: readonly Operation[]
): { simulation: Simulation; last: EventView[] } {
  const simulation = start({ ...HOST, policies: { vmsi: 'rmr', nested: 'yes', ...policies } });
  let from = 0;
  for (const operation of operations) {
    from = simulation.trace.length;
    assert.equal(simulation.perform(operation), undefined, JSON.stringify(operation));
    simulation.run();
  }
  return { simulation, last: events(simulation, from) };
}

const rets = (list: readonly EventView[], kind: string): unknown[] =>
  list.filter((e) => e.kind === kind).map((e) => e.fields['ret']);
const kinds = (list: readonly EventView[], ...names: string[]): EventView[] =>
  list.filter((e) => names.includes(e.kind));

describe('virtual IOMMU: what is refused', () => {
  it('a stage 2 that is no parent, a type that the hardware lacks', () => {
    assert.deepEqual(rets(did({ nested: 'no' }, alloc).last, 'viommu.alloc'), [EOPNOTSUPP, EINVAL]);
    const tegra = op('viommu.alloc', V, { type: 'TEGRA241_CMDQV' });
    assert.deepEqual(rets(did({}, tegra).last, 'viommu.alloc'), [EOPNOTSUPP]);
    assert.deepEqual(rets(did({ vcmdq: 'tegra241' }, tegra).last, 'viommu.alloc'), [0]);
    const { simulation } = did({}, alloc);
    assert.equal(pathValue(simulation.machine.state, `${V}/type`), 'ARM_SMMUV3');
  });

  it('a second ID of a device, an ID of another device', () => {
    assert.deepEqual(rets(did({}, alloc, device(NIC, 0x100)).last, 'vdevice.alloc'), [0]);
    assert.deepEqual(rets(did({}, alloc, device(NIC, 0x100), device(NIC, 0x108)).last, 'vdevice.alloc'), [EEXIST]);
    const twice = did({}, alloc, device(NIC, 0x100), device(DISK, 0x100));
    assert.deepEqual(rets(twice.last, 'vdevice.alloc'), [EEXIST]);
    assert.equal(pathValue(twice.simulation.machine.state, `${V}/vdevice/0x100/device`), '0000:00:05.0');
    const again = did({}, alloc, device(NIC, 0x100), op('vdevice.destroy', NIC), device(DISK, 0x100));
    assert.deepEqual(rets(again.last, 'vdevice.alloc'), [0]);
  });

  it('a stage 1 for a device without an ID; to bypass it needs none', () => {
    assert.deepEqual(rets(did({}, alloc, ste(NIC, 0x100)).last, 'guest.ste'), [ENOENT]);
    assert.deepEqual(rets(did({}, alloc, ste(NIC, 0x100, 'bypass')).last, 'guest.ste'), [0]);
    const { simulation, last } = did({}, alloc, device(NIC, 0x100), ste(NIC, 0x100));
    assert.deepEqual(rets(last, 'guest.ste'), [0]);
    assert.equal(pathValue(simulation.machine.state, 'smmu/0/stream/0x28/config'), 'nested');
  });

  it('queues: no depth, a second one, a type without HW queues, pages that are not mapped, an index that is taken', () => {
    const depth = (n: number): Operation => op('veventq.alloc', V, { depth: n });
    assert.deepEqual(rets(did({}, alloc, depth(0)).last, 'veventq.alloc'), [EINVAL]);
    assert.deepEqual(rets(did({}, alloc, depth(4), depth(4)).last, 'veventq.alloc'), [EEXIST]);
    const queue = (length = 0x1000, index = 0, address = 0x40001000): Operation =>
      op('hwqueue.alloc', V, { index, address, length });
    const map = op('iommufd.map', 'iommufd/1/ioas/1', { iova: 0x40000000, output: 0x80000000, size: 0x2000 });
    const tegra = { vcmdq: 'tegra241' };
    const ret = (...operations: Operation[]): unknown[] => rets(did(tegra, alloc, ...operations).last, 'hwqueue.alloc');
    // iommufd_hw_queue_alloc_ioctl looks at the length before it looks at the virtual IOMMU.
    assert.deepEqual(rets(did({}, alloc, map, queue()).last, 'hwqueue.alloc'), [EOPNOTSUPP]);
    assert.deepEqual(rets(did({}, alloc, map, queue(0)).last, 'hwqueue.alloc'), [EINVAL]);
    assert.deepEqual(ret(queue()), [ENOENT]);
    assert.deepEqual(ret(map, queue(0x1001)), [ENOENT]);
    assert.deepEqual(ret(map, queue(0)), [EINVAL]);
    assert.deepEqual(ret(map, queue()), [0]);
    assert.deepEqual(ret(map, queue(), queue()), [EEXIST]);
    // tegra241_vintf_alloc_lvcmdq_user: ascending order, a power of 2 from 32 on, an address that is a multiple of it.
    assert.deepEqual(ret(map, queue(0x1000, 1)), [EIO]);
    assert.deepEqual(ret(map, queue(), queue(0x1000, 2)), [EIO]);
    assert.deepEqual(ret(map, queue(), queue(0x1000, 1, 0x40000000)), [0]);
    assert.deepEqual(ret(map, queue(16)), [EINVAL]);
    assert.deepEqual(ret(map, queue(32)), [0]);
    assert.deepEqual(ret(map, queue(48)), [EINVAL]);
    assert.deepEqual(ret(map, queue(0x800, 0, 0x40001400)), [EINVAL]);
    assert.deepEqual(ret(map, queue(0x2000, 0, 0x40000000)), [0]);
    // Its pages must lie in one piece.
    const apart = op('iommufd.map', 'iommufd/1/ioas/1', { iova: 0x40002000, output: 0x90000000, size: 0x2000 });
    assert.deepEqual(ret(map, apart, queue(0x4000, 0, 0x40000000)), [EFAULT]);
  });

  it('HW queues go in descending order, and commands exit again when the last is gone', () => {
    const alloced = (index: number): Operation =>
      op('hwqueue.alloc', V, { index, address: 0x40000000 + index * 0x1000, length: 0x1000 });
    const destroy = (index: number): Operation => op('hwqueue.destroy', V, { index });
    const map = op('iommufd.map', 'iommufd/1/ioas/1', { iova: 0x40000000, output: 0x80000000, size: 0x2000 });
    const tegra = { vcmdq: 'tegra241' };
    const two = [alloc, map, alloced(0), alloced(1)] as const;
    assert.deepEqual(rets(did(tegra, ...two, destroy(0)).last, 'hwqueue.destroy'), [EBUSY]);
    assert.deepEqual(rets(did(tegra, ...two, destroy(2)).last, 'hwqueue.destroy'), [ENOENT]);
    assert.deepEqual(rets(did(tegra, ...two, destroy(1)).last, 'hwqueue.destroy'), [0]);
    const gone = did(tegra, ...two, destroy(1), destroy(0));
    assert.deepEqual(rets(gone.last, 'hwqueue.destroy'), [0]);
    assert.equal(pathValue(gone.simulation.machine.state, `${V}/hwqueue/0/address`), null);
    const command = op('guest.invalidate', V, { command: 'TLBI_NH_VA' });
    assert.equal(rets(did(tegra, ...two, command).last, 'viommu.invalidate').length, 0);
    assert.deepEqual(rets(did(tegra, ...two, destroy(1), destroy(0), command).last, 'viommu.invalidate'), [0]);
  });

  it('commands about a stream that no virtual device has', () => {
    const inv = (command: string, stream: number): Operation =>
      op('guest.invalidate', V, { command, stream, count: 3 });
    const all = [alloc, device(NIC, 0x100)] as const;
    assert.deepEqual(rets(did({}, ...all, inv('ATC_INV', 0x100)).last, 'viommu.invalidate'), [0, 0, 0]);
    assert.deepEqual(rets(did({}, ...all, inv('ATC_INV', 0x108)).last, 'viommu.invalidate'), [EIO]);
    // A command about addresses names no stream.
    assert.deepEqual(rets(did({}, ...all, inv('TLBI_NH_VA', 0x108)).last, 'viommu.invalidate'), [0, 0, 0]);
  });

  it('operations where nothing is allocated, or where there is no guest', () => {
    const simulation = start(HOST);
    assert.match(simulation.perform(device(NIC, 1)) ?? '', /not allocated/);
    assert.match(
      simulation.perform(op('viommu.alloc', 'iommufd/1/viommu/2')) ?? '',
      /there is no iommufd\/1\/viommu\/2/,
    );
    const bare = start({ ...HOST, vms: [], policies: { nested: 'yes' } });
    assert.equal(bare.perform(alloc), undefined);
    bare.run();
    assert.match(bare.perform(op('guest.invalidate', V)) ?? '', /no guest/);
    assert.match(start({}).perform(alloc) ?? '', /no iommufd/);
  });
});

describe('virtual IOMMU: events of stage 1', () => {
  const faulting = (depth: number, times: number, ...more: readonly Operation[]): EventView[] => {
    const set = op('iommufd.setIrqs', NIC, { vectors: 1 });
    const unmap = op('smmu.unmapS1', 'smmu/0/stream/0x28', { iova: 0x8000000 });
    const queue = depth > 0 ? [op('veventq.alloc', V, { depth })] : [];
    const { simulation } = did({}, alloc, device(NIC, 0x100), ...queue, ste(NIC, 0x100), set, unmap, ...more);
    const from = simulation.trace.length;
    for (let i = 0; i < times; i++) assert.equal(simulation.perform(op('device.raise', `${NIC}/msix/0`)), undefined);
    simulation.run();
    return events(simulation, from);
  };
  const records = (list: readonly EventView[]): unknown[] =>
    kinds(list, 'veventq.read').map(({ fields }) => [fields['sequence'], fields['lost'], fields['stream'] ?? null]);

  it('reach the guest with its own StreamID, and the host prints nothing', () => {
    const list = faulting(4, 1);
    assert.deepEqual(
      kinds(list, 'smmu.fault', 'iommu.fault', 'veventq.report', 'veventq.read', 'guest.event').map((e) => e.kind),
      ['smmu.fault', 'veventq.report', 'veventq.read', 'guest.event'],
    );
    assert.deepEqual(records(list), [[0, false, '0x100']]);
    assert.equal(kinds(list, 'guest.event')[0]?.fields['stream'], '0x100');
  });

  it('stay with the host without a queue', () => {
    const list = faulting(0, 1);
    assert.deepEqual(
      kinds(list, 'iommu.fault', 'veventq.report').map((e) => e.kind),
      ['iommu.fault'],
    );
  });

  it('that find the queue full leave one note with the number of the last of them', () => {
    const list = faulting(2, 5);
    assert.deepEqual(
      kinds(list, 'veventq.report').map((e) => e.fields['full']),
      [false, false, true, true, true],
    );
    assert.deepEqual(records(list), [
      [0, false, '0x100'],
      [1, false, '0x100'],
      [4, true, null],
    ]);
    assert.equal(kinds(list, 'guest.event').length, 2);
  });
});

describe('virtual IOMMU: the bundled scenario', () => {
  const exits = (vcmdq: string): unknown[] => {
    const all = events(run(bundled('viommu-events'), { settings: { vcmdq } }));
    const between = all.filter((e) => Number(e.time) * 1e6 >= 100 && Number(e.time) * 1e6 < 290);
    return ['kvm.exit', 'hwqueue.command', 'viommu.invalidate'].map((kind) => kinds(between, kind).length);
  };

  it('has no exits for the commands that the hardware takes', () => {
    // Ten batches of four, one CFGI_CD, two ATC_INV of which one is refused.
    assert.deepEqual(exits('none'), [13, 0, 43]);
    assert.deepEqual(exits('tegra241'), [1, 42, 1]);
  });

  it('shows lost events and the virtual device with the wrong ID', () => {
    const found = foundByAll(run(bundled('viommu-events')).trace).filter((line) => /F7[DE]/.test(line));
    // Six events in 10 us, the VMM reads after 20 us, the queue holds four.
    assert.deepEqual(
      found.map((line) => line.replace(/ at \d+/, '')),
      [
        'F7D: The virtual device of 0000:00:06.0 has the ID 0x8, and the guest names it 0x108',
        'F7E: 2 events of the guest of iommufd/1/viommu/1 were lost: its queue was full',
      ],
    );
  });
});
