// iommufd and SMMU on an Arm host: what is refused and how, and the designs in which user space gives no addresses.
import assert from 'node:assert/strict';
import type { EventView } from '../../../src/query/events.ts';
import { pathValue } from '../../../src/query/state.ts';
import type { Operation } from '../../../src/sim/operation.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { bundled, events, run, start } from '../run.ts';

const NIC = '0000:00:05.0';
const IOAS = 'iommufd/1/ioas/1';
const STREAM = 'smmu/0/stream/0x28';
const ARM = {
  platform: { arch: 'arm64', cpus: 2, remap: 'its' },
  devices: [{ bdf: NIC, name: 'nic', vectors: 2, driver: 'none' }],
  iommufd: { devices: [NIC] },
};

/** Does operations one after the other, each to its end; the events of the last one. */
function did(
  policies: Readonly<Record<string, string>>,
  ...operations: readonly Operation[]
): { simulation: Simulation; last: EventView[] } {
  const simulation = start({ ...ARM, policies });
  let from = 0;
  for (const operation of operations) {
    from = simulation.trace.length;
    assert.equal(simulation.perform(operation), undefined, JSON.stringify(operation));
    simulation.run();
  }
  return { simulation, last: events(simulation, from) };
}

const VITS = { vmsi: 'vits' };
const map = (iova: number, size = 0x1000, output = 0x20210000): Operation => ({
  op: 'iommufd.map',
  object: IOAS,
  iova,
  output,
  size,
});
const mapS1 = (iova: number, output = 0x80910000): Operation => ({ op: 'smmu.mapS1', object: STREAM, iova, output });
const give = (index: number, iova: number): Operation => ({
  op: 'iommufd.setVmsi',
  object: `device/${NIC}/msix/${index}`,
  iova,
});
const setIrqs = (vectors: number): Operation => ({ op: 'iommufd.setIrqs', object: `device/${NIC}`, vectors });
const raise = (index: number): Operation => ({ op: 'device.raise', object: `device/${NIC}/msix/${index}` });
const ret = (list: readonly EventView[], kind: string): unknown => list.find((e) => e.kind === kind)?.fields['ret'];

