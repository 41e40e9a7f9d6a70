/**
 * What drivers of devices say of their interrupts: drivers/nvme/host/pci.c, libata, mmc, mlx5, net/sched/sch_generic.c, drivers/usb/host/xhci*,
 * drivers/vfio, virt/kvm/eventfd.c, arch/x86/kvm, drivers/pci (quirks.c, msi, controller/pci-hyperv.c), drivers/dma/idxd.
 */
import { DEVICE, fact, IRQ, type KernelLog, LOG, refusal, type Say } from './log.ts';

/**
 * The name of a device as dev_err and the like print it, behind that of its driver; netdev_err and the like put the name of the network
 * interface, and its state until it is registered, behind that of its function.
 */
const DEV = String.raw`^[\w.-]+ ([\w.:!-]+)(?:(?<= (?:[\da-f]{4,8}:[\da-f]{2}:[01][\da-f]\.[0-7]|virtio\d+)) (?:\(unnamed net_device\)|\S{1,20})(?: \([\w ]{1,30}\))?)?: (?:\[[^\]]{1,20}\] )?`;
const of = (text: string, flags = ''): RegExp => new RegExp(DEV + text, flags);

const QUEUE = (m: readonly string[], log: KernelLog): string => `${log.device(m[1]!)}/queue/${Number(m[2])}`;

/** A time-out of the block layer, by what the driver found when it looked: a completion that no interrupt told of, or none. */
const timedOut = (log: KernelLog, path: string, end: string): true =>
  log.refuse(
    path,
    /completion polled/.test(end)
      ? 'a command was complete, and no interrupt told it: the driver found it by polling'
      : 'a command did not complete in time',
  );

