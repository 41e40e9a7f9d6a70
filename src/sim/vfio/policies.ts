import { policy } from '../policy.ts';

/** What serves the interrupts of an assigned device in the host. */
export const vfioBackend = policy(
  'vfioBackend',
  'What serves the MSI-X vectors that the guest sees.',
  {
    pci: 'the MSI-X entry of the function with the same number',
    ims: 'an IMS entry of the function, allocated when the vector gets an eventfd; vector 0 of a virtual device is emulated',
    emulated: 'no interrupt of the host: software signals the eventfd',
  },
  ['S0-1', 'S0-21', 'S0-26'],
);

/** Who owns VFIO_DEVICE_SET_IRQS. */
export const vfioProvider = policy(
  'vfioProvider',
  'Whose code answers VFIO_DEVICE_SET_IRQS; the effect is the same.',
  {
    core: 'vfio-pci-core, which asks the back end per vector',
    variant: 'the driver of the device: a shell of its own around the same helpers',
  },
  ['S0-2', 'S0-20'],
);

/** When an IMS entry is given back. */
export const imsRelease = policy(
  'imsRelease',
  'When the IMS entry behind a vector is given back.',
  {
    free: 'whenever the eventfd of the vector is taken away or exchanged (the series of 2023)',
    keep: 'when the index is disabled: the entry waits masked meanwhile and keeps what comes',
  },
  ['S0-1', 'S0-21'],
);

/** What the driver of the device does with the PASID that the guest writes. */
export const pasidCopy = policy(
  'pasidCopy',
  'How a guest write of the MSI-X permission table reaches the IMS entry.',
  {
    translate: 'copied with the PASID of the host that stands for it, before or after the vector got its entry',
    untranslated: 'copied as the guest wrote it (a bug: numbers of the guest mean nothing to the device)',
    once: 'copied only if the vector has its entry at that moment (a bug: an earlier write is lost)',
    never: 'not copied: the front end alone, without a way for metadata',
  },
  ['S0-9', 'S0-14'],
);

/** Whether the page of the permission table is left out of what user space maps. */
export const sparseHole = policy(
  'sparseHole',
  'How the BAR of the device is mapped into the guest.',
  {
    hole: 'a sparse mapping leaves out the pages of the registers that must be trapped',
    missing: 'everything but the MSI-X table is mapped: writes to the permission table reach the device unseen (a bug)',
  },
  ['S0-4', 'S0-17'],
);

/** All policies of VFIO. */
export const vfioPolicies = { vfioBackend, vfioProvider, imsRelease, pasidCopy, sparseHole } as const;
