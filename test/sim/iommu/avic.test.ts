// AVIC and the AMD IOMMU: AMD IOMMU 2.2.5.3 for the guest entry, arch/x86/kvm/svm/avic.c for what KVM does with it.
import assert from 'node:assert/strict';
import { pathValue } from '../../../src/query/state.ts';
import { bundled, events, run } from '../run.ts';

const DOC = bundled('avic');
const us = (time: string | null): number => Number(time) * 1e6;

describe('simulator: AVIC', () => {
  const sim = run(DOC);
  const all = events(sim);
  const between = (from: number, to: number) => all.filter((e) => us(e.time) >= from && us(e.time) < to);
  const kinds = (from: number, to: number): string[] => between(from, to).map((e) => e.kind);
  const entry = (from: number, to: number) => between(from, to).findLast((e) => e.kind === 'irte.writeAmdGa');

  it('a guest entry names the page, the vector, the tag and where the virtual CPU runs', () => {
    const write = all.find((e) => e.kind === 'irte.writeAmdGa' && e.fields['high'] === '0x150000021');
    // Page 0x150000000, vector 0x21; tag 0x1000 (machine 1, virtual CPU 0), GuestMode 7, IsRun 6, RemapEn 0, on CPU 0.
    assert.equal(write?.fields['low'], '0x1000000000c1');
    const other = all.find((e) => e.kind === 'irte.writeAmdGa' && e.fields['high'] === '0x150001021');
    assert.equal(other?.fields['low'], '0x1001000001c1', 'virtual CPU 1 on CPU 1');
  });

  it('to a running virtual CPU: a doorbell, and no exit', () => {
    const got = kinds(1500, 1519);
    for (const kind of ['avic.post', 'avic.doorbell', 'apic.inj', 'irq.entry']) assert.ok(got.includes(kind), kind);
    for (const kind of ['kvm.exit', 'cpu.accept', 'galog.write']) assert.ok(!got.includes(kind), kind);
  });

  it('preempted: IsRun and GALogIntr are 0, so that only the bit is set; a second one merges with it', () => {
    assert.equal(entry(1520, 1530)?.fields['low'], '0x100000000081');
    const got = kinds(1530, 1559);
    assert.equal(got.filter((kind) => kind === 'avic.post').length, 2);
    assert.ok(got.includes('merge') && !got.includes('galog.write') && !got.includes('avic.doorbell'));
    assert.equal(kinds(1560, 1579).filter((kind) => kind === 'apic.inj').length, 1);
  });

  it('a state change of a guest entry takes effect without an invalidation', () => {
    assert.ok(!kinds(1500, 1730).includes('irte.invAmd'));
    assert.equal(kinds(1500, 1730).filter((kind) => kind === 'irte.readAmd').length, 1);
  });

  it('halted: GALogIntr is set; the log interrupts the host, which wakes the virtual CPU', () => {
    assert.equal(entry(1600, 1619)?.fields['low'], '0x100000000285');
    const got = kinds(1620, 1650);
    const order = ['avic.post', 'galog.write', 'cpu.accept', 'galog.read', 'avic.galog', 'kvm.entry', 'apic.inj'];
    const places = order.map((kind) => got.indexOf(kind));
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
    );
    assert.ok(places[0]! >= 0, got.join(' '));
    const told = between(1620, 1650).find((e) => e.kind === 'avic.galog');
    assert.deepEqual([told?.object, told?.fields['vm'], told?.fields['index']], ['vcpu/0', 1, 0]);
  });

  it('an interprocessor interrupt needs an exit only where the target does not run', () => {
    assert.ok(!kinds(1660, 1690).includes('kvm.exit') && kinds(1660, 1690).includes('avic.doorbell'));
    const late = between(1720, 1800);
    const exit = late.find((e) => e.kind === 'kvm.exit');
    assert.deepEqual([exit?.object, exit?.fields['reason']], ['vcpu/1', 'avic_incomplete_ipi']);
    const ipi = late.find((e) => e.kind === 'avic.ipi');
    assert.deepEqual([ipi?.fields['low'], ipi?.fields['reason'], ipi?.fields['index']], ['0xfb', 1, 0]);
    assert.equal(pathValue(sim.trace.head, 'vcpu/0/vector/251/taken'), 2);
  });

  it('with enable_ipiv=0 both end the run of the sender, and device interrupts still need no exit', () => {
    const none = events(run(DOC, { settings: { avic: 'noIpi' } }));
    assert.equal(none.filter((e) => e.kind === 'avic.ipi').length, 2);
    const first = none.filter((e) => us(e.time) >= 1500 && us(e.time) < 1519).map((e) => e.kind);
    assert.ok(first.includes('avic.doorbell') && !first.includes('kvm.exit'));
  });

  it('with AVIC off the host takes every interrupt, entries have 32 bits, and all causes still arrive', () => {
    const off = run(DOC, { settings: { avic: 'off' } });
    const got = events(off).map((e) => e.kind);
    for (const kind of ['irte.writeAmdGa', 'avic.post', 'avic.entry', 'galog.start'])
      assert.ok(!got.includes(kind), kind);
    assert.ok(got.includes('irte.writeAmd') && got.includes('irqfd.wakeup'));
    assert.equal(off.machine.ledger.tally().delivered + off.machine.ledger.tally().merged, 5);
  });

  it('before 6.17 what comes to a preempted virtual CPU is logged too, and wakes nobody', () => {
    const old = events(run(DOC, { settings: { 'avic.gaLogIntr': 'always' } }));
    const put = old.filter((e) => us(e.time) >= 1520 && us(e.time) < 1559).map((e) => e.kind);
    assert.equal(put.filter((kind) => kind === 'galog.write').length, 2);
    assert.ok(put.includes('avic.galog') && !put.includes('kvm.entry'));
  });

  it('a full GA log drops entries, also until it is started again: their virtual CPUs sleep on', () => {
    const full = run(bundled('avic-log-overflow'));
    const at = (path: string) => pathValue(full.trace.head, path);
    assert.deepEqual([at('galog/0/written'), at('galog/0/dropped'), at('galog/0/overflow')], [1, 2, false]);
    assert.deepEqual([at('vcpu/0/vector/33/taken'), at('vcpu/1/vector/33/taken')], [1, 1]);
    assert.equal(at('vcpu/2/inGuest'), false);
    assert.equal(full.machine.ledger.tally().pending, 1);
  });

  it('every cause is delivered, or merged with one that is', () => {
    assert.deepEqual(sim.machine.ledger.twice, []);
    const { delivered, merged } = sim.machine.ledger.tally();
    assert.deepEqual([delivered, merged], [4, 1]);
  });
});
