import { faultRule } from './fault.ts';

/** F34. */
export const sendsOwnEntries = faultRule(
  {
    id: 'F34',
    names: ['INV-SID'],
    title: 'Requester does not fit the entry',
    meaning: 'A device uses only table entries whose source id (SID, SQ, SVT) it fits.',
    reference: 'VT-d 5.1.4.1 and 9.10 (fault 0x26)',
    confirm:
      '/sys/kernel/debug/iommu/intel/ir_translation_struct (SID of the entry) beside lspci -t: an alias behind a bridge, a phantom function, or the entry of another device',
  },
  [0x26],
  /source.?id|SID mismatch/i,
  { did: (entry) => `used ${entry}, which belongs to another requester` },
);
