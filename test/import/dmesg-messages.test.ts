// The messages of the kernel that tell of interrupts, each with its object and its reason, as the sources print them (drivers/iommu, kernel/irq,
// arch/x86/kernel, drivers/irqchip, drivers/nvme, drivers/usb/host, drivers/vfio, drivers/pci).
import assert from 'node:assert/strict';
import { viewEvent } from '../../src/query/events.ts';
import { importText } from '../helpers/fixtures.ts';
import { wholly } from './samples.ts';

/** A message, the object of its event, and the event without its text. */
const MESSAGES: readonly (readonly [line: string, object: string, event: string])[] = [
  // drivers/iommu/intel
  ['dmar: DRHD: handling fault status reg 3', 'log', 'message a remapping unit reports faults'],
  [
    'DMAR: [INTR-REMAP] Request device [0xe2:0x00.0] fault index 0xa00 [fault reason 0x25] Blocked a compatibility format interrupt request',
    'device/0000:e2:00.0',
    'ir.fault 37',
  ],
  [
    'DMAR: [INTR-REMAP] Request device [0001:65:00.0] fault index 0x25 [fault reason 0x22] Present field in the IRTE entry is clear',
    'device/0001:65:00.0',
    'ir.fault 34',
  ],
  [
    'DMAR: [DMA Read NO_PASID] Request device [00:02.0] fault addr 0x1000 [fault reason 0x06] PTE Read access is not set',
    'device/0000:00:02.0',
    'message PTE Read access is not set',
  ],
  [
    'DMAR: [DMA Write PASID 0x5] Request device [0000:00:02.0] fault addr 0x1000 [fault reason 0x05] PTE Write access is not set',
    'device/0000:00:02.0',
    'message PTE Write access is not set',
  ],
  [
    'DMAR: [DMA Read] Request device [00:02.0] PASID ffffffff fault addr 9d0e2000 [fault reason 06] PTE Read access is not set',
    'device/0000:00:02.0',
    'message PTE Read access is not set',
  ],
  [
    'DMAR: VT-d detected Invalidation Time-out Error: SID 6500',
    'log',
    'message a device did not answer an invalidation in time',
  ],
  [
    'DMAR: VT-d detected Invalidation Queue Error: Reason f',
    'log',
    'message the unit found a bad descriptor in its invalidation queue',
  ],
  ["DMAR-IR: IR1: can't allocate an IRTE", 'irte/dmar1', 'message no entry of the remapping table is free'],
  [
    'DMAR-IR: Failed to enable irq remapping. You are vulnerable to irq-injection attacks.',
    'log',
    'message interrupts will not be remapped',
  ],
  // drivers/iommu/amd
  [
    'AMD-Vi: Event logged [IO_PAGE_FAULT device=06:00.0 domain=0x0009 address=0xfdf8000000 flags=0x0008]',
    'device/0000:06:00.0',
    'ir.fault undefined',
  ],
  [
    'iommu ivhd0: AMD-Vi: Event logged [INVALID_DEVICE_REQUEST device=0000:06:00.0 pasid=0x00000 address=0xfdf8000000 flags=0x0a08]',
    'device/0000:06:00.0',
    'ir.fault undefined',
  ],
  [
    'nvme 0000:01:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x000f address=0xd0000000 flags=0x0020]',
    'device/0000:01:00.0',
    'message IO_PAGE_FAULT: an access of a device was refused',
  ],
  // The unit of QEMU 11 sets the interrupt flag, and the address is one of memory.
  [
    'megaraid_sas 0000:00:07.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0000 address=0x0 flags=0x0009]',
    'device/0000:00:07.0',
    'message IO_PAGE_FAULT: an access of a device was refused',
  ],
  [
    'xhci_hcd 0000:02:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0000 address=0xfffffffdf8000200 flags=0x0008]',
    'device/0000:02:00.0',
    'ir.fault undefined',
  ],
  ['AMD-Vi: Completion-Wait loop timed out', 'log', 'message a unit did not complete its commands in time'],
  // drivers/iommu/arm/arm-smmu-v3
  [
    'arm-smmu-v3 9050000.smmuv3: event: F_TRANSLATION client: 0000:01:00.0 sid: 0x100 ssid: 0x0 iova: 0xffff0040 ipa: 0x8090040',
    'smmu/0/stream/0x100',
    'smmu.fault the address is not mapped',
  ],
  ['arm-smmu-v3 9050000.smmuv3: EVTQ overflow detected -- events lost', 'log', 'message events of an SMMU were lost'],
  [
    'arm-smmu-v3 9050000.smmuv3: CMD_SYNC timeout at 0x00000010 [hwprod 0x00000012, hwcons 0x00000010]',
    'log',
    'message an SMMU did not complete its commands in time',
  ],
  // arch/x86/kernel
  ['do_IRQ: 0.55 No irq handler for vector (irq -1)', 'cpu/0/vector/55', 'message no irq owns the vector'],
  ['__common_interrupt: 1.55 No irq handler for vector', 'cpu/1/vector/55', 'message no irq owns the vector'],
  ['No irq handler for 3.35', 'cpu/3/vector/35', 'message no irq owns the vector'],
  [
    'Spurious interrupt (vector 0x21) on CPU#2. Acked',
    'cpu/2/vector/33',
    'message an interrupt without a cause arrived',
  ],
  ['APIC error on CPU3: 40(40)', 'cpu/3', 'message the local APIC reports an error'],
  [
    'IRQ fixup: irq 41 move in progress, old vector 36',
    'irq/41',
    'message a move was cut short by a CPU that goes offline',
  ],
  ['IRQ 41 schedule cleanup for offline CPU 1', 'irq/41', 'message a vector was to be freed on a CPU that is offline'],
  [
    'irq 41: Affinity broken due to vector space exhaustion.',
    'irq/41',
    'message no vector is free on the CPUs of the affinity',
  ],
  [
    'CPU 2 has 12 vectors, 3 available. Cannot disable CPU',
    'cpu/2',
    'message the other CPUs have too few vectors free',
  ],
  ['Managed startup irq 33, no vector available', 'irq/33', 'message a managed irq has no vector set aside'],
  [
    'Interrupt reservation exceeds available resources',
    'domain/VECTOR',
    'message more vectors are promised than are free',
  ],
  [
    "Kernel panic - not syncing: timer doesn't work through Interrupt-remapped IO-APIC",
    'log',
    'message the timer does not tick through the remapped I/O APIC',
  ],
  // kernel/irq
  [
    'genirq: Flags mismatch irq 16. 00000000 (eth1) vs. 00000000 (eth0)',
    'irq/16',
    'message two drivers ask for the irq in ways that do not fit',
  ],
  ['IRQ151: set affinity failed(-28).', 'irq/151', 'message the irq could not be moved'],
  ['IRQ 45: no longer affine to CPU3', 'irq/45', 'message the irq left the CPUs of its affinity'],
  ['Disabling IRQ #16', 'irq/16', 'message the irq is switched off: too many of its interrupts were not handled'],
  // drivers/irqchip
  ['ITS queue timeout (17408 17344)', 'its/0', 'message the ITS did not take its commands in time'],
  [
    'ITS@0x0000000008080000: Devices Table too large, reduce ids 20->19',
    'its/0',
    'message a table of the ITS is smaller than its ids',
  ],
  // drivers/nvme and other block drivers
  [
    'nvme nvme0: I/O 104 QID 3 timeout, completion polled',
    'device/nvme0/queue/3',
    'message a command was complete, and no interrupt told it: the driver found it by polling',
  ],
  [
    'nvme nvme0: I/O tag 77 (104d) QID 3 timeout, completion polled',
    'device/nvme0/queue/3',
    'message a command was complete, and no interrupt told it: the driver found it by polling',
  ],
  [
    'nvme nvme0: I/O tag 12 (100c) opcode 0x2 (I/O Cmd) QID 5 timeout, aborting req_op:READ(0) size:4096',
    'device/nvme0/queue/5',
    'message a command did not complete in time',
  ],
  [
    'nvme 0000:01:00.0: I/O 5 QID 1 timeout, reset controller',
    'device/0000:01:00.0/queue/1',
    'message a command did not complete in time',
  ],
  ['ata1: lost interrupt (Status 0x50)', 'device/ata1', 'message a command was complete, and no interrupt told it'],
  ['mmc0: Timeout waiting for hardware interrupt.', 'device/mmc0', 'message an interrupt did not come in time'],
  [
    'mlx5_core 0000:42:00.2: cmd_eq_recover:264:(pid 390): Recovered 1 EQEs on cmd_eq',
    'device/0000:42:00.2',
    'message events were complete, and no interrupt told it: the driver found them by polling',
  ],
  [
    'eth0: NETDEV WATCHDOG: CPU: 3: transmit queue 2 timed out 5000 ms',
    'device/eth0',
    'message a transmit queue was not served in time',
  ],
  [
    'e1000e 0000:00:1f.6 (unnamed net_device) (uninitialized): Failed to initialize MSI-X interrupts. Falling back to MSI interrupts.',
    'device/0000:00:1f.6',
    'message the device does not get the messages that it asked for',
  ],
  [
    'e1000e 0000:00:1f.6 eth0: Failed to initialize MSI-X interrupts. Falling back to MSI interrupts.',
    'device/0000:00:1f.6',
    'message the device does not get the messages that it asked for',
  ],
  [
    'NETDEV WATCHDOG: eth0 (e1000e): transmit queue 0 timed out',
    'device/eth0',
    'message a transmit queue was not served in time',
  ],
  [
    'e1000e 0000:00:19.0 eth0: NETDEV WATCHDOG: CPU: 3: transmit queue 0 timed out 5001 ms',
    'device/0000:00:19.0',
    'message a transmit queue was not served in time',
  ],
  // drivers/usb/host
  [
    'xhci_hcd 0000:00:14.0: xHCI host controller not responding, assume dead',
    'device/0000:00:14.0',
    'message the controller does not answer',
  ],
  [
    'xhci_hcd 0000:00:14.0: No msi-x/msi found and no IRQ in BIOS',
    'device/0000:00:14.0',
    'message the device gets no interrupt',
  ],
  // drivers/pci
  [
    "pci 0000:03:00.0: can't enable MSI-X (MSI IRQ already assigned)",
    'device/0000:03:00.0',
    'message the other kind of message is in use',
  ],
  [
    'pci 0000:00:18.0: MSI quirk detected; subordinate MSI disabled',
    'device/0000:00:18.0',
    'message MSI is switched off: the hardware is known to do it wrong',
  ],
  [
    'nvme 0000:01:00.0: Failed to enable MSI',
    'device/0000:01:00.0',
    'message the device does not get the messages that it asked for',
  ],
  [
    'ixgbe 0000:03:00.0: MSI-X disabled',
    'device/0000:03:00.0',
    'message the device does not get the messages that it asked for',
  ],
  [
    'hv_pci 47505500-0001-0000-3130-444532304244: Request for interrupt failed: 0xc0000001',
    'device/47505500-0001-0000-3130-444532304244',
    'message the hypervisor refused an interrupt',
  ],
  // drivers/vfio, virt/kvm
  [
    'vfio_iommu_type1_attach_group: No interrupt remapping support.  Use the module param "allow_unsafe_interrupts" to enable VFIO IOMMU support on this platform',
    'log',
    'message nothing remaps interrupts: a device could send any',
  ],
  [
    'vfio-pci 0000:03:00.0: irq bypass producer (token 00000000d1c8e2b4) registration fails: -22',
    'device/0000:03:00.0',
    'message the producer of an interrupt could not be registered: it is not posted',
  ],
  [
    'irq bypass consumer (eventfd 00000000d1c8e2b4) registration fails: -16',
    'log',
    'message the consumer of an interrupt could not be registered: it is not posted',
  ],
  // What there is.
  ['NR_IRQS: 524544, nr_irqs: 456, preallocated irqs: 16', 'log', 'kernel.fact numbers of irqs'],
  ['x2apic enabled', 'log', 'kernel.fact mode of the APICs'],
  [
    'ITS@0x0000000008080000: allocated 8192 Devices @44a40000 (indirect, esz 8, psz 64K, shr 1)',
    'its/0',
    'kernel.fact set-up of the ITS',
  ],
  ['nvme nvme0: 8/0/0 default/read/poll queues', 'device/nvme0', 'kernel.fact queues'],
  ['pcieport 0000:00:08.0: PME: Signaling with IRQ 25', 'device/0000:00:08.0', 'kernel.fact interrupts of the device'],
  ['00:02: ttyS0 at I/O 0x3f8 (irq = 4, base_baud = 115200) is a 16550A', 'irq/4', 'kernel.fact the irq of a device'],
];

