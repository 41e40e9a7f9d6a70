import type { PlantedFault } from './planting.ts';

/** Faults of the domains of IMSIC and APLIC. */
export const imsicFaults: readonly PlantedFault[] = [
  {
    id: 'R26',
    scenario: 'imsic-faults',
    how: 'The kernel ends a move and does not look at what pends in the interrupt file of the old hart: nobody claims it.',
    places: 10,
  },
  {
    id: 'R27',
    scenario: 'aplic-level',
    how: 'The kernel ends an interrupt of a source whose level is still up and does not write setipnum: no message is sent for it any more.',
    places: 3,
  },
];
