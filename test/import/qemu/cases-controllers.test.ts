// Pieces of QEMU logs as people have them (test/fixtures/cases), and variants of the same kinds: interrupt controllers, exceptions and AMD remapping. What
// is right is told there by hand, from the specification or from QEMU's source.
import assert from 'node:assert/strict';
import { sample } from '../samples.ts';
import { atEnd, atLine, exists, load, log } from './case.ts';

describe('-d int tells which interrupts are taken', () => {
  const deliver = (dest: number, vector: number): string =>
    `apic_deliver_irq dest ${dest} dest_mode 0 delivery_mode 0 vector ${vector} trigger_mode 0`;

  it('qemu-d-int.log', () => {
    const { trace, info } = load('qemu-d-int.log');
    assert.ok(info.understood >= 2);
    assert.deepEqual(info.skipped, {});
    assert.equal(atEnd(trace, 'vcpu/0/vector/49/taken'), 1);
    assert.equal(atLine(trace, 1, 'vcpu/0/vector/49/taken'), 0);
  });

  it('x86 of versions that only print the entry of the handler', () => {
    const line = (v: string, i: number): string =>
      `    12: v=${v} e=0000 i=${i} cpl=0 IP=0010:ffffffff81e3c1d6 pc=ffffffff81e3c1d6 SP=0018:ffffffff82a03e80 env->regs[R_EAX]=0`;
    const trace = log(deliver(1, 236), line('ec', 0), line('0e', 0), line('80', 1));
    assert.equal(atEnd(trace, 'vcpu/1/vector/236/taken'), 1);
    assert.ok(!exists(trace, 'vcpu/1/vector/14') && !exists(trace, 'vcpu/1/vector/128'));
  });

  it('each time that one is taken counts once', () => {
    const entry = (v: string): string => `     7: v=${v} e=0000 i=0 cpl=3 IP=0033:00 pc=00 SP=002b:00 EAX=0`;
    const trace = log(
      deliver(0, 49),
      'Servicing hardware INT=0x31',
      entry('31'),
      deliver(0, 49),
      'Servicing hardware INT=0x31',
      entry('31'),
      'Servicing hardware INT=0xffffffff',
    );
    assert.equal(atEnd(trace, 'vcpu/0/vector/49/taken'), 2);
    assert.equal(atEnd(trace, 'vcpu/0/injections'), 2);
  });

  it('with several CPUs that the vector may be of it belongs to none of them', () => {
    const trace = log(deliver(0, 49), deliver(1, 49), 'Servicing hardware INT=0x31', 'Servicing hardware INT=0x08');
    assert.equal(atEnd(trace, 'vcpu/0/vector/49/taken'), 0);
    assert.equal(atEnd(trace, 'apic/vector/49/taken'), 1);
    assert.equal(atEnd(trace, 'apic/vector/8/taken'), 1);
  });

  it('Arm with and without the CPU, and only interrupts', () => {
    const trace = log(
      'gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x1 value 0x1e',
      'Taking exception 5 [IRQ] on CPU 1',
      '...from EL0 to EL1',
      'Taking exception 2 [SVC] on CPU 1',
      'Taking exception 5 [IRQ]',
    );
    assert.equal(atEnd(trace, 'vcpu/1/vector/5/taken'), 2);
    assert.ok(!exists(trace, 'vcpu/1/vector/2'));
  });

  it('RISC-V, as a line and as a trace event', () => {
    const trace = log(
      'riscv_cpu_do_interrupt: hart:1, async:1, cause:0000000000000009, epc:0x80000f2c, tval:0x0, desc=s_external',
      'riscv_trap hart:1, async:1, cause:9, epc:0x80000f2c, tval:0x0, desc=s_external',
      'riscv_cpu_do_interrupt: hart:0, async:0, cause:0000000000000008, epc:0x80000f2c, tval:0x0, desc=user_ecall',
    );
    assert.equal(atEnd(trace, 'vcpu/1/vector/9/taken'), 2);
    assert.ok(!exists(trace, 'vcpu/0'));
  });
});

