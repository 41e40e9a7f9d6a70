// Posted interrupts: SDM and VT-d 9.12 for the descriptor, arch/x86/kvm/vmx/posted_intr.c for what KVM does with it.
import assert from 'node:assert/strict';
import { pathValue } from '../../../src/query/state.ts';
import { bundled, events, run } from '../run.ts';

const DOC = bundled('posted-interrupts');
const RAISE = { op: 'device.raise', object: 'device/0000:03:00.0/msix/0' };
const us = (time: string | null): number => Number(time) * 1e6;

describe('simulator: posted interrupts', () => {
  const sim = run(DOC);
  const all = events(sim);
  const between = (from: number, to: number) => all.filter((e) => us(e.time) >= from && us(e.time) < to);

  it('the table entry is of the posted kind and names the descriptor', () => {
    const write = between(100, 101).find((e) => e.kind === 'irte.write')!;
    // Descriptor of vcpu/0 at 0x140000000: bits 31:6 of it in 63:38, bits 63:32 in 127:96; bit 15 posted, vector 0x51.
    const expected = (1n << 96n) | (0x40300n << 64n) | (0x40000000n << 32n) | 0x518001n;
    assert.equal(BigInt(write.fields['value'] as string), expected);
    assert.ok(between(100, 101).some((e) => e.kind === 'iec.inv'));
  });

  it('to a running virtual CPU nothing of the host is involved', () => {
    const kinds = between(110, 149).map((e) => e.kind);
    assert.ok(
      kinds.includes('apic.accept') && kinds.includes('apic.inj') && kinds.includes('apic.eoi'),
      kinds.join(' '),
    );
    for (const kind of ['cpu.accept', 'irq.entry', 'kvm.exit', 'vector.entry']) assert.ok(!kinds.includes(kind), kind);
  });

  it('preempted: SN is set, posts only set the PIR bit and merge there; entry takes them', () => {
    const posts = between(150, 180).filter((e) => e.kind === 'pi.post');
    assert.deepEqual(
      posts.map((e) => [e.fields['set'], e.fields['notified']]),
      [
        [true, false],
        [true, false],
      ],
    );
    assert.equal(between(150, 180).filter((e) => e.kind === 'merge').length, 1);
    // NV 0xf2, SN; vcpu/0 runs on CPU 0.
    const preempted = between(150, 160)
      .filter((e) => e.kind === 'pi.write')
      .at(-1);
    assert.equal(preempted?.fields['control'], '0xf20002');
    const taken = between(180, 220).map((e) => e.kind);
    assert.ok(taken.indexOf('kvm.entry') > taken.indexOf('pi.post'), taken.join(' '));
    assert.equal(taken.filter((kind) => kind === 'apic.inj').length, 1);
  });

  it('load after preemption sets ON when the PIR holds something', () => {
    const load = between(180, 181).find((e) => e.kind === 'pi.write');
    assert.equal(load?.fields['control'], '0xf20001');
  });

  it('blocked: the wakeup vector comes to the host, which runs the virtual CPU again', () => {
    const blocked = between(220, 240)
      .filter((e) => e.kind === 'pi.write')
      .at(-1);
    assert.equal(blocked?.fields['control'], '0xf10000');
    const woken = between(240, 279);
    const order = ['pi.post', 'cpu.accept', 'vector.entry', 'kvm.entry', 'apic.inj'].map((kind) =>
      woken.findIndex((e) => e.kind === kind),
    );
    assert.ok(
      order.every((at, i) => at >= 0 && (i === 0 || at > order[i - 1]!)),
      order.join(' '),
    );
    assert.equal(woken.find((e) => e.kind === 'cpu.accept')?.object, 'cpu/0/vector/241');
  });

  it('after a move, notifications go to the new CPU (NDST)', () => {
    const load = between(280, 300)
      .filter((e) => e.kind === 'pi.write')
      .at(-1);
    assert.equal(load?.fields['control'], '0x20000f20000');
    assert.ok(between(300, 339).some((e) => e.kind === 'apic.inj'));
  });

  it('an affinity change of the host leaves a posting entry alone, unless that bug is switched on', () => {
    assert.ok(!between(340, 360).some((e) => e.kind === 'irte.write'));
    assert.ok(between(360, 399).some((e) => e.kind === 'apic.inj'));
    const bug = events(run(DOC, { settings: { 'posted.affinity': 'clobbered' } }));
    const after = bug.filter((e) => us(e.time) >= 360 && us(e.time) < 399).map((e) => e.kind);
    assert.ok(after.includes('irq.entry') && !after.includes('apic.inj'), after.join(' '));
  });

  it('after posting ends the host takes the interrupt, on the CPU that was asked for meanwhile', () => {
    const taken = between(420, 1000).find((e) => e.kind === 'irq.entry');
    assert.deepEqual([taken?.object, taken?.cpu], ['irq/24', 3]);
    // One before posting, one after.
    assert.equal(pathValue(sim.trace.head, 'irq/24/handled'), 2);
  });

  it('every cause is delivered, or merged with one that is', () => {
    assert.deepEqual(sim.machine.ledger.twice, []);
    assert.deepEqual(
      { ...sim.machine.ledger.tally() },
      { inFlight: 0, pending: 0, merged: 1, delivered: 7, withdrawn: 0, dropped: 0, untold: 0 },
    );
  });

  it('a notification that finds no virtual CPU running has nothing to do: what it told of is taken at entry', () => {
    const late = run({
      ...DOC,
      workload: [
        { at: '100us', op: 'irq.post', object: 'irq/24', vcpu: 0, vector: '0x51' },
        { at: '110us', ...RAISE },
        { at: '110.1us', op: 'vcpu.preempt', object: 'vcpu/0' },
        { at: '150us', op: 'vcpu.run', object: 'vcpu/0', cpu: 0 },
      ],
    });
    const seen = events(late).filter((e) => us(e.time) >= 110);
    const spurious = seen.findIndex((e) => e.kind === 'vector.entry' && e.object === 'cpu/0/vector/242');
    assert.ok(spurious >= 0 && seen.findIndex((e) => e.kind === 'apic.inj') > spurious);
    assert.equal(late.machine.ledger.tally().delivered, 1);
  });

  it('with more than 255 CPUs destinations are x2APIC ids of 32 bits, in the entry and in the descriptor', () => {
    const wide = run({
      ...DOC,
      platform: { cpus: 300, remap: 'vtd' },
      workload: [
        { at: '50us', op: 'irq.affinity', object: 'irq/24', cpus: [290] },
        { at: '60us', ...RAISE },
        { at: '100us', op: 'irq.post', object: 'irq/24', vcpu: 0, vector: '0x51' },
        { at: '150us', op: 'vcpu.run', object: 'vcpu/0', cpu: 270 },
        { at: '200us', op: 'vcpu.block', object: 'vcpu/0' },
        { at: '250us', ...RAISE },
      ],
    });
    const seen = events(wide);
    assert.equal(seen.find((e) => e.kind === 'irq.entry')?.cpu, 290);
    const blocked = seen.filter((e) => e.kind === 'pi.write' && us(e.time) < 250).at(-1);
    // NDST 270 = 0x10e, NV 0xf1.
    assert.equal(blocked?.fields['control'], '0x10e00f10000');
    assert.ok(seen.some((e) => e.kind === 'cpu.accept' && e.object === 'cpu/270/vector/241'));
    assert.equal(wide.machine.ledger.tally().delivered, 2);
  });
});