/** What is refused, lost or late. */
export const deviceRefusals: readonly Say[] = [
  {
    form: /^nvme ([\w.:-]+): (?:Timeout )?I\/O (?:tag )?\d+\b.*?\bQID (\d+),? ?(.*)$/,
    take: (log, m) => timedOut(log, QUEUE(m as string[], log), m[3]!),
  },
  refusal(of('controller is down; will reset'), DEVICE, 'the controller does not answer'),
  refusal(of(String.raw`(?:Abort status|invalid id \d+ completed)`), DEVICE, 'a command did not complete as expected'),
  refusal(/^(ata[\w.]+): lost interrupt\b/, DEVICE, 'a command was complete, and no interrupt told it'),
  refusal(/^(ata[\w.]+): (?:\w+ )?(?:qc )?timeout\b/, DEVICE, 'a command did not complete in time'),
  refusal(/^(mmc\w+): Timeout waiting for hardware (?:cmd )?interrupt/, DEVICE, 'an interrupt did not come in time'),
  refusal(
    of(String.raw`.*\bRecovered \d+ EQEs\b`),
    DEVICE,
    'events were complete, and no interrupt told it: the driver found them by polling',
  ),
  refusal(
    of(String.raw`.*\brecovered after timeout\b`),
    DEVICE,
    'a command was complete, and no interrupt told it: the driver found it by polling',
  ),
  {
    // dev_watchdog: since Linux 6.6 behind driver, device and interface, before with interface and driver in brackets.
    form: /^(?:NETDEV WATCHDOG: ([\w.@-]+) \([^)]*\)|(?:[\w.-]+ ([\w.:!-]+) )?([\w.@-]+)(?: \([^)]*\))?: NETDEV WATCHDOG(?:: CPU: \d+)?): transmit queue \d+ timed out/,
    take: (log, m) => log.refuse(log.device((m[2] ?? m[1] ?? m[3])!), 'a transmit queue was not served in time'),
  },
  // xhci
  refusal(
    of(
      '(?:xHCI host controller not responding, assume dead|HC died; cleaning up|xHCI host not responding to stop endpoint command)',
    ),
    DEVICE,
    'the controller does not answer',
  ),
  refusal(
    of(
      '(?:Timeout (?:while )?waiting for .* command|WARN: xHC .* timeout|Abort failed to stop command ring|Device not responding to setup)',
    ),
    DEVICE,
    'a command did not complete in time',
  ),
  refusal(
    of('(?:No msi-x/msi found and no IRQ in BIOS|request interrupt \\d+ failed)'),
    DEVICE,
    'the device gets no interrupt',
  ),
  refusal(
    of(
      '(?:ERROR (?:unknown event|Transfer event|interrupter not ready|mismatched command)|WARN Event TRB|Command completion event does not match|WARNING: Host System Error|Host System Error|WARN something wrong with SW event ring)',
    ),
    DEVICE,
    'the ring of events is not as expected',
  ),
  // MSI and MSI-X
  refusal(of(String.raw`can't enable (MSI(?:-X)?) \((.*)\)`), DEVICE, 'the other kind of message is in use'),
  refusal(
    of(String.raw`arch assigned 64-bit MSI address \S+ but device only supports 32 bits`),
    DEVICE,
    'the device cannot send to the address of the message',
  ),
  refusal(
    of('MSI quirk detected; (?:subordinate )?MSI disabled'),
    DEVICE,
    'MSI is switched off: the hardware is known to do it wrong',
  ),
  refusal(
    of(
      String.raw`.*\b(?:MSI(?:-?X)?|IRQ vectors?|irq vectors?|interrupt vectors?)\b.*\b(?:disabled?|disabling|fail(?:ed|ure)?|unable|cannot|can't|not (?:available|supported|enough)|unavailable|insufficient)\b`,
    ),
    DEVICE,
    'the device does not get the messages that it asked for',
  ),
  refusal(
    of(
      String.raw`.*\b(?:[Dd]isabl(?:ed|ing)|[Ff]ail(?:ed|ure)|[Uu]nable|[Cc]annot|[Cc]an't|[Cc]ould not|[Nn]o)\b.*\b(?:MSI(?:-?X)?|msi-?x?|IRQ vectors?|irq vectors?|interrupt vectors?)\b`,
    ),
    DEVICE,
    'the device does not get the messages that it asked for',
  ),
  refusal(
    of(String.raw`.*\b(?:[Ff]ailed|[Uu]nable|[Cc]ould not|[Cc]annot|[Cc]an't) .*\b(?:IRQ|irq|interrupt)s?\b`),
    DEVICE,
    'an interrupt of the device could not be set up',
  ),
  refusal(/^(?:ACPI|FADT|PCI).*\bMSI\b.*\b(?:not supported|disabl\w+)\b/i, LOG, 'no function may use MSI'),
  // vfio and KVM
  {
    form: /\birq bypass (producer|consumer) \((?:token|eventfd)[^)]*\) registration fails: (-?\d+)/,
    take: (log, m) => {
      const name = /^vfio-pci ([\da-f:.]+): /.exec(log.plain)?.[1];
      return log.refuse(
        name === undefined ? 'log' : log.device(name),
        `the ${m[1]} of an interrupt could not be registered: it is not posted`,
      );
    },
  },
  refusal(
    /^vfio-pci ([\da-f:.]+): .*(?:fail|reset recovery|broken|[Ii]nvalid|not supported|timed? ?out)/,
    DEVICE,
    'an assigned device has trouble',
  ),
  refusal(
    /\bPI descriptor SN field set before blocking\b/,
    LOG,
    'a virtual CPU blocks while its interrupts are held back',
  ),
  refusal(
    /^(?:hv_pci|pci_hyperv) ([\da-f-]+): .*(?:hv_\w*retarget\w*\(\)|hv_irq_unmask\(\)) failed: /,
    DEVICE,
    'the hypervisor refused to route an interrupt',
  ),
  refusal(
    /^hv_pci ([\da-f-]+): (?:Sending r|R)equest for interrupt failed: /,
    DEVICE,
    'the hypervisor refused an interrupt',
  ),
  refusal(/^hv_pci ([\da-f-]+): .*can not unmask irq \d+/, DEVICE, 'the hypervisor refused to route an interrupt'),
  refusal(/\bhv_\w+\(\) failed: (?:0x)?[\da-f]+/, LOG, 'the hypervisor refused a call'),
  refusal(
    /^idxd (\S+): .*(?:int handle .* failed|Failed to allocate work for int handle revoke|Unexpected int(?:errupt| handle))/i,
    DEVICE,
    'an interrupt handle is not as expected',
  ),
  refusal(/^idxd (\S+): idxd halted/, DEVICE, 'the device stopped'),
];

/** What there is and how it is set up. */
export const deviceFacts: readonly Say[] = [
  {
    form: /^nvme (nvme\d+): pci function ([\da-f:.]+)$/,
    take: (log, m) => {
      log.names(m[1]!, m[2]!);
      return log.fact(log.device(m[1]!), 'name of the function');
    },
  },
  fact(of(String.raw`(\d+)/(\d+)/(\d+) default/read/poll queues`), DEVICE, 'queues'),
  fact(
    of(String.raw`(?!_OSC).*\b(?:MSI(?:-?X)?|msi-?x?|irq vectors?|IRQ vectors?|interrupt vectors?)\b`),
    DEVICE,
    'interrupts of the device',
  ),
  fact(of(String.raw`.*\b(?:with|at|on|using|assigned) (?:IRQ|irq) ?\d+`), DEVICE, 'interrupts of the device'),
  fact(/^(?!\w+_\w+: )(?:\S+: )*(?:\S+ ){0,12}?\(?irq ?[=:]? ?(\d+)\b/i, IRQ, 'the irq of a device'),
];
