import { guestSte, veventqRead } from '../../model/events/arm/nested.ts';
import { vdevice, veventq } from '../../model/things/nested.ts';
import type { PlantedFault } from './planting.ts';

const scenario = 'viommu-faults';

/** Faults of a VMM that serves a guest with a virtual IOMMU of iommufd. */
export const nestedFaults: readonly PlantedFault[] = [
  {
    id: 'F7D',
    scenario,
    how: 'The VMM allocates a virtual device before the guest has numbered its buses: its ID has bus 0.',
    places: 12,
    watch: (planting) => (event) => {
      if (event.kind !== guestSte || !planting.struck) return;
      const { state } = planting.machine;
      const { device, ret } = guestSte.read(event.words, 0);
      if (ret === 0 && device === state.get(planting.blamed, vdevice.at.device)) planting.tell(planting.blamed);
    },
  },
  {
    id: 'F7E',
    scenario,
    how: 'The thread of the VMM that reads the events of the guest is held up: the queue runs full.',
    places: 20,
    watch: (planting) => (event) => {
      if (event.kind !== veventqRead || !planting.struck) return;
      const { sequence, lost } = veventqRead.read(event.words, 0);
      const last = planting.machine.state.num(event.object, veventq.at.read);
      if (lost || sequence !== last + 1) planting.tell(event.object);
    },
  },
];
