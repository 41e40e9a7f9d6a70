import { objectType } from '../objects.ts';
import { byNumber, byNumberAtFirst, byObject, byText } from '../reference.ts';
import { pciCommand } from '../registers/pci.ts';
import { apicLvt } from '../registers/x86.ts';

const lvt = (source: string) =>
  ({ kind: 'reg', register: apicLvt, meaning: `Entry of the local vector table for ${source} (x86).` }) as const;

/** A virtual CPU: `vcpu/<n>`; in a capture of several machines also `vcpu/<n>@<thread>`. */
export const vcpu = objectType('vcpu', 'A virtual CPU.', {
  inGuest: { kind: 'flag', meaning: 'It runs guest code right now (between kvm_entry and kvm_exit).' },
  exitReason: { kind: 'text', meaning: 'Reason of its last exit.' },
  exitVector: {
    kind: 'num',
    meaning: 'Vector of the host that ended its last run in the guest; unknown where something else ended it.',
  },
  exits: { kind: 'count', meaning: 'Exits so far.' },
  accepts: { kind: 'count', meaning: 'Interrupts accepted by its local APIC so far.' },
  injections: { kind: 'count', meaning: 'Interrupts injected so far.' },
  acknowledges: { kind: 'count', meaning: 'Interrupts acknowledged at the CPU interface so far (GIC).' },
  eois: { kind: 'count', meaning: 'Ends of interrupt so far.' },
  lvtCmci: lvt('corrected machine checks'),
  lvtTimer: lvt('the timer'),
  lvtThermal: lvt('the thermal sensor'),
  lvtPerformance: lvt('the performance counters'),
  lvtLint0: lvt('pin LINT0'),
  lvtLint1: lvt('pin LINT1'),
  lvtError: lvt('errors of the local APIC'),
  sleeps: { kind: 'flag', meaning: 'Its thread on the host sleeps until something wakes it.' },
});

/** An interrupt at a virtual CPU: `vcpu/<n>/vector/<vector>` (x86) or `vcpu/<n>/intid/<INTID>` (Arm). */
export const vcpuVector = objectType('vcpuvector', 'One vector or INTID of a virtual CPU.', {
  requested: { kind: 'flag', meaning: 'Accepted and not yet taken: its IRR bit, as far as the trace shows.' },
  inService: { kind: 'flag', meaning: 'Taken and not yet ended: its ISR bit or active state.' },
  accepts: { kind: 'count', meaning: 'Times accepted.' },
  taken: { kind: 'count', meaning: 'Times injected or acknowledged.' },
  eois: { kind: 'count', meaning: 'Ends of interrupt.' },
  enabled: { kind: 'flag', meaning: 'Enabled at the GIC that KVM emulates, as a snapshot shows it.' },
  priority: { kind: 'num', meaning: 'Its priority there: lower is more urgent.' },
  hwintid: { kind: 'num', meaning: 'INTID of the host that it is mapped to; unknown where there is none.' },
  open: {
    kind: 'num',
    hidden: true,
    meaning:
      'Accepted and not shown to be taken: 1 once, 2 more often; the IRR holds one of them, the ISR may hold another.',
  },
});

/** One interrupt of a VFIO device: `vfio/<device>/<index>/<vector>`; index 0 INTx, 1 MSI, 2 MSI-X, 3 error, 4 request. */
export const vfioVector = objectType('vfiovector', 'One interrupt of a device that is assigned through VFIO.', {
  used: { kind: 'flag', meaning: 'QEMU uses the vector: the guest has unmasked it and VFIO signals it.' },
  virq: {
    kind: 'num',
    meaning: 'KVM GSI (QEMU calls it virq) that its irqfd injects.',
    ref: byNumberAtFirst('the route of its GSI', 'kvm/0/route', 'kvm/0/irqfd'),
  },
  eventfd: { kind: 'num', meaning: 'Eventfd that VFIO signals.' },
  masked: { kind: 'flag', meaning: 'Masked through VFIO_DEVICE_SET_IRQS.' },
  irq: {
    kind: 'num',
    meaning: 'Linux irq of the host behind it.',
    ref: byNumber('the irq of the host behind it', 'irq'),
  },
  fires: { kind: 'count', meaning: 'Times it was signalled so far.' },
  told: {
    kind: 'flag',
    meaning: 'VFIO itself was seen to signal it: what QEMU says it took is the same.',
    hidden: true,
  },
  backend: { kind: 'text', meaning: 'What serves it: pci (an entry of the function), ims, emulated.' },
  entry: {
    kind: 'object',
    meaning: 'The entry of the host that sends for it.',
    ref: byObject('the entry of the host that sends for it'),
  },
  guestPasid: { kind: 'hex', meaning: 'PASID that the guest wrote for it, a number of the guest.' },
  pasid: { kind: 'hex', meaning: 'The PASID of the host that the PASID of the guest stands for.' },
});

