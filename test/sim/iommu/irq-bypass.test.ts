// irqbypass: virt/lib/irqbypass.c, arch/x86/kvm/irq.c kvm_pi_update_irte: which change of either side rewrites the table entry.
import assert from 'node:assert/strict';
import type { EventView } from '../../../src/query/events.ts';
import { pathValue } from '../../../src/query/state.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { events, run } from '../run.ts';

const FN = '0000:6a:01.0';
const DEVICE = `vfio/${FN}`;
const GSI = 60;
const TO_0 = '0xfee00000';
const TO_1 = '0xfee01000';

const fds = (list: readonly number[], start = 0): object => ({
  op: 'vfio.setIrqs',
  object: DEVICE,
  flags: 0x24,
  index: 2,
  start,
  count: list.length,
  fds: list,
});
const off = { op: 'vfio.setIrqs', object: DEVICE, flags: 0x21, index: 2, count: 0 };
const route = (address: string, data: string): object => ({
  op: 'kvm.route.set',
  object: 'kvm/0',
  gsi: GSI,
  address,
  data,
});
const unroute = { op: 'kvm.route.release', object: 'kvm/0', gsi: GSI };
const assign = (fd: number): object => ({ op: 'kvm.irqfd.assign', object: 'kvm/0', gsi: GSI, fd });
const deassign = { op: 'kvm.irqfd.deassign', object: 'kvm/0', gsi: GSI };
const raise = { op: 'vfio.raise', object: `${DEVICE}/2/0` };

/** VFIO and KVM as user space ties them, 100 us from one call to the next. */
const tied = (workload: readonly object[]): Simulation =>
  run({
    platform: { cpus: 2, remap: 'vtd' },
    devices: [{ bdf: FN, name: 'nvme', vectors: 2, driver: 'none' }],
    vms: [{ id: 0, vcpus: 2 }],
    vfio: [{ name: FN, vectors: 2, driver: 'none' }],
    policies: { vfioBackend: 'pci', 'posted.bypass': 'posted' },
    workload: workload.map((task, i) => ({ at: `${100 * (i + 1)}us`, ...task })),
  });
const updates = (sim: Simulation): unknown[] =>
  events(sim)
    .filter((e) => e.kind === 'pi.update')
    .map(({ fields: f }) => [f['enable'], f['vcpu'], f['vector']]);
/** The kind of the entry of the vector after each write: posted, remapped, or not present. */
const entries = (sim: Simulation): string[] =>
  events(sim)
    .filter((e: EventView) => e.kind === 'irte.write')
    .map(({ fields }) => {
      const value = BigInt(String(fields['value']));
      // VT-d 9.10: bit 0 present, bit 15 interrupt mode.
      return (value & 1n) === 0n ? 'none' : (value & 0x8000n) === 0n ? 'remapped' : 'posted';
    });
const accepted = (sim: Simulation): string[] =>
  events(sim)
    .filter((e) => e.kind === 'apic.accept')
    .map((e) => e.object);
const POSTED = [true, 0, 0x31];
const ENDED = [false, 0, 0x31];

describe('irq bypass: producer, consumer, route', () => {
  for (const [title, order] of [
    ['VFIO first', [fds([300]), route(TO_0, '0x31'), assign(300)]],
    ['KVM first', [fds([300]), off, route(TO_0, '0x31'), assign(300), fds([300])]],
    ['the route last', [fds([300]), assign(300), route(TO_0, '0x31')]],
  ] as const)
    it(`posts as soon as producer, consumer and route are there: ${title}`, () => {
      const sim = tied([...order, raise]);
      assert.deepEqual(updates(sim), [POSTED]);
      assert.equal(entries(sim).at(-1), 'posted');
      const all = events(sim);
      assert.ok(!all.some((e) => e.kind === 'vfio.fire'), 'the host takes no interrupt');
      assert.deepEqual(accepted(sim), ['vcpu/0/vector/49']);
    });

  const ready = [fds([300]), route(TO_0, '0x31'), assign(300)];
  for (const [title, change, after, last] of [
    ['the route goes', [unroute], [POSTED, ENDED], 'remapped'],
    ['the irqfd goes', [deassign], [POSTED, ENDED], 'remapped'],
    ['VFIO takes the eventfd away', [fds([-1])], [POSTED, ENDED], 'none'],
    ['VFIO signals another eventfd', [fds([310])], [POSTED, ENDED], 'remapped'],
    ['the index goes off', [off], [POSTED, ENDED], 'none'],
    ['the route leads to another virtual CPU', [route(TO_1, '0x31')], [POSTED, [true, 1, 0x31]], 'posted'],
    ['the route has another vector', [route(TO_0, '0x41')], [POSTED, [true, 0, 0x41]], 'posted'],
    ['the same route is set again: nothing', [route(TO_0, '0x31')], [POSTED], 'posted'],
    ['the route names all virtual CPUs', [route('0xfeeff000', '0x31')], [POSTED, ENDED], 'remapped'],
    ['the route becomes an NMI', [route(TO_0, '0x431')], [POSTED, ENDED], 'remapped'],
    ['the route names a virtual CPU that is not there', [route('0xfee07000', '0x31')], [POSTED, ENDED], 'remapped'],
    ['VFIO masks by exchanging the eventfd, and back', [fds([310]), fds([300])], [POSTED, ENDED, POSTED], 'posted'],
    ['the irqfd goes and comes back', [deassign, assign(300)], [POSTED, ENDED, POSTED], 'posted'],
  ] as const)
    it(`${title}: the entry is rewritten with the table entry of the irq`, () => {
      const sim = tied([...ready, ...change]);
      assert.deepEqual(updates(sim), after);
      assert.equal(entries(sim).at(-1), last);
    });

  it('behind a teardown the host takes the interrupt, and the eventfd brings it to who reads it', () => {
    const sim = tied([...ready, raise, deassign, raise]);
    const fires = events(sim).filter((e) => e.kind === 'vfio.fire');
    assert.equal(fires.length, 1);
    assert.deepEqual(accepted(sim), ['vcpu/0/vector/49'], 'only the first one is posted');
    // The reader of the eventfd has the second; the kernel of the guest knows no irq of the first.
    assert.equal(sim.machine.ledger.tally().delivered, 1);
    assert.equal(pathValue(sim.trace.head, `${DEVICE}/2/0/eventfd`), 300);
  });

  it('one eventfd in two irqfds: -EBUSY, and the first goes on to post', () => {
    const second = { op: 'kvm.irqfd.assign', object: 'kvm/0', gsi: GSI + 1, fd: 300 };
    const sim = tied([...ready, second]);
    assert.deepEqual(
      events(sim).flatMap((e) => (e.kind === 'ioctl' ? [e.fields['ret']] : [])),
      [-16],
    );
    assert.deepEqual(updates(sim), [POSTED]);
  });
});
