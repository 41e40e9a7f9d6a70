// The rules about the system as a whole, each on a trace that breaks it and on one that does not.
import assert from 'node:assert/strict';
import { importText } from '../helpers/fixtures.ts';
import { found, judged, made, verdict } from './made.ts';

const repeat = (times: number, line: (i: number) => string): string =>
  Array.from({ length: times }, (_, i) => line(i)).join('\n');

describe('rules about the system', () => {
  describe('F80', () => {
    const exit = (at: number, handled: boolean): string => `${at} irq.exit irq/9 handled=${handled}`;
    it('a thousand handler runs in a row that nobody handled', () => {
      const trace = made(
        `0.5 irq.entry irq/9 name=acpi\n${exit(0.6, true)}\n${repeat(1200, (i) => exit((i + 1) * 100, false))}`,
      );
      assert.deepEqual(found(trace, 'INV-STORM'), [
        '1001 irq/9: irq 9 (acpi): 1000 interrupts in a row in 99.900 ms found nothing to do',
      ]);
      assert.deepEqual(judged(trace, 'F80').findings[0]!.evidence, [2]);
    });
    it('one that is handled now and then is shared with another device', () => {
      const trace = made(repeat(3000, (i) => exit(i * 100, i % 900 === 0)));
      assert.equal(verdict(trace, 'F80'), 'pass');
    });
    it('more than a hundred thousand runs in a second', () => {
      assert.deepEqual(found(made(repeat(2500, (i) => exit(i * 5, true))), 'F80'), [
        '999 irq/9: irq 9 fired 1000 times in 4.995 ms',
      ]);
      assert.deepEqual(found(made(repeat(2500, (i) => exit(i * 20, true))), 'F80'), []);
    });
    it('the rate is that of one CPU, and the actions of a shared irq are one interrupt', () => {
      const two = (gap: number) => repeat(5000, (i) => `${i * gap}@${i % 2} irq.exit irq/9 handled=true`);
      assert.deepEqual(found(made(two(8)), 'F80'), [], '62 500 in a second on each');
      assert.equal(found(made(two(4)), 'F80').length, 2, '125 000 in a second on each');
      const one = (at: number, name: string, handled: boolean) =>
        `${at}@1 irq.entry irq/9 name=${name}\n${at + 1}@1 irq.exit irq/9 handled=${handled}`;
      const shared = (i: number, handled: boolean) =>
        `${one(i * 14, 'uhci', false)}\n${one(i * 14 + 6, 'ahci', handled)}`;
      const served = made(repeat(2500, (i) => shared(i, true)));
      assert.equal(verdict(served, 'F80'), 'pass', '71 429 interrupts in a second, 142 857 handler runs');
      const unserved = made(repeat(1100, (i) => shared(i, false)));
      assert.deepEqual(
        judged(unserved, 'F80').findings.map(({ step, title }) => [step, title]),
        [[999 * 4 + 1, 'irq 9 (uhci, ahci): 1000 interrupts in a row in 13.986 ms found nothing to do']],
      );
    });
    it('interrupts that nobody handled are counted again from 0 after a tenth of a second without one', () => {
      assert.deepEqual(found(made(repeat(1200, (i) => exit(i * 100_100, false))), 'F80'), []);
      assert.equal(found(made(repeat(1200, (i) => exit(i * 99_900, false))), 'F80').length, 1);
    });
  });

  describe('F81', () => {
    const message = '1 msg.write irq/40 address=0xfee00298 data=0x0';
    const run = (at: number, handled: boolean): string =>
      `${at} irq.entry irq/40 name=nvme0q1\n${at + 1} irq.exit irq/40 handled=${handled}`;
    it('three messages whose handler finds nothing', () => {
      const trace = made(
        `${message}\n${run(10, true)}\n${run(20, false)}\n${run(30, true)}\n${run(40, false)}\n${run(50, false)}\n${run(60, false)}`,
      );
      assert.deepEqual(found(trace, 'F81'), [
        '10 irq/40: irq 40 (nvme0q1): 4 of 6 messages found its handler with nothing to do',
      ]);
      assert.deepEqual(judged(trace, 'F81').findings[0]!.evidence, [3]);
    });
    it('a tenth of the runs that find nothing are a race with a poll', () => {
      const runs = (count: number) => `${message}\n${repeat(count, (i) => run(10 + i * 10, i === 0 || i % 10 !== 0))}`;
      // The first run counts as one behind a move; of 41 runs, 4 find nothing, of 31 runs 3.
      assert.deepEqual(found(made(runs(41)), 'F81'), []);
      assert.equal(verdict(made(runs(41)), 'F81'), 'pass');
      assert.deepEqual(found(made(`${runs(31)}\n${run(900, false)}`), 'F81'), [
        '62 irq/40: irq 40 (nvme0q1): 4 of 32 messages found its handler with nothing to do',
      ]);
    });
    it('one behind each move is the documented spurious interrupt; a line may be shared', () => {
      const move = (at: number): string => `${at} vec.update irq/40 vector=36 cpu=1 prevVector=35 prevCpu=0`;
      const moved = [10, 30, 50, 70].map((at) => `${move(at)}\n${run(at + 1, false)}\n${run(at + 5, true)}`).join('\n');
      assert.equal(verdict(made(`${message}\n${run(5, true)}\n${moved}`), 'F81'), 'pass');
      const line = [10, 20, 30, 40, 50].map((at) => run(at, false)).join('\n');
      assert.equal(verdict(made(line), 'F81'), 'not-applicable');
    });
  });

  describe('F82', () => {
    const accept = (at: number, v = 34): string => `${at} apic.accept vcpu/0/vector/${v} mode=Fixed|edge posted=false`;
    const inject = (at: number, v = 34): string => `${at} apic.inj vcpu/0/vector/${v} reinjected=false`;
    const eoi = (at: number, v = 34): string => `${at} apic.eoi vcpu/0/vector/${v}`;
    const whole = `${accept(1)}\n${inject(2)}\n3 kvm.entry vcpu/0\n${eoi(4)}`;
    const runs = (from: number, to: number): string => repeat(to - from, (i) => `${(from + i) * 1e6} kvm.entry vcpu/0`);
    it('an injected interrupt that is never ended', () => {
      const trace = made(`${whole}\n${accept(10)}\n${inject(11)}\n${runs(1, 14)}`);
      assert.deepEqual(found(trace, 'F82'), [
        '5 vcpu/0/vector/34: vcpu/0: vector 34 was injected and not ended for 11.000 s',
      ]);
      const short = made(`${whole}\n${accept(10)}\n${inject(11)}\n${runs(1, 4)}`);
      assert.deepEqual(found(short, 'F82'), [
        '5 vcpu/0/vector/34: vcpu/0: vector 34 was injected and not ended for 3.000 s',
      ]);
      assert.deepEqual(found(made(`${whole}\n${accept(10)}\n${inject(11)}\n${runs(1, 4)}\n${eoi(4e6)}`), 'F82'), []);
    });
    it('an accepted interrupt that is never injected', () => {
      const trace = made(`${whole}\n${accept(10)}\n${runs(1, 4)}`);
      assert.deepEqual(found(trace, 'F82'), [
        '4 vcpu/0/vector/34: vcpu/0: vector 34 was accepted and not injected for 3.000 s',
      ]);
    });
    it('a virtual CPU that halted and is not woken, while another one goes on', () => {
      const halted = `${whole}\n5 kvm.exit vcpu/0 reason=HLT\n${accept(10)}`;
      const other = '1000000 kvm.entry vcpu/1\n3000000 kvm.entry vcpu/1';
      assert.deepEqual(found(made(`${halted}\n${other}`), 'F82'), [
        '5 vcpu/0/vector/34: vcpu/0: vector 34 was accepted and not injected for 3.000 s',
      ]);
      assert.match(judged(made(`${halted}\n${other}`), 'F82').findings[0]!.text, /it had halted, and nothing woke it/);
      // Nothing tells that entries are still recorded.
      assert.deepEqual(found(made(`${halted}\n3000000 mark marker text=x`), 'F82'), []);
    });

    it('a reboot, or INIT, takes away what the local APIC held', () => {
      const open = `${whole}\n${accept(10)}\n${inject(11)}`;
      for (const reset of [
        '500000 vcpu.reset vcpu/0 by="reset vector"',
        '500000 vcpu.reset vcpu/1 by="reset vector"',
        '500000 vcpu.reset vcpu/0 by=INIT',
        '500000 kvm.userspace vcpu/1 reason="KVM_EXIT_SHUTDOWN (8)"',
        '500000 kvm.userspace vcpu/0 reason="KVM_EXIT_SYSTEM_EVENT (24)"',
        '500000 kvm.exit vcpu/0 reason=TRIPLE_FAULT',
        '500000 kvm.exit vcpu/0 reason=shutdown',
      ])
        assert.equal(verdict(made(`${open}\n${reset}\n${runs(1, 14)}`), 'F82'), 'pass', reset);
      for (const none of ['500000 vcpu.reset vcpu/1 by=INIT', '500000 kvm.userspace vcpu/0 reason="KVM_EXIT_IO (2)"'])
        assert.equal(found(made(`${open}\n${none}\n${runs(1, 14)}`), 'F82').length, 1, none);
    });
    it('a reboot as a host records it: the guest ends in a triple fault and begins at the reset vector', () => {
      const host = (entry: string): string =>
        [
          '# tracer: nop',
          '#',
          ...[
            '10.000001: kvm_apic_accept_irq: apicid 0 vec 34 (Fixed|edge)',
            '10.000002: kvm_inj_virq: IRQ 0x22',
            '10.000003: kvm_entry: vcpu 0, rip 0xffffffffc036e473',
            '10.000004: kvm_eoi: apicid 0 vector 34',
            '11.000001: kvm_apic_accept_irq: apicid 0 vec 34 (Fixed|edge)',
            '11.000002: kvm_inj_virq: IRQ 0x22',
            '11.000003: kvm_entry: vcpu 0, rip 0xffffffffc036e473',
            `14.000003: kvm_entry: vcpu 0, rip ${entry}`,
            ...[15, 20, 25].map((second) => `${second}.000003: kvm_entry: vcpu 0, rip 0xffffffffc036e473`),
          ].map((text) => ` CPU 0/KVM-736     [000] d..1.    ${text}`),
          '',
        ].join('\n');
      assert.equal(found(importText(host('0xffffffffc036e473')), 'F82').length, 1);
      assert.equal(verdict(importText(host('0xfff0')), 'F82'), 'pass');
    });
    it('a clock that starts again is that of another boot: what was seen before is forgotten', () => {
      const boots = (again: number): string =>
        `${100e6} kvm.entry vcpu/0\n${whole.replaceAll(/^(\d)/gm, '10000000$1')}\n${accept(100e6 + 10)}\n${inject(100e6 + 11)}\n${runs(again, again + 1)}\n${runs(112, 116)}`;
      assert.equal(verdict(made(boots(2)), 'F82'), 'pass');
      assert.equal(found(made(boots(101)), 'F82').length, 1);
    });

    it('where the trace never shows what comes next for a vector, nothing is missing', () => {
      // Edge-triggered interrupts end without a record while APICv is active, and posted ones are not injected by software.
      assert.deepEqual(found(made(`${accept(1)}\n${inject(2)}\n${runs(1, 14)}`), 'F82'), []);
      const posted = '10 apic.accept vcpu/0/vector/34 mode=Fixed|edge posted=true';
      assert.deepEqual(found(made(`${whole}\n${posted}\n${runs(1, 14)}`), 'F82'), []);
    });
  });

  it('F83 the invalidation queue of a remapping unit fails', () => {
    const trace = made(`
      1 mark marker text="DMAR: DRHD: handling fault status reg 40"
      2 mark marker text="DMAR: VT-d detected Invalidation Time-out Error: SID 0"
      3 mark marker text="DMAR: Invalidation Time-out Error (ITE) cleared"`);
    assert.deepEqual(
      judged(trace, 'F83').findings.map((f) => [f.step, f.title]),
      [[1, 'An invalidation of the remapping unit failed']],
    );
  });

  it('F83 all lines of one report are one finding, the next report is another one', () => {
    const steps = (...lines: string[]): number[] =>
      judged(made(lines.map((text, i) => `${i + 1} message log text="DMAR: ${text}"`).join('\n')), 'F83').findings.map(
        (f) => f.step,
      );
    const error = (name: string): string => `VT-d detected Invalidation ${name} Error: SID 0`;
    const head = 'QI HEAD: Interrupt Entry Cache Invalidation qw0 = 0x250014, qw1 = 0x0';
    const cleared = (name: string): string => `Invalidation ${name} Error cleared`;
    const both = [error('Queue'), error('Time-out'), head, cleared('Time-out'), cleared('Completion')];
    assert.deepEqual(steps(...both), [0]);
    assert.deepEqual(steps(...both, error('Completion'), head), [0, 5]);
    // Logs that lack some of the lines.
    assert.deepEqual(steps(head, head), [0, 1]);
    assert.deepEqual(steps(error('Queue'), error('Queue')), [0, 1]);
    assert.deepEqual(steps(cleared('Queue'), cleared('Queue')), [0, 1]);
  });

  it('F83 reads the log of the kernel in its own trace', () => {
    const trace = importText(
      [
        '# tracer: nop',
        '#',
        ' <idle>-0       [001] d.h1.    61.200001: console: [   61.199991] nvme nvme0: 4/0/0 default/read/poll queues',
        ' <idle>-0       [001] d.h1.    62.200001: console: [   62.199991] DMAR: VT-d detected Invalidation Time-out Error: SID 0',
        ' kworker/2:1-9  [002] .....    63.200001: console: [   63.199991] nvme nvme0: I/O tag 77 (104d) QID 3 timeout, completion polled',
      ].join('\n'),
    );
    // The log's first line tells of no interrupt; before the other two the CPUs were seen.
    assert.deepEqual(
      judged(trace, 'F83').findings.map((f) => [trace.world.path(f.object), f.title]),
      [['log', 'An invalidation of the remapping unit failed']],
    );
    assert.equal(found(trace, 'R02').length, 1);
  });

  describe('F84', () => {
    const move = (at: number, task: string, to: number, from: number, more = ' interrupt=false'): string =>
      `${at}/${task} vec.update irq/40 vector=36 cpu=${to} prevVector=36 prevCpu=${from}${more}`;
    const five = (line: (i: number) => string): string => [0, 1, 2, 3, 4].map(line).join('\n');
    const sides = ['irqbalance-7', 'tuned-9'];
    const fight = (more?: string): string => five((i) => move(i * 1e6 + 1, sides[i % 2]!, i % 2, (i + 1) % 2, more));
    const finding = ['3 irq/40: irq 40 was moved 4 times between CPU 0 and CPU 1 in 3.000 s'];
    it('two tasks move an irq to and fro', () => {
      assert.deepEqual(found(made(fight()), 'F84'), finding);
      assert.deepEqual(found(made(fight(''), true), 'F84'), finding, 'the tasks of a simulation are those who act');
    });
    it('one script that moves it about fights nobody', () => {
      const trace = made(five((i) => move(i * 1e6 + 1, 'sh-1', i % 2, (i + 1) % 2)));
      assert.equal(verdict(trace, 'F84'), 'pass');
    });
    it('a move in an interrupt is no act of the task that it interrupted: who wanted it is not known', () => {
      assert.deepEqual(found(made(fight(' interrupt=true')), 'F84'), []);
      assert.equal(verdict(made(fight(' interrupt=true')), 'F84'), 'undecidable');
      assert.equal(verdict(made(fight('')), 'F84'), 'undecidable', 'nothing tells whether it was in one');
      // What is known speaks against two sides: one task made a move to each CPU.
      const one = five((i) => move(i * 1e6 + 1, 'sh-1', i % 2, (i + 1) % 2, i === 1 ? ' interrupt=true' : undefined));
      assert.equal(verdict(made(one), 'F84'), 'pass');
    });
    it('the flag columns of ftrace tell it, in every number of columns', () => {
      const line = (i: number, flags: string): string =>
        `${(sides[i % 2]!).padStart(i % 2 === 0 ? 16 : 14)}    [00${i % 2}] ${flags} 10${i}.000001: vector_update: irq=40 vector=36 cpu=${i % 2} prev_vector=36 prev_cpu=${(i + 1) % 2}`;
      const trace = (flags: string) => importText(`# tracer: nop\n#\n${five((i) => line(i, flags))}\n`);
      for (const flags of ['d..2.', 'd..2', 'dn..2..']) assert.equal(found(trace(flags), 'F84').length, 1, flags);
      for (const flags of ['d.h2.', 'd.h2', 'dn.h2..', 'dNH2.', 'd.s3.', 'd.Z2.', ''])
        assert.deepEqual([found(trace(flags), 'F84').length, verdict(trace(flags), 'F84')], [0, 'undecidable'], flags);
    });
  });

  describe('R03', () => {
    const entry = 'device/0000:03:00.0/msix/2';
    const open = `1 msix.ctrl device/0000:03:00.0 enable=true fmask=false\n2 tbl.write ${entry} offset=0xc size=4 value=0`;
    it('a cause that is taken back long after, without its message', () => {
      const trace = made(
        `${open}\n10 dev.raise ${entry}\n600000 dev.withdraw ${entry}\n600010 send ${entry} address=0xfee00000 data=0x22`,
      );
      assert.deepEqual(found(trace, 'R03'), [
        `3 ${entry}: entry 2 of 0000:03:00.0 was served by a poll after 599.990 ms: its message never came`,
      ]);
    });
    it('a message of a table whose function is not known may be its own', () => {
      const sent = (table: string) => `11 send ${table} address=0xfee00000 data=0x22`;
      const findings = (table: string) =>
        found(made(`${open}\n10 dev.raise ${entry}\n${sent(table)}\n600000 dev.withdraw ${entry}`), 'R03').length;
      assert.equal(findings('table/0xfe7c2000/msix/2'), 0);
      assert.equal(findings('table/0xfe7c2000/msix/1'), 1);
      assert.equal(findings('device/0000:04:00.0/msix/2'), 1);
    });
    it('a message, or a mask, explains it', () => {
      const sent = `11 send ${entry} address=0xfee00000 data=0x22`;
      assert.deepEqual(found(made(`${open}\n10 dev.raise ${entry}\n${sent}\n600000 dev.withdraw ${entry}`), 'R03'), []);
      const masked = `5 tbl.write ${entry} offset=0xc size=4 value=1`;
      assert.deepEqual(
        found(
          made(
            `${open}\n${masked}\n10 dev.raise ${entry}\n600000 dev.withdraw ${entry}\n700000 send ${entry} address=0xfee00000 data=0x22`,
          ),
          'R03',
        ),
        [],
      );
    });
  });
});
