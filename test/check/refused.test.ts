// Messages that the VT-d unit of QEMU refuses. The formats are those of hw/i386/trace-events; vtd_irte_get() of hw/i386/intel_iommu.c
// prints the entry before it judges it, and since QEMU 8.1 vtd_report_ir_fault() fills a fault record (vtd_frr_new).
import assert from 'node:assert/strict';
import { pathAt } from '../../src/query/delivery/path.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { importText } from '../helpers/fixtures.ts';
import { found, judged, verdict } from './made.ts';

const VTD = 'mr 0x55a5606c0790';
const TABLE = 'mr 0x55a560868010';

/** An nvme at 00:03.0 whose entry 0 holds handle 24 and is unmasked; MSI-X is on. */
const SETUP = `
1@1.000001:pci_cfg_write nvme 00:03.0 @0x4 <- 0x6
1@1.000002:pci_update_mappings_add DEV 00:03.0 0,0xfe7c0000+0x4000
1@1.000003:pci_cfg_write nvme 00:03.0 @0x42 <- 0xc040
1@1.000004:memory_region_ops_write cpu 0 ${TABLE} addr 0xfe7c2000 value 0xfee00318 size 4 name 'msix-table'
1@1.000005:memory_region_ops_write cpu 0 ${TABLE} addr 0xfe7c2004 value 0x0 size 4 name 'msix-table'
1@1.000006:memory_region_ops_write cpu 0 ${TABLE} addr 0xfe7c2008 value 0x0 size 4 name 'msix-table'
1@1.000007:memory_region_ops_write cpu 0 ${TABLE} addr 0xfe7c200c value 0x0 size 4 name 'msix-table'
1@1.000008:pci_cfg_write nvme 00:03.0 @0x42 <- 0x8040`;

/** A cause and its message, which reads an entry with these halves (`high` is bits 63:0). */
const sent = (at: string, low: string, high: string): string => `
2@${at}1:pci_nvme_irq_msix raising MSI-X IRQ vector 0
2@${at}2:memory_region_ops_write cpu -1 ${VTD} addr 0xfee00318 value 0x0 size 4 name 'vtd-ir'
2@${at}3:vtd_ir_remap_msi_req addr 0xfee00318 data 0x0
2@${at}4:vtd_ir_irte_get index 24 low ${low} high ${high}`;
const goesOn = (at: string): string => `
2@${at}5:vtd_ir_remap index 24 trigger 0 vector 34 deliver 0 dest 0x3 mode 0
2@${at}6:vtd_ir_remap_type MSI
2@${at}7:vtd_ir_remap_msi (addr 0xfee00318, data 0x0) -> (addr 0xfee03008, data 0x4022)
2@${at}8:apic_deliver_irq dest 3 dest_mode 0 delivery_mode 0 vector 34 trigger_mode 0`;
const good = (at: string): string => sent(at, '0x40018', '0x30000220009') + goesOn(at);

const log = (...parts: readonly string[]): Trace => importText(`${parts.join('').trim()}\n`);
const readStep = (trace: Trace): number =>
  Array.from({ length: trace.length }, (_, step) => step).findLast((s) => trace.table.kind(s).name === 'irte.read')!;

describe('messages that a remapping unit refuses', () => {
  const cases: readonly (readonly [what: string, rule: string, low: string, high: string, title: string])[] = [
    ['P = 0', 'F30', '0x40018', '0x30000220008', '0000:00:03.0 used IRTE 24, which is not present'],
    [
      'SID 0x20, SVT 1',
      'F34',
      '0x40020',
      '0x30000220009',
      '0000:00:03.0 used IRTE 24, which belongs to another requester',
    ],
    [
      'reserved bit 127 set',
      'F35',
      '0x8000000000040018',
      '0x30000220009',
      '0000:00:03.0 sent a message for index 24 that IRTE 24 refused',
    ],
  ];
  for (const [what, rule, low, high, title] of cases)
    describe(what, () => {
      const refused = sent('3.00000', low, high);

      it('is told by the entry that was read, where the log goes on with another message', () => {
        const trace = log(SETUP, good('2.00000'), refused, good('4.00000'));
        const step = Array.from({ length: trace.length }, (_, s) => s).filter(
          (s) => trace.table.kind(s).name === 'irte.read',
        )[1]!;
        assert.deepEqual(found(trace, rule), [`${step} irte/0/24: ${title}`]);
        assert.equal(judged(trace, rule).findings[0]!.lost, true);
        const path = pathAt(trace, step)!;
        assert.equal(path.delivered, false);
        assert.match(path.reason!, /^the remapping unit refused the message, fault reason 0x2[246]: /);
      });

      it('is none where a translated message follows all the same', () => {
        const trace = log(SETUP, good('2.00000'), refused, goesOn('3.00000'));
        assert.equal(verdict(trace, rule), 'pass');
      });

      it('is none where nothing was sent: the emulator reads entries for the routes of KVM too', () => {
        const route = refused.split('\n').slice(3).join('\n');
        const trace = log(SETUP, good('2.00000'), `\n${route}`, good('4.00000'));
        assert.equal(verdict(trace, rule), 'pass');
      });
    });

  it('at the end of the log only an entry that is not present is sure to refuse', () => {
    assert.equal(found(log(SETUP, good('2.00000'), sent('3.00000', '0x40018', '0x8')), 'F30').length, 1);
    assert.equal(found(log(SETUP, good('2.00000'), sent('3.00000', '0x40020', '0x30000220009')), 'F34').length, 0);
  });

  it('an entry that works in between and fails again is told twice', () => {
    const bad = (at: string): string => sent(at, '0x40018', '0x8');
    const storm = log(SETUP, good('2.00000'), bad('3.00000'), bad('3.10000'), good('4.00000'));
    assert.equal(found(storm, 'F30').length, 1);
    const twice = log(SETUP, bad('2.00000'), good('3.00000'), bad('4.00000'), good('5.00000'));
    assert.equal(found(twice, 'F30').length, 2);
  });

  it('QEMU 8.1 and newer: vtd_frr_new is the record of the fault', () => {
    // high: fault reason in bits 39:32, requester in 15:0; low: index in bits 63:48.
    const record = '\n2@3.000005:vtd_frr_new index 0 high 0x2200000018 low 0x18000000000000';
    const trace = log(SETUP, good('2.00000'), sent('3.00000', '0x40018', '0x8'), record, good('4.00000'));
    const step = readStep(log(SETUP, good('2.00000'), sent('3.00000', '0x40018', '0x8'))) + 1;
    assert.equal(trace.table.kind(step).name, 'ir.fault');
    assert.deepEqual(found(trace, 'F30'), [`${step} irte/0/24: 0000:00:03.0 used IRTE 24, which is not present`]);
    assert.equal(pathAt(trace, step)!.delivered, false);
    // A fault of DMA (reason below 0x20) is none of interrupts.
    const dma = log(SETUP, '\n2@3.000005:vtd_frr_new index 0 high 0x4000000500000018 low 0x1000');
    assert.equal(verdict(dma, 'F30'), 'not-applicable');
  });
});
