// Hosts with more CPUs than a message without remapping can name (SDM vol. 3 "Message Address Register Format"; __irq_msi_compose_msg).
import assert from 'node:assert/strict';
import { events, run } from './run.ts';

const MSIX = 'device/0000:03:00.0/msix/0';

const moved = (cpu: number, platform: object, settings: Record<string, string> = {}) =>
  run(
    {
      platform: { cpus: 300, ...platform },
      devices: [{ bdf: '0000:03:00.0', name: 'nvme', vectors: 1 }],
      workload: [
        { at: '50us', op: 'irq.affinity', object: 'irq/24', cpus: [cpu] },
        { at: '60us', op: 'device.raise', object: MSIX },
        { at: '90us', op: 'device.raise', object: MSIX },
      ],
    },
    { settings },
  );

/** The CPU of each handler run, and what the affinity call returned where that was an error. */
const seen = (sim: ReturnType<typeof run>): unknown =>
  events(sim).flatMap((e) =>
    e.kind === 'irq.entry' ? [e.cpu] : e.kind === 'irq.affinity' && e.fields['ret'] ? [e.fields['ret']] : [],
  );

describe('hosts with more than 255 CPUs', () => {
  it('without remapping, a CPU from 255 on gets no interrupts of devices: the move is refused, nothing is cut off', () => {
    for (const cpu of [255, 270]) assert.deepEqual(seen(moved(cpu, {})), [-22, 0, 0]);
    // The move waits for the first interrupt, which has come to the old CPU.
    assert.deepEqual(seen(moved(254, {})), [0, 254]);
  });

  it('with the extended destination id it does: bits 14:8 stand in bits 11:5 of the address', () => {
    const sim = moved(270, {}, { extendedDestination: 'on' });
    assert.deepEqual(seen(sim), [0, 270]);
    // 270 = 0x10e: 0xfee00000 | 0x0e << 12 | 1 << 5.
    const last = events(sim)
      .filter((e) => e.kind === 'send')
      .at(-1)!;
    assert.equal(last.fields['address'], '0xfee0e020');
  });

  it('with remapping it does, too', () => {
    assert.deepEqual(seen(moved(270, { remap: 'vtd' })), [270, 270]);
  });
});

describe('what does not exist', () => {
  it('ends in an event with its reason or errno, not in the end of the run', () => {
    const sim = run({
      devices: [{ bdf: '0000:03:00.0', name: 'nvme', vectors: 2 }],
      vms: [{ id: 0, vcpus: 1 }],
      workload: [
        { at: '100us', op: 'irq.free', object: 'irq/24' },
        { at: '110us', op: 'irq.free', object: 'irq/24' },
        { at: '120us', op: 'device.raise', object: 'device/0000:03:00.0/msix/9' },
        { at: '130us', op: 'kvm.irqfd.assign', object: 'kvm/0', gsi: 24, fd: 99 },
        { at: '140us', op: 'kvm.irqfd.deassign', object: 'kvm/0', gsi: 77 },
        { at: '150us', op: 'kvm.signalMsi', object: 'kvm/0', address: '0xfee00000', data: '0x5' },
        { at: '160us', op: 'device.raise', object: 'device/0000:03:00.0/msix/1' },
      ],
    });
    const all = events(sim).filter((e) => Number(e.time) >= 110e-6);
    const told = all.flatMap((e) =>
      e.kind === 'illegal'
        ? [e.fields['text']]
        : e.kind === 'drop'
          ? [e.fields['reason']]
          : e.kind === 'ioctl'
            ? [e.fields['ret']]
            : [],
    );
    assert.deepEqual(told, [
      'irq.free: irq/24 has no action',
      'the MSI-X table has 2 entries',
      -9,
      -2,
      'vector 5: 0 to 15 are illegal. A local APIC notes that in its ESR; KVM does not look',
      'vector 5 is illegal (0 to 15): its priority class is 0, so that it is never injected',
    ]);
    assert.equal(all.filter((e) => e.kind === 'irq.entry').length, 1);
  });
});