describe('faults of VT-d', () => {
  it('with reasons 0x20 to 0x2f are those of interrupt requests', () => {
    const kinds = (reason: number): string[] => {
      const trace = log(`vtd_dmar_fault sid 0x18 fault ${reason} addr 0x1000000000000 write 0`);
      return Array.from({ length: trace.length }, (_, step) => trace.table.kind(step).name).slice(-1);
    };
    assert.deepEqual([0x1f, 0x20, 0x2f, 0x30].map(kinds), [[], ['ir.fault'], ['ir.fault'], []]);
  });
});

describe('AMD remapping: request, entry and result of one thread belong together', () => {
  const request = (data: number, devid: number): string =>
    `amdvi_ir_remap_msi_req addr 0xfee00000 data 0x${data.toString(16)} devid 0x${devid.toString(16)}`;
  const entry = (vector: number): string => `amdvi_ir_irte_ga_val hi 0x${vector.toString(16)} lo 0x1`;
  const result = (data: number, to: number): string =>
    `amdvi_ir_remap_msi (addr 0xfee00000, data 0x${data.toString(16)}) -> (addr 0xfee00000, data 0x${to.toString(16)})`;

  it('amd-remaps.log', () => {
    const { trace } = load('amd-remaps.log');
    const path = 'irte/amdvi-0xa0/2';
    assert.deepEqual(
      ['remaps', 'reads', 'vector'].map((k) => atEnd(trace, `${path}/${k}`)),
      [3, 3, 48],
    );
    assert.equal(atLine(trace, 6, `${path}/remaps`), 1);
  });

  it('two threads whose records are mixed', () => {
    const trace = log(
      `7@1.000001:${request(2, 0xa0)}`,
      `8@1.000002:${request(5, 0x18)}`,
      `8@1.000003:${entry(0x41)}`,
      `7@1.000004:${entry(0x30)}`,
      `8@1.000005:${result(5, 0x41)}`,
      `7@1.000006:${result(2, 0x30)}`,
    );
    assert.equal(atEnd(trace, 'irte/amdvi-0xa0/2/vector'), 0x30);
    assert.equal(atEnd(trace, 'irte/amdvi-0x18/5/vector'), 0x41);
    assert.equal(atEnd(trace, 'irte/amdvi-0xa0/2/remaps'), 1);
    assert.equal(atEnd(trace, 'irte/amdvi-0x18/5/remaps'), 1);
  });

  it('a message that is passed on as it came used no entry; one that was refused has no result', () => {
    const passed = log(request(2, 0xa0), result(2, 2));
    assert.equal(atEnd(passed, 'irte/amdvi-0xa0/2/remaps') ?? 0, 0);
    const refused = log(request(2, 0xa0), 'amdvi_ir_err device is not allowed', result(9, 0x30));
    assert.equal(atEnd(refused, 'irte/amdvi-0xa0/2/remaps') ?? 0, 0);
    assert.ok(!exists(log('amdvi_ir_err no request before'), 'irte/amdvi-0x0'), 'no unit is made up');
  });

  it('a requester that the emulator does not know is not told', () => {
    for (const line of [request(2, 0xffff), 'vtd_warn_ir_vector sid 0xffff index 3 vec 1 (should be: 2)'])
      assert.ok(!sample(`${line}\n`).events.join('\n').includes('sid='), line);
    assert.match(sample(`${request(2, 0xa0)}\n`).events.join('\n'), /sid=0xa0/);
  });
});

