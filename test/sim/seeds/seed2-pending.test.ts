import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { irq as irqType } from '../../../src/model/things/irq.ts';
import {
  accepted,
  at,
  booksBalance,
  cell,
  DEVICE,
  entry,
  exits,
  machine,
  of,
  pending,
  rules,
  since,
} from './seed2-machine.ts';

const mask = (us: number, on = true): object =>
  at(us, 'guest.write', entry(0), { offset: 12, value: on ? '0x1' : '0x0' });
const raise = (us: number): object => at(us, 'device.raise', entry(0));
const withdraw = (us: number): object => at(us, 'device.withdraw', entry(0));
const readPba = (us: number, size = 8): object => at(us, 'guest.pba.read', DEVICE, { size });
const OWNERS = ['user', 'maskBit', 'perEntry', 'kernel', 'cache', 'umem', 'internal'];
/** What reads of the pending bits showed. */
const shown = (all: Parameters<typeof of>[0]): unknown[] => of(all, 'pba.read').map((e) => e.fields.value);

describe('S2: pending bits', () => {
  it('S2-10 the pending bits are another range: with only the mask bit in kernel their reads exit', () => {
    const sim = machine({ msixOwner: 'maskBit' }, [readPba(0)]);
    const [read] = of(since(sim), 'pba.read');
    assert.deepEqual([read?.fields.served, read?.fields.exits, read?.fields.first], ['user', 1, 0]);
    const [mmio] = of(since(sim), 'kvm.mmio');
    assert.equal(mmio?.fields.address, '0xc0008000');
  });

  it('S2-12 a masked entry latches what comes and sends it once after the unmask, in every design', () => {
    for (const msixOwner of OWNERS)
      for (const source of ['userspace', 'irqfd'] as const) {
        const sim = machine({ msixOwner }, [mask(0), raise(50), raise(60), mask(100, false)], { source });
        assert.deepEqual(accepted(since(sim, 0)), ['vcpu/0/vector/33'], `${msixOwner} ${source}`);
        assert.equal(
          since(sim, 100).some((e) => e.kind === 'apic.accept'),
          true,
        );
        assert.equal(pending(sim, 0), false);
        assert.ok(booksBalance(sim), msixOwner);
      }
  });

  it('S2-14 pbaAlwaysZero breaks INV-PBA: the read shows 0 while a cause is kept, delivery is right', () => {
    for (const msixOwner of ['user', 'kernel']) {
      const work = [mask(0), raise(50), readPba(100), mask(200, false)];
      const pba = { pbaRead: msixOwner === 'user' ? 'exit' : 'kernel' };
      const bad = machine({ msixOwner, pbaAlwaysZero: 'on', ...pba }, work);
      assert.deepEqual(shown(since(bad)), ['0x0']);
      assert.deepEqual(rules(since(bad)), ['INV-PBA']);
      assert.equal(accepted(since(bad, 200)).length, 1);
      const good = machine({ msixOwner, ...pba }, work);
      assert.deepEqual(shown(since(good)), ['0x1']);
      assert.deepEqual(rules(since(good)), []);
    }
  });

  it('S2-15 pending of an assigned device shows in the descriptor of its host interrupt: disabled, and one came', () => {
    const device = { source: 'hostirq', hostIrq: 40 } as const;
    const status = (work: readonly object[]): unknown[] => {
      const sim = machine({ msixOwner: 'kernel' }, work, device);
      return [irqType.at.disabled, irqType.at.latched].map((n) => cell(sim, 'irq/40', n));
    };
    assert.deepEqual(status([mask(0)]), [1, 0]);
    assert.deepEqual(status([mask(0), raise(50)]), [1, 1]);
    assert.deepEqual(status([mask(0), raise(50), mask(100, false)]), [0, 0]);
    // The descriptor and the pending bit of the guest tell the same.
    assert.equal(pending(machine({ msixOwner: 'kernel' }, [mask(0), raise(50)], device), 0), true);
  });

  it('S2-15 whatever the guest and the device do, the pending bit of the guest follows from the descriptor alone', () => {
    const device = { source: 'hostirq', hostIrq: 40 } as const;
    const moves = [(us: number) => mask(us), (us: number) => mask(us, false), (us: number) => raise(us)];
    // Every sequence of five moves.
    for (let code = 0; code < 3 ** 5; code++) {
      const work = Array.from({ length: 5 }, (_, i) => moves[Math.floor(code / 3 ** i) % 3]!(i * 100));
      const sim = machine({ msixOwner: 'kernel' }, work, device);
      const told = of(since(sim), 'irq.status').at(-1)?.fields;
      const derived = told?.disabled === true && told.pending === true;
      assert.equal(pending(sim, 0) ?? false, derived, `moves ${code.toString(3)}`);
      // Lazily disabled: while it is so nothing reaches the eventfd.
      assert.equal(of(since(sim), 'irqfd.wakeup').length, accepted(since(sim)).length, `moves ${code.toString(3)}`);
    }
  });

  it('S2-16 the pending bits are part of the state from the start, also where a design cannot read them', () => {
    const sim = machine({ msixOwner: 'maskBit', pbaAlwaysZero: 'on' }, [mask(0), raise(50)]);
    assert.equal(pending(sim, 0), true);
    assert.equal(pending(machine({ msixOwner: 'maskBit' }, [mask(0)]), 0) ?? false, false);
  });

  it('S2-26 KVM can serve reads of the pending bits: no exit, and the bit that is kept', () => {
    const sim = machine({ msixOwner: 'kernel', pbaRead: 'kernel' }, [
      mask(0),
      raise(50),
      readPba(100),
      readPba(150, 4),
    ]);
    assert.equal(exits(since(sim)), 0);
    assert.deepEqual(
      of(since(sim), 'pba.read').map((e) => [e.fields.served, e.fields.size, e.fields.value]),
      [
        ['kernel', 8, '0x1'],
        ['kernel', 4, '0x1'],
      ],
    );
  });

  it('S2-33 a device that raises through an irqfd while masked sets the pending bit', () => {
    const sim = machine({ msixOwner: 'kernel' }, [mask(0), raise(50)]);
    assert.deepEqual(
      of(since(sim, 50), 'irqfd.wakeup', 'dev.raise').map((e) => [e.kind, e.object]),
      [
        ['irqfd.wakeup', 'kvm/0/irqfd/24'],
        ['dev.raise', entry(0)],
      ],
    );
    assert.equal(pending(sim, 0), true);
    assert.deepEqual(accepted(since(sim)), []);
  });

  it('S2-45 a guest that uses pending bits works with acceleration: INV-PBA holds in every design', () => {
    for (const msixOwner of OWNERS)
      for (const pbaRead of ['exit', 'kernel', 'umem']) {
        const work = [readPba(0), mask(50), raise(100), readPba(150), mask(200, false), readPba(250)];
        const all = since(machine({ msixOwner, pbaRead }, work));
        assert.deepEqual(shown(all), ['0x0', '0x1', '0x0'], `${msixOwner} ${pbaRead}`);
        assert.deepEqual(rules(all), []);
      }
  });

  it('S2-57 pending bits in kernel cannot support polling: a cause that the device took back is still shown', () => {
    const work = [mask(0), raise(50), withdraw(100), readPba(150)];
    const kernel = since(machine({ msixOwner: 'kernel', pbaRead: 'kernel' }, work));
    assert.deepEqual(shown(kernel), ['0x1']);
    assert.deepEqual(rules(kernel), ['INV-PBA']);
    const exit = since(machine({ msixOwner: 'kernel', pbaRead: 'exit' }, work));
    assert.deepEqual(shown(exit), ['0x0']);
    assert.deepEqual(rules(exit), []);
  });

  it('S2-58 reads that cost nothing beside reads that exit: the table is fast, the pending bits are slow', () => {
    const work = [at(0, 'guest.read', entry(0), { offset: 8 }), readPba(50)];
    const all = since(machine({ msixOwner: 'kernel', pbaRead: 'exit' }, work));
    assert.deepEqual(
      of(all, 'tbl.read', 'pba.read').map((e) => e.fields.exits),
      [0, 1],
    );
  });

  it('S2-59 get and clear: the VMM takes what is pending, nothing is sent at the unmask', () => {
    const work = [mask(0), raise(50), at(100, 'kvm.getClearPending', 'kvm/0', { table: 0 }), mask(150, false)];
    const sim = machine({ msixOwner: 'kernel' }, work);
    const [call] = of(since(sim), 'ioctl');
    assert.deepEqual([call?.fields.name, call?.fields.ret, call?.fields.pending], ['KVM_GET_CLEAR_PENDING', 0, '0x1']);
    assert.equal(pending(sim, 0), false);
    assert.deepEqual(accepted(since(sim)), []);
    assert.ok(booksBalance(sim));
  });

  it('S2-60 nobody can make vhost signal: its pending bit shows only then, that of an irqfd at once', () => {
    const work = [mask(0), raise(50), readPba(55), readPba(100)];
    const run = (source: 'irqfd' | 'vhost' | 'hostirq'): unknown[] =>
      shown(since(machine({ msixOwner: 'kernel', pbaRead: 'kernel' }, work, { source })));
    assert.deepEqual(run('irqfd'), ['0x1', '0x1']);
    assert.deepEqual(run('hostirq'), ['0x1', '0x1']);
    assert.deepEqual(run('vhost'), ['0x0', '0x1']);
  });

  it('S2-60 a mask is synchronous for sources that can be asked; what vhost holds back comes behind it, and pends', () => {
    const run = (source: 'irqfd' | 'vhost'): unknown[] => {
      // The cause lies before the mask; the read behind the mask makes sure of everything that can be asked.
      const work = [raise(0), mask(5), at(8, 'guest.read', entry(0)), readPba(12), readPba(100), mask(150, false)];
      const sim = machine({ msixOwner: 'kernel', pbaRead: 'kernel' }, work, { source });
      const late = accepted(since(sim, 150)).length;
      return [accepted(since(sim)).length - late, shown(since(sim)), late];
    };
    assert.deepEqual(run('irqfd'), [1, ['0x0', '0x0'], 0], 'delivered before the read is complete');
    assert.deepEqual(run('vhost'), [0, ['0x0', '0x1'], 1], 'nobody could make it signal before');
  });

  it('S2-62 pending bits in user memory: the device model clears them itself, no exit', () => {
    const sim = machine({ msixOwner: 'kernel', pbaRead: 'umem' }, [mask(0), raise(50), withdraw(100), readPba(150)]);
    assert.deepEqual(shown(since(sim)), ['0x0']);
    assert.equal(exits(since(sim)), 0);
    assert.deepEqual(
      of(since(sim), 'dev.withdraw').map((e) => e.object),
      [entry(0)],
    );
  });

  it('S2-56 state in memory that is swapped out: on the interrupt path the pending bit is set later, by a worker', () => {
    const work = [mask(0), raise(50)];
    const late = since(machine({ msixOwner: 'umem', userMemory: 'swapped' }, work), 50);
    const [signal, latch] = of(late, 'irqfd.wakeup', 'dev.raise');
    assert.deepEqual([signal?.kind, latch?.kind], ['irqfd.wakeup', 'dev.raise']);
    assert.ok(Number(latch!.time) - Number(signal!.time) > 50e-6);
    const soon = of(since(machine({ msixOwner: 'umem' }, work), 50), 'irqfd.wakeup', 'dev.raise');
    assert.equal(soon[0]?.time, soon[1]?.time);
  });

  it('S2-66 an update at interrupt time costs: with the page gone a read in between misses the pending bit', () => {
    const work = [mask(0), raise(50), readPba(70), readPba(200)];
    const design = { msixOwner: 'umem', pbaRead: 'umem' };
    assert.deepEqual(shown(since(machine({ ...design, userMemory: 'swapped' }, work))), ['0x0', '0x1']);
    assert.deepEqual(shown(since(machine({ ...design, userMemory: 'pinned' }, work))), ['0x1', '0x1']);
  });

  it('S2-67 the pending bit is set only when masked: an open entry sends and shows nothing', () => {
    const sim = machine({ msixOwner: 'umem', pbaRead: 'umem' }, [
      raise(0),
      readPba(50),
      mask(100),
      raise(150),
      readPba(200),
    ]);
    assert.deepEqual(shown(since(sim)), ['0x0', '0x1']);
    assert.equal(accepted(since(sim)).length, 1);
  });

  it('S2-72 a read that goes to the VMM clears stale bits before it answers', () => {
    const work = [mask(0), raise(50), withdraw(100), readPba(150)];
    const sim = machine({ msixOwner: 'kernel', pbaRead: 'exit' }, work);
    assert.deepEqual(
      of(since(sim, 150), 'kvm.userspace', 'dev.withdraw', 'pba.read').map((e) => e.kind),
      ['kvm.userspace', 'dev.withdraw', 'pba.read'],
    );
    // The bit stays until it is read.
    assert.equal(pending(machine({ msixOwner: 'kernel', pbaRead: 'exit' }, work.slice(0, 3)), 0), true);
  });

  it('S2-73 what the kernel keeps suffices for the specification: every cause is delivered once after the unmask', () => {
    const work = [mask(0), raise(50), readPba(100), mask(150, false), raise(200)];
    const sim = machine({ msixOwner: 'kernel', pbaRead: 'kernel' }, work);
    assert.equal(accepted(since(sim)).length, 2);
    assert.equal(exits(since(sim)), 0);
    assert.equal(sim.machine.ledger.tally().delivered, 2);
  });
});

