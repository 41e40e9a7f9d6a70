// What each QEMU trace event becomes, in the wordings of all versions (the trace-events files of hw/pci, hw/i386, hw/intc,
// hw/arm, hw/vfio, accel/kvm, target/i386/kvm, hw/nvme, hw/net, hw/virtio from 5.0 on).
import assert from 'node:assert/strict';
import { pathValue } from '../../src/query/state.ts';
import { wholly } from './samples.ts';

/** The events of lines of one thread; the last `last` of them, or all. */
function of(lines: string | readonly string[], last?: number): string[] {
  const list = typeof lines === 'string' ? [lines] : lines;
  const { events, info } = wholly(`${list.map((l, i) => `7@1.${String(i).padStart(6, '0')}:${l}`).join('\n')}\n`);
  assert.equal(info.understood, list.length);
  return last === undefined ? events : events.slice(-last);
}

/** One row per wording: what is printed, and the events it becomes; none: known and without effect. */
function all(rows: readonly (readonly [line: string, ...events: string[]])[]): void {
  for (const [line, ...events] of rows) assert.deepEqual(of(line), events, line);
}

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
    const stale = (line: string): unknown[] => {
      const { trace } = wholly([...before, line].map((l) => `1@1.000000:${l}`).join('\n'));
      return [8, 10, 12].map((i) => pathValue(trace.head, `irte/0/${i}/stale`));
    };
    assert.deepEqual(of('vtd_inv_desc_iec granularity 0x1 index 0xa mask 0x0', 1), [
      'iec.inv irte/0/10 global=false index=10 mask=0',
    ]);
    assert.deepEqual(stale('vtd_inv_desc_iec granularity 0x1 index 0xa mask 0x0'), [false, true, false]);
    assert.deepEqual(stale('vtd_inv_desc_iec granularity 0x1 index 0x8 mask 0x2'), [true, true, false]);
    assert.deepEqual(of('vtd_inv_desc_iec granularity 0x0 index 0x0 mask 0x0', 1), [
      'iec.inv irte/0 global=true index=0 mask=0',
    ]);
    assert.deepEqual(stale('vtd_inv_desc_iec granularity 0x0 index 0x0 mask 0x0'), [true, true, true]);
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
        'ir.warn irte/0/1 sid=0xffff what=vector found=2 expected=48',
      ],
      [
        'vtd_warn_ir_trigger sid 0xffff index 9 trigger 0 (should be: 1)',
        VTD,
        'ir.warn irte/0/9 sid=0xffff what=trigger found=0 expected=1',
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
        'ir.message irte/amdvi-0x18/42 address=0xfee00000 data=0x2a newAddress=0xfee03000 newData=0x4020',
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
      'ir.fault irte/amdvi-0x18 text=Interrupt remapping failed',
    ]);
    assert.deepEqual(of([request, 'amdvi_ir_target_abort IRTE is not valid'], 1), [
      'ir.fault irte/amdvi-0x18 text=IRTE is not valid',
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
    assert.deepEqual(of([onCpu, 'apic_register_write register 0x30 = 0x0']), []);
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
});