describe('iommufd: what is refused', () => {
  const EINVAL = -22;
  const EEXIST = -17;
  const ENOENT = -2;
  const EOPNOTSUPP = -95;

  it('mappings of parts of pages, inside the software MSI window, or over another', () => {
    assert.equal(ret(did(VITS, map(0x80910000)).last, 'iommufd.map'), 0);
    assert.equal(ret(did(VITS, map(0x80910040)).last, 'iommufd.map'), EINVAL);
    assert.equal(ret(did(VITS, map(0x80910000, 0x800)).last, 'iommufd.map'), EINVAL);
    for (const iova of [0x8000000, 0x80ff000, 0x7fff000])
      assert.equal(ret(did(VITS, map(iova, 0x2000)).last, 'iommufd.map'), EINVAL, iova.toString(16));
    assert.equal(ret(did(VITS, map(0x8100000)).last, 'iommufd.map'), 0);
    const twice = did(VITS, map(0x80911000), map(0x80910000, 0x4000));
    assert.equal(ret(twice.last, 'iommufd.map'), EEXIST);
    assert.equal(pathValue(twice.simulation.machine.state, `${IOAS}/map/0x80910000`) ?? null, null);
  });

  it('taking back what is not mapped', () => {
    const unmap: Operation = { op: 'iommufd.unmap', object: IOAS, iova: 0x80910000 };
    assert.equal(ret(did(VITS, unmap).last, 'iommufd.unmap'), ENOENT);
    assert.equal(ret(did(VITS, map(0x80910000), unmap).last, 'iommufd.unmap'), undefined);
    const unmapS1: Operation = { op: 'smmu.unmapS1', object: STREAM, iova: 0xeeee0000 };
    assert.equal(ret(did(VITS, unmapS1).last, 'smmu.unmap'), ENOENT);
    assert.equal(ret(did(VITS, mapS1(0xeeee0000), unmapS1).last, 'smmu.unmap'), undefined);
  });

  it('stage 1 mappings of parts of pages, or over another', () => {
    assert.equal(ret(did(VITS, mapS1(0xeeee0040)).last, 'smmu.map'), EINVAL);
    assert.equal(ret(did(VITS, mapS1(0xeeee0000), mapS1(0xeeee0000)).last, 'smmu.map'), EEXIST);
    const wide = { ...mapS1(0xeeed0000), size: 0x20000 };
    assert.equal(ret(did(VITS, mapS1(0xeeee0000), wide).last, 'smmu.map'), EEXIST);
    assert.equal(ret(did(VITS, mapS1(0xeeee0000), { ...wide, size: 0x10000 }).last, 'smmu.map'), undefined);
  });

  it('addresses that are no page, for entries that do not exist, or where the kernel gives them', () => {
    assert.equal(ret(did(VITS, give(0, 0xeeee0040)).last, 'iommufd.vmsi'), EINVAL);
    assert.equal(ret(did(VITS, give(2, 0xeeee0000)).last, 'iommufd.vmsi'), EINVAL);
    assert.equal(ret(did({ vmsi: 'rmr' }, give(0, 0xeeee0000)).last, 'iommufd.vmsi'), EOPNOTSUPP);
  });

  it('more vectors than the table has, and a second set-up', () => {
    assert.equal(ret(did({}, setIrqs(3)).last, 'vfio.set'), EINVAL);
    assert.equal(ret(did({}, setIrqs(2), setIrqs(1)).last, 'vfio.set'), EINVAL);
    const { simulation, last } = did({}, setIrqs(2), setIrqs(0));
    assert.equal(ret(last, 'vfio.set'), 0);
    assert.equal(pathValue(simulation.machine.state, `device/${NIC}/msixcap/enable`), false);
    assert.equal(pathValue(simulation.machine.state, 'its/0/device/0x28/valid'), false);
  });

  it('operations where there is no iommufd or SMMU', () => {
    const bare = start({ platform: { arch: 'arm64', remap: 'its' } });
    assert.match(bare.perform(map(0x1000)) ?? '', /no iommufd/);
    assert.match(bare.perform(mapS1(0x1000)) ?? '', /no SMMU/);
    const other = start({ ...ARM, devices: [{ bdf: '0000:00:06.0', name: 'disk', driver: 'none' }] });
    const problem = other.perform({ op: 'iommufd.setIrqs', object: 'device/0000:00:06.0', vectors: 1 });
    assert.match(problem ?? '', /not attached/);
    const here = start(ARM);
    assert.match(here.perform({ ...map(0x1000), object: 'iommufd/1/ioas/7' }) ?? '', /no iommufd\/1\/ioas\/7/);
    assert.match(here.perform({ ...mapS1(0x1000), object: 'smmu/0/stream/nic' }) ?? '', /no smmu\/0\/stream\/nic/);
    assert.match(here.perform({ op: 'its.invall', object: 'its/3', collection: 0 }) ?? '', /no its\/3/);
    for (const lpi of ['lpi/32', 'lpi/8191', 'lpi/x'])
      assert.match(here.perform({ op: 'lpi.configure', object: `gic/0/${lpi}`, enabled: true }) ?? '', /is no LPI/);
  });
});