describe('simulator: posting of assigned devices', () => {
  const document = (bypass: string, workload: object[]): object => ({
    platform: { cpus: 2, remap: 'vtd' },
    devices: [{ bdf: '0000:6a:01.0', name: 'nvme', vectors: 1, driver: 'none' }],
    vms: [{ id: 0, vcpus: 2 }],
    vfio: [{ name: '0000:6a:01.0', vectors: 1, vm: 0, guest: '0000:00:06.0' }],
    policies: { vfioBackend: 'pci', 'posted.bypass': bypass },
    workload,
  });
  const raise = (at: string): object => ({ at, op: 'vfio.raise', object: 'vfio/0000:6a:01.0/2/0' });
  const mask = (at: string, op = 'entry.mask'): object => ({ at, op, object: 'device/0000:00:06.0/msix/0' });
  const updates = (sim: ReturnType<typeof run>): unknown[] =>
    events(sim)
      .filter((e) => e.kind === 'pi.update')
      .map(({ fields: f }) => [f['enable'], f['vcpu'], f['vector']]);
  /** Signals of VFIO; those with a message are what QEMU takes itself. */
  const fires = (sim: ReturnType<typeof run>, taken = false): number =>
    events(sim).filter((e) => e.kind === 'vfio.fire' && (e.fields['address'] !== undefined) === taken).length;

  it('goes to the virtual CPU and vector of the route, and no interrupt comes through the host', () => {
    const sim = run(document('posted', [raise('1ms')]));
    assert.deepEqual(updates(sim), [[true, 0, 33]]);
    assert.equal(fires(sim), 0);
    assert.equal(sim.machine.ledger.tally().delivered, 1);
    assert.equal(fires(run(document('host', [raise('1ms')]))), 1);
  });

  it('ends while the guest masks the vector, and follows a move', () => {
    const move = { at: '3ms', op: 'guest.affinity', object: 'guest/0/irq/24', vcpu: 1 };
    const sim = run(
      document('posted', [mask('1ms'), raise('1500us'), mask('2ms', 'entry.unmask'), move, raise('4ms')]),
    );
    assert.deepEqual(updates(sim), [
      [true, 0, 33],
      [false, 0, 33],
      [true, 0, 33],
      [false, 0, 33],
      [true, 1, 33],
    ]);
    assert.equal(fires(sim), 1);
    assert.equal(fires(sim, true), 1, 'QEMU keeps what comes while the guest masks');
  });
});
