// What QEMU's trace events of interrupt remapping and local APICs become, in the wordings of all versions (trace-events files
// of hw/i386 and hw/intc from 5.0 on).
import assert from 'node:assert/strict';
import { isOutdated } from '../../../src/model/events/remap.ts';
import { pathValue } from '../../../src/query/state.ts';
import { qemuRows as all, qemuEvents as of, wholly } from '../samples.ts';

const VTD = 'ir.seen irte/0 kind=VT-d';

describe('VT-d', () => {
  it('switching on, the table, the mode', () => {
    all([
      ['vtd_ir_enable enable 1', VTD, 'ir.enable irte/0 enable=true'],
      ['vtd_reg_ir_root addr 0x3300000 size 0x10000', VTD, 'ir.table irte/0 address=0x3300000 entries=65536'],
      ['vtd_reg_write addr 0xb8 size 0x8 value 0x330080f', VTD, 'ir.mode irte/0 eim=true'],
      ['vtd_reg_write addr 0xb8 size 0x4 value 0x330000f', VTD, 'ir.mode irte/0 eim=false'],
      ['vtd_reg_write addr 0x88 size 0x4 value 0x20'],
    ]);
  });

  it('a message and its entry; the labels of the two halves are swapped', () => {
    assert.deepEqual(
      of([
        'vtd_ir_remap_msi_req addr 0xfee00298 data 0x0',
        'vtd_ir_irte_get index 20 low 0x40018 high 0x210009',
        'vtd_ir_remap index 20 trigger 0 vector 33 deliver 0 dest 0x0 mode 0',
        'vtd_ir_remap_type MSI',
        'vtd_ir_remap_msi (addr 0xfee00298, data 0x0) -> (addr 0xfee00008, data 0x4021)',
      ]),
      [
        VTD,
        'ir.request irte/0/20 address=0xfee00298 data=0x0',
        'irte.read irte/0/20 value=0x400180000000000210009',
        'ir.remap irte/0/20 vector=33 dest=0x0 destMode=0 deliveryMode=0 trigger=0',
        'ir.message irte/0/20 address=0xfee00298 data=0x0 newAddress=0xfee00008 newData=0x4021',
      ],
    );
  });

  it('the handle of a message: 15 bits, bit 15 in address bit 2, and the subhandle', () => {
    for (const [address, data, index] of [
      [0xfee004b8, 0, 0x25],
      [0xfee1463c, 0, 0x8a31],
      [0xfee00298, 3, 20 + 3],
      [0xfee00290, 3, 20],
    ] as const) {
      const line = `vtd_ir_remap_msi_req addr 0x${address.toString(16)} data 0x${data.toString(16)}`;
      assert.deepEqual(of(line, 1), [
        `ir.request irte/0/${index} address=0x${address.toString(16)} data=0x${data.toString(16)}`,
      ]);
    }
    // Compatibility format names no entry.
    assert.deepEqual(of('vtd_ir_remap_msi_req addr 0xfee01004 data 0x4023', 1), [
      'ir.request irte/0 address=0xfee01004 data=0x4023',
    ]);
  });

  it('invalidations: of one entry, of a block, of all', () => {
    const before = [
      'vtd_ir_irte_get index 8 low 0x1 high 0x1',
      'vtd_ir_irte_get index 10 low 0x1 high 0x1',
      'vtd_ir_irte_get index 12 low 0x1 high 0x1',
    ];
    const reached = (line: string): unknown[] => {
      const { trace } = wholly([...before, line].map((l) => `1@1.000000:${l}`).join('\n'));
      // The log shows no write of the table: what the unit makes of an entry is not known again until it reads it.
      return [8, 10, 12].map((i) => isOutdated(trace.head, trace.world.objectAt(`irte/0/${i}`)));
    };
    assert.deepEqual(of('vtd_inv_desc_iec granularity 0x1 index 0xa mask 0x0', 1), [
      'iec.inv irte/0/10 global=false index=10 mask=0',
    ]);
    assert.deepEqual(reached('vtd_inv_desc_iec granularity 0x1 index 0xa mask 0x0'), [false, true, false]);
    assert.deepEqual(reached('vtd_inv_desc_iec granularity 0x1 index 0x8 mask 0x2'), [true, true, false]);
    assert.deepEqual(of('vtd_inv_desc_iec granularity 0x0 index 0x0 mask 0x0', 1), [
      'iec.inv irte/0 global=true index=0 mask=0',
    ]);
    assert.deepEqual(reached('vtd_inv_desc_iec granularity 0x0 index 0x0 mask 0x0'), [true, true, true]);
    all([
      ['x86_iommu_iec_notify Notify IEC invalidation: global=0 index=10 mask=0'],
      ['vtd_inv_desc invalidate desc type wait high 0x1 low 0x5'],
    ]);
  });

  it('warnings and faults', () => {
    all([
      [
        'vtd_warn_ir_vector sid 0xffff index 1 vec 2 (should be: 48)',
        VTD,
        'ir.warn irte/0/1 what=vector found=2 expected=48',
      ],
      [
        'vtd_warn_ir_trigger sid 0xffff index 9 trigger 0 (should be: 1)',
        VTD,
        'ir.warn irte/0/9 what=trigger found=0 expected=1',
      ],
      // Fault 34 = 0x22, not present; the index stands in address bits 63:48.
      [
        'vtd_dmar_fault sid 0x18 fault 34 addr 0x25000000000000 write 1',
        VTD,
        'ir.fault irte/0/37 reason=34 sid=0x18 index=37',
      ],
      ['vtd_dmar_fault sid 0x18 fault 5 addr 0x1000 write 1'],
      [
        'kvm_x86_fixup_msi_error VT-d failed to remap interrupt for GSI 24',
        'ir.fault irte/0 text=the vIOMMU could not remap the message of GSI 24',
      ],
    ]);
  });
});

