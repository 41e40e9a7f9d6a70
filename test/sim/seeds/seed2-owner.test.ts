import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { kvmRoute } from '../../../src/model/things/virt.ts';
import { at, BDF, cell, DEVICE, entry, exits, ioctls, machine, of, rules, setup, since } from './seed2-machine.ts';

/** Who served the accesses among some events, in order. */
const served = (all: Parameters<typeof of>[0]): unknown[] =>
  of(all, 'tbl.write', 'tbl.read').map((e) => e.fields.served);
const write = (us: number, offset: number, value: string, size = 4): object =>
  at(us, 'guest.write', entry(1), { offset, size, value });
const read = (us: number, offset = 12, size = 4): object => at(us, 'guest.read', entry(1), { offset, size });
/** All four dwords of an entry, read one after the other. */
const readAll = [0, 4, 8, 12].map((offset, i) => read(i * 20, offset));

describe('S2: who owns the table', () => {
  it('S2-1 the set of enabled entries is state: an entry has a route from the unmask on', () => {
    const sim = machine({ msixOwner: 'perEntry' }, [], { vectors: 3, irqs: 2 });
    assert.deepEqual(
      [24, 25, 26].map((gsi) => cell(sim, `kvm/0/route/${gsi}`, kvmRoute.at.vector)),
      [0, 1, -1],
    );
    assert.deepEqual(
      of(setup(sim), 'kvm.table.entry')
        .filter((e) => e.fields.held === true)
        .map((e) => e.object),
      ['kvm/0/msix/0/entry/0', 'kvm/0/msix/0/entry/1'],
    );
  });

  it('S2-2 KVM serves address, data and mask of enabled entries, the VMM the message of the others', () => {
    const reads = [0, 2].flatMap((i) =>
      [0, 12].map((offset) => at(i * 100 + offset * 2, 'guest.read', entry(i), { offset })),
    );
    const sim = machine({ msixOwner: 'perEntry' }, reads, { vectors: 3, irqs: 2 });
    assert.deepEqual(served(since(sim)), ['kernel', 'kernel', 'user', 'kernel']);
  });

  it('S2-3 the VMM fetches an entry with an ioctl that carries its contents', () => {
    const sim = machine({ msixOwner: 'kernel' }, [at(0, 'kvm.getEntry', 'kvm/0', { table: 0, entry: 1 })]);
    const [call] = of(since(sim), 'ioctl');
    assert.deepEqual(call?.fields, {
      name: 'KVM_GET_MSIX_ENTRY',
      ret: 0,
      table: 0,
      entry: 1,
      address: '0xfee01000',
      data: '0x21',
      control: '0x0',
    });
  });

  it('S2-4 before MSI-X is enabled the table of the VMM counts: KVM serves nothing', () => {
    const sim = machine({ msixOwner: 'kernel' }, [write(0, 0, '0xfee00000'), read(20, 0)], { driver: 'none' });
    assert.deepEqual(served(since(sim)), ['user', 'user']);
    assert.equal(of(since(sim), 'kvm.table').length, 0);
  });

  it('S2-7 whole entries, mask included, need no flag: all four dwords are served by KVM', () => {
    const sim = machine({ msixOwner: 'kernel' }, readAll);
    assert.deepEqual(served(since(sim)), ['kernel', 'kernel', 'kernel', 'kernel']);
    assert.equal(of(since(sim), 'ioctl').length, 0);
  });

  it('S2-8 an exit of its own tells of a changed entry, then the route is set', () => {
    const sim = machine({ msixOwner: 'perEntry' }, [write(0, 8, '0x55')]);
    const order = of(since(sim), 'kvm.userspace', 'tbl.write', 'route.set').map((e) => [e.kind, e.fields.reason]);
    assert.deepEqual(order, [
      ['tbl.write', undefined],
      ['kvm.userspace', 'KVM_EXIT_MSIX_ENTRY_UPDATED'],
      ['route.set', undefined],
    ]);
    assert.equal(cell(sim, 'kvm/0/route/25', kvmRoute.at.data), 0x55);
  });

  it('S2-9 mask bits are covered whether or not the entry is enabled: such a write never exits', () => {
    const toggle = at(0, 'guest.toggle', entry(2));
    const sim = machine({ msixOwner: 'perEntry' }, [toggle], { vectors: 3, irqs: 2 });
    assert.equal(exits(since(sim)), 0);
    assert.deepEqual(served(since(sim)), ['kernel', 'kernel', 'kernel', 'kernel']);
    assert.equal(exits(since(machine({}, [toggle], { vectors: 3, irqs: 2 }))), 4);
  });

  it('S2-13 per entry or all in kernel: the designs differ in exits for each class of access', () => {
    const work = [...readAll, write(100, 8, '0x44'), write(120, 12, '0x1')];
    const cost = (msixOwner: string): number[] =>
      of(since(machine({ msixOwner }, work, { vectors: 2, irqs: 1 })), 'tbl.write', 'tbl.read').map((e) =>
        Number(e.fields.exits),
      );
    assert.deepEqual(cost('user'), [1, 1, 1, 1, 1, 1]);
    // Entry 1 is not enabled: only its vector control is KVM's.
    assert.deepEqual(cost('perEntry'), [1, 1, 1, 0, 1, 0]);
    assert.deepEqual(cost('kernel'), [0, 0, 0, 0, 1, 0]);
    assert.deepEqual(cost('internal'), [0, 0, 0, 0, 0, 0]);
  });

  it('S2-17 all in kernel: reads come from the shadow, a write of address or data is recorded and notified', () => {
    const sim = machine({ msixOwner: 'kernel' }, [write(0, 8, '0x66'), read(50, 8)]);
    const [w, r] = of(since(sim), 'tbl.write', 'tbl.read');
    assert.deepEqual([w?.fields.served, w?.fields.exits], ['kernel', 1]);
    assert.deepEqual([r?.fields.served, r?.fields.exits, r?.fields.value], ['kernel', 0, '0x66']);
  });

  it('S2-18 KVM implements all and some writes notify: mask writes do not', () => {
    const sim = machine({ msixOwner: 'kernel' }, [write(0, 0, '0xfee00000'), write(50, 12, '0x1')]);
    assert.deepEqual(
      of(since(sim), 'tbl.write').map((e) => [e.fields.served, e.fields.exits]),
      [
        ['kernel', 1],
        ['kernel', 0],
      ],
    );
  });

  it('S2-19 a shadow in user memory can fail: -EFAULT, and the VMM serves the access', () => {
    const sim = machine({ msixOwner: 'umem', userMemory: 'unmapped' }, [read(0, 8)]);
    assert.deepEqual(rules(since(sim)), ['EFAULT']);
    assert.deepEqual(served(since(sim)), ['user']);
    assert.deepEqual(served(since(machine({ msixOwner: 'umem' }, [read(0, 8)]))), ['kernel']);
  });

  it('S2-19 a shadow in private memory of the guest: KVM cannot take the table, and all is as with the VMM alone', () => {
    const work = [read(0, 8), write(10, 12, '0x1'), at(20, 'device.raise', entry(1)), write(30, 12, '0x0')];
    const hidden = machine({ msixOwner: 'umem', userMemory: 'private' }, work);
    const defined = of(setup(hidden), 'ioctl').filter((e) => e.fields.name === 'KVM_DEFINE_MSIX_TABLE');
    assert.ok(defined.length > 0 && defined.every((e) => e.fields.ret === -14));
    assert.equal(of(setup(hidden), 'kvm.table.define').length, 0);
    const user = machine({ msixOwner: 'user' }, work);
    const told = (sim: typeof user): unknown[] =>
      since(sim)
        .filter((e) => e.kind !== 'ioctl')
        .map((e) => [e.time, e.kind, e.object, e.fields]);
    assert.deepEqual(told(hidden), told(user));
    assert.ok(exits(since(machine({ msixOwner: 'umem' }, work))) < exits(since(hidden)));
  });

  it('S2-21 without notification nobody exits, and the route stays behind', () => {
    const sim = machine({ msixOwner: 'kernel', msixNotify: 'none' }, [write(0, 8, '0x77')]);
    assert.equal(exits(since(sim)), 0);
    // The entries were programmed without notification as well: there is no route at all.
    assert.equal(cell(sim, 'kvm/0/route/25', kvmRoute.at.data), -1);
  });

  it('S2-21 all in the kernel, routing as well: no notification is needed, and the interrupt goes where the guest wrote', () => {
    const raise = at(50, 'device.raise', entry(1));
    const work = [write(0, 12, '0x1'), write(10, 8, '0x77'), write(20, 12, '0x0'), raise];
    const all = since(machine({ msixOwner: 'internal', msixNotify: 'none' }, work));
    assert.equal(exits(all), 0);
    assert.deepEqual(
      of(all, 'apic.accept').map((e) => e.object),
      ['vcpu/1/vector/119'],
    );
    // Where the VMM keeps the routes, silence loses the interrupt: that is what notification is for.
    const silent = since(machine({ msixOwner: 'kernel', msixNotify: 'none' }, work));
    assert.deepEqual([of(silent, 'apic.accept').length, of(silent, 'drop').length], [0, 1]);
  });

  it('S2-23 KVM can route by itself: the route follows the write without any call of the VMM', () => {
    const sim = machine({ msixOwner: 'internal' }, [write(0, 8, '0x77')]);
    assert.equal(exits(since(sim)), 0);
    assert.deepEqual(of(since(sim), 'ioctl', 'route.commit'), []);
    assert.equal(of(since(sim), 'route.set').length, 1);
    assert.equal(cell(sim, 'kvm/0/route/25', kvmRoute.at.data), 0x77);
  });

  it('S2-28 record, exit with a reason of its own, fetch, reprogram: in this order', () => {
    const sim = machine({ msixOwner: 'kernel' }, [write(0, 8, '0x55')]);
    const order = of(since(sim), 'tbl.write', 'kvm.userspace', 'ioctl', 'route.set', 'kvm.entry').map((e) => e.kind);
    assert.deepEqual(order, ['tbl.write', 'kvm.userspace', 'ioctl', 'route.set', 'kvm.entry']);
    assert.deepEqual(ioctls(since(sim)), ['KVM_GET_MSIX_ENTRY']);
  });

  it('S2-29 an ordinary MMIO exit carries address and value: no reason of its own, nothing to fetch', () => {
    const sim = machine({ msixOwner: 'kernel', msixNotify: 'mmio' }, [write(0, 8, '0x55')]);
    const [mmio] = of(since(sim), 'kvm.mmio');
    assert.deepEqual([mmio?.fields.address, mmio?.fields.value], ['0xc0000018', '0x55']);
    assert.deepEqual(
      of(since(sim), 'kvm.userspace').map((e) => e.fields.reason),
      ['KVM_EXIT_MMIO'],
    );
    assert.deepEqual(ioctls(since(sim)), []);
    assert.equal(cell(sim, 'kvm/0/route/25', kvmRoute.at.data), 0x55);
  });

  it('S2-30 the routing table as cache: routed entries hit, others miss', () => {
    const reads = [at(0, 'guest.read', entry(0), { offset: 8 }), at(50, 'guest.read', entry(2), { offset: 8 })];
    const sim = machine({ msixOwner: 'cache' }, reads, { vectors: 3, irqs: 2 });
    assert.deepEqual(
      of(since(sim), 'tbl.read').map((e) => [e.object, e.fields.served, e.fields.exits]),
      [
        [entry(0), 'kernel', 0],
        [entry(2), 'user', 1],
      ],
    );
  });

  it('S2-31 enabled means routed: a route that is released makes the entry miss', () => {
    const sim = machine({ msixOwner: 'cache' }, [
      at(0, 'guest.read', entry(1), { offset: 8 }),
      at(50, 'kvm.route.release', 'kvm/0', { gsi: 25 }),
      at(100, 'guest.read', entry(1), { offset: 8 }),
    ]);
    assert.deepEqual(served(since(sim)), ['kernel', 'user']);
  });

  it('S2-32 only the mask bit in kernel: offset 12 is served there and nothing else', () => {
    const writes = [0, 4, 8, 12].map((offset, i) => write(i * 50, offset, '0x1'));
    const sim = machine({ msixOwner: 'maskBit' }, writes);
    assert.deepEqual(served(since(sim)), ['user', 'user', 'user', 'kernel']);
  });

  it('S2-37 emulated completely: no dword of any entry is left to the VMM', () => {
    for (const msixOwner of ['kernel', 'umem', 'internal']) {
      const work = [...readAll, ...[0, 4, 8, 12].map((offset, i) => write(200 + i * 50, offset, '0x1'))];
      assert.deepEqual(new Set(served(since(machine({ msixOwner }, work)))), new Set(['kernel']), msixOwner);
    }
  });

  it('S2-38 the VMM keeps the routing and KVM informs it: the route is set after the exit, by the VMM', () => {
    const sim = machine({ msixOwner: 'kernel' }, [write(0, 8, '0x55')]);
    const [set] = of(since(sim), 'route.set');
    assert.equal(set?.task, 'vmm/vm0');
    assert.equal(of(since(sim), 'route.commit').length, 1);
  });

  it('S2-46 reads need the entry only: all of it without exit once KVM holds it', () => {
    assert.equal(exits(since(machine({ msixOwner: 'kernel' }, readAll))), 0);
    assert.equal(exits(since(machine({ msixOwner: 'perEntry' }, readAll))), 0);
    assert.equal(exits(since(machine({ msixOwner: 'maskBit' }, readAll))), 3);
  });

  it('S2-47 two read paths: INV-CACHEEQ breaks when the cache holds another message than the table', () => {
    const stale = at(0, 'kvm.route.set', 'kvm/0', { gsi: 25, address: '0xfee00000', data: '0x99' });
    const wrong = since(machine({ msixOwner: 'cache' }, [stale, read(50, 8), read(100, 12)]));
    assert.deepEqual(rules(wrong), ['INV-CACHEEQ']);
    assert.equal(of(wrong, 'tbl.read')[0]?.fields.value, '0x99');
    assert.deepEqual(rules(since(machine({ msixOwner: 'cache' }, [read(50, 8), read(100, 12)]))), []);
    // What was shown wrong is not what the entry holds.
    const own = since(machine({ msixOwner: 'kernel' }, [stale, read(50, 8)]));
    assert.equal(of(own, 'tbl.read')[0]?.fields.value, '0x21');
  });

  it('S2-20 assigned devices and virtio are told apart: each signal names its source, what the VMM sends comes by no eventfd', () => {
    const raise = at(0, 'device.raise', entry(0));
    const told = (source: 'irqfd' | 'vhost' | 'userspace' | 'hostirq'): unknown[] => {
      const all = since(machine({ msixOwner: 'kernel' }, [raise], { source }));
      const wakeups = of(all, 'irqfd.wakeup').map((e) => e.fields.source);
      return [...wakeups, ...of(all, 'kvm.msi').map((e) => e.task)];
    };
    assert.deepEqual(told('userspace'), [`bus/${BDF}`]);
    for (const source of ['irqfd', 'vhost', 'hostirq'] as const) assert.deepEqual(told(source), [source, 'kvm/irqfd']);
  });

  it('S2-74 enabled is a word of Linux: what is sent depends on enable, function mask and mask bit alone', () => {
    const raise = (us: number): object => at(us, 'device.raise', entry(0));
    const control = (us: number, enable: boolean, fmask: boolean): object =>
      at(us, 'guest.control', DEVICE, { enable, fmask });
    const sim = machine({ msixOwner: 'kernel' }, [
      raise(0),
      control(100, true, true),
      raise(200),
      control(300, true, false),
      control(400, false, false),
      raise(500),
    ]);
    const taken = (us: number, until: number): number =>
      of(since(sim, us), 'apic.accept').length - of(since(sim, until), 'apic.accept').length;
    assert.deepEqual([taken(0, 100), taken(200, 300), taken(300, 400), taken(500, 600)], [1, 0, 1, 0]);
    assert.deepEqual(
      of(since(sim, 500), 'drop').map((e) => e.fields.reason),
      ['MSI-X is not enabled'],
    );
  });
});
