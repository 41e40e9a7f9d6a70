import type { PlantedFault } from './planting.ts';

/** Faults of functions and their MSI-X tables. */
export const deviceFaults: readonly PlantedFault[] = [
  {
    id: 'F01',
    scenario: 'device-faults',
    how: 'An entry is unmasked with its pending bit set; the bit is cleared and no message leaves.',
    places: 18,
  },
  {
    id: 'F02',
    scenario: 'device-faults',
    how: 'A read of the pending bit array shows 0 for a bit that is set.',
    places: 18,
  },
  {
    id: 'F03',
    scenario: 'device-faults',
    how: 'A function sends the message of an entry although the entry or the whole function is masked.',
    places: 18,
  },
];
