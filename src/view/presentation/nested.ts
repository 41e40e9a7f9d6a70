import type * as things from '../../model/things/nested.ts';
import { guestStream, hwQueue, vdevice, veventq, viommu } from '../../model/things/nested.ts';
import type { PresentationsOf } from './presentation.ts';
import { counted, join, told } from './words.ts';

/** Virtual IOMMUs of iommufd: what a guest has of an IOMMU. */
export const nestedPresentations: PresentationsOf<typeof things> = {
  viommu: {
    unit: ['virtual IOMMU', 'virtual IOMMUs'],
    label: (segment) => `vIOMMU ${segment}`,
    icon: 'shield',
    describe: (state, object) =>
      join(state.text(object, viommu.at.type), counted(state, object, viommu.at.invalidations, 'command')),
  },
  vdevice: {
    unit: ['virtual device', 'virtual devices'],
    label: (segment) => `vDEVICE ${segment}`,
    icon: 'circuit-board',
    describe: (state, object) => state.text(object, vdevice.at.device),
  },
  guestStream: {
    unit: ['stream', 'streams'],
    label: (segment) => `stream ${segment}`,
    alone: (segment) => `stream ${segment} of the guest`,
    icon: 'arrow-right',
    describe: (state, object) =>
      join(state.text(object, guestStream.at.config), state.text(object, guestStream.at.device)),
  },
  veventq: {
    unit: ['event queue', 'event queues'],
    label: () => 'vEVENTQ',
    icon: 'inbox',
    describe: (state, object) =>
      join(
        told('waiting', state.num(object, veventq.at.waiting)),
        told('of', state.num(object, veventq.at.depth)),
        counted(state, object, veventq.at.lost, 'lost event'),
      ),
  },
  hwQueue: {
    unit: ['HW queue', 'HW queues'],
    label: (segment) => `HW queue ${segment}`,
    icon: 'list-ordered',
    describe: (state, object) => counted(state, object, hwQueue.at.commands, 'command') || '',
  },
};
