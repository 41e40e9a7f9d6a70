import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { EventView } from '../../../src/query/events.ts';
import { kvmPolicies } from '../../../src/sim/kvm/policies.ts';
import { bundled, events, run } from '../run.ts';
import { booksBalance, exits, of, pending, rules } from './seed2-machine.ts';

const from = (all: readonly EventView[], ms: number): EventView[] => all.filter((e) => Number(e.time) * 1e3 >= ms);
const play = (name: string, settings: Readonly<Record<string, string>> = {}): EventView[] => {
  const sim = run(bundled(name), { settings });
  assert.ok(booksBalance(sim), name);
  assert.ok(sim.trace.length < 4000, name);
  return events(sim);
};

const NAMES = [
  'kvm-mask-per-interrupt',
  'kvm-pba-polling',
  'kvm-memory-decode-off',
  'kvm-qword-split',
  'kvm-migration',
  'kvm-entry-updated',
  'kvm-viommu',
  'kvm-assigned-pending',
  'kvm-mask-in-flight',
];

describe('scenarios of KVM', () => {
  it('every scenario runs to its end under every value of every policy of KVM', () => {
    for (const name of NAMES)
      for (const policy of Object.values(kvmPolicies))
        for (const { value } of policy.values) {
          const sim = run(bundled(name), { settings: { [policy.name]: value } });
          assert.ok(sim.finished && booksBalance(sim), `${name} ${policy.name} ${value}`);
          assert.equal(sim.machine.ledger.tally().untold, 0, `${name} ${policy.name} ${value}`);
        }
  });

  it('kvm-mask-per-interrupt: the designs are compared by their exits', () => {
    // The twenty interrupts that do not come closely behind one another.
    const cost = (msixOwner: string): number =>
      exits(from(play('kvm-mask-per-interrupt', { msixOwner }), 1).filter((e) => Number(e.time) < 3e-3)) / 20;
    assert.deepEqual(['user', 'maskBit', 'kernel', 'internal'].map(cost), [4, 2, 0, 0]);
  });

  it('kvm-pba-polling: who answers decides what the poll shows', () => {
    const polls = (settings: Readonly<Record<string, string>>): unknown[] =>
      of(play('kvm-pba-polling', settings), 'pba.read').map((e) => e.fields.value);
    assert.deepEqual(polls({}), ['0x1', '0x1', '0x1']);
    assert.deepEqual(polls({ pbaRead: 'exit' }), ['0x1', '0x0', '0x1']);
    assert.deepEqual(polls({ pbaRead: 'umem' }), ['0x1', '0x0', '0x1']);
    const zero = play('kvm-pba-polling', { pbaAlwaysZero: 'on' });
    assert.deepEqual(
      of(zero, 'pba.read').map((e) => e.fields.value),
      ['0x0', '0x0', '0x0'],
    );
    assert.equal(of(from(zero, 1.4), 'apic.accept').length, 1);
  });

  it('kvm-memory-decode-off: all ones, or the rule that is broken', () => {
    assert.deepEqual(rules(play('kvm-memory-decode-off')), ['memory-disabled', 'memory-disabled']);
    assert.deepEqual(rules(play('kvm-memory-decode-off', { stillClaims: 'on' })), ['INV-DECODE', 'INV-DECODE']);
  });

  it('kvm-qword-split: cut, handed over, or whole', () => {
    const first = (settings: Readonly<Record<string, string>>): unknown[] =>
      of(from(play('kvm-qword-split', settings), 1), 'tbl.write')
        .filter((e) => Number(e.time) < 1.1e-3)
        .map((e) => [e.fields.size, e.fields.served]);
    assert.deepEqual(first({}), [
      [4, 'user'],
      [4, 'kernel'],
    ]);
    assert.deepEqual(first({ qwordSplit: 'user' }), [[8, 'user']]);
    assert.deepEqual(first({ msixOwner: 'kernel' }), [[8, 'kernel']]);
    assert.deepEqual(rules(play('kvm-qword-split')), ['U1', 'U1']);
  });

  it('kvm-migration: what was pending arrives on the other side', () => {
    assert.equal(of(from(play('kvm-migration'), 1.2), 'apic.accept').length, 2);
    const lost = run(bundled('kvm-migration'), { settings: { migratePending: 'lost' } });
    assert.equal(pending(lost, 0), false);
    assert.equal(of(from(events(lost), 1.2), 'apic.accept').length, 1);
  });

  it('kvm-entry-updated: the route follows the guest, in three exits or in none', () => {
    const cost = (settings: Readonly<Record<string, string>>): unknown[] => {
      const all = from(play('kvm-entry-updated', settings), 1.1);
      return [exits(all), of(all, 'apic.accept').map((e) => e.object)];
    };
    const moved = ['vcpu/1/vector/33'];
    assert.deepEqual(cost({}), [3, moved]);
    assert.deepEqual(cost({ msixNotify: 'mmio' }), [3, moved]);
    assert.deepEqual(cost({ msixOwner: 'internal' }), [0, moved]);
    // Mask, read, three writes, unmask, read: KVM has the two writes of vector control alone.
    assert.deepEqual(cost({ msixOwner: 'maskBit' }), [5, moved]);
    assert.deepEqual(cost({ msixOwner: 'user' }), [7, moved]);
  });

  it('kvm-viommu: who reads the message decides where it goes', () => {
    const all = play('kvm-viommu');
    assert.equal(of(all, 'drop').length, 2);
    assert.deepEqual(of(all, 'apic.inj'), [], 'KVM takes the messages for vector 0, which is never injected');
    assert.deepEqual(
      of(play('kvm-viommu', { msixOwner: 'kernel' }), 'apic.accept').map((e) => e.object),
      ['vcpu/1/vector/33', 'vcpu/0/vector/33'],
    );
  });

  it('kvm-assigned-pending: the descriptor of the host notes it, the guest gets it once', () => {
    const all = from(play('kvm-assigned-pending'), 1);
    assert.deepEqual(
      of(all, 'irq.status').map((e) => [e.task, e.fields.disabled, e.fields.pending]),
      [
        ['irq-core/host', true, false],
        ['irq-core/host', true, true],
        ['irq-core/host', false, false],
      ],
    );
    assert.equal(of(all, 'apic.accept').length, 1);
    assert.equal(of(all, 'irqfd.wakeup').length, 1);
    assert.equal(of(all, 'pba.read')[0]?.fields.value, '0x1');
  });

  it('kvm-mask-in-flight: silence after the read, and the bug that breaks it', () => {
    assert.deepEqual(rules(play('kvm-mask-in-flight')), []);
    assert.deepEqual(rules(play('kvm-mask-in-flight', { maskSync: 'never' })), ['INV-FLUSH']);
    const order = of(from(play('kvm-mask-in-flight'), 1), 'apic.accept', 'tbl.read').map((e) => e.kind);
    assert.deepEqual(order, ['apic.accept', 'tbl.read', 'apic.accept']);
  });
});
