import { deviceFaults } from './device.ts';
import type { PlantedFault } from './planting.ts';
import { vectorFaults } from './vector.ts';

/** Every fault that can be planted, in the order of the failure catalogue. A file of this folder for each group. */
export const plantedFaults: readonly PlantedFault[] = [...deviceFaults, ...vectorFaults];

/** The planted fault with an id. */
export const plantedFault = (id: string): PlantedFault | undefined => plantedFaults.find((fault) => fault.id === id);
