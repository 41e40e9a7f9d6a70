import { armFaults } from './arm.ts';
import { avicFaults } from './avic.ts';
import { deviceFaults } from './device.ts';
import { imsFaults } from './ims.ts';
import { imsicFaults } from './imsic.ts';
import { kvmFaults } from './kvm.ts';
import { nestedFaults } from './nested.ts';
import { orderFaults } from './orders.ts';
import type { PlantedFault } from './planting.ts';
import { remapFaults } from './remap.ts';
import { systemFaults } from './system.ts';
import { vectorFaults } from './vector.ts';
import { vfioFaults } from './vfio.ts';
import { xenFaults } from './xen.ts';

/** Every fault that can be planted, in the order of the failure catalogue. A file of this folder for each group. */
export const plantedFaults: readonly PlantedFault[] = [
  ...deviceFaults,
  ...vectorFaults,
  ...remapFaults,
  ...vfioFaults,
  ...kvmFaults,
  ...avicFaults,
  ...imsicFaults,
  ...xenFaults,
  ...imsFaults,
  ...armFaults,
  ...nestedFaults,
  ...systemFaults,
  ...orderFaults,
];

/** The planted fault with an id. */
export const plantedFault = (id: string): PlantedFault | undefined => plantedFaults.find((fault) => fault.id === id);