describe('AMD-Vi', () => {
  const unit = 'ir.seen irte/amdvi-0x18 kind=AMD-Vi';

  it('a message and its entry, 32 and 128 bits wide', () => {
    const request = 'amdvi_ir_remap_msi_req addr 0xfee00000 data 0x2a devid 0x18';
    const shown = 'ir.request irte/amdvi-0x18/42 address=0xfee00000 data=0x2a sid=0x18';
    assert.deepEqual(
      of([
        request,
        'amdvi_ir_irte addr 0x1000 offset 0xa8',
        'amdvi_ir_irte_val data 0x2200301',
        'amdvi_ir_remap_msi (addr 0xfee00000, data 0x2a) -> (addr 0xfee03000, data 0x4020)',
      ]),
      [
        unit,
        shown,
        'irte.readAmd irte/amdvi-0x18/42 low=0x2200301',
        'ir.message irte/amdvi-0x18/42 address=0xfee00000 data=0x2a newAddress=0xfee03000 newData=0x4020 entry=true',
      ],
    );
    const { trace } = wholly(
      [request, 'amdvi_ir_irte_ga_val hi 0x22 lo 0x301'].map((l) => `1@1.000000:${l}`).join('\n'),
    );
    const irte = pathValue(trace.head, 'irte/amdvi-0x18/42') as Record<string, unknown>;
    assert.deepEqual([irte['ga'], irte['present'], irte['vector'], irte['dest']], [true, true, 0x22, 3]);
    const old = wholly([request, 'amdvi_ir_irte_val data 0x220301'].map((l) => `1@1.000000:${l}`).join('\n'));
    const narrow = pathValue(old.trace.head, 'irte/amdvi-0x18/42') as Record<string, unknown>;
    assert.deepEqual([narrow['ga'], narrow['present'], narrow['vector'], narrow['dest']], [false, true, 0x22, 3]);
  });

  it('invalidation, errors, and what is known without effect', () => {
    const request = 'amdvi_ir_remap_msi_req addr 0xfee00000 data 0x2a devid 0x18';
    assert.deepEqual(of([request, 'amdvi_intr_inval Interrupt table invalidated'], 1), ['irte.invAmd irte/amdvi-0x18']);
    assert.deepEqual(of([request, 'amdvi_ir_err Interrupt remapping failed'], 1), [
      'ir.fault irte/amdvi-0x18 sid=0x18 text=Interrupt remapping failed',
    ]);
    assert.deepEqual(of([request, 'amdvi_ir_target_abort int_ctl is reserved'], 1), [
      'ir.fault irte/amdvi-0x18 sid=0x18 text=int_ctl is reserved',
    ]);
    // About the entry that the message names.
    assert.deepEqual(of([request, 'amdvi_ir_target_abort RemapEn is disabled'], 1), [
      'ir.fault irte/amdvi-0x18/42 sid=0x18 text=RemapEn is disabled',
    ]);
    all([
      ['amdvi_intr_inval Interrupt table invalidated'],
      ['amdvi_mem_ir_write_req addr 0xfee00000 data 0x2a size 0x4'],
      ['amdvi_mem_ir_write addr 0xfee03000 data 0x4020'],
      ['amdvi_ir_delivery_mode fixed'],
      ['amdvi_ir_intctl int_ctl 0x2'],
    ]);
  });
});

