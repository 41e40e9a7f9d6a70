import { objectType } from '../objects.ts';
import { byNumber, byProcessor, byText, byTextOfKernel } from '../reference.ts';
import { gicRoute } from '../registers/its.ts';
import { apicEsr, ioApicEntry } from '../registers/x86.ts';

/** A Linux interrupt: `irq/<virq>`. */
export const irq = objectType(
  'irq',
  'A Linux interrupt number (virq) and what the irq core and the vector domain hold for it.',
  {
    name: {
      kind: 'text',
      meaning: 'Names of its actions, as request_irq() got them; those of a shared irq joined by a comma.',
    },
    action: { kind: 'text', hidden: true, meaning: 'The action whose handler ran last.' },
    chip: { kind: 'text', meaning: 'Name of its innermost irq chip, as snapshots print it.' },
    flow: { kind: 'text', meaning: 'Name of its flow handler, such as edge or fasteoi.' },
    level: { kind: 'flag', meaning: 'Level-triggered; edge-triggered otherwise.' },
    device: {
      kind: 'text',
      meaning: 'PCI function that raises it.',
      ref: byText('the function that raises it', 'device'),
    },
    hwirq: {
      kind: 'num',
      meaning:
        'Number inside its innermost domain: the table index in a PCI/MSI-X domain of one function; in a domain of all functions (Linux before 6.2) it holds segment, BDF and index.',
    },
    domain: {
      kind: 'text',
      meaning: 'Innermost irq domain.',
      ref: byTextOfKernel('its innermost domain', 'domain'),
    },
    beginning: {
      kind: 'flag',
      hidden: true,
      meaning: 'The vector domain gave it a place before it reported the set-up of the irq.',
    },
    allocated: { kind: 'flag', meaning: 'The descriptor exists (between setup and teardown).' },
    activated: { kind: 'flag', meaning: 'The domain hierarchy is activated: the hardware is programmed for it.' },
    reserved: { kind: 'flag', meaning: 'A vector is only reserved; a real one is allocated at request_irq().' },
    managed: { kind: 'flag', meaning: 'Affinity is managed by the kernel; user space cannot change it.' },
    cpu: { kind: 'num', meaning: 'CPU that the vector belongs to.', ref: byProcessor('the CPU of its vector') },
    affinity: { kind: 'text', meaning: 'CPUs that it may be delivered to, as a list (smp_affinity).' },
    effectiveAffinity: { kind: 'text', meaning: 'CPUs that it is delivered to, as a list (effective_affinity).' },
    vector: {
      kind: 'num',
      meaning: 'Vector on that CPU; 0 none, 239 (0xef) the placeholder of a reserved or shut down interrupt.',
    },
    apicDest: { kind: 'hex', meaning: 'Destination APIC id as programmed.' },
    prevCpu: { kind: 'num', meaning: 'CPU of the previous vector, as last printed.' },
    prevVector: { kind: 'num', meaning: 'Previous vector that is not freed yet; unknown where there is none.' },
    moving: { kind: 'flag', meaning: 'A move is in progress: the previous vector is still live.' },
    masked: { kind: 'flag', meaning: 'Masked at its chip, as the mask and unmask callbacks were seen.' },
    lpi: {
      kind: 'num',
      meaning: 'GICv3 LPI INTID behind it.',
      ref: byNumber('the configuration of its LPI', 'gic/0/lpi'),
    },
    address: { kind: 'hex', words: 2, meaning: 'Message address that the kernel last wrote to the device.' },
    data: { kind: 'hex', meaning: 'Message data that the kernel last wrote to the device.' },
    messageWrites: { kind: 'count', meaning: 'Messages that the kernel wrote to the device so far.' },
    handled: {
      kind: 'count',
      meaning: 'Handler entries so far in the trace; where a snapshot tells a count, that count and the entries since.',
    },
    handledSinceSetup: {
      kind: 'count',
      meaning: 'Handler entries since the number was last set up; what /proc/interrupts counts.',
    },
    ran: { kind: 'flag', hidden: true, meaning: 'Records show that its handlers ran.' },
    told: { kind: 'flag', hidden: true, meaning: 'A snapshot told how often it was handled.' },
    counted: { kind: 'num', hidden: true, meaning: 'One more than the highest CPU with a count of its own.' },
    irteIndex: { kind: 'num', meaning: 'Index of its IRTE, as the dump of its remapping domain tells it (VT-d).' },
    unhandled: { kind: 'count', meaning: 'Handler exits that returned unhandled (IRQ_NONE).' },
    running: {
      kind: 'num',
      meaning: 'CPU on which a handler of it runs right now.',
      ref: byProcessor('the CPU on which a handler of it runs'),
    },
    again: {
      kind: 'num',
      meaning:
        'CPU that runs the handler once more, for an interrupt that came on another CPU while it ran (handle_edge_irq).',
    },
    owner: { kind: 'text', meaning: 'The driver, queue or device for which it was allocated.' },
    shutdown: { kind: 'flag', meaning: 'Managed and shut down: no CPU of its mask is online.' },
    disabled: {
      kind: 'flag',
      meaning: 'Disabled by disable_irq(): the chip is masked only when an interrupt comes (lazily).',
    },
    latched: {
      kind: 'flag',
      meaning:
        'IRQS_PENDING: an interrupt came while the irq was disabled (it is resent when the irq is enabled), or while its handler ran on another CPU (which runs it once more).',
    },
  },
);

