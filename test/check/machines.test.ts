// Several virtual machines in one capture: what is true of one is not held against another.
import assert from 'node:assert/strict';
import { checkTrace } from '../../src/check/check-run.ts';
import { rules } from '../../src/check/rules.ts';
import { lacking } from '../../src/view/findings/explain.ts';
import { importText } from '../helpers/fixtures.ts';
import { found, judged, made, verdict } from './made.ts';

/** Rules that key on GSIs and irqfds, which KVM's records tell without the machine, each with what breaks it in one machine. */
const MIXED: readonly (readonly [rule: string, text: string])[] = [
  [
    'F46',
    `1 kvm.line kvm/0/gsi/10 level=true source=1
     10 kvm.ack kvm/0/irqchip chip=IOAPIC pin=10
     2000 kvm.line kvm/0/gsi/4 level=false source=0`,
  ],
  [
    'F51',
    `1 route.set kvm/0/route/24 device=0000:00:04.0 vector=1
     2 irqfd.assign kvm/0/irqfd/24 fd=30 release=false
     3 route.release kvm/0/route/24`,
  ],
  [
    'F53',
    `1 irqfd.assign kvm/0/irqfd/24 fd=30 release=false
     2/qemu-7 irqfd.assign kvm/0/irqfd/24 fd=30 release=true
     3/qemu-7 irqfd.return kvm/0/irqfd/24 release=true ret=0
     4 pi.update kvm/0/irqfd/24 enable=true hostIrq=40 vcpu=0 vector=34`,
  ],
  [
    'F58',
    `1 route.set kvm/0/route/24 device=0000:00:04.0 vector=1 address=0xfee00000 data=0x22
     5 pi.update kvm/0/irqfd/24 enable=true hostIrq=40 vcpu=0 vector=35`,
  ],
];