describe('the interrupt controllers of an emulated x86 machine', () => {
  const onVcpu1 = "memory_region_ops_write cpu 1 mr 0x1 addr 0x3f8 value 0x41 size 1 name 'serial'";

  it('writes and reads of the redirection table', () => {
    const write = (select: number, value: string): string =>
      `ioapic_mem_write ioapic mem write addr 0x10 regsel: 0x${select.toString(16)} size 0x4 val ${value}`;
    const trace = log(
      write(0x12, '0x10031'),
      write(0x13, '0x1000000'),
      write(0x12, '0xa031'),
      'ioapic_mem_read ioapic mem read addr 0x10 regsel: 0x12 size 0x4 retval 0xe031',
      'ioapic_mem_write ioapic mem write addr 0x0 regsel: 0x12 size 0x4 val 0x14',
      'ioapic_eoi_broadcast EOI broadcast for vector 49',
    );
    const entry = (line: number, field: string): unknown => atLine(trace, line, `ioapic/0/pin/1/entry.${field}`);
    assert.deepEqual(
      [entry(1, 'mask'), entry(3, 'mask'), entry(3, 'vector'), entry(3, 'dest')],
      [true, false, 0x31, 1],
    );
    assert.deepEqual([entry(3, 'remoteIrr'), entry(4, 'remoteIrr'), entry(6, 'remoteIrr')], [null, true, false]);
    assert.ok(!exists(trace, 'ioapic/0/pin/2'), 'a write of IOREGSEL is none of the table');
  });

  it('Remote IRR as the emulator tells it, and an end of interrupt of another vector', () => {
    const trace = log(
      'ioapic_set_remote_irr set remote irr for pin 9',
      'ioapic_eoi_broadcast EOI broadcast for vector 49',
      'ioapic_clear_remote_irr clear remote irr for pin 9 vector 33',
    );
    const irr = (line: number): unknown => atLine(trace, line, 'ioapic/0/pin/9/entry.remoteIrr');
    assert.deepEqual([irr(1), irr(2), irr(3)], [true, true, false]);
  });

  it('the local vector table, in both ways that versions print it', () => {
    for (const line of ['apic_register_write register 0x32 = 0x200ec', 'apic_mem_writel 0x320 = 0x000200ec']) {
      const trace = log(onVcpu1, line);
      const timer = atEnd(trace, 'vcpu/1/lvtTimer') as { fields: Record<string, unknown> };
      assert.equal(timer.fields['vector'], 0xec, line);
      assert.equal(timer.fields['mask'], false);
      assert.equal(timer.fields['timerMode'], 1);
      assert.equal(timer.fields['status'], null, 'of the hardware');
    }
    assert.ok(!exists(log('apic_register_write register 0x32 = 0x200ec'), 'vcpu'), 'of which CPU is not told');
  });

  it('an interrupt that a CPU sends to others', () => {
    const ipi = (...lines: string[]): string => sample(`${[onVcpu1, ...lines].join('\n')}\n`).events.at(-1)!;
    assert.equal(
      ipi('apic_mem_writel 0x310 = 0x02000000', 'apic_mem_writel 0x300 = 0x000008fd'),
      'apic.ipi vcpu/1 dest=0x2 vector=253 mode=Fixed',
    );
    assert.equal(
      ipi('apic_register_write register 0x30 = 0x1000004500'),
      'apic.ipi vcpu/1 dest=0x10 vector=0 mode=INIT',
      'x2APIC: the destination is the upper half',
    );
    assert.equal(
      ipi('apic_register_write register 0x30 = 0xc08fb'),
      'apic.ipi vcpu/1 vector=251 mode=Fixed',
      'all others',
    );
  });
});

