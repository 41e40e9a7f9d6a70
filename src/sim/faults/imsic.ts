import type { PlantedFault } from './planting.ts';

/** Faults of the IMSIC domain. */
export const imsicFaults: readonly PlantedFault[] = [
  {
    id: 'R26',
    scenario: 'imsic-faults',
    how: 'The kernel ends a move and does not look at what pends in the interrupt file of the old hart: nobody claims it.',
    places: 10,
  },
];
