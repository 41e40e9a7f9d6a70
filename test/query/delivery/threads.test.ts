// What belongs together when threads and processors record between each other, and what a record leaves open.
import assert from 'node:assert/strict';
import { msi } from '../../../src/model/things/pci.ts';
import { funnelOf } from '../../../src/query/delivery/funnel.ts';
import { type PathView, pathAt, RecordedKinds } from '../../../src/query/delivery/path.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { importText } from '../../helpers/fixtures.ts';

/** Lines of the path through a line, with their stages: `4:signal 9:accept`. Without `line` the last one. */
function lines(trace: Trace, line: number): string {
  return hopLines(trace, pathThrough(trace, line));
}

function pathThrough(trace: Trace, line: number): PathView | undefined {
  const step = trace.lastAtLine(line);
  assert.equal(trace.table.line(step), line, `line ${line} became an event`);
  return pathAt(trace, step);
}

const hopLines = (trace: Trace, path: PathView | undefined): string =>
  (path?.hops ?? []).map((hop) => `${trace.table.line(hop.step)}:${hop.stage}${hop.seen ? '' : '?'}`).join(' ');

const text = (rows: readonly string[]): Trace => importText(`${rows.join('\n')}\n`);

describe('paths through threads that record between each other', () => {
  it('KVM: a virtual CPU that accepts its timer does not take the line of another thread', () => {
    // Capture of a host, lines 43290 to 43296 and 267421 to 267441, without those of other events.
    const trace = text([
      ' qemu-system-x86-737     [001] .....    48.853743: kvm_set_irq: gsi 4 level 1 source 0',
      '          <idle>-0       [000] d.h1.    48.853800: local_timer_entry: vector=236',
      '          <idle>-0       [000] dNh1.    48.853825: local_timer_exit: vector=236',
      ' qemu-system-x86-736     [000] .....    48.853861: kvm_apic_accept_irq: apicid 0 vec 236 (Fixed|edge)',
      ' qemu-system-x86-736     [000] d..1.    48.853884: kvm_entry: vcpu 0, rip 0xffffffffb870356f',
      ' qemu-system-x86-737     [001] ...1.    48.854192: kvm_apic_accept_irq: apicid 1 vec 34 (Fixed|edge)',
      ' qemu-system-x86-737     [001] ...1.    48.854195: kvm_ioapic_set_irq: pin 4 dst 1 vec 34 (Fixed|physical|edge)',
      ' qemu-system-x86-737     [001] .....    48.854222: kvm_set_irq: gsi 4 level 1 source 0',
      ' qemu-system-x86-737     [001] ...1.    48.854225: kvm_pic_set_irq: chip 0 pin 4 (edge|masked)',
      ' qemu-system-x86-737     [001] ...1.    48.854227: kvm_ioapic_set_irq: pin 4 dst 1 vec 34 (Fixed|physical|edge) (coalesced)',
      ' qemu-system-x86-737     [001] ...1.    48.854400: kvm_apic_accept_irq: apicid 1 vec 236 (Fixed|edge)',
    ]);
    assert.equal(lines(trace, 1), '1:signal 6:accept 7:route');
    assert.equal(lines(trace, 4), '4:accept');
    assert.equal(lines(trace, 8), '8:signal 10:route');
    assert.match(pathThrough(trace, 8)!.reason!, /^coalesced: /);
    assert.equal(lines(trace, 11), '11:accept', 'the timer of the virtual CPU is no part of the line');
  });

  it('KVM with posted delivery: an end without an injection ends it, and a later one is another interrupt', () => {
    const rows = [1, 2].flatMap((n) => [
      `     CPU 0/KVM-77    [020] d..1. 10.00000${n}: kvm_apicv_accept_irq: apicid 0 vec 129 (Fixed|level)`,
      `     CPU 0/KVM-77    [020] d..1. 10.00001${n}: kvm_entry: vcpu 0, rip 0x1000`,
      `     CPU 0/KVM-77    [020] d..1. 10.00002${n}: kvm_eoi: apicid 0 vector 129`,
    ]);
    // Edge-triggered ones end without a record (domain: KVM posted interrupts): two of them are two interrupts.
    rows.push('     CPU 0/KVM-77    [020] d..1. 10.000031: kvm_apicv_accept_irq: apicid 0 vec 50 (Fixed|edge)');
    rows.push('     CPU 0/KVM-77    [020] d..1. 10.000032: kvm_entry: vcpu 0, rip 0x1000');
    rows.push('     CPU 0/KVM-77    [020] d..1. 10.000033: kvm_apicv_accept_irq: apicid 0 vec 50 (Fixed|edge)');
    const trace = text(rows);
    assert.equal(lines(trace, 1), '1:accept 3:eoi');
    assert.equal(lines(trace, 4), '4:accept 6:eoi');
    assert.equal(pathThrough(trace, 4)!.delivered, true);
    assert.equal(lines(trace, 7), '7:accept');
    assert.equal(pathThrough(trace, 9)!.reason, null, 'it merged with nothing');
  });

  it('KVM: NMI, INIT and SIPI set no bit of the IRR, so that they merge with nothing', () => {
    const trace = text(
      ['SIPI', 'SIPI', 'Fixed', 'Fixed'].map(
        (mode, i) => ` CPU 1/KVM-81    [001] d..1. 10.00000${i}: kvm_apic_accept_irq: apicid 1 vec 49 (${mode}|edge)`,
      ),
    );
    assert.equal(pathThrough(trace, 2)!.reason, null);
    assert.equal(pathThrough(trace, 3)!.reason, null);
    assert.match(pathThrough(trace, 4)!.reason!, /^merged with the interrupt that was still requested/);
  });

  it('KVM without threads: the only virtual CPU for which a vector is requested takes it, and that is inferred', () => {
    const trace = text([
      ' 220.696238: kvm_apic_accept_irq: apicid 0 vec 176 (Fixed|edge)',
      ' 220.696239: kvm_inj_virq: IRQ 0xb0',
      ' 220.696240: kvm_eoi: apicid 0 vector 176',
      ' 220.696241: kvm_apic_accept_irq: apicid 0 vec 176 (Fixed|edge)',
      ' 220.696242: kvm_apic_accept_irq: apicid 1 vec 176 (Fixed|edge)',
      ' 220.696243: kvm_inj_virq: IRQ 0xb0',
    ]);
    assert.equal(lines(trace, 1), '1:accept 2:inject? 3:eoi');
    assert.equal(lines(trace, 4), '4:accept', 'two processors wait for the vector');
  });

  it('a shared irq: its actions are one interrupt, also when other processors record between them', () => {
    const trace = text([
      '          <idle>-0     [000] d.h.  1257.347342: irq_handler_entry: irq=56 name=dwc_otg',
      '          <idle>-0     [001] d.h.  1257.347350: irq_handler_entry: irq=11 name=arch_timer',
      '          <idle>-0     [000] d.h.  1257.347352: irq_handler_exit: irq=56 ret=unhandled',
      '          <idle>-0     [001] d.h.  1257.347353: irq_handler_exit: irq=11 ret=handled',
      '          <idle>-0     [000] d.h.  1257.347354: irq_handler_entry: irq=56 name=dwc_otg_pcd',
      '          <idle>-0     [000] d.h.  1257.347357: irq_handler_exit: irq=56 ret=unhandled',
      '          <idle>-0     [000] d.h.  1257.347390: irq_handler_entry: irq=56 name=dwc_otg',
      '          <idle>-0     [000] d.h.  1257.347391: irq_handler_exit: irq=56 ret=unhandled',
    ]);
    assert.equal(lines(trace, 1), '1:handler 3:handler 5:handler 6:handler');
    assert.equal(lines(trace, 6), '1:handler 3:handler 5:handler 6:handler');
    assert.equal(lines(trace, 8), '7:handler 8:handler');
  });

  it('AMD-Vi: each message that one thread translates is an interrupt of its own', () => {
    const message = (n: number): string[] => [
      `21@1795148927.82${n}024:amdvi_ir_remap_msi_req addr 0xfee00000 data 0x2 devid 0xa0`,
      `21@1795148927.82${n}035:amdvi_ir_irte addr 0x100210000 offset 0x20`,
      `21@1795148927.82${n}037:amdvi_ir_irte_ga_val hi 0x30 lo 0x1`,
      `21@1795148927.82${n}038:amdvi_ir_remap_msi (addr 0xfee00000, data 0x2) -> (addr 0xfee00000, data 0x4030)`,
    ];
    const trace = text([...message(2), ...message(3)]);
    assert.equal(lines(trace, 1), '1:remap 3:remap 4:remap');
    assert.equal(lines(trace, 8), '5:remap 7:remap 8:remap');
  });

  it('an end of interrupt without a vector is of no delivery: it may be of a timer', () => {
    // x86 capture with VT-d, lines 545399 to 545419: virtual CPU 3 ends its timer while the line of edu is requested.
    const trace = text([
      '30206@1795148743.780143:apic_deliver_irq dest 3 dest_mode 0 delivery_mode 0 vector 37 trigger_mode 0',
      '30197@1795148743.780289:apic_local_deliver vector 0 delivery mode 0',
      "30208@1795148743.780657:memory_region_ops_write cpu 3 mr 0x55a55fae58a0 addr 0xfee000b0 value 0x0 size 4 name 'apic-msi'",
      '30208@1795148743.780659:apic_mem_writel 0xb0 = 0x00000000',
    ]);
    assert.equal(lines(trace, 1), '1:accept');
    assert.ok(pathThrough(trace, 1)!.blind.some(({ stage }) => stage === 'eoi'));
  });
});

