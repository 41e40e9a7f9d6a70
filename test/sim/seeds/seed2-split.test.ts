import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { msixEntry } from '../../../src/model/things/pci.ts';
import { at, cell, entry, ioctls, machine, of, rules, since } from './seed2-machine.ts';

const access = (offset: number, size: number, value?: string): object =>
  at(0, value === undefined ? 'guest.read' : 'guest.write', entry(0), { offset, size, ...(value ? { value } : {}) });
const parts = (all: Parameters<typeof of>[0]): unknown[] =>
  of(all, 'tbl.write', 'tbl.read').map((e) => [e.fields.offset, e.fields.size, e.fields.served]);
const DATA_AND_MASK = '0x100000044';

describe('S2: one access, two owners', () => {
  it('S2-35 a qword at offset 8 has two owners: one access becomes two records', () => {
    const all = since(machine({ msixOwner: 'maskBit' }, [access(8, 8, DATA_AND_MASK)]));
    const [mmio, ...more] = of(all, 'kvm.mmio');
    assert.deepEqual([mmio?.fields.size, more.length], [8, 0]);
    assert.deepEqual(parts(all), [
      ['0x8', 4, 'user'],
      ['0xc', 4, 'kernel'],
    ]);
    // Where one owner has the whole entry there is one record.
    assert.deepEqual(parts(since(machine({ msixOwner: 'kernel' }, [access(8, 8, DATA_AND_MASK)]))), [
      ['0x8', 8, 'kernel'],
    ]);
    assert.deepEqual(parts(since(machine({}, [access(8, 8, DATA_AND_MASK)]))), [['0x8', 8, 'user']]);
  });

  it('S2-36 64-bit accesses are cut and both halves take effect; reads as well; what hits two entries is discarded', () => {
    const written = machine({ msixOwner: 'maskBit' }, [access(8, 8, DATA_AND_MASK)]);
    assert.equal(cell(written, entry(0), msixEntry.at.data), 0x44);
    assert.equal(cell(written, entry(0), msixEntry.at.control), 1);
    assert.deepEqual(parts(since(machine({ msixOwner: 'maskBit' }, [access(8, 8)]))), [
      ['0x8', 4, 'user'],
      ['0xc', 4, 'kernel'],
    ]);
    const across = since(machine({ msixOwner: 'kernel' }, [access(12, 8, DATA_AND_MASK)]));
    assert.deepEqual(
      of(across, 'illegal').map((e) => [e.object, e.fields.rule]),
      [
        [entry(0), 'U1'],
        [entry(1), 'U1'],
      ],
    );
    assert.deepEqual(parts(across), []);
  });

  it('S2-40 contiguous dwords and qwords are served, unaligned or smaller ones are discarded (INV-ACC)', () => {
    for (const msixOwner of ['user', 'maskBit', 'kernel']) {
      for (const [offset, size] of [
        [0, 4],
        [4, 4],
        [8, 4],
        [12, 4],
        [0, 8],
        [8, 8],
      ] as const)
        for (const value of ['0x1', undefined]) {
          const all = since(machine({ msixOwner }, [access(offset, size, value)]));
          assert.ok(!rules(all).includes('U1'), `${msixOwner} ${size} at ${offset}`);
          assert.ok(parts(all).length > 0);
        }
      for (const [offset, size] of [
        [0, 1],
        [2, 2],
        [12, 1],
        [12, 2],
        [4, 8],
        [13, 2],
        [1, 4],
        [10, 4],
        [0, 3],
        [14, 4],
      ] as const)
        for (const value of ['0x1', undefined]) {
          const sim = machine({ msixOwner }, [access(offset, size, value)]);
          const all = since(sim);
          assert.ok(rules(all).includes('U1'), `${msixOwner} ${size} at ${offset}`);
          assert.deepEqual(parts(all), []);
          assert.equal(cell(sim, entry(0), msixEntry.at.data), 0x21);
        }
    }
  });

  it('S2-41 the VMM serves the whole qword and tells KVM the mask by an ioctl', () => {
    const sim = machine({ msixOwner: 'maskBit', qwordSplit: 'user' }, [access(8, 8, DATA_AND_MASK)]);
    assert.deepEqual(parts(since(sim)), [['0x8', 8, 'user']]);
    assert.deepEqual(ioctls(since(sim)), ['KVM_SET_MSIX_ENTRY']);
    assert.equal(of(since(sim), 'ioctl')[0]?.fields.control, '0x1');
    assert.deepEqual(
      of(since(sim), 'kvm.userspace', 'ioctl').map((e) => e.kind),
      ['kvm.userspace', 'ioctl'],
    );
  });

  it('S2-52 the exit comes after any of the first three dwords was touched: one for an access, also of 8 bytes', () => {
    const exitsOf = (offset: number, size: number): unknown[] =>
      of(since(machine({ msixOwner: 'kernel' }, [access(offset, size, DATA_AND_MASK)])), 'kvm.userspace').map(
        (e) => e.fields.reason,
      );
    const one = ['KVM_EXIT_MSIX_ENTRY_UPDATED'];
    assert.deepEqual([exitsOf(0, 4), exitsOf(4, 4), exitsOf(8, 4), exitsOf(12, 4)], [one, one, one, []]);
    assert.deepEqual([exitsOf(0, 8), exitsOf(8, 8)], [one, one]);
  });
});