describe('S2: mask, write, read', () => {
  it('S2-63 a mask write alone promises nothing: what is under way still arrives', () => {
    for (const source of ['userspace', 'irqfd'] as const) {
      const sim = machine({ msixOwner: 'kernel' }, [mask(0), raise(0.5)], { source });
      const all = since(sim);
      const [written] = of(all, 'tbl.write');
      const [came] = of(all, 'apic.accept');
      assert.ok(Number(came?.time) > Number(written?.time), source);
      assert.deepEqual(rules(all), []);
    }
  });

  it('S2-55 a read flushes outstanding interrupts: INV-FLUSH holds, and breaks where masking does not wait', () => {
    // The raise comes so shortly before the read that its signal is under way when the read is served.
    const work = [mask(0), raise(0.5), at(0.1, 'guest.read', entry(0), { offset: 12 })];
    const good = since(machine({ msixOwner: 'kernel' }, work));
    assert.deepEqual(rules(good), []);
    assert.deepEqual(
      of(good, 'apic.accept', 'tbl.read').map((e) => e.kind),
      ['apic.accept', 'tbl.read'],
    );
    const bad = since(machine({ msixOwner: 'kernel', maskSync: 'never' }, work));
    assert.deepEqual(rules(bad), ['INV-FLUSH']);
    assert.deepEqual(
      of(bad, 'apic.accept', 'tbl.read').map((e) => e.kind),
      ['tbl.read', 'apic.accept'],
    );
  });
});
