import { xenPend } from '../../model/events/platform/xen.ts';
import { blamedAt, type PlantedFault } from './planting.ts';

/** Faults of kernels on Xen. */
export const xenFaults: readonly PlantedFault[] = [
  {
    id: 'R22',
    scenario: 'xen-faults',
    how: 'The kernel of a domain masks an event channel while it tells Xen another virtual CPU, and does not unmask it.',
    places: 8,
    watch: blamedAt(xenPend),
  },
];
