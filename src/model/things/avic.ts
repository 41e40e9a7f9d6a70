import { objectType } from '../objects.ts';
import { avicPhysicalId } from '../registers/amd.ts';

/** What AVIC has of a virtual CPU: `vcpu/<n>/avic`. */
export const avic = objectType('avic', 'What AVIC has of a virtual CPU: its APIC backing page and its place in it.', {
  irr: {
    kind: 'hex',
    words: 8,
    meaning: 'Requests that the IOMMU or another virtual CPU set in the APIC backing page: bit n is vector n.',
  },
  entry: {
    kind: 'reg',
    register: avicPhysicalId,
    meaning: 'Its entry of the physical APIC ID table of the virtual machine.',
  },
  signals: { kind: 'count', meaning: 'Doorbells that it got so far.' },
  wakes: { kind: 'count', meaning: 'Entries of the GA log for it that the host read so far.' },
});

/** The GA log of an AMD IOMMU: `galog/<n>`. */
export const gaLog = objectType(
  'galog',
  'The GA log of an AMD IOMMU: posted interrupts of virtual CPUs that do not run.',
  {
    entries: { kind: 'num', meaning: 'Entries that the ring holds; one of them stays free.' },
    waiting: { kind: 'num', meaning: 'Entries that the IOMMU wrote and the host has not read.' },
    written: { kind: 'count', meaning: 'Entries written so far.' },
    read: { kind: 'count', meaning: 'Entries that the host read so far.' },
    overflow: { kind: 'flag', meaning: 'The log was full: the IOMMU logs nothing until the host starts it again.' },
    dropped: { kind: 'count', meaning: 'Entries that did not fit into the log so far.' },
  },
);