describe('several virtual machines', () => {
  for (const [rule, text] of MIXED)
    it(`${rule}: one machine is judged, of several it is not known whose record it is`, () => {
      assert.equal(found(made(text), rule).length, 1);
      for (const mixed of [`${text}\n9000 kvm.several kvm/0 by=thread`, `0.5 kvm.several kvm/0 by=process\n${text}`]) {
        assert.deepEqual(found(made(mixed), rule), []);
        assert.equal(verdict(made(mixed), rule), 'undecidable');
      }
      assert.equal(
        found(made(`${text}\n9000 kvm.several kvm/0 by=thread`, true), rule).length,
        1,
        'a simulation names machines',
      );
      const { oneMachine } = rules.find(({ id }) => id === rule)!;
      assert.equal(oneMachine, true);
      assert.match(
        lacking(rules.find(({ id }) => id === rule)!, () => true),
        /several virtual machines/,
      );
    });

  it('the ftrace of a host with two machines: the route, the line and the irqfd of one are not those of the other', () => {
    const two = (second: string): string =>
      [
        '# tracer: nop',
        '#',
        ' CPU 0/KVM-736     [000] d..1.    10.000001: kvm_entry: vcpu 0, rip 0x1',
        // One machine raises line 10 through its resampler; the guest of the other ends an interrupt of its own line 10.
        ' kworker/0:1-9     [000] .....    10.000010: kvm_set_irq: gsi 10 level 1 source 1',
        ` CPU 0/KVM-${second}     [001] d..1.    10.000020: kvm_entry: vcpu 0, rip 0x1`,
        ` CPU 0/KVM-${second}     [001] .....    10.000030: kvm_ack_irq: irqchip IOAPIC pin 10`,
        ` CPU 0/KVM-${second}     [001] .....    10.900000: kvm_set_irq: gsi 4 level 0 source 0`,
        '',
      ].join('\n');
    assert.equal(found(importText(two('736')), 'F46').length, 1);
    assert.deepEqual(found(importText(two('912')), 'F46'), []);
    assert.equal(verdict(importText(two('912')), 'F46'), 'undecidable');
  });

  describe('F82', () => {
    const record = (thread: number, cpu: number, second: string, payload: string): string =>
      ` CPU 0/KVM-${thread}     [00${cpu}] d..1.    ${second}: ${payload}`;
    const runs = (thread: number, from: number, to: number): string[] =>
      Array.from({ length: to - from }, (_, i) =>
        record(thread, 0, `${from + i}.000009`, 'kvm_entry: vcpu 0, rip 0x1'),
      );
    const whole = (thread: number): string[] => [
      record(thread, 0, '10.000001', 'kvm_entry: vcpu 0, rip 0x1'),
      record(thread, 0, '10.000001', 'kvm_apic_accept_irq: apicid 0 vec 34 (Fixed|edge)'),
      record(thread, 0, '10.000002', 'kvm_inj_virq: IRQ 0x22'),
      record(thread, 0, '10.000003', 'kvm_eoi: apicid 0 vector 34'),
    ];
    const trace = (...lines: string[]) => importText(['# tracer: nop', '#', ...lines, ''].join('\n'));
    const accepts = ' <idle>-0     [002] d.h1.    11.000001: kvm_apic_accept_irq: apicid 0 vec 34 (Fixed|edge)';

    it('an injected interrupt is ended by the virtual CPU whose thread injected it', () => {
      const open = [...whole(736), ...whole(912), record(736, 0, '11.000001', 'kvm_inj_virq: IRQ 0x22')];
      const other = record(912, 1, '12.000001', 'kvm_eoi: apicid 0 vector 34');
      const hung = trace(...open, other, ...runs(736, 13, 24));
      assert.deepEqual(
        judged(hung, 'F82').findings.map(({ title }) => title),
        ['vcpu/0: vector 34 was injected and not ended for 10.000 s'],
      );
      const ended = trace(...open, record(736, 1, '12.000001', 'kvm_eoi: apicid 0 vector 34'), ...runs(736, 13, 24));
      assert.equal(verdict(ended, 'F82'), 'pass');
    });

    it('an accepted one may be that of another machine, which was not seen yet', () => {
      const alone = trace(...whole(736), accepts, ...runs(736, 12, 24));
      assert.equal(found(alone, 'F82').length, 1);
      const mixed = trace(...whole(736), accepts, ...runs(912, 12, 14), ...runs(736, 14, 24));
      assert.deepEqual(found(mixed, 'F82'), []);
      assert.equal(verdict(mixed, 'F82'), 'undecidable');
    });
  });

  it('no other rule judges by what mixes machines: all of them on the records of two', () => {
    const lines = ['# tracer: nop', '#'];
    for (let i = 0; i < 40; i++) {
      const thread = i % 2 === 0 ? 736 : 912;
      const at = (part: number): string => `${10 + i}.00000${part}`;
      lines.push(
        ` CPU 0/KVM-${thread}     [00${i % 2}] d..1.    ${at(1)}: kvm_exit: vcpu 0 reason HLT rip 0x1 info1 0x0 info2 0x0 intr_info 0x0 error_code 0x0`,
        ` <idle>-0     [002] d.h1.    ${at(2)}: irqfd_wakeup: (irqfd_wakeup+0x4/0x200 [kvm])`,
        ` <idle>-0     [002] d.h1.    ${at(3)}: kvm_msi_set_irq: dst 0 vec ${34 + (i % 2)} (Fixed|physical|edge)`,
        ` <idle>-0     [002] d.h1.    ${at(4)}: kvm_apic_accept_irq: apicid 0 vec ${34 + (i % 2)} (Fixed|edge)`,
        ` CPU 0/KVM-${thread}     [00${i % 2}] d..1.    ${at(5)}: kvm_inj_virq: IRQ 0x${(34 + (i % 2)).toString(16)}`,
        ` CPU 0/KVM-${thread}     [00${i % 2}] d..1.    ${at(6)}: kvm_entry: vcpu 0, rip 0x1`,
        ` CPU 0/KVM-${thread}     [00${i % 2}] d..1.    ${at(7)}: kvm_eoi: apicid 0 vector ${34 + (i % 2)}`,
      );
    }
    const check = checkTrace(importText(`${lines.join('\n')}\n`), rules);
    assert.deepEqual(
      check.findings.map(({ rule, title }) => `${rule.id}: ${title}`),
      [],
    );
  });
});