/** A VFIO device: `vfio/<device>`. */
export const vfioDevice = objectType('vfio', 'A device assigned through VFIO.', {
  guest: {
    kind: 'text',
    meaning: 'BDF that the guest sees.',
    ref: byText('the function as the guest sees it', 'device'),
  },
  msix: { kind: 'flag', meaning: 'The guest has MSI-X enabled and VFIO follows.' },
  msi: { kind: 'flag', meaning: 'The guest has MSI enabled and VFIO follows.' },
  intx: { kind: 'flag', meaning: 'INTx is set up.' },
  entries: { kind: 'num', meaning: 'Entries of its MSI-X table.' },
  tableBar: { kind: 'num', meaning: 'BAR that holds its MSI-X table.' },
  tableOffset: { kind: 'num', meaning: 'Offset of its MSI-X table in that BAR, in bytes.' },
  command: {
    kind: 'reg',
    register: pciCommand,
    meaning: 'PCI Command register, as accesses through VFIO show it while the function in the guest is not known.',
  },
  vendor: { kind: 'hex', meaning: 'Vendor ID (bits 15:0) and Device ID (bits 31:16), config offset 0.' },
  msixAt: { kind: 'hex', meaning: 'Config offset of the MSI-X capability.' },
  msiAt: { kind: 'hex', meaning: 'Config offset of the MSI capability.' },
  config: {
    kind: 'hex',
    words: 64,
    hidden: true,
    meaning: 'Config space bytes 0 to 0xff as far as reads showed them.',
  },
  pbaTrapped: { kind: 'flag', meaning: 'QEMU traps reads of the pending bit array because a masked vector fired.' },
  traps: { kind: 'count', meaning: 'Trapped accesses of registers that have to be trapped.' },
  collateral: { kind: 'count', meaning: 'Trapped accesses of registers that only share a page with them.' },
});

/** An MSI route of KVM: `kvm/<vm>/route/<gsi>`. */
export const kvmRoute = objectType('route', 'An entry of the GSI routing table of KVM.', {
  device: {
    kind: 'text',
    meaning: 'Function whose message it carries: BDF, or the name that the trace prints.',
    ref: byText('the function whose message it carries', 'device'),
  },
  vector: { kind: 'num', meaning: 'MSI-X table index (or MSI vector number) of that message.' },
  address: {
    kind: 'hex',
    words: 2,
    meaning: 'Message address in the route: what the table entry held when the route was written.',
  },
  data: { kind: 'hex', meaning: 'Message data in the route.' },
  entry: {
    kind: 'object',
    hidden: true,
    meaning: 'The MSI-X entry that the route was made from.',
    ref: byObject('the MSI-X entry that it was made from'),
  },
  updates: { kind: 'count', meaning: 'Times the route was rewritten.' },
});

/** A line of KVM: `kvm/<vm>/gsi/<gsi>`. */
export const kvmGsi = objectType('gsi', 'An interrupt line (GSI) of KVM.', {
  level: { kind: 'flag', meaning: 'Level last set through KVM_IRQ_LINE.' },
  changes: { kind: 'count', meaning: 'Times it was set so far.' },
});

/** An irqfd of KVM: `kvm/<vm>/irqfd/<gsi>`. */
export const kvmIrqfd = objectType('irqfd', 'An eventfd that KVM injects as an interrupt.', {
  fd: { kind: 'num', meaning: 'File descriptor in the VMM.' },
  resample: { kind: 'flag', meaning: 'With a resample eventfd: level-triggered.' },
  hostIrq: {
    kind: 'num',
    meaning: 'Host irq that is posted directly to the guest.',
    ref: byNumber('the irq of the host that is posted to the guest', 'irq'),
  },
  posted: { kind: 'flag', meaning: 'The host irq bypasses the host through a posted interrupt.' },
  guestVector: { kind: 'num', meaning: 'Guest vector of the posted interrupt.' },
  vcpu: {
    kind: 'num',
    meaning: 'Virtual CPU that it is posted to.',
    ref: byNumber('the virtual CPU that it is posted to', 'vcpu'),
  },
});

/** A virtual machine of KVM: `kvm/<vm>`. */
export const kvmVm = objectType('kvm', 'A virtual machine.', {
  commits: { kind: 'count', meaning: 'Times the routing table was committed.' },
  messages: {
    kind: 'count',
    meaning: 'MSI messages that KVM decoded so far: deliveries, and routing changes that decode a message.',
  },
  ioctls: { kind: 'count', meaning: 'Calls of the VMM about its interrupts so far.' },
});

/** An MSI-X table that KVM serves: `kvm/<vm>/msix/<id>`. Only simulated traces have one. */
export const kvmTable = objectType('kvmtable', 'An MSI-X table that KVM serves instead of the VMM.', {
  device: {
    kind: 'text',
    meaning: 'Function whose table it is.',
    ref: byText('the function whose table it is', 'device'),
  },
  entries: { kind: 'num', meaning: 'Entries, 1 to 2048.' },
  base: { kind: 'hex', words: 2, meaning: 'Guest-physical address of the table.' },
  pendingBase: { kind: 'hex', words: 2, meaning: 'Guest-physical address of the pending bits.' },
});

/** An entry of a table that KVM serves: `kvm/<vm>/msix/<id>/entry/<i>`. */
export const kvmEntrySource = objectType('kvmentry', 'What KVM holds for one entry of an MSI-X table.', {
  held: { kind: 'flag', meaning: 'KVM holds address and data of the entry; otherwise the VMM does.' },
  gsi: { kind: 'int', meaning: 'GSI of the interrupt source that is tied to it; -1 none.' },
});
