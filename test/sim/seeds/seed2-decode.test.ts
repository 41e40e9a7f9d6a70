import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { decodersById } from '../../../src/model/message.ts';
import { msixEntry } from '../../../src/model/things/pci.ts';
import { kvmRoute, kvmTable } from '../../../src/model/things/virt.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import {
  accepted,
  at,
  booksBalance,
  cell,
  DEVICE,
  entry,
  exits,
  ioctls,
  machine,
  of,
  pending,
  rules,
  setup,
  since,
} from './seed2-machine.ts';

const read = (us: number, offset = 8): object => at(us, 'guest.read', entry(0), { offset });
const command = (us: number, memory: boolean): object => at(us, 'guest.command', DEVICE, { memory });
const raise = (us: number, i = 0): object => at(us, 'device.raise', entry(i));
const served = (all: Parameters<typeof of>[0]): unknown[] =>
  of(all, 'tbl.write', 'tbl.read').map((e) => e.fields.served);
/** The cells of both entries: message, mask and pending bit. */
const contents = (sim: Simulation): number[] =>
  [0, 1].flatMap((i) =>
    [msixEntry.at.address, msixEntry.at.address + 1, msixEntry.at.data, msixEntry.at.control, msixEntry.at.pending].map(
      (n) => cell(sim, entry(i), n),
    ),
  );