describe('GIC and SMMU', () => {
  const P = 'GICv3 ITS: ';

  it('ITS commands', () => {
    const event = 'its/0/device/0x20/event/2';
    all([
      [
        `gicv3_its_cmd_mapd ${P}command MAPD DeviceID 0x20 Size 0x1 ITT_addr 0x47349a V 1`,
        'its.mapd its/0/device/0x20 size=1 itt=0x47349a00 valid=true',
      ],
      [
        `gicv3_its_cmd_mapc ${P}command MAPC ICID 0x1 RDbase 0x1 V 1`,
        'its.mapc its/0/collection/1 target=1 valid=true',
      ],
      [
        `gicv3_its_cmd_mapti ${P}command MAPTI DeviceID 0x20 EventID 0x2 ICID 0x1 pINTID 0x2002`,
        `its.mapti ${event} lpi=8194 collection=1`,
      ],
      [
        `gicv3_its_cmd_mapi ${P}command MAPI DeviceID 0x20 EventID 0x2 ICID 0x1`,
        `its.mapti ${event} lpi=2 collection=1`,
      ],
      [`gicv3_its_cmd_movi ${P}command MOVI DeviceID 0x20 EventID 0x2 ICID 0x1`, `its.movi ${event} collection=1`],
      [`gicv3_its_cmd_discard ${P}command DISCARD DeviceID 0x20 EventID 0x2`, `its.discard ${event}`],
      [`gicv3_its_cmd_inv ${P}command INV DeviceID 0x20 EventID 0x2`, `its.inv ${event}`],
      [`gicv3_its_cmd_int ${P}command INT DeviceID 0x20 EventID 0x2`, `its.int ${event} set=true`],
      [`gicv3_its_cmd_clear ${P}command CLEAR DeviceID 0x20 EventID 0x2`, `its.int ${event} set=false`],
      [`gicv3_its_cmd_sync ${P}command SYNC`, `its.cmd its/0 name=SYNC text=command SYNC`],
      [
        `gicv3_its_cmd_movall ${P}command MOVALL RDbase1 0x0 RDbase2 0x1`,
        'its.cmd its/0 name=MOVALL text=command MOVALL RDbase1 0x0 RDbase2 0x1',
      ],
      [
        `gicv3_its_cmd_vmapti ${P}command VMAPI DeviceID 0x20 EventID 0x2 vPEID 0x0 vINTID 0x2000 Dbell_pINTID 0x3ff`,
        'its.cmd its/0 name=VMAPTI text=command VMAPI DeviceID 0x20 EventID 0x2 vPEID 0x0 vINTID 0x2000 Dbell_pINTID 0x3ff',
      ],
      [`gicv3_its_cmd_unknown ${P}unknown command 0x7f`, 'its.cmd its/0 name=unknown text=unknown command 0x7f'],
    ]);
  });

  it('ITS tables: writes print the address without its lowest 8 bits, reads print it whole', () => {
    all([
      [
        `gicv3_its_dte_read ${P}Device Table read for DeviceID 0x20: valid 1 size 0x1 ITTaddr 0x47349a00`,
        'its.dte its/0/device/0x20 write=false valid=true size=1 itt=0x47349a00',
      ],
      [
        `gicv3_its_dte_write ${P}Device Table write for DeviceID 0x20: valid 1 size 0x1 ITTaddr 0x47349a`,
        'its.dte its/0/device/0x20 write=true valid=true size=1 itt=0x47349a00',
      ],
      [
        `gicv3_its_cte_read ${P}Collection Table read for ICID 0x1: valid 1 RDBase 0x1`,
        'its.cte its/0/collection/1 write=false valid=true target=1',
      ],
      [
        `gicv3_its_cte_write ${P}Collection Table write for ICID 0x1: valid 0 RDBase 0x0`,
        'its.cte its/0/collection/1 write=true valid=false target=0',
      ],
      [
        `gicv3_its_dte_read_fault ${P}Device Table read for DeviceID 0x20: faulted`,
        'its.error its/0 text=Device Table read for DeviceID 0x20: faulted',
      ],
    ]);
    const ite = `gicv3_its_ite_read ${P}Interrupt Table read for ITTaddr 0x47349a00 EventID 0x2: valid 1 inttype 1 intid 0x2002 ICID 0x1 vPEID 0x0 doorbell 0x3ff`;
    assert.deepEqual(
      of(
        [
          `gicv3_its_cmd_mapd ${P}command MAPD DeviceID 0x20 Size 0x1 ITT_addr 0x47349a V 1`,
          `gicv3_its_cmd_mapd ${P}command MAPD DeviceID 0x28 Size 0x1 ITT_addr 0x4734a2 V 1`,
          ite,
        ],
        1,
      ),
      ['its.ite its/0/device/0x20/event/2 write=false valid=true lpi=8194 collection=1'],
      'the table tells the device',
    );
    all([[ite]]);
  });

  it('translations, acknowledges, ends', () => {
    all([
      [
        'gicv3_its_translation_write GICv3 ITS TRANSLATER write: offset 0x40 data 0x2 size 4 requester_id 0x20',
        'its.trans its/0/device/0x20/event/2 device=0x20 event=0x2 size=4',
      ],
      ['gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x1 value 0x2002', 'gic.ack vcpu/1/intid/8194'],
      ['gicv3_icc_iar0_read GICv3 ICC_IAR0 read cpu 0x1 value 0x1b', 'gic.ack vcpu/1/intid/27'],
      ['gicv3_icc_nmiar1_read GICv3 ICC_NMIAR1 read cpu 0x1 value 0x1b', 'gic.ack vcpu/1/intid/27'],
      ['gicv3_icc_eoir_write GICv3 ICC_EOIR1 write cpu 0x1 value 0x2002', 'gic.eoi vcpu/1/intid/8194'],
      ['gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x1 value 0x3ff'],
      ['gic_acknowledge_irq cpu 1 acknowledged irq 82', 'gic.ack vcpu/1/intid/82'],
      ['gic_acknowledge_irq cpu 1 acknowledged irq 1023'],
      ['gic_set_irq irq 82 level 1 cpumask 0xff target 0x2', 'line.set gic/0/spi/82 level=true'],
      ['gicv3_redist_set_irq GICv3 redistributor 0x0 interrupt 27 level changed to 1'],
    ]);
  });

  it('SMMU: stream ids decimal in old versions, hexadecimal later, a stage in the newest', () => {
    const shown = 'iova=0xfffff040 output=0x8090040 perm=0x3';
    const tail = 'iova=0xfffff040 translated=0x8090040 perm=0x3';
    all([
      [
        `smmuv3_translate_success smmuv3-iommu-memory-region-32-3 sid=32 ${tail}`,
        `smmu.trans smmu/0/stream/0x20 ${shown}`,
      ],
      [
        `smmuv3_translate_success smmuv3-iommu-memory-region-32-3 sid=0x20 ${tail}`,
        `smmu.trans smmu/0/stream/0x20 ${shown}`,
      ],
      [
        `smmuv3_translate_success smmuv3-iommu-memory-region-32-3 sid=0x20 ${tail} stage=1`,
        `smmu.trans smmu/0/stream/0x20 ${shown} stage=1`,
      ],
      [
        'smmuv3_translate_disable mr sid=0x20 bypass (smmu disabled) iova:0x1000 is_write=1',
        'smmu.bypass smmu/0/stream/0x20 iova=0x1000 write=true reason=SMMU disabled',
      ],
      [
        'smmuv3_translate_bypass mr sid=32 STE bypass iova:0x1000 is_write=0',
        'smmu.bypass smmu/0/stream/0x20 iova=0x1000 write=false reason=stream table entry says bypass',
      ],
      [
        'smmuv3_translate_abort mr sid=0x18 abort on iova:0x9000040 is_write=1',
        'smmu.abort smmu/0/stream/0x18 iova=0x9000040 write=true',
      ],
      [
        'smmuv3_record_event SMMU_EVT_F_TRANSLATION sid=0x18',
        'smmu.fault smmu/0/stream/0x18 event=SMMU_EVT_F_TRANSLATION',
      ],
      [
        'smmuv3_record_event SMMU_EVT_F_TRANSLATION sid=24',
        'smmu.fault smmu/0/stream/0x18 event=SMMU_EVT_F_TRANSLATION',
      ],
      ['kvm_arm_fixup_msi_route MSI iova = 0xfffff040 is translated into 0x8090040'],
    ]);
  });
});

