import { objectType } from '../objects.ts';
import { byText } from '../reference.ts';

/** A virtual IOMMU: `iommufd/<id>/viommu/<n>`. */
export const viommu = objectType('viommu', 'A virtual IOMMU of iommufd: the part of an IOMMU that one guest has.', {
  type: { kind: 'text', meaning: 'Kind of IOMMU that the guest sees: ARM_SMMUV3 or TEGRA241_CMDQV.' },
  invalidations: { kind: 'count', meaning: 'Commands of the guest that the kernel took from the VMM so far.' },
  refusals: { kind: 'count', meaning: 'Commands among them that it refused.' },
  reports: { kind: 'count', meaning: 'Events that the VMM wrote into the event queue of the guest so far.' },
});

/** A virtual device of a virtual IOMMU: `iommufd/<id>/viommu/<n>/vdevice/<hex virtual ID>`. */
export const vdevice = objectType('vdevice', 'The ID that a device has in the IOMMU of a guest.', {
  device: { kind: 'text', meaning: 'Device of the host behind it.', ref: byText('the device behind it', 'device') },
});

/** A stream of the SMMU that a guest sees: `iommufd/<id>/viommu/<n>/stream/<hex StreamID>`. */
export const guestStream = objectType('gueststream', 'A stream of the SMMU that a guest sees.', {
  device: {
    kind: 'text',
    meaning: 'Device of the host that the VMM takes for it.',
    ref: byText('the device that the VMM takes for it', 'device'),
  },
  config: { kind: 'text', meaning: 'What the stream table entry of the guest says: translate or bypass.' },
});

/** The event queue of a virtual IOMMU: `iommufd/<id>/viommu/<n>/veventq`. */
export const veventq = objectType('veventq', 'The queue in which the events of a guest wait for its VMM.', {
  depth: { kind: 'num', meaning: 'Events that it holds.' },
  waiting: { kind: 'num', meaning: 'Events that wait for the VMM.' },
  sequence: { kind: 'num', meaning: 'Sequence number of the last event, also of one that found no room.' },
  read: { kind: 'num', meaning: 'Sequence number of the last record that the VMM read.' },
  events: { kind: 'count', meaning: 'Events so far.' },
  lost: { kind: 'count', meaning: 'Events among them that found no room.' },
});

/** A command queue of a guest that the hardware reads: `iommufd/<id>/viommu/<n>/hwqueue/<index>`. */
export const hwQueue = objectType('hwqueue', 'A command queue of a guest that the hardware reads by itself.', {
  address: { kind: 'hex', words: 2, meaning: 'Guest-physical address.' },
  length: { kind: 'num', meaning: 'Length of the queue in bytes.' },
  commands: { kind: 'count', meaning: 'Commands that the hardware took so far.' },
});
