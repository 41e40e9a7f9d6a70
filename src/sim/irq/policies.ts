import { policy } from '../policy.ts';

/** How a message that names CPU and vector is rewritten when both change. */
export const affinityStrategy = policy(
  'affinityStrategy',
  'How the message of an interrupt without remapping is rewritten when its CPU and its vector both change.',
  {
    direct: 'Once, to the new CPU and vector. Safe while the entry is masked; a torn message otherwise.',
    twoStep: 'First the new vector on the old CPU, then the new CPU; what came in between is raised again.',
  },
  [],
);

/** How the previous vector of a finished move is released. */
export const vectorCleanup = policy(
  'vectorCleanup',
  'How the vector that an interrupt moved away from is released.',
  {
    timer: 'A timer on the previous CPU, one jiffy later.',
    ipi: 'An inter-processor interrupt to the previous CPU on vector 0x20, which devices then never get.',
  },
  [],
);

/** Which CPUs messages without remapping can name. */
export const extendedDestination = policy(
  'extendedDestination',
  'Whether messages without remapping can name APIC ids of 15 bits (extended destination id, which hypervisors offer).',
  {
    off: 'They name 8 bits: CPUs from 255 on get no interrupts of devices.',
    on: 'They name 15 bits: bits 14:8 stand in bits 11:5 of the address.',
  },
  [],
);

/** Which interfaces for messages the kernel of the host has. */
export const kernelEra = policy(
  'kernel.era',
  'Which interfaces for messages of functions the kernel of the host has.',
  {
    'v6.2': 'Linux 6.2 to 6.9: a domain for each function, MSI-X entries that are added later, IMS.',
    'v6.1': 'Before 6.2: one domain for all functions, whose hwirqs hold function and index; neither of the other two.',
    'v6.10': 'Linux 6.10 and newer: as 6.2, but IMS is gone.',
  },
);

/** How a kernel moves interrupts, and where they can go. */
export const irqPolicies = { affinityStrategy, vectorCleanup, extendedDestination, kernelEra } as const;