describe('iommufd: where addresses come from', () => {
  const outcome = (list: readonly EventView[]): unknown =>
    list.some((e) => e.kind === 'irq.entry') ? 'handled' : list.find((e) => e.kind === 'smmu.fault')?.fields['event'];

  it('with a reserved window the kernel maps stage 2 and the guest maps the window one to one', () => {
    const window = { vmsi: 'rmr', nested: 'yes' };
    const started = did(window, setIrqs(1), raise(0));
    assert.equal(outcome(started.last), 'handled');
    const announced = events(started.simulation).find((e) => e.kind === 'smmu.map');
    assert.deepEqual(
      [announced?.task, announced?.object, announced?.fields['output'], announced?.fields['size']],
      ['guest-kernel/smmu', `${STREAM}/s1/0x8000000`, '0x8000000', '0x100000'],
    );
    assert.deepEqual(
      started.last.filter((e) => e.kind === 'smmu.trans').map((e) => [e.fields['iova'], e.fields['output']]),
      [
        ['0x8000040', '0x8000040'],
        ['0x8000040', '0x20210040'],
      ],
    );
    // A guest that translates without that mapping, and one that bypasses its stage 1.
    const unmap: Operation = { op: 'smmu.unmapS1', object: STREAM, iova: 0x8000000 };
    const forgot = did(window, setIrqs(1), unmap, raise(0));
    assert.equal(outcome(forgot.last), 'F_TRANSLATION s1 iova 0x8000040');
    const bypass = did({ ...window, nested: 'no' }, setIrqs(1), raise(0));
    assert.equal(outcome(bypass.last), 'handled');
    // The window is taken: the guest cannot map something else there.
    const taken = did(window, mapS1(0x8000000));
    assert.equal(ret(taken.last, 'smmu.map'), -17);
    // One mapping for all vectors.
    const two = did(window, setIrqs(2));
    assert.equal(two.last.filter((e) => e.kind === 'iommufd.swmsi').length, 1);
  });

  it('with nobody to ask the physical doorbell is written, which no stage maps', () => {
    const { last, simulation } = did({ vmsi: 'none', nested: 'no' }, setIrqs(1), raise(0));
    assert.equal(outcome(last), 'F_TRANSLATION s2 iova 0x20210040 ipa 0x20210040');
    assert.equal(pathValue(simulation.machine.state, `${STREAM}/faults`), 1);
    // An identity mapping by the VMM heals it: the address is right by accident.
    const healed = did({ vmsi: 'none', nested: 'no' }, map(0x20210000), setIrqs(1), raise(0));
    assert.equal(outcome(healed.last), 'handled');
  });

  it('a mapping that leads elsewhere makes an ordinary DMA write of the message', () => {
    const { last } = did(
      { ...VITS, nested: 'no' },
      map(0x80910000, 0x1000, 0x40000000),
      give(0, 0x80910000),
      setIrqs(1),
      raise(0),
    );
    assert.match(String(last.find((e) => e.kind === 'drop')?.fields['reason']), /0x40000040 is not the doorbell/);
  });

  it('an address that is taken back while in use stays in the device, and composing again fails', () => {
    const { simulation, last } = did(VITS, give(0, 0xeeee0000), setIrqs(1), give(0, 0));
    assert.equal(ret(last, 'dom.compose'), -2);
    assert.equal(
      last.some((e) => e.kind === 'msg.write'),
      false,
    );
    const entry = pathValue(simulation.machine.state, `device/${NIC}/msix/0/address`) as { value: string };
    assert.equal(entry.value, '0xeeee0040');
  });

  it('drivers of the host behind an SMMU get an I/O address for the doorbell from dma-iommu', () => {
    const simulation = run({
      platform: { arch: 'arm64', cpus: 2, remap: 'its', smmu: true },
      devices: [{ bdf: NIC, name: 'nic', vectors: 1 }],
      workload: [{ at: '50us', op: 'device.raise', object: `device/${NIC}/msix/0` }],
    });
    const all = events(simulation);
    assert.deepEqual(
      all.filter((e) => e.kind === 'smmu.map').map((e) => [e.object, e.fields['output']]),
      [[`${STREAM}/s1/0xfffff000`, '0x20210000']],
    );
    const trans = all.filter((e) => e.kind === 'smmu.trans');
    assert.deepEqual(
      trans.map((e) => [e.fields['iova'], e.fields['output'], e.fields['stage']]),
      [['0xfffff040', '0x20210040', 1]],
    );
    assert.equal(outcome(all), 'handled');
  });

  it('without an SMMU the same driver writes the physical address and nothing translates', () => {
    const simulation = run({
      platform: { arch: 'arm64', cpus: 2, remap: 'its' },
      devices: [{ bdf: NIC, name: 'nic', vectors: 1 }],
      workload: [{ at: '50us', op: 'device.raise', object: `device/${NIC}/msix/0` }],
    });
    assert.equal(
      events(simulation).some((e) => e.kind.startsWith('smmu.')),
      false,
    );
    assert.equal(outcome(events(simulation)), 'handled');
  });
});

describe('iommufd: bundled scenarios', () => {
  for (const name of [
    'vmsi-nested',
    'vmsi-flat',
    'vmsi-missing-mapping',
    'vmsi-update-without-rewrite',
    'vmsi-affinity',
  ])
    for (const composeHook of ['function', 'cookie', 'write', 'xlate', 'domain'])
      it(`${name} with composeHook ${composeHook} loses no cause, whatever the seed`, () => {
        const document = { ...bundled(name), jitter: 0.5 };
        for (let seed = 1; seed <= 10; seed++) {
          const simulation = run(document, { seed, settings: { composeHook } });
          const { ledger } = simulation.machine;
          const { delivered, merged, dropped, inFlight, pending } = ledger.tally();
          assert.deepEqual([ledger.twice, inFlight], [[], 0]);
          assert.equal(delivered + merged + dropped + pending, ledger.causes);
          assert.ok(delivered > 0);
          const told = events(simulation).filter((e) => e.kind === 'drop' && e.fields['cause'] !== undefined);
          assert.equal(told.length, dropped);
        }
      });
});