describe('local APICs and lines', () => {
  it('deliveries, ends of interrupts, I/O APIC pins', () => {
    all([
      [
        'apic_deliver_irq dest 2 dest_mode 0 delivery_mode 0 vector 33 trigger_mode 0',
        'apic.deliver vcpu/2/vector/33 dest=2 destMode=0 deliveryMode=0 vector=33 trigger=0',
      ],
      [
        'apic_deliver_irq dest 255 dest_mode 1 delivery_mode 1 vector 33 trigger_mode 0',
        'apic.deliver apic/bus dest=255 destMode=1 deliveryMode=1 vector=33 trigger=0',
      ],
      ['ioapic_set_irq vector: 4 level: 1', 'line.set ioapic/0/pin/4 level=true'],
      ['apic_report_irq_delivered coalescing 0'],
    ]);
    const onCpu = "memory_region_ops_write cpu 3 mr 0x1 addr 0xfee000b0 value 0x0 size 4 name 'apic-msi'";
    assert.deepEqual(of([onCpu, 'apic_mem_writel 0xb0 = 0x00000000'], 1), ['apic.eoi vcpu/3']);
    assert.deepEqual(of([onCpu, 'apic_register_write register 0x0b = 0x0'], 1), ['apic.eoi vcpu/3']);
    assert.deepEqual(of([onCpu, 'apic_register_write register 0x3e = 0x0']), [], 'the divider of the timer');
    assert.deepEqual(of([onCpu, 'apic_local_deliver vector 0 delivery mode 0'], 1), [
      'apic.local vcpu/3 lvt=0 deliveryMode=0',
    ]);
  });

  it('an end of interrupt by a thread that is no known virtual CPU says nothing', () => {
    all([
      ['apic_mem_writel 0xb0 = 0x00000000'],
      ['apic_register_write register 0x0b = 0x0'],
      ['apic_local_deliver vector 0 delivery mode 0'],
    ]);
  });

  it('messages are told from registers of the local APIC by their address', () => {
    const at = (address: string, data: string): string[] =>
      of(`memory_region_ops_write cpu 0 mr 0x1 addr ${address} value ${data} size 4 name 'apic-msi'`);
    assert.deepEqual(at('0xfee01004', '0x4023'), [
      'send message/0xfee01004/0x4023 address=0xfee01004 data=0x4023 size=4',
    ]);
    // Destination 1 with extended destination id bits: register offsets exist in the first page only.
    assert.deepEqual(at('0xfee01020', '0x4023'), [
      'send message/0xfee01020/0x4023 address=0xfee01020 data=0x4023 size=4',
    ]);
    assert.deepEqual(at('0xfee00000', '0x4023'), [
      'send message/0xfee00000/0x4023 address=0xfee00000 data=0x4023 size=4',
    ]);
    assert.deepEqual(at('0xfee00300', '0xc4500'), []);
  });

  it('QEMU 5.2 names no region: a write there is a message where no processor writes, or where no register stands', () => {
    const write = (cpu: number, mr: string, address: string, value = '0x0'): string =>
      `memory_region_ops_write cpu ${cpu} mr ${mr} addr ${address} value ${value} size 4`;
    const sent = (...lines: readonly string[]): string[] => of(lines).map((text) => text.split(' ')[1]!);
    // The end of an interrupt, the interrupt command, the timer: registers.
    for (const register of ['0xfee000b0', '0xfee00300', '0xfee00380'])
      assert.deepEqual(sent(write(2, '0x55558a60e200', register)), [], register);
    // Handles 27 (with a subhandle) and 3 (without) of the remapping table of VT-d, as nvme and the I/O APIC sent them.
    assert.deepEqual(sent(write(-1, '0x55558b12d720', '0xfee00378')), ['message/0xfee00378/0x0']);
    assert.deepEqual(sent(write(2, '0x55558b12d720', '0xfee00378')), ['message/0xfee00378/0x0']);
    assert.deepEqual(sent(write(-1, '0x55558b12d720', '0xfee00070', '0x4')), ['message/0xfee00070/0x4']);
    // A processor that reaches a device, which sends: the region is known to be that of the unit by then.
    assert.deepEqual(
      sent(
        write(2, '0x55558b12d720', '0xfee00378'),
        write(2, '0x55558b12d720', '0xfee00070', '0x4'),
        write(2, '0x55558a60e200', '0xfee00380', '0x1000'),
      ),
      ['message/0xfee00378/0x0', 'message/0xfee00070/0x4'],
    );
    assert.deepEqual(of([`memory_region_ops_read cpu 1 mr 0x55558b12d720 addr 0xfee00378 value 0x0 size 4`]), []);
  });
});
