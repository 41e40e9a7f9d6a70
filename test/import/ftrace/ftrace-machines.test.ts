// Several virtual machines in the trace of one host: KVM's records print the number of a virtual CPU and not its machine.
import assert from 'node:assert/strict';
import { wholly } from '../samples.ts';

/** A record: task, CPU and flags, then the payload. */
type Line = readonly [head: string, payload: string];

const events = (...records: readonly Line[]): string[] =>
  wholly(`# tracer: nop\n#\n${records.map(([head, payload], i) => ` ${head} 10.00000${i}: ${payload}\n`).join('')}`)
    .events;

const A = 'CPU 0/KVM-736 [000] d..1.';
const B = 'CPU 0/KVM-912 [001] d..1.';
const IRQ = '<idle>-0 [002] d.h1.';

describe('several virtual machines', () => {
  it('two threads that run virtual CPU 0 are two virtual CPUs', () => {
    assert.deepEqual(
      events(
        [A, 'kvm_entry: vcpu 0, rip 0x1'],
        [B, 'kvm_entry: vcpu 0, rip 0x1'],
        [A, 'kvm_exit: vcpu 0 reason HLT rip 0x1 info1 0x0 info2 0x0 intr_info 0x0 error_code 0x0'],
        [B, 'kvm_inj_virq: IRQ 0x22'],
        [B, 'kvm_eoi: apicid 0 vector 34'],
        [A, 'kvm_inj_virq: IRQ 0x22'],
        [A, 'kvm_apic_ipi: dst 1 vec 253 (Fixed|physical|assert|edge|dst)'],
      ),
      [
        'kvm.entry vcpu/0',
        'kvm.several kvm/0 by=thread',
        'kvm.entry vcpu/0@912',
        'kvm.exit vcpu/0 reason=HLT',
        'apic.inj vcpu/0@912/vector/34 reinjected=false',
        'apic.eoi vcpu/0@912/vector/34',
        'apic.inj vcpu/0/vector/34 reinjected=false',
        'apic.ipi vcpu/0 dest=0x1 vector=253 mode=Fixed|physical|assert|edge|dst',
      ],
    );
  });

  it('whose local APIC accepts is known in the own context of a virtual CPU, and not in an interrupt', () => {
    const accept = 'kvm_apic_accept_irq: apicid 0 vec 34 (Fixed|edge)';
    const both = [
      [A, 'kvm_entry: vcpu 0, rip 0x1'],
      [B, 'kvm_entry: vcpu 0, rip 0x1'],
    ] as const;
    assert.deepEqual(
      events(...both, [IRQ, accept], ['CPU 0/KVM-912 [001] d.h1.', accept], [B, accept], [A, accept]).slice(3),
      [
        'apic.accept vcpu/unknown/accept mode=Fixed|edge posted=false vector=34',
        'apic.accept vcpu/unknown/accept mode=Fixed|edge posted=false vector=34',
        'apic.accept vcpu/0@912/vector/34 mode=Fixed|edge posted=false',
        'apic.accept vcpu/0/vector/34 mode=Fixed|edge posted=false',
      ],
    );
    // One number that only one machine is seen to have, and one that nobody was seen to run.
    assert.deepEqual(
      events([A, 'kvm_entry: vcpu 0, rip 0x1'], [IRQ, accept], [IRQ, accept.replace('apicid 0', 'apicid 1')]).slice(1),
      [
        'apic.accept vcpu/0/vector/34 mode=Fixed|edge posted=false',
        'apic.accept vcpu/1/vector/34 mode=Fixed|edge posted=false',
      ],
    );
  });

  it('the process tells more: another thread of it runs the same virtual CPU, another process has another machine', () => {
    const one = (thread: number, process: string, payload: string): [string, string] => [
      `qemu-system-x86-${thread} (${process}) [000] d..1.`,
      payload,
    ];
    assert.deepEqual(
      events(
        one(736, '    700', 'kvm_entry: vcpu 0, rip 0x1'),
        one(801, '    700', 'kvm_entry: vcpu 0, rip 0x1'),
        one(802, '-------', 'kvm_entry: vcpu 1, rip 0x1'),
        one(912, '    900', 'kvm_entry: vcpu 2, rip 0x1'),
      ),
      ['kvm.entry vcpu/0', 'kvm.entry vcpu/0', 'kvm.entry vcpu/1', 'kvm.several kvm/0 by=process', 'kvm.entry vcpu/2'],
    );
  });

  it('names of threads, and descriptors, tell it where no entry is recorded', () => {
    const line = 'kvm_set_irq: gsi 10 level 1 source 0';
    const several = (...records: readonly Line[]): string[] =>
      events(...records).filter((text) => text.startsWith('kvm.several'));
    assert.deepEqual(several([A, line], [B, line]), ['kvm.several kvm/0 by=thread']);
    assert.deepEqual(several(['fc_vcpu 0-736 [000] d..1.', line], ['fc_vcpu 0-912 [000] d..1.', line]), [
      'kvm.several kvm/0 by=thread',
    ]);
    assert.deepEqual(several([A, 'kvm_entry: vcpu 0, rip 0x1'], [B, line]), ['kvm.several kvm/0 by=thread']);
    assert.deepEqual(several([A, line], ['CPU 1/KVM-737 [001] d..1.', line], ['<...>-736 [000] d..1.', line]), []);
    const posts = (vcpu: number, address: string, how = 'enabled'): [string, string] => [
      'qemu-700 [000] d..1.',
      `kvm_pi_irte_update: PI is ${how} for irq 28, vcpu ${vcpu}, gsi: 0x18, gvec: 0x22, pi_desc_addr: ${address}`,
    ];
    assert.deepEqual(several(posts(0, '0x10a7c1000'), posts(0, '0x20b8d2000')), ['kvm.several kvm/0 by=descriptor']);
    assert.deepEqual(several(posts(0, '0x10a7c1000'), posts(1, '0x20b8d2000'), posts(0, '0x0', 'disabled')), []);
    const irqfd = 'irqfd: (kvm_irqfd+0x4/0x600 [kvm]) fd=21 gsi=24 flags=0';
    assert.deepEqual(several(['qemu-700 (    700) [000] .....', irqfd], ['qemu-900 (    900) [000] .....', irqfd]), [
      'kvm.several kvm/0 by=process',
    ]);
  });
});
