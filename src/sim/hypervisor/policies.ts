import { policy } from '../policy.ts';

/** On what the bus domains of a guest kernel stand. */
export const guestParent = policy(
  'guest.parent',
  'Where a guest kernel composes messages: the parent of its bus domains.',
  {
    vector: 'in its vector domain, as on bare metal',
    remap: 'in the remap domain of a virtual IOMMU',
    hypercall:
      'in a hypercall domain, as the thread proposes it: the hypervisor allocates and composes, asked by hypercall',
    vpci: 'in the virtual PCI bus of a Hyper-V guest: the host composes, asked over VMBus, and each unmask is a hypercall',
    xenPv:
      'nowhere, as dom0 of Xen (PV): a hypercall maps the interrupt to a PIRQ, Xen composes and stores, an event channel brings it',
    xenHvm:
      'in an HVM guest of Xen: the message that it stores names a PIRQ, the device model has Xen map it, an event channel brings it',
  },
  ['S4-1', 'S4-2', 'S4-3', 'S4-9', 'S4-11', 'S4-13', 'S4-14', 'S4-15'],
);

/** Where messages are stored for the device. */
export const messageStore = policy(
  'guest.store',
  'Where the bus domain stores a message for the device.',
  {
    msixTable: 'the MSI-X table',
    config: 'the MSI capability in config space',
    deviceMemory: 'an IMS entry in device memory',
    queueMemory: 'an IMS entry in queue memory: RAM of the driver of the queue',
  },
  ['S4-5', 'S4-7', 'S4-12', 'S4-17'],
);

/** Whether the hypervisor sees the stores of a guest. */
export const storeTrap = policy(
  'guest.trap',
  'Whether the hypervisor traps stores of a guest. Stores into queue memory cannot be trapped.',
  {
    trapped: 'every store exits; the hypervisor translates and stores',
    untrapped: 'stores go straight to the device',
  },
  ['S4-11', 'S4-12', 'S4-17'],
);

/** Whether the host reaches the storage of messages of a guest whose memory it does not reach. */
export const storeMemory = policy(
  'guest.storeMemory',
  'Whether messages of a TDX guest (`guestMemory` private) are stored where the host reaches them. The MSI capability always is: config space belongs to the host.',
  {
    shared: 'as Linux has it: the table lies in shared MMIO, an IMS entry in shared memory; stores can be trapped',
    private:
      'in private MMIO (a table that TDISP locked) or in private memory (guest_memfd): no store exits, and the host can neither map, read nor write it (EFAULT)',
  },
  ['S4-12', 'S4-13', 'S4-17'],
);

/** How a granted interrupt reaches the guest. */
export const guestDelivery = policy('guest.delivery', 'How an interrupt whose message was granted reaches the guest.', {
  injected: 'a host interrupt comes, its handler injects the vector',
  posted: 'the remapping unit (VT-d) posts it to the virtual CPU; the host sees nothing',
});

/** Whether a guest kernel can tell that it runs in a virtual machine. */
export const guestKnows = policy(
  'guest.knowsVm',
  'Whether the guest kernel can tell that it runs in a virtual machine (CPUID).',
  { yes: 'it can', no: 'it cannot: everything looks like bare metal to it' },
  ['S4-24'],
);

/** Who refuses a bus domain that cannot work. */
export const domainRefusal = policy(
  'guest.domainRefusal',
  'Who refuses to create a subdevice (IMS) domain that cannot work in this system.',
  {
    parent: 'the parent domain: the bus domain only hands its requirement on and never refuses by itself',
    subdevice:
      'the subdevice domain itself: it is a platform function that works on every device or returns -EOPNOTSUPP',
  },
  ['S4-19', 'S4-20', 'S4-21', 'S4-22'],
);

/** How guests get their messages. */
export const hypervisorPolicies = {
  guestParent,
  messageStore,
  storeTrap,
  storeMemory,
  guestDelivery,
  guestKnows,
  domainRefusal,
} as const;