/** What snapshots show of the descriptor of an irq beside what events show: `irq/<virq>/descriptor`. */
export const irqDescriptor = objectType(
  'irqdescriptor',
  'The descriptor of an irq, as /proc/irq, /sys/kernel/irq and debugfs show it.',
  {
    flowHandler: { kind: 'text', meaning: 'Function of the flow handler.' },
    status: { kind: 'hex', meaning: 'Settings of the descriptor (status_use_accessors).' },
    istate: { kind: 'hex', meaning: 'Internal state of the irq core (core_internal_state__do_not_mess_with_it).' },
    dstate: { kind: 'hex', meaning: 'State of the irq data (state_use_accessors).' },
    flagNames: { kind: 'text', hidden: true, meaning: 'Names that the kernel prints for the set bits of these three.' },
    disableDepth: { kind: 'num', meaning: 'How often it is disabled; 0 enabled.' },
    wakeDepth: { kind: 'num', meaning: 'How often it is enabled as a source of wake-up.' },
    wakeup: { kind: 'flag', meaning: 'It may wake the system up.' },
    node: { kind: 'int', meaning: 'Memory node of the descriptor; -1 none.' },
    affinityHint: { kind: 'text', meaning: 'CPUs that its driver proposes, as a list; empty for none.' },
    pendingAffinity: {
      kind: 'text',
      meaning: 'CPUs that it will move to with its next interrupt, as a list; empty for none.',
    },
    msi: { kind: 'text', meaning: 'Whether the function raises it with msi or msix.' },
    canReserve: { kind: 'flag', meaning: 'The vector domain may hold only a reservation for it.' },
    cleanupPending: { kind: 'flag', meaning: 'Its previous vector waits to be freed.' },
    spuriousCount: { kind: 'num', meaning: 'Interrupts since the last check for unhandled ones (modulo 100000).' },
    spuriousUnhandled: { kind: 'num', meaning: 'Those of them that no handler took.' },
    lastUnhandled: { kind: 'num', meaning: 'When the last one came that no handler took: ms on the clock of jiffies.' },
  },
);

/** A thread that handles an irq: `irq/<virq>/thread/<pid>`. */
export const irqThread = objectType(
  'irqthread',
  'A thread that handles an irq (threaded or forced threading): the kernel calls it `irq/41-nvme0q1`, and `irq/41-s-nvme0q1` where a second one finishes what the first began.',
  {
    name: { kind: 'text', meaning: 'Its name (comm), which the kernel cuts to 15 bytes.' },
    woken: { kind: 'flag', meaning: 'Woken, and it has not run since.' },
    running: { kind: 'flag', meaning: 'It is on a processor right now.' },
    unfinished: {
      kind: 'flag',
      meaning:
        'It left its processor before it was done: it was preempted, or blocks inside its handler. A thread that is done waits in state S.',
    },
    cpu: {
      kind: 'num',
      meaning: 'CPU on which it runs, or ran last.',
      ref: byProcessor('the CPU on which it runs, or ran last'),
    },
    wakes: { kind: 'count', meaning: 'Times it was woken so far.' },
    runs: { kind: 'count', meaning: 'Times it began to run after it had been done, so far.' },
  },
);

/** A processor as the kernel that wrote the trace sees it: `cpu/<n>`. */
export const cpu = objectType('cpu', 'A processor of the system that wrote the trace.', {
  online: { kind: 'flag', meaning: 'Whether it takes interrupts.' },
  apicDest: {
    kind: 'hex',
    meaning:
      'Destination that the kernel writes for it (x86): its APIC id in physical mode, its logical id in logical mode.',
  },
  stopped: {
    kind: 'flag',
    meaning: 'An INIT reset it: it executes nothing and waits for a start-up IPI.',
  },
  signals: {
    kind: 'count',
    meaning: 'Messages so far that its local APIC handed to the core without a vector: SMI, NMI, INIT, ExtINT.',
  },
  errors: { kind: 'reg', register: apicEsr, meaning: 'Errors that its local APIC detected (ESR).' },
  available: { kind: 'num', meaning: 'Vectors free for allocation (irq_matrix avl).' },
  allocated: { kind: 'num', meaning: 'Vectors allocated (irq_matrix alloc).' },
  managed: { kind: 'num', meaning: 'Vectors reserved for managed interrupts (irq_matrix managed).' },
  managedAllocated: { kind: 'num', meaning: 'Of these the allocated ones (matrix dump of debugfs, mac).' },
  owned: { kind: 'num', hidden: true, meaning: 'Vectors of it that are known to be allocated.' },
});

