import { avicPost } from '../../model/events/platform/avic.ts';
import { blamedAt, type PlantedFault } from './planting.ts';

const scenario = 'avic-faults';

/** Faults of AVIC and of the AMD IOMMU that posts to it. */
export const avicFaults: readonly PlantedFault[] = [
  {
    id: 'R20',
    scenario,
    how: 'The host reads an entry of the GA log and finds no virtual CPU for its tag: nothing wakes the one that halted.',
    places: 12,
  },
  {
    id: 'R21',
    scenario,
    how: 'KVM takes a virtual CPU off its CPU and does not tell the IOMMU: IsRun stays 1 in the table entries.',
    places: 20,
    watch: blamedAt(avicPost),
  },
];
