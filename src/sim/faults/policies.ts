import { policy } from '../policy.ts';
import { plantedFaults } from './faults.ts';

/** Which fault is planted. */
export const fault = policy<string>(
  'fault',
  'A fault of the failure catalogue that is planted once, at a place that the seed chooses, in the scenario that is named.',
  {
    none: 'Nothing is planted.',
    ...Object.fromEntries(plantedFaults.map(({ id, scenario, how }) => [id, `In ${scenario}: ${how}`])),
  },
);

/** What can be made to go wrong. */
export const faultPolicies = { fault } as const;