describe('messages and their causes in a log of QEMU', () => {
  it('a cause that an eventfd delays: its message comes behind that of another device', () => {
    // x86 capture with VT-d, lines 284412 to 284423, without the records of the remapping unit.
    const trace = text([
      '30197@1795148702.113618:virtio_notify_irqfd vdev 0x55a560b35a30 vq 0x7f8de44651d8',
      '30197@1795148702.113628:pci_nvme_irq_msix raising MSI-X IRQ vector 4',
      "30197@1795148702.113629:memory_region_ops_write cpu -1 mr 0x55a5606c0790 addr 0xfee00318 value 0x0 size 4 name 'vtd-ir'",
      '30197@1795148702.113631:vtd_ir_remap_msi_req addr 0xfee00318 data 0x0',
      '30197@1795148702.113636:apic_deliver_irq dest 3 dest_mode 0 delivery_mode 0 vector 34 trigger_mode 0',
      '30197@1795148702.113637:pci_nvme_mmio_doorbell_cq cqid 4 new_head 1',
      '30197@1795148702.113639:vtd_inv_desc_wait_sw wait invalidate status write addr 0x100052db4 data 0x2',
      "30197@1795148702.113642:memory_region_ops_write cpu -1 mr 0x55a5606c0790 addr 0xfee003b8 value 0x0 size 4 name 'vtd-ir'",
      '30197@1795148702.113643:vtd_ir_remap_msi_req addr 0xfee003b8 data 0x0',
    ]);
    assert.equal(lines(trace, 1), '1:cause 8:message 9:remap');
  });

  it('MSI with several vectors: the messages differ in the low bits of data, and each has its cause', () => {
    const setUp = [
      // A 64 bit capability that asks for 32 vectors (PCI 6.8.1.3: bits 3:1 of its control are 5), granted and enabled.
      '1@1.000001:pci_cfg_read megasas 00:05.0 @0x34 -> 0x50',
      '1@1.000002:pci_cfg_read megasas 00:05.0 @0x50 -> 0x8a0005',
      '1@1.000003:pci_cfg_write megasas 00:05.0 @0x54 <- 0xfee01000',
      '1@1.000004:pci_cfg_write megasas 00:05.0 @0x58 <- 0x0',
      '1@1.000005:pci_cfg_write megasas 00:05.0 @0x5c <- 0x4040',
      '1@1.000006:pci_cfg_write megasas 00:05.0 @0x52 <- 0xdb',
      '1@1.000010:megasas_msi_raise vector 3',
    ];
    const message = (address: string, data: string): string =>
      `1@1.000011:memory_region_ops_write cpu -1 mr 0x55a5606c0790 addr ${address} value ${data} size 4 name 'apic-msi'`;
    assert.equal(lines(text([...setUp, message('0xfee01000', '0x4043')]), 7), '7:cause 8:message');
    assert.equal(lines(text([...setUp, message('0xfee01000', '0x4060')]), 7), '7:cause', 'more than 32 vectors on');
    assert.equal(
      lines(text([...setUp, message('0xfee02000', '0x4043')]), 7),
      '7:cause',
      'the message of something else',
    );
  });
});