describe('VFIO and KVM', () => {
  it('vectors and modes, with two blanks behind the name', () => {
    all([
      ['vfio_msix_vector_do_use  (0000:00:03.0) vector 0 used', 'vfio.use vfio/0000:00:03.0/2/0 used=true'],
      ['vfio_msix_vector_release  (0000:00:03.0) vector 2 released', 'vfio.use vfio/0000:00:03.0/2/2 used=false'],
      ['vfio_msix_enable  (0000:00:03.0)', 'vfio.mode vfio/0000:00:03.0 mode=msix enabled=true'],
      ['vfio_msix_disable  (0000:00:03.0)', 'vfio.mode vfio/0000:00:03.0 mode=msix enabled=false'],
      [
        'vfio_msi_enable  (0000:00:02.0) Enabled 4 MSI vectors',
        'vfio.mode vfio/0000:00:02.0 mode=msi enabled=true vectors=4',
      ],
      ['vfio_msi_disable  (0000:00:02.0)', 'vfio.mode vfio/0000:00:02.0 mode=msi enabled=false'],
      ['vfio_intx_enable  (0000:00:02.0)', 'vfio.mode vfio/0000:00:02.0 mode=intx enabled=true'],
      ['vfio_intx_disable  (0000:00:02.0)', 'vfio.mode vfio/0000:00:02.0 mode=intx enabled=false'],
      ['vfio_msix_pba_enable  (0000:00:02.0)', 'vfio.pba vfio/0000:00:02.0 trapped=true'],
      ['vfio_msix_pba_disable  (0000:00:02.0)', 'vfio.pba vfio/0000:00:02.0 trapped=false'],
    ]);
  });

  it('INTx, under its old and its new name', () => {
    all([
      ['vfio_intx_interrupt  (0000:00:02.0) Pin A', 'vfio.intx vfio/0000:00:02.0 what=asserted pin=A'],
      ['vfio_intx_eoi  (0000:00:02.0) EOI', 'vfio.intx vfio/0000:00:02.0 what=EOI'],
      ['vfio_pci_intx_eoi  (0000:00:02.0) EOI', 'vfio.intx vfio/0000:00:02.0 what=EOI'],
      ['vfio_intx_update  (0000:00:02.0) IRQ moved 0 -> 21', 'vfio.intx vfio/0000:00:02.0 what=moved'],
    ]);
  });

  it('interrupts that take the way through user space; devices without a BDF', () => {
    const uuid = '00000000-0000-0000-0000-000000000000';
    all([
      [
        `vfio_msi_interrupt  (${uuid}) vector 0 0xfee01004/0x4023`,
        `vfio.fire vfio/${uuid}/2/0 address=0xfee01004 data=0x4023`,
      ],
    ]);
    assert.deepEqual(
      of(
        [
          'vfio_msi_enable  (0000:00:02.0) Enabled 1 MSI vectors',
          'vfio_msi_interrupt  (0000:00:02.0) vector 0 0xfee01004/0x4023',
        ],
        1,
      ),
      ['vfio.fire vfio/0000:00:02.0/1/0 address=0xfee01004 data=0x4023'],
    );
  });

  it('regions, and the set-up of MSI-X with and without `noresize`', () => {
    all([
      [
        'vfio_region_write  (0000:00:02.0:region0+0x200c, 0x1, 4)',
        'vfio.region vfio/0000:00:02.0 write=true region=0 offset=0x200c value=0x1 size=4',
      ],
      [
        'vfio_region_read  (0000:00:02.0:region0+0x200c, 4) = 0x1',
        'vfio.region vfio/0000:00:02.0 write=false region=0 offset=0x200c value=0x1 size=4',
      ],
      [
        'vfio_msix_early_setup 0000:17:00.0 PCI MSI-X CAP @0x40, BAR 0, offset 0x2000, entries 6',
        'vfio.msix vfio/0000:17:00.0 capability=0x40 bar=0 offset=0x2000 entries=6',
      ],
      [
        'vfio_msix_early_setup 0000:17:00.0 PCI MSI-X CAP @0x40, BAR 0, offset 0x2000, entries 6, noresize 1',
        'vfio.msix vfio/0000:17:00.0 capability=0x40 bar=0 offset=0x2000 entries=6',
      ],
    ]);
  });

  it('routes', () => {
    all([
      ['kvm_irqchip_add_msi_route dev N/A vector 3 virq 24', 'route.set kvm/0/route/24 device=N/A vector=3'],
      ['kvm_irqchip_update_msi_route Updating MSI route virq=24', 'route.update kvm/0/route/24'],
      ['kvm_irqchip_release_virq virq 24', 'route.release kvm/0/route/24'],
      ['kvm_irqchip_commit_routes ', 'route.commit kvm/0'],
      ['kvm_irqchip_commit_routes', 'route.commit kvm/0'],
      ['kvm_resample_fd_notify gsi 10', 'irqfd.wakeup kvm/0/irqfd/10'],
      ['kvm_x86_add_msi_route Adding route entry for virq 24'],
      ['kvm_x86_remove_msi_route Removing route entry for virq 24'],
      ['kvm_x86_update_msi_routes Updated 3 MSI routes'],
    ]);
  });

  it('a route belongs to the vector that the same thread began to use just before', () => {
    assert.deepEqual(
      of(
        [
          'vfio_msix_vector_do_use  (0000:00:03.0) vector 1 used',
          'kvm_irqchip_add_msi_route dev vfio-pci vector 1 virq 24',
        ],
        2,
      ),
      ['route.set kvm/0/route/24 device=0000:00:03.0 vector=1', 'vfio.route vfio/0000:00:03.0/2/1 virq=24'],
    );
    assert.deepEqual(
      of(
        [
          'vfio_msix_vector_do_use  (0000:00:03.0) vector 1 used',
          'kvm_irqchip_add_msi_route dev vfio-pci vector 1 virq 24',
          'kvm_irqchip_release_virq virq 24',
        ],
        2,
      ),
      ['route.release kvm/0/route/24', 'vfio.route vfio/0000:00:03.0/2/1'],
    );
  });
});

