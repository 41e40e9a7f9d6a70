// A guest whose memory and virtual APICs the host does not reach (domain notes, part 2, section 13).
import assert from 'node:assert/strict';
import type { EventView } from '../../../src/query/events.ts';
import type { Operation } from '../../../src/sim/operation.ts';
import { foundByAll } from '../../check/made.ts';
import { bundled, events, run, start } from '../run.ts';

const of = (guestMemory: string): EventView[] => events(run(bundled('tdx-guest'), { settings: { guestMemory } }));
const [tdx, plain] = [of('private'), of('shared')];
const some = (all: readonly EventView[], kind: string): EventView[] => all.filter((e) => e.kind === kind);
const reasons = (all: readonly EventView[]): string[] => [
  ...new Set(some(all, 'kvm.exit').map((e) => String(e.fields['reason']))),
];
const calls = (all: readonly EventView[]): unknown[] =>
  some(all, 'ioctl')
    .filter((e) => e.fields['ret'] !== undefined && String(e.fields['name']) !== 'KVM_SET_GSI_ROUTING')
    .map((e) => [e.fields['name'], e.fields['ret']]);

describe('a TDX guest', () => {
  it('asks for each trapped access with a TDVMCALL behind a #VE; nothing else takes it out of the guest', () => {
    assert.deepEqual(reasons(tdx), ['TDCALL']);
    const exits = some(tdx, 'kvm.exit');
    assert.equal(some(tdx, 'guest.ve').length, exits.length);
    const asked = tdx.filter((e) => e.kind === 'guest.ve' || e.kind === 'kvm.exit').map((e) => e.kind);
    assert.ok(asked.every((kind, i) => kind === (i % 2 === 0 ? 'guest.ve' : 'kvm.exit')));
  });

  it('has its table trapped as often as an ordinary guest', () => {
    const trapped = (all: readonly EventView[]): number => some(all, 'kvm.mmio').length;
    assert.ok(trapped(plain) > 0);
    assert.equal(trapped(tdx), trapped(plain));
    assert.deepEqual(
      some(tdx, 'guest.ve').filter((e) => e.fields['instead'] === 'EPT_MISCONFIG').length,
      some(plain, 'kvm.exit').filter((e) => e.fields['reason'] === 'EPT_MISCONFIG').length,
    );
  });

  it('gets each interrupt posted, the ordinary one by an exit for each', () => {
    const fixed = (all: readonly EventView[]): unknown[] =>
      some(all, 'apic.accept')
        .filter((e) => e.fields['mode'] === 'Fixed')
        .map((e) => e.fields['posted']);
    assert.ok(fixed(tdx).length >= 11 && fixed(tdx).every((posted) => posted === true));
    assert.deepEqual([...new Set(fixed(plain))], [false]);
    assert.ok(reasons(plain).includes('EXTERNAL_INTERRUPT'));
  });

  it('is refused what needs its APIC state or an I/O APIC in KVM', () => {
    assert.deepEqual(calls(tdx), [
      ['KVM_IRQFD', -22],
      ['KVM_GET_LAPIC', -22],
      ['KVM_CREATE_IRQCHIP', -22],
    ]);
    assert.deepEqual(calls(plain), [
      ['KVM_GET_LAPIC', 0],
      ['KVM_CREATE_IRQCHIP', -17],
    ]);
    assert.deepEqual([some(tdx, 'kvm.line').length, some(tdx, 'kvm.ack').length], [0, 0]);
    assert.ok(some(plain, 'kvm.ack').length > 0);
  });

  it('takes no INIT, SIPI or SMI, and an NMI', () => {
    const signalled = (data: string, guestMemory: string): EventView[] => {
      const simulation = start({ vms: [{ id: 0, vcpus: 2 }], policies: { guestMemory } });
      simulation.run();
      const signal: Operation = { op: 'kvm.signalMsi', object: 'kvm/0', address: 0xfee01000, data: Number(data) };
      assert.equal(simulation.perform(signal), undefined);
      simulation.run();
      return events(simulation);
    };
    const why = (all: readonly EventView[]): string => String(some(all, 'drop')[0]?.fields['reason']);
    for (const [data, name] of [
      ['0x200', 'SMI'],
      ['0x500', 'INIT'],
      ['0x600', 'SIPI'],
    ] as const) {
      assert.equal(why(signalled(data, 'private')), `${name} at virtual CPU 1: the TDX module takes none`);
      assert.doesNotMatch(why(signalled(data, 'shared')), /TDX/);
    }
    assert.equal(some(signalled('0x500', 'private'), 'vcpu.reset').length, 0);
    assert.equal(some(signalled('0x500', 'shared'), 'vcpu.reset').length, 1);
    assert.doesNotMatch(why(signalled('0x400', 'private')), /TDX/);
  });

  it('is no guest of an AMD host: the policy changes nothing there', () => {
    const amd = (guestMemory: string): unknown[] =>
      events(
        run({
          ...bundled('tdx-guest'),
          platform: { cpus: 2, remap: 'amd' },
          devices: [],
          vfio: [],
          policies: { guestMemory },
          workload: [],
        }),
      ).map((e) => [e.kind, e.fields]);
    assert.deepEqual(amd('private'), amd('shared'));
  });

  it('has no findings but those of what is done to it', () => {
    // A host without remapping, and the INIT that the VMM sends.
    assert.deepEqual(
      foundByAll(run(bundled('tdx-guest')).trace).map((line) => line.split(' ')[0]),
      ['F38', 'F39'],
    );
  });
});
