// What each ftrace event of KVM becomes, in every wording that kernels have printed. Wordings: the
// TP_printk lines of include/trace/events/kvm.h, arch/x86/kvm/trace.h and arch/arm64/kvm/trace_arm.h, over their versions.
import assert from 'node:assert/strict';
import { ftraceRows as all, FTRACE_HEAD as HEAD, wholly } from '../samples.ts';

describe('kvm events, x86', () => {
  it('entries in the wordings of all versions', () => {
    for (const rest of [
      '',
      ' rip 0xffffffffc036e473',
      ', rip 0xe05b',
      ', rip 0xe05b[immediate exit]',
      ', rip 0xe05b intr_info 0x800000ec error_code 0x00000000',
    ])
      all([[`kvm_entry: vcpu 1${rest}`, 'kvm.entry vcpu/1']]);
  });

  it('a virtual CPU starts from its reset state: at the reset vector, or with INIT', () => {
    for (const rest of [
      ' rip 0xfff0',
      ', rip 0xfff0',
      ', rip 0xfff0[immediate exit]',
      ', rip 0xfff0 intr_info 0x800000ec error_code 0x00000000',
    ])
      all([[`kvm_entry: vcpu 1${rest}`, 'vcpu.reset vcpu/1 by=reset vector', 'kvm.entry vcpu/1']]);
    const init = (mode: string): [string, string, string] => [
      `kvm_apic_accept_irq: apicid 1 vec 0 (${mode})`,
      `apic.accept vcpu/1/vector/0 mode=${mode} posted=false`,
      'vcpu.reset vcpu/1 by=INIT',
    ];
    all([init('INIT|edge'), init('INIT|level')]);
    // In the records of a start that the capture x86-nested has: the first page fault brings it back to the reset vector.
    const start = ['0xfff0', '0xfff0', '0xe05b', '0xfff0'].map(
      (rip) => `${HEAD}kvm_entry:             vcpu 0 rip ${rip}`,
    );
    assert.deepEqual(wholly(`# tracer: nop\n${start.join('\n')}\n`).events, [
      'vcpu.reset vcpu/0 by=reset vector',
      'kvm.entry vcpu/0',
      'kvm.entry vcpu/0',
      'kvm.entry vcpu/0',
      'vcpu.reset vcpu/0 by=reset vector',
      'kvm.entry vcpu/0',
    ]);
  });

  it('exits in the wordings of all versions', () => {
    const info = 'info1 0x0000000000000000 info2 0x0000000000000000 intr_info 0x00000022 error_code 0x00000000';
    all([
      [`kvm_exit: vcpu 0 reason interrupt rip 0xffffffffb803a1cb ${info}`, 'kvm.exit vcpu/0 reason=interrupt'],
      [`kvm_exit: vcpu 0 reason EPT_VIOLATION FAILED_VMENTRY rip 0x1 ${info}`, 'kvm.exit vcpu/0 reason=EPT_VIOLATION'],
      [`kvm_exit: vcpu 0 reason HLT rip 0x1 ${info} requests 0x0000000000000000`, 'kvm.exit vcpu/0 reason=HLT'],
      ['kvm_exit: vcpu 3 reason HLT rip 0xffffffff81 info 0 0', 'kvm.exit vcpu/3 reason=HLT'],
      ['kvm_exit: reason HLT rip 0xffffffff81 info 0 0', 'kvm.exit vcpu/unknown/exit reason=HLT'],
      ['kvm_exit: reason EXIT_NPF rip 0xfff0 info 100000014 fffffff0', 'kvm.exit vcpu/unknown/exit reason=EXIT_NPF'],
    ]);
  });

  it('AVIC', () => {
    all([
      ['kvm_avic_ga_log: vmid=1, vcpuid=2', 'avic.galog vcpu/2 vm=1 index=2'],
      ['kvm_avic_doorbell: vcpuid=1, apicid=6', 'avic.doorbell vcpu/1 apicId=0x6'],
      [
        'kvm_avic_incomplete_ipi: vcpu=0, icrh:icrl=0x02000000:000008fb, id=1, index=2',
        'avic.ipi vcpu/0 high=0x2000000 low=0x8fb reason=1 index=2',
      ],
    ]);
  });

  it('the thread of a virtual CPU is known from its entries, also where a record does not name the CPU', () => {
    const { events } = wholly(
      [
        '# tracer: nop',
        ' CPU 1/KVM-77 [000] d..1. 1.000001: kvm_entry: vcpu 1, rip 0x1',
        ' CPU 0/KVM-76 [001] d..1. 1.000002: kvm_entry: vcpu 0, rip 0x1',
        ' CPU 1/KVM-77 [000] d..1. 1.000003: kvm_exit: reason HLT rip 0x1 info 0 0',
        ' CPU 1/KVM-77 [000] d..1. 1.000004: kvm_inj_virq: IRQ 0x22',
        ' CPU 0/KVM-76 [001] d..1. 1.000005: kvm_inj_virq: irq 34',
        ' CPU 0/KVM-76 [001] d..1. 1.000006: kvm_userspace_exit: reason KVM_EXIT_MMIO (6)',
      ].join('\n'),
    );
    assert.deepEqual(events.slice(2), [
      'kvm.exit vcpu/1 reason=HLT',
      'apic.inj vcpu/1/vector/34 reinjected=false',
      'apic.inj vcpu/0/vector/34 reinjected=false',
      'kvm.userspace vcpu/0 reason=KVM_EXIT_MMIO (6)',
    ]);
  });

  it('the scheduler puts the thread of a virtual CPU on and off its processor, in the words of the kernel and of trace-cmd', () => {
    const behind = (...records: string[]) =>
      wholly(
        [
          '# tracer: nop',
          ' CPU 1/KVM-77 [000] d..1. 1.000001: kvm_entry: vcpu 1, rip 0x1',
          ' CPU 0/KVM-76 [001] d..1. 1.000002: kvm_entry: vcpu 0, rip 0x1',
          ...records.map((text, i) => ` CPU 1/KVM-77 [000] d..2. 1.00010${i}: ${text}`),
        ].join('\n'),
      ).events.slice(2);
    const line = (prev: string, state: string, next: string): string => {
      const [a, b] = [prev, next].map((task) => /^(.*):(\d+)$/.exec(task)!);
      return `sched_switch: prev_comm=${a![1]} prev_pid=${a![2]} prev_prio=120 prev_state=${state} ==> next_comm=${b![1]} next_pid=${b![2]} next_prio=120`;
    };
    for (const [state, sleeps] of [
      ['S', ' sleeps=true'],
      ['D', ' sleeps=true'],
      ['R', ' sleeps=false'],
      ['R+', ' sleeps=false'],
      ['S+', ' sleeps=false'],
      ['T', ''],
    ])
      assert.deepEqual(
        behind(line('CPU 1/KVM:77', state!, 'swapper/0:0')),
        [`vcpu.sched vcpu/1 on=false${sleeps}`],
        state,
      );
    assert.deepEqual(behind(line('CPU 0/KVM:76', 'S', 'CPU 1/KVM:77')), [
      'vcpu.sched vcpu/0 on=false sleeps=true',
      'vcpu.sched vcpu/1 on=true',
    ]);
    assert.deepEqual(
      behind(
        'sched_switch: CPU 1/KVM:77 [120] S ==> swapper/0:0 [120]',
        'sched_wakeup: CPU 1/KVM:77 [120] success=1 CPU:000',
        'sched_wakeup: comm=CPU 1/KVM pid=77 prio=120 target_cpu=000',
        'sched_switch: swapper/0:0 [120] R ==> CPU 1/KVM:77 [120]',
        // Other threads: nothing of interrupts.
        line('a:1', 'S', 'b:2'),
        'sched_wakeup: comm=b pid=2 prio=120 target_cpu=000',
      ),
      [
        'vcpu.sched vcpu/1 on=false sleeps=true',
        'vcpu.sched vcpu/1 on=false sleeps=false',
        'vcpu.sched vcpu/1 on=false sleeps=false',
        'vcpu.sched vcpu/1 on=true',
      ],
    );
  });

  it('injections: hexadecimal today, decimal before, reinjected, software interrupts', () => {
    const on = (payload: string): string[] =>
      wholly(`# tracer: nop\n${HEAD}kvm_entry: vcpu 1, rip 0x1\n${HEAD}${payload}\n`).events.slice(1);
    assert.deepEqual(on('kvm_inj_virq: IRQ 0x22'), ['apic.inj vcpu/1/vector/34 reinjected=false']);
    assert.deepEqual(on('kvm_inj_virq: IRQ 0xec [reinjected]'), ['apic.inj vcpu/1/vector/236 reinjected=true']);
    assert.deepEqual(on('kvm_inj_virq: irq 236'), ['apic.inj vcpu/1/vector/236 reinjected=false']);
    assert.deepEqual(on('kvm_inj_virq: Soft/INTn 0x3'), []);
  });

  it('kvm_eoi and kvm_pv_eoi, which KVM prints both for one end, are one event', () => {
    const head = ' qemu-736     [000] .....    ';
    const { events, info } = wholly(
      [
        '# tracer: nop',
        `${head}49.717413: kvm_eoi: apicid 1 vector 35`,
        `${head}49.717416: kvm_pv_eoi: apicid 1 vector 35`,
        `${head}49.717513: kvm_pv_eoi: apicid 1 vector 35`,
        '',
      ].join('\n'),
    );
    assert.deepEqual(
      events.filter((text) => text.startsWith('apic.eoi')),
      ['apic.eoi vcpu/1/vector/35', 'apic.eoi vcpu/1/vector/35'],
    );
    assert.deepEqual(info.withoutEffect, { kvm_pv_eoi: 1 });
  });

  it('the virtual APIC', () => {
    all([
      [
        'kvm_apic_accept_irq: apicid 0 vec 34 (Fixed|edge)',
        'apic.accept vcpu/0/vector/34 mode=Fixed|edge posted=false',
      ],
      [
        'kvm_apic_accept_irq: apicid 1f vec 34 (LowPrio|level) (coalesced)',
        'apic.accept vcpu/31/vector/34 mode=LowPrio|level posted=false',
      ],
      [
        'kvm_apicv_accept_irq: apicid 1 vec 35 (Fixed|edge)',
        'apic.accept vcpu/1/vector/35 mode=Fixed|edge posted=true',
      ],
      ['kvm_eoi: apicid a vector 34', 'apic.eoi vcpu/10/vector/34'],
      ['kvm_pv_eoi: apicid 0 vector 34', 'apic.eoi vcpu/0/vector/34'],
      ['kvm_eoi: apicid 0 vector -1', 'apic.eoi vcpu/0'],
      [
        'kvm_apic_ipi: dst 1 vec 253 (Fixed|physical|assert|edge|dst)',
        'apic.ipi vcpu/unknown/ipi dest=0x1 vector=253 mode=Fixed|physical|assert|edge|dst',
      ],
    ]);
  });

  it('messages: destination hexadecimal and vector decimal today, the other way round in the oldest kernels', () => {
    const mode = 'mode=Fixed|physical|edge';
    all([
      ['kvm_msi_set_irq: dst 0 vec 34 (Fixed|physical|edge)', `kvm.msi kvm/0 dest=0x0 vector=34 ${mode}`],
      ['kvm_msi_set_irq: dst 1f vec 35 (Fixed|physical|edge)', `kvm.msi kvm/0 dest=0x1f vector=35 ${mode}`],
      ['kvm_msi_set_irq: dst 65 vec 35 (Fixed|physical|edge)', `kvm.msi kvm/0 dest=0x65 vector=35 ${mode}`],
      ['kvm_msi_set_irq: dst 1 vec 2a (Fixed|physical|edge)', `kvm.msi kvm/0 dest=0x1 vector=42 ${mode}`],
      ['kvm_msi_set_irq: dst 12 vec b1 (Fixed|physical|edge)', `kvm.msi kvm/0 dest=0xc vector=177 ${mode}`],
      [
        'kvm_msi_set_irq: dst ff vec 35 (LowPrio|logical|edge|rh)',
        'kvm.msi kvm/0 dest=0xff vector=35 mode=LowPrio|logical|edge|rh',
      ],
    ]);
  });

  it('lines and wired controllers', () => {
    all([
      ['kvm_set_irq: gsi 4 level 1 source 0', 'kvm.line kvm/0/gsi/4 level=true source=0'],
      ['kvm_set_irq: gsi 24 level 0 source -1', 'kvm.line kvm/0/gsi/24 level=false source=4294967295'],
      [
        'kvm_ioapic_set_irq: pin 4 dst 1 vec 36 (Fixed|physical|edge)',
        'kvm.ioapic kvm/0/ioapic pin=4 dest=0x1 vector=36 mode=Fixed|physical|edge',
      ],
      [
        'kvm_ioapic_set_irq: pin 4 dst 1 vec=36 (Fixed|logical|level|masked) (coalesced)',
        'kvm.ioapic kvm/0/ioapic pin=4 dest=0x1 vector=36 mode=Fixed|logical|level|masked coalesced=true',
      ],
      ['kvm_ack_irq: irqchip IOAPIC pin 4', 'kvm.ack kvm/0/irqchip chip=IOAPIC pin=4'],
      ['kvm_ack_irq: irqchip PIC master pin 0', 'kvm.ack kvm/0/irqchip chip=PIC master pin=0'],
      ['kvm_ack_irq: irqchip 1 pin 3', 'kvm.ack kvm/0/irqchip chip=1 pin=3'],
      ['kvm_pic_set_irq: chip 0 pin 4 (edge|masked)'],
      ['kvm_ioapic_delayed_eoi_inj: dst 1 vec 36 (Fixed|physical|level)'],
    ]);
  });

  it('a read is a read, whatever the record before it said', () => {
    const { events } = wholly(
      `# tracer: nop\n${HEAD}irq_handler_entry: irq=2 name=x\n${HEAD}kvm_mmio: mmio read len 4 gpa 0xfe003000 val 0x7\n`,
    );
    assert.equal(events[1], 'kvm.mmio kvm/0/mmio write=false size=4 address=0xfe003000 value=0x7');
  });

  it('accesses that leave the guest', () => {
    all([
      [
        'kvm_mmio: mmio write len 4 gpa 0xfebfa00c val 0x0',
        'kvm.mmio kvm/0/mmio write=true size=4 address=0xfebfa00c value=0x0',
      ],
      [
        'kvm_mmio: mmio read len 8 gpa 0xc000002000 val 0xfee00000fee01000',
        'kvm.mmio kvm/0/mmio write=false size=8 address=0xc000002000 value=0xfee00000fee01000',
      ],
      [
        'kvm_mmio: mmio unsatisfied-read len 4 gpa 0xfebfa00c val 0x0',
        'kvm.mmio kvm/0/mmio write=false size=4 address=0xfebfa00c value=0x0',
      ],
      [
        'kvm_fast_mmio: fast mmio at gpa 0xfe003000',
        'kvm.mmio kvm/0/mmio write=true size=0 address=0xfe003000 value=0x0',
      ],
    ]);
  });

  it('posted interrupts in the wordings of all versions', () => {
    const end = 'gsi: 0x18, gvec: 0x22';
    const shown = 'vcpu=1 vector=34';
    all([
      [
        `kvm_pi_irte_update: PI is enabled and being updated for irq 42, vcpu 1, ${end}`,
        `pi.update kvm/0/irqfd/24 enable=true hostIrq=42 ${shown}`,
      ],
      [
        `kvm_pi_irte_update: PI is disabled for irq 42, vcpu 1, ${end}, pi_desc_addr: 0x10a4c3000`,
        `pi.update kvm/0/irqfd/24 enable=false hostIrq=42 ${shown} descriptor=0x10a4c3000`,
      ],
      [
        `kvm_pi_irte_update: VT-d PI is enabled and being updated for irq 42, vcpu 1, ${end}, pi_desc_addr: 0x10a4c3000`,
        `pi.update kvm/0/irqfd/24 enable=true hostIrq=42 ${shown} descriptor=0x10a4c3000`,
      ],
      [
        `kvm_pi_irte_update: VT-d PI is disabled for this irq, vcpu 1, ${end}, pi_desc_addr: 0x10a4c3000`,
        `pi.update kvm/0/irqfd/24 enable=false hostIrq=0 ${shown} descriptor=0x10a4c3000`,
      ],
    ]);
  });

  it('hypercalls', () => {
    all([
      ['kvm_hypercall: nr 0x5 a0 0x1 a1 0x2 a2 0x3 a3 0x4', 'hcall kvm/0/hypercall number=0x5'],
      [
        'kvm_hv_hypercall: code 0x7e slow var_cnt 0x2 rep_cnt 0x0 idx 0x0 in 0x1234000 out 0x0',
        'hcall kvm/0/hypercall number=0x7e input=0x1234000 output=0x0',
      ],
      [
        'kvm_hv_hypercall: code 0x7c fast cnt 0x0 idx 0x0 in 0x1234000 out 0x5000',
        'hcall kvm/0/hypercall number=0x7c input=0x1234000 output=0x5000',
      ],
      ['kvm_xen_hypercall: cpl 0 nr 0x21 a0 0x1 a1 0x2 a2 0x3 a3 0x4 a4 0x5 a5 6', 'hcall kvm/0/hypercall number=0x21'],
      ['kvm_xen_hypercall: nr 0x21 a0 0x1', 'hcall kvm/0/hypercall number=0x21'],
    ]);
  });

  it('what says nothing about interrupts is known', () => {
    all([
      ['kvm_pio: pio_write at 0xcf8 size 4 count 1 val 0x80000010 '],
      ['kvm_msr: msr_write 830 = 0xfd'],
      ['kvm_fpu: load'],
      ['kvm_apic: apic_write APIC_EOI = 0x0'],
      ['kvm_halt_poll_ns: vcpu 0: halt_poll_ns 10000 (grow 0)'],
    ]);
  });
});

