// A kernel log alone: every form in which it comes, and each message with its object and its reason. The messages are those that the sources of the
// kernel print (drivers/iommu, kernel/irq, arch/x86/kernel, drivers/irqchip, drivers/nvme, drivers/usb/host, drivers/vfio, drivers/pci).
import assert from 'node:assert/strict';
import { viewEvent } from '../../src/query/events.ts';
import { traceInfo } from '../../src/query/info.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { importText } from '../helpers/fixtures.ts';
import { sample, wholly } from './samples.ts';

const FAULT =
  'DMAR: [INTR-REMAP] Request device [65:00.0] fault index 0x25 [fault reason 0x22] Present field in the IRTE entry is clear';
const times = (trace: Trace): (string | null)[] =>
  Array.from({ length: trace.length }, (_, step) => viewEvent(trace, step).time);

/** The form of the lines, the clock, and the times of two lines of which the second is a fault. */
const FORMS: readonly (readonly [
  name: string,
  text: string,
  clock: string | null,
  start: string | null,
  end: string | null,
])[] = [
  [
    'as the console prints it',
    `[    0.000000] Linux version 6.12.1\n[   12.345678] ${FAULT}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  [
    'with the thread that printed',
    `[    0.000000][    T0] Linux version 6.12.1\n[   12.345678][  T123] ${FAULT}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  [
    'with levels',
    `<5>[    0.000000] Linux version 6.12.1\n<3>[   12.345678] ${FAULT}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  [
    'dmesg -x',
    `kern  :notice: [    0.000000] Linux version 6.12.1\nkern  :err   : [   12.345678] ${FAULT}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  [
    'dmesg -d',
    `[    0.000000 <    0.000000>] Linux version 6.12.1\n[   12.345678 <   12.345678>] ${FAULT}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  [
    'dmesg --time-format delta',
    `[<    0.000000>] Linux version 6.12.1\n[<   12.345678>] ${FAULT}\n`,
    'since the first line',
    '0.000000',
    '12.345678',
  ],
  [
    'dmesg -e',
    `[Oct22 08:54] Linux version 6.12.1\n[  +0.345678] ${FAULT}\n`,
    'since the first line',
    '25520040.000000',
    '25520040.345678',
  ],
  [
    'dmesg -T',
    `[Thu Oct 22 08:54:51 2020] Linux version 5.8.1\n[Thu Oct 22 08:54:52 2020] ${FAULT}\n`,
    'wall',
    '1603356891',
    '1603356892',
  ],
  [
    'dmesg --time-format iso',
    `2024-07-11T08:26:30,123456+00:00 Linux version 6.12.1\n2024-07-11T10:26:31,123456+02:00 ${FAULT}\n`,
    'wall',
    '1720686390.123456',
    '1720686391.123456',
  ],
  [
    'journalctl -k',
    `Nov 20 10:00:00 host kernel: Linux version 6.12.1\nNov 20 10:00:01 host kernel: ${FAULT}\n`,
    'wall, without the year',
    '28029600',
    '28029601',
  ],
  [
    'journalctl -k -o short-precise',
    `Nov 20 10:00:00.000001 host kernel: Linux version 6.12.1\nNov 20 10:00:01.000002 host kernel: ${FAULT}\n`,
    'wall, without the year',
    '28029600.000001',
    '28029601.000002',
  ],
  [
    'journalctl -k -o short-iso',
    `2024-07-11T08:26:30+0000 host kernel: Linux version 6.12.1\n2024-07-11T08:26:31+0000 host kernel: ${FAULT}\n`,
    'wall',
    '1720686390',
    '1720686391',
  ],
  [
    'journalctl -k -o short-full',
    `Thu 2024-07-11 08:26:30 UTC host kernel: Linux version 6.12.1\nThu 2024-07-11 08:26:31 UTC host kernel: ${FAULT}\n`,
    'wall',
    '1720686390',
    '1720686391',
  ],
  [
    'journalctl -k -o short-unix',
    `1720686390.123456 host kernel: Linux version 6.12.1\n1720686391.123456 host kernel: ${FAULT}\n`,
    'wall',
    '1720686390.123456',
    '1720686391.123456',
  ],
  [
    'journalctl -k -o short-monotonic',
    `[    0.000000] host kernel: Linux version 6.12.1\n[   12.345678] host kernel: ${FAULT}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  [
    'journalctl -k -o with-unit',
    `Thu 2024-07-11 08:26:30 UTC host kernel[0]: Linux version 6.12.1\nThu 2024-07-11 08:26:31 UTC host kernel[0]: ${FAULT}\n`,
    'wall',
    '1720686390',
    '1720686391',
  ],
  [
    'a file of syslog',
    `Nov 20 10:00:00 host kernel: [    0.000000] Linux version 6.12.1\nNov 20 10:00:01 host kernel: [   12.345678] ${FAULT}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  [
    'syslog as it travels',
    `<5>Nov 20 10:00:00 host kernel: [    0.000000] Linux version 6.12.1\n<3>Nov 20 10:00:01 host kernel: [   12.345678] ${FAULT}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  [
    '/dev/kmsg',
    `5,0,0,-;Linux version 6.12.1\n3,1,12345678,-,caller=C3;${FAULT}\n SUBSYSTEM=pci\n DEVICE=+pci:0000:65:00.0\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  [
    'netconsole, extended',
    `6.12.1,5,0,0,-;Linux version 6.12.1\n6.12.1,3,1,12345678,-;${FAULT}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
  ['no stamps', `Linux version 6.12.1\nCommand line: quiet\n${FAULT}\n`, 'none', null, null],
  [
    'journalctl -k -o json',
    `{"__REALTIME_TIMESTAMP":"1720686390123456","__MONOTONIC_TIMESTAMP":"500","_TRANSPORT":"kernel","MESSAGE":"Linux version 6.12.1"}\n{"MESSAGE":"${FAULT}","__MONOTONIC_TIMESTAMP":"12400000","_SOURCE_MONOTONIC_TIMESTAMP":"12345678","_TRANSPORT":"kernel","__REALTIME_TIMESTAMP":"1720686402123456"}\n`,
    'boot',
    '0.000500',
    '12.345678',
  ],
  [
    'journalctl -k -o json-pretty',
    `{\n\t"__REALTIME_TIMESTAMP" : "1720686390123456",\n\t"__MONOTONIC_TIMESTAMP" : "500",\n\t"MESSAGE" : "Linux version 6.12.1"\n}\n{\n\t"__REALTIME_TIMESTAMP" : "1720686402123456",\n\t"__MONOTONIC_TIMESTAMP" : "12345678",\n\t"MESSAGE" : "${FAULT}"\n}\n`,
    'boot',
    '0.000500',
    '12.345678',
  ],
  [
    'journalctl -k -o export',
    `__CURSOR=s=1\n__REALTIME_TIMESTAMP=1720686390123456\n__MONOTONIC_TIMESTAMP=500\n_TRANSPORT=kernel\nMESSAGE=Linux version 6.12.1\n\n__CURSOR=s=2\n__REALTIME_TIMESTAMP=1720686402123456\n__MONOTONIC_TIMESTAMP=12345678\n_TRANSPORT=kernel\nMESSAGE=${FAULT}\n\n`,
    'boot',
    '0.000500',
    '12.345678',
  ],
  [
    'journalctl -k -o verbose',
    `Thu 2024-07-11 08:26:30.123456 UTC [s=1;i=1]\n    _TRANSPORT=kernel\n    MESSAGE=Linux version 6.12.1\nThu 2024-07-11 08:26:31.123456 UTC [s=1;i=2]\n    _TRANSPORT=kernel\n    MESSAGE=${FAULT}\n`,
    'wall',
    '1720686390.123456',
    '1720686391.123456',
  ],
  [
    'dmesg --json',
    `{\n   "dmesg": [\n      {\n         "pri": 5,\n         "time":     0.000000,\n         "msg": "Linux version 6.12.1"\n      },{\n         "pri": 3,\n         "time":    12.345678,\n         "msg": "${FAULT}"\n      }\n   ]\n}\n`,
    'boot',
    '0.000000',
    '12.345678',
  ],
];

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
    'NETDEV WATCHDOG: eth0 (e1000e): transmit queue 0 timed out',
    'device/eth0',
    'message a transmit queue was not served in time',
  ],
  [
    'e1000e 0000:00:19.0 eth0: NETDEV WATCHDOG: CPU: 3: transmit queue 0 timed out 5001 ms',
    'device/eth0',
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

describe('a kernel log', () => {
  for (const [name, text, clock, start, end] of FORMS)
    it(name, () => {
      const { trace, info } = wholly(text);
      assert.deepEqual([info.format, info.records, info.understood, info.events], ['dmesg', 1, 1, 1]);
      assert.deepEqual([info.clock, info.start, info.end], [clock, start, end]);
      const fault = viewEvent(trace, 0);
      assert.deepEqual([fault.kind, fault.object, fault.time], ['ir.fault', 'device/0000:65:00.0', end]);
      assert.equal(fault.source.offset <= text.indexOf(FAULT) && fault.source.line > 1, true);
    });

  it('the processor that printed a line is the CPU of its event', () => {
    const { trace } = wholly(`[   12.345678][   C3] ${FAULT}\n[   12.345679][  T77] ${FAULT}\n`);
    assert.deepEqual([viewEvent(trace, 0).cpu, viewEvent(trace, 1).cpu], [3, null]);
  });

  it('without a message of interrupts it is one, and holds no record', () => {
    const boot = Array.from({ length: 5000 }, (_, i) => `[    ${i % 10}.000001] pci 0000:00:01.0: BAR 0: assigned\n`);
    const info = traceInfo(importText(boot.join('')));
    assert.deepEqual([info.format, info.records, info.lines, info.others], ['dmesg', 0, 5000, { 'kernel log': 5000 }]);
    assert.deepEqual([info.start, info.end], ['0.000001', '9.000001']);
  });

  it('all its lines are counted, and their stamps are its span', () => {
    const { info } = sample(`[    1.000000] a: b\n[    2.000000] ${FAULT}\n[    3.000000] c: d\n`);
    assert.deepEqual([info.start, info.end, info.others], ['1.000000', '3.000000', { 'kernel log': 2 }]);
  });

  it('lines that were left out are a loss of so many', () => {
    const text = (line: string): string => `[    1.000000] ${FAULT}\n[    2.000000] ${line}\n[    3.000000] ${FAULT}\n`;
    for (const [line, count] of [
      ['dmar_fault: 12 callbacks suppressed', 12],
      ['net_ratelimit: 7 callbacks suppressed', 7],
      ['** 33 printk messages dropped **', 33],
      ['dmar_fault: 5 output lines suppressed due to ratelimiting', 5],
    ] as const) {
      const { info, events } = wholly(text(line));
      assert.deepEqual([info.lost, info.records, info.others], [count, 2, { 'loss marker': 1 }], line);
      assert.equal(events[1], `lost log count=${count}`);
    }
    const kmsg = wholly(`3,7,1000000,-;${FAULT}\n3,11,2000000,-;${FAULT}\n`);
    assert.equal(kmsg.info.lost, 3, 'records 8 to 10 of /dev/kmsg are missing');
  });

  it('a line that ends too early is counted as skipped, with its place', () => {
    const text = `[    1.000000] ${FAULT}\n[    2.000000] DMAR: [INTR-REMAP] Request device [65:00`;
    const { info } = sample(text);
    assert.deepEqual([info.records, info.understood, info.skipped], [2, 1, { 'cut off at the end of the file': 1 }]);
    assert.deepEqual(info.samples, [
      { line: 2, offset: text.indexOf('\n') + 1, reason: 'cut off at the end of the file' },
    ]);
    const middle = sample(
      `[    1.000000] DMAR: [INTR-REMAP] Request device [zz:00.0] fault index\n[    2.000000] ${FAULT}\n`,
    ).info;
    assert.deepEqual([middle.records, middle.skipped], [2, { 'a message that is not as the kernel prints it': 1 }]);
  });

  it('a dump of the ring buffer in it is a source of its own, on the same clock', () => {
    const info = traceInfo(
      importText(
        `[    1.000000] ${FAULT}\n[   60.000001] Dumping ftrace buffer:\n[   60.000002]   <idle>-0       [001] d.h1.    30.000001: irq_handler_entry: irq=41 name=nvme0q1\n[   60.000003] ${FAULT}\n`,
      ),
    );
    assert.deepEqual(
      info.sources?.map((source) => [source.format, source.records, source.start, source.end]),
      [
        ['dmesg', 2, '1.000000', '60.000003'],
        ['ftrace-text', 1, '30.000001', '30.000001'],
      ],
    );
  });

  it('lines between the records of a trace stay where they stand', () => {
    const { trace, info } = sample(
      `7@1.000001:vtd_ir_enable enable 1\n[   61.099991] ${FAULT}\n7@1.000002:vtd_inv_qi_fetch \n`,
    );
    assert.equal(info.sources, undefined);
    const fault = viewEvent(trace, trace.lastAtLine(2));
    assert.deepEqual([fault.kind, fault.time, fault.source.line], ['ir.fault', null, 2]);
  });

  it('of several boots it is one source in the order of its lines', () => {
    const { trace, info } = wholly(
      `[    0.000000] Linux version 6.1\n[   50.000000] ${FAULT}\n[    0.000000] Linux version 6.1\n[    4.000000] ${FAULT}\n`,
    );
    assert.match(info.variant, /^2 boots/);
    assert.deepEqual(times(trace), ['50.000000', '4.000000']);
  });
});