/** One entry of a CPU's vector table: `cpu/<n>/vector/<vector>`. */
export const vector = objectType('vector', 'One vector of one CPU.', {
  irq: {
    kind: 'num',
    meaning: 'Linux irq that the vector is assigned to.',
    ref: byNumber('the irq that it is assigned to', 'irq'),
  },
  allocated: { kind: 'flag', meaning: 'Allocated in the vector matrix.' },
  name: { kind: 'text', meaning: 'System vector, such as local_timer or reschedule.' },
  active: { kind: 'flag', meaning: 'Its entry code runs right now.' },
  entries: { kind: 'count', meaning: 'Entries so far.' },
  requested: { kind: 'flag', meaning: 'Its bit in the IRR of the local APIC: accepted, not yet taken.' },
  inService: { kind: 'flag', meaning: 'Its bit in the ISR of the local APIC: taken, not yet ended.' },
  accepts: { kind: 'count', meaning: 'Messages accepted by the local APIC so far.' },
});

/** A softirq of a processor: `cpu/<n>/softirq/<name>`. */
export const softirq = objectType(
  'softirq',
  'Work that interrupt handlers put off, on one CPU: a vector of the softirqs.',
  {
    raised: { kind: 'flag', meaning: 'Raised and not yet served: its bit in the pending softirqs of the CPU.' },
    running: { kind: 'flag', meaning: 'Its handler runs right now.' },
    raises: { kind: 'count', meaning: 'Times it was raised so far.' },
    entries: { kind: 'count', meaning: 'Times its handler ran so far.' },
  },
);

/** An LPI at a processor of the host: `cpu/<n>/intid/<INTID>`. */
export const intid = objectType('intid', 'One LPI at the redistributor and CPU interface of a processor (GICv3).', {
  requested: { kind: 'flag', meaning: 'Its bit in the pending table of the redistributor: not yet acknowledged.' },
  inService: { kind: 'flag', meaning: 'Acknowledged (ICC_IAR1) and not yet ended (ICC_EOIR1).' },
  accepts: { kind: 'count', meaning: 'Times the ITS sent it to this processor so far.' },
  taken: { kind: 'count', meaning: 'Times acknowledged so far.' },
  eois: { kind: 'count', meaning: 'Ends of interrupt so far.' },
});

/** An irq domain: `domain/<name>`. */
export const domain = objectType('domain', 'An irq domain, or the part of one that the trace shows.', {
  onlineMaps: { kind: 'num', meaning: 'CPUs in the vector matrix.' },
  available: { kind: 'num', meaning: 'Vectors free on all online CPUs (global_avl).' },
  reserved: { kind: 'num', meaning: 'Vectors promised but not allocated (global_rsvd).' },
  allocated: { kind: 'num', meaning: 'Vectors allocated (total_alloc).' },
  owned: { kind: 'num', hidden: true, meaning: 'Vectors that are known to be allocated.' },
  size: { kind: 'num', meaning: 'Hardware irq numbers of its linear map; 0 for a tree.' },
  mapped: { kind: 'num', meaning: 'Irqs mapped in it.' },
  flags: { kind: 'hex', meaning: 'IRQ_DOMAIN flags.' },
  flagNames: { kind: 'text', hidden: true, meaning: 'Names that the kernel prints for the set flags.' },
  system: { kind: 'text', meaning: 'System vectors, as a list.' },
  parent: {
    kind: 'text',
    meaning: 'Domain that it stands on: the one closer to the CPU.',
    ref: byTextOfKernel('the domain that it stands on', 'domain'),
  },
  side: {
    kind: 'text',
    meaning: 'Side of the boundary in the bridge: cpu (part of the architecture) or bus (agnostic).',
  },
});

/** An I/O APIC pin: `ioapic/<n>/pin/<pin>`. */
export const pin = objectType('pin', 'An input pin of an I/O APIC or of another wired interrupt controller.', {
  level: { kind: 'flag', meaning: 'Level of the input line.' },
  changes: { kind: 'count', meaning: 'Times the line was driven so far.' },
  route: { kind: 'reg', register: gicRoute, meaning: 'Where the distributor of a GICv3 sends it (SPI).' },
  entry: { kind: 'reg', register: ioApicEntry, meaning: 'Entry of the redirection table of the I/O APIC for it.' },
});
