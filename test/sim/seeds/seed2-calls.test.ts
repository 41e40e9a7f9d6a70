import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { kvmRoute, kvmTable } from '../../../src/model/things/virt.ts';
import { accepted, at, BDF, cell, DEVICE, entry, ioctls, machine, of, setup, since } from './seed2-machine.ts';

const EINVAL = -22;
const ENOENT = -2;
const EEXIST = -17;
const call = (us: number, op: string, args: object): object => at(us, op, 'kvm/0', args);
const disable = at(0, 'guest.control', DEVICE, { enable: false });
const write = (us: number, offset: number, value: string): object => at(us, 'guest.write', entry(0), { offset, value });
/** What the ioctls of some events returned. */
const returns = (all: Parameters<typeof of>[0]): unknown[] => of(all, 'ioctl').map((e) => e.fields.ret);

describe('S2: the calls', () => {
  it('S2-5 an entry that KVM does not hold: -EINVAL, or success with a flag', () => {
    const get = [call(0, 'kvm.getEntry', { table: 0, entry: 1 })];
    const device = { irqs: 1 };
    const [error] = of(since(machine({ msixOwner: 'perEntry' }, get, device)), 'ioctl');
    assert.deepEqual([error?.fields.ret, error?.fields.flags], [EINVAL, undefined]);
    const [flag] = of(since(machine({ msixOwner: 'perEntry', missingEntry: 'flag' }, get, device)), 'ioctl');
    assert.deepEqual([flag?.fields.ret, flag?.fields.flags, flag?.fields.data], [0, '0x1', undefined]);
    const held = [call(0, 'kvm.getEntry', { table: 0, entry: 0 })];
    const [there] = of(since(machine({ msixOwner: 'perEntry', missingEntry: 'flag' }, held, device)), 'ioctl');
    assert.deepEqual([there?.fields.ret, there?.fields.flags, there?.fields.data], [0, '0x0', '0x21']);
  });

  it('S2-6 the query is rare: none while it runs, a burst of all entries at disable', () => {
    const sim = machine({ msixOwner: 'kernel' }, [at(-100, 'device.raise', entry(0)), disable], {
      vectors: 4,
      irqs: 2,
    });
    assert.deepEqual(ioctls(since(sim, -100)).slice(0, 4), Array(4).fill('KVM_GET_MSIX_ENTRY'));
    assert.ok(!ioctls(since(sim, -100).filter((e) => Number(e.time) < 1e-3)).length);
  });

  it('S2-11 the VMM has to synchronise before MSI-X goes off: fetched, then removed', () => {
    const sim = machine({ msixOwner: 'kernel' }, [disable]);
    assert.deepEqual(ioctls(since(sim)), [
      'KVM_GET_MSIX_ENTRY',
      'KVM_GET_MSIX_ENTRY',
      'KVM_GET_MSIX_PENDING',
      'KVM_REMOVE_MSIX_TABLE',
    ]);
  });

  it('S2-48 the table is defined when the guest enables MSI-X, and only when it is sound', () => {
    const sim = machine({ msixOwner: 'kernel' });
    const order = of(setup(sim), 'cfg.write', 'ioctl', 'kvm.table').map((e) => e.fields.name ?? e.kind);
    assert.deepEqual(order.slice(0, 3), ['cfg.write', 'KVM_DEFINE_MSIX_TABLE', 'kvm.table']);
    const [defined] = of(setup(sim), 'kvm.table');
    assert.deepEqual(defined?.fields, { device: BDF, entries: 2, base: '0xc0000000', pendingBase: '0xc0008000' });
    const base = '0xd0000000';
    const pendingBase = '0xd0010000';
    const define = (us: number, args: object): object =>
      call(us, 'kvm.defineTable', { table: 7, device: BDF, entries: 2, base, pendingBase, ...args });
    const tries = machine({ msixOwner: 'kernel' }, [
      define(0, { entries: 0 }),
      define(10, { entries: 2049 }),
      define(20, { base: '0x1000' }),
      define(30, { base: '0xd0000008' }),
      define(40, { base, pendingBase: base }),
      define(50, { base: '0xc0000010' }),
      define(60, { table: 0 }),
      define(70, { entries: 2048 }),
    ]);
    assert.deepEqual(returns(since(tries)), [EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EEXIST, EEXIST, 0]);
    assert.equal(cell(tries, 'kvm/0/msix/7', kvmTable.at.entries), 2048);
  });

  it('S2-49 the table is removed at disable: what KVM held is gone, and accesses go to the VMM', () => {
    const work = [write(-200, 12, '0x1'), at(-100, 'device.raise', entry(0)), disable, write(100, 8, '0x5')];
    const sim = machine({ msixOwner: 'kernel' }, work);
    assert.equal(of(since(sim), 'kvm.table.remove').length, 1);
    assert.equal(cell(sim, 'kvm/0/msix/0', kvmTable.at.entries), -1);
    assert.equal(of(since(sim), 'tbl.write')[0]?.fields.served, 'user');
    // What was pending is returned to the VMM.
    const pending = of(since(sim), 'ioctl').find((e) => e.fields.name === 'KVM_GET_MSIX_PENDING');
    assert.equal(pending?.fields.pending, '0x1');
    const again = machine({ msixOwner: 'kernel' }, [disable, call(100, 'kvm.removeTable', { table: 0 })]);
    assert.equal(returns(since(again, 100)).at(-1), ENOENT);
  });

  it('S2-50 define, then set entries, then the first interrupt', () => {
    const sim = machine({ msixOwner: 'kernel' }, [at(0, 'device.raise', entry(0))]);
    const all = [...setup(sim), ...since(sim)];
    const first = (name: string): number => all.findIndex((e) => e.fields.name === name);
    const define = first('KVM_DEFINE_MSIX_TABLE');
    const set = first('KVM_SET_MSIX_ENTRY');
    const came = all.findIndex((e) => e.kind === 'apic.accept');
    assert.ok(define >= 0 && define < set && set < came, `${define} ${set} ${came}`);
    assert.equal(all.filter((e) => e.fields.name === 'KVM_SET_MSIX_ENTRY').length, 2);
  });

  it('S2-51 every exit about an entry is followed by a fetch of that entry', () => {
    const sim = machine({ msixOwner: 'kernel' }, [write(0, 0, '0xfee01000'), write(50, 8, '0x31')]);
    const pairs = of(since(sim), 'kvm.userspace', 'ioctl').map(
      (e) => e.fields.reason ?? [e.fields.name, e.fields.entry],
    );
    const fetch = ['KVM_GET_MSIX_ENTRY', 0];
    assert.deepEqual(pairs, ['KVM_EXIT_MSIX_ENTRY_UPDATED', fetch, 'KVM_EXIT_MSIX_ENTRY_UPDATED', fetch]);
  });

  it('S2-53 an entry is tied to its source; one tied to none drops what comes', () => {
    const sim = machine({ msixOwner: 'kernel' }, [
      call(0, 'kvm.setEntryIrq', { table: 0, entry: 0, gsi: -1 }),
      at(50, 'device.raise', entry(0)),
      call(100, 'kvm.setEntryIrq', { table: 0, entry: 0, gsi: 24 }),
      at(150, 'device.raise', entry(0)),
    ]);
    assert.deepEqual(
      of(since(sim), 'drop').map((e) => [e.object, e.fields.reason]),
      [[entry(0), 'the entry is tied to no interrupt source']],
    );
    assert.equal(accepted(since(sim)).length, 1);
    assert.deepEqual(
      of(setup(sim), 'kvm.table.entry')
        .filter((e) => 'gsi' in e.fields)
        .map((e) => e.fields.gsi),
      [24, 25],
    );
    const wrong = machine({ msixOwner: 'kernel' }, [
      call(0, 'kvm.setEntryIrq', { table: 0, entry: 2, gsi: 24 }),
      call(10, 'kvm.setEntryIrq', { table: 0, entry: 0, gsi: 4096 }),
      call(20, 'kvm.setEntryIrq', { table: 3, entry: 0, gsi: 24 }),
      call(30, 'kvm.setEntry', { table: 0, entry: 2 }),
      call(40, 'kvm.getEntry', { table: 0, entry: 2 }),
      call(50, 'kvm.getEntry', { table: 3, entry: 0 }),
    ]);
    assert.deepEqual(returns(since(wrong)), [EINVAL, EINVAL, ENOENT, EINVAL, EINVAL, ENOENT]);
  });

  it('S2-54 works for virtio and for assigned devices: the same table, calls and deliveries', () => {
    const run = (source: 'irqfd' | 'hostirq'): unknown[] => {
      const all = since(machine({ msixOwner: 'kernel' }, [at(0, 'device.raise', entry(1))], { source }));
      return [accepted(all), of(all, 'irqfd.wakeup').map((e) => e.object)];
    };
    assert.deepEqual(run('irqfd'), [['vcpu/1/vector/33'], ['kvm/0/irqfd/25']]);
    assert.deepEqual(run('hostirq'), run('irqfd'));
  });

  it('S2-54 pending, of which the thread was not sure, is the same for both as well: kept while masked, delivered once', () => {
    const run = (source: 'irqfd' | 'hostirq'): unknown[] => {
      const work = [
        write(0, 12, '0x1'),
        at(50, 'device.raise', entry(0)),
        at(70, 'device.raise', entry(0)),
        at(100, 'guest.pba.read', DEVICE),
        write(150, 12, '0x0'),
        at(250, 'guest.pba.read', DEVICE),
      ];
      const sim = machine({ msixOwner: 'kernel', pbaRead: 'kernel' }, work, { source });
      const all = since(sim);
      const reads = of(all, 'pba.read').map((e) => e.fields.value);
      return [accepted(all).length - accepted(since(sim, 150)).length, reads, accepted(since(sim, 150)), ioctls(all)];
    };
    assert.deepEqual(run('irqfd'), [0, ['0x1', '0x0'], ['vcpu/0/vector/33'], []]);
    assert.deepEqual(run('hostirq'), run('irqfd'));
  });

  it('S2-61 the VMM has to know when to reprogram: no route is set without an exit before it', () => {
    const sim = machine({ msixOwner: 'kernel' }, [write(0, 8, '0x31'), write(50, 12, '0x1')]);
    const order = of(since(sim), 'kvm.userspace', 'route.set').map((e) => e.kind);
    assert.deepEqual(order, ['kvm.userspace', 'route.set']);
    assert.equal(cell(sim, 'kvm/0/route/24', kvmRoute.at.data), 0x31);
  });

  it('S2-64 an irqfd that stands for a table entry follows the table, one that stands for a route does not', () => {
    const work = [write(0, 8, '0x31'), at(50, 'device.raise', entry(0))];
    const silent = { msixOwner: 'internal' };
    const stale = [
      ...work.slice(0, 1),
      call(20, 'kvm.route.set', { gsi: 24, address: '0xfee00000', data: '0x21' }),
      ...work.slice(1),
    ];
    assert.deepEqual(accepted(since(machine({ ...silent, irqfdTarget: 'route' }, stale))), ['vcpu/0/vector/33']);
    assert.deepEqual(accepted(since(machine({ ...silent, irqfdTarget: 'entry' }, stale))), ['vcpu/0/vector/49']);
  });

  it('S2-69 KVM does not see config space: every change of enable reaches it as a call', () => {
    const enable = at(100, 'guest.control', DEVICE, { enable: true });
    const sim = machine({ msixOwner: 'kernel' }, [disable, enable]);
    const order = of(since(sim), 'cfg.write', 'ioctl')
      .map((e) => e.fields.name ?? e.kind)
      .filter((name) => !/GET|SET/.test(String(name)));
    assert.deepEqual(order, ['cfg.write', 'KVM_REMOVE_MSIX_TABLE', 'cfg.write', 'KVM_DEFINE_MSIX_TABLE']);
  });
});
