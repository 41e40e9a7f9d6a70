import { policy } from '../policy.ts';

/** What a remapping unit does with messages in compatibility format (CFIS; Linux keeps it clear). */
export const compatibility = policy(
  'remap.compatibility',
  'What the remapping unit does with messages in compatibility format.',
  { blocked: 'refuses them (fault 0x25), as Linux configures it', passed: 'lets them through as they are' },
  ['S4-18'],
);

/** Whether entries name the requester that may use them. */
export const sourceCheck = policy(
  'remap.sourceCheck',
  'Whether remapping table entries verify the requester of a message.',
  { verify: 'SVT 1: only the requester of the entry may use it', none: 'SVT 0: any requester may use any entry' },
  ['S4-16', 'S4-18'],
);

/** Whether the interrupt entry cache is invalidated after a table entry was written. */
export const entryCache = policy('remap.entryCache', 'What the kernel does after it wrote a remapping table entry.', {
  invalidated: 'invalidates the entry in the interrupt entry cache, as it must',
  forgotten: 'nothing (a bug): the unit goes on with what it has cached',
});

/** What a host affinity change does to an entry that posts to a virtual CPU. */
export const postedAffinity = policy(
  'posted.affinity',
  'What an affinity change of the host does to a remapping table entry that posts to a virtual CPU.',
  {
    kept: 'leaves it alone: only the entry that will be written when posting ends changes',
    clobbered: 'overwrites it with a remapped entry (a bug): the guest is no longer posted to',
  },
);

/** On what the bus domains of a guest kernel stand. */
export const guestParent = policy(
  'guest.parent',
  'Where a guest kernel composes messages: the parent of its bus domains.',
  {
    vector: 'in its vector domain, as on bare metal',
    remap: 'in the remap domain of a virtual IOMMU',
    hypercall: 'in a hypercall domain: the hypervisor allocates and composes',
  },
  ['S4-1', 'S4-3', 'S4-9', 'S4-11', 'S4-13', 'S4-14', 'S4-15'],
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

/** The policies of remapping, posting and hypercalls. */
export const hypervisorPolicies = [
  compatibility,
  sourceCheck,
  entryCache,
  postedAffinity,
  guestParent,
  messageStore,
  storeTrap,
  guestDelivery,
  guestKnows,
  domainRefusal,
];
