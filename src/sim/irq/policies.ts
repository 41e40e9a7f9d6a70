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

/** How a kernel moves interrupts. */
export const irqPolicies = { affinityStrategy, vectorCleanup } as const;
