import { policy } from '../policy.ts';

/** Who serves the guest's accesses to an MSI-X table. */
export const msixOwner = policy(
  'msixOwner',
  'What serves accesses of the guest to MSI-X tables: the proposals of 2010 for KVM, and the design before them.',
  {
    user: 'The VMM alone: every access returns to user space.',
    maskBit: 'KVM serves the vector control dword of all entries, the VMM the other three.',
    perEntry: 'KVM serves vector control of all entries and the whole of those that the VMM enabled.',
    kernel: 'KVM serves the whole table; writes of address or data are notified.',
    cache:
      'KVM serves vector control and reads what the routing table has; writes of address and data return to user space.',
    umem: 'As kernel, with the shadow in memory of the VMM: an access can fault.',
    internal: 'KVM serves the whole table and changes its routing itself.',
  },
  ['S2-1', 'S2-2', 'S2-7', 'S2-9', 'S2-13', 'S2-17', 'S2-19', 'S2-23', 'S2-30', 'S2-32', 'S2-37'],
);

/** How a write of address or data that KVM served gets to the VMM. */
export const msixNotify = policy(
  'msixNotify',
  'How the VMM learns of a write of address or data that KVM served.',
  {
    updated: 'An exit of its own, KVM_EXIT_MSIX_ENTRY_UPDATED; the VMM fetches the entry.',
    mmio: 'An ordinary KVM_EXIT_MMIO, which carries address and value.',
    none: 'Not at all: routes do not change.',
  },
  ['S2-8', 'S2-21', 'S2-28', 'S2-29', 'S2-52'],
);

/** Who answers reads of the pending bits. */
export const pbaRead = policy(
  'pbaRead',
  'What answers reads of the pending bit array.',
  {
    exit: 'The VMM: it asks the device model and clears what is no longer asserted.',
    kernel: 'KVM from its bitmap: fast, but a device model that takes a cause back is not asked.',
    umem: 'KVM from a bitmap in memory of the VMM, which the device model changes as well.',
  },
  ['S2-10', 'S2-26', 'S2-57', 'S2-58', 'S2-62', 'S2-72', 'S2-73'],
);

/** Who serves an aligned qword that belongs to two owners. */
export const qwordSplit = policy(
  'qwordSplit',
  'Who serves an aligned qword at offset 8, data and vector control, when the two halves have two owners.',
  {
    split: 'Each half where it belongs.',
    user: 'The VMM serves all of it and tells KVM the mask bit by an ioctl.',
  },
  ['S2-35', 'S2-36', 'S2-41'],
);

/** What KVM_GET_MSIX_ENTRY says of an entry that KVM does not hold. */
export const missingEntry = policy(
  'missingEntry',
  'What KVM_GET_MSIX_ENTRY says of an entry that KVM does not hold.',
  { einval: '-EINVAL.', flag: 'Success with a flag that says so.' },
  ['S2-5'],
);

/** When the VMM defines a table to KVM. */
export const defineTable = policy(
  'defineTable',
  'When the VMM defines a table to KVM.',
  {
    enable: 'When the guest enables MSI-X: until then the VMM serves all accesses.',
    mapped: 'While the BAR is mapped, whether MSI-X is on or off: one owner at all times.',
  },
  ['S2-4', 'S2-48', 'S2-65', 'S2-68'],
);

/** Where the shadow of a table lies when it is memory of the VMM. */
export const userMemory = policy(
  'userMemory',
  'State of the memory of the VMM that holds table and pending bits (msixOwner umem).',
  {
    pinned: 'Always there.',
    swapped: 'Swapped out: an interrupt cannot wait for it, a worker sets the pending bit later.',
    unmapped: 'Gone: accesses of KVM fail with -EFAULT and go to the VMM.',
    private:
      'In private memory of the guest (guest_memfd), of which user space has no mapping: KVM cannot take the table (-EFAULT), and every access goes to the VMM.',
  },
  ['S2-19', 'S2-56', 'S2-66'],
);

/** What an irqfd stands for. */
export const irqfdTarget = policy(
  'irqfdTarget',
  'What an irqfd stands for.',
  {
    route: 'A GSI: the message of its route, as the VMM last set it.',
    entry: 'A table entry: the message that the entry holds at the time of the signal.',
  },
  ['S2-64'],
);

/** Whether masking in KVM waits for interrupts under way. */
export const maskSync = policy(
  'maskSync',
  'Whether a read that follows a mask write waits for interrupts that are under way.',
  {
    read: 'It does: afterwards none comes.',
    never: 'A bug: an interrupt under way is injected after mask and read.',
  },
  ['S2-55', 'S2-63'],
);

/** Whether the machine has an emulated interrupt remapping unit. */
export const viommu = policy(
  'viommu',
  'Whether the guest has an interrupt remapping unit that the VMM emulates.',
  {
    none: 'No: address and data mean vector and APIC ID.',
    present: 'Yes: messages name entries of its table, and only the VMM can read them.',
  },
  ['S2-24', 'S2-25', 'S2-39'],
);

const bug = <const N extends string>(name: N, meaning: string, on: string, seeds: readonly string[]) =>
  policy(name, meaning, { off: 'Correct behaviour.', on }, seeds);

/** The pending bits read 0, though interrupts are kept. */
export const pbaAlwaysZero = bug(
  'pbaAlwaysZero',
  'A bug: reads of the pending bit array do not show what is pending.',
  'They read 0; delivery after the unmask is right.',
  ['S2-14'],
);

/** KVM serves tables of functions whose memory decode is off. */
export const stillClaims = bug(
  'stillClaims',
  'A bug: the VMM does not tell KVM that the memory of a function is disabled.',
  'KVM still serves the table.',
  ['S2-70', 'S2-71'],
);

/** What live migration does with the pending bits. */
export const migratePending = policy(
  'migratePending',
  'What live migration does with the pending bits.',
  { carried: 'Read on the source and set on the destination.', lost: 'A bug: they stay behind.' },
  ['S2-34', 'S2-50'],
);

/** How the kernel of the guest makes sure that a mask bit has reached the table. */
export const flushRead = policy(
  'guest.flushRead',
  'What the kernel of the guest reads after it wrote a mask bit: Linux has changed that twice.',
  {
    both: '2.6.30 to 5.14: the first dword of the table, which is of entry 0, after mask and unmask.',
    mask: '5.15 and newer: the first dword of the table after a mask alone, and the data of a message that was written.',
    own: 'Before 2.6.30: the vector control of the entry itself, twice, after mask and unmask.',
  },
  ['S2-43', 'S2-44'],
);

/** Whether KVM and the VMM reach what belongs to the guest. */
export const guestMemory = policy(
  'guestMemory',
  'Whether the host reaches the memory of a guest and the state of its virtual CPUs (x86, not with AMD remapping).',
  {
    shared: 'KVM and the VMM read and write all of it.',
    private:
      'A TDX guest: its APIC pages belong to the TDX module. KVM can only post interrupts; tables of functions lie in shared MMIO and are still trapped (#VE, TDVMCALL).',
  },
  [],
);

/** All policies of virtual machines. */
export const kvmPolicies = {
  msixOwner,
  msixNotify,
  pbaRead,
  qwordSplit,
  missingEntry,
  defineTable,
  userMemory,
  irqfdTarget,
  maskSync,
  viommu,
  pbaAlwaysZero,
  stillClaims,
  migratePending,
  flushRead,
  guestMemory,
} as const;