describe('two queues of one virtio device that wait at once', () => {
  // As in the x86 capture with VT-d from line 294954 on. QEMU allocates the queues in one array, and the driver gave queue n the vector
  // whose message selects remapping entry 26 + n: so it is known which message is of which queue.
  const notify = (n: number, how = '_irqfd'): string =>
    `30197@1795148702.19784${n}:virtio_notify${how} vdev 0x55a560b35a30 vq 0x${(0x7f8de4465010 + n * 0x98).toString(16)}`;
  const message = (n: number, thread = 30197): string =>
    `${thread}@1795148702.19789${n}:memory_region_ops_write cpu -1 mr 0x55a5606c0790 addr 0x${(0xfee00358 + n * 0x20).toString(16)} value 0x0 size 4 name 'vtd-ir'`;
  const other = [
    '30197@1795148702.197863:pci_nvme_irq_msix raising MSI-X IRQ vector 2',
    "30197@1795148702.197866:memory_region_ops_write cpu -1 mr 0x55a5606c0790 addr 0xfee002d8 value 0x0 size 4 name 'vtd-ir'",
  ];
  /** Each queue alone: nothing else can have sent what follows. */
  const alone = [notify(0), message(0), notify(1), ...other, message(1), notify(3), message(3)];

  it('each message belongs to the cause of its own queue, in whatever order they come', () => {
    const orders = [
      [0, 1, 3],
      [3, 1, 0],
      [1, 3, 0],
    ];
    for (const order of orders) {
      const trace = text([...alone, notify(3), notify(1), notify(0), ...other, ...order.map((n) => message(n))]);
      const causes = { 3: 9, 1: 10, 0: 11 } as Readonly<Record<number, number>>;
      for (const [i, n] of order.entries()) {
        const line = 14 + i;
        assert.equal(lines(trace, causes[n]!), `${causes[n]}:cause ${line}:message`, `${order} of queue ${n}`);
        assert.equal(lines(trace, line), `${causes[n]}:cause ${line}:message`);
      }
    }
  });

  it('what comes later tells it, too', () => {
    const trace = text([notify(1), notify(0), ...other, message(0), message(1), ...alone]);
    assert.equal(lines(trace, 1), '1:cause 6:message');
    assert.equal(lines(trace, 2), '2:cause 5:message');
  });

  it('where nothing tells which is which, no message is given to the wrong one', () => {
    const trace = text([notify(1), notify(0), ...other, message(0), message(1)]);
    for (const line of [1, 2]) assert.equal(lines(trace, line), `${line}:cause`);
    for (const line of [5, 6]) assert.equal(lines(trace, line), `${line}:message`);
    assert.equal(pathThrough(trace, 1)!.delivered, null);
  });

  it('a queue whose device sends at once has the message behind it, while another one waits behind its mask', () => {
    const trace = text([notify(0, ''), notify(1, ''), message(1), message(0, 30205)]);
    assert.equal(lines(trace, 2), '2:cause 3:message');
    // The thread of a virtual CPU clears the mask and sends; that it is of queue 0 is known where the queue was seen to send before.
    assert.equal(lines(trace, 1), '1:cause');
    const known = text([notify(0, ''), message(0), notify(0, ''), notify(1, ''), message(1), message(0, 30205)]);
    assert.equal(lines(known, 3), '3:cause 6:message');
    assert.equal(lines(known, 4), '4:cause 5:message');
  });

  it('a message of another queue of which no record tells the cause is not that of the one that waits', () => {
    const trace = text([...alone, notify(1), message(3), message(1)]);
    assert.equal(lines(trace, 9), '9:cause 11:message');
    assert.equal(lines(trace, 10), '10:message');
  });

  it('a driver that chooses another vector for a queue, or exchanges those of two', () => {
    const trace = text([
      ...[notify(0), message(0)],
      ...[notify(0), notify(1), message(2), message(1)],
      ...[notify(1), message(1), notify(0), message(2)],
    ]);
    assert.equal(lines(trace, 1), '1:cause 2:message');
    assert.equal(lines(trace, 3), '3:cause 5:message', 'queue 1 sends by another entry');
    assert.equal(lines(trace, 9), '9:cause 10:message');
    // Two queues that exchange their vectors: it shows when it happens again and again.
    const pair = (queue: number, entry: number): string[] => [notify(queue), message(entry)];
    const swapped = [pair(0, 1), pair(1, 0)].flat();
    const both = text([
      ...[pair(0, 0), pair(1, 1)].flat(),
      ...[swapped, swapped, swapped, swapped].flat(),
      ...[notify(0), notify(1), message(0), message(1)],
    ]);
    assert.equal(lines(both, 21), '21:cause 24:message');
    assert.equal(lines(both, 22), '22:cause 23:message');
  });
});

