// What belongs together when threads and processors record between each other, and what a record leaves open.
import assert from 'node:assert/strict';
import { hopLines, lines, pathThrough, text } from './lines.ts';

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