describe('messages of the kernel', () => {
  for (const [line, object, event] of MESSAGES)
    it(line, () => {
      const { trace } = wholly(`[   12.345678] ${line}\n`);
      assert.equal(trace.length, 1);
      const { kind, fields, ...view } = viewEvent(trace, 0);
      const { reason, what } = fields as { readonly reason?: string | number; readonly what?: string };
      assert.deepEqual([view.object, `${kind} ${reason ?? what}`], [object, event]);
    });

  it('words that only look like one are none', () => {
    for (const line of [
      'systemd[1]: Starting irqbalance',
      'audit: type=1400 name="irq"',
      'random: crng init done',
      'Call Trace:',
      ' note_interrupt+0x1a/0x90',
    ])
      assert.equal(importText(`[    1.000000] ${line}\n`).length, 0, line);
  });

  it('the handlers of an irq that nobody cared for follow in lines of their own', () => {
    const { trace, info } = wholly(
      [
        'irq 16: nobody cared (try booting with the "irqpoll" option)',
        'CPU: 3 PID: 0 Comm: swapper/3 Not tainted 6.1.0',
        'Call Trace:',
        ' dump_stack+0x10/0x20',
        '[<00000000deadbeef>] before_the_list',
        'handlers:',
        '[<0000000012345678>] usb_hcd_irq [usbcore]',
        '[<ffffffff81234567>] quick_check threaded [<ffffffff81234568>] long_work',
        'Disabling IRQ #16',
        '[<00000000deadbeef>] behind_it',
      ]
        .map((line) => `[   12.345678] ${line}\n`)
        .join('')
        .replace('[   12.345678] [<00000000deadbeef>] before_the_list\n', ''),
    );
    assert.deepEqual(
      Array.from({ length: trace.length }, (_, step) => viewEvent(trace, step)).map((e) => `${e.kind} ${e.object}`),
      ['message irq/16', 'kernel.fact irq/16', 'kernel.fact irq/16', 'message irq/16'],
    );
    assert.equal(info.records, 4);
  });

  it('the words of an event of an SMMU are decoded, and what repeats them is no second event', () => {
    // Id 0x10 in bits 7:0 of the first word, the stream in its upper half; the address is the third word.
    const words = ['0x0000001800000010', '0x0000020080000000', '0x0000000008090040', '0x0000000000000000'];
    const smmu = (text: string): string => `[    1.000000] arm-smmu-v3 9050000.smmuv3: ${text}\n`;
    const raw = smmu('event 0x10 received:') + words.map((word) => smmu(`\t${word}`)).join('');
    const expected =
      'smmu.fault smmu/0/stream/0x18 event=F_TRANSLATION iova=0x8090040 reason=the address is not mapped';
    assert.deepEqual(wholly(raw).events, [expected]);
    const both = raw + smmu('event: F_TRANSLATION client: 0000:00:03.0 sid: 0x18 ssid: 0x0 iova: 0x8090040 ipa: 0x0');
    assert.deepEqual(wholly(both).events, [expected]);
  });

  it('streams of several SMMUs are several objects, counted as the kernel found the SMMUs', () => {
    const line = (smmu: number, text: string): string =>
      `[    1.000000] arm-smmu-v3 arm-smmu-v3.${smmu}.auto: ${text}\n`;
    const words = ['0x0000010000000010', '0x0000020800000000', '0x00000000fffff000', '0x0000000000000000'];
    const fault = (smmu: number): string =>
      line(smmu, 'event 0x10 received:') + words.map((word) => line(smmu, `\t${word}`)).join('');
    const found = [0, 3].map((smmu) => line(smmu, 'ias 48-bit, oas 48-bit (features 0x001c1eff)')).join('');
    const said = (smmu: number): string =>
      line(smmu, 'event: F_TRANSLATION client: (unassigned) sid: 0x100 iova: 0x10');
    const objects = (text: string): (string | undefined)[] =>
      wholly(text)
        .events.filter((event) => event.startsWith('smmu.fault'))
        .map((event) => event.split(' ')[1]);
    // The second SMMU reports first.
    assert.deepEqual(objects(found + fault(3) + fault(0)), ['smmu/1/stream/0x100', 'smmu/0/stream/0x100']);
    assert.deepEqual(objects(found + said(3) + said(0)), ['smmu/1/stream/0x100', 'smmu/0/stream/0x100']);
    assert.deepEqual(objects(said(3) + said(0)), ['smmu/0/stream/0x100', 'smmu/1/stream/0x100']);
  });

  it('a line about an ITS that does not name it: of the only one, else of none', () => {
    const its = (address: string): string =>
      `[    1.000000] ITS@0x${address}: allocated 8192 Devices @1 (indirect, esz 8, psz 64K, shr 1)\n`;
    const late = '[    2.000000] ITS queue timeout (64 32)\n[    2.000001] ITS cmd its_build_mapd_cmd failed\n';
    const objects = (text: string): (string | undefined)[] =>
      wholly(text)
        .events.filter((event) => event.startsWith('message'))
        .map((event) => event.split(' ')[1]);
    assert.deepEqual(objects(its('8080000') + late), ['its/0', 'its/0']);
    assert.deepEqual(objects(its('8080000') + its('9080000') + late), ['log', 'log']);
  });

  it('the two lines of old kernels are one fault', () => {
    const { events, info } = wholly(
      '[    4.100000] INTR-REMAP: Request device [[42:00.1] fault index b0\n[    4.100001] INTR-REMAP:[fault reason 34] Present field in the IRTE entry is clear\n',
    );
    assert.deepEqual(events, [
      'ir.fault device/0000:42:00.1 reason=34 sid=0x4201 index=176 text=Present field in the IRTE entry is clear',
    ]);
    assert.deepEqual([info.records, info.understood], [2, 2]);
  });

  it('remapping is on in the units that were found, in the mode that is told', () => {
    const { events } = wholly(
      '[    0.1] x: y\n'.replace('0.1', '0.100000') +
        [
          'DMAR: dmar0: reg_base_addr fed90000 ver 1:0 cap d2008c22260286 ecap f00f5a',
          'DMAR: dmar1: reg_base_addr fed91000 ver 1:0 cap d2008c22260286 ecap f00f5a',
          'DMAR-IR: Enabled IRQ remapping in x2apic mode',
        ]
          .map((line) => `[    0.200000] ${line}\n`)
          .join(''),
    );
    assert.deepEqual(
      events.filter((event) => event.startsWith('ir.')),
      ['dmar0', 'dmar1'].flatMap((unit) => [
        `ir.seen irte/${unit} kind=VT-d`,
        `ir.enable irte/${unit} enable=true`,
        `ir.mode irte/${unit} eim=true`,
      ]),
    );
  });

  it('a controller is the function that the log named', () => {
    const { trace } = wholly(
      '[    1.000000] nvme nvme0: pci function 0000:03:00.0\n[   31.000000] nvme nvme0: I/O 4 QID 2 timeout, aborting\n',
    );
    assert.equal(viewEvent(trace, 1).object, 'device/0000:03:00.0/queue/2');
  });
});