describe('kvm events, RISC-V', () => {
  it('entries and exits name no virtual CPU', () => {
    // arch/riscv/kvm/trace.h; the reason is the number of the cause.
    all([
      ['kvm_entry: PC: 0x016ffffffff80a01234', 'kvm.entry vcpu/unknown/entry'],
      [
        'kvm_exit: SEPC:0xffffffff80a01234, SCAUSE:0x8000000000000009, STVAL:0x0, HTVAL:0x0, HTINST:0x0',
        'kvm.exit vcpu/unknown/exit reason=0x8000000000000009',
      ],
    ]);
  });
});

describe('kvm events, arm64', () => {
  it('entries and exits name no virtual CPU', () => {
    all([
      ['kvm_entry: PC: 0xffff800008013b24', 'kvm.entry vcpu/unknown/entry'],
      ['kvm_exit: IRQ: HSR_EC: 0x0000 (UNKNOWN), PC: 0xffff800008013b24', 'kvm.exit vcpu/unknown/exit reason=IRQ'],
      ['kvm_exit: TRAP: HSR_EC: 0x0024 (DABT_LOW), PC: 0x0000000008013b24', 'kvm.exit vcpu/unknown/exit reason=TRAP'],
    ]);
  });

  it('lines', () => {
    all([
      [
        'kvm_irq_line: Inject VGIC SPI interrupt (2), vcpu->idx: 0, num: 35, level: 1',
        'kvm.line kvm/0/gsi/35 level=true source=0',
      ],
      ['vgic_update_irq_pending: VCPU: 0, IRQ 35, level: 0', 'kvm.line kvm/0/gsi/35 level=false source=0'],
      ['kvm_timer_update_irq: VCPU: 0, IRQ 27, level 1'],
    ]);
  });
});
