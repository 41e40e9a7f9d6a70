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
  invalidated: 'invalidates the entry in the interrupt entry cache and waits until the unit has done it, as it must',
  queued:
    'puts the invalidation into the queue and goes on (a bug): until the unit gets to it, it uses what it has cached',
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

/** Whether KVM lets the entries of assigned devices post. */
export const irqBypass = policy(
  'posted.bypass',
  'What KVM does where VFIO signals the eventfd of one of its irqfds for a host irq.',
  {
    host: 'nothing: the host takes every interrupt and signals the eventfd',
    posted: 'lets the remapping table entry of that irq post to the virtual CPU and vector of the route',
  },
);

/** Whether KVM lets an AMD processor keep the local APICs of guests. */
export const avic = policy(
  'avic',
  'Whether the local APICs of guests are virtualised by AVIC, and the AMD IOMMU posts to their backing pages.',
  {
    off: 'No: KVM emulates them; every interrupt and interprocessor interrupt ends the run of a virtual CPU.',
    on: 'Yes: the IOMMU sets the request and sends a doorbell, or an entry of its GA log where the virtual CPU does not run.',
    noIpi:
      'Yes, but IsRunning of the physical APIC ID table stays 0 (enable_ipiv=0): interprocessor interrupts end the run of their sender.',
  },
);

/** While a virtual CPU does not run: when the IOMMU logs what it posts. */
export const gaLogIntr = policy(
  'avic.gaLogIntr',
  'When table entries have GALogIntr set, so that the IOMMU logs what it posts to a virtual CPU that does not run.',
  {
    blocking: 'Linux 6.17 and newer: while the virtual CPU is blocked.',
    always: 'Before 6.17: also while it was put off its CPU, where nothing has to be woken.',
  },
);

/** Whether the host lets a VT-d unit post its own interrupts. */
export const postedMsi = policy(
  'host.postedMsi',
  'Whether the host lets the VT-d unit post the interrupts of its own functions (intremap=posted_msi, Linux 6.10 and newer).',
  {
    off: 'No: every message is an interrupt of its CPU.',
    on: 'Yes: vector 0xeb notifies a CPU, whose handler serves all that its descriptor holds and ends them with one EOI.',
  },
);

/** How remapping units are set up and kept up to date. */
export const iommuPolicies = {
  compatibility,
  sourceCheck,
  entryCache,
  postedAffinity,
  irqBypass,
  avic,
  gaLogIntr,
  postedMsi,
} as const;