describe('emulated devices', () => {
  const NVME = '7:pci_cfg_write nvme 00:03.0 @0x4 <- 0x6'.slice(2);

  it('nvme, before and after 5.1', () => {
    for (const prefix of ['pci_nvme', 'nvme']) {
      assert.deepEqual(of([NVME, `${prefix}_irq_msix raising MSI-X IRQ vector 2`], 1), [
        'dev.raise device/0000:00:03.0/msix/2 vector=2',
      ]);
      assert.deepEqual(of([NVME, `${prefix}_irq_pin pulsing IRQ pin`], 1), ['dev.intx device/0000:00:03.0']);
      assert.deepEqual(of([`${prefix}_irq_masked IRQ is masked`]), []);
    }
    assert.deepEqual(of([NVME, 'pci_nvme_irq_pin asserting IRQ pin'], 1), ['dev.intx device/0000:00:03.0']);
  });

  it('with two of a kind a line that names none belongs to neither', () => {
    const second = 'pci_cfg_write nvme 00:04.0 @0x4 <- 0x6';
    assert.deepEqual(of([NVME, second, 'pci_nvme_irq_msix raising MSI-X IRQ vector 2'], 1), [
      'dev.raise device/nvme/msix/2 vector=2',
    ]);
  });

  it('e1000e and igb share their events; which it is shows in the functions of the log', () => {
    const on = (model: string, line: string): string[] => of([`pci_cfg_write ${model} 00:05.0 @0x4 <- 0x6`, line], 1);
    for (const model of ['e1000e', 'igb']) {
      assert.deepEqual(on(model, 'e1000e_irq_msix_notify_vec MSI-X notify vector 0x1'), [
        'dev.raise device/0000:00:05.0/msix/1 vector=1',
      ]);
      assert.deepEqual(on(model, 'e1000e_irq_msix_notify_postponed_vec Sending MSI-X postponed by EITR[1]'), [
        'dev.raise device/0000:00:05.0/msix/1 vector=1',
      ]);
      assert.deepEqual(on(model, 'e1000e_irq_msi_notify MSI notify 0x80000004'), [
        'dev.raise device/0000:00:05.0/msi vector=0',
      ]);
    }
  });

  it('virtio names a device by pointer, or repeats the name of the event', () => {
    all([
      ['virtio_notify vdev 0x55d0 vq 0x7f10', 'dev.raise virtio/0x55d0'],
      ['virtio_notify_irqfd vdev 0x55d0 vq 0x7f10', 'dev.raise virtio/0x55d0'],
      ['virtio_pci_notify virtio_pci_notify vec 0x1', 'dev.raise virtio/pci vector=1'],
      ['virtio_pci_notify vec 0x1', 'dev.raise virtio/pci vector=1'],
      ['virtio_notify_irqfd_deferred_fn vdev 0x55d0 vq 0x7f10'],
    ]);
  });
});
