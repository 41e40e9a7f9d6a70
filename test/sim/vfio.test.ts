// VFIO_DEVICE_SET_IRQS: expected errno are those of drivers/vfio/vfio_main.c and vfio_pci_intrs.c.
import assert from 'node:assert/strict';
import type { RegisterView } from '../../src/model/register.ts';
import { pathValue } from '../../src/query/state.ts';
import { readScenario } from '../../src/sim/scenario.ts';
import type { Simulation } from '../../src/sim/simulation.ts';
import { assignedDevices } from '../../src/sim/vfio/assigned-devices.ts';
import { eventfdsOf } from '../../src/sim/vfio/eventfds.ts';
import { events, run } from './run.ts';

const NAME = '0000:6a:01.0';
const DEVICE = `vfio/${NAME}`;
const NONE = 0x1;
const BOOL = 0x2;
const EVENTFD = 0x4;
const MASK = 0x8;
const UNMASK = 0x10;
const TRIGGER = 0x20;
const EINVAL = -22;
const ENOTTY = -25;

interface Call {
  flags: number;
  index: number;
  start?: number;
  count?: number;
  fds?: number[];
  bools?: number[];
  argsz?: number;
}

/** A system with one assigned function, and calls 100 us apart. */
function calls(list: readonly Call[], vfio: object = {}, policies: object = {}): Simulation {
  return run({
    platform: { cpus: 2 },
    devices: [{ bdf: NAME, name: 'nic', vectors: 8, driver: 'none', ims: { entries: 4 } }],
    vfio: [{ name: NAME, vectors: 8, ...vfio }],
    policies,
    workload: list.map((call, i) => ({ at: `${100 * (i + 1)}us`, op: 'vfio.setIrqs', object: DEVICE, ...call })),
  });
}

/** What each call returned. */
function rets(sim: Simulation): (number | undefined)[] {
  const out: (number | undefined)[] = [];
  for (const { kind, fields } of events(sim)) {
    if (kind === 'vfio.set') out.push(fields['ret'] as number | undefined);
    if (kind === 'vfio.return') out[out.length - 1] = fields['ret'] as number;
  }
  return out;
}

const enable = (count: number, first = 300): Call => ({
  flags: EVENTFD | TRIGGER,
  index: 2,
  count,
  fds: Array.from({ length: count }, (_, i) => first + i),
});