describe('the vectors of an MSI function', () => {
  // A 64 bit capability with mask bits (control bits 8 and 7) that asks for 4 vectors (bits 3:1 are 2) and gets them (bits 6:4 are 2);
  // its mask bits are at +0x10, its pending bits at +0x14 (PCIe 7.7.1).
  const setUp = (mask: string): string[] => [
    '1@1.000001:pci_cfg_read megasas 00:05.0 @0x34 -> 0x50',
    '1@1.000002:pci_cfg_read megasas 00:05.0 @0x50 -> 0x1840005',
    '1@1.000003:pci_cfg_write megasas 00:05.0 @0x54 <- 0xfee01000',
    '1@1.000004:pci_cfg_write megasas 00:05.0 @0x58 <- 0x0',
    '1@1.000005:pci_cfg_write megasas 00:05.0 @0x5c <- 0x4040',
    `1@1.000006:pci_cfg_write megasas 00:05.0 @0x60 <- ${mask}`,
    '1@1.000007:pci_cfg_write megasas 00:05.0 @0x52 <- 0x1a5',
  ];
  const raise = (vector: number): string => `1@1.000010:megasas_msi_raise vector ${vector}`;
  const unmask = (mask: string): string => `2@1.000020:pci_cfg_write megasas 00:05.0 @0x60 <- ${mask}`;
  const message = (data: string): string =>
    `2@1.000021:memory_region_ops_write cpu 0 mr 0x55a5606c0790 addr 0xfee01000 value ${data} size 4 name 'apic-msi'`;
  /** The pending bits behind a line. */
  const pending = (trace: Trace, line: number): number =>
    trace.stateAt(trace.lastAtLine(line)).get(trace.world.objectAt('device/0000:00:05.0/msi'), msi.at.pending);

  it('causes of two masked vectors wait apart, and each gets its own message', () => {
    const trace = text([...setUp('0xf'), raise(1), raise(3), unmask('0x0'), message('0x4041'), message('0x4043')]);
    assert.equal(lines(trace, 8), '8:cause 11:message');
    assert.equal(lines(trace, 9), '9:cause 12:message');
    assert.equal(pending(trace, 9), 0b1010, 'each sets its own pending bit');
    assert.equal(pending(trace, 10), 0, 'both are sent at the unmask (PCIe 6.1.4.5)');
    // In the other order, and with a second cause of one of them, which the same message serves.
    const twice = text([
      ...setUp('0xf'),
      raise(1),
      raise(3),
      raise(1),
      unmask('0x0'),
      message('0x4043'),
      message('0x4041'),
    ]);
    assert.equal(lines(twice, 9), '9:cause 12:message');
    assert.equal(lines(twice, 10), '8:cause 10:cause 13:message');
  });

  it('a vector that is not masked sends, while another one of the same function waits', () => {
    const trace = text([...setUp('0x8'), raise(3), raise(1), message('0x4041'), unmask('0x0'), message('0x4043')]);
    assert.equal(lines(trace, 9), '9:cause 10:message');
    assert.equal(lines(trace, 8), '8:cause 12:message');
    assert.equal(pending(trace, 10), 0b1000);
  });

  it('says which vector is masked, and whether its own pending bit is set', () => {
    const trace = text([...setUp('0xa'), raise(1), raise(3), unmask('0x8'), message('0x4041')]);
    assert.equal(pathThrough(trace, 8)!.delivered, null);
    const { delivered, reason, hops } = pathThrough(trace, 9)!;
    assert.equal(delivered, false);
    // Line 10 writes the mask bits, too, and leaves that of vector 3 set.
    const since = trace.lastAtLine(6);
    assert.equal(reason, `vector 3 of MSI is masked since step ${since} (1.000006), pending set, no unmask follows`);
    assert.match(hops[0]!.detail, /MSI enable 1, vector mask 1, pending 1 \(masked: no message now\)$/);
    assert.equal(pending(trace, 10), 0b1000, 'the bit of vector 1 went with its message');
    const open = text([...setUp('0xa'), raise(2), message('0x4042')]);
    assert.match(pathThrough(open, 8)!.hops[0]!.detail, /vector mask 0, pending \S$/);
  });

  it('the funnel counts them one by one', () => {
    const trace = text([...setUp('0xf'), raise(1), raise(3), unmask('0x8'), message('0x4041')]);
    const cap = trace.world.objectAt('device/0000:00:05.0/msi');
    const recorded = new RecordedKinds(trace);
    const { deliveries, lost } = funnelOf(trace, new Set([cap]), 0, trace.length - 1, (kind) => recorded.has(kind));
    assert.deepEqual([deliveries, lost], [2, 1]);
  });
});