describe('S2: addresses and decoding', () => {
  it('S2-65 the table follows its BAR: it is defined again, and KVM serves it at the new address', () => {
    const sim = machine({ msixOwner: 'kernel' }, [at(0, 'guest.bar', DEVICE, { address: '0xd4000000' }), read(100)]);
    assert.equal(cell(sim, 'kvm/0/msix/0', kvmTable.at.base) >>> 0, 0xd4000000);
    const calls = ioctls(since(sim));
    assert.ok(calls.indexOf('KVM_REMOVE_MSIX_TABLE') < calls.indexOf('KVM_DEFINE_MSIX_TABLE'));
    assert.deepEqual(served(since(sim, 100)), ['kernel']);
    assert.equal(of(since(sim, 100), 'kvm.mmio')[0]?.fields.address, '0xd4000008');
  });

  it('S2-68 the table can be accessed while MSI-X is off: one owner at all times, or two', () => {
    const work = [read(0), at(50, 'guest.control', DEVICE, { enable: false }), read(100)];
    assert.deepEqual(served(since(machine({ msixOwner: 'kernel', defineTable: 'mapped' }, work))), [
      'kernel',
      'kernel',
    ]);
    assert.deepEqual(served(since(machine({ msixOwner: 'kernel', defineTable: 'enable' }, work))), ['kernel', 'user']);
  });

  it('S2-70 with memory decode off nobody claims (INV-DECODE); a kernel that was not told does', () => {
    const work = [command(0, false), read(50), at(100, 'guest.pba.read', DEVICE), command(150, true), read(200)];
    const good = since(machine({ msixOwner: 'kernel', pbaRead: 'kernel' }, work));
    assert.deepEqual(rules(good), ['memory-disabled', 'memory-disabled']);
    assert.deepEqual(
      of(good, 'tbl.read').map((e) => e.fields.served),
      ['kernel'],
    );
    const [first] = of(good, 'kvm.mmio');
    assert.deepEqual([first?.fields.write, first?.fields.value], [false, '0xffffffff']);
    const bad = since(machine({ msixOwner: 'kernel', pbaRead: 'kernel', stillClaims: 'on' }, work));
    assert.deepEqual(rules(bad), ['INV-DECODE', 'INV-DECODE']);
    assert.deepEqual(served(bad), ['kernel', 'kernel']);
    assert.equal(of(bad, 'kvm.mmio')[0]?.fields.value, '0x21');
  });

  it('S2-70 KVM itself does not see the Command register: a table that is defined meanwhile is served', () => {
    const define = at(50, 'kvm.defineTable', 'kvm/0', {
      table: 3,
      device: '0000:00:04.0',
      entries: 2,
      base: '0xc0000000',
      pendingBase: '0xc0008000',
    });
    const all = since(machine({ msixOwner: 'kernel' }, [command(0, false), define, read(100)]));
    assert.deepEqual(rules(all), ['INV-DECODE']);
  });

  it('S2-71 the disabling can be hooked: the table is taken from KVM before the guest goes on', () => {
    const sim = machine({ msixOwner: 'kernel' }, [command(0, false)]);
    const order = of(since(sim), 'cfg.write', 'kvm.table.remove', 'kvm.entry').map((e) => e.kind);
    assert.deepEqual(order, ['cfg.write', 'kvm.table.remove', 'kvm.entry']);
    const forgot = machine({ msixOwner: 'kernel', stillClaims: 'on' }, [command(0, false)]);
    assert.deepEqual(of(since(forgot), 'kvm.table.remove'), []);
  });

  it('S2-34 table and pending bits move with the machine: the state before is the state after', () => {
    const before = [at(0, 'guest.write', entry(0), { offset: 12, value: '0x1' }), raise(50)];
    const move = at(100, 'vm.migrate', 'kvm/0');
    const unmask = at(200, 'guest.write', entry(0), { offset: 12, value: '0x0' });
    for (const msixOwner of ['user', 'kernel', 'perEntry', 'umem']) {
      const still = contents(machine({ msixOwner }, before));
      assert.deepEqual(contents(machine({ msixOwner }, [...before, move])), still, msixOwner);
      assert.equal(still[4], 1);
      const sim = machine({ msixOwner }, [...before, move, unmask]);
      assert.equal(accepted(since(sim, 200)).length, 1);
      assert.ok(booksBalance(sim));
    }
    const calls = ioctls(since(machine({ msixOwner: 'kernel' }, [...before, move]), 100));
    assert.deepEqual(calls, [
      'KVM_GET_MSIX_ENTRY',
      'KVM_GET_MSIX_ENTRY',
      'KVM_GET_MSIX_PENDING',
      'KVM_REMOVE_MSIX_TABLE',
      'KVM_DEFINE_MSIX_TABLE',
      'KVM_SET_MSIX_ENTRY',
      'KVM_SET_MSIX_ENTRY_IRQ',
      'KVM_SET_MSIX_ENTRY',
      'KVM_SET_MSIX_ENTRY_IRQ',
      'KVM_SET_MSIX_PENDING',
    ]);
    // Without the pending bits an interrupt is lost, and an event says so.
    const lost = machine({ msixOwner: 'kernel', migratePending: 'lost' }, [...before, move, unmask]);
    assert.equal(pending(lost, 0), false);
    assert.deepEqual(accepted(since(lost, 200)), []);
    assert.deepEqual(
      of(since(lost), 'drop').map((e) => e.fields.reason),
      ['the pending bits were not migrated'],
    );
    assert.ok(booksBalance(lost));
  });

  it('S2-24 a vIOMMU in user space: routing inside KVM delivers wrongly, routing by the VMM rightly', () => {
    const work = [raise(0, 1)];
    const right = machine({ msixOwner: 'kernel', viommu: 'present' }, work);
    assert.deepEqual(accepted(since(right)), ['vcpu/1/vector/33']);
    assert.equal(cell(right, 'kvm/0/route/25', kvmRoute.at.data), 0x21);
    const wrong = machine({ msixOwner: 'internal', viommu: 'present' }, work);
    // KVM looks neither at bit 4 of the address nor at the vector, which is 0: illegal, and never injected.
    assert.deepEqual(accepted(since(wrong)), ['vcpu/0/vector/0']);
    assert.equal(of(since(wrong), 'drop').length, 1);
    assert.equal(of(since(wrong), 'apic.inj').length, 0);
    // What tells it apart from a loss elsewhere: the route holds what the guest wrote, in remappable format.
    assert.equal(cell(wrong, 'kvm/0/route/25', kvmRoute.at.address) >>> 0, 0xfee00038);
    assert.ok(booksBalance(wrong));
  });

  it('S2-24 the events alone tell a wrong route from a loss elsewhere: KVM delivers a message in remappable format', () => {
    const told = (msixOwner: string): unknown[] =>
      of(since(machine({ msixOwner, viommu: 'present' }, [raise(0, 1)])), 'kvm.msi').map(({ fields: f }) => {
        // Bit 4 of the address is the format, and no message of a local APIC has a vector below 16 (VT-d 5.1.2, SDM 3A 11.5.3).
        const remappable = (Number(f.address) & 0x10) !== 0;
        return [remappable, Number(f.vector) < 16];
      });
    assert.deepEqual(told('internal'), [[true, true]]);
    assert.deepEqual(told('kernel'), [[false, false]]);
  });

  it('S2-25 address and data are passed on, what reads them differs: the same message under both readings', () => {
    const sim = machine({ msixOwner: 'kernel', viommu: 'present' });
    const lo = cell(sim, entry(1), msixEntry.at.address) >>> 0;
    const data = cell(sim, entry(1), msixEntry.at.data);
    const remap = decodersById.vtd.decode(lo, 0, data);
    const apic = decodersById.x86.decode(lo, 0, data);
    assert.deepEqual([remap?.format, remap?.index, remap?.vector], ['remappable', 1, null]);
    assert.deepEqual([apic?.format, apic?.vector, apic?.destination], ['compatibility', 0, 0]);
  });

  it('S2-25 what is passed is what the guest wrote; the reading is a part of its own and decides where the interrupt goes', () => {
    const of25 = (msixOwner: string): number[] => {
      const sim = machine({ msixOwner, viommu: 'present' });
      return [kvmRoute.at.address, kvmRoute.at.data].map((n) => cell(sim, 'kvm/0/route/25', n) >>> 0);
    };
    const raw = machine({ msixOwner: 'kernel', viommu: 'present' });
    const wrote = [msixEntry.at.address, msixEntry.at.data].map((n) => cell(raw, entry(1), n) >>> 0);
    assert.deepEqual(of25('internal'), wrote, 'KVM takes the bits as they are');
    // The VMM reads them as the table of its unit says: vector 0x21 on APIC id 1.
    assert.deepEqual(of25('kernel'), [0xfee01000, 0x21]);
    assert.deepEqual(of25('user'), [0xfee01000, 0x21]);
  });

  it('S2-39 KVM may interpret messages itself only while they always mean the same', () => {
    const run = (viommu: string): string[] =>
      accepted(since(machine({ msixOwner: 'internal', viommu }, [raise(0, 0), raise(50, 1)])));
    assert.deepEqual(run('none'), ['vcpu/0/vector/33', 'vcpu/1/vector/33']);
    assert.deepEqual(
      run('present'),
      ['vcpu/0/vector/0', 'vcpu/0/vector/0'],
      'an illegal vector at the wrong virtual CPU',
    );
    // The same bits mean two things: what KVM makes of them differs from what the unit of the guest makes of them, for each entry.
    const sim = machine({ msixOwner: 'internal', viommu: 'present' });
    for (const i of [0, 1]) {
      const [lo, data] = [msixEntry.at.address, msixEntry.at.data].map((n) => cell(sim, entry(i), n) >>> 0) as [
        number,
        number,
      ];
      assert.equal(decodersById.vtd.decode(lo, 0, data)?.index, i);
      assert.equal(decodersById.x86.decode(lo, 0, data)?.vector, 0, 'no vector that the guest asked for');
    }
  });

  it('S2-39 it is no fast path: the messages change at setup and moves alone, and the VMM that reads them is asked then', () => {
    const sim = machine(
      { msixOwner: 'kernel' },
      Array.from({ length: 50 }, (_, i) => raise(i * 20, i % 2)),
    );
    assert.equal(exits(since(sim)), 0, 'no interrupt costs a return to the VMM');
    assert.equal(of(since(sim), 'route.set').length, 0);
    assert.ok(exits(setup(sim)) > 0);
  });
});