describe('VFIO_DEVICE_SET_IRQS', () => {
  const refused: readonly [string, Call, number][] = [
    ['argsz below the header', { flags: NONE | TRIGGER, index: 2, argsz: 16 }, EINVAL],
    ['an index that does not exist', { flags: NONE | TRIGGER, index: 5 }, EINVAL],
    ['start plus count overflows', { flags: NONE | TRIGGER, index: 2, start: 1, count: 0xfffffffe }, EINVAL],
    ['an unknown flag', { flags: 0x40 | NONE | TRIGGER, index: 2 }, EINVAL],
    ['start beyond the vectors', { flags: NONE | TRIGGER, index: 2, start: 8, count: 0 }, EINVAL],
    ['start plus count beyond the vectors', { flags: NONE | TRIGGER, index: 2, start: 7, count: 2 }, EINVAL],
    ['argsz too small for the eventfds', { ...enable(4), argsz: 20 + 15 }, EINVAL],
    ['argsz too small for the bools', { flags: BOOL | TRIGGER, index: 2, count: 3, argsz: 22 }, EINVAL],
    ['no data type', { flags: TRIGGER, index: 2 }, EINVAL],
    ['two data types', { flags: NONE | BOOL | TRIGGER, index: 2 }, EINVAL],
    ['no action', { flags: NONE, index: 2 }, ENOTTY],
    ['two actions', { flags: NONE | MASK | UNMASK, index: 0 }, ENOTTY],
    ['MSI of a function that has none', { flags: EVENTFD | TRIGGER, index: 1, fds: [300] }, EINVAL],
    ['mask on MSI-X', { flags: NONE | MASK, index: 2 }, ENOTTY],
    ['unmask on MSI-X', { flags: NONE | UNMASK, index: 2 }, ENOTTY],
    ['mask on the error index', { flags: NONE | MASK, index: 3 }, ENOTTY],
    ['unmask on the request index', { flags: NONE | UNMASK, index: 4 }, ENOTTY],
    ['loopback while MSI-X is off', { flags: NONE | TRIGGER, index: 2 }, EINVAL],
    ['INTx mask while INTx is off', { flags: NONE | MASK, index: 0 }, EINVAL],
    ['INTx unmask while INTx is off', { flags: NONE | UNMASK, index: 0 }, EINVAL],
    ['INTx loopback while INTx is off', { flags: NONE | TRIGGER, index: 0 }, EINVAL],
    ['error index, data none, without an eventfd', { flags: NONE | TRIGGER, index: 3 }, EINVAL],
    ['request index, bool, count 0', { flags: BOOL | TRIGGER, index: 4, count: 0 }, EINVAL],
  ];
  for (const [title, call, errno] of refused)
    it(`${title}: ${errno}`, () => assert.deepEqual(rets(calls([call])), [errno]));

  it('the error index of a function that is not PCI Express has no interrupt: -EINVAL', () =>
    assert.deepEqual(rets(calls([{ flags: EVENTFD | TRIGGER, index: 3, fds: [300] }], { express: false })), [EINVAL]));

  it('error and request take an eventfd, loopback signals it, data none with count 0 takes it back', () => {
    for (const index of [3, 4]) {
      const sim = calls([
        { flags: EVENTFD | TRIGGER, index, fds: [300] },
        { flags: NONE | TRIGGER, index },
        { flags: BOOL | TRIGGER, index, bools: [0] },
        { flags: BOOL | TRIGGER, index, bools: [1] },
        { flags: NONE | TRIGGER, index, count: 0 },
        { flags: NONE | TRIGGER, index },
      ]);
      assert.deepEqual(rets(sim), [0, 0, 0, 0, 0, EINVAL]);
      assert.equal(events(sim).filter((e) => e.kind === 'vfio.fire').length, 2);
    }
  });

  it('MSI-X: enable, loopback by none and bool, disable; while it is on INTx and MSI are refused', () => {
    const sim = calls(
      [
        enable(3),
        { flags: NONE | TRIGGER, index: 2, start: 0, count: 2 },
        { flags: BOOL | TRIGGER, index: 2, start: 0, count: 3, bools: [0, 0, 1] },
        { flags: EVENTFD | TRIGGER, index: 0, fds: [320] },
        { flags: NONE | TRIGGER, index: 2, count: 0 },
        { flags: EVENTFD | TRIGGER, index: 0, fds: [320] },
        enable(1, 330),
      ],
      {},
    );
    assert.deepEqual(rets(sim), [0, 0, 0, EINVAL, 0, 0, EINVAL]);
    const fired = events(sim)
      .filter((e) => e.kind === 'vfio.fire')
      .map((e) => e.object);
    assert.deepEqual(fired, [`${DEVICE}/2/0`, `${DEVICE}/2/1`, `${DEVICE}/2/2`]);
    assert.equal(pathValue(sim.trace.head, `${DEVICE}/msix`), false);
    assert.equal(pathValue(sim.trace.head, `${DEVICE}/intx`), true);
  });

  it('start beyond the vectors is -EINVAL even with count 0: the index stays on', () => {
    const sim = calls([enable(2), { flags: NONE | TRIGGER, index: 2, start: 8, count: 0 }]);
    assert.deepEqual(rets(sim), [0, EINVAL]);
    assert.equal(pathValue(sim.trace.head, `${DEVICE}/msix`), true);
  });

  it('INTx that masked itself does not fire again, however often the line rises, until it is unmasked', () => {
    const sim = run({
      vfio: [{ name: 'v', backend: 'emulated', vectors: 0 }],
      workload: [
        { at: '10us', op: 'vfio.setIrqs', object: 'vfio/v', flags: 0x24, index: 0, fds: [300] },
        ...[20, 30, 40, 50, 60].map((us, i) => ({
          at: `${us}us`,
          op: 'vfio.intx',
          object: 'vfio/v',
          level: i % 2 === 0,
        })),
      ],
    });
    assert.equal(events(sim).filter((e) => e.kind === 'vfio.fire').length, 1);
    assert.equal(pathValue(sim.trace.head, 'vfio/v/0/0/masked'), true);
  });

  it('MSI and MSI-X exclude one another', () => {
    const sim = calls([{ flags: EVENTFD | TRIGGER, index: 1, count: 2, fds: [300, 301] }, enable(1, 310)], {
      backend: 'emulated',
      msi: 4,
    });
    assert.deepEqual(rets(sim), [0, EINVAL]);
  });

  it('too few vectors: the answer is how many would be possible, and nothing is enabled', () => {
    const sim = calls([enable(6), enable(3)], { grant: 3 });
    assert.deepEqual(rets(sim), [3, 0]);
    const first = events(sim).findIndex((e) => e.kind === 'vfio.return');
    const before = events(sim).slice(0, first);
    assert.ok(!before.some((e) => e.kind === 'vfio.bind' || e.kind === 'vfio.mode'));
    const left = before.filter((e) => e.kind === 'dom.alloc').map((e) => (e.fields['free'] ? -1 : 1) as number);
    assert.equal(
      left.reduce((a, b) => a + b, 0),
      0,
      'what was allocated was freed again',
    );
  });

  it('no vector at all: the errno of the allocation', () =>
    assert.deepEqual(rets(calls([enable(2)], { grant: 0 })), [-28]));

  it('a descriptor that is no eventfd is -EBADF; the vectors of the block before it are torn down, the index is off', () => {
    const sim = calls([]);
    const { device } = sim.setup.use(assignedDevices).get(NAME)!;
    const good = eventfdsOf(sim.setup).make();
    const set = { flags: EVENTFD | TRIGGER, index: 2, start: 0, count: 2, fds: [good, 77] };
    sim.machine.spawn(device.actor, device.setIrqs(set), 1000);
    sim.run();
    assert.deepEqual(rets(sim), [-9]);
    assert.equal(pathValue(sim.trace.head, `${DEVICE}/msix`), false);
    assert.equal(pathValue(sim.trace.head, `${DEVICE}/2/0/eventfd`), null);
    assert.equal(device.active, 'none');
  });

  it('NORESIZE: a vector beyond those enabled is -EINVAL; with dynamic MSI-X it is allocated', () => {
    const more: Call = { flags: EVENTFD | TRIGGER, index: 2, start: 4, count: 1, fds: [340] };
    assert.deepEqual(rets(calls([enable(2), more], { noresize: true })), [0, EINVAL]);
    assert.deepEqual(rets(calls([enable(2), more], { noresize: false })), [0, 0]);
  });

  it('another eventfd for an enabled vector opens a window: message zeroed and entry masked between free_irq and request_irq', () => {
    const sim = calls([enable(1), enable(1, 350)]);
    const all = events(sim);
    const second = all.filter((e) => e.kind === 'vfio.set')[1]!.step;
    const told = all
      .filter((e) => e.step > second && (e.kind === 'irq.mask' || e.kind === 'msg.write'))
      .map((e) => (e.kind === 'irq.mask' ? e.fields['masked'] : e.fields['address']));
    assert.deepEqual(told, [true, '0x0', '0x0', '0xfee00000', false]);
  });

  it('F40 a cause in that window waits in the pending bit of the entry and is sent by request_irq', () => {
    const probe = calls([enable(1), enable(1, 350)]);
    const all = events(probe);
    const masked = all.filter((e) => e.kind === 'irq.mask' && e.fields['masked'] === true).at(-1)!;
    const at = Math.round(Number(masked.time) * 1e9) + 300;
    const sim = run({
      platform: { cpus: 2 },
      devices: [{ bdf: NAME, name: 'nic', vectors: 8, driver: 'none' }],
      vfio: [{ name: NAME, vectors: 8 }],
      workload: [
        { at: '100us', op: 'vfio.setIrqs', object: DEVICE, ...enable(1) },
        { at: '200us', op: 'vfio.setIrqs', object: DEVICE, ...enable(1, 350) },
        { at, op: 'device.raise', object: `device/${NAME}/msix/0` },
      ],
    });
    const raised = events(sim).find((e) => e.kind === 'dev.raise')!;
    const sent = events(sim).find((e) => e.kind === 'send')!;
    const unmask = events(sim).filter((e) => e.kind === 'irq.mask' && e.fields['masked'] === false)[1]!;
    assert.ok(raised.step < unmask.step && unmask.step < sent.step);
    assert.equal(sent.fields['cause'], raised.fields['cause']);
    assert.equal(events(sim).filter((e) => e.kind === 'vfio.fire').length, 1);
  });

  it('F43 a table that a reset cleared is written again from the cached message when the vector is set', () => {
    const sim = run({
      platform: { cpus: 1 },
      devices: [{ bdf: NAME, name: 'nic', vectors: 8, driver: 'none' }],
      vfio: [{ name: NAME, vectors: 8 }],
      workload: [
        { at: '100us', op: 'vfio.setIrqs', object: DEVICE, ...enable(1) },
        { at: '150us', op: 'entry.write', object: `device/${NAME}/msix/0`, offset: 0, value: 0 },
        { at: '200us', op: 'vfio.setIrqs', object: DEVICE, ...enable(1, 350) },
      ],
    });
    const { value } = pathValue(sim.trace.head, `device/${NAME}/msix/0/address`) as RegisterView;
    assert.equal(value, '0xfee00000');
  });

  for (const [title, vfio, steps] of [
    ['F41 with NORESIZE QEMU tears every vector down to add one', { noresize: true }, 1],
    ['without NORESIZE QEMU adds a vector and leaves the others alone', { noresize: false }, 0],
  ] as const)
    it(title, () => {
      const sim = run({
        platform: { cpus: 1 },
        devices: [{ bdf: NAME, name: 'nic', vectors: 2, driver: 'none' }],
        vms: [{ id: 0, vcpus: 1 }],
        vfio: [{ name: NAME, vectors: 2, vm: 0, guest: '0000:00:06.0', ...vfio }],
      });
      const off = events(sim).filter(
        (e) => e.kind === 'vfio.set' && e.fields['flags'] === '0x21' && e.fields['count'] === 0,
      );
      assert.equal(off.length, steps);
      for (const v of [0, 1]) assert.notEqual(pathValue(sim.trace.head, `${DEVICE}/2/${v}/eventfd`), null);
    });

  it('F42 QEMU asks again with the number that the answer gave', () => {
    const sim = run({
      platform: { cpus: 1 },
      devices: [{ bdf: NAME, name: 'nic', vectors: 2, driver: 'none' }],
      vms: [{ id: 0, vcpus: 1 }],
      vfio: [{ name: NAME, vectors: 2, vm: 0, guest: '0000:00:06.0', noresize: true, grant: 1 }],
    });
    const returns = events(sim).filter((e) => e.kind === 'vfio.return');
    const at = returns.findIndex((e) => e.fields['ret'] === 1);
    assert.equal(returns[at]!.fields['count'], 2);
    assert.deepEqual([returns[at + 1]!.fields['count'], returns[at + 1]!.fields['ret']], [1, 0]);
  });

  it('a scenario that assigns what is not there is told where it is wrong', () => {
    const wrong = readScenario({
      title: 'wrong',
      description: 'Assigned devices that cannot be.',
      devices: [{ bdf: NAME, name: 'nic' }],
      vfio: [
        { name: NAME },
        { name: 'v', parent: '0000:01:00.0', backend: 'ims' },
        { name: 'w', parent: NAME, backend: 'ims', vm: 3 },
        { name: 'w', backend: 'emulated', guest: NAME },
      ],
    });
    assert.ok('length' in wrong);
    assert.deepEqual(
      wrong.map((p) => p.path),
      ['vfio.0.name', 'vfio.1.parent', 'vfio.2.backend', 'vfio.2.vm', 'vfio.2.guest', 'vfio.3.guest', 'vfio.3.name'],
    );
  });

  it('the guest turns MSI-X off: irqfds and routes go, the index is disabled; on again it works as before', () => {
    const guest = 'device/0000:00:06.0';
    const sim = run({
      platform: { cpus: 1 },
      devices: [{ bdf: NAME, name: 'nic', vectors: 2, driver: 'none' }],
      vms: [{ id: 0, vcpus: 1 }],
      vfio: [{ name: NAME, vectors: 2, vm: 0, guest: '0000:00:06.0' }],
      workload: [
        { at: '300us', op: 'msix.control', object: guest, enable: false },
        { at: '400us', op: 'vfio.raise', object: `${DEVICE}/2/1` },
        { at: '500us', op: 'msix.control', object: guest, enable: true },
        { at: '600us', op: 'vfio.raise', object: `${DEVICE}/2/1` },
      ],
    });
    const all = events(sim);
    const between = (from: number, to: number) => all.filter((e) => Number(e.time) >= from && Number(e.time) < to);
    const off = between(300e-6, 400e-6).map((e) => e.kind);
    assert.equal(off.filter((k) => k === 'irqfd.assign').length, 2);
    assert.equal(off.filter((k) => k === 'route.release').length, 2);
    assert.equal(off.filter((k) => k === 'vfio.set').length, 1);
    assert.deepEqual(
      between(400e-6, 500e-6).map((e) => e.kind),
      ['dev.raise', 'drop'],
    );
    assert.equal(between(600e-6, 1).filter((e) => e.kind === 'irq.entry' && e.object.startsWith('guest/')).length, 1);
    assert.equal(pathValue(sim.trace.head, `${DEVICE}/2/1/used`), true);
  });

  for (const backend of ['pci', 'ims', 'emulated'])
    it(`every cause ends once and finds its eventfd, whatever the order of actors (${backend})`, () => {
      for (let seed = 1; seed <= 12; seed++) {
        const sim = run(
          {
            platform: { cpus: 2 },
            jitter: 0.9,
            devices: [{ bdf: NAME, name: 'nic', vectors: 2, driver: 'none', ims: { entries: 4 } }],
            vms: [{ id: 0, vcpus: 2 }],
            vfio: [{ name: NAME, backend, vectors: 2, vm: 0, guest: '0000:00:06.0', maskEach: true }],
            policies: { imsRelease: 'keep' },
            workload: [{ at: '300us', op: 'vfio.raise', object: `${DEVICE}/2/1`, every: '7us', times: 60 }],
          },
          { seed },
        );
        const { inFlight, pending, merged, delivered, dropped, untold, withdrawn } = sim.machine.ledger.tally();
        assert.deepEqual(sim.machine.ledger.twice, []);
        assert.equal(inFlight + pending, 0);
        assert.equal(merged + delivered + dropped + untold + withdrawn, sim.machine.ledger.causes);
        // Each cause counts once, at the guest: most of them merge on the way.
        assert.ok(delivered > 10, `seed ${seed}: ${delivered}`);
        assert.equal(merged + delivered + dropped, 60);
        const reasons = events(sim).flatMap((e) => (e.kind === 'drop' ? [e.fields['reason']] : []));
        assert.ok(!reasons.includes('the interrupt has no eventfd'), `seed ${seed}`);
      }
    });
});