describe('interrupts that end where they wait', () => {
  /** A message for LPI 8195 of event 0 of device 0x20, as the ITS of QEMU logs it. */
  const doorbell = (at: number): string[] => [
    `11508@1795149115.0000${at}0:gicv3_its_translation_write GICv3 ITS TRANSLATER write: offset 0x40 data 0x0 size 4 requester_id 0x20`,
    `11508@1795149115.0000${at}1:gicv3_its_dte_read GICv3 ITS: Device Table read for DeviceID 0x20: valid 1 size 0x2 ITTaddr 0x400a00`,
    `11508@1795149115.0000${at}2:gicv3_its_ite_read GICv3 ITS: Interrupt Table read for ITTaddr 0x400a00 EventID 0x0: valid 1 inttype 1 intid 0x2003 ICID 0x0 vPEID 0x0 doorbell 0x0`,
    `11508@1795149115.0000${at}3:gicv3_its_cte_read GICv3 ITS: Collection Table read for ICID 0x0: valid 1 RDBase 0x0`,
  ];
  const command = (name: string): string =>
    `11508@1795149115.000020:gicv3_its_cmd_${name} GICv3 ITS: command ${name.toUpperCase()} DeviceID 0x20 EventID 0x0`;
  const acknowledge = [
    '11509@1795149115.000030:gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x0 value 0x2003',
    '11509@1795149115.000031:gicv3_icc_eoir_write GICv3 ICC_EOIR1 write cpu 0x0 value 0x2003',
  ];

  for (const name of ['discard', 'clear'])
    it(`${name.toUpperCase()} takes back an LPI that no processor took yet`, () => {
      const trace = text([...doorbell(1), command(name), ...doorbell(3), ...acknowledge]);
      const path = pathThrough(trace, 1)!;
      assert.equal(hopLines(trace, path), '1:remap 2:remap 3:remap 4:remap 5:remap');
      assert.equal(path.delivered, false);
      assert.match(path.reason!, new RegExp(`^${name.toUpperCase()} removed the pending state of LPI 8195`));
      assert.equal(lines(trace, 6), '6:remap 7:remap 8:remap 9:remap 10:inject 11:eoi');
    });

  it('MOVI takes a pending LPI along: the processor that it goes to takes it', () => {
    const trace = text([
      ...doorbell(1),
      '11508@1795149115.000020:gicv3_its_cmd_movi GICv3 ITS: command MOVI DeviceID 0x20 EventID 0x0 ICID 0x1',
      ...acknowledge.map((line) => line.replace('cpu 0x0', 'cpu 0x1')),
    ]);
    assert.equal(lines(trace, 1), '1:remap 2:remap 3:remap 4:remap 6:inject 7:eoi');
  });

  describe('an SPI that a CPU ends in two steps', () => {
    const at = (n: number, text: string): string => `11509@1795149115.0000${n}:gicv3_icc_${text}`;
    const take = (n: number): string => at(n, 'iar1_read GICv3 ICC_IAR1 read cpu 0x0 value 0x22');
    const drop = (n: number): string => at(n, 'eoir_write GICv3 ICC_EOIR1 write cpu 0x0 value 0x22');
    const deactivate = (n: number): string => at(n, 'dir_write GICv3 ICC_DIR write cpu 0x0 value 0x22');
    // ICC_CTLR_EL1 bit 1 is EOImode (IHI 0069 12.2.6).
    const mode = (n: number, value: number): string =>
      at(n, `ctlr_write GICv3 ICC_CTLR write cpu 0x0 value 0x${value}`);

    it('EOImode 1: the write of EOIR drops the priority, that of DIR ends it', () => {
      const trace = text([mode(10, 2), take(11), drop(12), deactivate(19), take(21), drop(22), deactivate(29)]);
      for (const line of [2, 3, 4]) assert.equal(lines(trace, line), '2:inject 3:eoi 4:eoi');
      assert.equal(lines(trace, 7), '5:inject 6:eoi 7:eoi');
      const { hops, delivered } = pathThrough(trace, 4)!;
      assert.equal(delivered, true);
      assert.match(hops[1]!.detail, /^priority drop \(EOImode 1\)/);
    });

    it('EOImode 0: the write of EOIR ends it, and a write of DIR is of no other', () => {
      const trace = text([mode(10, 0), take(11), drop(12), take(21), drop(22)]);
      assert.equal(lines(trace, 3), '2:inject 3:eoi');
      assert.equal(lines(trace, 5), '4:inject 5:eoi');
    });

    it('where the mode is not known, a deactivation that follows still belongs to it', () => {
      const trace = text([take(11), drop(12), deactivate(19), take(21)]);
      assert.equal(lines(trace, 1), '1:inject 2:eoi 3:eoi');
      // Nothing else ends it: the next one shows that this one is over, and it was delivered.
      const twice = text([take(11), drop(12), take(21), drop(22)]);
      assert.equal(lines(twice, 1), '1:inject 2:eoi');
      assert.equal(lines(twice, 4), '3:inject 4:eoi');
      assert.equal(pathThrough(twice, 1)!.delivered, true);
    });

    it('an LPI has no active state: EOIR ends it in either mode', () => {
      const lpi = (line: string): string => line.replace('0x22', '0x2003');
      const trace = text([mode(10, 2), lpi(take(11)), lpi(drop(12)), lpi(take(21)), lpi(drop(22))]);
      assert.equal(lines(trace, 2), '2:inject 3:eoi');
      assert.equal(lines(trace, 5), '4:inject 5:eoi');
    });
  });

  describe('lost events of a CPU', () => {
    const stamp = (n: number): string => `48.8537${String(n).padStart(2, '0')}`;
    const enter = (cpu: number, n: number): string =>
      `          <idle>-0       [00${cpu}] d.h1.    ${stamp(n)}: irq_handler_entry: irq=28 name=vfio-msix[1](0000:00:03.0)`;
    const leave = (cpu: number, n: number): string =>
      `          <idle>-0       [00${cpu}] d.h1.    ${stamp(n)}: irq_handler_exit: irq=28 ret=handled`;
    const event = (cpu: number, n: number, text: string): string =>
      `          <idle>-0       [00${cpu}] d.h1.    ${stamp(n)}: ${text}`;
    const lose = (cpu: number): string => `CPU:${cpu} [LOST 5 EVENTS]`;
    const LOST = 'the trace lost events of CPU 0 here: what follows may be among them';

    it('what was taken before was delivered, what waited is not known', () => {
      const trace = text([
        event(1, 43, 'kvm_apic_accept_irq: apicid 1 vec 34 (Fixed|edge)'),
        enter(0, 50),
        lose(0),
        leave(0, 90),
      ]);
      for (const [line, hops, delivered] of [
        [1, '1:accept', null],
        [2, '2:handler 2:signal', true],
      ] as const) {
        const path = pathThrough(trace, line)!;
        assert.equal(hopLines(trace, path), hops);
        assert.equal(path.delivered, delivered);
        assert.equal(path.reason, LOST);
      }
    });

    it('a handler returns on the CPU on which it was entered: losses of another CPU do not touch it', () => {
      const trace = text([enter(1, 10), enter(0, 11), lose(0), leave(1, 20), leave(0, 21)]);
      assert.equal(lines(trace, 1), '1:handler 1:signal 4:handler');
      assert.equal(pathThrough(trace, 1)!.reason, null);
      assert.equal(lines(trace, 2), '2:handler 2:signal');
      assert.equal(pathThrough(trace, 2)!.reason, LOST);
    });

    it('a handler signals and injects on its CPU; then the thread of the virtual CPU goes on at any', () => {
      const accepted = event(1, 14, 'kvm_apic_accept_irq: apicid 0 vec 37 (Fixed|edge)');
      const route = event(1, 13, 'kvm_msi_set_irq: dst 0 vec 37 (Fixed|physical|edge)');
      const inject = '     CPU 0/KVM-77    [001] d..1.    48.853730: kvm_inj_virq: IRQ 0x25';
      const run = '     CPU 0/KVM-77    [001] d..1.    48.853701: kvm_entry: vcpu 0, rip 0x1000';
      const trace = text([run, enter(1, 10), lose(0), route, accepted, leave(1, 20), inject]);
      assert.equal(lines(trace, 2), '2:handler 2:signal 4:route 5:accept 6:handler 7:inject');
      const later = text([run, enter(1, 10), route, accepted, lose(0), leave(1, 20), inject]);
      // The return of the handler belongs to it all the same.
      assert.equal(lines(later, 2), '2:handler 2:signal 3:route 4:accept 6:handler');
      assert.equal(pathThrough(later, 2)!.reason, LOST);
      assert.equal(lines(later, 7), '7:inject', 'it may have been injected before, and this be another one');
    });

    /** Of a trace file, whose first record is in line 3. */
    const file = (...records: readonly string[]): Trace =>
      text([
        '#irqtrace 1',
        '#clock seconds digits=9 "model time"',
        ...records.map((record, i) => `0.00000000${i} ${record}`),
      ]);

    it('what the local APIC of a CPU holds, that CPU takes', () => {
      const accept = 'cpu1 - cpu.accept cpu/1/vector/33';
      const take = 'cpu1 - cpu.take cpu/1/vector/33';
      const eoi = 'cpu1 - cpu.eoi cpu/1/vector/33';
      assert.equal(lines(file(accept, 'cpu0 - lost buffer/0 count=5', take, eoi), 3), '3:accept 5:inject 6:eoi');
      assert.equal(lines(file(accept, take, 'cpu0 - lost buffer/0 count=5', eoi), 3), '3:accept 4:inject 6:eoi');
      assert.equal(lines(file(accept, 'cpu1 - lost buffer/1 count=5', take, eoi), 3), '3:accept');
      // Where the record names no CPU, it may have been any.
      assert.equal(lines(file(accept, '- - lost log count=5', take, eoi), 3), '3:accept');
      // Buffers of another system hold nothing of this one.
      assert.equal(lines(file(accept, 'cpu1 - lost guest:buffer/1 count=5', take, eoi), 3), '3:accept 5:inject 6:eoi');
    });

    it('a message that names its vector arrives there; one that a table translates may be sent elsewhere by now', () => {
      const irq = '- - vec.config irq/25 vector=33 cpu=1 apicDest=1';
      const owner = '- - vec.update irq/25 vector=33 cpu=1 prevVector=0 prevCpu=0';
      const table = '- - tbl.write device/0000:00:03.0/msix/1 offset=0x0 size=8';
      const data = '- - tbl.write device/0000:00:03.0/msix/1 offset=0x8 size=8';
      const loss = 'cpu0 - lost buffer/0 count=5';
      const enters = 'cpu1 - irq.entry irq/25 name=nvme0';
      // Compatibility format, physical destination 1, vector 0x21; and remappable format, handle 24 (VT-d 5.1.2).
      const direct = '- - send device/0000:00:03.0/msix/1 address=0xfee01000 data=0x21';
      const named = file(owner, irq, `${table} value=0xfee01000`, `${data} value=0x21`, direct, loss, enters);
      assert.equal(lines(named, 7), '7:message 9:handler');
      const remapped = '- - send device/0000:00:03.0/msix/1 address=0xfee00318 data=0x0';
      const entry = '- - irte.write irte/dmar0/24 value=0x0000000000000000000001000000000000210001';
      const selects = file(owner, irq, entry, `${table} value=0xfee00318`, `${data} value=0x0`, remapped, loss, enters);
      assert.equal(lines(selects, 8), '8:message');
      assert.equal(pathThrough(selects, 8)!.reason, LOST);
    });

    it('of a cause that waits in its device nothing more is known', () => {
      const sent = '- - send device/0000:00:03.0/msix/1 address=0xfee01000 data=0x21';
      const trace = file('- - dev.raise device/0000:00:03.0/msix/1 vector=1', 'cpu0 - lost buffer/0 count=5', sent);
      assert.equal(lines(trace, 3), '3:cause');
      assert.equal(pathThrough(trace, 3)!.reason, LOST);
    });
  });

  it('a line into a masked pin of the I/O APIC is not delivered, and the reason tells since when', () => {
    const select = (register: string): string =>
      `1@1.000001:ioapic_mem_write ioapic mem write addr 0x0 regsel: ${register} size 0x4 val ${register}`;
    // Redirection entry of pin 2 is register 0x14; bit 16 masks it (82093AA 3.2.4).
    const write = (value: string): string =>
      `1@1.000002:ioapic_mem_write ioapic mem write addr 0x10 regsel: 0x14 size 0x4 val ${value}`;
    const raised = '1@1.000003:ioapic_set_irq vector: 2 level: 1';
    const masked = text([select('0x14'), write('0x10030'), raised]);
    assert.deepEqual(pathThrough(masked, 3)!.delivered, false);
    assert.match(pathThrough(masked, 3)!.reason!, /^pin 2 of the I\/O APIC masked since step 0 \(1\.000002\)/);
    assert.equal(pathThrough(text([select('0x14'), write('0x30'), raised]), 3)!.delivered, null);
  });
});