describe('GICv3: what is active and pending', () => {
  const iar = (intid: string): string => `gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x1 value ${intid}`;
  const eoi = (intid: string): string => `gicv3_icc_eoir_write GICv3 ICC_EOIR1 write cpu 0x1 value ${intid}`;
  const dir = (intid: string): string => `gicv3_icc_dir_write GICv3 ICC_DIR write cpu 0x1 value ${intid}`;
  const ctlr = (value: string): string => `gicv3_icc_ctlr_write GICv3 ICC_CTLR write cpu 0x1 value ${value}`;
  const active = (n: number, ...lines: string[]): unknown => atEnd(log(...lines), `vcpu/1/intid/${n}/inService`);

  it('gicv3-spi-move.log', () => {
    const { trace, info } = load('gicv3-spi-move.log');
    assert.equal(info.records, 21);
    assert.ok(info.understood >= 19);
    assert.equal(atEnd(trace, 'gic/0/spi/33/route.aff0'), 1);
    assert.equal(atLine(trace, 3, 'gic/0/spi/33/level'), true);
    assert.equal(atEnd(trace, 'gic/0/spi/33/level'), false);
    assert.equal(atEnd(trace, 'gic/0/redist/1/ppi/30/level'), false);
    assert.equal(atLine(trace, 6, 'vcpu/1/intid/33/requested'), true);
    assert.equal(atLine(trace, 17, 'vcpu/1/intid/33/inService'), true);
    assert.equal(atLine(trace, 18, 'vcpu/1/intid/33/inService'), true, 'a write of ICC_DIR before showed EOImode 1');
    assert.equal(atEnd(trace, 'vcpu/1/intid/33/inService'), false);
    assert.equal(atEnd(trace, 'vcpu/1/intid/33/eois'), 1);
  });

  it('EOIR ends an LPI whatever EOImode is', () => {
    for (const mode of ['0x0', '0x2']) assert.equal(active(8197, ctlr(mode), iar('0x2005'), eoi('0x2005')), false);
    assert.equal(active(8197, iar('0x2005'), eoi('0x2005')), false);
    // The first LPI is 8192 (IHI 0069 2.2.1); the INTID before it is none.
    assert.equal(active(8192, ctlr('0x402'), iar('0x2000'), eoi('0x2000')), false);
    assert.equal(active(8191, ctlr('0x402'), iar('0x1fff'), eoi('0x1fff')), true);
  });

  it('an end of interrupt is an event of the CPU that writes EOIR', () => {
    const trace = log(iar('0x21'), eoi('0x21'));
    assert.deepEqual(
      [0, 1].map((step) => [trace.table.kind(step).name, trace.table.cpu(step)]),
      [
        ['gic.ack', 1],
        ['gic.eoi', 1],
      ],
    );
  });

  it('of other INTIDs EOIR only drops the priority with EOImode 1, and DIR deactivates', () => {
    assert.equal(active(33, ctlr('0x402'), iar('0x21'), eoi('0x21')), true);
    assert.equal(active(33, ctlr('0x402'), iar('0x21'), eoi('0x21'), dir('0x21')), false);
    assert.equal(active(33, ctlr('0x400'), iar('0x21'), eoi('0x21')), false);
    assert.equal(active(33, iar('0x21'), eoi('0x21')), null, 'the mode is not known');
    const other = ctlr('0x402').replace('cpu 0x1', 'cpu 0x0');
    assert.equal(active(33, other, iar('0x21'), eoi('0x21')), null, 'of another CPU');
  });

  it('what was shown as pending is not known to be so when the CPU has nothing to take', () => {
    const shown = (cpu: number, irq: number, prio: number): string =>
      `gicv3_cpuif_update GICv3 CPU i/f 0x${cpu} HPPI update: irq ${irq} group 1 prio ${prio}`;
    const none = shown(1, 1023, 255);
    const pending = (...lines: string[]): unknown => atEnd(log(...lines), 'vcpu/1/intid/27/requested') ?? null;
    assert.equal(pending(shown(1, 27, 160)), true);
    // It went away, or it was disabled: the record does not tell which.
    assert.equal(pending(shown(1, 27, 160), none), null);
    assert.equal(pending(shown(1, 27, 160), shown(1, 33, 128), none), null, 'behind one of a higher priority');
    assert.equal(pending(shown(1, 27, 160), none, shown(1, 27, 160)), true);
    assert.equal(pending(shown(1, 27, 160), iar('0x1b'), none), false, 'it was acknowledged');
    assert.equal(pending(shown(1, 27, 160), shown(0, 1023, 255)), true, 'another CPU');
  });

  it('redistributors: SGIs, and writes of the pending and active registers', () => {
    const write = (offset: string, data: string): string =>
      `gicv3_redist_write GICv3 redistributor 0x1 write: offset ${offset} data ${data} size 4 secure 0`;
    const sgi = log('gicv3_redist_send_sgi GICv3 redistributor 0x1 pending SGI 2');
    assert.equal(atEnd(sgi, 'vcpu/1/intid/2/requested'), true);
    assert.equal(atEnd(sgi, 'vcpu/1/intid/2/accepts'), 1);
    const trace = log(
      write('0x10200', '0x8000'),
      write('0x10280', '0xffffffff'),
      write('0x10300', '0x8'),
      write('0x10380', '0x8'),
    );
    assert.deepEqual(
      [1, 2].map((l) => atLine(trace, l, 'vcpu/1/intid/15/requested')),
      [true, false],
    );
    assert.deepEqual(
      [3, 4].map((l) => atLine(trace, l, 'vcpu/1/intid/3/inService')),
      [true, false],
    );
    assert.ok(!exists(trace, 'vcpu/1/intid/7'), 'what is cleared without having occurred makes no object');
  });
});
